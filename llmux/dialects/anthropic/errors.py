"""Errors as the Anthropic API words them: `{"type": "error", "error": {"type", "message"}, "request_id"}`."""

from __future__ import annotations

from llmux import jsonio
from llmux.errors import Fault, Kind

# kind -> (HTTP status, type)
TABLE: dict[Kind, tuple[int, str]] = {
    "invalid": (400, "invalid_request_error"),
    "too_long": (400, "invalid_request_error"),
    "auth": (401, "authentication_error"),
    "billing": (402, "billing_error"),
    "permission": (403, "permission_error"),
    "not_found": (404, "not_found_error"),
    "method_not_allowed": (405, "invalid_request_error"),
    "conflict": (409, "invalid_request_error"),
    "too_large": (413, "request_too_large"),
    "unsupported_media": (415, "invalid_request_error"),
    "rate_limit": (429, "rate_limit_error"),
    "cancelled": (499, "api_error"),
    "server": (500, "api_error"),
    "unimplemented": (501, "api_error"),
    "bad_gateway": (502, "api_error"),
    "overloaded": (529, "overloaded_error"),
    "timeout": (504, "timeout_error"),
    "no_provider": (503, "api_error"),
}


def error_object(fault: Fault) -> tuple[int, dict[str, object]]:
    """The HTTP status and the object under `error`."""
    status, type_ = TABLE[fault.kind]
    error: dict[str, object] = {"type": fault.error_type or type_, "message": fault.message}
    if fault.details is not None:
        error["details"] = fault.details
    return fault.status or status, error


def error_body(fault: Fault, request_id: str) -> tuple[int, bytes]:
    """The refusal as HTTP status and body."""
    status, error = error_object(fault)
    return status, jsonio.dumps({"type": "error", "error": error, "request_id": request_id})


def x_api_key(key: str) -> tuple[bytes, bytes]:
    """The header that carries a key."""
    return b"x-api-key", key.encode()
