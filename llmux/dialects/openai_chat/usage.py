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
    cached = _count(raw, "prompt_cache_hit_tokens") if "prompt_cache_hit_tokens" in raw else 0  # DeepSeek's word for it
    into, out = raw.get("prompt_tokens_details"), raw.get("completion_tokens_details")
    modalities: tuple[tuple[str, int], ...] = ()
    written = reasoning = 0
    if into and isinstance(into, dict):
        cached = _count(into, "cached_tokens") or cached
        written = _count(into, "cache_write_tokens") or _count(into, "cache_creation_tokens")
        modalities = _modalities(into, _IN)
    if out and isinstance(out, dict):
        reasoning = _count(out, "reasoning_tokens")
        if reasoning and _count(raw, "total_tokens") == prompt + completion + reasoning:
            completion += reasoning  # some servers count it beside the completion
        modalities += _modalities(out, _OUT)
    return Usage(prompt, cached, written, completion, reasoning, modalities=modalities)


def write(tokens: Usage) -> dict[str, Any]:
    """The `usage` object."""
    told = dict(tokens.modalities) if tokens.modalities else {}
    into = {
        "cached_tokens": tokens.in_cached,
        "cache_write_tokens": tokens.in_written,
        "audio_tokens": told.get("in_audio", 0),
    }
    if "in_image" in told:
        into["image_tokens"] = told["in_image"]
    return {
        "prompt_tokens": tokens.in_total,
        "completion_tokens": tokens.out_total,
        "total_tokens": tokens.in_total + tokens.out_total,
        "prompt_tokens_details": into,
        "completion_tokens_details": {
            "reasoning_tokens": tokens.out_reasoning,
            "audio_tokens": told.get("out_audio", 0),
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _modalities(details: dict[str, Any], names: tuple[tuple[str, str], ...]) -> tuple[tuple[str, int], ...]:
    told: tuple[tuple[str, int], ...] = ()
    for member, name in names:
        if details.get(member):  # most are 0, or not there
            count = _count(details, member)
            if count:
                told += ((name, count),)
    return told


def _count(raw: dict[str, Any], name: str) -> int:
    value = raw.get(name)
    return value if type(value) is int else 0
