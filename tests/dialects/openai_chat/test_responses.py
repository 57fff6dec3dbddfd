"""Tests for the Chat Completions writer of bodies."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.openai_chat.responses import write
from tests import oracles
from tests.dialects.tellings import RESPONSES, response


class WriteTests(SynchronousTestCase):
    """A whole body."""

    def test_strict(self) -> None:
        """The SDK's strict types take every response, and know every member."""
        for body in RESPONSES.values():
            oracles.chat(write(body, {}))

    def test_call(self) -> None:
        """With calls alone the content is null, and missing arguments are an empty object."""
        body = write(RESPONSES["a call without arguments"], {})
        (choice,) = body["choices"]
        self.assertEqual(choice["finish_reason"], "tool_calls")
        self.assertIsNone(choice["message"]["content"])
        self.assertEqual(
            choice["message"]["tool_calls"],
            [{"id": "call_3", "type": "function", "function": {"name": "now", "arguments": "{}"}}],
        )

    def test_refusal(self) -> None:
        """A refusal has its own member."""
        (choice,) = write(RESPONSES["a refusal"], {})["choices"]
        self.assertEqual(choice["message"]["refusal"], "I will not do that.")
        self.assertEqual(choice["finish_reason"], "stop")

    def test_usage(self) -> None:
        """Counts are inclusive, and absent where nobody counted."""
        usage = oracles.chat(write(RESPONSES["words"], {})).usage
        assert usage is not None and usage.prompt_tokens_details is not None
        self.assertEqual((usage.prompt_tokens, usage.completion_tokens, usage.total_tokens), (50, 30, 80))
        self.assertEqual(usage.prompt_tokens_details.cached_tokens, 20)
        self.assertNotIn("usage", write(attrs.evolve(response(), usage=None), {}))
