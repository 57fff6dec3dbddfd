"""Tests for the Messages writer of streams."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from llmux import jsonio
from llmux.dialects.anthropic.responses import write as write_body
from llmux.dialects.anthropic.streams import encoder
from llmux.dialects.context import Context
from llmux.dialects.events import (
    Cited,
    Delta,
    Event,
    ItemClosed,
    ItemOpened,
    PartClosed,
    PartOpened,
    Pinged,
    Sealed,
    Started,
)
from llmux.dialects.neutral import (
    Annotation,
    Choice,
    Finish,
    Message,
    Reasoning,
    Response,
    Seal,
    Segment,
    ServerCall,
    ServerResult,
    Text,
    ToolCall,
)
from llmux.errors import Fault
from tests import oracles
from tests.dialects.anthropic.exchanges import context
from tests.dialects.tellings import CALL, OTHER_CALL, RESPONSES, WORDS, end, interleaved, response, tell, tell_item, write
from tests.grammars import Record, check_messages, records

SEAL = Seal("gemini", "thought_signature", "g")
SAID = Segment("summary", "t")

# Answers of other providers, beyond what every dialect says.
MORE: dict[str, Response] = {
    "signed": response(Reasoning((SAID, Segment("summary", "u")), (Seal("anthropic", "signature", "s"),)), WORDS),
    "sealed elsewhere": response(Reasoning((SAID,), (Seal("openai", "encrypted", "e"),)), WORDS),
    "an empty thought before another": response(Reasoning((Segment("summary", ""), SAID)), WORDS),
    "signed without a text": response(Reasoning((), (Seal("anthropic", "signature", "s"),)), WORDS),
    "hidden": response(Reasoning((), (Seal("openai", "encrypted", "e"),)), WORDS),
    "redacted": response(Reasoning((), (Seal("anthropic", "redacted", "r"),)), WORDS),
    "nothing thought": response(Reasoning(()), WORDS),
    "several texts": response(Message("assistant", (Text("a"), Text(""), Text("b")))),
    "cited": response(Message("assistant", (Text("a", (Annotation("url", "https://a", "A", start=0, end=1),)),))),
    "sealed text and call": response(
        Message("assistant", (Text("a", seals=(SEAL,)),)), msgspec.structs.replace(CALL, seals=(SEAL,)), reason="tool_calls"
    ),
    "sealed call without arguments": response(ToolCall("c", "t", "", seals=(SEAL,)), reason="tool_calls"),
    "arguments that are no object": response(ToolCall("c", "t", "[1]"), reason="tool_calls"),
    "searched": response(
        ServerCall("web_search", "ws_1", "web_search", '{"query":"q"}', "openai-responses", {}),
        ServerResult("web_search", "ws_1", (Annotation("url", "https://a", "A"),), "", "openai-responses", {}),
        ServerCall("web_search", "ws_2", "web_search", "{}", "openai-responses", {}),
        WORDS,
        ServerCall("web_search", "ws_3", "web_search", "{}", "openai-responses", {}),
    ),
    "an own tool without a counterpart": response(ServerCall("code", "ci", "code", "{}", "gemini", {}), WORDS),
}


def told(events: list[Event], exchange: Context | None = None) -> list[Record]:
    """The records of a stream, which keep the grammar."""
    stream = records(write(encoder(exchange or context(lenient=True)), events))
    check_messages(stream)
    return stream


def content(stream: list[Record]) -> Any:
    """What the SDK makes of a stream's blocks."""
    return oracles.plain(oracles.message_stream(stream))["content"]


