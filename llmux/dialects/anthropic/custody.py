"""Seals of other providers in a Messages conversation.

What belongs to thinking travels as its signature. What belongs to a call travels as a `redacted_thinking` block before the call,
because clients send those back unchanged; what belongs to a text, or came too late, as one behind it. Instead of a visible text,
such a seal is bound to its place.
"""

from __future__ import annotations

from typing import Any, Literal

from llmux.dialects.context import Context
from llmux.dialects.neutral import Reasoning, Seal
from llmux.dialects.unsealing import Slot

Place = Literal["ahead", "behind", "alone"]

_BOUND: dict[Place, str] = {"ahead": "", "behind": "behind", "alone": "alone"}


def block(seal: Seal, context: Context, place: Place) -> dict[str, Any]:
    """A block that holds nothing but a seal: `ahead` of its call, `behind` its text or call, or `alone`."""
    return {"type": "redacted_thinking", "data": context.seal_out(seal, "anthropic", _BOUND[place])}


def thinking(item: Reasoning, context: Context) -> list[dict[str, Any]]:
    """The blocks of a piece of reasoning in an answer: its text with the first seal, or what is hidden."""
    text, seals = item.text, list(item.seals)
    blocks: list[dict[str, Any]] = []
    if text or (seals and seals[0].family == "anthropic" and seals[0].kind == "signature"):
        # The signature may be empty, but readers insist on the member.
        signature = context.seal_out(seals.pop(0), "anthropic", text) if seals else ""
        blocks.append({"type": "thinking", "thinking": text, "signature": signature})
    return blocks + [hidden(seal, context) for seal in seals]


def hidden(seal: Seal, context: Context) -> dict[str, Any]:
    """The block of reasoning without a text. Only Gemini's seals could be taken for those of a call."""
    return block(seal, context, "alone" if seal.kind == "thought_signature" else "ahead")


def opened(data: str, context: Context, at: str) -> tuple[Seal | None, Place]:
    """The seal in a `redacted_thinking` block that came back, and to what it belongs."""
    native = Seal("anthropic", "redacted", data)
    for place, bound in _BOUND.items():
        seal = context.seals.open(data, native, bound)
        if seal is not None:
            return seal, place if seal.kind == "thought_signature" or place == "behind" else "alone"
    context.notes.drop(at, "what was sealed has been changed")
    return None, "alone"


def sealed(node: dict[str, Any]) -> Slot | None:
    """See `llmux.dialects.unsealing.Sealed`."""
    match node:
        case {"type": "thinking", "signature": str(value)}:
            return Slot("signature", value, Seal("anthropic", "signature", value), str(node.get("thinking")))
        case {"type": "redacted_thinking", "data": str(value)}:
            return Slot("data", value, Seal("anthropic", "redacted", value))
        case {"type": "web_search_result_location", "encrypted_index": str(value)}:
            return Slot("encrypted_index", value, Seal("anthropic", "encrypted", value), str(node.get("url")))
    return None
