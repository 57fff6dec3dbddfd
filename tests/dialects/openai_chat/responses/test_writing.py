"""Tests for the Chat Completions writer of bodies."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.neutral import (
    Annotation,
    Choice,
    Finish,
    Message,
    OutputItem,
    Reason,
    Reasoning,
    Refusal,
    Response,
    Seal,
    Segment,
    ServerCall,
    Text,
    TokenProbability,
    ToolCall,
)
from llmux.dialects.openai_chat.requests import parse
from llmux.dialects.openai_chat.responses import write
from llmux.errors import Fault
from tests import oracles
from tests.dialects.tellings import CALL, OTHER_CALL, RESPONSES, WORDS, context, response

FUNCTIONS = {"functions": [{"name": "get_weather"}]}


class WriteTests(SynchronousTestCase):
    """A whole body."""

    def setUp(self) -> None:
        self.context = context()

    def choice(self, *items: OutputItem, reason: Reason = "stop") -> dict[str, Any]:
        body = write(response(*items, reason=reason), self.context)
        oracles.chat(body)
        (choice,) = body["choices"]
        assert isinstance(choice, dict)
        return choice

    def noted(self) -> list[str]:
        return [f"{note.action} {note.pointer}" for note in self.context.notes]

    def test_strict(self) -> None:
        """The SDK's strict types take every response, and know every member."""
        for told in RESPONSES.values():
            oracles.chat(write(told, self.context))
        self.assertEqual(self.noted(), [])

    def test_envelope(self) -> None:
        """Tier and fingerprint, where they are this API's."""
        told = msgspec.structs.replace(response(WORDS), tier="standard", fingerprint="fp")
        body = oracles.chat(write(told, self.context))
        self.assertEqual((body.id, body.service_tier, body.system_fingerprint), ("chatcmpl-abc", "default", "fp"))
        self.assertNotIn("service_tier", write(msgspec.structs.replace(told, tier="batch"), self.context))

    def test_call(self) -> None:
        """With calls alone the content is null, and missing arguments are an empty object."""
        body = write(RESPONSES["a call without arguments"], self.context)
        (choice,) = body["choices"]
        self.assertEqual(choice["finish_reason"], "tool_calls")
        self.assertIsNone(choice["message"]["content"])
        self.assertEqual(
            choice["message"]["tool_calls"],
            [{"id": "call_3", "type": "function", "function": {"name": "now", "arguments": "{}"}}],
        )

    def test_custom_call(self) -> None:
        """A custom tool's call has its own type, and its input as it is."""
        choice = self.choice(ToolCall("c", "sh", "", kind="custom"), reason="tool_calls")
        self.assertEqual(choice["message"]["tool_calls"], [{"id": "c", "type": "custom", "custom": {"name": "sh", "input": ""}}])

    def test_legacy(self) -> None:
        """A client that knows functions gets one, in its own words."""
        self.context = context(FUNCTIONS)
        choice = self.choice(CALL, OTHER_CALL, reason="tool_calls")
        self.assertEqual(choice["finish_reason"], "function_call")
        self.assertEqual(choice["message"]["function_call"], {"name": "get_weather", "arguments": CALL.args_text})
        self.assertNotIn("tool_calls", choice["message"])
        self.assertEqual(self.noted(), ["dropped /choices/0/message/tool_calls"])

    def test_broken_off(self) -> None:
        """A call that broke off is left out."""
        choice = self.choice(ToolCall("c", "f", '{"a', cut=True), reason="length")
        self.assertNotIn("tool_calls", choice["message"])
        self.assertIsNone(choice["message"]["content"])
        self.assertEqual(self.noted(), ["dropped /choices/0/message/tool_calls"])

    def test_refusal(self) -> None:
        """A refusal has its own member; without words it is the filter's."""
        (choice,) = write(RESPONSES["a refusal"], self.context)["choices"]
        self.assertEqual(choice["message"]["refusal"], "I will not do that.")
        self.assertEqual(choice["finish_reason"], "stop")
        silent = self.choice(reason="refusal")
        self.assertEqual((silent["finish_reason"], silent["message"]["content"]), ("content_filter", None))

    def test_reasons(self) -> None:
        """Every reason has a word of the API, or is an error; what is lost is noted."""
        words: dict[Reason, str] = {
            "stop": "stop",
            "length": "length",
            "context_full": "length",
            "filter": "content_filter",
            "blocked": "content_filter",
            "paused": "stop",
            "malformed": "stop",
            "continuation": "length",
            "unknown": "stop",
        }
        for reason, word in words.items():
            self.context = context()
            finish = Finish(reason, at="/reason")
            (choice,) = write(Response("abc", "m", 1, (Choice((WORDS,), finish),), None), self.context)["choices"]
            self.assertEqual(choice["finish_reason"], word)
            lost = reason in ("context_full", "paused", "malformed", "unknown")
            self.assertEqual(self.noted(), ["approximated /reason"] * lost)
        errors: dict[Reason, str] = {"unsealed": "invalid", "disabled": "permission"}
        for reason, kind in errors.items():
            fault = self.assertRaises(Fault, write, response(reason=reason), self.context)
            self.assertEqual(fault.kind, kind)

    def test_reasoning(self) -> None:
        """Reasoning is one text, its seals stand in blocks, and all comes back as it was."""
        thoughts = (
            Reasoning((Segment("summary", "Hm."), Segment("summary", "So.")), (Seal("openai", "encrypted", "e"),)),
            Reasoning((), (Seal("anthropic", "redacted", "r"),)),
            Reasoning((), (Seal("anthropic", "signature", "s"),)),
        )
        message = self.choice(*thoughts, WORDS)["message"]
        self.assertEqual(message["reasoning_content"], "Hm.\n\nSo.")
        self.assertEqual([block["type"] for block in message["thinking_blocks"]], ["thinking", "redacted_thinking", "thinking"])
        self.assertEqual([block.get("thinking") for block in message["thinking_blocks"]], ["Hm.\n\nSo.", None, ""])
        items = parse({"messages": [message]}, self.context).items
        self.assertEqual(
            [(item.text, item.seals) for item in items if isinstance(item, Reasoning)],
            [(thought.text, thought.seals) for thought in thoughts],
        )

    def test_sealed_call(self) -> None:
        """The seal of a call stands on it, a text's in a block; both in an envelope."""
        seal = Seal("gemini", "thought_signature", "c2ln")
        envelope = self.context.seals.wrap(seal)
        sealed = ToolCall("c", "f", "{}", seals=(seal,))
        choice = self.choice(Message("assistant", (Text("x", seals=(seal,)),)), sealed, reason="tool_calls")
        extra = {"google": {"thought_signature": envelope}}
        self.assertEqual(choice["message"]["tool_calls"][0]["extra_content"], extra)
        self.assertEqual(choice["message"]["thinking_blocks"], [{"type": "redacted_thinking", "data": envelope}])

    def test_explained(self) -> None:
        """What was said of a refusal beside the answer is the refusal here."""
        finish = Finish("refusal", message="I cannot help with that.", category="cyber")
        told = Response("abc", "m", 1, (Choice((), finish),), None)
        choice = oracles.chat(write(told, self.context)).choices[0]
        self.assertEqual((choice.message.refusal, choice.finish_reason), ("I cannot help with that.", "stop"))
        self.assertEqual(self.noted(), ["dropped /stop_details/category"])

    def test_stop_sequence(self) -> None:
        """Which sequence it was is told where some servers tell it."""
        finish = Finish("stop_sequence", "END", sequence_at="/stop_sequence")
        told = Response("abc", "m", 1, (Choice((WORDS,), finish),), None)
        (choice,) = write(told, self.context)["choices"]
        self.assertEqual((choice["finish_reason"], choice["matched_stop"]), ("stop", "END"))
        self.assertEqual(self.noted(), ["carried /stop_sequence"])

    def test_citations(self) -> None:
        """Texts are joined, and the numbers of citations with them; a page without any is cited for its whole text."""
        page = Annotation("url", "https://x", "X", start=1, end=2)
        whole = Annotation("url", "https://y", "Y")
        document = Annotation("char_location", dialect="anthropic", raw={}, at="/content/0/citations")
        choice = self.choice(
            Message("assistant", (Text("漢字", (page,)),)), Message("assistant", (Text("abc", (page, whole, document)),))
        )
        self.assertEqual(choice["message"]["content"], "漢字abc")
        told = [each["url_citation"] for each in choice["message"]["annotations"]]
        self.assertEqual(
            [(each["url"], each["start_index"], each["end_index"]) for each in told],
            [("https://x", 1, 2), ("https://x", 3, 4), ("https://y", 2, 5)],
        )
        self.assertEqual(self.noted(), ["carried /content/0/citations"])

    def test_probabilities(self) -> None:
        """Tokens are told with their bytes, which may have to be made, and their rivals, of which there may be none."""
        token = TokenProbability("é", -0.5, None, (TokenProbability("e", -1.0, (101,)),))
        choice = self.choice(Message("assistant", (Text("é", logprobs=(token,)),)))
        rival = {"token": "e", "bytes": [101], "logprob": -1.0}
        self.assertEqual(
            choice["logprobs"],
            {"content": [{"token": "é", "bytes": [195, 169], "logprob": -0.5, "top_logprobs": [rival]}], "refusal": None},
        )

    def test_choices(self) -> None:
        """Several answers."""
        told = Response("abc", "m", 1, (Choice((WORDS,), Finish("stop")), Choice((CALL,), Finish("tool_calls"))), None)
        body = oracles.chat(write(told, self.context))
        self.assertEqual([(each.index, each.finish_reason) for each in body.choices], [(0, "stop"), (1, "tool_calls")])

    def test_what_has_no_place(self) -> None:
        """What the provider's own tools did."""
        call = ServerCall("web_search", "s", "web_search", "{}", "anthropic", {}, at="/content/0")
        self.choice(call, Message("assistant", (Text("x"), Refusal("y"))))
        self.assertEqual(self.noted(), ["dropped /content/0"])

    def test_usage(self) -> None:
        """Counts are inclusive, and absent where nobody counted."""
        usage = oracles.chat(write(RESPONSES["words"], self.context)).usage
        assert usage is not None and usage.prompt_tokens_details is not None
        self.assertEqual((usage.prompt_tokens, usage.completion_tokens, usage.total_tokens), (50, 30, 80))
        self.assertEqual(usage.prompt_tokens_details.cached_tokens, 20)
        self.assertNotIn("usage", write(msgspec.structs.replace(response(), usage=None), self.context))
