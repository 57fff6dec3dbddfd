"""Writes the tools that are offered, and which of them may be called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import msgspec

from llmux.dialects import hosted
from llmux.dialects.anthropic import emulation
from llmux.dialects.anthropic.requests import mcp, schemas
from llmux.dialects.anthropic.requests.marks import Marks
from llmux.dialects.context import Context
from llmux.dialects.neutral import Request, ServerFamily, Tool, ToolPolicy
from llmux.dialects.tools import as_function

_EMPTY: dict[str, Any] = {"type": "object", "properties": {}}
_FREE = ToolPolicy()
# family of another provider's tool -> the type and the name of what comes nearest
_HOSTED: dict[ServerFamily, tuple[str, str]] = {
    "web_search": ("web_search_20250305", "web_search"),
    "web_fetch": ("web_fetch_20250910", "web_fetch"),
    "url_context": ("web_fetch_20250910", "web_fetch"),
    "code": ("code_execution_20250825", "code_execution"),
    "tool_search": ("tool_search_tool_bm25_20251119", "tool_search_tool_bm25"),
    "mcp": ("mcp_toolset", ""),
}
_READERS = ("web_search", "web_fetch")  # they may be told which sites to read


class Toolbox(msgspec.Struct):
    """The members `tools` and `tool_choice`, and `mcp_servers`."""

    tools: list[dict[str, Any]]
    choice: dict[str, Any] | None
    servers: list[dict[str, Any]] = msgspec.field(default_factory=list)

    @property
    def forced(self) -> bool:
        """Whether the model has no choice but to call."""
        return self.choice is not None and self.choice["type"] in ("any", "tool")

    def soften(self) -> None:
        """Leave it to the model after all."""
        assert self.choice is not None, "only what is forced is softened"
        single = self.choice.get("disable_parallel_tool_use")
        self.choice = {"type": "auto"} if single is None else {"type": "auto", "disable_parallel_tool_use": single}


def pack(request: Request, context: Context, marks: Marks) -> Toolbox:
    """The toolbox of a request; with a tool that stands for structured output where the model has none. Raises Fault."""
    if not request.tools and request.output.format != "schema":
        return Toolbox([], None)
    box = Toolbox([], None)
    known: dict[object, dict[str, Any]] = {}
    deferring = hosted.finds_tools(request)
    for offered in _distinct(_confined(request), context):
        tool = _tool(offered, deferring, context, marks, box)
        if tool is None:
            continue
        name = tool.get("name") or (tool["type"], tool.get("mcp_server_name"))
        if not hosted.joins(tool, known.get(name), offered, context.notes):
            known[name] = tool
            box.tools.append(tool)
    box.choice = _choice(request, context) if box.tools else None
    if request.output.format == "schema" and context.target.capabilities.schema is False:
        _answering(request, context, box)
    return box


def _confined(request: Request) -> Sequence[Tool]:
    """The tools that may be called. What a subset leaves out is not offered at all."""
    mode, names = request.policy.mode, request.policy.names
    if mode in ("subset_auto", "subset_required") or (mode == "validated" and names):
        return [tool for tool in request.tools if tool.name in names]
    return request.tools


def _distinct(tools: Sequence[Tool], context: Context) -> Sequence[Tool]:
    """Each name once."""
    if len(tools) < 2:
        return tools
    found: dict[tuple[str, str], Tool] = {}
    for tool in tools:
        first = found.setdefault((tool.name, tool.namespace), tool)
        if first is tool:
            continue
        if _same(first, tool):
            context.notes.drop(tool.at, f"the tool {tool.name} is offered twice")
        else:
            context.notes.refuse(tool.at, f"two different tools are called {tool.name}")
    return list(found.values())


def _same(one: Tool, other: Tool) -> bool:
    return (one.kind, one.description, one.schema, one.grammar, one.raw) == (
        other.kind,
        other.description,
        other.schema,
        other.grammar,
        other.raw,
    )


def _tool(tool: Tool, deferring: bool, context: Context, marks: Marks, box: Toolbox) -> dict[str, Any] | None:
    if tool.family == "mcp" and tool.dialect != "anthropic":
        written = _server(tool, deferring, context, box)
    elif tool.kind == "hosted":
        written = _hosted(tool, context)
    else:
        name = context.book.alias(tool.name, tool.namespace)
        if name != tool.name:
            context.notes.approximate(tool.at, f"called {name} towards the provider")
        written = {"name": name}
        if tool.kind == "custom":
            tool = as_function(tool, context.notes)
        if tool.description is not None:
            written["description"] = tool.description
        written["input_schema"] = _schema(tool, name, context)
        if tool.strict:
            if context.target.capabilities.schema is False:
                context.notes.drop(tool.at, "the model does not keep strictly to schemas")
            else:
                written["strict"] = True
        if tool.examples:
            written["input_examples"] = list(tool.examples)
        if tool.deferred and deferring:
            written["defer_loading"] = True
        elif tool.deferred:
            context.notes.approximate(tool.at, "the tool is there from the beginning")
        if tool.output_schema is not None:
            context.notes.drop(tool.at, "what a tool gives back has no schema")
    if written is not None:
        marks.add(tool.mark, written)
    return written


def _hosted(tool: Tool, context: Context) -> dict[str, Any] | None:
    """A tool of the provider's own: Anthropic's as it is, another's web search where that is asked for."""
    if tool.dialect == "anthropic":
        return {name: value for name, value in tool.raw.items() if name != "cache_control"}
    nearest = hosted.counterpart(tool, _HOSTED, context)
    if nearest is None:
        return None
    kind, name = nearest
    said, reads = hosted.read(tool, context.notes), name in _READERS
    written: dict[str, Any] = {"type": kind, "name": name}
    said.nowhere_else(context.notes, allowed=not reads, blocked=not reads)
    for member, sites in (("allowed_domains", said.allowed), ("blocked_domains", said.blocked)):
        if sites and reads:
            written[member] = sites
    if said.place and name == "web_search":
        written["user_location"] = {"type": "approximate", **said.place}
        said = attrs.evolve(said, place={})
    said.unplaced(context.notes)
    return written


