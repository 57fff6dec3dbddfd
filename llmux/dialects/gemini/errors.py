"""Errors as Google words them: `{"error": {"code", "message", "status", "details"}}`."""

from __future__ import annotations

from llmux import jsonio
from llmux.errors import Fault, Kind

# kind -> (HTTP status, google.rpc.Code)
TABLE: dict[Kind, tuple[int, str]] = {
    "invalid": (400, "INVALID_ARGUMENT"),
    "too_long": (400, "INVALID_ARGUMENT"),
    "auth": (401, "UNAUTHENTICATED"),
    "billing": (429, "RESOURCE_EXHAUSTED"),
    "permission": (403, "PERMISSION_DENIED"),
    "not_found": (404, "NOT_FOUND"),
    "method_not_allowed": (405, "INVALID_ARGUMENT"),
    "conflict": (409, "ABORTED"),
    "too_large": (413, "INVALID_ARGUMENT"),
    "unsupported_media": (415, "INVALID_ARGUMENT"),
    "rate_limit": (429, "RESOURCE_EXHAUSTED"),
    "cancelled": (499, "CANCELLED"),
    "server": (500, "INTERNAL"),
    "unimplemented": (501, "UNIMPLEMENTED"),
    "bad_gateway": (502, "UNAVAILABLE"),
    "overloaded": (503, "UNAVAILABLE"),
    "timeout": (504, "DEADLINE_EXCEEDED"),
    "no_provider": (503, "UNAVAILABLE"),
}


def error_object(fault: Fault) -> tuple[int, dict[str, object]]:
    """The HTTP status and the object under `error`."""
    status, word = TABLE[fault.kind]
    status = fault.status or status
    details: list[object] = []
    if fault.param is not None and fault.kind == "invalid":
        violation = {"field": fault.param, "description": fault.message}
        details.append({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]})
    if fault.retry_after is not None:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{fault.retry_after:g}s"})
    if isinstance(fault.details, list):
        details.extend(fault.details)
    return status, {"code": status, "message": fault.message, "status": fault.error_type or word, "details": details}


def error_body(fault: Fault, request_id: str) -> tuple[int, bytes]:
    """The refusal as HTTP status and body. The request id travels in a header."""
    status, error = error_object(fault)
    return status, jsonio.dumps({"error": error})


def x_goog_api_key(key: str) -> tuple[bytes, bytes]:
    """The header that carries a key."""
    return b"x-goog-api-key", key.encode()
