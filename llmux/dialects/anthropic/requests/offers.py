"""Reads the tools that a request offers, and which of them may be called."""

from __future__ import annotations

from typing import Any

from llmux.dialects import reading
from llmux.dialects.anthropic import servers
from llmux.dialects.anthropic.requests.parts import read_mark
from llmux.dialects.context import Context
from llmux.dialects.neutral import Tool, ToolPolicy
from llmux.dialects.reading import invalid, objects, string

_FUNCTION = frozenset(
    {"type", "name", "description", "input_schema", "strict", "input_examples", "defer_loading", "cache_control"}
    | {"allowed_callers", "eager_input_streaming"}
)
_CHOICE = frozenset({"type", "name", "disable_parallel_tool_use"})


def read(doc: dict[str, Any], context: Context) -> tuple[Tool, ...]:
    """The tools in their order. What Anthropic runs itself, or wrote the schema of, is a hosted one."""
    nodes = list(objects(doc.get("tools"), "/tools"))
    # Late loading means something only where the provider itself searches; a client's own search loads by references.
    searches = any(servers.family_of_type(str(node.get("type") or "")) == "tool_search" for _, node in nodes)
    return tuple(_tool(node, at, searches, context) for at, node in nodes)


def _tool(node: dict[str, Any], at: str, searches: bool, context: Context) -> Tool:
    kind = string(node.get("type"), f"{at}/type")
    mark = read_mark(node, at, context)
    if kind not in ("", "custom"):
        name = string(node.get("name"), f"{at}/name") or kind
        family = servers.family_of_type(kind)
        return Tool(name, "hosted", mark=mark, family=family, dialect="anthropic", raw=node, at=at)
    reading.rest(node, _FUNCTION, at, context.notes)
    name = string(node.get("name"), f"{at}/name")
    if not name:
        raise invalid(f"{at}/name", f"{at}/name: Field required")
    _callers(node.get("allowed_callers"), f"{at}/allowed_callers", context)
    if node.get("eager_input_streaming"):
        context.notes.approximate(f"{at}/eager_input_streaming", "arguments stream as the provider streams them")
    deferred = reading.flag(node.get("defer_loading"), f"{at}/defer_loading")
    if deferred and not searches:
        context.notes.approximate(f"{at}/defer_loading", "the tool is there from the beginning")
        deferred = None
    examples = node.get("input_examples")
    if examples is not None and not isinstance(examples, list):
        raise invalid(f"{at}/input_examples", f"{at}/input_examples must be a list")
    return Tool(
        name,
        description=reading.optional(node.get("description"), f"{at}/description"),
        schema=reading.obj(node.get("input_schema"), f"{at}/input_schema"),
        strict=reading.flag(node.get("strict"), f"{at}/strict"),
        examples=tuple(examples or ()),
        deferred=deferred,
        mark=mark,
        at=at,
    )


def _callers(value: object, at: str, context: Context) -> None:
    """Who may call the tool. Elsewhere only the model itself can."""
    if value is None or value == ["direct"]:
        return
    if isinstance(value, list) and "direct" in value:
        context.notes.drop(at, "elsewhere only the model itself calls tools")
    elif value:
        context.notes.refuse(at, "elsewhere only the model itself calls tools")


def policy(doc: dict[str, Any], tools: tuple[Tool, ...], where: dict[str, str], context: Context) -> ToolPolicy:
    """Which tools may be called."""
    node = reading.obj(doc.get("tool_choice"), "/tool_choice")
    if node is None:
        return ToolPolicy()
    where["policy"] = "/tool_choice"
    reading.rest(node, _CHOICE, "/tool_choice", context.notes)
    single = reading.flag(node.get("disable_parallel_tool_use"), "/tool_choice/disable_parallel_tool_use")
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
            tool = next((tool for tool in tools if tool.name == name), None)
            if tool is None:
                raise invalid("/tool_choice/name", f"Tool '{name}' not found in provided tools")
            if tool.kind == "hosted":
                return ToolPolicy("hosted", (name,), parallel=parallel, raw=node)
            return ToolPolicy("one", (name,), ("function",), parallel)
        case kind:
            raise invalid("/tool_choice/type", f"tool_choice: {kind!r} is none of any, auto, none, tool")
