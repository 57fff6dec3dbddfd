"""Writes the tools that are offered, and which of them may be called."""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects import choosing, hosted
from llmux.dialects.context import Context
from llmux.dialects.neutral import FORCED, Request, ServerFamily, Tool, ToolPolicy
from llmux.dialects.openai_only import Marks
from llmux.dialects.tools import as_function

_HOSTED: dict[ServerFamily, str] = {"web_search": "web_search_options"}


def write(request: Request, context: Context, marks: Marks) -> dict[str, Any]:
    """The members that are about tools: `tools`, `tool_choice`, `parallel_tool_calls`, `web_search_options`. Raises Fault."""
    members: dict[str, Any] = {}
    if not request.tools and request.policy.max_calls is None:
        return members  # nothing to write, and nothing to note
    request = choosing.among_functions(request, context.notes)
    tools: list[dict[str, Any]] = []
    for tool in _distinct(request.tools, context):
        if tool.kind != "hosted":
            tools.append(_tool(tool, context, marks))
        elif tool.dialect == "openai-chat" and tool.family != "web_search":
            tools.append(dict(tool.raw))
        else:
            marks.lose(tool.mark, "tools cannot be marked")
            search = _search(tool, context)
            if search is not None and not hosted.joins(search, members.get("web_search_options"), tool, context.notes):
                members["web_search_options"] = search
    policy, where, notes = request.policy, request.where, context.notes
    if policy.max_calls is not None:
        notes.drop(where.get("max_calls", ""), "how many calls there may be cannot be said")
    if not tools:
        if policy.mode in FORCED:
            notes.refuse(where.get("policy", ""), "a tool has to be called, and there is none that this API can force")
        return members  # without tools the API refuses to be told how to choose
    members["tools"] = tools
    choice = _choice(request, context)
    if choice is not None:
        members["tool_choice"] = choice
    if policy.parallel is not None:
        members["parallel_tool_calls"] = policy.parallel
    return members


def _distinct(tools: tuple[Tool, ...], context: Context) -> list[Tool]:
    """Each name once."""
    found: dict[tuple[str, str], Tool] = {}
    for tool in tools:
        first = found.setdefault((tool.name, tool.namespace), tool)
        if first is tool:
            continue
        if _said(first) == _said(tool):
            context.notes.drop(tool.at, f"the tool {tool.name} is offered twice")
        else:
            context.notes.refuse(tool.at, f"two different tools are called {tool.name}")
    return list(found.values())


def _said(tool: Tool) -> tuple[object, ...]:
    return tool.kind, tool.description, tool.schema, tool.grammar, tool.raw


def _tool(tool: Tool, context: Context, marks: Marks) -> dict[str, Any]:
    notes = context.notes
    name = context.book.alias(tool.name, tool.namespace)
    if context.book.renamed(tool.name, tool.namespace):
        notes.approximate(tool.at, f"called {name} towards the provider")
    body: dict[str, Any] = {"name": name}
    if tool.kind == "custom" and context.target.options.compatible:
        tool = as_function(tool, notes)
    description = _described(tool, context)
    if description is not None:
        body["description"] = description
    if tool.kind == "custom":
        if tool.grammar is not None:
            body["format"] = _format(tool.grammar)
    else:
        if tool.schema is not None:
            body["parameters"] = _schema(tool.schema)
        if tool.strict is not None:
            body["strict"] = tool.strict
    if tool.deferred:
        notes.approximate(tool.at, "the tool is there from the beginning")
    if tool.output_schema is not None:
        notes.drop(tool.at, "what a tool gives back has no schema")
    marks.lose(tool.mark, "tools cannot be marked")
    return {"type": tool.kind, tool.kind: body}


def _described(tool: Tool, context: Context) -> str | None:
    if not tool.examples:
        return tool.description
    context.notes.approximate(tool.at, "examples of its use stand in its description")
    told = "\n".join(["Examples:", *(jsonio.dumps(example).decode() for example in tool.examples)])
    return f"{tool.description}\n\n{told}" if tool.description else told


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of the arguments. OpenAI refuses that of an object without `properties`."""
    if schema.get("type") == "object" and "properties" not in schema:
        return {**schema, "properties": {}}
    return schema


def _format(grammar: dict[str, Any]) -> dict[str, Any]:
    """The form of a custom tool's input, with the object that only this API puts around the grammar."""
    if grammar.get("type") != "grammar" or "grammar" in grammar:
        return grammar
    return {"type": "grammar", "grammar": {"definition": grammar.get("definition"), "syntax": grammar.get("syntax")}}


def _search(tool: Tool, context: Context) -> dict[str, Any] | None:
    """Web search: this API's own as it is, another's where that is asked for."""
    raw: dict[str, Any] = tool.raw if isinstance(tool.raw, dict) else {}
    if tool.dialect == "openai-chat":
        return dict(raw)
    if hosted.counterpart(tool, _HOSTED, context) is None:
        return None
    said = hosted.read(tool, context.notes)
    said.nowhere_else(context.notes)
    options: dict[str, Any] = {}
    if said.size is not None:
        options["search_context_size"] = said.size
    if said.place:
        options["user_location"] = {"type": "approximate", "approximate": said.place}
    return options


def _choice(request: Request, context: Context) -> str | dict[str, Any] | None:
    policy, at = request.policy, request.where.get("policy", "")
    match policy.mode:
        case "auto" | "none" | "required":
            return policy.mode
        case "one":
            return _named(policy, context)[0]
        case "subset_auto" | "subset_required":
            return _subset(policy, "auto" if policy.mode == "subset_auto" else "required", context)
        case "validated":
            context.notes.approximate(at, "whether calls keep to their schemas is each tool's own matter")
            return _subset(policy, "auto", context) if policy.names else "auto"
        case "hosted":
            context.notes.refuse(at, "another provider's own tool cannot be forced")
    return None


def _subset(policy: ToolPolicy, mode: str, context: Context) -> dict[str, Any]:
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": _named(policy, context)}}


def _named(policy: ToolPolicy, context: Context) -> list[dict[str, Any]]:
    """The tools of a choice by their names towards the provider."""
    told: list[dict[str, Any]] = []
    for name, kind in policy.named:
        form = "custom" if kind == "custom" and not context.target.options.compatible else "function"
        told.append({"type": form, form: {"name": context.book.chosen(name)}})
    return told
