"""Reads the tools that a request offers, and which of them may be called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import CallKind, Tool, ToolKind, ToolPolicy
from llmux.dialects.openai_responses import local_tools, servers
from llmux.dialects.openai_responses.citations import DIALECT
from llmux.dialects.openai_responses.requests import mcp
from llmux.dialects.reading import invalid, objects, string

_COMMON = frozenset({"type", "name", "description", "defer_loading", "allowed_callers", "async"})
_FUNCTION = _COMMON | {"parameters", "strict", "output_schema"}
_CUSTOM = _COMMON | {"format"}
_NAMESPACE = frozenset({"type", "name", "description", "tools"})
_LOCAL = frozenset({"type", "execution", "description", "parameters", "environment", "allowed_callers"})
_CHOICE = frozenset({"type", "name"})
_ALLOWED = frozenset({"type", "mode", "tools"})
_GRAMMAR = frozenset({"type", "syntax", "definition"})


def read(value: object, at: str, context: Context) -> tuple[Tool, ...]:
    """The tools in their order. What OpenAI runs itself is a hosted one."""
    nodes = list(objects(value, at))
    # Late loading means something only where the provider itself searches; a client that searches loads what it has found.
    searches = any(node.get("type") == "tool_search" and node.get("execution") != "client" for _, node in nodes)
    taken = {str(node.get("name")) for _, node in nodes if node.get("type") in ("function", "custom")}
    found: list[Tool] = []
    for where, node in nodes:
        found += _tools(where, node, searches, taken, context)
    return tuple(found)


def _tools(at: str, node: dict[str, Any], searches: bool, taken: set[str], context: Context) -> Iterator[Tool]:
    kind = string(node.get("type"), f"{at}/type")
    if kind == "namespace":
        yield from _namespace(at, node, searches, context)
        return
    if kind in ("function", "custom"):
        yield _own(at, node, "", searches, context)
        return
    local = local_tools.of_tool(node)
    if local is not None and local.type not in taken:
        yield _local(at, node, local, context)
        return
    family = servers.family_of_type(kind)
    if family == "mcp":
        server = mcp.read(at, node, context)
        yield Tool(server.label, "hosted", family=family, dialect=DIALECT, raw=node, server=server, at=at)
        return
    name = string(node.get("name"), f"{at}/name") or kind
    yield Tool(name, "hosted", family=family, dialect=DIALECT, raw=node, at=at)


def _namespace(at: str, node: dict[str, Any], searches: bool, context: Context) -> Iterator[Tool]:
    """The tools of a namespace. What is said of all of them is told with the first, for others know no namespaces."""
    reading.rest(node, _NAMESPACE, at, context.notes)
    namespace = _name(at, node)
    about = string(node.get("description"), f"{at}/description")
    for where, inner in objects(node.get("tools"), f"{at}/tools"):
        tool = _own(where, inner, namespace, searches, context)
        if about:
            context.notes.approximate(f"{at}/description", "told with the first tool of the namespace")
            tool = msgspec.structs.replace(tool, description="\n\n".join(filter(None, (about, tool.description))))
            about = ""
        yield tool


def _own(at: str, node: dict[str, Any], namespace: str, searches: bool, context: Context) -> Tool:
    """A function or a custom tool."""
    custom = node.get("type") == "custom"
    reading.rest(node, _CUSTOM if custom else _FUNCTION, at, context.notes)
    _callers(node.get("allowed_callers"), f"{at}/allowed_callers", context)
    if node.get("async"):
        context.notes.drop(f"{at}/async", "no counterpart")
    deferred = reading.flag(node.get("defer_loading"), f"{at}/defer_loading")
    if deferred and not searches:
        context.notes.approximate(f"{at}/defer_loading", "the tool is there from the beginning")
        deferred = None
    return Tool(
        _name(at, node),
        "custom" if custom else "function",
        namespace,
        reading.optional(node.get("description"), f"{at}/description"),
        schema=reading.obj(node.get("parameters"), f"{at}/parameters"),
        strict=reading.flag(node.get("strict"), f"{at}/strict"),
        grammar=_grammar(node.get("format"), f"{at}/format", context),
        deferred=deferred,
        output_schema=reading.obj(node.get("output_schema"), f"{at}/output_schema"),
        at=at,
    )


def _local(at: str, node: dict[str, Any], local: local_tools.LocalTool, context: Context) -> Tool:
    """A tool of OpenAI's design that the client runs: to others, a function like any other."""
    reading.rest(node, _LOCAL, at, context.notes)
    _callers(node.get("allowed_callers"), f"{at}/allowed_callers", context)
    environment = reading.obj(node.get("environment"), f"{at}/environment")
    if environment is not None and environment.get("skills"):
        reading.drop(environment["skills"], f"{at}/environment/skills", context.notes, "only OpenAI's models know skills")
    context.notes.approximate(at, "told as a function with the same arguments")
    about = string(node.get("description"), f"{at}/description") or local.description
    schema = reading.obj(node.get("parameters"), f"{at}/parameters") or local.schema
    return Tool(local.type, description=about, schema=schema, at=at)


