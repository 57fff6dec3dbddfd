"""Writes a Messages stream: named events, blocks numbered from 0, one open at a time."""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.anthropic.errors import error_object
from llmux.dialects.anthropic.responses import STOP, envelope, usage
from llmux.dialects.neutral import (
    Delta,
    DeltaKind,
    Ended,
    Event,
    Finish,
    Finished,
    ItemClosed,
    ItemOpened,
    Metered,
    PartClosed,
    PartOpened,
    Pinged,
    Started,
    Usage,
)
from llmux.errors import Fault

# delta kind -> the delta's type, and the member that holds its text
_DELTAS: dict[DeltaKind, tuple[str, str]] = {
    "text": ("text_delta", "text"),
    "refusal": ("text_delta", "text"),
    "summary": ("thinking_delta", "thinking"),
    "full": ("thinking_delta", "thinking"),
    "args": ("input_json_delta", "partial_json"),
}

_OfItem = ItemOpened | PartOpened | Delta | PartClosed | ItemClosed


class Encoder:
    """A stream, see `llmux.dialects.neutral.Encoder`.

    Blocks cannot overlap here. The item at the front is told as it comes; items that open meanwhile wait, and are told
    in their order when it closes. Thinking is one block for each item, with the seal as its last delta; a text block
    opens with its first text, because an empty one is refused when the client sends it back.
    """

    content_type = b"text/event-stream"

    def __init__(self) -> None:
        self._front: int | None = None
        self._waiting: dict[int, list[_OfItem]] = {}
        self._index = -1
        self._open = False
        self._kind = ""
        self._seal = ""
        self._usage = Usage()
        self._finish = Finish("stop")

    def encode(self, event: Event) -> bytes:
        """The events of an event."""
        match event:
            case ItemOpened() | PartOpened() | Delta() | PartClosed() | ItemClosed():
                return self._in_turn(event)
            case Started(id, model, _, tokens):
                self._usage = tokens or self._usage
                return self._event("message_start", {"message": envelope(id, model, tokens)})
            case Metered(tokens):
                self._usage = tokens
            case Finished(finish):
                self._finish = finish
            case Ended():
                return self._end()
            case Pinged():
                return self._event("ping", {})
        return b""

    def error(self, fault: Fault) -> bytes:
        """An `error` event; no block is closed and no `message_stop` follows."""
        return self._event("error", {"error": error_object(fault)[1]})

    def _event(self, name: str, members: dict[str, Any]) -> bytes:
        return sse.event(jsonio.dumps({"type": name, **members}), name.encode())

    def _end(self) -> bytes:
        delta = {"stop_reason": STOP[self._finish.reason], "stop_sequence": self._finish.stop_sequence}
        tokens = {name: value for name, value in usage(self._usage).items() if name != "service_tier"}
        return self._event("message_delta", {"delta": delta, "usage": tokens}) + self._event("message_stop", {})

    def _in_turn(self, event: _OfItem) -> bytes:
        if self._front is None:
            self._front = event.item
        if event.item != self._front:
            self._waiting.setdefault(event.item, []).append(event)
            return b""
        said = self._tell(event)
        if isinstance(event, ItemClosed):
            self._front = next(iter(self._waiting), None)
            held = [] if self._front is None else self._waiting.pop(self._front)
            return said + b"".join(map(self._in_turn, held))
        return said

    def _tell(self, event: _OfItem) -> bytes:
        match event:
            case Delta(_, _, "seal", text):
                self._seal += text
            case Delta(_, _, kind, text) if text:
                type_, member = _DELTAS[kind]
                start = b"" if self._open else self._start({"type": "text", "text": ""})
                return start + self._delta({"type": type_, member: text})
            case ItemOpened(_, "reasoning"):
                self._kind, self._seal = "reasoning", ""
                return self._start({"type": "thinking", "thinking": "", "signature": ""})
            case ItemOpened(_, "tool_call", _, call_id, name):
                self._kind = "tool_call"
                return self._start({"type": "tool_use", "id": call_id, "name": name, "input": {}})
            case ItemOpened():
                self._kind = "message"
            case PartOpened(_, part) if part and self._kind == "reasoning":
                return self._delta({"type": "thinking_delta", "thinking": "\n\n"})
            case PartClosed() if self._kind == "message":
                return self._stop()
            case ItemClosed():
                signature = b""
                if self._kind == "reasoning":
                    signature = self._delta({"type": "signature_delta", "signature": self._seal})
                return signature + self._stop()
        return b""

    def _start(self, block: dict[str, Any]) -> bytes:
        self._index += 1
        self._open = True
        return self._event("content_block_start", {"index": self._index, "content_block": block})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return self._event("content_block_delta", {"index": self._index, "delta": delta})

    def _stop(self) -> bytes:
        if not self._open:
            return b""
        self._open = False
        return self._event("content_block_stop", {"index": self._index})


def encoder(asked: dict[str, Any], framed: bool = True) -> Encoder:
    """The encoder for a request's body. This dialect streams in one framing only."""
    return Encoder()
