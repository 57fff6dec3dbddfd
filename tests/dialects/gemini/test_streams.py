"""Tests for the Gemini writer of streams."""

from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.gemini.responses import write as write_body
from llmux.dialects.gemini.streams import encoder
from llmux.dialects.neutral import Delta, Event, ItemClosed, ItemOpened, Pinged, Started, ToolCall
from llmux.errors import Fault
from tests import oracles
from tests.dialects.tellings import RESPONSES, end, interleaved, response, tell, write
from tests.grammars import check_gemini, records


def framed(events: list[Event]) -> list[dict[str, Any]]:
    """The records of a stream of events."""
    return [record.data for record in records(write(encoder({}, True), events))]


class StreamTests(SynchronousTestCase):
    """What the records come to is what a whole body says."""

    def test_same_as_whole(self) -> None:
        """Every telling keeps the grammar, and its parts join to those of the body of the same response."""
        for name, whole in RESPONSES.items():
            stream = framed(tell(whole))
            check_gemini(stream)
            body = write_body(whole, {})
            (candidate,) = body["candidates"]
            joined = oracles.generated_stream([{**body, "candidates": [candidate]}])
            self.assertEqual(oracles.generated_stream(stream), joined, name)
            self.assertEqual(stream[-1]["candidates"][0]["finishReason"], candidate["finishReason"])
            self.assertEqual(stream[-1]["usageMetadata"], body["usageMetadata"])

    def test_array(self) -> None:
        """Without alt=sse the same records are the members of one array."""
        for whole in RESPONSES.values():
            writer = encoder({}, False)
            self.assertEqual(writer.content_type, b"application/json")
            self.assertEqual(json.loads(write(writer, tell(whole))), framed(tell(whole)))

    def test_interleaved(self) -> None:
        """Calls are told whole, as each is whole."""
        calls = [part["functionCall"]["name"] for part in oracles.generated_stream(framed(interleaved()))]
        self.assertEqual(calls, ["get_time", "get_weather"])

    def test_malformed_call(self) -> None:
        """Arguments that are no JSON object end the response, with the raw text for the reader."""
        whole = response(ToolCall("c", "f", "[1"), reason="tool_calls")
        (record,) = framed(tell(whole))
        candidate = record["candidates"][0]
        self.assertEqual(
            (candidate["finishReason"], candidate["finishMessage"]), ("MALFORMED_FUNCTION_CALL", "Malformed function call: f([1)")
        )
        self.assertEqual(write_body(whole, {})["candidates"][0]["finishReason"], "MALFORMED_FUNCTION_CALL")
        oracles.generated(record)

    def test_ping(self) -> None:
        """A ping is a comment, and has no form in an array."""
        self.assertEqual(encoder({}, True).encode(Pinged()), b": ping\n\n")
        self.assertEqual(encoder({}, False).encode(Pinged()), b"")

    def test_error(self) -> None:
        """A stream that breaks off says so in its own framing."""
        fault = Fault("overloaded", "too much")
        begun: list[Event] = [Started("a", "m", 0), ItemOpened(0, "message"), Delta(0, 0, "text", "Half")]
        error = {"code": 503, "message": "too much", "status": "UNAVAILABLE", "details": []}
        for as_events in (True, False):
            writer = encoder({}, as_events)
            said = write(writer, begun) + writer.error(fault)
            told = [record.data for record in records(said)] if as_events else json.loads(said)
            self.assertEqual(told[-1], {"error": error})
        self.assertEqual(json.loads(encoder({}, False).error(fault)), [{"error": error}])

    def test_bare(self) -> None:
        """A call without arguments or id is one with an empty object."""
        whole = response(ToolCall("", "now", ""), reason="tool_calls")
        events: list[Event] = [Started("a", "m", 0), ItemOpened(0, "tool_call"), ItemClosed(0, whole.items[0]), *end(whole)]
        self.assertEqual(oracles.generated_stream(framed(events)), [{"functionCall": {"name": "now", "args": {}}}])
