"""Tests for the Chat Completions reader."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.neutral import Message, OpaquePart, Reasoning, Refusal, Segment, Text, Tool, ToolCall, ToolResult
from llmux.dialects.openai_chat.requests import read
from llmux.errors import Fault

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}


class ReadTests(SynchronousTestCase):
    """A request as items."""

    def test_conversation(self) -> None:
        """Messages, parts, calls and results keep their order and their turn."""
        messages = [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "And this?"}, IMAGE]},
            {
                "role": "assistant",
                "content": None,
                "reasoning_content": "Hm.",
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "grey"},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
            {"role": "user"},
        ]
        self.assertEqual(
            read({"messages": messages}).items,
            (
                Message("developer", (Text("Be brief."),), 0),
                Message("user", (Text("And this?"), OpaquePart("image_url", IMAGE)), 1),
                Reasoning((Segment("full", "Hm."),), turn=2),
                ToolCall("c1", "look", '{"a":1}', 2),
                ToolResult("c1", None, (Text("grey"),), turn=3),
                Message("assistant", (Refusal("No."),), 4),
                Message("user", (), 5),
            ),
        )

    def test_legacy_and_custom_calls(self) -> None:
        """The old form of a call is read, and a custom tool's input is its arguments."""
        messages = [
            {"role": "assistant", "function_call": {"name": "old", "arguments": "{}"}},
            {"role": "function", "name": "old", "content": "ok"},
            {"role": "assistant", "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "sh", "input": "ls"}}]},
        ]
        self.assertEqual(
            read({"messages": messages}).items,
            (ToolCall("", "old", "{}", 0), ToolResult("", "old", (Text("ok"),), turn=1), ToolCall("c", "sh", "ls", 2)),
        )

    def test_tools(self) -> None:
        """Tools of every form are offered by their names."""
        doc = {
            "messages": [{"role": "user", "content": "x"}],
            "tools": [{"type": "function", "function": {"name": "a"}}, {"type": "custom", "custom": {"name": "b"}}],
            "functions": [{"name": "c"}],
        }
        self.assertEqual(read(doc).tools, (Tool("a"), Tool("b"), Tool("c")))

    def test_show(self) -> None:
        """Reasoning is shown to whom asks for an effort."""
        messages = [{"role": "user", "content": "x"}]
        self.assertEqual(read({"messages": messages}).show, "none")
        self.assertEqual(read({"messages": messages, "reasoning_effort": "none"}).show, "none")
        self.assertEqual(read({"messages": messages, "reasoning_effort": "low"}).show, "full")

    def test_refused(self) -> None:
        """What cannot be read is refused by name."""
        cases: list[tuple[dict[str, Any], str, str]] = [
            ({}, "messages", "No messages found in request payload"),
            ({"messages": []}, "messages", "Empty messages array in request"),
            ({"messages": "x"}, "messages", "messages must be a list"),
            ({"messages": ["x"]}, "messages[0]", "messages[0] must be an object"),
            ({"messages": [{"role": "robot"}]}, "messages[0].role", "Unknown message role: robot"),
            ({"messages": [{"role": "user", "content": 1}]}, "messages[0].content", "messages[0].content must be a list"),
            (
                {"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]},
                "messages[0].content[0].text",
                "messages[0].content[0].text must be a string",
            ),
            (
                {"messages": [{"role": "assistant", "tool_calls": [{"id": "a"}]}]},
                "messages[0].tool_calls[0].function",
                "messages[0].tool_calls[0].function must be an object",
            ),
        ]
        for doc, param, message in cases:
            fault = self.assertRaises(Fault, read, doc)
            self.assertEqual((fault.kind, fault.param, fault.message), ("invalid", param, message))
