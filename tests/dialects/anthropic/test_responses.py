"""Tests for the Messages writer of bodies."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.anthropic.responses import write
from llmux.dialects.neutral import Finish
from tests import oracles
from tests.dialects.tellings import RESPONSES, response


class WriteTests(SynchronousTestCase):
    """A whole body."""

    def test_strict(self) -> None:
        """The SDK's strict types take every response, and know every member."""
        for body in RESPONSES.values():
            oracles.message(write(body, {}))

    def test_blocks(self) -> None:
        """Items become blocks in their order, arguments objects."""
        content = oracles.plain(oracles.message(write(RESPONSES["words between calls"], {})))["content"]
        self.assertEqual(
            content,
            [
                {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"city": "Zürich"}},
                {"type": "text", "text": 'Let me look: "☂" or 😀?\n'},
                {"type": "tool_use", "id": "call_2", "name": "get_time", "input": {"zone": "CET"}},
            ],
        )

    def test_stop_sequence(self) -> None:
        """The sequence that stopped the model is named."""
        body = write(attrs.evolve(response(), finish=Finish("stop_sequence", "END")), {})
        self.assertEqual((body["stop_reason"], body["stop_sequence"]), ("stop_sequence", "END"))

    def test_uncounted(self) -> None:
        """Counts must be numbers here, so unknown ones are 0."""
        message = oracles.message(write(attrs.evolve(response(), usage=None), {}))
        self.assertEqual((message.usage.input_tokens, message.usage.output_tokens), (0, 0))
