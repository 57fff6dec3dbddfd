"""Counted tokens. This API counts inclusively: what was cached is part of the prompt, reasoning part of the completion."""

from __future__ import annotations

from typing import Any

from llmux.dialects.neutral import Usage

# member of the details -> its name among the neutral modalities
_IN = (("audio_tokens", "in_audio"), ("image_tokens", "in_image"), ("text_tokens", "in_text"))
_OUT = (("audio_tokens", "out_audio"), ("image_tokens", "out_image"), ("text_tokens", "out_text"))


def read(raw: dict[str, Any]) -> Usage:
    """The counts. What is not said, or is not a number, counts as none."""
    prompt, completion = _count(raw, "prompt_tokens"), _count(raw, "completion_tokens")
    into, out = _object(raw, "prompt_tokens_details"), _object(raw, "completion_tokens_details")
    reasoning = _count(out, "reasoning_tokens")
    if reasoning and _count(raw, "total_tokens") == prompt + completion + reasoning:
        completion += reasoning  # some servers count it beside the completion
    told: list[tuple[str, int]] = []
    if into or out:
        told = [(name, _count(into, member)) for member, name in _IN] + [(name, _count(out, member)) for member, name in _OUT]
    return Usage(
        in_total=prompt,
        # DeepSeek has its own word for it
        in_cached=_count(into, "cached_tokens") or _count(raw, "prompt_cache_hit_tokens"),
        in_written=_count(into, "cache_write_tokens") or _count(into, "cache_creation_tokens"),
        out_total=completion,
        out_reasoning=reasoning,
        modalities=tuple((name, count) for name, count in told if count),
    )


def write(tokens: Usage) -> dict[str, Any]:
    """The `usage` object."""
    told = dict(tokens.modalities)
    return {
        "prompt_tokens": tokens.in_total,
        "completion_tokens": tokens.out_total,
        "total_tokens": tokens.in_total + tokens.out_total,
        "prompt_tokens_details": {
            "cached_tokens": tokens.in_cached,
            "cache_write_tokens": tokens.in_written,
            "audio_tokens": told.get("in_audio", 0),
            **({"image_tokens": told["in_image"]} if "in_image" in told else {}),
        },
        "completion_tokens_details": {
            "reasoning_tokens": tokens.out_reasoning,
            "audio_tokens": told.get("out_audio", 0),
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _object(raw: dict[str, Any], name: str) -> dict[str, Any]:
    value = raw.get(name)
    return value if isinstance(value, dict) else {}


def _count(raw: dict[str, Any], name: str) -> int:
    value = raw.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
