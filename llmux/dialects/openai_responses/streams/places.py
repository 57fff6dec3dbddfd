"""What is open in a Responses stream while it is written, and the words by which its events name it."""

from __future__ import annotations

from typing import Any

import attrs

from llmux import jsonio
from llmux.dialects.events import ItemOpened, PartKind
from llmux.dialects.neutral import (
    Annotation,
    Message,
    Reasoning,
    Refusal,
    Segment,
    Text,
    TokenProbability,
    ToolCall,
)


@attrs.frozen
class Words:
    """How the API speaks of one kind of text: `response.<part>.added`, `response.<text>.delta`, and where it is counted.

    `whole` is the member that tells all of it, `tail` what stands at the end of each of its events.
    """

    part: str
    index: str
    text: str
    whole: str = "text"
    tail: bytes = b"}\n\n"

    def head(self) -> bytes:
        """A delta up to its number."""
        name = f"response.{self.text}.delta"
        return f'event: {name}\ndata: {{"type":"{name}","sequence_number":'.encode()


PARTS: dict[PartKind, Words] = {
    "text": Words("content_part", "content_index", "output_text", tail=b',"logprobs":[]}\n\n'),
    "refusal": Words("content_part", "content_index", "refusal", whole="refusal"),
    "summary": Words("reasoning_summary_part", "summary_index", "reasoning_summary_text"),
    "full": Words("content_part", "content_index", "reasoning_text"),
}
# Of the arguments of calls only those of the client's own tools come in pieces.
ARGUMENTS: dict[str, Words] = {
    "function_call": Words("", "", "function_call_arguments", whole="arguments"),
    "custom_tool_call": Words("", "", "custom_tool_call_input", whole="input"),
}
_HEADS = {words.text: words.head() for words in (*PARTS.values(), *ARGUMENTS.values())}


class Piece:
    """A part, or a call's arguments, on the way. `place` are the members by which its events name it."""

    __slots__ = ("annotations", "head", "kind", "late", "middle", "pieces", "place", "tail", "tokens", "words")

    def __init__(self, words: Words, place: dict[str, Any], kind: PartKind | None = None) -> None:
        self.words = words
        self.kind = kind
        self.place = place
        self.pieces: list[str] = []
        self.annotations: list[dict[str, Any]] = []  # that were told
        self.late: list[Annotation] = []  # that wait for the end of the text
        self.tokens: list[TokenProbability] = []
        self.head = _HEADS[words.text]
        self.middle = b",%b," % jsonio.dumps(place)[1:-1] + b'"delta":'
        self.tail = words.tail

    def part(self) -> Text | Refusal | Segment:
        """The part as far as it has come."""
        text = "".join(self.pieces)
        match self.kind:
            case "refusal":
                return Refusal(text)
            case "summary" | "full":
                return Segment(self.kind, text)
        return Text(text, logprobs=tuple(self.tokens))


class Place:
    """Where an open item is told, and what has come of it."""

    __slots__ = ("id", "index", "opened", "parts", "type")

    def __init__(self, opened: ItemOpened, type_: str, id_: str, index: int) -> None:
        self.opened = opened
        self.type = type_
        self.id = id_
        self.index = index
        self.parts: dict[int, Piece] = {}

    def members(self) -> dict[str, Any]:
        """The members by which an event names the item."""
        return {"item_id": self.id, "output_index": self.index}

    def item(self) -> Message | Reasoning | ToolCall:
        """The item as far as it has come."""
        opened = self.opened
        if opened.kind == "tool_call":
            args = "".join(piece for part in self.parts.values() for piece in part.pieces)
            return ToolCall(opened.call_id, opened.name, args, kind=opened.call_kind, namespace=opened.namespace)
        parts = [piece.part() for piece in self.parts.values()]
        if opened.kind == "reasoning":
            return Reasoning(tuple(part for part in parts if isinstance(part, Segment)))
        return Message("assistant", tuple(part for part in parts if not isinstance(part, Segment)), phase=opened.phase)
