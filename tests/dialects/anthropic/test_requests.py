"""Tests for the Messages reader."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.anthropic.requests import read
from llmux.dialects.neutral import Message, OpaqueItem, OpaquePart, Reasoning, Segment, Text, Tool, ToolCall, ToolResult
from llmux.errors import Fault

IMAGE = {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}
REDACTED = {"type": "redacted_thinking", "data": "zzz"}


class ReadTests(SynchronousTestCase):
    """A request as items."""

    def test_conversation(self) -> None:
        """Blocks keep their order and their turn; text between calls and results is a message of its own."""
        messages = [
            {"role": "user", "content": [{"type": "text", "text": "Look"}, IMAGE]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                    REDACTED,
                    {"type": "text", "text": "Now:"},
                    {"type": "tool_use", "id": "c1", "name": "look", "input": {"a": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "c1", "content": "grey", "is_error": True},
                    {"type": "text", "text": "Well?"},
                ],
            },
            {"role": "system", "content": "Be kind."},
            {"role": "assistant", "content": []},
        ]
        self.assertEqual(
            read({"system": [{"type": "text", "text": "Be brief."}], "messages": messages}).items,
            (
                Message("system", (Text("Be brief."),)),
                Message("user", (Text("Look"), OpaquePart("image", IMAGE)), 0),
                Reasoning((Segment("full", "Hm."),), "s", 1),
                OpaqueItem("redacted_thinking", REDACTED, 1),
                Message("assistant", (Text("Now:"),), 1),
                ToolCall("c1", "look", '{"a":1}', 1),
                ToolResult("c1", None, (Text("grey"),), True, 2),
                Message("user", (Text("Well?"),), 2),
                Message("system", (Text("Be kind."),), 3),
                Message("assistant", (), 4),
            ),
        )

    def test_tools_and_show(self) -> None:
        """Tools go by their names; thinking is shown unless it is disabled."""
        doc: dict[str, Any] = {"messages": [{"role": "user", "content": "x"}], "tools": [{"name": "a", "input_schema": {}}]}
        self.assertEqual((read(doc).tools, read(doc).show), ((Tool("a"),), "full"))
        self.assertEqual(read({**doc, "thinking": {"type": "disabled"}}).show, "none")

    def test_refused(self) -> None:
        """What cannot be read is refused by name."""
        cases: list[tuple[dict[str, Any], str]] = [
            ({}, "messages"),
            ({"messages": []}, "messages"),
            ({"messages": [{"role": "tool"}]}, "messages[0].role"),
            ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
            ({"messages": [{"role": "user", "content": [{"type": "tool_use", "id": 3}]}]}, "messages[0].content[0].id"),
            ({"messages": [{"role": "user", "content": "x"}], "system": [3]}, "system[0]"),
        ]
        for doc, param in cases:
            fault = self.assertRaises(Fault, read, doc)
            self.assertEqual((fault.kind, fault.param), ("invalid", param))
