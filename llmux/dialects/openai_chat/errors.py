"""Errors as the OpenAI API words them: `{"error": {"message", "type", "param", "code"}}`."""

from __future__ import annotations

import re
from typing import Any

from llmux import jsonio
from llmux.dialects import refusals
from llmux.errors import Fault, Kind
from llmux.headers import Headers

# kind -> (HTTP status, type, code)
TABLE: dict[Kind, tuple[int, str, str | None]] = {
    "invalid": (400, "invalid_request_error", None),
    "too_long": (400, "invalid_request_error", "context_length_exceeded"),
    "auth": (401, "invalid_request_error", "invalid_api_key"),
    "billing": (429, "insufficient_quota", "insufficient_quota"),
    "permission": (403, "invalid_request_error", "permission_denied"),
    "not_found": (404, "invalid_request_error", "model_not_found"),
    "method_not_allowed": (405, "invalid_request_error", "method_not_allowed"),
    "conflict": (409, "invalid_request_error", "conflict"),
    "too_large": (413, "invalid_request_error", "request_too_large"),
    "unsupported_media": (415, "invalid_request_error", "unsupported_media_type"),
    "unprocessable": (422, "invalid_request_error", None),
    "rate_limit": (429, "rate_limit_error", "rate_limit_exceeded"),
    "cancelled": (499, "invalid_request_error", "cancelled"),
    "server": (500, "server_error", None),
    "unimplemented": (501, "server_error", "unimplemented"),
    "bad_gateway": (502, "server_error", "upstream_invalid"),
    "overloaded": (503, "server_error", "overloaded"),
    "timeout": (504, "server_error", "timeout"),
    "no_provider": (503, "server_error", "no_provider"),
}

# The code decides, then the type, then the status: types are few and come with many statuses.
_CODES: dict[str, Kind] = {
    "context_length_exceeded": "too_long",
    "string_above_max_length": "invalid",
    "invalid_api_key": "auth",
    "insufficient_quota": "billing",
    "billing_not_active": "billing",
    "billing_hard_limit_reached": "billing",
    "unsupported_country_region_territory": "permission",
    "model_not_found": "not_found",
    "deploymentnotfound": "not_found",
    "rate_limit_exceeded": "rate_limit",
    "overloaded": "overloaded",
    "server_overloaded": "overloaded",
    "timeout": "timeout",
}
_TYPES: dict[str, Kind] = {
    "insufficient_quota": "billing",
    "billing_error": "billing",
    "authentication_error": "auth",
    "permission_error": "permission",
    "not_found_error": "not_found",
    "notfounderror": "not_found",
    "rate_limit_error": "rate_limit",
    "requests": "rate_limit",  # which of the limits it was
    "tokens": "rate_limit",
    "overloaded_error": "overloaded",
    "timeout_error": "timeout",
    "badrequesterror": "invalid",
}
# Without a status, in a stream, the type says at least whose mistake it was.
_IN_STREAM: dict[str, int] = {"invalid_request_error": 400}
# Compatible servers have no code for this; they say it in words.
_TOO_LONG = re.compile(
    r"maximum context length|context (window|length) (is )?exceed|exceeds? (the )?(model's )?context", re.IGNORECASE
)


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


def read_error(status: int, fields: Headers, body: bytes) -> Fault:
    """What a provider's refusal tells."""
    return refusals.read(status, fields, body, told)


def told(error: dict[str, Any], status: int | None = None) -> Fault:
    """The fault that an error object tells. In a stream there is no status but one that may stand in it."""
    error = refusals.innermost(error)
    code, type_ = error.get("code"), error.get("type")
    number = _number(code)
    if status is None:
        status = number or _IN_STREAM.get(str(type_), 500)
    kind = _CODES.get(str(code).lower()) or _TYPES.get(str(type_).lower()) or refusals.by_status(status)
    text = refusals.words(error, type_)
    if kind == "invalid" and status == 422:
        kind = "unprocessable"
    elif kind == "invalid" and _TOO_LONG.search(text):
        kind = "too_long"
    param = error.get("param")
    # A code says more than the kind, but a client expects a text.
    return Fault(kind, text, code=None if code is None else str(code), param=param if isinstance(param, str) else None)


def _number(code: object) -> int | None:
    """A code that is a status."""
    text = str(code)
    return int(text) if text.isdecimal() and len(text) == 3 and text[0] in "45" else None


def bearer(key: str) -> tuple[bytes, bytes]:
    """The header that carries a key."""
    return b"authorization", b"Bearer " + key.encode()
