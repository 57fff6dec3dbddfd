"""Tests for streams, read and written."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux import jsonio
from llmux.dialects.context import Context
from llmux.dialects.events import Delta, Ended, Event, Finished, ItemClosed, ItemOpened, Pinged, Started
from llmux.dialects.gemini import GEMINI
from llmux.dialects.gemini.framing import ArraySplitter
from llmux.dialects.neutral import (
    Choice,
    Finish,
    Inline,
    Media,
    Message,
    Reasoning,
    Response,
    Seal,
    Segment,
    Text,
    TokenProbability,
    Tool,
    ToolCall,
    Usage,
)
from llmux.dialects.telling import tell as tell_whole
from llmux.dialects.tools import Book
from llmux.errors import Fault
from tests import oracles
from tests.dialects.gemini.saying import exchange, noted
from tests.dialects.gemini.test_responses import answer, body_of
from tests.dialects.tellings import RESPONSES, USAGE, context, end, interleaved, response, tell, write
from tests.grammars import check_gemini, records

FOREIGN = Seal("anthropic", "signature", "sig")
NATIVE = Seal("gemini", "thought_signature", "QUJD")
encoder = GEMINI.rooms.encoder


def framed(events: list[Event]) -> list[dict[str, Any]]:
    """The records of a stream of events."""
    return [record.data for record in records(write(encoder(context()), events))]


def payload(*parts: dict[str, Any], reason: str | None = None, **more: Any) -> bytes:
    """A record of a provider's, without counted tokens."""
    record = answer(*parts, reason=reason, **more)
    del record["usageMetadata"]
    return json.dumps(record).encode()


def told(*payloads: bytes, made: Context | None = None) -> list[Event]:
    """The events that a provider's records tell."""
    decoder = GEMINI.rooms.decoder(made or exchange())
    events = [event for each in payloads for event in decoder.feed([each])]
    return [*events, *decoder.close()]


def whole_of(events: list[Event]) -> Response:
    """The response with which events end."""
    last = events[-1]
    assert isinstance(last, Ended)
    return last.response


