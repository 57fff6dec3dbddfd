"""Tests for the Gemini writer of bodies."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.gemini.responses import write
from tests import oracles
from tests.dialects.tellings import RESPONSES, response


class WriteTests(SynchronousTestCase):
    """A whole body."""

    def test_strict(self) -> None:
        """The SDK's types, which forbid what they do not know, take every response."""
        for body in RESPONSES.values():
            oracles.generated(write(body, {}))

    def test_parts(self) -> None:
        """Thoughts are marked, calls are objects, and a call still finishes with STOP."""
        (candidate,) = write(RESPONSES["thought, words, two calls"], {})["candidates"]
        self.assertEqual(candidate["finishReason"], "STOP")
        self.assertEqual(
            candidate["content"]["parts"],
            [
                {"text": "A question about the weather.", "thought": True},
                {"text": 'Let me look: "☂" or 😀?\n'},
                {"functionCall": {"id": "call_1", "name": "get_weather", "args": {"city": "Zürich"}}},
                {"functionCall": {"id": "call_2", "name": "get_time", "args": {"zone": "CET"}}},
            ],
        )

    def test_usage(self) -> None:
        """Thoughts are counted beside the candidates' tokens; nothing is said where nobody counted."""
        usage = write(RESPONSES["words"], {})["usageMetadata"]
        self.assertEqual((usage["candidatesTokenCount"], usage["thoughtsTokenCount"], usage["totalTokenCount"]), (18, 12, 80))
        self.assertNotIn("usageMetadata", write(attrs.evolve(response(), usage=None), {}))
