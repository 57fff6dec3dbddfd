"""Why a model stopped: this API's `status` with its companions, both ways."""

from __future__ import annotations

from typing import Any

import attrs

from llmux.dialects.context import Context
from llmux.dialects.neutral import Finish, Reason

_REASON = "/incomplete_details/reason"
_READ: dict[str, Reason] = {"max_output_tokens": "length", "content_filter": "filter", "max_messages": "stop", "steered": "stop"}

# reason -> why the response is incomplete
_INCOMPLETE: dict[Reason, str] = {
    "length": "max_output_tokens",
    "context_full": "max_output_tokens",
    "continuation": "max_output_tokens",
    "filter": "content_filter",
    "blocked": "content_filter",
}
# reason -> code and message of the error with which the response failed; every other reason completes it
_FAILED: dict[Reason, tuple[str, str]] = {
    "malformed": ("server_error", "the model's tool call cannot be read"),
    "unsealed": ("invalid_prompt", "the provider misses a signature of its own thinking"),
    "disabled": ("server_error", "the provider does not serve this account"),
}
# Reasons that lose something on the way.
_NEAREST = frozenset({"context_full", "paused", "unknown"})


@attrs.frozen
class Ending:
    """The end of a response object."""

    status: str
    incomplete_details: dict[str, Any] | None = None
    error: dict[str, Any] | None = None

    def enter(self, body: dict[str, Any]) -> None:
        """Write it into the object."""
        body["status"] = self.status
        body["error"] = self.error
        body["incomplete_details"] = self.incomplete_details


def read(response: dict[str, Any], *, refused: bool, called: bool, context: Context) -> Finish:
    """The reason. `refused`: the model told a refusal; `called`: it called a tool of the client's, which counts more."""
    if response.get("status") != "incomplete":
        return Finish("refusal" if refused and not called else "stop", raw="completed", at="/status")
    details = response.get("incomplete_details")
    raw = str(details.get("reason")) if isinstance(details, dict) else ""
    reason = _READ.get(raw, "length")
    if raw not in _READ or reason == "stop":
        context.notes.approximate(_REASON, f"the provider stopped for {raw or 'no reason'!r}")
    return Finish(reason, raw=raw, at=_REASON)


def write(finish: Finish, *, refused: bool, context: Context) -> Ending:
    """The end. `refused`: the answer holds a refusal; one without words is what the API calls filtered."""
    if finish.reason in _NEAREST:
        context.notes.approximate(finish.at, f"the provider stopped for {finish.raw or finish.reason!r}")
    if finish.stop_sequence is not None:
        context.notes.drop(finish.sequence_at, "which sequence it was cannot be said")
    if finish.category is not None and finish.reason == "refusal":
        context.notes.drop("/stop_details/category", "what kind of refusal it was cannot be said")
    if finish.reason in _FAILED:
        code, message = _FAILED[finish.reason]
        return Ending("failed", error={"code": code, "message": finish.message or message})
    why = "content_filter" if finish.reason == "refusal" and not refused else _INCOMPLETE.get(finish.reason)
    return Ending("completed") if why is None else Ending("incomplete", {"reason": why})
