"""Writes the tools that a request offers, and which of them may be called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmux import jsonio
from llmux.dialects.context import Context
from llmux.dialects.neutral import CallKind, Request, ServerFamily, Tool
from llmux.dialects.openai_responses.citations import DIALECT

_NO_PARAMETERS = {"type": "object", "properties": {}}

# family of a provider's own tool -> what comes nearest here, where the configuration wants such tools mapped
_HOSTED: dict[ServerFamily, dict[str, Any]] = {
    "web_search": {"type": "web_search"},
    "web_fetch": {"type": "web_search"},
    "url_context": {"type": "web_search"},
    "code": {"type": "code_interpreter", "container": {"type": "auto"}},
    "tool_search": {"type": "tool_search"},
}
_PLACE = ("city", "country", "region", "timezone")
_SIZES = ("low", "medium", "high")


def write(request: Request, context: Context) -> list[dict[str, Any]]:
    """The tools in their order; those of a namespace stand together where its first one stood."""
    found: list[dict[str, Any]] = []
    namespaces: dict[str, dict[str, Any]] = {}
    known: dict[tuple[str, str], Tool] = {}
    deferring = context.target.options.hosted_tools == "map" and any(
        tool.kind == "hosted" and tool.family == "tool_search" for tool in request.tools
    )
    for tool in request.tools:
        if tool.kind == "hosted":
            hosted = _hosted(tool, context)
            if hosted is not None and hosted not in found:
                found.append(hosted)
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


def _hosted(tool: Tool, context: Context) -> dict[str, Any] | None:
    """A tool that the provider runs."""
    if tool.dialect == DIALECT:
        return dict(tool.raw)
    node = _HOSTED.get(tool.family)
    if node is None or context.target.options.hosted_tools == "refuse":
        context.notes.refuse(tool.at, f"{tool.name} is run by another provider; see translation.hosted_tools")
        return None
    context.notes.approximate(tool.at, f"OpenAI's {node['type']} comes nearest")
    if tool.mark is not None:
        context.notes.drop(tool.mark.at, "OpenAI takes cache marks on what the client says only")
    return _search(tool, context) if tool.family == "web_search" else dict(node)


def _search(tool: Tool, context: Context) -> dict[str, Any]:
    """A web search, with what the others say of one."""
    raw = tool.raw if isinstance(tool.raw, dict) else {}
    inner = next((value for name, value in raw.items() if name != "user_location" and isinstance(value, dict)), {})
    said = raw | inner
    node: dict[str, Any] = {"type": "web_search"}
    if said.get("allowed_domains"):
        node["filters"] = {"allowed_domains": said["allowed_domains"]}
    location = said.get("user_location")
    if isinstance(location, dict):
        approximate = location.get("approximate")
        place = approximate if isinstance(approximate, dict) else location
        node["user_location"] = {"type": "approximate"} | {name: place[name] for name in _PLACE if place.get(name) is not None}
    if said.get("search_context_size") in _SIZES:
        node["search_context_size"] = said["search_context_size"]
    for name in ("blocked_domains", "max_uses"):
        if said.get(name):
            context.notes.drop(f"{tool.at}/{name}", "OpenAI's search has no such limit")
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
            return _named(policy.names, policy.kinds, context)[0]
        case "hosted":
            raw = policy.raw
            if isinstance(raw, dict) and any(tool.dialect == DIALECT for tool in request.tools if tool.kind == "hosted"):
                return dict(raw)
            context.notes.refuse(at, "the tool is run by a provider of another dialect")
            return None
    tools = _named(policy.names, policy.kinds, context)
    return {"type": "allowed_tools", "mode": "required" if policy.mode == "subset_required" else "auto", "tools": tools}


def _named(names: Sequence[str], kinds: Sequence[CallKind], context: Context) -> list[dict[str, Any]]:
    known = (*kinds, *["function"] * len(names))
    return [{"type": kind, "name": context.book.alias(name)} for name, kind in zip(names, known, strict=False)]
