"""Writes a generateContent stream: every record a whole response of its own, of which clients join the parts."""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.gemini.errors import error_object
from llmux.dialects.gemini.responses import FINISH, MALFORMED, envelope, function_call, usage
from llmux.dialects.neutral import (
    Delta,
    DeltaKind,
    Ended,
    Event,
    Finished,
    ItemClosed,
    Metered,
    Pinged,
    Started,
    ToolCall,
    Usage,
)
from llmux.errors import Fault

_THOUGHTS: tuple[DeltaKind, ...] = ("summary", "full")


class Encoder:
    """A stream, see `llmux.dialects.neutral.Encoder`.

    `framed` writes server-sent events, as `alt=sse` asks for; else the records are the members of one JSON array. A call
    is told whole, when it is whole. The API has no terminator: the finish reason and the usage on the last record are it.
    """

    def __init__(self, framed: bool) -> None:
        self.content_type = b"text/event-stream" if framed else b"application/json"
        self._framed = framed
        self._begun = False
        self._envelope: dict[str, Any] = {}
        self._usage: Usage | None = None
        self._finish = FINISH["stop"]
        self._message: str | None = None

    def encode(self, event: Event) -> bytes:
        """The record of an event."""
        match event:
            case Delta(_, _, "text" | "refusal", text) if text:
                return self._record([{"text": text}])
            case Delta(_, _, kind, text) if kind in _THOUGHTS and text:
                return self._record([{"text": text, "thought": True}])
            case ItemClosed(_, ToolCall() as call):
                return self._call(call)
            case Started(id, model, _, tokens):
                self._envelope, self._usage = envelope(id, model), tokens
            case Metered(tokens):
                self._usage = tokens
            case Finished(finish):
                self._finish = FINISH[finish.reason]
            case Ended():
                return self._end()
            case Pinged() if self._framed:
                return b": ping\n\n"
        return b""

    def error(self, fault: Fault) -> bytes:
        """An error record."""
        record = self._frame({"error": error_object(fault)[1]})
        return record if self._framed else record + b"]"

    def _call(self, call: ToolCall) -> bytes:
        try:
            return self._record([function_call(call)])
        except ValueError as error:
            self._message = str(error)
            return b""

    def _end(self) -> bytes:
        # An empty text keeps clients that print each record's text from printing a null.
        ending: dict[str, Any] = {"finishReason": self._finish}
        if self._message is not None:
            ending = {"finishReason": MALFORMED, "finishMessage": self._message}
        record = self._record([{"text": ""}], ending, {} if self._usage is None else {"usageMetadata": usage(self._usage)})
        return record if self._framed else record + b"]"

    def _record(
        self, parts: list[dict[str, Any]], ending: dict[str, Any] | None = None, counts: dict[str, Any] | None = None
    ) -> bytes:
        candidate = {"content": {"role": "model", "parts": parts}, **(ending or {}), "index": 0}
        return self._frame({"candidates": [candidate], **(counts or {}), **self._envelope})

    def _frame(self, record: dict[str, Any]) -> bytes:
        data = jsonio.dumps(record)
        if self._framed:
            return sse.event(data)
        first, self._begun = not self._begun, True
        return (b"[" if first else b"\n,") + data


def encoder(asked: dict[str, Any], framed: bool = True) -> Encoder:
    """The encoder for a request's body; `framed` tells whether the client asked for `alt=sse`."""
    return Encoder(framed)
