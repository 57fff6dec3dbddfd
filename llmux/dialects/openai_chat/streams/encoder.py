"""Writes a Chat Completions stream: chunks in `data:` records, then `[DONE]`."""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.context import Context
from llmux.dialects.events import (
    Cited,
    Delta,
    DeltaKind,
    Ended,
    Event,
    Finished,
    ItemClosed,
    ItemOpened,
    Metered,
    PartClosed,
    PartOpened,
    Pinged,
    Sealed,
    Started,
)
from llmux.dialects.neutral import (
    Annotation,
    Media,
    OpaqueItem,
    OutputItem,
    Reasoning,
    Seal,
    ServerCall,
    ServerResult,
    ToolCall,
    Usage,
)
from llmux.dialects.openai_chat import citations, custody, probabilities, reasons, usage
from llmux.dialects.openai_chat.errors import error_object
from llmux.dialects.openai_chat.requests.offers import is_legacy
from llmux.dialects.openai_chat.responses.writing import MESSAGE, envelope, note_surplus, note_unsaid
from llmux.errors import Fault

# Where a delta's text goes. `reasoning_content` is no part of the API, and what every client that shows reasoning reads.
_MEMBERS: dict[DeltaKind, str] = {
    "text": "content",
    "refusal": "refusal",
    "summary": "reasoning_content",
    "full": "reasoning_content",
}


class _Choice:
    """One choice on its way. `lines` are the bytes around a delta's text, by its kind."""

    __slots__ = ("blocks", "calls", "citations", "head", "length", "lines", "refused", "tail", "thought")

    def __init__(self, index: int, head: bytes, tail: bytes) -> None:
        self.head = b'%b,"choices":[{"index":%d,"delta":' % (head, index)
        self.tail = b',"finish_reason":null}%b' % tail
        self.lines = {kind: (b'%b{"%b":' % (self.head, member.encode()), b"}" + self.tail) for kind, member in _MEMBERS.items()}
        self.calls = 0
        self.length = 0  # of the content
        self.thought = False
        self.refused = False
        self.citations: list[dict[str, Any]] = []
        self.blocks: list[dict[str, Any]] = []

    def chunk(self, delta: dict[str, Any]) -> bytes:
        """A chunk that says something."""
        return b"%b%b%b" % (self.head, jsonio.dumps(delta), self.tail)


class _Item:
    """An item that is open."""

    __slots__ = ("argued", "choice", "cited", "index", "kind", "lines", "opened", "seals", "silent")

    def __init__(self, opened: ItemOpened, choice: _Choice) -> None:
        self.opened = opened
        self.choice = choice
        self.kind = opened.kind
        self.lines = choice.lines
        self.index = 0  # of a call
        self.argued = False
        self.silent = False  # a call that the client has no place for
        self.cited: list[Annotation] = []
        self.seals: list[Seal] = []


