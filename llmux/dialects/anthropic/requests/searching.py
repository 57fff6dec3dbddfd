"""Web search of other providers, as Anthropic's own tool."""

from __future__ import annotations

from typing import Any

from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import Tool

NAME = "web_search"
_TYPE = "web_search_20250305"
_PLACE = ("city", "region", "country", "timezone")


def write(tool: Tool, context: Context) -> dict[str, Any]:
    """The tool with what carries over: where the user is, and which sites to search or to leave out."""
    raw = tool.raw if isinstance(tool.raw, dict) else {}
    written: dict[str, Any] = {"type": _TYPE, "name": NAME}
    if tool.dialect == "gemini":
        _gemini(raw, tool, written, context)
    else:
        _openai(raw, tool, written, context)
    context.notes.approximate(tool.at, "the provider searches in its own way")
    return written


def _openai(raw: dict[str, Any], tool: Tool, written: dict[str, Any], context: Context) -> None:
    known = {"type", "filters", "user_location"}
    filters = raw.get("filters")
    if isinstance(filters, dict):
        for name in ("allowed_domains", "blocked_domains"):
            if filters.get(name):
                written[name] = filters[name]
        reading.rest(filters, frozenset({"allowed_domains", "blocked_domains"}), f"{tool.at}/filters", context.notes)
    place = raw.get("user_location")
    if isinstance(place, dict):
        inner = place.get("approximate")  # Chat Completions has one object more
        place = inner if isinstance(inner, dict) else place
        location = {name: place[name] for name in _PLACE if place.get(name)}
        if location:
            written["user_location"] = {"type": "approximate", **location}
    reading.rest(raw, frozenset(known), tool.at, context.notes)


def _gemini(raw: dict[str, Any], tool: Tool, written: dict[str, Any], context: Context) -> None:
    """`{"googleSearch": {...}}`, or its own member's value."""
    for spelling in ("googleSearch", "google_search", "googleSearchRetrieval", "enterpriseWebSearch"):
        inner = raw.get(spelling)
        if isinstance(inner, dict):
            raw = inner
            break
    else:
        return
    excluded = reading.get(raw, "excludeDomains", "exclude_domains")
    if isinstance(excluded, list) and excluded:
        written["blocked_domains"] = excluded
    known = frozenset({"excludeDomains", "exclude_domains"})
    reading.rest(raw, known, f"{tool.at}/{spelling}", context.notes)
