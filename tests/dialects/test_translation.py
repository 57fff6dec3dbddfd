from __future__ import annotations

from typing import Any

from twisted.trial.unittest import TestCase

from llmux.dialects.context import Context, Options, Target
from llmux.dialects.notes import Notes
from llmux.dialects.registry import DIALECTS
from llmux.dialects.seals import Seals
from llmux.dialects.translation import Translation
from llmux.errors import Fault

SEARCH = {"type": "web_search_20250305", "name": "web_search"}
FUNCTION = {"name": "f", "input_schema": {"type": "object", "properties": {}}}


class HostedToolsTests(TestCase):
    """Tools that only another provider could run."""

    def asked(self, provider: str, options: Options, *tools: Any, **more: Any) -> Translation:
        body = {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], "tools": list(tools), **more}
        context = Context(notes=Notes(), seals=Seals((b"k",)), target=Target.of("m", options), asked=body, version="2026-10-21")
        return Translation(DIALECTS["anthropic"].rooms, DIALECTS[provider], context)

    def test_left_out(self) -> None:
        """With a note; what else is offered stays."""
        for provider in ("openai-chat", "openai-responses", "gemini"):
            made = self.asked(provider, Options(hosted_tools="drop"), SEARCH, FUNCTION)
            self.assertEqual([(note.pointer, note.action) for note in made.context.notes], [("/tools/0", "dropped")], provider)
            self.assertEqual(len(made.body["tools"]), 1)

    def test_what_was_forced_is_not_left_out(self) -> None:
        """A call that has to be made cannot be made by nobody."""
        for provider in ("openai-chat", "openai-responses", "gemini"):
            for choice in ({"type": "any"}, {"type": "tool", "name": "web_search"}):
                fault = self.assertRaises(Fault, self.asked, provider, Options(hosted_tools="drop"), SEARCH, tool_choice=choice)
                self.assertEqual((fault.kind, (fault.param or "").startswith("/tool_choice")), ("invalid", True), provider)
        for choice in ({"type": "any"}, {"type": "tool", "name": "web_search"}):
            for provider in ("openai-chat", "gemini"):
                self.assertRaises(Fault, self.asked, provider, Options(hosted_tools="map"), SEARCH, tool_choice=choice)