class ChatEncoder:
    """A stream, see `llmux.dialects.events.Encoder`.

    Clients concatenate what repeats, so the role, and a call's id and name, are said once. Lists come once too: citations and
    sealed thinking before the reason of the end. Calls are counted from 0 without gaps. The usage chunk comes only if it was
    asked for, and last; every other chunk then says `usage: null`.
    """

    content_type = b"text/event-stream"

    def __init__(self, context: Context) -> None:
        options = context.asked.get("stream_options")
        self._context = context
        self._include_usage = isinstance(options, dict) and options.get("include_usage") is True
        self._legacy = is_legacy(context.asked)
        self._envelope: dict[str, Any] = {}
        self._head = self._tail = b""
        self._choices: list[_Choice] = []
        self._items: dict[int, _Item] = {}
        self._usage: Usage | None = None
        self._broken = False

    def encode(self, event: Event) -> bytes:
        """The chunk of an event."""
        if type(event) is Delta:
            # the hot path: one more piece of a text
            item = self._items[event.item]
            if event.kind != "args" and not event.logprobs and event.text:
                head, tail = item.lines[event.kind]
                if event.kind == "text":
                    item.choice.length += len(event.text)
                return b"%b%b%b" % (head, jsonio.dumps(event.text), tail)
            return self._delta(item, event)
        match event:
            case ItemOpened():
                return self._open(event)
            case PartOpened(number, _, "summary" | "full"):
                return self._paragraph(self._items[number].choice)
            case PartOpened(number, _, "refusal"):
                self._items[number].choice.refused = True
            case Cited(number, _, annotation):
                self._items[number].cited.append(annotation)
            case Sealed(number, seal):
                self._items[number].seals.append(seal)
            case PartClosed(number, _, text):
                self._close_part(self._items[number], text)
            case ItemClosed(number, whole):
                return self._close(self._items.pop(number), whole)
            case Started():
                return self._start(event)
            case Metered(tokens):
                self._usage = tokens
            case Finished():
                return self._finish(event)
            case Ended():
                return self._end()
            case Pinged():
                return b": ping\n\n"
        return b""

    def error(self, fault: Fault) -> bytes:
        """An error record; no `[DONE]` follows, which would make the stream look whole."""
        self._broken = True
        return sse.event(jsonio.dumps({"error": error_object(fault)[1]}))

    # the stream

    def _start(self, event: Started) -> bytes:
        self._usage = event.usage
        self._envelope = envelope("chat.completion.chunk", event.id, event.created, event.model, event.tier, event.fingerprint)
        # Every chunk repeats this, so it is written once.
        self._head = b"data: %b" % jsonio.dumps(self._envelope)[:-1]
        self._tail = b'],"usage":null}\n\n' if self._include_usage else b"]}\n\n"
        return self._begin(0)

    def _begin(self, index: int) -> bytes:
        """The first chunk of a choice, and of those before it: clients expect them in their order."""
        said = b""
        while len(self._choices) <= index:
            choice = _Choice(len(self._choices), self._head, self._tail)
            self._choices.append(choice)
            said += choice.chunk({"role": "assistant", "content": ""})
        return said

    def _finish(self, event: Finished) -> bytes:
        begun = self._begin(event.choice)
        choice = self._choices[event.choice]
        last: dict[str, Any] = {}
        explained = "" if choice.refused else reasons.refusal(event.finish)
        if explained:
            last["refusal"] = explained
        refused = choice.refused or bool(explained)
        reason = reasons.write(event.finish, self._context, refused=refused, legacy=self._legacy and choice.calls > 0)
        if choice.citations:
            last["annotations"] = choice.citations
        if choice.blocks:
            last["thinking_blocks"] = choice.blocks
        said = choice.chunk(last) if last else b""
        matched = b""
        if event.finish.stop_sequence is not None:
            matched = b',"matched_stop":%b' % jsonio.dumps(event.finish.stop_sequence)
        return b'%b%b%b{},"finish_reason":"%b"%b}%b' % (begun, said, choice.head, reason.encode(), matched, self._tail)

    def _end(self) -> bytes:
        if self._broken:
            return b""
        done = sse.event(b"[DONE]")
        if not self._include_usage or self._usage is None:
            return done
        return sse.event(jsonio.dumps({**self._envelope, "choices": [], "usage": usage.write(self._usage)})) + done

    # items

    def _open(self, event: ItemOpened) -> bytes:
        begun = self._begin(event.choice)
        choice = self._choices[event.choice]
        item = self._items[event.item] = _Item(event, choice)
        if event.kind != "tool_call":
            return begun
        item.index = choice.calls
        choice.calls += 1
        if self._legacy:
            item.silent = item.index > 0
            note_surplus(range(item.index), self._context)
            item.lines = {"args": (b'%b{"function_call":{"arguments":' % choice.head, b"}}" + choice.tail)}
            return begun if item.silent else begun + choice.chunk({"function_call": {"name": event.name, "arguments": ""}})
        kind, member = event.call_kind, "input" if event.call_kind == "custom" else "arguments"
        head = b'%b{"tool_calls":[{"index":%d,"%b":{"%b":' % (choice.head, item.index, kind.encode(), member.encode())
        item.lines = {"args": (head, b"}}]}" + choice.tail)}
        call = {"index": item.index, "id": event.call_id, "type": kind, kind: {"name": event.name, member: ""}}
        return begun + choice.chunk({"tool_calls": [call]})

    def _delta(self, item: _Item, event: Delta) -> bytes:
        choice, text = item.choice, event.text
        if event.kind == "args":
            if not text or item.silent:
                return b""
            item.argued = True
            head, tail = item.lines["args"]
            return b"%b%b%b" % (head, jsonio.dumps(text), tail)
        if not event.logprobs:
            return b""
        if event.kind == "text":
            choice.length += len(text)
        told = jsonio.dumps({"content": probabilities.write(event.logprobs), "refusal": None})
        delta = jsonio.dumps({_MEMBERS[event.kind]: text})
        return b'%b%b,"logprobs":%b%b' % (choice.head, delta, told, choice.tail)

    def _paragraph(self, choice: _Choice) -> bytes:
        """Reasoning is one text here; what were separate units stay apart."""
        first, choice.thought = not choice.thought, True
        return b"" if first else choice.chunk({"reasoning_content": "\n\n"})

    def _close_part(self, item: _Item, text: str) -> None:
        if item.kind != "message":
            return
        choice = item.choice
        if item.cited:
            # They are told of the text that was just said, which ends where the content ends by now.
            offset = choice.length - len(text)
            choice.citations += citations.write(tuple(item.cited), text, offset, self._context)
            item.cited = []
        choice.blocks += (custody.hidden(seal, self._context) for seal in item.seals)
        item.seals = []

    def _close(self, item: _Item, whole: OutputItem) -> bytes:
        choice = item.choice
        if isinstance(whole, Reasoning):
            choice.blocks += custody.blocks(whole, self._context)
        elif isinstance(whole, ToolCall):
            return self._close_call(item, whole)
        elif isinstance(whole, ServerCall | ServerResult | OpaqueItem):
            note_unsaid(whole, self._context)
        elif any(isinstance(part, Media) for part in whole.parts):
            self._context.notes.drop(MESSAGE, "the model answers in text")
        return b""

    def _close_call(self, item: _Item, whole: ToolCall) -> bytes:
        """What a call still owes: arguments, which must be JSON, and its seal."""
        if item.silent:
            return b""
        kind = item.opened.call_kind
        owed = "{}" if kind == "function" and not (item.argued or whole.cut) else ""
        if whole.seals and not self._legacy:
            # Readers want the function in every fragment.
            body = {"input" if kind == "custom" else "arguments": owed}
            sealed = {"index": item.index, kind: body, "extra_content": custody.extra(whole.seals[-1], self._context)}
            return item.choice.chunk({"tool_calls": [sealed]})
        if not owed:
            return b""
        head, tail = item.lines["args"]
        return b"%b%b%b" % (head, jsonio.dumps(owed), tail)


def encoder(context: Context) -> ChatEncoder:
    """The encoder of one answer. This dialect streams in one framing only."""
    return ChatEncoder(context)
