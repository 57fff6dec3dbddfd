"""Reads the tools that a request offers, and which of them may be called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from llmux.dialects import reading
from llmux.dialects.anthropic import servers
from llmux.dialects.anthropic.requests import mcp
from llmux.dialects.anthropic.requests.draft import Draft, Reader
from llmux.dialects.anthropic.requests.parts import read_mark
from llmux.dialects.context import Context
from llmux.dialects.neutral import Tool, ToolPolicy
from llmux.dialects.reading import flag, invalid, obj, objects, string

_CHOICE = frozenset({"type", "name", "disable_parallel_tool_use"})


def _tools(value: Any, draft: Draft) -> None:
    """The tools in their order. What Anthropic runs itself, or wrote the schema of, is a hosted one."""
    context = draft.context
    tools = [_tool(node, at, draft) for at, node in objects(value, "/tools")]
    # Late loading means something only where the provider itself searches; a client's own search loads by references.
    late = [index for index, tool in enumerate(tools) if tool.deferred]
    if late and not any(tool.family == "tool_search" for tool in tools):
        for index in late:
            context.notes.approximate(f"{tools[index].at}/defer_loading", "the tool is there from the beginning")
            tools[index] = msgspec.structs.replace(tools[index], deferred=None)
    draft.slots["tools"] = (*tools, *draft.slots.get("tools", ()))


def _mcp_servers(value: Any, draft: Draft) -> None:
    """The servers are told with their toolsets, those that have none as tools of their own."""
    alone = tuple(_hosted(toolset, at, draft) for at, toolset in mcp.without_toolset(draft.doc))
    draft.slots["tools"] = (*draft.slots.get("tools", ()), *alone)


def _tool_choice(value: Any, draft: Draft) -> None:
    draft.choice = obj(value, "/tool_choice")


MEMBERS: dict[str, Reader] = {"tools": _tools, "tool_choice": _tool_choice, "mcp_servers": _mcp_servers}


def _tool(node: dict[str, Any], at: str, draft: Draft) -> Tool:
    if node.get("type") not in (None, "", "custom"):
        return _hosted(node, at, draft)
    context = draft.context
    slots: dict[str, Any] = {"at": at}
    for name, value in node.items():
        slot = _SLOTS.get(name)
        if slot is None:
            _rule(name, value, at, slots, context)
        elif value is not None:
            slots[slot[0]] = slot[1](value, f"{at}/{name}")
    if not slots.get("name"):
        raise invalid(f"{at}/name", f"{at}/name: Field required")
    return Tool(**slots)


def _hosted(node: dict[str, Any], at: str, draft: Draft) -> Tool:
    kind = string(node.get("type"), f"{at}/type")
    family = servers.family_of_type(kind)
    server = mcp.read(at, node, draft.doc, draft.context.notes) if family == "mcp" else None
    name = (string(node.get("name"), f"{at}/name") or kind) if server is None else server.label
    mark = read_mark(node.get("cache_control"), at, draft.context)
    return Tool(name, "hosted", mark=mark, family=family, dialect="anthropic", raw=node, server=server, at=at)


def _examples(value: object, at: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise invalid(at, f"{at} must be a list")
    return tuple(value)


# member of a function -> the slot that it fills, and how it is read
_SLOTS: dict[str, tuple[str, Callable[[object, str], Any]]] = {
    "name": ("name", string),
    "description": ("description", string),
    "input_schema": ("schema", obj),
    "strict": ("strict", flag),
    "input_examples": ("examples", _examples),
    "defer_loading": ("deferred", flag),
}


def _rule(name: str, value: Any, at: str, slots: dict[str, Any], context: Context) -> None:
    """A member without a slot of its own."""
    match name:
        case "type":
            pass
        case "cache_control":
            slots["mark"] = read_mark(value, at, context)
        case "allowed_callers":
            _callers(value, f"{at}/{name}", context)
        case "eager_input_streaming":
            if value:
                context.notes.approximate(f"{at}/{name}", "arguments stream as the provider streams them")
        case _:
            reading.drop(value, f"{at}/{reading.token(name)}", context.notes, "no counterpart")


def _callers(value: object, at: str, context: Context) -> None:
    """Who may call the tool. Elsewhere only the model itself can."""
    if value is None or value == ["direct"]:
        return
    if isinstance(value, list) and "direct" in value:
        context.notes.drop(at, "elsewhere only the model itself calls tools")
    elif value:
        context.notes.refuse(at, "elsewhere only the model itself calls tools")


def policy(node: dict[str, Any], draft: Draft) -> ToolPolicy:
    """Which of the tools that were read may be called."""
    where = draft.where
    where["policy"] = "/tool_choice"
    reading.rest(node, _CHOICE, "/tool_choice", draft.context.notes)
    single = flag(node.get("disable_parallel_tool_use"), "/tool_choice/disable_parallel_tool_use")
    parallel = None if single is None else not single
    if single is not None:
        where["parallel"] = "/tool_choice/disable_parallel_tool_use"
    match node.get("type"):
        case "auto":
            return ToolPolicy("auto", parallel=parallel)
        case "any":
            return ToolPolicy("required", parallel=parallel)
        case "none":
            return ToolPolicy("none", parallel=parallel)
        case "tool":
            name = string(node.get("name"), "/tool_choice/name")
            tools: tuple[Tool, ...] = draft.slots.get("tools", ())
            tool = next((tool for tool in tools if tool.name == name), None)
            if tool is None:
                raise invalid("/tool_choice/name", f"Tool '{name}' not found in provided tools")
            if tool.kind == "hosted":
                return ToolPolicy("hosted", (name,), parallel=parallel, raw=node)
            return ToolPolicy("one", (name,), ("function",), parallel)
        case kind:
            raise invalid("/tool_choice/type", f"tool_choice: {kind!r} is none of any, auto, none, tool")
