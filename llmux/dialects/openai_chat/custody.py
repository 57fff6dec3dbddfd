"""Reasoning and seals in a Chat Completions conversation.

The API itself has a place for neither. Reasoning goes where the clients that show it look, `reasoning_content`; what its maker
wants back goes into `thinking_blocks`, which have Anthropic's shape, and, on calls and messages, into `extra_content`, which
is Google's. Read are also `reasoning` and `reasoning_details`, the words of other servers for the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import attrs

from llmux.dialects.context import Context
from llmux.dialects.neutral import Reasoning, Seal, Segment

# how the `format` of a detail begins -> whose seal it holds
_FORMATS: tuple[tuple[str, str], ...] = (("anthropic", "anthropic"), ("google", "gemini"))


@attrs.frozen
class Piece:
    """A piece of reasoning: some text, and the seal that ends it. `call_id` names the call whose seal it is."""

    kind: Literal["summary", "full"]
    text: str
    seal: Seal | None = None
    call_id: str = ""
    at: str = ""

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
                return [Piece("full", text, at=name), *found]
    return found


def _blocks(blocks: object) -> Iterator[Piece]:
    for index, block in enumerate(blocks if isinstance(blocks, list) else ()):
        if not isinstance(block, dict):
            continue
        at = f"thinking_blocks/{index}"
        if block.get("type") == "redacted_thinking":
            if data := _text(block.get("data")):
                yield Piece("full", "", Seal("anthropic", "redacted", data), at=f"{at}/data")
            continue
        text, signature = _text(block.get("thinking")), _text(block.get("signature"))
        if text or signature:
            seal = Seal("anthropic", "signature", signature) if signature else None
            yield Piece("summary", text, seal, at=f"{at}/signature" if signature else at)


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
                    yield Piece("full", text, seal, at=f"{at}/signature" if signature else at)
            case "reasoning.summary":
                if text := _text(detail.get("summary")):
                    yield Piece("summary", text, at=at)
            case "reasoning.encrypted":
                if data := _text(detail.get("data")):
                    yield Piece("full", "", _encrypted(family, data), _text(detail.get("id")), f"{at}/data")


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
        segments: list[Segment] = []
        for piece in pieces(node):
            where = f"{at}/{piece.at}"
            if piece.seal is not None and piece.seal.family == "gemini":
                seals = context.seal_in(piece.seal.payload, piece.seal, "", where)
                self.calls[piece.call_id] = (*self.calls.get(piece.call_id, ()), *seals)
                continue
            if piece.alone and segments:
                self._enter(segments, (), turn, at)
                segments = []
            if piece.text:
                last = segments[-1] if segments else None
                if last is not None and last.kind == piece.kind and piece.at.startswith("reasoning_details"):
                    segments[-1] = Segment(last.kind, last.text + piece.text)  # clients gather them as they were streamed
                else:
                    segments.append(Segment(piece.kind, piece.text))
            if piece.seal is not None:
                visible = "\n\n".join(segment.text for segment in segments)
                self._enter(segments, context.seal_in(piece.seal.payload, piece.seal, visible, where), turn, at)
                segments = []
        self._enter(segments, (), turn, at)

    def _enter(self, segments: list[Segment], seals: tuple[Seal, ...], turn: int, at: str) -> None:
        if segments or seals:
            self.items.append(Reasoning(tuple(segments), seals, turn, at=at))


def blocks(item: Reasoning, context: Context) -> list[dict[str, Any]]:
    """The `thinking_blocks` of a piece of reasoning in an answer, none where it has no seal."""
    text, seals = item.text, list(item.seals)
    found: list[dict[str, Any]] = []
    if seals and (text or seals[0].kind == "signature"):
        signed = context.seal_out(seals.pop(0), "anthropic", text)
        found.append({"type": "thinking", "thinking": text, "signature": signed})
    hidden = (context.seal_out(seal, "anthropic") for seal in seals)
    return [*found, *({"type": "redacted_thinking", "data": data} for data in hidden)]


def extra(seal: Seal, context: Context) -> dict[str, Any]:
    """The `extra_content` of a call or a message in an answer."""
    return {"google": {"thought_signature": context.seal_out(seal, "gemini")}}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
