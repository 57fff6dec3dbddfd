"""Tests for the Messages writer of bodies."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from llmux import jsonio
from llmux.dialects.anthropic.responses import write
from llmux.dialects.context import Context
from llmux.dialects.neutral import (
    Annotation,
    Choice,
    Finish,
    Message,
    OpaqueItem,
    Reason,
    Reasoning,
    Response,
    Seal,
    Segment,
    ServerCall,
    ServerResult,
    Text,
    ToolCall,
    Usage,
)
from llmux.errors import Fault
from tests import oracles
from tests.dialects.anthropic.exchanges import context, noted
from tests.dialects.tellings import CALL, RESPONSES, response


def body(whole: Response, exchange: Context | None = None) -> dict[str, Any]:
    """A body as the client reads it; the SDK's strict types take it and know every member."""
    found: dict[str, Any] = json.loads(jsonio.dumps(write(whole, exchange or context(lenient=True))))
    oracles.message(found)
    return found


def ended(reason: Reason, **more: Any) -> Response:
    return msgspec.structs.replace(response(), choices=(Choice((), Finish(reason, **more)),))


class WriteTests(SynchronousTestCase):
    """A whole body."""

    def test_strict(self) -> None:
        """The SDK's strict types take every response."""
        for whole in RESPONSES.values():
            body(whole)

    def test_blocks(self) -> None:
        """Items become blocks in their order, arguments objects."""
        self.assertEqual(
            body(RESPONSES["words between calls"])["content"],
            [
                {"type": "tool_use", "id": "call_1", "name": "get_weather", "input": {"city": "Zürich"}},
                {"type": "text", "text": 'Let me look: "☂" or 😀?\n', "citations": None},
                {"type": "tool_use", "id": "call_2", "name": "get_time", "input": {"zone": "CET"}},
            ],
        )
        self.assertEqual(body(RESPONSES["a call without arguments"])["content"][0]["input"], {})

    def test_arguments(self) -> None:
        """Arguments that are no object travel inside one; a call that broke off, or that nobody can read, is not carried out."""
        for args, expected in (("[1]", {"value": [1]}), ("", {}), ('{"a":1}', {"a": 1})):
            self.assertEqual(body(response(ToolCall("c", "t", args)))["content"][0]["input"], expected)
        raw = ToolCall("c", "t", "*** Begin", kind="custom")
        self.assertEqual(body(response(raw))["content"][0]["input"], {"input": "*** Begin"})
        fault = self.assertRaises(Fault, body, response(ToolCall("c", "t", "{")))
        self.assertEqual((fault.kind, fault.code), ("bad_gateway", "upstream_invalid"))
        exchange = context()
        self.assertEqual(body(response(ToolCall("c", "t", "{", cut=True), reason="length"), exchange)["content"], [])
        self.assertEqual(noted(exchange), [("/content", "dropped")])

    def test_reasons(self) -> None:
        """Every reason has a word; what the API answers by an error is one."""
        words: list[tuple[Reason, str]] = [
            ("stop", "end_turn"),
            ("stop_sequence", "stop_sequence"),
            ("length", "max_tokens"),
            ("context_full", "model_context_window_exceeded"),
            ("tool_calls", "tool_use"),
            ("refusal", "refusal"),
            ("filter", "refusal"),
            ("blocked", "refusal"),
            ("paused", "pause_turn"),
            ("malformed", "end_turn"),
            ("continuation", "max_tokens"),
            ("unknown", "end_turn"),
        ]
        for reason, word in words:
            self.assertEqual(body(ended(reason))["stop_reason"], word)
        for reason, kind in (("unsealed", "invalid"), ("disabled", "permission")):
            fault = self.assertRaises(Fault, write, ended(reason), context())
            self.assertEqual(fault.kind, kind)
        self.assertEqual(body(ended("stop_sequence", stop_sequence="END"))["stop_sequence"], "END")
        for reason, word in words:
            self.assertNotIn("stop_details", body(ended(reason)), word)
        details = body(ended("refusal", category="cyber"))["stop_details"]
        self.assertEqual(details, {"type": "refusal", "category": "cyber", "explanation": None})
        details = body(ended("filter", message="not this", category="SAFETY"))["stop_details"]
        self.assertEqual(details, {"type": "refusal", "category": None, "explanation": "not this"})

    def test_usage(self) -> None:
        """What was cached is counted beside the input; unknown counts are 0, with a note."""
        tokens = Usage(100, 20, 30, 50, 10, in_written_long=5, searches=2, tier="priority")
        usage = body(msgspec.structs.replace(response(), usage=tokens))["usage"]
        self.assertEqual(
            usage,
            {
                "input_tokens": 50,
                "cache_creation_input_tokens": 30,
                "cache_read_input_tokens": 20,
                "output_tokens": 50,
                "output_tokens_details": {"thinking_tokens": 10},
                "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0},
                "cache_creation": {"ephemeral_5m_input_tokens": 25, "ephemeral_1h_input_tokens": 5},
                "service_tier": "priority",
            },
        )
        exchange = context()
        usage = body(msgspec.structs.replace(response(), usage=None), exchange)["usage"]
        self.assertEqual((usage["input_tokens"], usage["output_tokens"]), (0, 0))
        self.assertEqual(noted(exchange), [("/usage", "invented")])

    def test_thinking(self) -> None:
        """Thinking with its seal, Anthropic's as it is; what is hidden is redacted, unless Anthropic signed it."""
        exchange = context()
        said = Segment("summary", "t")
        items = (
            Reasoning((said, said), (Seal("anthropic", "signature", "s"),)),
            Reasoning((said,), (Seal("openai", "encrypted", "e"),)),
            Reasoning((said,)),
            Reasoning((), (Seal("anthropic", "signature", "s"),)),
            Reasoning((), (Seal("anthropic", "redacted", "r"),)),
            Reasoning((), (Seal("openai", "encrypted", "e"),)),
            Reasoning(()),
        )
        blocks = body(response(*items), exchange)["content"]
        self.assertEqual(blocks[0], {"type": "thinking", "thinking": "t\n\nt", "signature": "s"})
        self.assertTrue(exchange.seals.ours(blocks[1]["signature"]))
        self.assertEqual(blocks[2], {"type": "thinking", "thinking": "t", "signature": ""})
        self.assertEqual(blocks[3], {"type": "thinking", "thinking": "", "signature": "s"})
        self.assertEqual(blocks[4], {"type": "redacted_thinking", "data": "r"})
        self.assertTrue(exchange.seals.ours(blocks[5]["data"]))
        self.assertEqual(len(blocks), 6)

    def test_web_search(self) -> None:
        """Another provider's search is a search here, always with a result; other tools of its own are noted."""
        exchange = context()
        items = (
            ServerCall("web_search", "ws_1", "web_search", '{"query":"q"}', "openai-responses", {}),
            ServerResult("web_search", "ws_1", (Annotation("url", "https://a", "A"),), "", "openai-responses", {}),
            ServerCall("web_search", "ws_2", "web_search", "{}", "openai-responses", {}),
            Message("assistant", (Text("t"),)),
            ServerCall("code", "ci_1", "code", "{}", "openai-responses", {}, at="/output/3"),
            OpaqueItem("x", {}, at="/output/4"),
        )
        blocks = body(response(*items), exchange)["content"]
        call = {"type": "server_tool_use", "id": "srvtoolu_ws_1", "name": "web_search", "input": {"query": "q"}}
        page = {"type": "web_search_result", "url": "https://a", "title": "A", "encrypted_content": ""}
        self.assertEqual(blocks[0], call)
        self.assertEqual(blocks[1], {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_ws_1", "content": [page]})
        self.assertEqual(blocks[3], {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_ws_2", "content": []})
        self.assertEqual([block["type"] for block in blocks[4:]], ["text"])
        self.assertEqual(noted(exchange), [("/output/3", "dropped"), ("/output/4", "dropped")])

    def test_citations(self) -> None:
        """The API's own citations as they came; a page that another provider cites in an envelope; what is no page is noted."""
        exchange = context()
        raw = {"type": "web_search_result_location", "url": "u", "title": None, "cited_text": "c", "encrypted_index": "z"}
        annotations = (
            Annotation("url", "u", dialect="anthropic", raw=raw),
            Annotation("url", "https://a", "A", start=1, end=2, at="/a"),
            Annotation("file_citation", dialect="openai-responses", raw={}, at="/b"),
        )
        (block,) = body(response(Message("assistant", (Text("text", annotations),))), exchange)["content"]
        self.assertEqual(block["citations"][0], raw)
        self.assertEqual((block["citations"][1]["url"], block["citations"][1]["title"]), ("https://a", "A"))
        self.assertEqual(len(block["citations"]), 2)
        self.assertEqual(noted(exchange), [("/a", "carried"), ("/b", "dropped")])

    def test_seals_of_calls_and_texts(self) -> None:
        """A call's seal stands before it, a text's behind it."""
        seal = Seal("gemini", "thought_signature", "g")
        items = (Message("assistant", (Text("t", seals=(seal,)),)), msgspec.structs.replace(CALL, seals=(seal,)))
        blocks = body(response(*items, reason="tool_calls"))["content"]
        self.assertEqual([each["type"] for each in blocks], ["text", "redacted_thinking", "redacted_thinking", "tool_use"])
