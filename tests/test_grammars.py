"""Tests for the grammar checkers: each refuses what it is there to refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.registry import DIALECTS
from tests.dialects.tellings import RESPONSES, context, tell, write
from tests.grammars import GrammarError, Record, check_chat, check_gemini, check_messages, check_responses, records


def stream(dialect: str) -> list[Record]:
    encoder = DIALECTS[dialect].rooms.encoder(context(stream=True))
    return records(write(encoder, tell(RESPONSES["thought, words, two calls"])))


def gemini(told: list[Record]) -> None:
    check_gemini([record.data for record in told])


CHECKS: dict[str, Callable[[list[Record]], None]] = {
    "openai-chat": check_chat,
    "openai-responses": check_responses,
    "anthropic": check_messages,
    "gemini": gemini,
}


def chat_piece(data: Any) -> bool:
    delta = data["choices"][0]["delta"]
    calls = delta.get("tool_calls", [])
    return "role" not in delta and bool(delta) and all("id" not in call for call in calls)


# Records that tell a piece of text which is told nowhere else: without them a stream says less, and keeps the grammar.
PIECES: dict[str, Callable[[Any], bool]] = {
    "openai-chat": chat_piece,
    "openai-responses": lambda data: False,
    "anthropic": lambda data: data["type"] == "content_block_delta" and data["delta"]["type"] != "signature_delta",
    "gemini": lambda data: "finishReason" not in data["candidates"][0],
}


class GrammarTests(SynchronousTestCase):
    """A stream of which something is missing, doubled or cut."""

    def test_missing(self) -> None:
        """Every record that structures a stream is missed."""
        for dialect, check in CHECKS.items():
            whole = stream(dialect)
            check(whole)
            for index, record in enumerate(whole):
                if record.data == "[DONE]" or not PIECES[dialect](record.data):
                    self.assertRaises(AssertionError, check, whole[:index] + whole[index + 1 :])

    def test_nothing_follows_the_end(self) -> None:
        """The last record is the last."""
        for dialect, check in CHECKS.items():
            whole = stream(dialect)
            self.assertRaises(AssertionError, check, [*whole, whole[1]])

    def test_cut(self) -> None:
        """Half an event is no event."""
        self.assertRaises(GrammarError, records, b"data: {}\n\ndata: {")
