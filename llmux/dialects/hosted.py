"""Tools that a provider runs itself, where the configuration lets one provider's stand for another's.

Each API has its own words for what such a tool is told: where the user is, which sites it may read. What a client forbids stays
forbidden: a limit that the other provider's tool does not know is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

import attrs

from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import Request, Server, ServerFamily, Tool
from llmux.dialects.notes import Notes

_T = TypeVar("_T")

_PLACE = ("city", "country", "region", "timezone")
_SIZES = ("low", "medium", "high")
# What is read here, or says nothing.
_KNOWN = frozenset({"type", "name", "cache_control", "filters", "user_location", "search_context_size", "allowed_callers"})
_KNOWN |= {"allowed_domains", "blocked_domains", "excludeDomains", "exclude_domains", "container", "external_web_access"}
_KNOWN |= {"url_sources"}
_FILTERS = frozenset({"allowed_domains", "blocked_domains"})
_CONTAINER = frozenset({"type", "file_ids"})
_LOCATION = frozenset({"type", "approximate"})
# What has to be the same of two tools that become one.
_LIMITS = ("type", "filters", "allowed_domains", "blocked_domains", "excludeDomains", "server_url", "allowed_tools")


@attrs.frozen(kw_only=True)
class Said:
    """What a client says of a tool. `allowed` and `blocked` are sites."""

    tool: Tool
    place: dict[str, Any]
    size: str | None
    allowed: list[str]
    blocked: list[str]
    filters_at: str
    excluded: str

    def nowhere_else(self, notes: Notes, *, allowed: bool = True, blocked: bool = True) -> None:
        """Refuse the limits that cannot be said. Raises Fault."""
        if allowed and self.allowed:
            notes.refuse(f"{self.filters_at}/allowed_domains", "the provider's tool reads everywhere")
        if blocked and self.blocked:
            notes.refuse(f"{self.filters_at}/{self.excluded}", "the provider's tool reads everywhere")

    def unplaced(self, notes: Notes) -> None:
        """Note what only says how to search."""
        if self.place:
            notes.drop(f"{self.tool.at}/user_location", "where the user is cannot be said")
        if self.size is not None:
            notes.drop(f"{self.tool.at}/search_context_size", "how much to read cannot be said")


def read(tool: Tool, notes: Notes) -> Said:
    """What another provider's tool is told; what has no counterpart anywhere is noted. Raises Fault."""
    raw, at = tool.raw if isinstance(tool.raw, dict) else {}, tool.at
    if tool.dialect == "gemini":
        raw = next((value for value in raw.values() if isinstance(value, dict)), {})
    reading.rest(raw, _KNOWN, at, notes)
    callers = raw.get("allowed_callers")
    if callers and callers != ["direct"]:
        notes.refuse(f"{at}/allowed_callers", "only the model itself can call it elsewhere")
    _sources(raw.get("url_sources"), f"{at}/url_sources", notes)
    if raw.get("external_web_access") is False:
        notes.refuse(f"{at}/external_web_access", "other providers read the web itself")
    _container(raw.get("container"), f"{at}/container", notes)
    filters = raw.get("filters")
    filters_at = f"{at}/filters" if isinstance(filters, dict) else at
    limits = filters if isinstance(filters, dict) else raw
    if isinstance(filters, dict):
        reading.rest(filters, _FILTERS, filters_at, notes)
    excluded = next((name for name in ("excludeDomains", "exclude_domains") if raw.get(name)), "blocked_domains")
    return Said(
        tool=tool,
        place=_place(raw.get("user_location"), f"{at}/user_location", notes),
        size=_size(raw.get("search_context_size"), f"{at}/search_context_size", notes),
        allowed=reading.strings(limits.get("allowed_domains"), f"{filters_at}/allowed_domains"),
        blocked=reading.strings(limits.get(excluded), f"{filters_at}/{excluded}"),
        filters_at=filters_at,
        excluded=excluded,
    )


