"""Tests for the Responses writer of bodies."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.neutral import Reasoning, Segment
from llmux.dialects.openai_responses.responses import write
from tests import oracles
from tests.dialects.tellings import RESPONSES, response


class WriteTests(SynchronousTestCase):
    """A whole body."""

    def test_strict(self) -> None:
        """The SDK's strict types take every response, and know every member."""
        for body in RESPONSES.values():
            oracles.response(write(body, {}))

    def test_echoes(self) -> None:
        """What was asked is repeated, and what was not has its default; readers insist on a function's two members."""
        asked = {
            "instructions": "Be brief.",
            "parallel_tool_calls": False,
            "temperature": None,
            "tools": [{"type": "function", "name": "f", "strict": True}, {"type": "web_search"}],
            "service_tier": "auto",
        }
        body = oracles.plain(oracles.response(write(RESPONSES["words"], asked)))
        self.assertEqual((body["instructions"], body["parallel_tool_calls"], body["temperature"]), ("Be brief.", False, 1.0))
        self.assertEqual(body["service_tier"], "default")
        written = write(RESPONSES["words"], asked)
        self.assertEqual(written["tool_choice"], "auto")
        self.assertEqual(
            written["tools"], [{"type": "function", "name": "f", "parameters": None, "strict": True}, {"type": "web_search"}]
        )

    def test_reasoning(self) -> None:
        """Summaries and the model's own text have lists of their own; a seal goes with them."""
        item = Reasoning((Segment("summary", "s"), Segment("full", "f")), "sealed")
        (output,) = write(response(item), {})["output"]
        self.assertEqual(
            output,
            {
                "id": "rs_abc_0",
                "type": "reasoning",
                "summary": [{"type": "summary_text", "text": "s"}],
                "content": [{"type": "reasoning_text", "text": "f"}],
                "encrypted_content": "sealed",
            },
        )

    def test_usage(self) -> None:
        """Counts are inclusive, with every detail; null where nobody counted."""
        self.assertEqual(
            write(RESPONSES["words"], {})["usage"],
            {
                "input_tokens": 50,
                "input_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 10},
                "output_tokens": 30,
                "output_tokens_details": {"reasoning_tokens": 12},
                "total_tokens": 80,
            },
        )
        self.assertIsNone(write(attrs.evolve(response(), usage=None), {})["usage"])
