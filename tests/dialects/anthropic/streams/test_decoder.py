"""Tests for the Messages reader of streams."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.anthropic import ANTHROPIC
from llmux.dialects.anthropic.responses import parse
from llmux.dialects.anthropic.streams import decoder, encoder
from llmux.dialects.context import Context
from llmux.dialects.events import Delta, Ended, Event, Fold, Metered, Pinged, Started
from llmux.dialects.neutral import Message, OpaqueItem, Response, Text, Tool, ToolCall, Usage
from llmux.dialects.sse import payloads
from llmux.dialects.tools import Book
from llmux.errors import Fault
from tests.dialects.anthropic.exchanges import context, noted
from tests.dialects.tellings import write

START_USAGE = {"input_tokens": 10, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 2, "service_tier": "standard"}
END_USAGE = {"output_tokens": 30, "output_tokens_details": {"thinking_tokens": 7}}

WEB = {"type": "web_search_result_location", "url": "https://a", "title": "A", "cited_text": "c", "encrypted_index": "z"}
BLOCKS: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "Hm, yes.", "signature": "s"},
    {"type": "thinking", "thinking": "", "signature": "t"},
    {"type": "redacted_thinking", "data": "r"},
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []},
    {"type": "text", "text": "Grüezi 😀!", "citations": [WEB]},
    {"type": "text", "text": "More."},
    {"type": "tool_use", "id": "toolu_1", "name": "t", "input": {"a": "x", "b": [1]}},
    {"type": "tool_use", "id": "toolu_2", "name": "t", "input": {}},
    {"type": "hologram", "x": 1},
]


def event(type_: str, **members: Any) -> dict[str, Any]:
    return {"type": type_, **members}


def start(**more: Any) -> dict[str, Any]:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "content": [], "usage": START_USAGE}
    return event("message_start", message={**message, "stop_reason": None, **more})


def end(reason: str = "end_turn", **usage: Any) -> list[dict[str, Any]]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [event("message_delta", delta=delta, usage={**END_USAGE, **usage}), event("message_stop")]


def block(index: int, whole: dict[str, Any]) -> list[dict[str, Any]]:
    """The events of a block, its texts in pieces of two characters."""
    first: dict[str, Any] = dict(whole)
    deltas: list[dict[str, Any]] = []
    match whole["type"]:
        case "text":
            first["text"] = ""
            first.pop("citations", None)
            deltas = [event("text_delta", text=piece) for piece in pieces(whole["text"])]
            deltas += [event("citations_delta", citation=citation) for citation in whole.get("citations", ())]
        case "thinking":
            first |= {"thinking": "", "signature": ""}
            deltas = [event("thinking_delta", thinking=piece) for piece in pieces(whole["thinking"])]
            deltas.append(event("signature_delta", signature=whole["signature"]))
        case "tool_use" | "server_tool_use":
            first["input"] = {}
            args = json.dumps(whole["input"], separators=(",", ":")) if whole["input"] else ""
            deltas = [event("input_json_delta", partial_json=piece) for piece in ["", *pieces(args)]]
    told = [event("content_block_start", index=index, content_block=first)]
    told += [event("content_block_delta", index=index, delta=delta) for delta in deltas]
    return [*told, event("content_block_stop", index=index)]


def pieces(text: str) -> list[str]:
    return [text[at : at + 2] for at in range(0, len(text), 2)]


def told(*blocks: dict[str, Any], reason: str = "end_turn") -> list[dict[str, Any]]:
    return [start(), *(each for index, whole in enumerate(blocks) for each in block(index, whole)), *end(reason)]


def feed(stream: list[dict[str, Any]], exchange: Context | None = None, at_once: bool = False) -> list[Event]:
    """All events of a stream that is whole."""
    reader = decoder(exchange or context())
    data = [json.dumps(each).encode() for each in stream]
    events = reader.feed(data) if at_once else [each for one in data for each in reader.feed([one])]
    return events + reader.close()


def response(events: list[Event]) -> Response:
    last = events[-1]
    assert isinstance(last, Ended)
    return last.response


class DecoderTests(SynchronousTestCase):
    """A stream that is whole."""

    def test_same_as_whole(self) -> None:
        """A stream comes to what the whole body says, in one piece or many; so does the sum of its events."""
        usage = {**START_USAGE, **END_USAGE}
        body = {"id": "msg_1", "model": "claude", "content": BLOCKS, "stop_reason": "tool_use", "usage": usage}
        whole = parse(body, context())
        for at_once in (False, True):
            events = feed(told(*BLOCKS, reason="tool_use"), at_once=at_once)
            self.assertEqual(response(events), whole)
            fold = Fold()
            for each in events:
                fold.see(each)
            self.assertEqual(fold.response(), whole)

    def test_own_stream(self) -> None:
        """What the encoder writes, the decoder reads."""
        events = feed(told(*BLOCKS[:9], reason="tool_use"))
        again = decoder(context()).feed(payloads(write(encoder(context()), events)))
        self.assertEqual(response(again), response(events))

    def test_live(self) -> None:
        """Each piece is told when it arrives."""
        reader = decoder(context())
        stream = [json.dumps(each).encode() for each in told({"type": "text", "text": "abcd"})]
        self.assertIsInstance(reader.feed(stream[:1])[0], Started)
        self.assertEqual(len(reader.feed(stream[1:2])), 0)
        self.assertEqual([each.text for each in reader.feed(stream[2:3]) if isinstance(each, Delta)], ["ab"])
        self.assertEqual(reader.feed(stream[3:4]), [Delta(0, 0, "text", "cd")])

    def test_usage(self) -> None:
        """The end corrects the start, count by count; what it does not say stands. It may be said again."""
        stream = [start(), *end()[:1], *end(input_tokens=20, cache_read_input_tokens=None, server_tool_use=None)]
        events = feed(stream)
        self.assertEqual(events[0].usage.in_total, 16)  # type: ignore[union-attr]
        self.assertEqual(response(events).usage, Usage(26, 4, 2, 30, 7, tier="standard"))
        self.assertEqual(sum(isinstance(each, Metered) for each in events), 2)

    def test_ping(self) -> None:
        """A ping is one, and what is not known yet is noted."""
        exchange = context()
        events = feed([start(), event("ping"), event("aurora"), *end()], exchange)
        self.assertTrue(any(isinstance(each, Pinged) for each in events))
        self.assertEqual(noted(exchange), [("/aurora", "dropped")])

    def test_unknown(self) -> None:
        """Unknown blocks are carried, unknown deltas noted; what belongs to a closed block says nothing."""
        exchange = context()
        stray = event("content_block_delta", index=7, delta=event("text_delta", text="z"))
        odd = event("content_block_delta", index=0, delta=event("glow_delta", glow=1))
        first = block(0, {"type": "text", "text": "a"})
        compaction = [
            event("content_block_start", index=1, content_block={"type": "compaction", "content": ""}),
            event("content_block_delta", index=1, delta=event("compaction_delta", content="so ")),
            event("content_block_delta", index=1, delta=event("compaction_delta", content="far")),
            event("content_block_stop", index=1),
        ]
        events = feed([start(), *first[:2], odd, stray, *first[2:], *compaction, *end("compaction")], exchange)
        self.assertEqual(
            response(events).items,
            (
                Message("assistant", (Text("a"),)),
                OpaqueItem("compaction", {"type": "compaction", "content": "so far"}, "anthropic", at="/content/1"),
            ),
        )
        self.assertEqual(
            noted(exchange),
            [("/content/0", "dropped"), ("/content", "dropped"), ("/content/1", "dropped"), ("/stop_reason", "approximated")],
        )

    def test_names_and_forms(self) -> None:
        """Names, free text, nested arguments and emulated answers are undone piece by piece."""
        exchange = context()
        exchange.nested.add("n")
        exchange.book = Book(ANTHROPIC.names, (Tool("a.b"), Tool("patch", "custom"), Tool("n")))
        alias = exchange.book.alias("a.b")
        calls: list[dict[str, Any]] = [
            {"type": "tool_use", "id": "1", "name": alias, "input": {"x": 1}},
            {"type": "tool_use", "id": "2", "name": "patch", "input": {"input": 'a\n"b"'}},
            {"type": "tool_use", "id": "3", "name": "n", "input": {"value": {"x": {"y": "}"}}}},
            {"type": "tool_use", "id": "4", "name": "llmux_json", "input": {"z": 1}},
        ]
        events = feed(told(*calls, reason="tool_use"), exchange)
        self.assertEqual(
            response(events).items,
            (
                ToolCall("1", "a.b", '{"x":1}'),
                ToolCall("2", "patch", 'a\n"b"', kind="custom"),
                ToolCall("3", "n", '{"x":{"y":"}"}}'),
                Message("assistant", (Text('{"z":1}'),)),
            ),
        )
        said = "".join(each.text for each in events if isinstance(each, Delta) and each.item == 2)
        self.assertEqual(said, '{"x":{"y":"}"}}')

    def test_emulated_answer(self) -> None:
        """An answer that came as a call has just stopped."""
        call = {"type": "tool_use", "id": "4", "name": "llmux_json", "input": {"z": 1}}
        self.assertEqual(response(feed(told(call, reason="tool_use"))).finish.reason, "stop")

    def test_after_the_end(self) -> None:
        """Nothing follows the end."""
        events = feed([*told({"type": "text", "text": "a"}), *block(1, {"type": "text", "text": "b"})], at_once=True)
        self.assertIsInstance(events[-1], Ended)


class BrokenTests(SynchronousTestCase):
    """A stream that is not."""

    def test_error(self) -> None:
        """An error of the stream's own, at once or behind what was told."""
        error = event("error", error={"type": "overloaded_error", "message": "too much"})
        fault = self.assertRaises(Fault, feed, [error])
        self.assertEqual((fault.kind, fault.message), ("overloaded", "too much"))
        reader = decoder(context())
        events = reader.feed([json.dumps(each).encode() for each in (start(), error, *end())])
        self.assertEqual(len(events), 1)
        assert reader.fault is not None
        self.assertEqual(reader.fault.kind, "overloaded")
        self.assertEqual((reader.feed([json.dumps(start()).encode()]), reader.close()), ([], []))

    def test_truncated(self) -> None:
        """Without message_stop it is not whole, whatever came before."""
        whole = told({"type": "text", "text": "a"})
        for length in range(len(whole)):
            fault = self.assertRaises(Fault, feed, whole[:length])
            self.assertEqual((fault.kind, fault.code), ("bad_gateway", "stream_truncated"))

    def test_unreadable(self) -> None:
        """What is no event of this dialect is a bad answer."""
        for data in (b"{", b"[]", b"3", b"{}", b'{"type":"content_block_delta"}', b'{"type":"message_start"}', b"\xff"):
            fault = self.assertRaises(Fault, decoder(context()).feed, [data])
            self.assertEqual((fault.kind, fault.code), ("bad_gateway", "upstream_invalid"))
