"""Writes a Chat Completions stream: chunks in `data:` records, then `[DONE]`."""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.neutral import (
    Delta,
    DeltaKind,
    Ended,
    Event,
    Finished,
    ItemClosed,
    ItemOpened,
    Metered,
    PartOpened,
    Pinged,
    Started,
    Usage,
)
from llmux.dialects.openai_chat.errors import error_object
from llmux.dialects.openai_chat.responses import FINISH, usage
from llmux.errors import Fault

# Where a delta's text goes. `reasoning_content` is no part of the API, and what every client that shows reasoning reads.
_MEMBERS: dict[DeltaKind, str] = {
    "text": "content",
    "refusal": "refusal",
    "summary": "reasoning_content",
    "full": "reasoning_content",
}


class Encoder:
    """A stream of one choice, see `llmux.dialects.neutral.Encoder`.

    Clients concatenate what repeats, so the role, and a call's id and name, are said once. Calls are counted from 0
    without gaps. The usage chunk comes only if it was asked for, and last; every other chunk then says `usage: null`.
    """

    content_type = b"text/event-stream"

    def __init__(self, include_usage: bool) -> None:
        self._include_usage = include_usage
        self._envelope: dict[str, Any] = {}
        self._head = self._tail = b""
        self._usage: Usage | None = None
        self._calls: dict[int, int] = {}
        self._unargued: set[int] = set()
        self._thought = False

    def encode(self, event: Event) -> bytes:
        """The chunk of an event."""
        match event:
            case Delta(item, _, kind, text):
                return self._delta(item, kind, text)
            case Started():
                return self._start(event)
            case ItemOpened(item, "tool_call", _, call_id, name):
                self._calls[item] = len(self._calls)
                self._unargued.add(item)
                return self._call(item, {"id": call_id, "type": "function", "function": {"name": name, "arguments": ""}})
            case PartOpened(_, _, "summary" | "full"):
                return self._paragraph()
            case ItemClosed(item) if item in self._unargued:
                return self._call(item, {"function": {"arguments": "{}"}})
            case Metered(tokens):
                self._usage = tokens
            case Finished(finish):
                return self._chunk({}, FINISH[finish.reason])
            case Ended():
                return self._end()
            case Pinged():
                return b": ping\n\n"
        return b""

    def error(self, fault: Fault) -> bytes:
        """An error record; no `[DONE]` follows, which would make the stream look whole."""
        return sse.event(jsonio.dumps({"error": error_object(fault)[1]}))

    def _start(self, event: Started) -> bytes:
        self._usage = event.usage
        self._envelope = {
            "id": f"chatcmpl-{event.id}",
            "object": "chat.completion.chunk",
            "created": event.created,
            "model": event.model,
        }
        # Every chunk repeats this, so it is written once.
        self._head = b'data: %b,"choices":[{"index":0,"delta":' % jsonio.dumps(self._envelope)[:-1]
        self._tail = b'],"usage":null}\n\n' if self._include_usage else b"]}\n\n"
        return self._chunk({"role": "assistant", "content": ""})

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        return b'%b%b,"finish_reason":%b}%b' % (self._head, jsonio.dumps(delta), jsonio.dumps(finish), self._tail)

    def _delta(self, item: int, kind: DeltaKind, text: str) -> bytes:
        if not text:
            return b""
        if kind == "args":
            self._unargued.discard(item)
            return self._call(item, {"function": {"arguments": text}})
        if kind in _MEMBERS:
            return self._chunk({_MEMBERS[kind]: text})
        return b""  # a seal has no place in this API

    def _call(self, item: int, members: dict[str, Any]) -> bytes:
        return self._chunk({"tool_calls": [{"index": self._calls[item], **members}]})

    def _paragraph(self) -> bytes:
        """Reasoning is one text here; what were separate units stay apart."""
        first, self._thought = not self._thought, True
        return b"" if first else self._chunk({"reasoning_content": "\n\n"})

    def _end(self) -> bytes:
        done = sse.event(b"[DONE]")
        if not self._include_usage or self._usage is None:
            return done
        return sse.event(jsonio.dumps({**self._envelope, "choices": [], "usage": usage(self._usage)})) + done


def encoder(asked: dict[str, Any], framed: bool = True) -> Encoder:
    """The encoder for a request's body. This dialect streams in one framing only."""
    options = asked.get("stream_options")
    return Encoder(isinstance(options, dict) and options.get("include_usage") is True)
