"""Why a model stopped: this API's `stop_reason`, both ways."""

from __future__ import annotations

from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import Finish, Reason
from llmux.errors import Fault

_AT = "/stop_reason"
_READ: dict[str, Reason] = {
    "end_turn": "stop",
    "stop_sequence": "stop_sequence",
    "max_tokens": "length",
    "model_context_window_exceeded": "context_full",
    "tool_use": "tool_calls",
    "refusal": "refusal",
    "pause_turn": "paused",
    "compaction": "stop",
}

_WRITTEN: dict[Reason, str] = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "context_full": "model_context_window_exceeded",
    "tool_calls": "tool_use",
    "refusal": "refusal",
    "filter": "refusal",
    "blocked": "refusal",
    "paused": "pause_turn",
    "malformed": "end_turn",
    "continuation": "max_tokens",
    "unknown": "end_turn",
}
# Reasons that lose something on the way.
_NEAREST = ("malformed", "unknown")
_CATEGORIES = ("cyber", "bio", "frontier_llm", "reasoning_extraction", "general_harms")


def read(delta: dict[str, Any], context: Context) -> Finish:
    """The reason, with what was said of it."""
    raw = delta.get("stop_reason")
    if raw is None:
        context.notes.invent(_AT, "the provider gave no reason")
        return Finish("stop", at=_AT)
    raw = str(raw)
    if raw == "compaction":
        context.notes.approximate(_AT, "the provider stopped after it had compacted the conversation")
    details = delta.get("stop_details")
    sequence = delta.get("stop_sequence")
    if not isinstance(details, dict):
        details = {}
    return Finish(
        _READ.get(raw, "unknown"),
        sequence if isinstance(sequence, str) else None,
        _text(details.get("explanation")),
        _text(details.get("category")),
        raw,
        _AT,
        "/stop_sequence",
        "/stop_details/explanation" if details.get("explanation") else "",
    )


def write(finish: Finish, context: Context) -> dict[str, Any]:
    """`stop_reason` and its companions. Raises Fault for what this API answers by an error."""
    if finish.reason == "unsealed":
        raise Fault("invalid", finish.message or "the provider misses a signature of its own thinking")
    if finish.reason == "disabled":
        raise Fault("permission", finish.message or "the provider does not serve this account")
    if finish.reason in _NEAREST:
        context.notes.approximate(finish.at, f"the provider stopped for {finish.raw or finish.reason!r}")
    reason = _WRITTEN[finish.reason]
    said: dict[str, Any] = {"stop_reason": reason, "stop_sequence": finish.stop_sequence}
    category = finish.category if finish.category in _CATEGORIES else None
    if reason == "refusal" and (category is not None or finish.message is not None):
        said["stop_details"] = {"type": "refusal", "category": category, "explanation": finish.message}
    return said


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
