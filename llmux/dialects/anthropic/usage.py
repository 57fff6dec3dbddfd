"""Counted tokens. This API counts what was read from and written to its cache beside the input, not in it."""

from __future__ import annotations

from typing import Any

from llmux.dialects.neutral import Usage

# the words for how a request was served; what others say is left to the usual one
_TIERS = ("standard", "priority", "batch")


def read(raw: dict[str, Any]) -> Usage:
    """Inclusive counts. What is not said, or is not a number, counts as none."""
    cached, written = _count(raw, "cache_read_input_tokens"), _count(raw, "cache_creation_input_tokens")
    creation = _object(raw, "cache_creation")
    servers = _object(raw, "server_tool_use")
    speed, tier = raw.get("speed"), raw.get("service_tier")
    return Usage(
        in_total=_count(raw, "input_tokens") + cached + written,
        in_cached=cached,
        in_written=written,
        out_total=_count(raw, "output_tokens"),
        out_reasoning=_count(_object(raw, "output_tokens_details"), "thinking_tokens"),
        in_written_long=_count(creation, "ephemeral_1h_input_tokens"),
        searches=_count(servers, "web_search_requests"),
        fetches=_count(servers, "web_fetch_requests"),
        tier="fast" if speed == "fast" else tier if isinstance(tier, str) else None,
    )


def write(tokens: Usage, tier: str | None = None) -> dict[str, Any]:
    """The `usage` object of a message."""
    usage = final(tokens)
    if tokens.in_written_long:
        usage["cache_creation"] = {
            "ephemeral_5m_input_tokens": max(tokens.in_written - tokens.in_written_long, 0),
            "ephemeral_1h_input_tokens": tokens.in_written_long,
        }
    tier = tier or tokens.tier
    usage["service_tier"] = tier if tier in _TIERS else "standard"
    return usage


def final(tokens: Usage) -> dict[str, Any]:
    """The `usage` object at the end of a stream: the counts alone."""
    usage: dict[str, Any] = {
        "input_tokens": max(tokens.in_total - tokens.in_cached - tokens.in_written, 0),
        "cache_creation_input_tokens": tokens.in_written,
        "cache_read_input_tokens": tokens.in_cached,
        "output_tokens": tokens.out_total,
        "output_tokens_details": {"thinking_tokens": tokens.out_reasoning},
    }
    if tokens.searches or tokens.fetches:
        usage["server_tool_use"] = {"web_search_requests": tokens.searches, "web_fetch_requests": tokens.fetches}
    return usage


def _object(raw: dict[str, Any], name: str) -> dict[str, Any]:
    value = raw.get(name)
    return value if isinstance(value, dict) else {}


def _count(raw: dict[str, Any], name: str) -> int:
    value = raw.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
