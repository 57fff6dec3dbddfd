"""Tests for the reader of streams: what a provider leaves out, tells twice, or tells in another order."""

from __future__ import annotations

import re
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.context import Context
from llmux.dialects.events import Delta, ItemOpened, Pinged
from llmux.dialects.neutral import (
    Annotation,
    Message,
    OpaqueItem,
    Reasoning,
    Refusal,
    Seal,
    Segment,
    ServerCall,
    ServerResult,
    Text,
    TokenProbability,
    Tool,
    ToolCall,
)
from llmux.dialects.openai_responses.responses import parse, write
from llmux.dialects.openai_responses.streams import decoder, encoder
from llmux.dialects.tools import Book, NameRule
from llmux.errors import Fault
from tests.dialects.openai_responses.saying import Told, completed, created, exchange, payloads
from tests.dialects.tellings import RESPONSES, context, interleaved, tell
from tests.dialects.tellings import write as write_stream
from tests.grammars import records

MESSAGE = {"id": "msg_1", "type": "message", "status": "in_progress", "role": "assistant", "content": []}
CALL = {"id": "fc_1", "type": "function_call", "status": "in_progress", "call_id": "c1", "name": "f", "arguments": ""}
PLACE: dict[str, Any] = {"item_id": "msg_1", "output_index": 0, "content_index": 0}


def added(index: int, item: dict[str, Any]) -> dict[str, Any]:
    """An item begins."""
    return {"type": "response.output_item.added", "output_index": index, "item": item}


def done(index: int, item: dict[str, Any]) -> dict[str, Any]:
    """An item is whole."""
    return {"type": "response.output_item.done", "output_index": index, "item": item}


def text(delta: str, **place: Any) -> dict[str, Any]:
    """A piece of text."""
    return {"type": "response.output_text.delta", **PLACE, "delta": delta, "logprobs": [], **place}


def part(kind: str, words: str, **more: Any) -> dict[str, Any]:
    """A part of a message."""
    return {"type": kind, "refusal" if kind == "refusal" else "text": words, **more}


