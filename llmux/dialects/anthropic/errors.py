"""Errors as the Anthropic API words them: `{"type": "error", "error": {"type", "message"}, "request_id"}`."""

from __future__ import annotations

import re
from typing import Any

from llmux import jsonio
from llmux.dialects import refusals
from llmux.errors import Fault, Kind
from llmux.headers import Headers

# kind -> (HTTP status, type)
TABLE: dict[Kind, tuple[int, str]] = {
    "invalid": (400, "invalid_request_error"),
    "too_long": (400, "invalid_request_error"),
    "auth": (401, "authentication_error"),
    "billing": (402, "billing_error"),
    "permission": (403, "permission_error"),
    "not_found": (404, "not_found_error"),
    "method_not_allowed": (405, "invalid_request_error"),
    "conflict": (409, "conflict_error"),
    "too_large": (413, "request_too_large"),
    "unsupported_media": (415, "invalid_request_error"),
    "unprocessable": (400, "invalid_request_error"),
    "rate_limit": (429, "rate_limit_error"),
    "cancelled": (499, "api_error"),
    "server": (500, "api_error"),
    "unimplemented": (501, "api_error"),
    "bad_gateway": (502, "api_error"),
    "overloaded": (529, "overloaded_error"),
    "timeout": (504, "timeout_error"),
    "no_provider": (503, "api_error"),
}

# The type decides, because it may come with any status; `api_error` says nothing that the status does not say better.
_TYPES: dict[str, Kind] = {
    "invalid_request_error": "invalid",
    "authentication_error": "auth",
    "billing_error": "billing",
    "permission_error": "permission",
    "not_found_error": "not_found",
    "conflict_error": "conflict",
    "request_too_large": "too_large",
    "rate_limit_error": "rate_limit",
    "overloaded_error": "overloaded",
    "timeout_error": "timeout",
}
# The API has no type for these two; it says them in words.
_TOO_LONG = re.compile(r"prompt is too long|exceeds? (the )?context (window|limit)|context window", re.IGNORECASE)
_UNPAID = re.compile(r"credit balance is too low", re.IGNORECASE)
# Its clients know these words and nothing else, and shorten the conversation when they read them.
_SAID_TOO_LONG = re.compile(r"prompt is too long|exceed context limit", re.IGNORECASE)


def error_object(fault: Fault) -> tuple[int, dict[str, object]]:
    """The HTTP status and the object under `error`."""
    status, type_ = TABLE[fault.kind]
    error: dict[str, object] = {"type": fault.error_type or type_, "message": _message(fault)}
    if fault.details is not None:
        error["details"] = fault.details
    return fault.status or status, error


def _message(fault: Fault) -> str:
    if fault.kind == "too_long" and not _SAID_TOO_LONG.search(fault.message):
        return f"prompt is too long: {fault.message}"
    return fault.message


def error_body(fault: Fault, request_id: str) -> tuple[int, bytes]:
    """The refusal as HTTP status and body."""
    status, error = error_object(fault)
    return status, jsonio.dumps({"type": "error", "error": error, "request_id": request_id})


def read_error(status: int, fields: Headers, body: bytes) -> Fault:
    """What a provider's refusal tells."""
    return refusals.read(status, fields, body, told)


def told(error: dict[str, Any], status: int = 500) -> Fault:
    """The fault that an `error` object tells; in a stream there is no status to go by."""
    error = refusals.innermost(error)
    type_ = error.get("type")
    kind = _TYPES.get(type_) if isinstance(type_, str) else None
    if kind is None:
        kind = refusals.by_status(status)
    text = refusals.words(error, type_)
    if kind == "invalid" and status == 422:
        kind = "unprocessable"
    elif kind == "invalid" and _TOO_LONG.search(text):
        kind = "too_long"
    elif kind == "invalid" and _UNPAID.search(text):
        kind = "billing"
    return Fault(kind, text, details=error.get("details"))


def x_api_key(key: str) -> tuple[bytes, bytes]:
    """The header that carries a key."""
    return b"x-api-key", key.encode()
