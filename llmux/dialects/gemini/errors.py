"""Errors as Google words them: `{"error": {"code", "message", "status", "details"}}`."""

from __future__ import annotations

import re
from typing import Any

from llmux import jsonio
from llmux.dialects import refusals
from llmux.errors import Fault, Kind
from llmux.headers import Headers

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
    "unprocessable": (400, "INVALID_ARGUMENT"),
    "rate_limit": (429, "RESOURCE_EXHAUSTED"),
    "cancelled": (499, "CANCELLED"),
    "server": (500, "INTERNAL"),
    "unimplemented": (501, "UNIMPLEMENTED"),
    "bad_gateway": (502, "UNAVAILABLE"),
    "overloaded": (503, "UNAVAILABLE"),
    "timeout": (504, "DEADLINE_EXCEEDED"),
    "no_provider": (503, "UNAVAILABLE"),
}


# The word decides; the HTTP status only where there is none, or where it says more.
_WORDS: dict[str, Kind] = {
    "INVALID_ARGUMENT": "invalid",
    "FAILED_PRECONDITION": "invalid",
    "OUT_OF_RANGE": "invalid",
    "UNAUTHENTICATED": "auth",
    "PERMISSION_DENIED": "permission",
    "NOT_FOUND": "not_found",
    "ABORTED": "conflict",
    "ALREADY_EXISTS": "conflict",
    "RESOURCE_EXHAUSTED": "rate_limit",
    "CANCELLED": "cancelled",
    "INTERNAL": "server",
    "UNKNOWN": "server",
    "DATA_LOSS": "server",
    "UNIMPLEMENTED": "unimplemented",
    "UNAVAILABLE": "overloaded",
    "DEADLINE_EXCEEDED": "timeout",
}
_SAYS_MORE = (405, 413, 415, 422, 502)
# What the API has no words for but these: reasons in the details, and sentences.
_BAD_KEYS = ("API_KEY_INVALID", "API_KEY_EXPIRED", "ACCESS_TOKEN_EXPIRED")
_UNPAID_REASONS = ("BILLING_DISABLED",)
_TOO_LONG = re.compile(r"input token count.{0,40}exceeds|exceeds the maximum number of tokens", re.IGNORECASE)
_BAD_KEY = re.compile(r"api key not valid|api key expired", re.IGNORECASE)
_UNPAID = re.compile(r"billing (is|has been) (not enabled|disabled)|enable billing|credits are depleted", re.IGNORECASE)
_PLACE = re.compile(r"location is not supported", re.IGNORECASE)
_DELAY = re.compile(r"(\d+(?:\.\d+)?)s")


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


def read_error(status: int, fields: Headers, body: bytes) -> Fault:
    """What a provider's refusal tells."""
    return refusals.read(status, fields, body, told)


def told(error: dict[str, Any], status: int | None = None) -> Fault:
    """The fault that an `error` object tells; in a stream its own code is the status."""
    error = refusals.innermost(error)
    code, word = error.get("code"), error.get("status")
    if status is None:
        status = code if isinstance(code, int) else 500
    details = [each for each in _list(error.get("details")) if isinstance(each, dict)]
    text = refusals.words(error, word)
    kind = _WORDS.get(word) if isinstance(word, str) else None
    if kind is None or status in _SAYS_MORE:
        kind = refusals.by_status(status)
    return Fault(_refined(kind, text, details), text, retry_after=_delay(details))


def _refined(kind: Kind, text: str, details: list[dict[str, Any]]) -> Kind:
    """The kind by what is said beside it."""
    reasons = [each.get("reason") for each in details]
    if any(reason in _BAD_KEYS for reason in reasons) or (kind == "invalid" and _BAD_KEY.search(text)):
        return "auth"
    if any(reason in _UNPAID_REASONS for reason in reasons) or (kind != "server" and _UNPAID.search(text)):
        return "billing"
    if kind == "invalid" and _TOO_LONG.search(text):
        return "too_long"
    if kind == "invalid" and _PLACE.search(text):
        return "permission"
    return kind


def x_goog_api_key(key: str) -> tuple[bytes, bytes]:
    """The header that carries a key."""
    return b"x-goog-api-key", key.encode()


def _delay(details: list[dict[str, Any]]) -> float | None:
    for each in details:
        found = _DELAY.fullmatch(str(each.get("retryDelay")))
        if found is not None:
            return float(found[1])
    return None


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