def counterpart(tool: Tool, families: Mapping[ServerFamily, _T], context: Context) -> _T | None:
    """What stands for another provider's tool, if the configuration wants that; None, with a refusal: nothing."""
    found = families.get(tool.family) if _mapped(tool, context) else None
    if found is None and tool.family == "tool_search":
        context.notes.drop(tool.at, "there is nothing to look for: the provider has every tool from the beginning")
    elif found is None:
        context.notes.refuse(tool.at, f"{tool.name or tool.family} is run by another provider; see translation.hosted_tools")
    else:
        context.notes.approximate(tool.at, "the provider does it in its own way")
    return found


def server(tool: Tool, families: Mapping[ServerFamily, Any], context: Context) -> Server | None:
    """The server that a tool is about, if the provider may be told of it; None, with a refusal: not."""
    if counterpart(tool, families, context) is None or tool.server is None:
        return None
    for pointer, why in tool.server.unsaid:
        context.notes.refuse(pointer, why)
    return tool.server


def bearer(headers: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
    """The token that some headers show to a server, and the other headers."""
    token, others = None, {}
    for name, value in headers.items():
        if name.lower() == "authorization" and isinstance(value, str) and value[:7].lower() == "bearer ":
            token = value[7:].strip()
        else:
            others[name] = value
    return token, others


def joins(node: dict[str, Any], earlier: dict[str, Any] | None, tool: Tool, notes: Notes) -> bool:
    """Whether a tool goes into an earlier one, as two of the client's may have one counterpart. Their limits must be the same."""
    if earlier is None:
        return False
    if any(earlier.get(limit) != node.get(limit) for limit in _LIMITS):
        notes.refuse(tool.at, "the provider has one tool for this and for another one, and those two have different limits")
    earlier.update(node)
    return True


def forced(request: Request, families: Mapping[ServerFamily, _T], context: Context) -> _T | None:
    """What stands for the tool that has to be called; None, with a refusal: nothing."""
    for tool in request.tools:
        wanted = tool.kind == "hosted" and tool.name in request.policy.names[:1]
        # a server has many tools, of which nothing is known
        if wanted and tool.family != "mcp" and tool.family in families and _mapped(tool, context):
            return families[tool.family]
    context.notes.refuse(request.where.get("policy", ""), "another provider's own tool cannot be forced")
    return None


def finds_tools(request: Request) -> bool:
    """Whether the provider will look for tools by itself, so that they need not all be there from the beginning."""
    return any(tool.kind == "hosted" and tool.family == "tool_search" for tool in request.tools)


def _mapped(tool: Tool, context: Context) -> bool:
    """Whether the configuration wants a counterpart. To look for tools changes nothing in what the model may do."""
    return tool.family == "tool_search" or context.target.options.hosted_tools == "map"


def _container(container: object, at: str, notes: Notes) -> None:
    """Where code runs: files are kept by one provider, and so are containers."""
    if isinstance(container, str):
        notes.refuse(at, "a container belongs to the provider that keeps it")
    elif isinstance(container, dict):
        if container.get("file_ids"):
            notes.refuse(f"{at}/file_ids", "a file belongs to the provider that keeps it")
        reading.rest(container, _CONTAINER, at, notes)


def _sources(sources: object, at: str, notes: Notes) -> None:
    """Whose addresses may be fetched: elsewhere the model fetches any."""
    for name, source in sources.items() if isinstance(sources, dict) else ():
        if isinstance(source, dict) and source.get("type") != "all":
            notes.refuse(f"{at}/{reading.token(name)}", "the provider's tool reads what the model wants to read")


def _place(location: object, at: str, notes: Notes) -> dict[str, Any]:
    if not isinstance(location, dict):
        return {}
    inner = location.get("approximate")  # Chat Completions has one object more
    place = inner if isinstance(inner, dict) else location
    reading.rest(place, _LOCATION.union(_PLACE), f"{at}/approximate" if place is inner else at, notes)
    return {name: place[name] for name in _PLACE if place.get(name)}


def _size(size: Any, at: str, notes: Notes) -> str | None:
    if size is None or size in _SIZES:
        return cast("str | None", size)
    notes.drop(at, "no counterpart")
    return None
