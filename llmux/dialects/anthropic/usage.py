"""Counted tokens. This API counts what was read from and written to its cache beside the input, not in it."""

from __future__ import annotations

from typing import Any

from llmux.dialects.neutral import Usage

# the words for how a request was served; what others say is left to the usual one
_TIERS = ("standard", "priority", "batch")


# member -> the slot of its count, or the slots of the counts inside
_Slots = dict[str, "str | _Slots"]
_SLOTS: _Slots = {
    "input_tokens": "in_total",
    "cache_read_input_tokens": "in_cached",
    "cache_creation_input_tokens": "in_written",
    "cache_creation": {"ephemeral_1h_input_tokens": "in_written_long"},
    "output_tokens": "out_total",
    "output_tokens_details": {"thinking_tokens": "out_reasoning"},
    "server_tool_use": {"web_search_requests": "searches", "web_fetch_requests": "fetches"},
}


def read(raw: dict[str, Any]) -> Usage:
    """Inclusive counts. What is not said, or is not a number, counts as none."""
    counts: dict[str, Any] = {}
    _count(raw, _SLOTS, counts)
    counts["in_total"] = counts.get("in_total", 0) + counts.get("in_cached", 0) + counts.get("in_written", 0)
    speed, tier = raw.get("speed"), raw.get("service_tier")
    return Usage(tier="fast" if speed == "fast" else tier if isinstance(tier, str) else None, **counts)


def _count(raw: dict[str, Any], slots: _Slots, counts: dict[str, Any]) -> None:
    for name, value in raw.items():
        if value and name in slots:
            slot = slots[name]
            if isinstance(slot, dict):
                if isinstance(value, dict):
                    _count(value, slot, counts)
            elif type(value) is int:
                counts[slot] = value


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