class EncoderTests(SynchronousTestCase):
    """What the records come to is what a whole body says."""

    def test_same_as_whole(self) -> None:
        """Every telling keeps the grammar, and its parts join to those of the body of the same response."""
        sealed = response(
            Reasoning((Segment("summary", "a"), Segment("summary", "b")), (FOREIGN,)),
            ToolCall("c", "f", "{}", seals=(NATIVE,)),
            Message("assistant", (Text("x", seals=(NATIVE,)), Media("image", Inline("AA=="), "image/png"))),
            reason="tool_calls",
        )
        for name, whole in {**RESPONSES, "sealed": sealed}.items():
            for events in (tell(whole), tell_whole(whole)):
                stream = framed(events)
                check_gemini(stream)
                body = body_of(whole)
                self.assertEqual(oracles.generated_stream(stream), oracles.generated_stream([body]), name)
                self.assertEqual(stream[-1]["candidates"][0]["finishReason"], body["candidates"][0]["finishReason"])
                self.assertEqual(stream[-1]["usageMetadata"], body["usageMetadata"])

    def test_array(self) -> None:
        """Without alt=sse the same records are the members of one array."""
        for whole in RESPONSES.values():
            writer = encoder(context(framed=False))
            self.assertEqual(writer.content_type, b"application/json")
            self.assertEqual(json.loads(write(writer, tell(whole))), framed(tell(whole)))

    def test_interleaved(self) -> None:
        """Calls that arrive in turns are told whole, in the order in which they began."""
        calls = [part["functionCall"]["name"] for part in oracles.generated_stream(framed(interleaved()))]
        self.assertEqual(calls, ["get_weather", "get_time"])

    def test_order(self) -> None:
        """What is said while another item is open waits for it; other candidates do not."""
        call, words, other = ToolCall("c", "f", "{}"), Message("assistant", (Text("ab"),)), Message("assistant", (Text("z"),))
        events: list[Event] = [
            Started("a", "m", 0),
            ItemOpened(0, "tool_call", call_id="c", name="f"),
            ItemOpened(1, "message"),
            Delta(1, 0, "text", "a"),
            ItemOpened(2, "message", choice=1),
            Delta(2, 0, "text", "z"),
            Delta(1, 0, "text", "b"),
            ItemClosed(0, call),
            ItemClosed(1, words),
            ItemClosed(2, other),
            Finished(Finish("tool_calls")),
            Finished(Finish("stop"), 1),
            Ended(Response("a", "m", 0, (Choice((call, words), Finish("tool_calls")), Choice((other,), Finish("stop"))), USAGE)),
        ]
        said = [
            (candidate["index"], part.get("text", "f()"))
            for record in framed(events)
            for candidate in record["candidates"]
            for part in candidate["content"]["parts"]
        ]
        self.assertEqual(said, [(1, "z"), (0, "f()"), (0, "a"), (0, "b"), (0, ""), (1, "")])

    def test_malformed_call(self) -> None:
        """Arguments that are no JSON end the response, with the raw text for the reader."""
        whole = response(ToolCall("c", "f", "[1"), reason="tool_calls")
        (record,) = framed(tell(whole))
        candidate = record["candidates"][0]
        self.assertEqual(
            (candidate["finishReason"], candidate["finishMessage"]), ("MALFORMED_FUNCTION_CALL", "Malformed function call: f([1)")
        )
        oracles.generated(record)

    def test_cut_call(self) -> None:
        """A call that broke off is not told."""
        whole = response(ToolCall("c", "f", '{"a":1}', cut=True), reason="filter")
        self.assertEqual(oracles.generated_stream(framed(tell(whole))), [])

    def test_blocked(self) -> None:
        """A prompt that was not answered has no candidates."""
        whole = Response("a", "m", 0, (Choice((), Finish("blocked", category="SAFETY")),), USAGE)
        (record,) = framed(tell(whole))
        oracles.generated(record)
        self.assertEqual((record["promptFeedback"], "candidates" in record), ({"blockReason": "SAFETY"}, False))

    def test_logprobs(self) -> None:
        """They stand with their text."""
        whole = response(Message("assistant", (Text("a", logprobs=(TokenProbability("a", -0.5),)),)))
        first = framed(tell_whole(whole))[0]["candidates"][0]
        self.assertEqual(first["logprobsResult"], {"chosenCandidates": [{"token": "a", "logProbability": -0.5}]})

    def test_ping(self) -> None:
        """Google's own SDK takes a comment for a record that it cannot read, so nothing is sent."""
        for framed in (True, False):
            self.assertEqual(encoder(context(framed=framed)).encode(Pinged()), b"")

    def test_error(self) -> None:
        """A stream that breaks off says so in its own framing."""
        fault = Fault("overloaded", "too much")
        begun: list[Event] = [Started("a", "m", 0), ItemOpened(0, "message"), Delta(0, 0, "text", "Half")]
        error = {"code": 503, "message": "too much", "status": "UNAVAILABLE", "details": []}
        for as_events in (True, False):
            writer = encoder(context(framed=as_events))
            said = write(writer, begun) + writer.error(fault)
            found = [record.data for record in records(said)] if as_events else json.loads(said)
            self.assertEqual(found[-1], {"error": error})
        self.assertEqual(json.loads(encoder(context(framed=False)).error(fault)), [{"error": error}])

    def test_bare(self) -> None:
        """A call without arguments or id is one with an empty object."""
        whole = response(ToolCall("", "now", ""), reason="tool_calls")
        events: list[Event] = [Started("a", "m", 0), ItemOpened(0, "tool_call"), ItemClosed(0, whole.items[0]), *end(whole)]
        self.assertEqual(oracles.generated_stream(framed(events)), [{"functionCall": {"name": "now", "args": {}}}])


