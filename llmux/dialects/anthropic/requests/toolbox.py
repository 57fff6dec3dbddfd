"""Writes the tools that are offered, and which of them may be called."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import msgspec

from llmux.dialects import hosted
from llmux.dialects.anthropic import emulation
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
}
_READERS = ("web_search", "web_fetch")  # they may be told which sites to read


class Toolbox(msgspec.Struct):
    """The members `tools` and `tool_choice`."""

    tools: list[dict[str, Any]]
    choice: dict[str, Any] | None

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
    written = []
    deferring = hosted.finds_tools(request, context)
    for offered in _distinct(_confined(request), context):
        tool = _tool(offered, deferring, context, marks)
        if tool is not None:
            written.append(tool)
    choice = _choice(request, context) if written else None
    if request.output.format == "schema" and context.target.capabilities.schema is False:
        return _answering(request, context, written, choice)
    return Toolbox(written, choice)


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


def _tool(tool: Tool, deferring: bool, context: Context, marks: Marks) -> dict[str, Any] | None:
    if tool.kind == "hosted":
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


def _schema(tool: Tool, name: str, context: Context) -> dict[str, Any]:
    if tool.schema is None:
        return dict(_EMPTY)
    schema = distinct(tool.schema)
    if schema is not tool.schema:
        context.notes.approximate(tool.at, "what is required was named twice")
    if not emulation.is_plain(schema):
        context.notes.approximate(tool.at, "arguments travel inside one member, because the schema is no plain object's")
        context.nested.add(name)
        return emulation.nested(schema)
    if schema.get("type") is None:
        return {"type": "object", **{name: value for name, value in schema.items() if name != "type"}}
    return schema


def distinct(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with each required name once; itself, if no name is there twice."""
    changed: dict[str, Any] = {}
    for keyword, inner in schema.items():
        rewrite = _INSIDE.get(keyword)
        if rewrite is not None:
            once = rewrite(inner)
            if once is not inner:
                changed[keyword] = once
    return {**schema, **changed} if changed else schema


def _single(schema: Any) -> Any:
    return distinct(schema) if isinstance(schema, dict) else schema


def _named(schemas: Any) -> Any:
    if not isinstance(schemas, dict):
        return schemas
    changed: dict[str, Any] = {}
    for name, each in schemas.items():
        if isinstance(each, dict):
            once = distinct(each)
            if once is not each:
                changed[name] = once
    return {**schemas, **changed} if changed else schemas


def _listed(schemas: Any) -> Any:
    if not isinstance(schemas, list):
        return schemas
    written = [_single(each) for each in schemas]
    return schemas if all(map(operator.is_, written, schemas)) else written


def _once(names: Any) -> Any:
    if not isinstance(names, list) or set(map(type, names)) != {str}:
        return names
    once = list(dict.fromkeys(names))
    return names if len(once) == len(names) else once


# What a keyword holds: schemas, alone, in lists or by name; or names. What stands elsewhere is data, whatever its name.
_INSIDE: dict[str, Callable[[Any], Any]] = {
    "required": _once,
    **dict.fromkeys(("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"), _single),
    **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), _listed),
    **dict.fromkeys(("properties", "$defs", "definitions", "patternProperties", "dependentSchemas"), _named),
}


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
            choice = {"type": "tool", "name": _alias(request, policy.names[0], context)}
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


def _alias(request: Request, name: str, context: Context) -> str:
    namespace = next((tool.namespace for tool in request.tools if tool.name == name), "")
    return context.book.alias(name, namespace)


def _answering(request: Request, context: Context, tools: list[dict[str, Any]], choice: dict[str, Any] | None) -> Toolbox:
    """A tool whose arguments are the answer. The model must call it, or one of the client's own."""
    at = request.where.get("format", "")
    schema = request.output.schema
    if not isinstance(schema, dict) or not emulation.is_plain(schema):
        context.notes.refuse(at, "the model has no structured output, and a tool takes objects only")
        return Toolbox(tools, choice)
    if any(tool.get("name") == emulation.ANSWER for tool in tools):
        context.notes.refuse(at, f"the tool that stands for structured output is called {emulation.ANSWER} too")
        return Toolbox(tools, choice)
    context.notes.approximate(at, "the model has no structured output: it answers by calling a tool")
    if choice is not None and choice["type"] == "tool":
        return Toolbox(tools, choice)
    description = request.output.description or "Give the final answer with this tool."
    answer = {"name": emulation.ANSWER, "description": description, "input_schema": {"type": "object", **schema}}
    if not tools or (choice is not None and choice["type"] == "none"):
        return Toolbox([*tools, answer], {"type": "tool", "name": emulation.ANSWER})
    forced: dict[str, Any] = {"type": "any"}
    if choice is not None and choice.get("disable_parallel_tool_use"):
        forced["disable_parallel_tool_use"] = True
    return Toolbox([*tools, answer], forced)
