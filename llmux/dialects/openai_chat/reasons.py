"""Why a model stopped: this API's `finish_reason`, both ways."""

from __future__ import annotations

from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import Finish, Reason
from llmux.errors import Fault

# The second half are words of compatible servers.
_READ: dict[str, Reason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "filter",
    "end_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_length": "length",
}

_WRITTEN: dict[Reason, str] = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "context_full": "length",
    "tool_calls": "tool_calls",
    "refusal": "content_filter",  # `stop` beside a refusal in words
    "filter": "content_filter",
    "blocked": "content_filter",
    "paused": "stop",
    "malformed": "stop",
    "continuation": "length",
    "unknown": "stop",
}
# Reasons that lose something on the way.
_NEAREST = ("context_full", "paused", "malformed", "unknown")


def place(index: int) -> str:
    """Where the reason of a choice stands."""
    return f"/choices/{index}/finish_reason"


def read(choice: dict[str, Any], index: int, *, refused: bool) -> Finish | None:
    """The reason of a choice, None where it has none yet. `refused`: the model said a refusal, which this API calls a stop."""
    raw = choice.get("finish_reason")
    if not isinstance(raw, str) or not raw:
        return None
    reason = _READ.get(raw, "unknown")
    if reason == "stop" and refused:
        reason = "refusal"
    # vLLM and SGLang say which sequence it was; a number is a token's.
    name = "stop_reason" if choice.get("stop_reason") else "matched_stop"
    sequence = choice.get(name)
    if reason == "stop" and isinstance(sequence, str) and sequence:
        return Finish("stop_sequence", sequence, raw=raw, at=place(index), sequence_at=f"/choices/{index}/{name}")
    return Finish(reason, raw=raw, at=place(index))


def refusal(finish: Finish) -> str:
    """A refusal that was explained beside the answer, and is said in words here."""
    return finish.message or "" if finish.reason == "refusal" else ""


def write(finish: Finish, context: Context, *, refused: bool, legacy: bool = False) -> str:
    """The word for it. `legacy`: the client knows functions, not tools. Raises Fault for what this API answers by an error."""
    if finish.reason == "stop" and finish.stop_sequence is None:
        return "stop"  # most do, and nothing is lost of it
    if finish.reason == "unsealed":
        raise Fault("invalid", finish.message or "the provider misses a signature of its own thinking")
    if finish.reason == "disabled":
        raise Fault("permission", finish.message or "the provider does not serve this account")
    if finish.reason in _NEAREST:
        context.notes.approximate(finish.at, f"the provider stopped for {finish.raw or finish.reason!r}")
    if finish.stop_sequence is not None:
        context.notes.carry(finish.sequence_at, "only some clients know where to find it: matched_stop")
    if finish.category is not None and finish.reason == "refusal":
        context.notes.drop("/stop_details/category", f"what kind of refusal it is cannot be said: {finish.category}")
    if finish.reason == "refusal" and refused:
        return "stop"
    if finish.reason == "tool_calls" and legacy:
        return "function_call"
    return _WRITTEN[finish.reason]
