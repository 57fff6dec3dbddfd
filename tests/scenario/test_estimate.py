"""Tests for the numbers that a script does not give."""

from __future__ import annotations

import math

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.neutral import Message, OpaqueItem, OpaquePart, Reasoning, Request, Segment, Text, ToolCall, ToolResult
from llmux.scenario.estimate import embedding, tokens, tokens_of


class TokenTests(SynchronousTestCase):
    """Counted tokens."""

    def test_text(self) -> None:
        """Four characters are a token, and a rest is one."""
        self.assertEqual([tokens(text) for text in ("", "a", "four", "fives")], [0, 1, 1, 2])

    def test_request(self) -> None:
        """Everything that is said counts, and no request is free."""
        items = (
            Message("user", (Text("four"), OpaquePart("x", {"a": 1}))),  # 1 + 2
            Reasoning((Segment("full", "four"),)),  # 1
            ToolCall("c", "tool", "{}"),  # 1 + 1
            ToolResult("c", None, (Text("four"),)),  # 1
            OpaqueItem("x", {"a": 1}),  # 2
        )
        self.assertEqual(tokens_of(Request(items)), 9)
        self.assertEqual(tokens_of(Request(())), 1)


class EmbeddingTests(SynchronousTestCase):
    """Made-up vectors."""

    def test_unit(self) -> None:
        """Always the same for the same text, another for another, and of length one."""
        vector = embedding("a", 64)
        self.assertEqual(vector, embedding("a", 64))
        self.assertNotEqual(vector, embedding("b", 64))
        self.assertAlmostEqual(math.hypot(*vector), 1.0)

    def test_cut(self) -> None:
        """A shorter vector points where the longer one begins."""
        long, short = embedding("a", 8), embedding("a", 4)
        for one, other in zip(long, short, strict=False):
            self.assertAlmostEqual(one / long[0], other / short[0])

    def test_surrogate(self) -> None:
        """Half an emoji is text too."""
        self.assertEqual(len(embedding("\ud83d", 2)), 2)
