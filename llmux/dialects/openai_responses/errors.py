"""Errors of the Responses API: the HTTP body is the OpenAI one; a stream fails as `response.failed`, or with an `error` event."""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects.openai_chat.errors import bearer, error_body, error_object, read_error
from llmux.errors import Fault, Kind

__all__ = ["bearer", "error_body", "error_object", "failure", "read_error", "told"]

# The API documents few codes, and `server_error` is the general one. The last two are not among them, but they are what it sends,
# and what Codex looks for before it tries again.
_CODES: dict[Kind, str] = {
    "rate_limit": "rate_limit_exceeded",
    "invalid": "invalid_prompt",
    "too_long": "context_length_exceeded",
    "billing": "insufficient_quota",
}

# code -> the HTTP status that such an error has outside of a stream; the many codes of unusable images are like `invalid_prompt`
_STATUSES: dict[str, int] = {
    "server_error": 500,
    "vector_store_timeout": 504,
    "server_is_overloaded": 503,
    "slow_down": 503,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "invalid_prompt": 400,
    "context_length_exceeded": 400,
    "data_residency_mismatch": 403,
    "bio_policy": 400,
    "misalignment_policy_violation": 400,
}


def failure(fault: Fault) -> dict[str, object]:
    """The `error` member of a failed response object."""
    return {"code": _CODES.get(fault.kind, "server_error"), "message": fault.message}


def told(error: object) -> Fault:
    """The fault that a failed response, or an `error` event, tells; there is no status to go by."""
    node: dict[str, Any] = error if isinstance(error, dict) else {}
    inner = node.get("error")
    if isinstance(inner, dict):
        node = inner
    code, type_ = node.get("code"), node.get("type")
    is_ours = (isinstance(code, str) and "image" in code) or type_ == "invalid_request_error"
    status = _STATUSES.get(str(code), 400 if is_ours else 500)
    named = {name: node[name] for name in ("message", "code", "param") if node.get(name) is not None}
    named.setdefault("message", str(code or "the provider reported an error without a word"))
    if type_ not in (None, "error", "response.failed"):
        named["type"] = type_
    return read_error(status, [], jsonio.dumps({"error": named}))
