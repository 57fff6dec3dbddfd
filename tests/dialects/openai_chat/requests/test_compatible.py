"""Servers that only speak like OpenAI are told what they know."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.context import Context, Options, Target
from llmux.dialects.notes import Notes
from llmux.dialects.registry import DIALECTS
from llmux.dialects.seals import Seals
from llmux.dialects.translation import Translation
from llmux.errors import Fault

MARK = {"type": "ephemeral"}


def translated(client: str, asked: dict[str, Any], notes: Notes, **options: Any) -> Translation:
    """A request for such a server."""
    target = Target.of("llama-4", Options(compatible=True, **options))
    context = Context(notes=notes, seals=Seals((b"k",)), target=target, asked=asked, version="2023-06-01")
    return Translation(DIALECTS[client].rooms, DIALECTS["openai-chat"], context)


class CompatibleTests(SynchronousTestCase):
    def test_claude_code(self) -> None:
        """What Claude Code says of itself with every request."""
        asked = {
            "model": "m",
            "max_tokens": 100,
            "system": [{"type": "text", "text": "a", "cache_control": MARK}],
            "metadata": {"user_id": "u"},
            "messages": [{"role": "user", "content": [{"type": "text", "text": "b", "cache_control": MARK}]}],
        }
        notes = Notes()
        body = translated("anthropic", asked, notes).body
        expected = {
            "model": "llama-4",
            "messages": [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}],
            "max_tokens": 100,
            "user": "u",
        }
        self.assertEqual(body, expected)
        self.assertEqual(
            [str(note).partition(":")[0] for note in notes],
            ["/system/0/cache_control dropped", "/messages/0/content/0/cache_control dropped"],
        )

    def test_codex(self) -> None:
        """What Codex says; a custom tool is a function there, and a custom tool again for the client."""
        patch = {"type": "custom", "name": "apply_patch", "description": "Edits.", "format": {"type": "text"}}
        asked = {
            "model": "m",
            "instructions": "a",
            "input": [
                {"role": "developer", "content": "b"},
                {"role": "user", "content": "c"},
                {"type": "custom_tool_call", "call_id": "call_1", "name": "apply_patch", "input": "*** Begin"},
                {"type": "custom_tool_call_output", "call_id": "call_1", "output": "ok"},
            ],
            "tools": [patch],
            "tool_choice": {"type": "custom", "name": "apply_patch"},
            "store": False,
            "service_tier": "flex",
            "prompt_cache_key": "k",
            "text": {"verbosity": "low"},
            "metadata": {"x": "y"},
            "safety_identifier": "s",
            "user": "u",
        }
        notes = Notes()
        made = translated("openai-responses", asked, notes)
        self.assertEqual(
            [message["role"] for message in made.body["messages"]], ["system", "system", "user", "assistant", "tool"]
        )
        (call,) = made.body["messages"][3]["tool_calls"]
        self.assertEqual((call["type"], call["function"]["arguments"]), ("function", '{"input":"*** Begin"}'))
        (tool,) = made.body["tools"]
        self.assertEqual((tool["type"], tool["function"]["parameters"]["required"]), ("function", ["input"]))
        self.assertEqual(made.body["tool_choice"], {"type": "function", "function": {"name": "apply_patch"}})
        rest = made.body.keys() - {"model", "messages", "tools", "tool_choice"}
        self.assertEqual((rest, made.body["user"]), ({"user"}, "u"))
        dropped = {note.pointer for note in notes if note.action == "dropped"}
        self.assertEqual(dropped, {"/service_tier", "/prompt_cache_key", "/text/verbosity", "/metadata", "/safety_identifier"})
        function = {"name": "apply_patch", "arguments": '{"input": "*** End"}'}
        message = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "type": "function", "function": function}]}
        choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
        answer = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        (item,) = json.loads(made.answer(json.dumps(answer).encode()))["output"]
        self.assertEqual((item["type"], item["input"]), ("custom_tool_call", "*** End"))

    def test_strict(self) -> None:
        """What would be left out is refused where that is asked for."""
        asked = {"model": "m", "input": "a", "metadata": {"x": "y"}}
        fault = self.assertRaises(Fault, translated, "openai-responses", asked, Notes(strict=True), strict=True)
        self.assertEqual(fault.param, "/metadata")
