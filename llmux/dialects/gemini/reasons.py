"""Why a model stopped: this API's `finishReason`, both ways. It has none for calls: who calls a function has stopped."""

from __future__ import annotations

from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.gemini.spelling import Node
from llmux.dialects.neutral import Finish, Reason

_FILTERS = (
    *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "ESCALATION"),
    *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "IMAGE_OTHER"),
)
_READ: dict[str, Reason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    **dict.fromkeys(_FILTERS, "filter"),
    **dict.fromkeys(("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE"), "malformed"),
    "TOO_MANY_TOOL_CALLS": "paused",
    "MISSING_THOUGHT_SIGNATURE": "unsealed",
    "CONTINUATION": "continuation",
    "PUP_LIMITED_DISABLED": "disabled",
}
_WRITTEN: dict[Reason, str] = {
    "stop": "STOP",
    "stop_sequence": "STOP",
    "length": "MAX_TOKENS",
    "context_full": "MAX_TOKENS",
    "tool_calls": "STOP",
    "refusal": "SAFETY",
    "filter": "SAFETY",
    "blocked": "SAFETY",  # in a candidate; where there is none it is said of the prompt
    "paused": "TOO_MANY_TOOL_CALLS",
    "malformed": "MALFORMED_FUNCTION_CALL",
    "unsealed": "MISSING_THOUGHT_SIGNATURE",
    "continuation": "MAX_TOKENS",
    "disabled": "PUP_LIMITED_DISABLED",
    "unknown": "OTHER",
}
# Reasons that lose something on the way.
_NEAREST = ("context_full", "continuation", "unknown")
MALFORMED = "MALFORMED_FUNCTION_CALL"
# The API's own words, which stay what they are.
_OWN = frozenset(_READ) | {"OTHER", "NO_IMAGE"}
_BLOCKS = ("SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "MODEL_ARMOR", "JAILBREAK")


def read(candidate: Node) -> Finish:
    """The reason of a candidate that has one."""
    raw, at = str(candidate.get("finishReason")), candidate.where("finishReason")
    message = candidate.get("finishMessage")
    ratings = candidate.get("safetyRatings")
    blocked = [each.get("category") for each in ratings or () if isinstance(each, dict) and each.get("blocked") is True]
    category = next((each for each in blocked if isinstance(each, str)), None)
    told = message if isinstance(message, str) else None
    return Finish(_READ.get(raw.upper(), "unknown"), None, told, category, raw, at, "", _at(candidate, "finishMessage"))


def _at(node: Node, name: str) -> str:
    return node.where(name) if node.get(name) else ""


def blocked(feedback: Node) -> Finish | None:
    """What is said of a prompt that was not answered; None: nothing."""
    reason = feedback.get("blockReason")
    if not isinstance(reason, str):
        return None
    message = feedback.get("blockReasonMessage")
    at = feedback.where("blockReason")
    told = message if isinstance(message, str) else None
    return Finish("blocked", None, told, reason, reason, at, "", _at(feedback, "blockReasonMessage"))


def write(finish: Finish, context: Context) -> dict[str, Any]:
    """`finishReason`, with what was said of it."""
    reason, message = _WRITTEN[finish.reason], finish.message
    if finish.raw in _OWN:
        reason = finish.raw
    else:
        if finish.reason == "unknown":
            message = message or finish.raw or None
        if finish.reason in _NEAREST:
            context.notes.approximate(finish.at, f"the provider stopped for {finish.raw or finish.reason!r}")
        if finish.stop_sequence is not None:
            context.notes.drop(finish.sequence_at, "which sequence it was that stopped the model cannot be said")
        if finish.category is not None:
            context.notes.drop("/stop_details/category", "of what kind a refusal is cannot be said")
    return {"finishReason": reason} if message is None else {"finishReason": reason, "finishMessage": message}


def feedback(finish: Finish) -> dict[str, Any]:
    """What is said of a prompt that was not answered."""
    reason = finish.category if finish.category in _BLOCKS else "OTHER"
    said: dict[str, Any] = {"blockReason": reason}
    if finish.message is not None:
        said["blockReasonMessage"] = finish.message
    return said