class DecoderTests(SynchronousTestCase):
    """A provider's records as events."""

    def test_same_as_whole(self) -> None:
        """A stream of this dialect tells what the whole body of the same response tells, however it is cut."""
        for whole in RESPONSES.values():
            payloads = [jsonio.dumps(record) for record in framed(tell(whole))]
            read = GEMINI.rooms.parse_response(body_of(whole), exchange())
            self.assertEqual(whole_of(told(*payloads)), read)
            decoder = GEMINI.rooms.decoder(exchange())
            self.assertEqual(whole_of([*decoder.feed(payloads), *decoder.close()]), read)

    def test_pieces(self) -> None:
        """Every piece of text is told as it arrives."""
        events = told(payload({"text": "a"}), payload({"text": "b"}), payload({"text": ""}, reason="STOP"))
        self.assertEqual([event.text for event in events if isinstance(event, Delta)], ["a", "b"])

    def test_usage(self) -> None:
        """Counts may stand on any record, and zeros in the places of what is known change nothing."""
        first = answer({"text": "a"}, reason=None)
        last = answer({"text": "b"})
        first["usageMetadata"] = {"promptTokenCount": 5, "candidatesTokenCount": 1}
        last["usageMetadata"] = {"promptTokenCount": 0, "candidatesTokenCount": 2, "totalTokenCount": 7}
        events = told(json.dumps(first).encode(), json.dumps(last).encode())
        started = events[0]
        assert isinstance(started, Started)
        self.assertEqual(started.usage, Usage(in_total=5, out_total=1))
        self.assertEqual(whole_of(events).usage, Usage(in_total=5, out_total=2))

    def test_usage_behind_the_end(self) -> None:
        """It may come in a record of its own; without any, the end is that of the connection."""
        counts = {"usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 2}}
        events = told(payload({"text": "a"}, reason="STOP"), json.dumps(counts).encode())
        self.assertEqual(whole_of(events).usage, Usage(in_total=5, out_total=2))
        self.assertIsNone(whole_of(told(payload({"text": "a"}, reason="STOP"))).usage)

    def test_nothing_behind_the_end(self) -> None:
        """What follows is not heard."""
        decoder = GEMINI.rooms.decoder(exchange())
        events = decoder.feed([json.dumps(answer({"text": "a"})).encode()])
        self.assertIsInstance(events[-1], Ended)
        self.assertEqual([decoder.feed([b"rubbish"]), decoder.close(), decoder.fault], [[], [], None])

    def test_signatures(self) -> None:
        """A signature may come in a record of its own, behind a call as behind a text."""
        alone = payload({"text": "", "thoughtSignature": "QUJD"}, reason="STOP")
        call = payload({"functionCall": {"id": "c", "name": "f", "args": {}}})
        self.assertEqual(whole_of(told(call, alone)).items, (ToolCall("c", "f", "{}", seals=(NATIVE,)),))
        self.assertEqual(
            whole_of(told(payload({"text": "a"}), alone)).items, (Message("assistant", (Text("a", seals=(NATIVE,)),)),)
        )

    def test_partial_arguments(self) -> None:
        """Vertex tells a call's arguments one by one."""
        pieces: list[dict[str, Any]] = [
            {"name": "f", "id": "c", "willContinue": True},
            {"partialArgs": [{"jsonPath": "$.city", "stringValue": "Zü", "willContinue": True}], "willContinue": True},
            {"partialArgs": [{"jsonPath": "$.city", "stringValue": "rich"}], "willContinue": True},
            {"partialArgs": [{"jsonPath": "$.days[0]", "numberValue": 2.0}], "willContinue": True},
            {},
        ]
        payloads = [payload({"functionCall": piece}) for piece in pieces]
        expected = ToolCall("c", "f", '{"city":"Zürich","days":[2]}')
        self.assertEqual(whole_of(told(*payloads, payload(reason="STOP"))).items, (expected,))
        said = [event.text for event in told(*payloads, payload(reason="STOP")) if isinstance(event, Delta)]
        self.assertEqual(said, ['{"city":"Zü', 'rich"', ',"days":[2', "]}"])  # each as it comes
        (cut,) = whole_of(told(*payloads[:2], payload(reason="MAX_TOKENS"))).items
        self.assertEqual(cut, ToolCall("c", "f", '{"city":"Zü', cut=True))

    def test_candidates(self) -> None:
        """Several candidates are told side by side, and the end is that of all."""
        made = exchange(asked={"n": 2})
        one = payload({"text": "a"}, reason="STOP")
        two = {
            "candidates": [{"content": {"parts": [{"text": "b"}]}, "finishReason": "STOP", "index": 1}],
            "usageMetadata": {"a": 1},
        }
        whole = whole_of(told(one, json.dumps(two).encode(), made=made))
        self.assertEqual([choice.items for choice in whole.choices], [(Message("assistant", (Text(t),)),) for t in "ab"])

    def test_broken_off(self) -> None:
        """A stream without an end is none; so is one that cannot be read."""
        for payloads in ([], [payload({"text": "a"})], [payload({"functionCall": {"name": "f", "willContinue": True}})]):
            decoder = GEMINI.rooms.decoder(exchange())
            decoder.feed(payloads)
            self.assertEqual(self.assertRaises(Fault, decoder.close).code, "stream_truncated")
        many = b'{"candidates":[{"index":%d}]}'
        for rubbish in (b"<html>", b"[1]", b'{"candidates":[{"content":{"parts":"x"}}]}', b'{"candidates":{}}', many % 128):
            fault = self.assertRaises(Fault, GEMINI.rooms.decoder(exchange()).feed, [rubbish])
            self.assertEqual((fault.kind, fault.code), ("bad_gateway", "upstream_invalid"))

    def test_errors(self) -> None:
        """An error behind words does not swallow them; in an array it is one as well."""
        error = {"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED", "details": [{"retryDelay": "3s"}]}}
        decoder = GEMINI.rooms.decoder(exchange())
        events = decoder.feed([payload({"text": "a"}), json.dumps(error).encode()])
        self.assertEqual([event.text for event in events if isinstance(event, Delta)], ["a"])
        assert decoder.fault is not None
        self.assertEqual((decoder.fault.kind, decoder.fault.retry_after), ("rate_limit", 3.0))
        fault = self.assertRaises(Fault, GEMINI.rooms.decoder(exchange()).feed, [json.dumps([error]).encode()])
        self.assertEqual(fault.message, "slow")

    def test_array(self) -> None:
        """A body that is one array is read through a splitter, wherever it is cut."""
        whole = RESPONSES["thought, words, two calls"]
        body = write(encoder(context(framed=False)), tell(whole))
        expected = GEMINI.rooms.parse_response(body_of(whole), exchange())
        for size in (1, 7, len(body)):
            splitter, decoder = ArraySplitter(), GEMINI.rooms.decoder(exchange())
            events = [event for at in range(0, len(body), size) for event in decoder.feed(splitter.feed(body[at : at + size]))]
            self.assertTrue(splitter.whole)
            self.assertEqual(whole_of([*events, *decoder.close()]), expected)

    def test_names(self) -> None:
        """Tools get the client's names back, and custom tools their raw input."""
        made = exchange(book=Book(GEMINI.names, (Tool("p q", "custom"),)))
        alias = made.book.alias("p q")
        call = {"functionCall": {"id": "c", "name": alias, "args": {"input": "a\n"}}}
        (item,) = whole_of(told(payload(call, reason="STOP"), made=made)).items
        self.assertEqual(item, ToolCall("c", "p q", "a\n", kind="custom"))
        self.assertEqual(noted(made), [])
