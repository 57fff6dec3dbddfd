"""Writes the tools that a request offers, and which of them may be called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmux import jsonio
from llmux.dialects import hosted
from llmux.dialects.context import Context
from llmux.dialects.neutral import Request, ServerFamily, Tool
from llmux.dialects.openai_responses.citations import DIALECT
from llmux.dialects.openai_responses.requests import mcp

_NO_PARAMETERS = {"type": "object", "properties": {}}

# family of a provider's own tool -> what comes nearest here, where the configuration wants such tools mapped
_HOSTED: dict[ServerFamily, dict[str, Any]] = {
    "web_search": {"type": "web_search"},
    "web_fetch": {"type": "web_search"},
    "url_context": {"type": "web_search"},
    "code": {"type": "code_interpreter", "container": {"type": "auto"}},
    "tool_search": {"type": "tool_search"},
    "mcp": {"type": "mcp"},
}


def write(request: Request, context: Context) -> list[dict[str, Any]]:
    """The tools in their order; those of a namespace stand together where its first one stood."""
    found: list[dict[str, Any]] = []
    namespaces: dict[str, dict[str, Any]] = {}
    known: dict[tuple[str, str], Tool] = {}
    deferring = hosted.finds_tools(request)
    for tool in request.tools:
        if tool.kind == "hosted":
            theirs = _hosted(tool, deferring, context)
            if theirs is not None and not hosted.joins(theirs, _known(theirs, found), tool, context.notes):
                found.append(theirs)
            continue
        earlier = known.setdefault((tool.name, tool.namespace), tool)
        if earlier is not tool:
            if not _same(earlier, tool):
                context.notes.refuse(tool.at, f"another tool is called {tool.name} too")
            else:
                context.notes.drop(tool.at, f"the tool {tool.name} is offered twice")
            continue
        if context.book.renamed(tool.name, tool.namespace):
            context.notes.approximate(tool.at, f"OpenAI knows it as {context.book.alias(tool.name, tool.namespace)}")
        node = _own(tool, deferring, context)
        if not tool.namespace:
            found.append(node)
            continue
        if tool.namespace not in namespaces:
            about = f"Tools of {tool.namespace}."
            namespaces[tool.namespace] = {"type": "namespace", "name": tool.namespace, "description": about, "tools": []}
            found.append(namespaces[tool.namespace])
        namespaces[tool.namespace]["tools"].append(node)
    return found


def _same(one: Tool, other: Tool) -> bool:
    """Whether two tools of one name are one tool, told twice."""
    members = ("kind", "description", "schema", "strict", "grammar")
    return all(getattr(one, member) == getattr(other, member) for member in members)


def _own(tool: Tool, deferring: bool, context: Context) -> dict[str, Any]:
    """A function or a custom tool."""
    node: dict[str, Any] = {"type": tool.kind, "name": context.book.alias(tool.name, tool.namespace)}
    about = tool.description
    if tool.examples:
        context.notes.approximate(f"{tool.at}/input_examples", "examples are told in the description")
        examples = "\n".join(jsonio.dumps(example).decode() for example in tool.examples)
        about = "\n\n".join(filter(None, (about, f"Examples of arguments:\n{examples}")))
    if about is not None:
        node["description"] = about
    if tool.kind == "custom":
        if tool.grammar is not None:
            node["format"] = tool.grammar
    else:
        node["parameters"] = tool.schema or _NO_PARAMETERS
        # The API would take silence for yes, if only the schema allowed it.
        node["strict"] = tool.strict is True
        if tool.output_schema is not None:
            node["output_schema"] = tool.output_schema
    if tool.deferred and deferring:
        node["defer_loading"] = True
    elif tool.deferred:
        context.notes.approximate(f"{tool.at}/defer_loading", "the tool is there from the beginning")
    if tool.mark is not None:
        context.notes.drop(tool.mark.at, "OpenAI takes cache marks on what the client says only")
    return node


def _known(node: dict[str, Any], found: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """A tool of the provider's that is offered already."""
    kind, label = node["type"], node.get("server_label")
    return next((each for each in found if each["type"] == kind and each.get("server_label") == label), None)


def _hosted(tool: Tool, deferring: bool, context: Context) -> dict[str, Any] | None:
    """A tool that the provider runs."""
    if tool.dialect == DIALECT:
        return dict(tool.raw)
    if tool.mark is not None:
        context.notes.drop(tool.mark.at, "OpenAI takes cache marks on what the client says only")
    if tool.family == "mcp":
        server = hosted.server(tool, _HOSTED, context)
        return None if server is None else mcp.write(server, deferring, context)
    nearest = hosted.counterpart(tool, _HOSTED, context)
    if nearest is None:
        return None
    said, node = hosted.read(tool, context.notes), dict(nearest)
    is_search = node["type"] == "web_search"
    said.nowhere_else(context.notes, allowed=not is_search)
    if not is_search:
        said.unplaced(context.notes)
        return node
    if said.allowed:
        node["filters"] = {"allowed_domains": said.allowed}
    if said.place:
        node["user_location"] = {"type": "approximate", **said.place}
    if said.size is not None:
        node["search_context_size"] = said.size
    return node


def choice(request: Request, context: Context) -> str | dict[str, Any] | None:
    """Which tools may, must or must not be called; None: the request does not say."""
    policy = request.policy
    at = request.where.get("policy", "")
    match policy.mode:
        case None:
            return None
        case "auto" | "none" | "required":
            return policy.mode
        case "validated":
            context.notes.approximate(at, "calls are not checked against their schemas")
            return "auto"
        case "one":
            return _named(request, context)[0]
        case "hosted":
            raw = policy.raw
            if isinstance(raw, dict) and any(tool.dialect == DIALECT for tool in request.tools if tool.kind == "hosted"):
                return dict(raw)
            nearest = hosted.forced(request, _HOSTED, context)
            # the word for a search alone is that of its preview
            alone = None if nearest is None else [{"type": nearest["type"]}]
            return None if alone is None else {"type": "allowed_tools", "mode": "required", "tools": alone}
    tools = _named(request, context)
    return {"type": "allowed_tools", "mode": "required" if policy.mode == "subset_required" else "auto", "tools": tools}


def _named(request: Request, context: Context) -> list[dict[str, Any]]:
    """The tools of a choice: the client's own by name, the provider's by what stands for them."""
    told: list[dict[str, Any]] = []
    for name, kind in request.policy.named:
        if kind != "hosted":
            told.append({"type": kind, "name": context.book.chosen(name)})
            continue
        for tool in request.tools:
            if tool.kind == "hosted" and tool.name == name and tool.family in _HOSTED:
                label = {} if tool.server is None else {"server_label": tool.server.label}
                node = {"type": _HOSTED[tool.family]["type"], **label}
                if node not in told:
                    told.append(node)
    return told
