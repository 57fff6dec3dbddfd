"""Errors as the OpenAI API words them: `{"error": {"message", "type", "param", "code"}}`."""

from __future__ import annotations

from llmux import jsonio
from llmux.errors import Fault, Kind

# kind -> (HTTP status, type, code)
TABLE: dict[Kind, tuple[int, str, str | None]] = {
    "invalid": (400, "invalid_request_error", None),
    "too_long": (400, "invalid_request_error", "context_length_exceeded"),
    "auth": (401, "invalid_request_error", "invalid_api_key"),
    "billing": (429, "insufficient_quota", "insufficient_quota"),
    "permission": (403, "invalid_request_error", "permission_denied"),
    "not_found": (404, "invalid_request_error", "not_found"),
    "method_not_allowed": (405, "invalid_request_error", "method_not_allowed"),
    "conflict": (409, "invalid_request_error", "conflict"),
    "too_large": (413, "invalid_request_error", "request_too_large"),
    "unsupported_media": (415, "invalid_request_error", "unsupported_media_type"),
    "rate_limit": (429, "rate_limit_error", "rate_limit_exceeded"),
    "cancelled": (499, "invalid_request_error", "cancelled"),
    "server": (500, "server_error", None),
    "unimplemented": (501, "server_error", "unimplemented"),
    "bad_gateway": (502, "server_error", "upstream_invalid"),
    "overloaded": (503, "server_error", "overloaded"),
    "timeout": (504, "server_error", "timeout"),
    "no_provider": (503, "server_error", "no_provider"),
}


def error_object(fault: Fault) -> tuple[int, dict[str, object]]:
    """The HTTP status and the object under `error`."""
    status, type_, code = TABLE[fault.kind]
    error: dict[str, object] = {
        "message": fault.message,
        "type": fault.error_type or type_,
        "param": fault.param,
        "code": fault.code or code,
    }
    if fault.details is not None:
        error["details"] = fault.details
    return fault.status or status, error


def error_body(fault: Fault, request_id: str) -> tuple[int, bytes]:
    """The refusal as HTTP status and body. The request id travels in a header in this API."""
    status, error = error_object(fault)
    return status, jsonio.dumps({"error": error})


def bearer(key: str) -> tuple[bytes, bytes]:
    """The header that carries a key."""
    return b"authorization", b"Bearer " + key.encode()
