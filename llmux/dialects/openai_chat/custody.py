"""Reasoning and seals in a Chat Completions conversation.

The API itself has a place for neither. Reasoning goes where the clients that show it look, `reasoning_content`; what its maker
wants back goes into `thinking_blocks`, which have Anthropic's shape, and for calls into `extra_content`, which is Google's,
always in an envelope: there is nobody here to whom these places belong. Read are also `reasoning` and `reasoning_details`, the
words of other servers for the same. All of it counts as a summary, which is what clients of Responses show.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import msgspec

from llmux.dialects.context import Context
from llmux.dialects.neutral import Reasoning, Seal, Segment
from llmux.dialects.unsealing import Slot

# how the `format` of a detail begins -> whose seal it holds
_FORMATS: tuple[tuple[str, str], ...] = (("anthropic", "anthropic"), ("google", "gemini"))


@attrs.frozen
class Piece:
    """A piece of reasoning: some text, and the seal that ends it. `call_id` names the call whose seal it is.

    `at` is where it stands in its node, and `seal_at` where the seal does.
    """

    text: str
    seal: Seal | None = None
    call_id: str = ""
    at: str = ""
    seal_at: str = ""

    @property
    def alone(self) -> bool:
        """Whether it is a unit of its own: hidden thinking, of which nothing is shown."""
        return self.seal is not None and self.seal.kind == "redacted"


def pieces(node: dict[str, Any]) -> list[Piece]:
    """What a message or a delta says of reasoning. Servers say the same in several members; it is read once."""
    found = list(_blocks(node.get("thinking_blocks"))) or list(_details(node.get("reasoning_details")))
    if not any(piece.text for piece in found):
        for name in ("reasoning_content", "reasoning"):
            text = node.get(name)
            if isinstance(text, str) and text:
                return [Piece(text, at=name), *found]
    return found


def _blocks(blocks: object) -> Iterator[Piece]:
    for index, block in enumerate(blocks if isinstance(blocks, list) else ()):
        if not isinstance(block, dict):
            continue
        at = f"thinking_blocks/{index}"
        if block.get("type") == "redacted_thinking":
            if data := _text(block.get("data")):
                yield Piece("", Seal("anthropic", "redacted", data), at=at, seal_at=f"{at}/data")
            continue
        text, signature = _text(block.get("thinking")), _text(block.get("signature"))
        if text or signature:
            seal = Seal("anthropic", "signature", signature) if signature else None
            yield Piece(text, seal, at=at, seal_at=f"{at}/signature")


def _details(details: object) -> Iterator[Piece]:
    for index, detail in enumerate(details if isinstance(details, list) else ()):
        if not isinstance(detail, dict):
            continue
        form = _text(detail.get("format"))
        family = next((family for start, family in _FORMATS if form.startswith(start)), "openai")
        at = f"reasoning_details/{index}"
        match detail.get("type"):
            case "reasoning.text":
                text, signature = _text(detail.get("text")), _text(detail.get("signature"))
                if text or signature:
                    seal = Seal("anthropic", "signature", signature) if signature else None
                    yield Piece(text, seal, at=at, seal_at=f"{at}/signature")
            case "reasoning.summary":
                if text := _text(detail.get("summary")):
                    yield Piece(text, at=at)
            case "reasoning.encrypted":
                if data := _text(detail.get("data")):
                    yield Piece("", _encrypted(family, data), _text(detail.get("id")), at, f"{at}/data")


def _encrypted(family: str, data: str) -> Seal:
    if family == "gemini":
        return Seal(family, "thought_signature", data)
    return Seal(family, "redacted" if family == "anthropic" else "encrypted", data)


def signature(node: dict[str, Any]) -> str:
    """The signature that Google's compatible API puts on calls and messages."""
    extra = node.get("extra_content")
    google = extra.get("google") if isinstance(extra, dict) else None
    return _text(google.get("thought_signature")) if isinstance(google, dict) else ""


def signature_at(at: str) -> str:
    """Where that signature stands in the node at `at`."""
    return f"{at}/extra_content/google/thought_signature"


class Returned:
    """The reasoning of an assistant message that a client sends back. `items` are its units, `calls` the seals of calls."""

    __slots__ = ("calls", "items")

    def __init__(self, node: dict[str, Any], turn: int, at: str, context: Context) -> None:
        self.items: list[Reasoning] = []
        self.calls: dict[str, tuple[Seal, ...]] = {}
        texts: list[str] = []
        begun = ""
        for piece in pieces(node):
            where = f"{at}/{piece.seal_at}"
            if piece.seal is not None and piece.seal.family == "gemini":
                found = context.seal_in(piece.seal.payload, piece.seal, "", where)
                seals = tuple(msgspec.structs.replace(seal, at=f"{at}/{piece.at}") for seal in found)
                self.calls[piece.call_id] = (*self.calls.get(piece.call_id, ()), *seals)
                continue
            if piece.alone and texts:
                self._enter(texts, (), turn, begun)
                texts = []
            if not texts:
                begun = f"{at}/{piece.at}"
            if piece.text:
                if texts and piece.at.startswith("reasoning_details"):
                    texts[-1] += piece.text  # clients gather them as they were streamed
                else:
                    texts.append(piece.text)
            if piece.seal is not None:
                self._enter(texts, context.seal_in(piece.seal.payload, piece.seal, "\n\n".join(texts), where), turn, begun)
                texts = []
        self._enter(texts, (), turn, begun)

    def _enter(self, texts: list[str], seals: tuple[Seal, ...], turn: int, at: str) -> None:
        if texts or seals:
            self.items.append(Reasoning(tuple(Segment("summary", text) for text in texts), seals, turn, at=at))


def blocks(item: Reasoning, context: Context) -> list[dict[str, Any]]:
    """The `thinking_blocks` of a piece of reasoning in an answer, none where it has no seal."""
    text, seals = item.text, list(item.seals)
    found: list[dict[str, Any]] = []
    if seals and (text or seals[0].kind == "signature"):
        found.append({"type": "thinking", "thinking": text, "signature": context.seals.wrap(seals.pop(0), text)})
    return [*found, *(hidden(seal, context) for seal in seals)]


def hidden(seal: Seal, context: Context) -> dict[str, Any]:
    """A block that holds nothing but a seal: of thinking that is not shown, or of a text."""
    return {"type": "redacted_thinking", "data": context.seals.wrap(seal)}


def extra(seal: Seal, context: Context) -> dict[str, Any]:
    """The `extra_content` of a call in an answer."""
    return {"google": {"thought_signature": context.seals.wrap(seal)}}


def sealed(node: dict[str, Any]) -> Slot | None:
    """See `llmux.dialects.unsealing.Sealed`. No provider of this dialect made what was sealed here."""
    for member in ("signature", "data", "thought_signature"):
        if value := _text(node.get(member)):
            return Slot(member, value, Seal("", "encrypted", value))
    return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
