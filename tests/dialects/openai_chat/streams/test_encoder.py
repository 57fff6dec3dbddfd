"""Tests for the Chat Completions writer of streams."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.events import (
    Cited,
    Delta,
    Ended,
    Event,
    Finished,
    ItemClosed,
    ItemOpened,
    PartClosed,
    PartOpened,
    Pinged,
    Started,
)
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
from llmux.dialects.openai_chat.responses import write as write_body
from llmux.dialects.openai_chat.streams import encoder
from llmux.dialects.telling import tell as tell_whole
from llmux.errors import Fault
from tests import oracles
from tests.dialects.tellings import CALL, OTHER_CALL, RESPONSES, USAGE, WORDS, context, interleaved, response, tell, write
from tests.grammars import Record, check_chat, records

WITH_USAGE = {"stream_options": {"include_usage": True}}
GEMINI = Seal("gemini", "thought_signature", "c2ln")
PAGE = Annotation("url", "https://x", "X", start=0, end=1)

SEALED: dict[str, Response] = {
    "sealed reasoning": response(
        Reasoning((Segment("summary", "Hm."), Segment("summary", "So.")), (Seal("openai", "encrypted", "e"),)),
        Reasoning((), (Seal("anthropic", "signature", "s"),)),
        WORDS,
    ),
    "a sealed call": response(ToolCall("c", "f", "", seals=(GEMINI,)), reason="tool_calls"),
    "a sealed text": response(Message("assistant", (Text("x", seals=(GEMINI,)),))),
    "citations": response(
        Message("assistant", (Text("漢字", (PAGE,)), Text("abc", (PAGE, Annotation("url", "https://y", "Y"))))),
        Message("assistant", (Text("d", (PAGE,)),)),
    ),
    "a refusal that was explained": Response(
        "abc", "model-1", 1_700_000_000, (Choice((), Finish("refusal", message="I cannot.", category="bio")),), USAGE
    ),
    "a stop sequence": Response(
        "abc",
        "model-1",
        1_700_000_000,
        (Choice((WORDS,), Finish("stop_sequence", "END", sequence_at="/stop_sequence")),),
        USAGE,
    ),
    "a refusal behind words": response(Message("assistant", (Text("Well."), Refusal("No."))), reason="refusal"),
}


def deltas(stream: list[Record]) -> list[dict[str, Any]]:
    """What the chunks of a stream say."""
    return [record.data["choices"][0]["delta"] for record in stream if record.data != "[DONE]" and record.data["choices"]]


class StreamTests(SynchronousTestCase):
    """What the SDK makes of a stream is what a whole body says."""

    def stream(self, told: list[Event], asked: dict[str, Any] | None = None) -> list[Record]:
        self.context = context(asked)
        return records(write(encoder(self.context), told))

    def same(self, name: str, whole: Response, told: list[Event]) -> None:
        stream = self.stream(told, WITH_USAGE)
        check_chat(stream, include_usage=True)
        streamed = oracles.plain(oracles.chat_stream(stream))
        body = oracles.plain(oracles.chat(write_body(whole, context())))
        body["choices"][0].pop("matched_stop", None)  # the accumulator does not keep it
        message = streamed["choices"][0]["message"]
        if not message["content"] and "content" not in body["choices"][0]["message"]:
            del message["content"]  # the first chunk cannot know that there will be no words
        for call in message.get("tool_calls", ()):
            del call["index"]
        self.assertEqual(streamed, body, name)

    def test_same_as_whole(self) -> None:
        """Every telling keeps the grammar, and comes to the body of the same response."""
        for name, whole in {**RESPONSES, **SEALED}.items():
            self.same(name, whole, tell(whole))
            self.same(name, whole, tell_whole(whole))

    def test_usage_unasked(self) -> None:
        """Usage is not sent to whom did not ask, and no chunk speaks of it."""
        stream = self.stream(tell(RESPONSES["words"]))
        check_chat(stream)
        self.assertIsNone(oracles.chat_stream(stream).usage)

    def test_usage_unknown(self) -> None:
        """Where nobody counted there is nothing to tell."""
        told: list[Event] = [Started("a", "m", 0), Finished(Finish("stop")), Ended(response())]
        stream = self.stream(told, WITH_USAGE)
        self.assertEqual(stream[-1].data, "[DONE]")
        self.assertTrue(all(record.data["usage"] is None for record in stream[:-1]))

    def test_interleaved(self) -> None:
        """Calls whose arguments come in turns keep their indices."""
        stream = self.stream(interleaved())
        check_chat(stream)
        calls = oracles.plain(oracles.chat_stream(stream))["choices"][0]["message"]["tool_calls"]
        self.assertEqual([call["function"]["arguments"] for call in calls], [CALL.args_text, OTHER_CALL.args_text])

    def test_reasoning(self) -> None:
        """Separate thoughts stay apart, in the member that clients read."""
        stream = self.stream(tell(RESPONSES["two thoughts"]))
        text = "".join(delta.get("reasoning_content", "") for delta in deltas(stream))
        self.assertEqual(text, "A question about the weather.\n\nAnd another.")

    def test_custom_call(self) -> None:
        """A custom tool's call has its own type, and raw input. The SDK's type of chunks does not know it."""
        call = ToolCall("c", "sh", 'echo "☂"\n', kind="custom")
        stream = self.stream(tell(response(call, reason="tool_calls")))
        check_chat(stream)
        first, *rest = [delta["tool_calls"][0] for delta in deltas(stream) if "tool_calls" in delta]
        self.assertEqual(first, {"index": 0, "id": "c", "type": "custom", "custom": {"name": "sh", "input": ""}})
        self.assertEqual("".join(each["custom"]["input"] for each in rest), call.args_text)

    def test_legacy(self) -> None:
        """A client that knows functions gets one, in its own words."""
        asked = {"functions": [{"name": "get_weather"}]}
        stream = self.stream(tell(response(CALL, OTHER_CALL, reason="tool_calls")), asked)
        check_chat(stream)
        choice = oracles.plain(oracles.chat_stream(stream))["choices"][0]
        self.assertEqual(choice["message"]["function_call"], {"name": "get_weather", "arguments": CALL.args_text})
        self.assertNotIn("tool_calls", choice["message"])
        self.assertEqual(choice["finish_reason"], "function_call")
        self.assertEqual([note.pointer for note in self.context.notes], ["/choices/0/message/tool_calls"])
        bare = self.stream(tell(RESPONSES["a call without arguments"]), asked)
        self.assertEqual(oracles.plain(oracles.chat_stream(bare))["choices"][0]["message"]["function_call"]["arguments"], "{}")

    def test_broken_off(self) -> None:
        """Arguments that broke off are not completed."""
        call = ToolCall("c", "f", "", cut=True)
        stream = self.stream(tell(response(call, reason="length")))
        calls = [call for delta in deltas(stream) for call in delta.get("tool_calls", ())]
        self.assertEqual([call["function"]["arguments"] for call in calls], [""])

    def test_citations(self) -> None:
        """They come in one delta, because clients cannot count them."""
        stream = self.stream(tell(SEALED["citations"]))
        told = [delta["annotations"] for delta in deltas(stream) if "annotations" in delta]
        self.assertEqual([[each["url_citation"]["start_index"] for each in one] for one in told], [[0, 2, 2, 5]])

    def test_probabilities(self) -> None:
        """Those of the tokens of a piece of text stand beside it."""
        token = TokenProbability("Hi", -0.5)
        part = Text("Hi", logprobs=(token,))
        told: list[Event] = [
            Started("a", "m", 0),
            ItemOpened(0, "message"),
            PartOpened(0, 0, "text"),
            Delta(0, 0, "text", "Hi", (token,)),
            PartClosed(0, 0, "Hi"),
            ItemClosed(0, Message("assistant", (part,))),
            Finished(Finish("stop")),
            Ended(response()),
        ]
        stream = self.stream(told)
        check_chat(stream)
        completion = oracles.chat_stream(stream)
        logprobs = completion.choices[0].logprobs
        assert logprobs is not None and logprobs.content is not None
        self.assertEqual([(each.token, each.logprob, each.bytes) for each in logprobs.content], [("Hi", -0.5, [72, 105])])

    def test_stop_sequence(self) -> None:
        """Which sequence it was is told where some servers tell it."""
        last = self.stream(tell(SEALED["a stop sequence"]))[-2].data["choices"][0]
        self.assertEqual((last["finish_reason"], last["matched_stop"]), ("stop", "END"))
        self.assertEqual([note.pointer for note in self.context.notes], ["/stop_sequence"])

    def test_choices(self) -> None:
        """Several answers begin in their order, whichever speaks first."""
        told: list[Event] = [Started("a", "m", 0)]
        for index, text in ((1, "two"), (0, "one")):
            told += [
                ItemOpened(index, "message", choice=index),
                PartOpened(index, 0, "text"),
                Delta(index, 0, "text", text),
                PartClosed(index, 0, text),
                ItemClosed(index, Message("assistant", (Text(text),))),
            ]
        told += [Finished(Finish("stop"), 1), Finished(Finish("length"), 0), Ended(response())]
        stream = self.stream(told)
        check_chat(stream)
        completion = oracles.chat_stream(stream)
        self.assertEqual(
            [(each.message.content, each.finish_reason) for each in completion.choices], [("one", "length"), ("two", "stop")]
        )
        whole = Response("a", "m", 0, (Choice((), Finish("stop")), Choice((WORDS,), Finish("stop"))), None)
        check_chat(self.stream(tell_whole(whole)))

    def test_surrogates(self) -> None:
        """Half an emoji leaves as an escape."""
        told = tell(response(Message("assistant", (Text("ab😀"),))))
        half: list[Event] = [*told[:3], Delta(0, 0, "text", "\ud83d"), *told[3:]]
        self.assertIn(b"\\ud83d", write(encoder(context()), half))

    def test_ping(self) -> None:
        """A ping is a comment."""
        self.assertEqual(encoder(context()).encode(Pinged()), b": ping\n\n")

    def test_unspoken(self) -> None:
        """Empty texts are not sent, nor what a provider's own tools did."""
        call = ServerCall("web_search", "s", "web_search", "{}", "anthropic", {})
        exchange = context()
        writer = encoder(exchange)
        writer.encode(Started("a", "m", 0))
        opened: list[Event] = [ItemOpened(0, "message"), PartOpened(0, 0, "text"), Delta(0, 0, "text", "")]
        for event in (*opened, ItemOpened(1, "server"), ItemClosed(1, call)):
            self.assertEqual(writer.encode(event), b"")
        self.assertEqual([note.pointer for note in exchange.notes], ["/choices/0/message"])

    def test_lost_citations(self) -> None:
        """What is no page on the web is noted."""
        exchange = context()
        writer = encoder(exchange)
        for event in (
            Started("a", "m", 0),
            ItemOpened(0, "message"),
            PartOpened(0, 0, "text"),
            Cited(0, 0, Annotation("char_location", dialect="anthropic", raw={}, at="/content/0/citations")),
            PartClosed(0, 0, ""),
        ):
            writer.encode(event)
        self.assertEqual([note.pointer for note in exchange.notes], ["/content/0/citations"])

    def test_error(self) -> None:
        """A stream that breaks off says so, and has no [DONE]."""
        writer = encoder(context())
        begun: list[Event] = [Started("a", "m", 0)]
        stream = records(write(writer, begun) + writer.error(Fault("overloaded", "too much")))
        self.assertEqual(
            stream[-1].data, {"error": {"message": "too much", "type": "server_error", "param": None, "code": "overloaded"}}
        )

    def test_reasons_that_are_errors(self) -> None:
        """Some reasons are errors here, and nothing follows them."""
        reasons: tuple[Reason, ...] = ("unsealed", "disabled")
        for reason in reasons:
            items: tuple[OutputItem, ...] = (WORDS,)
            self.assertRaises(Fault, self.stream, tell(response(*items, reason=reason)))