def _server(tool: Tool, deferring: bool, context: Context, box: Toolbox) -> dict[str, Any] | None:
    """A server's toolset; the server stands beside the tools."""
    server = hosted.server(tool, _HOSTED, context)
    if server is None:
        return None
    node, toolset = mcp.write(server, deferring, context)
    box.servers.append(node)
    return toolset


def _schema(tool: Tool, name: str, context: Context) -> dict[str, Any]:
    if tool.schema is None:
        return dict(_EMPTY)
    schema = schemas.distinct(tool.schema)
    if schema is not tool.schema:
        context.notes.approximate(tool.at, "what is required was named twice")
    if not emulation.is_plain(schema):
        context.notes.approximate(tool.at, "arguments travel inside one member, because the schema is no plain object's")
        context.nested.add(name)
        return emulation.nested(schema)
    if schema.get("type") is None:
        return {"type": "object", **{name: value for name, value in schema.items() if name != "type"}}
    return schema


def _choice(request: Request, context: Context) -> dict[str, Any] | None:
    """The member `tool_choice`. That calls come one at a time is said there too."""
    policy, where, notes = request.policy, request.where, context.notes
    if policy == _FREE:
        return None
    choice: dict[str, Any] | None
    match policy.mode:
        case None:
            choice = None
        case "auto" | "subset_auto":
            choice = {"type": "auto"}
        case "none":
            choice = {"type": "none"}
        case "required" | "subset_required":
            choice = {"type": "any"}
        case "one":
            choice = {"type": "tool", "name": context.book.chosen(policy.names[0])}
        case "validated":
            notes.approximate(where.get("policy", ""), "whether calls keep to their schemas is each tool's own matter")
            choice = {"type": "auto"}
        case "hosted":
            choice = _hosted_choice(request, context)
    if policy.parallel is False:
        if choice is None:
            choice = {"type": "auto"}
        if choice["type"] != "none":
            choice["disable_parallel_tool_use"] = True
    return choice


def _hosted_choice(request: Request, context: Context) -> dict[str, Any] | None:
    raw = request.policy.raw
    if isinstance(raw, dict) and raw.get("type") == "tool":
        return {"type": "tool", "name": raw["name"]}
    nearest = hosted.forced(request, _HOSTED, context)
    return None if nearest is None else {"type": "tool", "name": nearest[1]}


def _answering(request: Request, context: Context, box: Toolbox) -> None:
    """A tool whose arguments are the answer. The model must call it, or one of the client's own."""
    at = request.where.get("format", "")
    schema, choice = request.output.schema, box.choice
    if not isinstance(schema, dict) or not emulation.is_plain(schema):
        context.notes.refuse(at, "the model has no structured output, and a tool takes objects only")
        return
    if any(tool.get("name") == emulation.ANSWER for tool in box.tools):
        context.notes.refuse(at, f"the tool that stands for structured output is called {emulation.ANSWER} too")
        return
    context.notes.approximate(at, "the model has no structured output: it answers by calling a tool")
    if choice is not None and choice["type"] == "tool":
        return
    description = request.output.description or "Give the final answer with this tool."
    answer = {"name": emulation.ANSWER, "description": description, "input_schema": {"type": "object", **schema}}
    if not box.tools or (choice is not None and choice["type"] == "none"):
        box.choice = {"type": "tool", "name": emulation.ANSWER}
    else:
        box.choice = {"type": "any"}
        if choice is not None and choice.get("disable_parallel_tool_use"):
            box.choice["disable_parallel_tool_use"] = True
    box.tools.append(answer)
