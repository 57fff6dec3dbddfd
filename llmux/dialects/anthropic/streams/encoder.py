"""Writes a Messages stream: named events, blocks numbered from 0, one open at a time."""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.anthropic import citations, custody, reasons, usage
from llmux.dialects.anthropic.errors import error_object
from llmux.dialects.anthropic.responses.blocks import arguments
from llmux.dialects.anthropic.responses.writing import envelope
from llmux.dialects.anthropic.servers import Pages
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
    Finish,
    Message,
    OutputItem,
    Reasoning,
    Refusal,
    Seal,
    ServerCall,
    ServerResult,
    Text,
    ToolCall,
    Usage,
)
from llmux.dialects.tools import wrap_input
from llmux.errors import Fault

# delta kind -> the delta's type, and the member that holds its text
_DELTAS: dict[DeltaKind, tuple[str, str]] = {
    "text": ("text_delta", "text"),
    "refusal": ("text_delta", "text"),
    "summary": ("thinking_delta", "thinking"),
    "full": ("thinking_delta", "thinking"),
    "args": ("input_json_delta", "partial_json"),
}
_TAIL = b"}}\n\n"

_OfItem = ItemOpened | PartOpened | Delta | Cited | Sealed | PartClosed | ItemClosed


class MessagesEncoder:
    """A stream, see `llmux.dialects.events.Encoder`.

    Blocks cannot overlap here. The item at the front is told as it comes; items that open meanwhile wait, and are told
    in their order when it closes. Thinking is one block for each item, with the seal as its last delta; a block opens with
    the first that it holds, because an empty text is refused when the client sends it back. Only that of a call opens with its
    item: the seals that are known by then go before it, and those that come later behind it.
    """

    content_type = b"text/event-stream"

    def __init__(self, context: Context) -> None:
        self._context = context
        self._front = -1
        self._opened: ItemOpened | None = None
        self._waiting: dict[int, list[_OfItem]] = {}
        self._others: set[int] = set()  # items of choices that nobody can hear here
        self._index = -1
        self._open = False
        self._flows = False  # whether pieces may go into the open block as they are
        self._head = b""  # of a delta of the open block, up to its text
        self._blank = ""  # how the arguments of a call begin, while nothing but white space has come
        self._nested = False
        self._seals: list[Seal] = []  # that go behind what is told
        self._pages = Pages()
        self._usage: Usage | None = None
        self._finish = Finish("stop")

    def encode(self, event: Event) -> bytes:
        """The events of an event."""
        if type(event) is Delta:
            # the hot path: one more piece of what the front item is saying
            if event.item == self._front and self._flows and event.text:
                return b"%b%b%b" % (self._head, jsonio.dumps(event.text), _TAIL)
            return self._in_turn(event)
        match event:
            case ItemOpened() | PartOpened() | Cited() | Sealed() | PartClosed() | ItemClosed():
                return self._in_turn(event)
            case Started(id, model, _, tokens, tier):
                self._usage = tokens
                return _event("message_start", {"message": envelope(id, model, tokens, tier)})
            case Metered(tokens):
                self._usage = tokens
            case Finished(finish, 0):
                self._finish = finish
            case Ended():
                return self._end()
            case Pinged():
                return _event("ping", {})
        return b""

    def error(self, fault: Fault) -> bytes:
        """An `error` event; no block is closed and no `message_stop` follows."""
        return _event("error", {"error": error_object(fault)[1]})

    def _end(self) -> bytes:
        if self._usage is None:
            self._context.notes.invent("/usage", "nobody counted the tokens, and there must be numbers")
        delta = reasons.write(self._finish, self._context)
        owed = b"".join(map(self._whole, self._pages.due()))
        counts = usage.final(self._usage or Usage())
        return owed + _event("message_delta", {"delta": delta, "usage": counts}) + _event("message_stop", {})

    # whose turn it is

    def _in_turn(self, event: _OfItem) -> bytes:
        if type(event) is ItemOpened and event.choice:
            self._others.add(event.item)
        if event.item in self._others:
            return b""
        if self._front < 0:
            self._front = event.item
        if event.item != self._front:
            self._waiting.setdefault(event.item, []).append(event)
            return b""
        said = self._tell(event)
        if type(event) is not ItemClosed:
            return said
        self._front = next(iter(self._waiting), -1)
        held = self._waiting.pop(self._front, [])
        return said + b"".join(map(self._in_turn, held))

    def _tell(self, event: _OfItem) -> bytes:
        match event:
            case Delta(_, _, kind, text) if text:
                return self._say(kind, text)
            case ItemOpened(_, kind):
                self._opened, self._seals = event, []
                if kind == "server":
                    return b""
                owed = b"".join(map(self._whole, self._pages.due()))
                return owed + self._call(event) if kind == "tool_call" else owed
            case PartOpened(_, part, kind) if part and kind in ("summary", "full"):
                return self._say(kind, "\n\n")  # thinking is one text, its segments a paragraph apart
            case Cited(_, _, annotation):
                citation = citations.write(annotation, self._context)
                if citation is None:
                    return b""
                start = b"" if self._open else self._start({"type": "text", "text": ""}, "text")
                members = {"index": self._index, "delta": {"type": "citations_delta", "citation": citation}}
                return start + _event("content_block_delta", members)
            case Sealed(_, seal):
                self._seals.append(seal)
            case PartClosed() if self._opened is not None and self._opened.kind == "message":
                return self._stop() + self._behind()
            case ItemClosed(_, whole):
                return self._close(whole)
        return b""

    def _say(self, kind: DeltaKind, text: str) -> bytes:
        """A piece of a block, which may be its first."""
        start = b""
        if self._flows:
            pass
        elif kind == "args":
            text = self._begun(text)
            if not text:
                return b""
        elif kind in ("summary", "full"):
            start = self._start({"type": "thinking", "thinking": "", "signature": ""}, kind)
        else:
            start = self._start({"type": "text", "text": ""}, kind)
        return b"%b%b%b%b" % (start, self._head, jsonio.dumps(text), _TAIL)

    def _close(self, whole: OutputItem) -> bytes:
        """The end of an item: what it still owes."""
        opened = self._opened
        assert opened is not None, "an item closes after it opened"
        if opened.kind == "reasoning":
            assert isinstance(whole, Reasoning), "an item keeps its kind"
            if not self._open:
                return b"".join(self._whole(block) for block in custody.thinking(whole, self._context))
            signature = self._context.seal_out(whole.seals[0], "anthropic", whole.text) if whole.seals else ""
            signed = self._delta("signature_delta", "signature", signature) + self._stop()
            return signed + b"".join(self._whole(custody.hidden(seal, self._context)) for seal in whole.seals[1:])
        if opened.kind == "tool_call":
            assert isinstance(whole, ToolCall), "an item keeps its kind"
            end = self._arguments_end(whole)
            self._nested, self._blank = False, ""
            return end + self._stop() + self._behind()
        if isinstance(whole, ServerCall | ServerResult):
            blocks = self._pages.write(whole)
            if blocks is not None:
                return b"".join(map(self._whole, blocks))
        if isinstance(whole, Message):
            if any(not isinstance(part, Text | Refusal) for part in whole.parts):
                self._context.notes.drop("/content", "the model answers in text")
        elif opened.kind == "server":
            self._context.notes.drop(whole.at or "/content", "the provider's own item has no counterpart")
        return self._stop()

    # blocks

    def _call(self, opened: ItemOpened) -> bytes:
        """The start of a call, behind its seals. How its arguments begin decides whether they flow."""
        seals = b"".join(self._whole(custody.block(seal, self._context, "ahead")) for seal in opened.seals)
        start = self._start({"type": "tool_use", "id": opened.call_id, "name": opened.name, "input": {}}, "args")
        self._flows = False
        return seals + start

    def _arguments_end(self, call: ToolCall) -> bytes:
        """What a call's arguments still owe. Raises Fault where no client could read them."""
        if call.kind == "custom":
            wrapped = wrap_input(call.args_text)
            # what broke off must not look whole
            return self._delta("input_json_delta", "partial_json", wrapped.removesuffix('"}') if call.cut else wrapped)
        if call.args_text.strip() and not call.cut:
            arguments(call)
        if not self._nested:
            return b""
        self._context.notes.approximate("/content", "arguments must be an object")
        return self._delta("input_json_delta", "partial_json", "}")

    def _begun(self, text: str) -> str:
        """How a call's arguments begin. The input has to be an object; anything else goes into one. Raw input comes whole."""
        if self._opened is not None and self._opened.call_kind == "custom":
            return ""
        text, self._blank = self._blank + text, ""
        if text.isspace():
            self._blank = text  # which says nothing of what follows
            return ""
        self._flows = True
        self._nested = not text.lstrip().startswith("{")
        return f'{{"value":{text}' if self._nested else text

    def _behind(self) -> bytes:
        """Seals that came when what they seal was told already."""
        seals, self._seals = self._seals, []
        return b"".join(self._whole(custody.block(seal, self._context, "behind")) for seal in seals)

    def _whole(self, block: dict[str, Any]) -> bytes:
        """A block that comes in one piece."""
        match block["type"]:
            case "thinking":
                start = self._start({**block, "thinking": "", "signature": ""}, "summary")
                said = self._delta("thinking_delta", "thinking", block["thinking"]) if block["thinking"] else b""
                said += self._delta("signature_delta", "signature", block["signature"])
            case "server_tool_use" | "mcp_tool_use":
                start = self._start({**block, "input": {}}, "args")
                said = self._delta("input_json_delta", "partial_json", jsonio.dumps(block["input"]).decode())
            case _:
                start, said = self._start(block, "text"), b""
        return start + said + self._stop()

    def _start(self, block: dict[str, Any], kind: DeltaKind) -> bytes:
        self._index += 1
        self._open = self._flows = True
        type_, member = _DELTAS[kind]
        self._head = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%b","%b":' % (
            self._index,
            type_.encode(),
            member.encode(),
        )
        return _event("content_block_start", {"index": self._index, "content_block": block})

    def _delta(self, type_: str, member: str, text: str) -> bytes:
        return _event("content_block_delta", {"index": self._index, "delta": {"type": type_, member: text}})

    def _stop(self) -> bytes:
        if not self._open:
            return b""
        self._open = self._flows = False
        return _event("content_block_stop", {"index": self._index})


def _event(name: str, members: dict[str, Any]) -> bytes:
    return sse.event(jsonio.dumps({"type": name, **members}), name.encode())


def encoder(context: Context) -> MessagesEncoder:
    """The encoder of one answer. This dialect streams in one framing only."""
    return MessagesEncoder(context)
