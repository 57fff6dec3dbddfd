"""Writes a Responses stream: named events, numbered from 0, every text told twice (in deltas, then whole)."""

from __future__ import annotations

from typing import Any

import attrs

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.neutral import (
    Delta,
    DeltaKind,
    Ended,
    Event,
    Fold,
    ItemClosed,
    ItemOpened,
    OutputItem,
    PartClosed,
    PartKind,
    PartOpened,
    Refusal,
    Segment,
    Started,
    Text,
    ToolCall,
)
from llmux.dialects.openai_responses.errors import failure
from llmux.dialects.openai_responses.responses import envelope, item_id, output_item, part_of, write
from llmux.errors import Fault


@attrs.frozen
class _Words:
    """How the API speaks of one kind of text: `response.<part>.added`, `response.<text>.delta`, and where it is counted."""

    part: str
    index: str
    text: str
    whole: str = "text"
    extra: dict[str, Any] = attrs.Factory(dict)


_WORDS: dict[DeltaKind, _Words] = {
    "text": _Words("content_part", "content_index", "output_text", extra={"logprobs": []}),
    "refusal": _Words("content_part", "content_index", "refusal", whole="refusal"),
    "summary": _Words("reasoning_summary_part", "summary_index", "reasoning_summary_text"),
    "full": _Words("content_part", "content_index", "reasoning_text"),
    "args": _Words("", "", "function_call_arguments", whole="arguments"),
}


_EMPTY: dict[PartKind, Text | Refusal | Segment] = {
    "text": Text(""),
    "refusal": Refusal(""),
    "summary": Segment("summary", ""),
    "full": Segment("full", ""),
}


@attrs.define
class _Place:
    """Where an open item is told: its id and index in the output, and each part's kind and index among its like."""

    item_id: str
    output_index: int
    parts: dict[int, tuple[PartKind, int]] = attrs.Factory(dict)

    def members(self, part: int = 0, kind: DeltaKind = "args") -> dict[str, Any]:
        """The members by which an event names its place."""
        named: dict[str, Any] = {"item_id": self.item_id, "output_index": self.output_index}
        if kind != "args":
            named[_WORDS[kind].index] = self.parts[part][1]
        return named


class Encoder:
    """A stream, see `llmux.dialects.neutral.Encoder`. `asked` is the request's body, parts of which the response repeats."""

    content_type = b"text/event-stream"

    def __init__(self, asked: dict[str, Any]) -> None:
        self._asked = asked
        self._sequence = 0
        self._started: Started | None = None
        self._fold = Fold()
        self._places: dict[int, _Place] = {}
        self._open: set[int] = set()

    def encode(self, event: Event) -> bytes:
        """The events of an event."""
        self._fold.see(event)
        match event:
            case Delta(item, part, kind, text):
                return self._delta(item, part, kind, text)
            case Started():
                self._started = event
                return self._response("response.created", self._begun()) + self._response("response.in_progress", self._begun())
            case ItemOpened():
                return self._item_opened(event)
            case PartOpened(item, part, part_kind):
                return self._part_opened(item, part, part_kind)
            case PartClosed(item, part):
                return self._part_closed(item, part)
            case ItemClosed(item, whole):
                return self._item_closed(item, whole)
            case Ended(response):
                body = write(response, self._asked)
                return self._response(f"response.{body['status']}", body)
        return b""

    def error(self, fault: Fault) -> bytes:
        """`response.failed` with what was said so far, because Codex reads no other failure; before a start, `error`."""
        if self._started is None:
            return self._event("error", {"code": failure(fault)["code"], "message": fault.message, "param": fault.param})
        body = write(self._fold.response(), self._asked, {self._places[item].output_index for item in self._open})
        body.update(status="failed", error=failure(fault), incomplete_details=None)
        return self._response("response.failed", body)

    def _event(self, name: str, members: dict[str, Any]) -> bytes:
        body = {"type": name, "sequence_number": self._sequence, **members}
        self._sequence += 1
        return sse.event(jsonio.dumps(body), name.encode())

    def _response(self, name: str, body: dict[str, Any]) -> bytes:
        return self._event(name, {"response": body})

    def _begun(self) -> dict[str, Any]:
        assert self._started is not None, "the first event starts the response"
        return envelope(self._started.id, self._started.model, self._started.created, self._asked)

    def _item_opened(self, event: ItemOpened) -> bytes:
        assert self._started is not None, "the first event starts the response"
        index = len(self._places)
        place = self._places[event.item] = _Place(item_id(event.kind, self._started.id, index), index)
        self._open.add(event.item)
        item = output_item(self._fold.item(event.item), place.item_id, "in_progress")
        return self._event("response.output_item.added", {"output_index": index, "item": item})

    def _item_closed(self, item: int, whole: OutputItem) -> bytes:
        self._open.discard(item)
        place = self._places[item]
        body = output_item(whole, place.item_id, "completed")
        told = b""
        if isinstance(whole, ToolCall):
            done = {**place.members(), "arguments": body["arguments"]}
            told = self._event("response.function_call_arguments.done", done)
        return told + self._event("response.output_item.done", {"output_index": place.output_index, "item": body})

    def _part_opened(self, item: int, part: int, kind: PartKind) -> bytes:
        place, words = self._places[item], _WORDS[kind]
        place.parts[part] = kind, sum(1 for other, _ in place.parts.values() if _WORDS[other].index == words.index)
        return self._event(f"response.{words.part}.added", {**place.members(part, kind), "part": part_of(_EMPTY[kind])})

    def _part_closed(self, item: int, part: int) -> bytes:
        place = self._places[item]
        kind = place.parts[part][0]
        words, members, text = _WORDS[kind], place.members(part, kind), self._fold.text(item, part)
        done = {**members, words.whole: text, **words.extra}
        whole = part_of(attrs.evolve(_EMPTY[kind], text=text))
        return self._event(f"response.{words.text}.done", done) + self._event(
            f"response.{words.part}.done", {**members, "part": whole}
        )

    def _delta(self, item: int, part: int, kind: DeltaKind, text: str) -> bytes:
        words = _WORDS.get(kind)
        if words is None or not text:
            return b""  # a seal is told with the whole item
        members = self._places[item].members(part, kind)
        return self._event(f"response.{words.text}.delta", {**members, "delta": text, **words.extra})


def encoder(asked: dict[str, Any], framed: bool = True) -> Encoder:
    """The encoder for a request's body. This dialect streams in one framing only."""
    return Encoder(asked)
