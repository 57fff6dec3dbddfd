"""Tests for the Gemini reader."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.gemini.requests import read
from llmux.dialects.neutral import Message, OpaquePart, Reasoning, Segment, Text, Tool, ToolCall, ToolResult
from llmux.errors import Fault

IMAGE = {"inlineData": {"mimeType": "image/png", "data": "AA=="}}


class ReadTests(SynchronousTestCase):
    """A request as items."""

    def test_conversation(self) -> None:
        """Parts keep their order and their turn, in either spelling."""
        contents = [
            {"role": "user", "parts": [{"text": "Look"}, IMAGE]},
            {
                "role": "model",
                "parts": [
                    {"text": "Hm.", "thought": True, "thoughtSignature": "cw=="},
                    {"text": "Now:"},
                    {"functionCall": {"id": "c1", "name": "look", "args": {"a": 1}}},
                    {"function_call": {"name": "bare"}},
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"id": "c1", "name": "look", "response": {"output": "grey"}}},
                    {"function_response": {"name": "bare", "response": {"error": "none"}}},
                    {"functionResponse": {"name": "other", "response": {"a": 1}}},
                ],
            },
            {"parts": []},
        ]
        self.assertEqual(
            read({"system_instruction": {"parts": [{"text": "Be brief."}]}, "contents": contents}).items,
            (
                Message("system", (Text("Be brief."),)),
                Message("user", (Text("Look"), OpaquePart("inlineData", IMAGE)), 0),
                Reasoning((Segment("full", "Hm."),), "cw==", 1),
                Message("assistant", (Text("Now:"),), 1),
                ToolCall("c1", "look", '{"a":1}', 1),
                ToolCall("", "bare", "{}", 1),
                ToolResult("c1", "look", (Text("grey"),), turn=2),
                ToolResult("", "bare", (Text("none"),), True, 2),
                ToolResult("", "other", (Text('{"a":1}'),), turn=2),
                Message("user", (), 3),
            ),
        )

    def test_one_content(self) -> None:
        """A content may stand for a list of one."""
        self.assertEqual(read({"contents": {"parts": [{"text": "Hi"}]}}).items, (Message("user", (Text("Hi"),)),))

    def test_tools_and_show(self) -> None:
        """Functions go by their names; thoughts are shown to whom asks for them."""
        doc: dict[str, Any] = {
            "contents": [{"parts": [{"text": "x"}]}],
            "tools": [
                {"functionDeclarations": [{"name": "a"}]},
                {"googleSearch": {}},
                {"function_declarations": [{"name": "b"}]},
            ],
        }
        self.assertEqual((read(doc).tools, read(doc).show), ((Tool("a"), Tool("b")), "none"))
        for config in (
            {"generationConfig": {"thinkingConfig": {"include_thoughts": True}}},
            {"generation_config": {"thinking_config": {"includeThoughts": True}}},
        ):
            self.assertEqual(read({**doc, **config}).show, "full")

    def test_refused(self) -> None:
        """What cannot be read is refused by name."""
        cases: list[tuple[dict[str, Any], str]] = [
            ({}, "contents"),
            ({"contents": []}, "contents"),
            ({"contents": ["x"]}, "contents[0]"),
            ({"contents": [{"role": "robot"}]}, "contents[0].role"),
            ({"contents": [{"parts": [{"text": 1}]}]}, "contents[0].parts[0].text"),
            ({"contents": [{"parts": "x"}]}, "contents[0].parts"),
        ]
        for doc, param in cases:
            fault = self.assertRaises(Fault, read, doc)
            self.assertEqual((fault.kind, fault.param), ("invalid", param))
