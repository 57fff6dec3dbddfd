"""Tests for the Messages writer of streams."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.anthropic.responses import write as write_body
from llmux.dialects.anthropic.streams import encoder
from llmux.dialects.neutral import (
    Delta,
    Event,
    ItemClosed,
    ItemOpened,
    PartClosed,
    PartOpened,
    Pinged,
    Reasoning,
    Segment,
    Started,
)
from llmux.errors import Fault
from tests import oracles
from tests.dialects.tellings import CALL, OTHER_CALL, RESPONSES, end, interleaved, response, tell, tell_item, write
from tests.grammars import check_messages, records


class StreamTests(SynchronousTestCase):
    """What the SDK makes of a stream is what a whole body says."""

    def test_same_as_whole(self) -> None:
        """Every telling keeps the grammar, and comes to the body of the same response."""
        for name, whole in RESPONSES.items():
            stream = records(write(encoder({}), tell(whole)))
            check_messages(stream)
            told = oracles.plain(oracles.message_stream(stream))
            self.assertEqual(told, oracles.plain(oracles.message(write_body(whole, {}))), name)

    def test_interleaved(self) -> None:
        """Blocks cannot overlap: the first call is told as it comes, the second waits for its end."""
        stream = records(write(encoder({}), interleaved()))
        check_messages(stream)
        content = oracles.plain(oracles.message_stream(stream))["content"]
        self.assertEqual([block["input"] for block in content], [{"city": "Zürich"}, {"zone": "CET"}])

    def test_many_wait(self) -> None:
        """Several items that wait are told in the order in which they opened."""
        first, second, third = (tell_item(index, item) for index, item in enumerate((CALL, OTHER_CALL, CALL)))
        whole = response(CALL, OTHER_CALL, CALL, reason="tool_calls")
        mixed: list[Event] = [tell(whole)[0], *first[:-1], second[0], *third, *second[1:-1], first[-1], second[-1], *end(whole)]
        stream = records(write(encoder({}), mixed))
        check_messages(stream)
        self.assertEqual(
            [block["input"] for block in oracles.plain(oracles.message_stream(stream))["content"]],
            [{"city": "Zürich"}, {"zone": "CET"}, {"city": "Zürich"}],
        )

    def test_thinking(self) -> None:
        """Thinking is one block for each item, its parts a paragraph apart, with its seal last."""
        item = Reasoning((Segment("summary", "a"), Segment("summary", "b")), "sealed")
        told = tell_item(0, item)
        told.insert(-1, Delta(0, 0, "seal", "sealed"))
        whole = response(item)
        stream = records(write(encoder({}), [tell(whole)[0], *told, *end(whole)]))
        check_messages(stream)
        self.assertEqual(
            oracles.plain(oracles.message_stream(stream))["content"],
            [{"type": "thinking", "thinking": "a\n\nb", "signature": "sealed"}],
        )

    def test_no_empty_text(self) -> None:
        """A message that says nothing opens no block: clients send blocks back, and empty ones are refused."""
        writer = encoder({})
        writer.encode(Started("a", "m", 0))
        empty: list[Event] = [
            ItemOpened(0, "message"),
            PartOpened(0, 0, "text"),
            Delta(0, 0, "text", ""),
            PartClosed(0, 0),
            ItemClosed(0, response().items[0] if response().items else Reasoning(())),
        ]
        self.assertEqual(write(writer, empty), b"")

    def test_usage(self) -> None:
        """The start has the input's count, the end has them all; what was cached is counted beside the input."""
        stream = records(write(encoder({}), tell(RESPONSES["words"])))
        self.assertEqual(stream[0].data["message"]["usage"]["input_tokens"], 20)
        usage = stream[-2].data["usage"]
        self.assertEqual(
            (usage["input_tokens"], usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]), (20, 20, 10)
        )
        self.assertEqual(usage["output_tokens"], 30)

    def test_ping(self) -> None:
        """A ping is an event."""
        self.assertEqual(encoder({}).encode(Pinged()), b'event: ping\ndata: {"type":"ping"}\n\n')

    def test_error(self) -> None:
        """A stream that breaks off says so, and neither closes its block nor stops."""
        writer = encoder({})
        begun: list[Event] = [Started("a", "m", 0), ItemOpened(0, "tool_call", call_id="c", name="t")]
        stream = records(write(writer, begun) + writer.error(Fault("overloaded", "too much")))
        self.assertEqual([record.name for record in stream], ["message_start", "content_block_start", "error"])
        self.assertEqual(stream[-1].data["error"], {"type": "overloaded_error", "message": "too much"})
