"""Tests for errors as OpenAI and its compatible servers word them."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux import jsonio
from llmux.dialects.openai_chat.errors import TABLE, error_body, read_error
from llmux.errors import Fault


def error(**members: Any) -> dict[str, Any]:
    return {"error": {"message": "m", "type": None, "param": None, "code": None, **members}}


class ReadErrorTests(SynchronousTestCase):
    """What a provider's refusal tells."""

    def kind(self, status: int, document: Any) -> str:
        return read_error(status, [], jsonio.dumps(document)).kind

    def test_kinds(self) -> None:
        """By the code first, then by the type, then by the status."""
        cases: list[tuple[int, dict[str, Any], str]] = [
            (400, error(type="invalid_request_error", code="context_length_exceeded"), "too_long"),
            (400, error(message="This model's maximum context length is 8192 tokens."), "too_long"),
            (400, error(type="invalid_request_error"), "invalid"),
            (401, error(type="invalid_request_error", code="invalid_api_key"), "auth"),
            (401, error(type="invalid_request_error"), "auth"),
            (402, error(message="Insufficient Balance"), "billing"),
            (403, error(code="unsupported_country_region_territory"), "permission"),
            (404, error(type="invalid_request_error", code="model_not_found"), "not_found"),
            (404, error(code="DeploymentNotFound"), "not_found"),
            (422, error(), "unprocessable"),
            (429, error(type="insufficient_quota", code="insufficient_quota"), "billing"),
            (429, error(type="tokens", code="rate_limit_exceeded"), "rate_limit"),
            (429, error(type="requests"), "rate_limit"),
            (500, error(type="server_error"), "server"),
            (500, error(type="overloaded_error"), "overloaded"),
            (503, error(type="server_error"), "overloaded"),
            (529, error(), "overloaded"),
            (400, error(type="NotFoundError", code=404), "not_found"),
        ]
        for status, document, kind in cases:
            self.assertEqual(self.kind(status, document), kind, document)

    def test_round(self) -> None:
        """What we say ourselves is understood."""
        for kind in TABLE:
            status, body = error_body(Fault(kind, "m"), "r")
            expected = {"no_provider": "overloaded"}.get(kind, kind)
            self.assertEqual(read_error(status, [], body).kind, expected)

    def test_shapes(self) -> None:
        """Lists, mere texts, members without an object around them, details, and errors inside errors."""
        nested = error(message=jsonio.dumps(error(message=jsonio.dumps(error(code="insufficient_quota")).decode())).decode())
        cases: list[tuple[Any, str]] = [
            ([{"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT"}}], "m"),
            ({"error": "m"}, "m"),
            ({"object": "error", "message": "m", "type": "BadRequestError", "code": 400}, "m"),
            ({"detail": "m"}, "m"),
            ({"detail": [{"msg": "m"}]}, '[{"msg":"m"}]'),
            ({"object": "error", "message": {"detail": "m"}}, '{"detail":"m"}'),
            (nested, "m"),
            (error(message=None, type="server_error"), "server_error"),
        ]
        for document, message in cases:
            self.assertEqual(read_error(400, [], jsonio.dumps(document)).message, message)
        self.assertEqual(self.kind(400, nested), "billing")

    def test_other_bodies(self) -> None:
        """What is no JSON goes by its status, with the beginning of its text."""
        fault = read_error(404, [], b"<html>" + b"x" * 5000)
        self.assertEqual((fault.kind, len(fault.message)), ("not_found", 2048))
        fault = read_error(502, [], b"")
        self.assertEqual((fault.kind, fault.message), ("bad_gateway", "the provider answered 502"))

    def test_codes(self) -> None:
        """A code is kept, as a text."""
        policy = "content_policy_violation"
        self.assertEqual(read_error(400, [], jsonio.dumps(error(code=policy))).code, policy)
        self.assertEqual(read_error(429, [], jsonio.dumps(error(code=429))).code, "429")
        self.assertIsNone(read_error(400, [], jsonio.dumps(error())).code)

    def test_hints(self) -> None:
        """When, and whether, to try again."""
        body = jsonio.dumps(error())
        fault = read_error(429, [(b"retry-after-ms", b"1500"), (b"retry-after", b"2"), (b"x-should-retry", b"false")], body)
        self.assertEqual((fault.retry_after, fault.should_retry), (1.5, False))
        self.assertEqual(read_error(429, [(b"retry-after", b"2")], body).retry_after, 2.0)
        self.assertIsNone(read_error(429, [(b"retry-after", b"Wed, 21 Oct 2026 07:28:00 GMT")], body).retry_after)