def _grammar(value: object, at: str, context: Context) -> dict[str, Any] | None:
    """The form of a custom tool's input; None: any text."""
    node = reading.obj(value, at)
    if node is None or node.get("type") == "text":
        return None
    reading.rest(node, _GRAMMAR, at, context.notes)
    return node


def _name(at: str, node: dict[str, Any]) -> str:
    name = string(node.get("name"), f"{at}/name")
    if not name:
        raise invalid(f"{at}/name", f"Missing required parameter: '{at}/name'.")
    return name


def _callers(value: object, at: str, context: Context) -> None:
    """Who may call the tool. Elsewhere only the model itself can."""
    if not value or value == ["direct"]:
        return
    if isinstance(value, list) and "direct" in value:
        context.notes.drop(at, "elsewhere only the model itself calls tools")
    else:
        context.notes.refuse(at, "elsewhere only the model itself calls tools")


def policy(doc: dict[str, Any], tools: Sequence[Tool], where: dict[str, str], context: Context) -> ToolPolicy:
    """Which tools may be called."""
    parallel = reading.flag(doc.get("parallel_tool_calls"), "/parallel_tool_calls")
    if parallel is not None:
        where["parallel"] = "/parallel_tool_calls"
    most = reading.integer(doc.get("max_tool_calls"), "/max_tool_calls")
    if most is not None:
        where["max_calls"] = "/max_tool_calls"
    chosen = _choice(doc.get("tool_choice"), tools, context)
    if chosen.mode is not None:
        where["policy"] = "/tool_choice"
    return msgspec.structs.replace(chosen, parallel=parallel, max_calls=most)


def _choice(value: object, tools: Sequence[Tool], context: Context) -> ToolPolicy:
    at = "/tool_choice"
    if value is None:
        return ToolPolicy()
    if isinstance(value, str):
        match value:
            case "auto" | "none" | "required":
                return ToolPolicy(value)
        raise invalid(at, f"Invalid value: '{value}'. Supported values are: 'none', 'auto', and 'required'.")
    node = reading.obj(value, at) or {}
    match string(node.get("type"), f"{at}/type"):
        case "function" | "custom" as kind:
            reading.rest(node, _CHOICE, at, context.notes)
            return _one(string(node.get("name"), f"{at}/name"), kind, tools, context)
        case "allowed_tools":
            return _subset(node, tools, context)
        case kind:
            local = next((tool for tool in tools if tool.name == kind and tool.kind == "function"), None)
            if local is not None:
                return ToolPolicy("one", (kind,), ("function",))
            return ToolPolicy("hosted", (_provided(node, at, tools).name,), ("hosted",), raw=node)


def _one(name: str, kind: CallKind, tools: Sequence[Tool], context: Context) -> ToolPolicy:
    spaces = {tool.namespace for tool in tools if tool.kind == kind and tool.name == name}
    if not spaces:
        raise invalid("/tool_choice", f"Tool choice '{name}' not found in 'tools' parameter.")
    if len(spaces) > 1 and "" not in spaces:
        context.notes.refuse("/tool_choice/name", "tools in several namespaces have this name")
    return ToolPolicy("one", (name,), (kind,))


def _provided(node: dict[str, Any], at: str, tools: Sequence[Tool]) -> Tool:
    """The provider's own tool that a choice tells by its type, or by another word for its kind; a server by its label."""
    kind, label = string(node.get("type"), f"{at}/type"), node.get("server_label")
    family = servers.family_of_type(kind)
    own = [tool for tool in tools if tool.kind == "hosted" and label in (None, tool.raw.get("server_label"))]
    for tool in own:
        if tool.raw.get("type") == kind:
            return tool
    for tool in own:
        if tool.family == family != "other":
            return tool
    raise invalid(at, f"Tool choice '{label or kind}' not found in 'tools' parameter.")


def _subset(node: dict[str, Any], tools: Sequence[Tool], context: Context) -> ToolPolicy:
    at = "/tool_choice"
    reading.rest(node, _ALLOWED, at, context.notes)
    mode = node.get("mode") or "auto"
    if mode not in ("auto", "required"):
        raise invalid(f"{at}/mode", f"Invalid value: '{mode}'. Supported values are: 'auto' and 'required'.")
    known = {(tool.kind, tool.name) for tool in tools}
    names: list[str] = []
    kinds: list[ToolKind] = []
    for where, each in objects(node.get("tools"), f"{at}/tools"):
        kind, name = string(each.get("type"), f"{where}/type"), string(each.get("name"), f"{where}/name")
        if kind in ("function", "custom"):
            if (kind, name) not in known:
                raise invalid(where, f"Tool choice '{name}' not found in 'tools' parameter.")
            names.append(name)
            kinds.append("custom" if kind == "custom" else "function")
        elif ("function", kind) in known:
            names.append(kind)
            kinds.append("function")
        else:
            if each.get("server_label") is not None and name:
                context.notes.refuse(f"{where}/name", "a server's tools cannot be allowed one by one")
            names.append(_provided(each, where, tools).name)
            kinds.append("hosted")
    if not names:
        return ToolPolicy("none" if mode == "auto" else "required")
    return ToolPolicy("subset_required" if mode == "required" else "subset_auto", tuple(names), tuple(kinds))
