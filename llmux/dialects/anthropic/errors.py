"""Errors as the Anthropic API words them: `{"type": "error", "error": {"type", "message"}, "request_id"}`."""

from __future__ import annotations

import re
from typing import Any

from llmux import headers, jsonio
from llmux.dialects import reading
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
_STATUSES: dict[int, Kind] = {
    401: "auth",
    402: "billing",
    403: "permission",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media",
    429: "rate_limit",
    499: "cancelled",
    501: "unimplemented",
    502: "bad_gateway",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
# The API has no type for these two; it says them in words.
_TOO_LONG = re.compile(r"prompt is too long|exceeds? (the )?context (window|limit)|context window", re.IGNORECASE)
_UNPAID = re.compile(r"credit balance is too low", re.IGNORECASE)
# Its clients know these words and nothing else, and shorten the conversation when they read them.
_SAID_TOO_LONG = re.compile(r"prompt is too long|exceed context limit", re.IGNORECASE)
_DEEPEST = 3
_LONGEST = 2048


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
    """What a provider's refusal tells. What is no error of this API goes by its status, with the beginning of its text."""
    error = _error(body)
    if error is None:
        text = body[:_LONGEST].decode("utf-8", "replace").strip()
        fault = Fault(_by_status(status), text or f"the provider answered {status}")
    else:
        fault = told(error, status)
    again = headers.first(fields, b"x-should-retry")
    return Fault(
        fault.kind,
        fault.message,
        retry_after=_seconds(fields),
        should_retry=None if again is None else again.strip().lower() == b"true",
        details=fault.details,
    )


def told(error: dict[str, Any], status: int = 500) -> Fault:
    """The fault that an `error` object tells; in a stream there is no status to go by."""
    message = error.get("message")
    for _ in range(_DEEPEST):
        # Gateways put the whole of another error into the message.
        inner = _error(message.encode("utf-8", "surrogatepass")) if isinstance(message, str) else None
        if inner is None:
            break
        error, message = inner, inner.get("message")
    type_ = error.get("type")
    kind = _TYPES.get(type_) if isinstance(type_, str) else None
    if kind is None:
        kind = _by_status(status)
    text = message if isinstance(message, str) and message else str(type_ or "the provider reported an error")
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


def _by_status(status: int) -> Kind:
    return _STATUSES.get(status, "invalid" if 400 <= status < 500 else "server")


def _error(body: bytes) -> dict[str, Any] | None:
    if not body.lstrip().startswith(b"{"):
        return None
    try:
        document = jsonio.loads(body)
    except ValueError:
        return None
    return reading.error_of(document)


def _seconds(fields: Headers) -> float | None:
    """How long to wait, by the header in milliseconds or the one in seconds; dates say nothing without a clock."""
    for name, unit in ((b"retry-after-ms", 1000.0), (b"retry-after", 1.0)):
        value = headers.first(fields, name)
        try:
            seconds = float(value) / unit if value is not None else -1.0
        except ValueError:
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    return None