def said(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A message that is whole."""
    return {**MESSAGE, "status": "completed", "content": list(parts), **more}


def args(delta: str, index: int = 0, id: str = "fc_1") -> dict[str, Any]:
    """A piece of a call's arguments."""
    return {"type": "response.function_call_arguments.delta", "item_id": id, "output_index": index, "delta": delta}


class WholeStreamTests(SynchronousTestCase):
    """Streams as the API sends them."""

    def test_own_encoder(self) -> None:
        """What our own writer tells is read as it was meant, as a stream and whole."""
        for name, response in RESPONSES.items():
            stream = [record.data for record in records(write_stream(encoder(context()), tell(response)))]
            told = Told(*stream)
            self.assertEqual(told.response, parse(write(response, context()), exchange()), name)
            self.assertEqual(told.notes, [])

    def test_overlapping(self) -> None:
        """Calls whose arguments come in turns."""
        stream = [record.data for record in records(write_stream(encoder(context()), interleaved()))]
        items = [item for item in Told(*stream).items if isinstance(item, ToolCall)]
        self.assertEqual([item.args_text for item in items], ['{"city":"Zürich"}', '{"zone":"CET"}'])

    def test_texts(self) -> None:
        """Parts with their citations and probabilities, each piece as it comes."""
        cited = {"type": "url_citation", "url": "https://x", "title": "X", "start_index": 0, "end_index": 2}
        token = {"token": "Hi", "logprob": -0.5, "top_logprobs": [{"token": "Ho", "logprob": -1.0}]}
        whole = part("output_text", "Hi", annotations=[cited], logprobs=[{**token, "bytes": [72, 105]}])
        told = Told(
            created(),
            added(0, {**MESSAGE, "phase": "commentary"}),
            {"type": "response.content_part.added", **PLACE, "part": part("output_text", "")},
            text("H"),
            text("i", logprobs=[token]),
            {"type": "response.output_text.annotation.added", **PLACE, "annotation_index": 0, "annotation": cited},
            {"type": "response.output_text.done", **PLACE, "text": "Hi", "logprobs": [token]},
            {"type": "response.content_part.done", **PLACE, "part": whole},
            {"type": "response.content_part.added", **PLACE, "content_index": 1, "part": part("output_text", "")},
            text("!", content_index=1),
            {"type": "response.output_text.done", **PLACE, "content_index": 1, "text": "!"},
            done(0, said(whole, part("output_text", "!"), phase="commentary")),
            completed(said(whole, part("output_text", "!"))),
        )
        probability = TokenProbability("Hi", -0.5, None, (TokenProbability("Ho", -1.0),))
        at = "/output/0/content/0/annotations"
        annotation = Annotation("url", "https://x", "X", start=0, end=2, dialect="openai-responses", raw=cited, at=at)
        self.assertEqual(
            told.items,
            [Message("assistant", (Text("Hi", (annotation,), (probability,)), Text("!")), id="msg_1", phase="commentary")],
        )
        self.assertEqual([event.text for event in told.events if isinstance(event, Delta)], ["H", "i", "!"])

    def test_reasoning(self) -> None:
        """Summaries part by part, the model's own words, and the seal of the end."""
        place = {"item_id": "rs_1", "output_index": 0}
        begun = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "early"}
        pieces = [
            {"type": "response.reasoning_summary_text.delta", **place, "summary_index": number, "delta": words}
            for number, words in ((0, "one"), (1, "two"))
        ]
        parts = [
            {
                "type": f"response.reasoning_summary_part.{verb}",
                **place,
                "summary_index": number,
                "part": part("summary_text", words),
            }
            for verb, number, words in (("added", 0, ""), ("done", 0, "one"), ("added", 1, ""), ("done", 1, "two"))
        ]
        full = {"type": "response.reasoning_text.delta", **place, "content_index": 0, "delta": "three"}
        summary = [part("summary_text", "one"), part("summary_text", "two")]
        final = {**begun, "summary": summary, "content": [part("reasoning_text", "three")], "encrypted_content": "late"}
        events = [parts[0], pieces[0], parts[1], parts[2], pieces[1], parts[3], full, done(0, final), completed(final)]
        told = Told(created(), added(0, begun), *events)
        segments = (Segment("summary", "one"), Segment("summary", "two"), Segment("full", "three"))
        self.assertEqual(told.items, [Reasoning(segments, (Seal("openai", "encrypted", "late"),), id="rs_1")])
        forgotten = {name: value for name, value in final.items() if name != "encrypted_content"}
        kept = Told(created(), added(0, begun), done(0, forgotten), completed()).items[0]
        assert isinstance(kept, Reasoning)
        self.assertEqual([seal.payload for seal in kept.seals], ["early"])

    def test_custom_calls(self) -> None:
        """Raw input in pieces; the client's names come back."""
        item = {"id": "ctc_1", "type": "custom_tool_call", "call_id": "c1", "name": "patch", "input": "", "namespace": "ns"}
        delta = {"type": "response.custom_tool_call_input.delta", "item_id": "ctc_1", "output_index": 0, "delta": "a\n"}
        whole = {"type": "response.custom_tool_call_input.done", "item_id": "ctc_1", "output_index": 0, "input": "a\nb"}
        told = Told(created(), added(0, item), delta, whole, done(0, {**item, "input": "a\nb"}), completed())
        self.assertEqual(told.items, [ToolCall("c1", "patch", "a\nb", id="ctc_1", kind="custom", namespace="ns")])
        self.assertEqual(told.response.finish.reason, "tool_calls")

    def test_names(self) -> None:
        """A tool that had to be called otherwise."""
        exchanged: Context = exchange()
        rule = NameRule(re.compile("[a-z_0-9]+"), 64, customs=True)
        exchanged.book = Book(rule, (Tool("a.b"),))
        alias = exchanged.book.alias("a.b")
        told = Told(created(), done(0, {**CALL, "name": alias, "arguments": "{}"}), completed(), context=exchanged)
        self.assertEqual(told.items[0].name, "a.b")

    def test_provider_tools(self) -> None:
        """Calls of OpenAI's own tools with what is told of their results; their progress shows that somebody is alive."""
        action = {"type": "search", "query": "q", "sources": [{"type": "url", "url": "https://x"}]}
        search = {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": action}
        searching = {"type": "response.web_search_call.searching", "item_id": "ws_1", "output_index": 0}
        shell = {
            "id": "lsh_1",
            "type": "local_shell_call",
            "call_id": "c1",
            "action": {"type": "exec", "command": ["ls"], "env": {}},
        }
        ring = {"id": "r_1", "type": "ring"}
        told = Told(
            created(),
            added(0, {**search, "status": "in_progress", "action": {}}),
            searching,
            done(0, search),
            done(1, shell),
            done(2, ring),
            {"type": "response.ring.turning"},
            completed(search, shell, ring),
        )
        call, result, ran, opaque = told.items
        assert isinstance(call, ServerCall) and isinstance(result, ServerResult) and isinstance(ran, ToolCall)
        self.assertEqual((call.args_text, call.raw, call.at), ('{"query":"q"}', search, "/output/0"))
        self.assertEqual(([hit.url for hit in result.hits], result.raw), (["https://x"], None))
        self.assertEqual((ran.name, ran.args_text), ("local_shell", '{"command":["ls"]}'))
        self.assertEqual(opaque, OpaqueItem("ring", ring, "openai-responses", at="/output/2"))
        self.assertTrue(any(isinstance(event, Pinged) for event in told.events))
        self.assertEqual(told.notes, ["dropped /output/2", "dropped /response.ring.turning"])


class GapTests(SynchronousTestCase):
    """What other servers of this API leave out, and what nobody should."""

    def test_only_whole(self) -> None:
        """Without deltas, what is told whole is one piece."""
        events = [
            added(0, MESSAGE),
            {"type": "response.output_text.done", **PLACE, "text": "Hello."},
            added(1, CALL),
            {"type": "response.function_call_arguments.done", "item_id": "fc_1", "output_index": 1, "arguments": '{"a":1}'},
        ]
        told = Told(created(), *events, completed())
        self.assertEqual([event.text for event in told.events if isinstance(event, Delta)], ["Hello.", '{"a":1}'])
        self.assertEqual([item.text for item in told.items[0].parts], ["Hello."])
        self.assertEqual(told.response.finish.reason, "tool_calls")

    def test_nothing_opened(self) -> None:
        """Items that only their end tells of, or the final response."""
        message, call = said(part("output_text", "Hello.")), {**CALL, "arguments": "{}", "status": "completed"}
        for events in (
            [done(0, message), done(1, call), completed(message, call)],
            [done(0, message), completed(message, call)],
            [completed(message, call)],
        ):
            told = Told(created(), *events)
            self.assertEqual([type(item) for item in told.items], [Message, ToolCall])
            self.assertEqual(len([event for event in told.events if isinstance(event, ItemOpened)]), 2)

    def test_nothing_begun(self) -> None:
        """Deltas without an item, a stream without a beginning."""
        told = Told(text("Hel"), text("lo."), completed())
        self.assertEqual([item.text for item in told.items[0].parts], ["Hello."])
        self.assertTrue(told.response.id)

    def test_late_names(self) -> None:
        """Arguments that come before the name wait for it; a call that nobody names is a failure."""
        whole = {**CALL, "arguments": '{"a":1}'}
        told = Told(created(), args('{"a"'), args(":1}"), done(0, whole), completed(whole))
        self.assertEqual(told.items[0].args_text, '{"a":1}')
        nameless = {**CALL, "name": ""}
        lost = Told(created(), added(0, nameless), args("{}"), done(0, nameless), completed(nameless))
        assert lost.fault is not None
        self.assertEqual((lost.fault.kind, lost.ended), ("bad_gateway", None))

    def test_ids(self) -> None:
        """Other ids in every event, or no places; calls without ids get one."""
        told = Told(
            created(),
            added(0, MESSAGE),
            text("a", item_id="msg_x"),
            text("b", item_id="msg_y"),
            done(0, said(part("output_text", "ab"), id="msg_z")),
            completed(said(part("output_text", "ab"), id="msg_w")),
        )
        self.assertEqual([item.text for item in told.items[0].parts], ["ab"])
        placeless = [
            {name: value for name, value in event.items() if name != "output_index"}
            for event in (added(0, MESSAGE), text("a"), added(1, CALL), args("{}"), text("b"))
        ]
        items = Told(created(), *placeless, completed()).items
        self.assertEqual([type(item) for item in items], [Message, ToolCall, Message])
        bare = {"type": "function_call", "name": "f", "arguments": "{}"}
        self.assertRegex(Told(created(), completed(bare)).items[0].call_id, "^call_[0-9a-f]{24}$")

    def test_other_places(self) -> None:
        """A server that counts from one in its events is not heard twice."""
        message = said(part("output_text", "Hi"), id="")
        told = Told(created(), done(1, message), completed(message))
        self.assertEqual(len(told.items), 1)

    def test_disagreement(self) -> None:
        """What is told whole counts; what was missing is said, what was other is noted."""
        longer = Told(created(), added(0, MESSAGE), text("Hel"), done(0, said(part("output_text", "Hello."))), completed())
        self.assertEqual([event.text for event in longer.events if isinstance(event, Delta)], ["Hel", "lo."])
        other = Told(created(), added(0, MESSAGE), text("Hi"), done(0, said(part("output_text", "Hello."))), completed())
        self.assertEqual([item.text for item in other.items[0].parts], ["Hello."])
        self.assertEqual((longer.notes, other.notes), ([], ["approximated /output"]))

    def test_left_items(self) -> None:
        """A message that goes on behind a call is another one, and nothing is said twice."""
        whole = said(part("output_text", "ab"))
        events = [
            added(0, MESSAGE),
            text("a"),
            added(1, CALL),
            args("{}", 1),
            text("b"),
            done(0, whole),
            done(1, {**CALL, "arguments": "{}"}),
        ]
        told = Told(created(), *events, completed(whole))
        self.assertEqual([type(item) for item in told.items], [Message, ToolCall, Message])
        self.assertEqual([event.text for event in told.events if isinstance(event, Delta)], ["a", "{}", "b"])
        finished = Told(created(), added(0, MESSAGE), text("ab"), added(1, CALL), done(0, whole), completed(whole))
        self.assertEqual([event.text for event in finished.events if isinstance(event, Delta)], ["ab"])

    def test_refusals(self) -> None:
        """The model's own words for no."""
        refusing = {"type": "response.refusal.delta", **PLACE, "delta": "No."}
        told = Told(
            created(), added(0, MESSAGE), refusing, {"type": "response.refusal.done", **PLACE, "refusal": "No."}, completed()
        )
        self.assertEqual((told.items[0].parts, told.response.finish.reason), ((Refusal("No."),), "refusal"))

    def test_cut(self) -> None:
        """At the limit, what is open broke off."""
        end = completed(status="incomplete", incomplete_details={"reason": "max_output_tokens"})
        told = Told(
            created(), added(0, MESSAGE), text("Half"), added(1, CALL), args('{"a', 1), {**end, "type": "response.incomplete"}
        )
        call = told.items[1]
        assert isinstance(call, ToolCall)
        self.assertEqual((told.response.finish.reason, call.cut), ("length", True))


class EndTests(SynchronousTestCase):
    """Streams that fail, and streams that just end."""

    def test_failures(self) -> None:
        """In any of the forms, with the kind of their code; what was said before is not lost."""
        error = {"code": "rate_limit_exceeded", "message": "Slow down."}
        for event in (
            {"type": "response.failed", "response": {"status": "failed", "error": error}},
            {"type": "error", "sequence_number": 3, **error, "param": None},
            {"type": "error", "error": error},
            {"error": error},
            completed(error=error),
        ):
            told = Told(created(), added(0, MESSAGE), text("Half"), event)
            assert told.fault is not None
            self.assertEqual((told.fault.kind, told.fault.message), ("rate_limit", "Slow down."))
            self.assertEqual((told.ended, len(told.events)), (None, 4))

    def test_behind_events(self) -> None:
        """A failure behind events of the same read is kept."""
        reader = decoder(exchange())
        events = reader.feed(payloads(created(), {"type": "error", "message": "no"}))
        self.assertEqual(len(events), 1)
        assert reader.fault is not None
        self.assertEqual(reader.fault.message, "no")
        self.assertEqual(reader.feed(payloads(text("more"))), [])

    def test_truncated(self) -> None:
        """A stream that does not say its end has none."""
        told = Told(created(), added(0, MESSAGE), text("Half"))
        assert told.fault is not None
        self.assertEqual((told.fault.kind, told.fault.code), ("bad_gateway", "stream_truncated"))

    def test_unreadable(self) -> None:
        """What is no event."""
        for payload in (b"{", b"[]", b"null", b"\xff"):
            reader = decoder(exchange())
            reader.feed(payloads(created()))
            self.assertEqual(self.assertRaises(Fault, reader.feed, [payload]).kind, "bad_gateway")

    def test_behind_the_end(self) -> None:
        """Nothing is read any more; some servers add a word of another API."""
        reader = decoder(exchange())
        self.assertTrue(reader.feed([*payloads(created(), completed()), b"[DONE]", b"{"]))
        self.assertEqual((reader.close(), reader.fault), ([], None))
        self.assertEqual(len(decoder(exchange()).feed([b"[DONE]", *payloads(created())])), 1)
