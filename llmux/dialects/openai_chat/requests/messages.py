"""Reads the messages of a request as items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from llmux import jsonio
from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import (
    Annotation,
    Item,
    Mark,
    Media,
    Message,
    Part,
    Reasoning,
    Refusal,
    Role,
    Seal,
    Text,
    ToolCall,
    ToolResult,
)
from llmux.dialects.openai_chat import citations
from llmux.dialects.openai_chat.custody import Returned, signature, signature_at
from llmux.dialects.openai_chat.requests.parts import part, read_mark
from llmux.dialects.reading import invalid, objects, role, string

_ROLES: dict[str, Role] = {"system": "system", "developer": "developer", "user": "user", "assistant": "assistant"}
_MARKS = frozenset({"cache_control", "prompt_cache_breakpoint"})
_MESSAGE = _MARKS | {"role", "content", "name"}
_ASSISTANT = _MESSAGE | {"refusal", "audio", "annotations", "tool_calls", "function_call"}
_THINKING = _ASSISTANT | {"reasoning_content", "reasoning", "reasoning_details", "thinking_blocks", "extra_content"}
_TOOL = _MESSAGE | {"tool_call_id"}
_CALL = _MARKS | {"id", "type", "index", "function", "custom", "extra_content"}
_FUNCTION = frozenset({"name", "arguments"})
_CUSTOM = frozenset({"name", "input"})

# How a result says that it is an error, where the dialect has no place for that.
ERROR_PREFIX = "[tool error] "


class Messages:
    """The reader of a conversation. Calls of the older API have no id, so they wait for their results in `_unnamed`."""

    __slots__ = ("_context", "_unnamed")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._unnamed: list[tuple[str, str]] = []  # name, and the id that was made up

    def read(self, turn: int, at: str, node: dict[str, Any]) -> Iterable[Item]:
        """The items of one message."""
        speaker, content = node.get("role"), node.get("content")
        if len(node) == 2 and type(content) is str and type(speaker) is str and speaker in _ROLES:
            # Somebody says a text, and there is nothing else to be read: most messages are like that.
            return (Message(_ROLES[speaker], (Text(content, at=f"{at}/content"),), turn, at=at),)
        if speaker == "assistant":
            return self._assistant(turn, at, node)
        if speaker in ("tool", "function"):
            return (self._result(turn, at, node),)
        reading.rest(node, _MESSAGE, at, self._context.notes)
        parts = self._parts(node, at)
        if content == []:
            raise invalid(f"{at}/content", f"{at}/content must not be empty")
        return (Message(role(speaker, f"{at}/role", _ROLES), parts, turn, author=self._name(node, at), at=at),)

    def _parts(self, node: dict[str, Any], at: str) -> tuple[Part, ...]:
        context = self._context
        found = reading.parts(node.get("content"), f"{at}/content", lambda where, each: part(where, each, context))
        if len(node) > 2 and not node.keys().isdisjoint(_MARKS):
            return self._marked(found, read_mark(node, at, context))
        return found

    def _marked(self, parts: tuple[Part, ...], mark: Mark | None) -> tuple[Part, ...]:
        """A mark of a message is one of its last part."""
        if mark is None:
            return parts
        last = parts[-1] if parts else None
        if isinstance(last, Text | Media) and last.mark is None:
            return (*parts[:-1], msgspec.structs.replace(last, mark=mark))
        self._context.notes.drop(mark.at, "nothing stands there that could be cached")
        return parts

    def _name(self, node: dict[str, Any], at: str) -> str:
        return string(node["name"], f"{at}/name") if "name" in node else ""

    # the assistant

    def _assistant(self, turn: int, at: str, node: dict[str, Any]) -> Iterator[Item]:
        context = self._context
        seals: tuple[Seal, ...] = ()
        sealed_calls: dict[str, tuple[Seal, ...]] = {}
        thoughts: list[Reasoning] = []
        if not node.keys() <= _ASSISTANT:
            reading.rest(node, _THINKING, at, context.notes)
            returned = Returned(node, turn, at, context)
            thoughts, sealed_calls = returned.items, returned.calls
            if given := signature(node):
                native = Seal("gemini", "thought_signature", given)
                found = context.seal_in(given, native, "", signature_at(at))
                seals = tuple(msgspec.structs.replace(seal, at=f"{at}/extra_content") for seal in found)
        if node.get("audio") is not None:
            context.notes.refuse(f"{at}/audio", "only its own maker knows what was said")
        parts = self._said(node, at, seals)
        calls = list(self._calls(turn, at, node, sealed_calls))
        yield from thoughts
        if parts or not (calls or thoughts):
            yield Message("assistant", parts, turn, author=self._name(node, at), at=at)
        elif node.get("name") is not None:
            context.notes.drop(f"{at}/name", "who says nothing has no name")
        yield from calls

    def _said(self, node: dict[str, Any], at: str, seals: tuple[Seal, ...]) -> tuple[Part, ...]:
        parts = self._parts(node, at)
        if len(parts) == 1 and isinstance(parts[0], Text) and not parts[0].text and not seals:
            # An empty text beside calls says that there is none.
            parts = () if node.get("tool_calls") or node.get("function_call") else parts
        if node.get("annotations"):
            parts = _cited(parts, tuple(citations.read(node["annotations"])))
        if seals:
            parts = _sealed(parts, seals, f"{at}/content")
        refusal = string(node.get("refusal"), f"{at}/refusal")
        return (*parts, Refusal(refusal, f"{at}/refusal")) if refusal else parts

    def _calls(self, turn: int, at: str, node: dict[str, Any], sealed: dict[str, tuple[Seal, ...]]) -> Iterator[ToolCall]:
        context = self._context
        ahead = sealed.get("", ())  # of no call in particular: of the first
        for where, call in objects(node.get("tool_calls"), f"{at}/tool_calls"):
            reading.rest(call, _CALL, where, context.notes)
            kind = string(call.get("type"), f"{where}/type") or "function"
            custom = kind == "custom"
            if kind not in ("function", "custom"):
                raise invalid(f"{where}/type", f"{where}/type must be function or custom")
            body = call.get(kind)
            if not isinstance(body, dict):
                raise invalid(f"{where}/{kind}", f"{where}/{kind} must be an object")
            reading.rest(body, _CUSTOM if custom else _FUNCTION, f"{where}/{kind}", context.notes)
            name = string(body.get("name"), f"{where}/{kind}/name")
            written = "input" if custom else "arguments"
            call_id = string(call.get("id"), f"{where}/id")
            seals = (*ahead, *sealed.get(call_id, ())) if call_id else ahead
            ahead = ()
            if given := signature(call):
                native = Seal("gemini", "thought_signature", given)
                seals = (*seals, *context.seal_in(given, native, "", signature_at(where)))
            yield ToolCall(
                call_id or self._named(turn, name),
                name,
                _arguments(body.get(written), f"{where}/{kind}/{written}"),
                turn,
                kind="custom" if custom else "function",
                seals=seals,
                mark=read_mark(call, where, context),
                at=where,
            )
        legacy = reading.obj(node.get("function_call"), f"{at}/function_call")
        if legacy is not None:
            where = f"{at}/function_call"
            reading.rest(legacy, _FUNCTION, where, context.notes)
            name = string(legacy.get("name"), f"{where}/name")
            arguments = _arguments(legacy.get("arguments"), f"{where}/arguments")
            yield ToolCall(self._named(turn, name), name, arguments, turn, at=where)

    def _named(self, turn: int, name: str) -> str:
        """An id for a call that has none, the same whenever this conversation is told."""
        call_id = self._context.made_up_id(turn, f"{len(self._unnamed)}\0{name}")
        self._unnamed.append((name, call_id))
        return call_id

    # results

    def _result(self, turn: int, at: str, node: dict[str, Any]) -> ToolResult:
        context = self._context
        reading.rest(node, _TOOL, at, context.notes)
        name = self._name(node, at) or None
        call_id = string(node.get("tool_call_id"), f"{at}/tool_call_id") or self._awaited(name)
        content = node.get("content")
        parts = reading.parts(content, f"{at}/content", lambda where, each: part(where, each, context))
        first = parts[0] if parts else None
        is_error = isinstance(first, Text) and first.text.startswith(ERROR_PREFIX)
        if is_error and isinstance(first, Text):
            text = first.text.removeprefix(ERROR_PREFIX)
            rest = parts[1:]
            parts = (msgspec.structs.replace(first, text=text), *rest) if text or not rest else rest
        return ToolResult(
            call_id,
            name,
            parts,
            is_error,
            turn,
            form="parts" if isinstance(content, list) else "string",
            mark=read_mark(node, at, context),
            at=at,
        )

    def _awaited(self, name: str | None) -> str:
        """The first call without an id that has no result yet, and that name if there is one."""
        for index, (waiting, call_id) in enumerate(self._unnamed):
            if name is None or waiting == name:
                del self._unnamed[index]
                return call_id
        return ""


def _arguments(value: object, at: str) -> str:
    """The text of a call's arguments. Some clients send the object itself."""
    return jsonio.dumps(value).decode() if isinstance(value, dict) else string(value, at)


def _cited(parts: tuple[Part, ...], found: tuple[Annotation, ...]) -> tuple[Part, ...]:
    for index, each in enumerate(parts):
        if isinstance(each, Text):
            return (*parts[:index], msgspec.structs.replace(each, annotations=found), *parts[index + 1 :])
    return parts


def _sealed(parts: tuple[Part, ...], seals: tuple[Seal, ...], at: str) -> tuple[Part, ...]:
    """Google puts a message's seal behind its last text."""
    for index in reversed(range(len(parts))):
        each = parts[index]
        if isinstance(each, Text):
            return (*parts[:index], msgspec.structs.replace(each, seals=seals), *parts[index + 1 :])
    return (*parts, Text("", seals=seals, at=at))
