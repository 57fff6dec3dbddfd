"""Tests for counting tokens between dialects."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux import jsonio
from llmux.dialects.base import Dialect
from llmux.dialects.context import Context, Options, Target
from llmux.dialects.counting import Asked, translate
from llmux.dialects.notes import Notes
from llmux.dialects.registry import DIALECTS
from llmux.dialects.seals import Seals
from llmux.errors import Fault
from tests import oracles

CHAT, RESPONSES = DIALECTS["openai-chat"], DIALECTS["openai-responses"]
ANTHROPIC, GEMINI = DIALECTS["anthropic"], DIALECTS["gemini"]

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
MESSAGES: dict[str, Any] = {
    "model": "m",
    "system": "Be brief.",
    "messages": [{"role": "user", "content": "Hello"}],
    "tools": [{"name": "weather", "input_schema": SCHEMA}],
}
CONTENTS: dict[str, Any] = {
    "generateContentRequest": {
        "model": "models/m",
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": "Hello"}]}],
        "tools": [{"functionDeclarations": [{"name": "weather", "parametersJsonSchema": SCHEMA}]}],
        "generationConfig": {"temperature": 0.5, "maxOutputTokens": 5},
    }
}
INPUT: dict[str, Any] = {
    "model": "m",
    "instructions": "Be brief.",
    "input": "Hello",
    "tools": [{"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}],
}


def exchange(doc: dict[str, Any], model: str) -> Context:
    return Context(notes=Notes(), seals=Seals((b"tests",)), asked=doc, version="2023-06-01", target=Target.of(model, Options()))


def count(client: Dialect, doc: dict[str, Any], provider: Dialect, model: str = "m") -> tuple[Asked, dict[str, Any], Context]:
    """What is asked, its body as JSON, and the exchange."""
    context = exchange(doc, model)
    asked = translate(client, provider, context)
    return asked, json.loads(jsonio.dumps(asked.body)), context


class CountingTests(SynchronousTestCase):
    """A request to count, from each dialect to each."""

    def test_to_anthropic(self) -> None:
        """Instructions and tools count, how the answer is chosen does not; the SDK's types take the body."""
        for client, doc in ((GEMINI, CONTENTS), (RESPONSES, INPUT)):
            asked, body, context = count(client, doc, ANTHROPIC, "claude-opus-5")
            oracles.message_count_request(body)
            self.assertEqual(asked.path, b"/v1/messages/count_tokens")
            self.assertEqual(set(body), {"model", "system", "messages", "tools"})
            self.assertEqual((body["model"], body["tools"][0]["input_schema"]), ("claude-opus-5", SCHEMA))
            self.assertEqual(list(context.notes), [])
            self.assertEqual(ANTHROPIC.fields(context), [(b"anthropic-version", b"2026-10-21")])

    def test_to_gemini(self) -> None:
        """Instructions and tools stand in a whole request, which names the model."""
        for client, doc in ((ANTHROPIC, MESSAGES), (RESPONSES, INPUT)):
            asked, body, _ = count(client, doc, GEMINI, "gemini-3-pro")
            self.assertTrue(asked.path.endswith(b"/models/gemini-3-pro:countTokens"), asked.path)
            inner = body["generateContentRequest"]
            self.assertEqual(set(body), {"generateContentRequest"})
            self.assertEqual(inner["model"], "models/gemini-3-pro")
            self.assertEqual(inner["systemInstruction"]["parts"], [{"text": "Be brief."}])
            self.assertEqual(inner["tools"][0]["functionDeclarations"][0]["name"], "weather")
            self.assertNotIn("maxOutputTokens", inner.get("generationConfig", {}))

    def test_to_responses(self) -> None:
        """The members that count, and no others."""
        for client, doc in ((ANTHROPIC, MESSAGES), (GEMINI, CONTENTS)):
            asked, body, _ = count(client, doc, RESPONSES, "gpt-5")
            self.assertTrue(asked.path.endswith(b"/responses/input_tokens"), asked.path)
            self.assertEqual(body["model"], "gpt-5")
            self.assertEqual(body["tools"][0]["name"], "weather")
            self.assertEqual(set(body) - {"model", "input", "instructions", "tools"}, set())

    def test_answers(self) -> None:
        """Each dialect says the number in its own way; no number is no answer, and above all not 0."""
        answers: dict[str, dict[str, Any]] = {
            "anthropic": {"input_tokens": 7},
            "openai-responses": {"object": "response.input_tokens", "input_tokens": 7},
            "gemini": {"totalTokens": 7},
        }
        docs = ((ANTHROPIC, MESSAGES), (RESPONSES, INPUT), (GEMINI, CONTENTS))
        for client, doc in docs:
            for provider, _ in docs:
                if provider is client:
                    continue
                asked, _, _ = count(client, doc, provider)
                self.assertEqual(asked.read(answers[provider.name]), answers[client.name])
                none: list[dict[str, Any]] = [{}, {"totalTokens": None, "input_tokens": None}]
                none.append({"totalTokens": "7", "input_tokens": True})
                for empty in none:
                    fault = self.assertRaises(Fault, asked.read, empty)
                    self.assertEqual((fault.kind, fault.code), ("bad_gateway", "upstream_invalid"))

    def test_own_tools(self) -> None:
        """Tools that a provider runs itself are left out with a note, forced or not."""
        search = {"type": "web_search_20250305", "name": "web_search"}
        doc = {**MESSAGES, "tools": [search, *MESSAGES["tools"]], "tool_choice": {"type": "tool", "name": "web_search"}}
        for provider in (RESPONSES, GEMINI):
            _, body, context = count(ANTHROPIC, doc, provider)
            self.assertNotIn("web_search", json.dumps(body))
            self.assertIn(("/tools/0", "approximated"), [(note.pointer, note.action) for note in context.notes])

    def test_thinking(self) -> None:
        """Thinking counts, and finds room whatever the budget."""
        doc = {**CONTENTS["generateContentRequest"], "generationConfig": {"thinkingConfig": {"thinkingBudget": 20000}}}
        _, body, context = count(GEMINI, {"generateContentRequest": doc}, ANTHROPIC, "claude-sonnet-4-5")
        self.assertEqual(body["thinking"], {"type": "enabled", "budget_tokens": 20000})
        self.assertEqual(list(context.notes), [])

    def test_contents_alone(self) -> None:
        """Gemini's contents may stand without a request around them."""
        doc = {"contents": CONTENTS["generateContentRequest"]["contents"]}
        _, body, _ = count(GEMINI, doc, ANTHROPIC)
        self.assertEqual(body["messages"], [{"role": "user", "content": "Hello"}])

    def test_refused(self) -> None:
        """Chat Completions cannot count; what cannot be read is named by its place in the client's body."""
        fault = self.assertRaises(Fault, count, ANTHROPIC, MESSAGES, CHAT)
        self.assertEqual((fault.kind, fault.should_retry), ("not_found", False))
        self.assertIn("openai-chat", fault.message)
        self.assertRaises(Fault, count, CHAT, {}, ANTHROPIC)
        fault = self.assertRaises(Fault, count, GEMINI, {"generateContentRequest": {"contents": 3}}, ANTHROPIC)
        assert fault.param is not None
        self.assertTrue(fault.param.startswith("/generateContentRequest/"), fault.param)
        fault = self.assertRaises(Fault, count, ANTHROPIC, {}, GEMINI)
        self.assertEqual(fault.param, "/messages")
