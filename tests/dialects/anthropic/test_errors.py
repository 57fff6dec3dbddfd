"""Tests for errors, both ways."""

from __future__ import annotations

import json
from typing import Any

from anthropic._models import validate_type
from anthropic.types.shared.error_response import ErrorResponse
from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.anthropic.errors import TABLE, error_body, read_error
from llmux.errors import Fault, Kind


def read(status: int, error: object, *fields: tuple[bytes, bytes]) -> Fault:
    return read_error(status, list(fields), json.dumps({"type": "error", "error": error}).encode())


class WriteTests(SynchronousTestCase):
    """Refusals for clients."""

    def test_strict(self) -> None:
        """The SDK knows every type but two, which the documents know."""
        for kind in TABLE:
            status, body = error_body(Fault(kind, "m"), "req_1")
            document = json.loads(body)
            self.assertGreaterEqual(status, 400)
            if document["error"]["type"] not in ("request_too_large", "conflict_error"):
                validate_type(type_=ErrorResponse, value=document)

    def test_too_long(self) -> None:
        """The API has no type for it, so the sentence says it, which reads as the same kind again."""
        for said, told in (
            ("This exceeds the context window.", "prompt is too long: This exceeds the context window."),
            ("prompt is too long: 9 tokens > 8 maximum", "prompt is too long: 9 tokens > 8 maximum"),
            ("input length and `max_tokens` exceed context limit: 9", "input length and `max_tokens` exceed context limit: 9"),
        ):
            status, body = error_body(Fault("too_long", said), "req_1")
            self.assertEqual((status, json.loads(body)["error"]["message"]), (400, told))
            self.assertEqual(read_error(status, [], body).kind, "too_long")


class ReadTests(SynchronousTestCase):
    """Refusals of providers."""

    def test_types(self) -> None:
        """The type decides; where it says nothing, the status does."""
        cases: list[tuple[int, Any, Kind]] = [
            (400, {"type": "invalid_request_error", "message": "m"}, "invalid"),
            (400, {"type": "invalid_request_error", "message": "prompt is too long: 9 tokens"}, "too_long"),
            (400, {"type": "invalid_request_error", "message": "Your credit balance is too low"}, "billing"),
            (401, {"type": "authentication_error", "message": "m"}, "auth"),
            (402, {"type": "billing_error", "message": "m"}, "billing"),
            (403, {"type": "permission_error", "message": "m"}, "permission"),
            (404, {"type": "not_found_error", "message": "m"}, "not_found"),
            (413, {"type": "request_too_large", "message": "m"}, "too_large"),
            (429, {"type": "rate_limit_error", "message": "m"}, "rate_limit"),
            (200, {"type": "overloaded_error", "message": "m"}, "overloaded"),
            (529, {"type": "api_error", "message": "m"}, "overloaded"),
            (500, {"type": "api_error", "message": "m"}, "server"),
            (503, {"message": "m"}, "overloaded"),
            (418, {"type": 3, "message": "m"}, "invalid"),
        ]
        for status, error, kind in cases:
            self.assertEqual(read(status, error).kind, kind, error)

    def test_hints(self) -> None:
        """When to try again, and whether at all."""
        error = {"type": "rate_limit_error", "message": "m", "details": {"a": 1}}
        fault = read(429, error, (b"retry-after", b"7"), (b"x-should-retry", b"false"))
        self.assertEqual((fault.retry_after, fault.should_retry, fault.details), (7.0, False, {"a": 1}))
        self.assertEqual(read(429, error, (b"retry-after", b"Fri"), (b"retry-after-ms", b"1500")).retry_after, 1.5)
        self.assertIsNone(read(429, error, (b"retry-after", b"nan")).retry_after)

    def test_nested(self) -> None:
        """An error inside an error's message is the one that matters."""
        inner = json.dumps({"type": "error", "error": {"type": "overloaded_error", "message": "deep"}})
        outer = json.dumps({"error": {"message": inner}})
        fault = read(500, {"type": "api_error", "message": outer})
        self.assertEqual((fault.kind, fault.message), ("overloaded", "deep"))

    def test_other_bodies(self) -> None:
        """What is no JSON goes by its status, with the beginning of its text."""
        fault = read_error(502, [], b"<html>" + b"x" * 5000)
        self.assertEqual((fault.kind, len(fault.message)), ("bad_gateway", 2048))
        self.assertEqual(read_error(401, [], b"").message, "the provider answered 401")
        self.assertEqual(read_error(404, [], b'{"error": "gone"}').kind, "not_found")
