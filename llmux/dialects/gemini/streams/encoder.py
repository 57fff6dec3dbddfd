"""Writes a generateContent stream: every record a whole response of its own, of which clients join the parts."""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.context import Context
from llmux.dialects.events import (
    Delta,
    Ended,
    Event,
    ItemClosed,
    ItemOpened,
    Metered,
    PartClosed,
    PartOpened,
    Sealed,
    Started,
)
from llmux.dialects.gemini import logprobs, reasons, usage
from llmux.dialects.gemini.errors import error_object
from llmux.dialects.gemini.responses.parts import Malformed, Part, medium, parts, sealed
from llmux.dialects.gemini.responses.writing import ending, envelope
from llmux.dialects.neutral import Media, Message, Reasoning, Response, Seal, TokenProbability, Usage
from llmux.errors import Fault

_THOUGHTS = ("summary", "full")


class _Item:
    """An item on its way. `held` is what it has to say while another is told, `seals` are those of a message's open text."""

    __slots__ = ("choice", "closed", "held", "message", "seals")

    def __init__(self, choice: int, message: bool) -> None:
        self.choice = choice
        self.message = message
        self.held: list[tuple[Part, tuple[TokenProbability, ...]]] = []
        self.seals: list[Seal] = []
        self.closed = False


class Encoder:
    """A stream, see `llmux.dialects.events.Encoder`.

    `framed` writes server-sent events, as `alt=sse` asks for; else the records are the members of one JSON array. Parts are
    appended, so of each candidate one item is told at a time, in their order; a call when it is whole. The API has no terminator:
    the finish reason and the usage on the last record are it.
    """

    __slots__ = (
        "_begun",
        "_context",
        "_envelope",
        "_framed",
        "_head",
        "_items",
        "_live",
        "_malformed",
        "_queues",
        "_tail",
        "_thought_tail",
        "_usage",
        "content_type",
    )

    def __init__(self, context: Context) -> None:
        self._context = context
        self._framed = context.framed
        self.content_type = b"text/event-stream" if context.framed else b"application/json"
        self._begun = False
        self._envelope: dict[str, Any] = {}
        self._usage: Usage | None = None
        self._items: dict[int, _Item] = {}
        self._queues: dict[int, list[int]] = {}
        self._malformed: dict[int, str] = {}
        # The item whose text is told as it arrives, and what stands around each piece of it.
        self._live = -1
        self._head = b'data: {"candidates":[{"content":{"role":"model","parts":[{"text":'
        self._tail = self._thought_tail = b""

    def encode(self, event: Event) -> bytes:
        """The record of an event."""
        if type(event) is Delta:
            kind, text = event.kind, event.text
            if kind == "args" or (not text and not event.logprobs):
                return b""
            thought = kind in _THOUGHTS
            if event.item == self._live and not event.logprobs:
                return b"%b%b%b" % (self._head, jsonio.dumps(text), self._thought_tail if thought else self._tail)
            return self._say(event.item, {"text": text, "thought": True} if thought else {"text": text}, event.logprobs)
        match event:
            case PartOpened(item, part, kind) if part and kind in _THOUGHTS:
                return self._say(item, {"text": "\n\n", "thought": True})
            case PartClosed(item):
                return self._sealed_text(item)
            case Sealed(item, seal):
                if self._items[item].message:  # other items are sealed as a whole
                    self._items[item].seals.append(seal)
            case ItemOpened(item):
                self._open(item, event)
            case ItemClosed(item):
                return self._close(item, event)
            case Started():
                self._start(event)
            case Metered(tokens):
                self._usage = tokens
            case Ended(response):
                return self._end(response)
        return b""  # a ping too: Google's own SDK takes a comment for a record that it cannot read

    def error(self, fault: Fault) -> bytes:
        """An error record."""
        record = self._frame({"error": error_object(fault)[1]})
        return record if self._framed else record + b"]"

    def _start(self, event: Started) -> None:
        self._envelope, self._usage = envelope(event.id, event.model), event.usage
        after = b']},"index":0}],%b\n\n' % jsonio.dumps(self._envelope)[1:]
        self._tail, self._thought_tail = b"}" + after, b',"thought":true}' + after

    def _open(self, item: int, event: ItemOpened) -> None:
        self._items[item] = _Item(event.choice, event.kind == "message")
        queue = self._queues.setdefault(event.choice, [])
        queue.append(item)
        if len(queue) == 1:
            self._enliven(item, event.choice)

    def _enliven(self, item: int, choice: int) -> None:
        """The item is the one that is told."""
        if self._framed and choice == 0:
            self._live = item

    def _say(self, item: int, part: Part, tokens: tuple[TokenProbability, ...] = ()) -> bytes:
        """One more part, now or when the items before it are whole."""
        entry = self._items[item]
        if self._queues[entry.choice][0] != item:
            entry.held.append((part, tokens))
            return b""
        return self._record(entry.choice, part, tokens)

    def _sealed_text(self, item: int) -> bytes:
        """The seals of a text come behind it."""
        entry = self._items[item]
        if not entry.seals:
            return b""
        seals, entry.seals = entry.seals, []
        return b"".join(self._say(item, part) for part in sealed(seals, "", self._context))

    def _close(self, item: int, event: ItemClosed) -> bytes:
        entry, whole = self._items[item], event.whole
        written: list[Part]
        match whole:
            case Message():
                written = [part for each in whole.parts if isinstance(each, Media) for part in medium(each, self._context)]
            case Reasoning(_, seals):
                thoughts = [*sealed(seals[:1], whole.text, self._context), *sealed(seals[1:], "", self._context)]
                written = [{**part, "thought": True} for part in thoughts]
            case _:
                try:
                    written = parts(whole, self._context)
                except Malformed as error:
                    self._malformed[entry.choice], written = str(error), []
        told = [self._say(item, part) for part in written]
        entry.closed = True
        queue = self._queues[entry.choice]
        if queue[0] == item:
            if self._live == item:
                self._live = -1
            told += self._next(queue, entry.choice)
        return b"".join(told)

    def _next(self, queue: list[int], choice: int) -> list[bytes]:
        """What waited for the first item: those that are whole by now, and the beginning of the one that is told next."""
        told: list[bytes] = []
        queue.pop(0)
        while queue:
            entry = self._items[queue[0]]
            told += [self._record(choice, part, tokens) for part, tokens in entry.held]
            entry.held = []
            if not entry.closed:
                self._enliven(queue[0], choice)
                break
            queue.pop(0)
        return told

    def _end(self, response: Response) -> bytes:
        counts = {} if self._usage is None else {"usageMetadata": usage.write(self._usage)}
        only = response.choices[0]
        record: dict[str, Any]
        if only.finish.reason == "blocked" and not only.items:
            record = {"promptFeedback": reasons.feedback(only.finish)}
        else:
            # An empty text keeps clients that print each record's text from printing a null.
            content = {"role": "model", "parts": [{"text": ""}]}
            candidates = [
                {"content": content, **ending(choice, self._malformed.get(index), self._context), "index": index}
                for index, choice in enumerate(response.choices)
            ]
            record = {"candidates": candidates}
        framed = self._frame({**record, **counts, **self._envelope})
        return framed if self._framed else framed + b"]"

    def _record(self, choice: int, part: Part, tokens: tuple[TokenProbability, ...] = ()) -> bytes:
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": [part]}, "index": choice}
        if tokens:
            candidate["logprobsResult"] = logprobs.write(tokens)
        return self._frame({"candidates": [candidate], **self._envelope})

    def _frame(self, record: dict[str, Any]) -> bytes:
        data = jsonio.dumps(record)
        if self._framed:
            return sse.event(data)
        first, self._begun = not self._begun, True
        return (b"[" if first else b"\n,") + data


def encoder(context: Context) -> Encoder:
    """The encoder of one answer."""
    return Encoder(context)
