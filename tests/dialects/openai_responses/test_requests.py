"""Tests for the Responses reader."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.neutral import Message, OpaqueItem, OpaquePart, Reasoning, Refusal, Segment, Text, Tool, ToolCall, ToolResult
from llmux.dialects.openai_responses.requests import read
from llmux.errors import Fault

IMAGE = {"type": "input_image", "image_url": "https://x/y.png"}


class ReadTests(SynchronousTestCase):
    """A request as items."""

    def test_text(self) -> None:
        """A bare string is what the user says."""
        self.assertEqual(
            read({"input": "Hi", "instructions": "Be brief."}).items,
            (Message("system", (Text("Be brief."),)), Message("user", (Text("Hi"),))),
        )

    def test_items(self) -> None:
        """Every item keeps its order; a message needs no type."""
        search = {"type": "web_search_call", "id": "ws", "status": "completed"}
        items = [
            {"role": "user", "content": [{"type": "input_text", "text": "See"}, IMAGE]},
            {
                "type": "reasoning",
                "summary": [{"type": "summary_text", "text": "s"}],
                "content": [{"type": "reasoning_text", "text": "f"}],
                "encrypted_content": "e",
            },
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "ok"}]},
            {"type": "custom_tool_call", "call_id": "c2", "name": "sh", "input": "ls"},
            {"type": "custom_tool_call_output", "call_id": "c2", "output": {"files": 1}},
            search,
            {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        ]
        self.assertEqual(
            read({"input": items}).items,
            (
                Message("user", (Text("See"), OpaquePart("input_image", IMAGE)), 0),
                Reasoning((Segment("summary", "s"), Segment("full", "f")), "e", 1),
                ToolCall("c1", "f", "{}", 2),
                ToolResult("c1", None, (Text("ok"),), turn=3),
                ToolCall("c2", "sh", "ls", 4),
                ToolResult("c2", None, (Text('{"files":1}'),), turn=5),
                OpaqueItem("web_search_call", search, 6),
                Message("assistant", (Refusal("No."),), 7),
            ),
        )

    def test_tools(self) -> None:
        """Functions, custom tools and those inside namespaces are the client's; the others are not."""
        tools = [
            {"type": "function", "name": "a"},
            {"type": "namespace", "name": "n", "tools": [{"type": "custom", "name": "b"}]},
            {"type": "web_search"},
        ]
        self.assertEqual(read({"input": "x", "tools": tools}).tools, (Tool("a"), Tool("b")))

    def test_show(self) -> None:
        """Reasoning is summarised for whom asks for a summary."""
        self.assertEqual(read({"input": "x", "reasoning": {"effort": "high"}}).show, "none")
        self.assertEqual(read({"input": "x", "reasoning": {"summary": "auto"}}).show, "summary")

    def test_refused(self) -> None:
        """What cannot be read is refused by name."""
        cases: list[tuple[dict[str, Any], str]] = [
            ({}, "input"),
            ({"input": []}, "input"),
            ({"input": 7}, "input"),
            ({"input": [{"role": "robot"}]}, "input[0].role"),
            ({"input": [{"type": "function_call", "call_id": 1}]}, "input[0].call_id"),
            ({"input": "x", "tools": {}}, "tools"),
        ]
        for doc, param in cases:
            fault = self.assertRaises(Fault, read, doc)
            self.assertEqual((fault.kind, fault.param), ("invalid", param))
