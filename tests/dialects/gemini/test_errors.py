"""Tests for the errors of a provider, and for where it is asked."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.gemini import GEMINI
from llmux.errors import Fault, Kind


def body(code: int, status: str, message: str = "m", **more: Any) -> bytes:
    """A refusal of Google's."""
    return json.dumps({"error": {"code": code, "message": message, "status": status, **more}}).encode()


class ErrorTests(SynchronousTestCase):
    """What a refusal tells."""

    def kind(self, status: int, data: bytes) -> Kind:
        """The kind of a refusal."""
        return GEMINI.read_error(status, [], data).kind

    def test_kinds(self) -> None:
        """The word decides, the status where there is none or where it says more."""
        bad_key = body(400, "INVALID_ARGUMENT", "API key not valid.", details=[{"reason": "API_KEY_INVALID"}])
        too_long = body(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens allowed (8).")
        place = body(400, "FAILED_PRECONDITION", "User location is not supported for the API use.")
        unpaid = body(403, "PERMISSION_DENIED", "x", details=[{"reason": "BILLING_DISABLED"}])
        for status, data, kind in (
            (400, body(400, "INVALID_ARGUMENT"), "invalid"),
            (400, bad_key, "auth"),
            (400, too_long, "too_long"),
            (400, place, "permission"),
            (403, unpaid, "billing"),
            (401, body(401, "UNAUTHENTICATED"), "auth"),
            (403, body(403, "PERMISSION_DENIED"), "permission"),
            (404, body(404, "NOT_FOUND"), "not_found"),
            (409, body(409, "ABORTED"), "conflict"),
            (413, body(413, "INVALID_ARGUMENT"), "too_large"),
            (429, body(429, "RESOURCE_EXHAUSTED"), "rate_limit"),
            (499, body(499, "CANCELLED"), "cancelled"),
            (500, body(500, "INTERNAL"), "server"),
            (501, body(501, "UNIMPLEMENTED"), "unimplemented"),
            (503, body(503, "UNAVAILABLE"), "overloaded"),
            (502, body(502, "UNAVAILABLE"), "bad_gateway"),
            (504, body(504, "DEADLINE_EXCEEDED"), "timeout"),
            (404, b"<html>no</html>", "not_found"),
            (418, b"", "invalid"),
            (599, b"", "server"),
        ):
            self.assertEqual(self.kind(status, data), kind, (status, data))

    def test_arrays_and_nesting(self) -> None:
        """Streams without events wrap errors in an array; gateways put errors into messages."""
        wrapped = b"[" + body(503, "UNAVAILABLE", "later") + b"]"
        nested = body(500, "INTERNAL", body(429, "RESOURCE_EXHAUSTED", "slow").decode())
        for data, kind, message in ((wrapped, "overloaded", "later"), (nested, "rate_limit", "slow")):
            fault = GEMINI.read_error(500, [], data)
            self.assertEqual((fault.kind, fault.message), (kind, message))

    def test_waiting(self) -> None:
        """How long to wait stands in the details, or in a header."""
        details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "12.5s"}]
        data = body(429, "RESOURCE_EXHAUSTED", details=details)
        self.assertEqual(GEMINI.read_error(429, [(b"retry-after", b"3")], data).retry_after, 12.5)
        self.assertEqual(GEMINI.read_error(429, [(b"retry-after", b"3")], b"").retry_after, 3.0)
        self.assertIs(GEMINI.read_error(429, [(b"x-should-retry", b"false")], b"").should_retry, False)

    def test_written(self) -> None:
        """The field at fault is a violation."""
        status, data = GEMINI.error_body(Fault("invalid", "no", param="/contents"), "r")
        (detail,) = json.loads(data)["error"]["details"]
        self.assertEqual((status, detail["fieldViolations"][0]["field"]), (400, "/contents"))


class AddressTests(SynchronousTestCase):
    """Where the provider is asked."""

    def test_address(self) -> None:
        """Model and method stand in the path, and streams are events."""
        self.assertEqual(GEMINI.address("gemini-3", False), (b"/v1beta/models/gemini-3:generateContent", b""))
        self.assertEqual(GEMINI.address("a b?", True), (b"/v1beta/models/a%20b%3F:streamGenerateContent", b"alt=sse"))

    def test_names(self) -> None:
        """Which names tools may have."""
        for name, allowed in (
            ("a.b:c-d_1", True),
            ("_a", True),
            ("1a", False),
            ("a b", False),
            ("a" * 128, True),
            ("a" * 129, False),
        ):
            self.assertEqual(GEMINI.names.allows(name), allowed, name)
