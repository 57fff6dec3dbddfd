"""Counted tokens. This API counts inclusively, as we do."""

from __future__ import annotations

from typing import Any

from llmux.dialects.neutral import Usage

_NO_IMAGES = {
    "input_tokens": 0,
    "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
    "output_tokens": 0,
    "total_tokens": 0,
}


def read(response: dict[str, Any]) -> Usage | None:
    """The counts of a response; None where nobody counted. What is not said, or is not a number, counts as none."""
    raw = response.get("usage")
    if not isinstance(raw, dict):
        return None
    read_from, written_to = _object(raw, "input_tokens_details"), _object(raw, "output_tokens_details")
    tier = response.get("service_tier")
    return Usage(
        in_total=_count(raw, "input_tokens"),
        in_cached=_count(read_from, "cached_tokens"),
        in_written=_count(read_from, "cache_write_tokens"),
        out_total=_count(raw, "output_tokens"),
        out_reasoning=_count(written_to, "reasoning_tokens"),
        searches=_count(_object(_object(response, "tool_usage"), "web_search"), "num_requests"),
        tier=tier if isinstance(tier, str) else None,
    )


def write(tokens: Usage) -> dict[str, Any]:
    """The `usage` object. Readers fail without the three details."""
    return {
        "input_tokens": tokens.in_total,
        "input_tokens_details": {"cached_tokens": tokens.in_cached, "cache_write_tokens": tokens.in_written},
        "output_tokens": tokens.out_total,
        "output_tokens_details": {"reasoning_tokens": tokens.out_reasoning},
        "total_tokens": tokens.in_total + tokens.out_total,
    }


def write_tools(tokens: Usage) -> dict[str, Any]:
    """The `tool_usage` object, which names both kinds of tools or neither."""
    return {"image_gen": _NO_IMAGES, "web_search": {"num_requests": tokens.searches}}


def _object(raw: dict[str, Any], name: str) -> dict[str, Any]:
    value = raw.get(name)
    return value if isinstance(value, dict) else {}


def _count(raw: dict[str, Any], name: str) -> int:
    value = raw.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
