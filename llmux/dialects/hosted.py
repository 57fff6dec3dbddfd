"""Tools that a provider runs itself, where the configuration lets one provider's stand for another's.

Each API has its own words for what such a tool is told: where the user is, which sites it may read. What a client forbids stays
forbidden: a limit that the other provider's tool does not know is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import attrs

from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import Request, ServerFamily, Tool
from llmux.dialects.notes import Notes

_T = TypeVar("_T")

_PLACE = ("city", "country", "region", "timezone")
_SIZES = ("low", "medium", "high")
# What is read here, or says nothing.
_KNOWN = frozenset({"type", "name", "cache_control", "filters", "user_location", "search_context_size", "allowed_callers"})
_KNOWN |= {"allowed_domains", "blocked_domains", "excludeDomains", "exclude_domains", "container", "external_web_access"}
_FILTERS = frozenset({"allowed_domains", "blocked_domains"})
_CONTAINER = frozenset({"type", "file_ids"})


@attrs.frozen(kw_only=True)
class Said:
    """What a client says of a tool. `allowed` and `blocked` are sites."""

    tool: Tool
    place: dict[str, Any]
    size: str | None
    allowed: list[Any]
    blocked: list[Any]
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
    if raw.get("external_web_access") is False:
        notes.refuse(f"{at}/external_web_access", "other providers read the web itself")
    _container(raw.get("container"), f"{at}/container", notes)
    filters = raw.get("filters")
    filters_at = f"{at}/filters" if isinstance(filters, dict) else at
    limits = filters if isinstance(filters, dict) else raw
    if isinstance(filters, dict):
        reading.rest(filters, _FILTERS, filters_at, notes)
    excluded = next((name for name in ("excludeDomains", "exclude_domains") if raw.get(name)), "blocked_domains")
    size = raw.get("search_context_size")
    return Said(
        tool=tool,
        place=_place(raw.get("user_location")),
        size=size if size in _SIZES else None,
        allowed=_list(limits.get("allowed_domains")),
        blocked=_list(limits.get(excluded)),
        filters_at=filters_at,
        excluded=excluded,
    )


def counterpart(tool: Tool, families: Mapping[ServerFamily, _T], context: Context) -> _T | None:
    """What stands for another provider's tool, if the configuration wants that; None, with a refusal: nothing."""
    found = families.get(tool.family) if context.target.options.hosted_tools == "map" else None
    if found is None:
        context.notes.refuse(tool.at, f"{tool.name or tool.family} is run by another provider; see translation.hosted_tools")
    else:
        context.notes.approximate(tool.at, "the provider does it in its own way")
    return found


def forced(request: Request, families: Mapping[ServerFamily, _T], context: Context) -> _T | None:
    """What stands for the tool that has to be called, by its name or its type; None, with a refusal: nothing."""
    names = request.policy.names
    if names and context.target.options.hosted_tools == "map":
        for tool in request.tools:
            kind = tool.raw.get("type") if isinstance(tool.raw, dict) else None
            if tool.kind == "hosted" and names[0] in (tool.name, kind) and tool.family in families:
                return families[tool.family]
    context.notes.refuse(request.where.get("policy", ""), "another provider's own tool cannot be forced")
    return None


def finds_tools(request: Request, context: Context) -> bool:
    """Whether the provider will look for tools by itself, so that they need not all be there from the beginning."""
    return context.target.options.hosted_tools == "map" and any(
        tool.kind == "hosted" and tool.family == "tool_search" for tool in request.tools
    )


def _container(container: object, at: str, notes: Notes) -> None:
    """Where code runs: files are kept by one provider, and so are containers."""
    if isinstance(container, str):
        notes.refuse(at, "a container belongs to the provider that keeps it")
    elif isinstance(container, dict):
        if container.get("file_ids"):
            notes.refuse(f"{at}/file_ids", "a file belongs to the provider that keeps it")
        reading.rest(container, _CONTAINER, at, notes)


def _place(location: object) -> dict[str, Any]:
    if not isinstance(location, dict):
        return {}
    inner = location.get("approximate")  # Chat Completions has one object more
    place = inner if isinstance(inner, dict) else location
    return {name: place[name] for name in _PLACE if place.get(name)}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