class StreamTests(SynchronousTestCase):
    """What the SDK makes of a stream is what a whole body says."""

    def test_same_as_whole(self) -> None:
        """Every telling keeps the grammar, and comes to the body of the same response."""
        for name, whole in {**RESPONSES, **MORE}.items():
            stream = oracles.plain(oracles.message_stream(told(tell(whole))))
            body = json.loads(jsonio.dumps(write_body(whole, context(lenient=True))))
            self.assertEqual(stream, oracles.plain(oracles.message(body)), name)

    def test_interleaved(self) -> None:
        """Blocks cannot overlap: the first call is told as it comes, the second waits for its end."""
        self.assertEqual([block["input"] for block in content(told(interleaved()))], [{"city": "Zürich"}, {"zone": "CET"}])

    def test_many_wait(self) -> None:
        """Several items that wait are told in the order in which they opened."""
        first, second, third = (tell_item(index, item) for index, item in enumerate((CALL, OTHER_CALL, CALL)))
        whole = response(CALL, OTHER_CALL, CALL, reason="tool_calls")
        mixed: list[Event] = [tell(whole)[0], *first[:-1], second[0], *third, *second[1:-1], first[-1], second[-1], *end(whole)]
        self.assertEqual(
            [block["input"] for block in content(told(mixed))], [{"city": "Zürich"}, {"zone": "CET"}, {"city": "Zürich"}]
        )

    def test_front_is_live(self) -> None:
        """What stands in front is told at once."""
        writer = encoder(context())
        for event in (Started("a", "m", 0), ItemOpened(0, "message"), PartOpened(0, 0, "text"), Delta(0, 0, "text", "a")):
            writer.encode(event)
        self.assertEqual(
            writer.encode(Delta(0, 0, "text", 'é"\n')),
            b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
            b'"delta":{"type":"text_delta","text":"\xc3\xa9\\"\\n"}}\n\n',
        )
        self.assertEqual(writer.encode(ItemOpened(1, "tool_call", call_id="c", name="t")), b"")

    def test_late_seal(self) -> None:
        """A seal that comes when its call is told already stands behind it."""
        whole = response(CALL, reason="tool_calls")
        events = tell(whole)
        events.insert(-4, Sealed(0, SEAL))
        self.assertEqual([block["type"] for block in content(told(events))], ["tool_use", "redacted_thinking"])

    def test_call_opens_at_once(self) -> None:
        """A call is told when it begins, behind the seals that are known by then; its arguments never wait."""
        writer = encoder(context())
        writer.encode(Started("a", "m", 0))
        stream = records(writer.encode(ItemOpened(0, "tool_call", call_id="c", name="t", seals=(SEAL, SEAL))))
        blocks = [record.data["content_block"]["type"] for record in stream if record.name == "content_block_start"]
        self.assertEqual(blocks, ["redacted_thinking", "redacted_thinking", "tool_use"])
        for fragment in ("{}", " "):
            (said,) = records(writer.encode(Delta(0, 0, "args", fragment)))
            self.assertEqual((said.data["index"], said.data["delta"]["partial_json"]), (2, fragment))
        closed = records(writer.encode(ItemClosed(0, ToolCall("c", "t", "{} ", seals=(SEAL, SEAL)))))
        self.assertEqual([record.name for record in closed], ["content_block_stop"])

    def test_begin_of_arguments(self) -> None:
        """White space does not tell whether the arguments are an object; the first that stands there does."""
        cases: list[tuple[tuple[str, ...], str]] = [
            ((" ", "\n", '{"a"', ":1}"), ' \n{"a":1}'),
            ((" ", "[", "1]"), '{"value": [1]}'),
            (('"x"',), '{"value":"x"}'),
            ((" ", "\n"), ""),
            ((), ""),
        ]
        for fragments, expected in cases:
            writer = encoder(context())
            pieces: list[Event] = [Delta(0, 0, "args", fragment) for fragment in fragments]
            whole = ItemClosed(0, ToolCall("c", "t", "".join(fragments)))
            calls: list[Event] = [ItemOpened(0, "tool_call", call_id="c", name="t"), *pieces, whole]
            again: list[Event] = [ItemOpened(1, "tool_call", call_id="d", name="t"), Delta(1, 0, "args", "{}")]
            stream = records(write(writer, [Started("a", "m", 0), *calls, *again]))
            said = ["", ""]
            for record in stream:
                if record.name == "content_block_delta":
                    said[record.data["index"]] += record.data["delta"]["partial_json"]
            self.assertEqual(said, [expected, "{}"])

    def test_seal_before_the_text(self) -> None:
        """Thinking is signed at its end, whenever the seal comes."""
        item = Reasoning((SAID,), (Seal("anthropic", "signature", "s"),))
        events = tell(response(item))
        events.insert(2, events.pop(events.index(Sealed(0, item.seals[0]))))
        self.assertEqual(content(told(events)), [{"type": "thinking", "thinking": "t", "signature": "s"}])

    def test_no_empty_text(self) -> None:
        """A message that says nothing opens no block: clients send blocks back, and empty ones are refused."""
        writer = encoder(context())
        writer.encode(Started("a", "m", 0))
        empty: list[Event] = [
            ItemOpened(0, "message"),
            PartOpened(0, 0, "text"),
            Delta(0, 0, "text", ""),
            PartClosed(0, 0, ""),
            ItemClosed(0, Message("assistant", (Text(""),))),
        ]
        self.assertEqual(write(writer, empty), b"")

    def test_citation(self) -> None:
        """A source is told in the block that it belongs to."""
        events = tell(MORE["cited"])
        self.assertTrue(any(isinstance(event, Cited) for event in events))
        kinds = [record.data["delta"]["type"] for record in told(events) if record.name == "content_block_delta"]
        self.assertEqual(kinds, ["text_delta", "citations_delta"])

    def test_cut_call(self) -> None:
        """A call that broke off ends, and nobody takes it for whole: the reason says so."""
        broken = ToolCall("c", "t", '{"a', cut=True)
        stream = told(tell(response(broken, reason="length")))
        self.assertEqual(stream[-2].data["delta"]["stop_reason"], "max_tokens")

    def test_other_choices(self) -> None:
        """Only one answer can be told here."""
        first, second = tell_item(0, WORDS), tell_item(1, OTHER_CALL)
        second[0] = ItemOpened(1, "tool_call", call_id="c", name="t", choice=1)
        whole = response(WORDS)
        self.assertEqual(len(content(told([tell(whole)[0], *second[:2], *first, *second[2:], *end(whole)]))), 1)

    def test_usage(self) -> None:
        """The start has the input's count, the end has them all; what was cached is counted beside the input."""
        stream = told(tell(RESPONSES["words"]))
        self.assertEqual(stream[0].data["message"]["usage"]["input_tokens"], 20)
        usage = stream[-2].data["usage"]
        self.assertEqual(
            (usage["input_tokens"], usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]), (20, 20, 10)
        )
        self.assertEqual(usage["output_tokens"], 30)

    def test_uncounted(self) -> None:
        """Counts must be numbers."""
        whole = msgspec.structs.replace(response(WORDS), usage=None)
        exchange = context()
        stream = told([Started("a", "m", 0), *tell_item(0, WORDS), *end(whole)], exchange)
        self.assertEqual(stream[-2].data["usage"]["output_tokens"], 0)
        self.assertEqual(len(exchange.notes), 1)

    def test_refused(self) -> None:
        """The end says why."""
        whole = msgspec.structs.replace(response(), choices=(Choice((), Finish("filter", message="no")),))
        delta = told(tell(whole))[-2].data["delta"]
        self.assertEqual((delta["stop_reason"], delta["stop_details"]["explanation"]), ("refusal", "no"))

    def test_ends_in_an_error(self) -> None:
        """What the API answers by an error is no end."""
        fault = self.assertRaises(Fault, write, encoder(context()), tell(response(reason="unsealed")))
        self.assertEqual(fault.kind, "invalid")

    def test_arguments_that_nobody_can_read(self) -> None:
        """A client that gathers them would fail; it is told instead. What was cut off is the reason's business."""
        opened = ItemOpened(0, "tool_call", call_id="c", name="t")
        for args in ('{"a": oops', "oops", "nul", "[1"):
            call = ToolCall("c", "t", args)
            events: list[Event] = [Started("a", "m", 0), opened, Delta(0, 0, "args", args)]
            fault = self.assertRaises(Fault, write, encoder(context()), [*events, ItemClosed(0, call)])
            self.assertEqual((fault.kind, "call c" in fault.message), ("bad_gateway", True))
            write(encoder(context()), [*events, ItemClosed(0, msgspec.structs.replace(call, cut=True))])

    def test_raw_input(self) -> None:
        """A custom tool's input is no JSON, and comes whole."""
        call = ToolCall("c", "t", 'raw "x"\n', kind="custom")
        opened = ItemOpened(0, "tool_call", call_id="c", name="t", call_kind="custom")
        events: list[Event] = [Started("a", "m", 0), opened, Delta(0, 0, "args", "raw"), ItemClosed(0, call)]
        stream = records(write(encoder(context()), events))
        said = [record.data["delta"]["partial_json"] for record in stream if record.name == "content_block_delta"]
        self.assertEqual(said, ['{"input":"raw \\"x\\"\\n"}'])
        cut = msgspec.structs.replace(call, cut=True)
        stream = records(write(encoder(context()), [*events[:-1], ItemClosed(0, cut)]))
        said = [record.data["delta"]["partial_json"] for record in stream if record.name == "content_block_delta"]
        self.assertEqual(said, ['{"input":"raw \\"x\\"\\n'])

    def test_ping(self) -> None:
        """A ping is an event."""
        self.assertEqual(encoder(context()).encode(Pinged()), b'event: ping\ndata: {"type":"ping"}\n\n')

    def test_error(self) -> None:
        """A stream that breaks off says so, and neither closes its block nor stops."""
        writer = encoder(context())
        begun: list[Event] = [Started("a", "m", 0), ItemOpened(0, "tool_call", call_id="c", name="t"), Delta(0, 0, "args", "{")]
        stream = records(write(writer, begun) + writer.error(Fault("overloaded", "too much")))
        self.assertEqual(
            [record.name for record in stream], ["message_start", "content_block_start", "content_block_delta", "error"]
        )
        self.assertEqual(stream[-1].data["error"], {"type": "overloaded_error", "message": "too much"})
