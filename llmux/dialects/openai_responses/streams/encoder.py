"""Writes a Responses stream: named events, numbered from 0, every text told in pieces, whole, in its part and in its item.

Items may overlap in this dialect, so that whatever arrives leaves at once. Only the beginning of a message waits for its first
part, because it may turn out to be a picture. A search of another provider's stays open until its result is known; the response
ends when nothing can follow, for the counted tokens come last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.context import Context
from llmux.dialects.events import (
    Cited,
    Delta,
    Ended,
    Event,
    Finished,
    ItemClosed,
    ItemOpened,
    PartClosed,
    PartOpened,
    Pinged,
    Started,
)
from llmux.dialects.neutral import (
    Annotation,
    Message,
    OpaqueItem,
    Reasoning,
    Refusal,
    ServerCall,
    ServerResult,
    ToolCall,
)
from llmux.dialects.openai_responses import citations, custody, probabilities, servers
from llmux.dialects.openai_responses.citations import DIALECT
from llmux.dialects.openai_responses.errors import failure
from llmux.dialects.openai_responses.responses.echoes import envelope
from llmux.dialects.openai_responses.responses.outputs import Outputs, is_refusal, is_shown, last_word, status_of
from llmux.dialects.openai_responses.responses.writing import finish
from llmux.dialects.openai_responses.streams.places import ARGUMENTS, PARTS, Piece, Place
from llmux.errors import Fault


class ResponsesEncoder:
    """A stream, see `llmux.dialects.events.Encoder`."""

    content_type = b"text/event-stream"

    def __init__(self, context: Context) -> None:
        self._context = context
        self._sequence = 0
        self._body: dict[str, Any] | None = None  # the response, once it has begun
        self._outputs = Outputs("", context)
        self._count = 0  # the items so far
        self._told: dict[int, dict[str, Any]] = {}  # those that are whole, by their index
        self._places: dict[int, Place] = {}
        self._searches: dict[str, tuple[int, ServerCall]] = {}  # calls of the provider's own tools that wait for their results
        self._refused = False
        self._messages: dict[int, ItemOpened] = {}  # those without a part so far

    def encode(self, event: Event) -> bytes:
        """The events of an event."""
        if event.__class__ is Delta:
            return self._delta(event)
        writer = _WRITERS.get(event.__class__)
        return b"" if writer is None else writer(self, event)

    def error(self, fault: Fault) -> bytes:
        """`response.failed` with what was said so far, because Codex reads no other failure; before a start, `error`."""
        if self._body is None:
            return self._event("error", {"code": failure(fault)["code"], "message": fault.message, "param": fault.param})
        for index, call in self._searches.values():
            self._told[index] = self._outputs.server(call, None, index, "failed")
        for place in self._places.values():
            self._told[place.index] = self._outputs.body(place.item(), place.index, "incomplete")
        self._body.update(status="failed", error=failure(fault), output=self._output())
        return self._event("response.failed", {"response": self._body})

    def _event(self, name: str, members: dict[str, Any]) -> bytes:
        body = {"type": name, "sequence_number": self._sequence, **members}
        self._sequence += 1
        return sse.event(jsonio.dumps(body), name.encode())

    def _delta(self, event: Delta) -> bytes:
        place = self._places[event.item]
        piece = place.parts.get(event.part)
        if piece is None:
            words = ARGUMENTS.get(place.type)
            piece = place.parts[event.part] = Piece(words or ARGUMENTS["function_call"], place.members())
            if words is None:  # told only when it is whole
                piece.head = b""
        piece.pieces.append(event.text)
        if not piece.head or not (event.text or event.logprobs):
            return b""
        if event.logprobs and piece.kind == "text":
            piece.tokens += event.logprobs
            told = probabilities.write(event.logprobs, whole=False)
            return self._event("response.output_text.delta", {**piece.place, "delta": event.text, "logprobs": told})
        sequence = self._sequence
        self._sequence = sequence + 1
        return b"%b%d%b%b%b" % (piece.head, sequence, piece.middle, jsonio.dumps(event.text), piece.tail)

    def _started(self, event: Started) -> bytes:
        self._outputs = Outputs(event.id, self._context)
        self._body = envelope(event.id, event.model, event.created, self._context.asked)
        return self._event("response.created", {"response": self._body}) + self._event(
            "response.in_progress", {"response": self._body}
        )

    def _item_opened(self, event: ItemOpened) -> bytes:
        if event.kind == "message":
            self._messages[event.item] = event
        if event.kind in ("message", "server"):
            return b""
        carriers = self._outputs.carriers(event.seals, self._count)
        return b"".join(map(self._told_whole, carriers)) + self._begin(event)

    def _begin(self, event: ItemOpened) -> bytes:
        if event.kind == "tool_call":
            type_ = self._outputs.type_of_call(event.name, event.namespace, event.call_kind)
        else:
            type_ = event.kind
        index = self._next()
        place = self._places[event.item] = Place(event, type_, self._outputs.item_id(type_, index), index)
        return self._added(index, self._outputs.body(place.item(), index, "in_progress"))

    def _next(self) -> int:
        self._count += 1
        return self._count - 1

    def _added(self, index: int, body: dict[str, Any]) -> bytes:
        return self._event("response.output_item.added", {"output_index": index, "item": body})

    def _done(self, index: int, body: dict[str, Any]) -> bytes:
        self._told[index] = body
        return self._event("response.output_item.done", {"output_index": index, "item": body})

    def _told_whole(self, body: dict[str, Any]) -> bytes:
        """An item that comes in one piece."""
        index = self._next()
        return self._added(index, body) + self._done(index, body)

    def _part_opened(self, event: PartOpened) -> bytes:
        message = self._messages.pop(event.item, None)
        told = b"" if message is None else self._begin(message)
        place, words = self._places[event.item], PARTS[event.kind]
        number = sum(1 for other in place.parts.values() if other.words.index == words.index)
        piece = Piece(words, {**place.members(), words.index: number}, event.kind)
        place.parts[event.part] = piece
        return told + self._event(f"response.{words.part}.added", {**piece.place, "part": self._outputs.part(piece.part())})

    def _cited(self, event: Cited) -> bytes:
        """A source, unless it is one of the whole text: then its end is not known yet, and those behind it wait with it."""
        piece = self._places[event.item].parts[event.part]
        if piece.late or citations.spans_all(event.annotation):
            piece.late.append(event.annotation)
            return b""
        return self._annotation(piece, event.annotation, 0)

    def _annotation(self, piece: Piece, annotation: Annotation, length: int) -> bytes:
        written = self._outputs.annotation(annotation, length)
        if written is None:
            return b""
        members = {**piece.place, "annotation_index": len(piece.annotations), "annotation": written}
        piece.annotations.append(written)
        return self._event("response.output_text.annotation.added", members)

    def _part_closed(self, event: PartClosed) -> bytes:
        piece = self._places[event.item].parts[event.part]
        words, text = piece.words, event.text
        piece.pieces = [text]
        cited = b"".join(self._annotation(piece, each, len(text)) for each in piece.late)
        done: dict[str, Any] = {**piece.place, words.whole: text}
        if piece.kind == "text":
            done["logprobs"] = probabilities.write(tuple(piece.tokens), whole=False)
        part = self._outputs.part(piece.part())
        if piece.annotations:
            part["annotations"] = piece.annotations
        told = cited + self._event(f"response.{words.text}.done", done)
        return told + self._event(f"response.{words.part}.done", {**piece.place, "part": part})

    def _item_closed(self, event: ItemClosed) -> bytes:
        whole = event.whole
        if isinstance(whole, ServerCall | ServerResult | OpaqueItem):
            return self._whole(whole)
        told = b""
        message = self._messages.pop(event.item, None)
        if message is not None:
            if isinstance(whole, Message) and is_shown(whole):
                return b"".join(map(self._told_whole, self._outputs.pictures(whole, self._count)))
            told = self._begin(message)
        self._refused = self._refused or is_refusal(whole)
        return told + self._close(self._places.pop(event.item), whole)

    def _close(self, place: Place, whole: Message | Reasoning | ToolCall) -> bytes:
        body = self._outputs.body(whole, place.index, status_of(whole))
        told = b""
        words = ARGUMENTS.get(place.type)
        if words is not None:
            told = self._event(f"response.{words.text}.done", {**place.members(), words.whole: body[words.whole]})
        told += self._done(place.index, body)
        told += b"".join(map(self._told_whole, self._outputs.pictures(whole, self._count)))
        if isinstance(whole, ToolCall):
            carriers = self._outputs.carriers(whole.seals[len(place.opened.seals) :], self._count, late=True)
        else:
            carriers = self._outputs.carriers(custody.behind(whole), self._count)
        return told + b"".join(map(self._told_whole, carriers))

    # what other providers' own tools did

    def _whole(self, item: ServerCall | ServerResult | OpaqueItem) -> bytes:
        if isinstance(item, ServerResult) and item.call_id in self._searches:
            return self._found(*self._searches.pop(item.call_id), item)
        if isinstance(item, ServerCall) and item.dialect != DIALECT and servers.item_type(item) is not None:
            return self._searching(item)
        return b"".join(map(self._told_whole, self._outputs.carried(item)))

    def _searching(self, call: ServerCall) -> bytes:
        index = self._next()
        self._searches[call.call_id] = index, call
        body = self._outputs.server(call, None, index, "in_progress")
        told = self._added(index, body)
        for name, member in servers.STEPS[body["type"]]:
            members = {} if member is None else {member: body[member]}
            told += self._event(f"response.{name}", {"item_id": body["id"], "output_index": index, **members})
        return told

    def _found(self, index: int, call: ServerCall, result: ServerResult | None) -> bytes:
        body = self._outputs.server(call, result, index)
        name = servers.last_step(body["type"], body["status"])
        step = b"" if name is None else self._event(f"response.{name}", {"item_id": body["id"], "output_index": index})
        return step + self._done(index, body)

    # the end

    def _finished(self, event: Finished) -> bytes:
        told = b"".join(self._found(index, call, None) for index, call in self._searches.values())
        self._searches.clear()
        word = last_word(event.finish, refused=self._refused)
        if word is None:
            return told
        self._refused = True
        item = -1  # no event has that number
        (part,) = word.parts
        assert isinstance(part, Refusal), "nothing else is made up here"
        events: tuple[Event, ...] = (
            ItemOpened(item, "message"),
            PartOpened(item, 0, "refusal"),
            Delta(item, 0, "refusal", part.text),
            PartClosed(item, 0, part.text),
            ItemClosed(item, word),
        )
        return told + b"".join(map(self.encode, events))

    def _ended(self, event: Ended) -> bytes:
        assert self._body is not None, "the first event starts the response"
        body = self._body
        body["output"] = self._output()
        finish(body, event.response, refused=self._refused, context=self._context)
        return self._event(f"response.{body['status']}", {"response": body})

    def _output(self) -> list[dict[str, Any]]:
        return [self._told[index] for index in sorted(self._told)]

    def _pinged(self, event: Pinged) -> bytes:
        return b": keep-alive\n\n"


_WRITERS: dict[type[Event], Callable[[ResponsesEncoder, Any], bytes]] = {
    Started: ResponsesEncoder._started,
    ItemOpened: ResponsesEncoder._item_opened,
    PartOpened: ResponsesEncoder._part_opened,
    Cited: ResponsesEncoder._cited,
    PartClosed: ResponsesEncoder._part_closed,
    ItemClosed: ResponsesEncoder._item_closed,
    Finished: ResponsesEncoder._finished,
    Ended: ResponsesEncoder._ended,
    Pinged: ResponsesEncoder._pinged,
}


def encoder(context: Context) -> ResponsesEncoder:
    """The encoder of an exchange. This dialect streams in one framing only."""
    return ResponsesEncoder(context)
