"""Reads one message of a request: its blocks as items."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from llmux import jsonio
from llmux.dialects import reading
from llmux.dialects.anthropic import custody, servers
from llmux.dialects.anthropic.requests.parts import Parts, listed
from llmux.dialects.neutral import (
    Item,
    Message,
    OpaqueItem,
    OpaquePart,
    Part,
    Reasoning,
    Role,
    Seal,
    Segment,
    Text,
    ToolCall,
    ToolResult,
)
from llmux.dialects.reading import invalid, string

_THINKING = frozenset({"type", "thinking", "signature"})
_REDACTED = frozenset({"type", "data"})
_TOOL_USE = frozenset({"type", "id", "name", "input", "cache_control", "caller"})
_TOOL_RESULT = frozenset({"type", "tool_use_id", "content", "is_error", "cache_control"})
_NO_SLOT = "no counterpart"


class Turn:
    """The reader of one message. What stands between calls, results and thinking are the parts of one item.

    Seals that Gemini puts on a call come back in a block of their own before it, and wait in `_ahead` for the call.
    """

    __slots__ = ("_ahead", "_at", "_context", "_items", "_parts", "_read", "_role", "_turn")

    def __init__(self, parts: Parts, role: Role, turn: int, at: str) -> None:
        self._read = parts
        self._context = parts.context
        self._role: Role = role
        self._turn = turn
        self._at = at
        self._items: list[Item] = []
        self._parts: list[Part] = []
        self._ahead: list[Seal] = []

    def read(self, content: object) -> list[Item]:
        """The items of a message's blocks."""
        cited = self._role == "assistant"
        where = f"{self._at}/content"
        for index, block in enumerate(listed(content, where)):
            at = f"{where}/{index}"
            if not isinstance(block, dict):
                raise invalid(at, f"{at} must be an object")
            if block.get("type") == "text":
                self._parts.append(self._read.text(block, at, cited=cited))
            else:
                self._block(at, block)
        self._flush()
        if self._ahead:
            self._items.append(Reasoning((), tuple(self._ahead), self._turn, at=self._ahead[0].at))
        return self._items or [Message(self._role, (), self._turn, at=self._at)]

    def _block(self, at: str, block: dict[str, Any]) -> None:
        kind = string(block.get("type"), f"{at}/type")
        reader = _READERS.get(kind)
        if reader is not None:
            reader(self, at, block)
        elif servers.is_result(kind):
            self._server_result(at, block)
        else:
            self._parts.append(self._read.part(block, at, in_assistant=self._role == "assistant"))

    def _flush(self) -> None:
        if self._parts:
            self._items.append(Message(self._role, tuple(self._parts), self._turn, at=self._at))
            self._parts = []

    def _enter(self, item: Item) -> None:
        self._flush()
        self._items.append(item)

    def _tool_use(self, at: str, block: dict[str, Any]) -> None:
        context = self._context
        reading.rest(block, _TOOL_USE, at, context.notes)
        caller = reading.obj(block.get("caller"), f"{at}/caller")
        if caller is not None and caller.get("type") != "direct":
            reading.drop(caller, f"{at}/caller", context.notes, _NO_SLOT)
        args = reading.obj(block.get("input"), f"{at}/input")
        call = ToolCall(
            string(block.get("id"), f"{at}/id"),
            string(block.get("name"), f"{at}/name"),
            jsonio.dumps(args or {}).decode(),
            self._turn,
            seals=tuple(self._ahead),
            mark=self._read.mark(block, at),
            at=at,
        )
        self._ahead = []
        self._enter(call)

    def _tool_result(self, at: str, block: dict[str, Any]) -> None:
        reading.rest(block, _TOOL_RESULT, at, self._context.notes)
        content = block.get("content")
        result = ToolResult(
            string(block.get("tool_use_id"), f"{at}/tool_use_id"),
            None,
            self._read.of_result(content, f"{at}/content"),
            reading.flag(block.get("is_error"), f"{at}/is_error") is True,
            self._turn,
            form="parts" if isinstance(content, list) else "string",
            mark=self._read.mark(block, at),
            at=at,
        )
        self._enter(result)

    def _thinking(self, at: str, block: dict[str, Any]) -> None:
        context = self._context
        reading.rest(block, _THINKING, at, context.notes)
        text = string(block.get("thinking"), f"{at}/thinking")
        signature = string(block.get("signature"), f"{at}/signature")
        seals = context.seal_in(signature, Seal("anthropic", "signature", signature), text, f"{at}/signature")
        segments = (Segment("summary", text),) if text else ()
        self._enter(Reasoning(segments, seals, self._turn, at=at))

    def _redacted(self, at: str, block: dict[str, Any]) -> None:
        reading.rest(block, _REDACTED, at, self._context.notes)
        seal, place = custody.opened(string(block.get("data"), f"{at}/data"), self._context, f"{at}/data")
        if seal is None:
            return
        if place != "alone":
            seal = msgspec.structs.replace(seal, at=at)  # it seals what stands elsewhere
        if place == "behind":
            self._seal_last(seal, at)
        elif place == "ahead":
            self._ahead.append(seal)
        else:
            self._enter(Reasoning((), (seal,), self._turn, at=at))

    def _seal_last(self, seal: Seal, at: str) -> None:
        """The seal belongs to the text or the call before it; without one, to a text that says nothing."""
        if self._parts:
            last = self._parts[-1]
            if isinstance(last, Text):
                self._parts[-1] = msgspec.structs.replace(last, seals=(*last.seals, seal))
                return
        elif self._items and isinstance(self._items[-1], ToolCall):
            call = self._items[-1]
            self._items[-1] = msgspec.structs.replace(call, seals=(*call.seals, seal))
            return
        self._parts.append(Text("", seals=(seal,), at=at))

    def _server_call(self, at: str, block: dict[str, Any]) -> None:
        self._unmark(at, block)
        args = reading.obj(block.get("input"), f"{at}/input")
        self._enter(servers.read_call(block, jsonio.dumps(args or {}).decode(), self._turn, at))

    def _server_result(self, at: str, block: dict[str, Any]) -> None:
        self._unmark(at, block)
        self._enter(servers.read_result(block, self._turn, at))

    def _unmark(self, at: str, block: dict[str, Any]) -> None:
        if block.get("cache_control") is not None:
            self._context.notes.drop(f"{at}/cache_control", "the provider's own tools cannot be marked elsewhere")

    def _compaction(self, at: str, block: dict[str, Any]) -> None:
        """What the API made of the conversation before. A summary that can be read is told; a hidden one is lost."""
        notes = self._context.notes
        summary = block.get("content")
        if isinstance(summary, str) and summary:
            notes.approximate(at, "the summary of what came before is told as text")
            self._parts.append(Text(summary, mark=self._read.mark(block, at), at=at))
        else:
            notes.refuse(at, "only Anthropic can read what it compacted")
            self._enter(OpaqueItem("compaction", block, "anthropic", self._turn, at))

    def _upload(self, at: str, block: dict[str, Any]) -> None:
        self._context.notes.refuse(at, "only Anthropic has its containers")
        self._parts.append(OpaquePart("container_upload", block, "anthropic", at))

    def _tool_change(self, at: str, block: dict[str, Any]) -> None:
        self._context.notes.refuse(at, "tools cannot be changed inside a conversation")
        self._parts.append(OpaquePart(str(block["type"]), block, "anthropic", at))

    def _telling(self, at: str, block: dict[str, Any]) -> None:
        """What the API told of itself, and what nobody needs to read again."""
        self._context.notes.drop(at, _NO_SLOT)


_READERS: dict[str, Callable[[Turn, str, dict[str, Any]], None]] = {
    "tool_use": Turn._tool_use,
    "tool_result": Turn._tool_result,
    "thinking": Turn._thinking,
    "redacted_thinking": Turn._redacted,
    "server_tool_use": Turn._server_call,
    "mcp_tool_use": Turn._server_call,
    "compaction": Turn._compaction,
    "container_upload": Turn._upload,
    "tool_addition": Turn._tool_change,
    "tool_removal": Turn._tool_change,
    "mcp_tool_listing": Turn._telling,
    "fallback": Turn._telling,
}
