"""Seals in a Responses conversation: all of them travel as the `encrypted_content` of a reasoning item.

What belongs to a piece of reasoning stands in it. What belongs to a call stands before it, and what belongs to a text behind it,
in an item of its own that shows nothing; clients send those back where they stood.
"""

from __future__ import annotations

from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import Message, OutputItem, Reasoning, Seal, Text
from llmux.dialects.unsealing import Slot

# Bound to this instead of a text, a seal belongs to the call before it: it came when the call had been told.
_LATE = "behind"


def visible(item: Reasoning) -> str:
    """The text of a piece of reasoning in the order in which this API tells it: the summary first."""
    texts = [each.text for kind in ("summary", "full") for each in item.segments if each.kind == kind]
    return "\n\n".join(texts)


def encrypted(item: Reasoning, context: Context) -> str | None:
    """What the item itself is sealed with."""
    return context.seal_out(item.seals[0], "openai", visible(item)) if item.seals else None


def carrier(seal: Seal, context: Context, *, late: bool = False) -> dict[str, Any]:
    """An item that holds nothing but a seal, without its id."""
    return {"type": "reasoning", "summary": [], "encrypted_content": context.seal_out(seal, "openai", _LATE if late else "")}


def behind(item: OutputItem) -> list[Seal]:
    """The seals that stand behind an item: those of its texts, and what would be a second one of a piece of reasoning."""
    if isinstance(item, Reasoning):
        return list(item.seals[1:])
    if isinstance(item, Message):
        return [seal for part in item.parts if isinstance(part, Text) for seal in part.seals]
    return []


def opened(value: str, item: Reasoning, context: Context, at: str) -> tuple[Seal | None, bool]:
    """The seal that came back in an item, and whether it belongs to the call before it."""
    if not value:
        return None, False
    native = Seal("openai", "encrypted", value)
    if item.segments:
        return next(iter(context.seal_in(value, native, visible(item), at)), None), False
    seal = context.seals.open(value, native)
    if seal is not None:
        return seal, False
    seal = context.seals.open(value, native, _LATE)
    if seal is None:
        context.notes.drop(at, "the text that was sealed has been changed")
    return seal, True


def sealed(node: dict[str, Any]) -> Slot | None:
    """See `llmux.dialects.unsealing.Sealed`."""
    match node:
        case {"type": "reasoning", "encrypted_content": str(value)}:
            told = [*(node.get("summary") or ()), *(node.get("content") or ())]
            text = "\n\n".join(str(each.get("text")) for each in told if isinstance(each, dict))
            return Slot("encrypted_content", value, Seal("openai", "encrypted", value), text)
    return None
