"""Tests for where a provider is asked, and for the errors that it tells."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.context import Context
from llmux.dialects.openai_responses import OPENAI_RESPONSES
from llmux.dialects.openai_responses.errors import told
from llmux.dialects.seals import Seals


class DialectTests(SynchronousTestCase):
    """What the rest of llmux knows of this API."""

    def test_address(self) -> None:
        """One path for everything, and no headers of its own."""
        self.assertEqual(OPENAI_RESPONSES.address("gpt-5.1", True), (b"/responses", b""))
        self.assertEqual(OPENAI_RESPONSES.fields(Context(seals=Seals((b"x",)))), [])

    def test_names(self) -> None:
        """Letters, digits, two signs; customs and namespaces are known."""
        rule = OPENAI_RESPONSES.names
        for name, allowed in (("a-B_9", True), ("x" * 64, True), ("x" * 65, False), ("a.b", False), ("", False)):
            self.assertEqual(rule.allows(name), allowed, name)
        self.assertTrue(rule.customs and rule.namespaces)

    def test_http_errors(self) -> None:
        """A refusal is read as OpenAI words it."""
        body = json.dumps(
            {"error": {"message": "no", "type": "invalid_request_error", "code": "context_length_exceeded"}}
        ).encode()
        self.assertEqual(OPENAI_RESPONSES.read_error(400, [], body).kind, "too_long")

    def test_told_errors(self) -> None:
        """In a stream there is no status, so the code decides, or the type."""
        for error, kind in (
            ({"code": "server_error", "message": "m"}, "server"),
            ({"code": "rate_limit_exceeded", "message": "m"}, "rate_limit"),
            ({"code": "insufficient_quota", "message": "m"}, "billing"),
            ({"code": "context_length_exceeded", "message": "m"}, "too_long"),
            ({"code": "invalid_prompt", "message": "m"}, "invalid"),
            ({"code": "image_too_large", "message": "m"}, "invalid"),
            ({"code": "server_is_overloaded", "message": "m"}, "overloaded"),
            ({"type": "invalid_request_error", "message": "m"}, "invalid"),
            ({"error": {"code": "rate_limit_exceeded", "message": "m"}}, "rate_limit"),
            ({"code": None, "message": "m"}, "server"),
            (None, "server"),
        ):
            fault = told(error)
            self.assertEqual(fault.kind, kind, error)
            self.assertTrue(fault.message)
