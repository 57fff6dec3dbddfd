"""Tests for the Messages reader of bodies."""

from __future__ import annotations

import itertools
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.anthropic import ANTHROPIC
from llmux.dialects.anthropic.responses import parse
from llmux.dialects.anthropic.responses.parsing import by_steps, plain
from llmux.dialects.neutral import (
    Annotation,
    Finish,
    Message,
    OpaqueItem,
    Reason,
    Reasoning,
    Seal,
    Segment,
    ServerCall,
    ServerResult,
    Text,
    Tool,
    ToolCall,
    Usage,
)
from llmux.dialects.tools import Book
from llmux.errors import Fault
from tests.dialects.anthropic.exchanges import context, noted

USAGE = {
    "input_tokens": 100,
    "cache_read_input_tokens": 2000,
    "cache_creation_input_tokens": 300,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
    "output_tokens": 50,
    "output_tokens_details": {"thinking_tokens": 20},
    "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 2},
    "service_tier": "standard",
}


def message(*blocks: dict[str, Any], stop_reason: str | None = "end_turn", **more: Any) -> dict[str, Any]:
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude"}
    return {**head, "content": list(blocks), "stop_reason": stop_reason, "stop_sequence": None, "usage": USAGE, **more}


class PlainTests(SynchronousTestCase):
    """Most answers are one text, which is read at once."""

    def test_same_as_by_steps(self) -> None:
        """Whatever is read at once is what the steps of a stream come to, notes included."""
        said: dict[str, list[Any]] = {
            "content": [
                [{"type": "text", "text": "a"}],
                [{"type": "text", "text": "a", "citations": None}],
                [{"type": "text", "text": "a", "citations": [], "future": 1}],
                [{"type": "text", "text": ""}],
                [{"type": "text", "text": None}],
                [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
                [{"type": "thinking", "thinking": "a"}],
                [],
            ],
            "id": ["msg_1", "1", "msg_", "", None, 7],
            "model": ["claude", "", None],
            "stop_reason": ["end_turn", "stop_sequence", "max_tokens", "tool_use", "refusal", "pause_turn", "x", None],
            "stop_sequence": [None, "END"],
            "stop_details": [None, {"category": "cyber", "explanation": "no"}],
            "usage": [USAGE, {"output_tokens": 1}, {"input_tokens": None}, {}, None, 3, {"input_tokens": True, "speed": "fast"}],
            "container": [None, {"id": "c"}],
        }
        usual = {name: values[0] for name, values in said.items()}
        once = 0
        for first, second in itertools.combinations(said, 2):
            for one, other in itertools.product(said[first], said[second]):
                doc = {"type": "message", **usual, first: one, second: other}
                exchange, stepwise = context(), context()
                found = plain(doc, doc["content"], exchange)
                if found is not None:
                    once += 1
                    self.assertEqual(found, by_steps(doc, doc["content"], stepwise))
                    self.assertEqual(list(exchange.notes), list(stepwise.notes))
                else:
                    self.assertEqual(len(exchange.notes), 0)
        self.assertGreater(once, 100)

    def test_taken(self) -> None:
        """The usual answer is read at once; one that holds more is not."""
        usual = message({"type": "text", "text": "a"})
        self.assertEqual(plain(usual, usual["content"], context()), parse(usual, context()))
        for more in (message({"type": "text", "text": "a"}, stop_reason="max_tokens"), message(), message({"type": "x"})):
            self.assertIsNone(plain(more, more["content"], context()))


class ParseTests(SynchronousTestCase):
    """A whole body."""

    def test_head(self) -> None:
        """Whose it is and what it cost: counts include what was cached."""
        found = parse(message(), context())
        self.assertEqual((found.id, found.model, found.created, found.tier), ("1", "claude", 1_700_000_000, "standard"))
        self.assertEqual(found.usage, Usage(2400, 2000, 300, 50, 20, 200, searches=1, fetches=2, tier="standard"))
        self.assertEqual(found.choices[0].finish, Finish("stop", None, None, None, "end_turn", "/stop_reason", "/stop_sequence"))

    def test_blocks(self) -> None:
        """Texts in a row are parts of one message; thinking and calls are items of their own."""
        page = {"type": "web_search_result", "url": "https://a", "title": "A", "encrypted_content": "z"}
        web = {"type": "web_search_result_location", "url": "https://a", "title": "A", "cited_text": "c", "encrypted_index": "z"}
        search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}
        result = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [page]}
        exchange = context()
        found = parse(
            message(
                {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                {"type": "thinking", "thinking": "", "signature": "s2"},
                {"type": "redacted_thinking", "data": "r"},
                search,
                result,
                {"type": "text", "text": "a", "citations": [web]},
                {"type": "text", "text": ""},
                {"type": "text", "text": "b"},
                {"type": "tool_use", "id": "toolu_1", "name": "t", "input": {"x": 1}},
                {"type": "tool_use", "id": "toolu_2", "name": "t", "input": {}},
                stop_reason="tool_use",
            ),
            exchange,
        )
        hit = Annotation("url", "https://a", "A", dialect="anthropic", raw=page)
        cited = Annotation("url", "https://a", "A", "c", dialect="anthropic", raw=web, at="/content/5/citations")
        self.assertEqual(
            found.items,
            (
                Reasoning((Segment("summary", "Hm."),), (Seal("anthropic", "signature", "s"),)),
                Reasoning((), (Seal("anthropic", "signature", "s2"),)),
                Reasoning((), (Seal("anthropic", "redacted", "r"),)),
                ServerCall("web_search", "srvtoolu_1", "web_search", '{"query":"q"}', "anthropic", search, at="/content/3"),
                ServerResult("web_search", "srvtoolu_1", (hit,), "", "anthropic", result, at="/content/4"),
                Message("assistant", (Text("a", (cited,)), Text("b"))),
                ToolCall("toolu_1", "t", '{"x":1}'),
                ToolCall("toolu_2", "t", "{}"),
            ),
        )
        self.assertEqual(found.finish.reason, "tool_calls")
        self.assertEqual(noted(exchange), [])

    def test_reasons(self) -> None:
        """Every word has a reason, with what was said of it."""
        words: list[tuple[str | None, Reason]] = [
            ("max_tokens", "length"),
            ("stop_sequence", "stop_sequence"),
            ("model_context_window_exceeded", "context_full"),
            ("pause_turn", "paused"),
            ("refusal", "refusal"),
            ("compaction", "stop"),
            ("weather", "unknown"),
            (None, "stop"),
        ]
        for word, reason in words:
            self.assertEqual(parse(message(stop_reason=word), context()).finish.reason, reason)
        details = {"type": "refusal", "category": "cyber", "explanation": "no"}
        found = parse(message(stop_reason="refusal", stop_details=details), context()).finish
        finish = Finish("refusal", None, "no", "cyber", "refusal", "/stop_reason", "/stop_sequence", "/stop_details/explanation")
        self.assertEqual(found, finish)

    def test_unknown(self) -> None:
        """Blocks of tomorrow are carried, with a note by their place; so is what stands beside the content."""
        exchange = context()
        block = {"type": "hologram", "x": 1}
        found = parse(message({"type": "text", "text": "a"}, block, container={"id": "c"}), exchange)
        self.assertEqual(found.items[1], OpaqueItem("hologram", block, "anthropic", at="/content/1"))
        self.assertEqual(noted(exchange), [("/content/1", "dropped"), ("/container", "dropped")])

    def test_names(self) -> None:
        """Tools get the client's names back, free text its own form."""
        exchange = context()
        exchange.book = Book(ANTHROPIC.names, (Tool("a.b", namespace="n"), Tool("patch", "custom")))
        alias = exchange.book.alias("a.b", "n")
        found = parse(
            message(
                {"type": "tool_use", "id": "1", "name": alias, "input": {}},
                {"type": "tool_use", "id": "2", "name": "patch", "input": {"input": "a\n"}},
            ),
            exchange,
        )
        self.assertEqual(found.items, (ToolCall("1", "a.b", "{}", namespace="n"), ToolCall("2", "patch", "a\n", kind="custom")))

    def test_emulated(self) -> None:
        """An answer that came as a call is an answer; arguments that travelled inside a member come out of it."""
        exchange = context()
        exchange.nested.add("t")
        exchange.book = Book(ANTHROPIC.names, (Tool("t"),))
        found = parse(message({"type": "tool_use", "id": "1", "name": "llmux_json", "input": {"a": 1}}), exchange)
        self.assertEqual((found.items, found.finish.reason), ((Message("assistant", (Text('{"a":1}'),)),), "stop"))
        found = parse(message({"type": "tool_use", "id": "1", "name": "t", "input": {"value": {"a": [1]}}}), exchange)
        self.assertEqual(found.items, (ToolCall("1", "t", '{"a":[1]}'),))
        found = parse(message({"type": "tool_use", "id": "1", "name": "t", "input": {"b": 1}}), exchange)
        self.assertEqual(found.items, (ToolCall("1", "t", '{"b":1}'),))

    def test_no_message(self) -> None:
        """An error is one, whatever its status; what cannot be read is a bad answer."""
        error = {"type": "error", "error": {"type": "overloaded_error", "message": "too much"}}
        self.assertEqual(self.assertRaises(Fault, parse, error, context()).kind, "overloaded")
        self.assertEqual(self.assertRaises(Fault, parse, {"id": "x"}, context()).kind, "bad_gateway")
        self.assertEqual(self.assertRaises(Fault, parse, message("x"), context()).kind, "bad_gateway")  # type: ignore[arg-type]
