"""Tells what a provider says in this dialect: blocks that open, grow and close, and the message around them.

A stream and a whole message are told by the same steps; a whole block is one that opens with all that it has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from llmux import jsonio
from llmux.dialects import reading
from llmux.dialects.anthropic import citations, emulation, reasons, servers, usage
from llmux.dialects.context import Context
from llmux.dialects.neutral import OpaqueItem, Seal
from llmux.dialects.telling import Growing, Teller
from llmux.errors import Fault

Kind = Literal["", "text", "thinking", "call", "answer", "whole"]

ID_PREFIX = "msg_"
# Of a message and its end, what is meant for the client and has no slot.
_UNSAID = ("container", "context_management", "input_transformations")
# The members of a message that are read, or say nothing by themselves.
_MESSAGE = frozenset(
    {"id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "stop_details", "usage", "diagnostics", *_UNSAID}
)
# The same of the blocks that are told as they come; any other is kept as it is.
BLOCKS: dict[str, frozenset[str]] = {
    "text": frozenset({"type", "text", "citations"}),
    "thinking": frozenset({"type", "thinking", "signature"}),
    "redacted_thinking": frozenset({"type", "data"}),
    "tool_use": frozenset({"type", "id", "name", "input", "caller"}),
}


def said(node: object) -> dict[str, Any]:
    """The members of an object that say something."""
    return {name: value for name, value in node.items() if value is not None} if isinstance(node, dict) else {}


def note_surplus(message: dict[str, Any], context: Context) -> None:
    """What nobody reads of a whole message."""
    reading.surplus(message, _MESSAGE, "", context.notes)


def note_unsaid(delta: dict[str, Any], context: Context) -> None:
    """What an answer's reader cannot be told."""
    for name in _UNSAID:
        if delta.get(name):
            context.notes.drop(f"/{name}", "no counterpart")


