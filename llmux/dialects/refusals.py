"""What the refusals of all providers have in common: a status, a body that may be no error at all, hints of when to ask again."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parsedate_to_datetime
from math import inf
from typing import Any

import attrs

from llmux import headers, jsonio
from llmux.errors import Fault, Kind
from llmux.headers import Headers

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
    422: "unprocessable",
    429: "rate_limit",
    499: "cancelled",
    501: "unimplemented",
    502: "bad_gateway",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
_DEEPEST = 3
_LONGEST = 2048


def read(status: int, fields: Headers, body: bytes, told: Callable[[dict[str, Any], int], Fault]) -> Fault:
    """What a provider's refusal tells. `told(error, status)` reads an error of its API; what is none goes by its status, with the
    beginning of its text.
    """
    error = error_of(_document(body))
    if error is None:
        text = body[:_LONGEST].decode("utf-8", "replace").strip()
        fault = Fault(by_status(status), text or f"the provider answered {status}")
    else:
        fault = told(error, status)
    wait = fault.retry_after if fault.retry_after is not None else _wait(fields)
    again = headers.first(fields, b"x-should-retry")
    should_retry = None if again is None else again.strip().lower() == b"true"
    return attrs.evolve(fault, retry_after=wait, should_retry=should_retry)


def by_status(status: int) -> Kind:
    """What a status says alone."""
    return _STATUSES.get(status, "invalid" if 400 <= status < 500 else "server")


def innermost(error: dict[str, Any]) -> dict[str, Any]:
    """The error that is meant: gateways put the whole of another one into the message."""
    for _ in range(_DEEPEST):
        message = error.get("message")
        inner = error_of(_document(message.encode("utf-8", "surrogatepass"))) if isinstance(message, str) else None
        if inner is None:
            break
        error = inner
    return error


def words(error: dict[str, Any], instead: object) -> str:
    """What an error says to people, or `instead` where it has no message."""
    message = error.get("message")
    if isinstance(message, str) and message:
        return message
    return jsonio.dumps(message).decode() if message else str(instead or "the provider reported an error")


def error_of(document: object) -> dict[str, Any] | None:
    """The object of a provider's error, if the document is one.

    Google puts it into a list; compatible servers have a mere text, or the members without an object around them.
    """
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if not isinstance(document, dict):
        return None
    error = document.get("error")
    if isinstance(error, dict):
        return error
    if isinstance(error, str) and error:
        return {"message": error}
    if document.get("object") == "error":
        return document
    detail = document.get("detail")
    if detail and "choices" not in document:
        return {"message": detail if isinstance(detail, str) else jsonio.dumps(detail).decode()}
    return None


def _document(body: bytes) -> object:
    if body.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        return jsonio.loads(body)
    except ValueError:
        return None


def _wait(fields: Headers) -> float | None:
    """Seconds until it may be asked again, by the header in milliseconds or the one that has seconds or a date."""
    for name, unit in ((b"retry-after-ms", 1000.0), (b"retry-after", 1.0)):
        value = headers.first(fields, name)
        if value is None:
            continue
        try:
            seconds = float(value) / unit
        except ValueError:
            seconds = _until(value, headers.first(fields, b"date"))
        if 0 <= seconds < inf:
            return seconds
    return None


def _until(date: bytes, now: bytes | None) -> float:
    """How far a date is from the one at which the provider answered, by its own clock. Less than nothing is no answer."""
    try:
        then, at = (parsedate_to_datetime(each.decode("latin-1")) for each in (date, now or b""))
        return (then - at).total_seconds()
    except (ValueError, TypeError):
        return -1.0
