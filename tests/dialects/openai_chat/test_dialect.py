"""Tests for the dialect as a whole."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.anthropic import ANTHROPIC
from llmux.dialects.context import Context, Target
from llmux.dialects.openai_chat import OPENAI_CHAT
from llmux.dialects.seals import Seals
from llmux.dialects.translation import Translation
from tests.grammars import check_chat, records


def event(name: str, **members: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **members})}\n\n".encode()


class DialectTests(SynchronousTestCase):
    """What the rest of llmux is told."""

    def test_address(self) -> None:
        """One path, whatever the model."""
        for stream in (False, True):
            self.assertEqual(OPENAI_CHAT.address("m", stream), (b"/chat/completions", b""))
        self.assertEqual(OPENAI_CHAT.credential("k"), (b"authorization", b"Bearer k"))

    def test_names(self) -> None:
        """Letters, digits, underscores and hyphens, 64 of them; custom tools are known, namespaces are not."""
        names = OPENAI_CHAT.names
        self.assertTrue(names.allows("get-weather_2"))
        for name in ("a.b", "", "x" * 65, "é"):
            self.assertFalse(names.allows(name))
        self.assertEqual((names.customs, names.namespaces), (True, False))

    def test_custom_tool_elsewhere(self) -> None:
        """A custom tool is a function to a provider without them; the client reads raw text, as it comes."""
        tool = {"type": "custom", "custom": {"name": "sh", "format": {"type": "text"}}}
        asked = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Go."}], "tools": [tool]}
        context = Context(seals=Seals((b"k",)), asked=asked, stream=True, now=1, target=Target.of("claude-sonnet-4-5"))
        translation = Translation(OPENAI_CHAT.rooms, ANTHROPIC, context)
        self.assertEqual(translation.body["tools"][0]["input_schema"]["required"], ["input"])
        stream = translation.stream()
        message: dict[str, Any] = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": []}
        told = stream.feed(event("message_start", message={**message, "usage": {"input_tokens": 1, "output_tokens": 1}}))
        block = {"type": "tool_use", "id": "toolu_1", "name": "sh", "input": {}}
        told += stream.feed(event("content_block_start", index=0, content_block=block))
        for piece in ('{"input": "echo ', "\\", "u2602", '\\n"}'):
            delta = {"type": "input_json_delta", "partial_json": piece}
            told += stream.feed(event("content_block_delta", index=0, delta=delta))
        told += stream.feed(event("content_block_stop", index=0))
        told += stream.feed(event("message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 5}))
        told += stream.feed(event("message_stop"))
        chunks = records(told)
        check_chat(chunks)
        deltas = [record.data["choices"][0]["delta"] for record in chunks[:-1]]
        first, *rest = [call for delta in deltas for call in delta.get("tool_calls", ())]
        self.assertEqual(first, {"index": 0, "id": "toolu_1", "type": "custom", "custom": {"name": "sh", "input": ""}})
        self.assertEqual("".join(call["custom"]["input"] for call in rest), "echo ☂\n")