class Telling:
    """One message on its way. `kind` is that of the open block."""

    __slots__ = (
        "_args",
        "_block",
        "_call",
        "_context",
        "_count",
        "_end",
        "_signature",
        "_unnester",
        "_usage",
        "kind",
        "teller",
    )

    def __init__(self, context: Context) -> None:
        self.teller = Teller(context)
        self.kind: Kind = ""
        self._context = context
        self._block: dict[str, Any] = {}
        self._call: Growing | None = None
        self._unnester: emulation.Unnester | None = None
        self._args: list[str] = []
        self._signature = ""
        self._count = -1
        self._usage: dict[str, Any] = {}
        self._end: dict[str, Any] = {}

    # the message

    def start(self, message: dict[str, Any]) -> None:
        """The message begins, with its head."""
        if self.teller.started:
            return
        self._see_usage(message.get("usage"))
        tokens = usage.read(self._usage) if self._usage else None
        tier = None if tokens is None else tokens.tier
        id_ = _text(message.get("id")).removeprefix(ID_PREFIX)
        self.teller.start(id_, _text(message.get("model")), usage=tokens, tier=tier)

    def conclude(self, delta: dict[str, Any], counts: object) -> None:
        """How the message ends. May be said again; what is said last counts."""
        note_unsaid(delta, self._context)
        self._end = {**self._end, **said(delta)}
        self._see_usage(counts)
        if self._usage:
            self.teller.meter(usage.read(self._usage))

    def end(self) -> None:
        """The message is whole."""
        self.close()
        self.teller.finish(reasons.read(self._end, self._context))
        self.teller.end()

    def _see_usage(self, counts: object) -> None:
        self._usage = {**self._usage, **said(counts)}

    # blocks

    def open(self, block: object) -> None:
        """A block begins; whatever is open still is whole."""
        self.close()
        self._count += 1
        if not isinstance(block, dict):
            raise Fault("bad_gateway", "the provider sent a block that is no object", code="upstream_invalid")
        if not self.teller.started:
            self.start({})
        kind = _text(block.get("type"))
        opener = _OPENERS.get(kind)
        if opener is not None:
            reading.surplus(block, BLOCKS[kind], self._at, self._context.notes)
            opener(self, block)
            return
        self.kind = "whole"
        self._block = dict(block)
        self._args = []
        if kind not in servers.CALLS and not servers.is_result(kind):
            self._context.notes.drop(self._at, f"the block {kind} has no counterpart")

    @property
    def _at(self) -> str:
        return f"/content/{self._count}"

    def _open_text(self, block: dict[str, Any]) -> None:
        self.kind = "text"
        self.text(_text(block.get("text")))
        for citation in block.get("citations") or ():
            self.cite(citation)

    def _open_thinking(self, block: dict[str, Any]) -> None:
        self.kind = "thinking"
        self._signature = _text(block.get("signature"))
        self.teller.open_reasoning()
        self.think(_text(block.get("thinking")))

    def _open_redacted(self, block: dict[str, Any]) -> None:
        item = self.teller.open_reasoning()
        data = _text(block.get("data"))
        if data:
            self.teller.seal(item, Seal("anthropic", "redacted", data))
        self.teller.close(item)

    def _open_call(self, block: dict[str, Any]) -> None:
        name = _text(block.get("name"))
        caller = block.get("caller")
        if isinstance(caller, dict) and caller.get("type") != "direct":
            self._context.notes.drop(f"{self._at}/caller", "elsewhere only the model itself calls tools")
        self._args = []
        if name == emulation.ANSWER and self._context.book.original(name) is None:
            self.kind = "answer"
        else:
            self.kind = "call"
            self._call = self.teller.open_call(_text(block.get("id")), name)
            self._unnester = emulation.Unnester() if name in self._context.nested else None
        args = block.get("input")
        if args:
            self.args(jsonio.dumps(args).decode())

    def close(self) -> None:
        """The open block, if any, is whole."""
        kind, self.kind = self.kind, ""
        if kind in ("text", "answer"):
            current = self.teller.current()
            if current is not None:
                self.teller.close_part(current)
        elif kind == "thinking":
            item = self.teller.reasoning()
            if self._signature:
                self.teller.seal(item, Seal("anthropic", "signature", self._signature))
            self.teller.close(item)
        elif kind == "call":
            self._close_call()
        elif kind == "whole":
            self._close_whole()

    def _close_call(self) -> None:
        call = self._call
        assert call is not None, "a call is open"
        if not self._args:
            # No arguments are an empty object, in a stream as in a whole message.
            self._say_args("{}")
        if self._unnester is not None:
            self.teller.args(call, self._unnester.close())
        self.teller.close_call(call)
        self._call = self._unnester = None

    def _close_whole(self) -> None:
        block = self._block
        kind = _text(block.get("type"))
        if kind in servers.CALLS:
            args_text = "".join(self._args) or jsonio.dumps(block.get("input") or {}).decode()
            try:
                block["input"] = jsonio.loads(args_text.encode("utf-8", "surrogatepass"))
            except ValueError:
                self._context.notes.drop(self._at, "what the provider asked its own tool cannot be read")
                return
            self.teller.whole(servers.read_call(block, args_text, at=self._at))
        elif servers.is_result(kind):
            self.teller.whole(servers.read_result(block, at=self._at))
        else:
            self.teller.whole(OpaqueItem(kind, block, "anthropic", at=self._at))

    # what is said in a block

    def delta(self, delta: dict[str, Any]) -> None:
        """A piece of the open block. What does not belong in it is noted."""
        kind = delta.get("type")
        if kind == "input_json_delta" and self.kind in ("call", "answer", "whole"):
            self.args(_text(delta.get("partial_json")))
        elif kind == "text_delta" and self.kind == "text":
            self.text(_text(delta.get("text")))
        elif kind == "thinking_delta" and self.kind == "thinking":
            self.think(_text(delta.get("thinking")))
        elif kind == "signature_delta" and self.kind == "thinking":
            self._signature = _text(delta.get("signature"))
        elif kind == "citations_delta" and self.kind == "text":
            self.cite(delta.get("citation"))
        elif kind == "compaction_delta" and self.kind == "whole":
            for name in ("content", "encrypted_content"):
                if delta.get(name):
                    self._block[name] = _text(self._block.get(name)) + _text(delta[name])
        else:
            self._context.notes.drop(self._at, f"a {kind} that its block does not have")

    def text(self, text: str) -> None:
        """Text to be read."""
        if text:
            self.teller.text(text)

    def cite(self, citation: object) -> None:
        """The open text has a source."""
        if isinstance(citation, dict):
            self.teller.cite(self.teller.message(), citations.read(citation, self._context, f"{self._at}/citations"))

    def think(self, text: str) -> None:
        """A piece of thinking. What the API shows of it is a summary."""
        if text:
            self.teller.say(self.teller.reasoning(), "summary", text)

    def args(self, fragment: str) -> None:
        """A piece of a call's arguments, of an answer that came as one, or of what the provider asks its own tool."""
        if not fragment:
            return
        if self.kind == "answer":
            self.teller.text(fragment)
            return
        self._args.append(fragment)
        if self.kind == "call":
            self._say_args(fragment)

    def _say_args(self, fragment: str) -> None:
        assert self._call is not None, "a call is open"
        self.teller.args(self._call, fragment if self._unnester is None else self._unnester.feed(fragment))


_OPENERS: dict[str, Callable[[Telling, dict[str, Any]], None]] = {
    "text": Telling._open_text,
    "thinking": Telling._open_thinking,
    "redacted_thinking": Telling._open_redacted,
    "tool_use": Telling._open_call,
}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
