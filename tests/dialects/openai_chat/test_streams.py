"""Tests for the Chat Completions writer of streams."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.neutral import Delta, Event, ItemOpened, Pinged, Started
from llmux.dialects.openai_chat.responses import write as write_body
from llmux.dialects.openai_chat.streams import Encoder, encoder
from llmux.errors import Fault
from tests import oracles
from tests.dialects.tellings import CALL, OTHER_CALL, RESPONSES, interleaved, tell, write
from tests.grammars import check_chat, records

WITH_USAGE = {"stream_options": {"include_usage": True}}


class StreamTests(SynchronousTestCase):
    """What the SDK makes of a stream is what a whole body says."""

    def test_same_as_whole(self) -> None:
        """Every telling keeps the grammar, and comes to the body of the same response."""
        for name, response in RESPONSES.items():
            stream = records(write(encoder(WITH_USAGE), tell(response)))
            check_chat(stream, include_usage=True)
            told = oracles.plain(oracles.chat_stream(stream))
            whole = oracles.plain(oracles.chat(write_body(response, {})))
            message = told["choices"][0]["message"]
            if "tool_calls" in message and not message["content"]:
                del message["content"]  # the first chunk cannot know that there will be no words
            for call in message.get("tool_calls", ()):
                del call["index"]
            self.assertEqual(told, whole, name)

    def test_usage_unasked(self) -> None:
        """Usage is not sent to whom did not ask, and no chunk speaks of it."""
        stream = records(write(encoder({}), tell(RESPONSES["words"])))
        check_chat(stream)
        self.assertIsNone(oracles.chat_stream(stream).usage)

    def test_interleaved(self) -> None:
        """Calls whose arguments come in turns keep their indices."""
        stream = records(write(encoder({}), interleaved()))
        check_chat(stream)
        calls = oracles.plain(oracles.chat_stream(stream))["choices"][0]["message"]["tool_calls"]
        self.assertEqual([call["function"]["arguments"] for call in calls], [CALL.args_text, OTHER_CALL.args_text])

    def test_reasoning(self) -> None:
        """Separate thoughts stay apart, in the member that clients read."""
        stream = records(write(encoder({}), tell(RESPONSES["two thoughts"])))
        deltas = [record.data["choices"][0]["delta"] for record in stream[:-1]]
        text = "".join(delta.get("reasoning_content", "") for delta in deltas)
        self.assertEqual(text, "A question about the weather.\n\nAnd another.")

    def test_ping(self) -> None:
        """A ping is a comment."""
        self.assertEqual(Encoder(False).encode(Pinged()), b": ping\n\n")

    def test_unspoken(self) -> None:
        """Seals and empty texts are not sent."""
        writer = encoder({})
        writer.encode(Started("a", "m", 0))
        for event in (ItemOpened(0, "message"), Delta(0, 0, "seal", "x"), Delta(0, 0, "text", "")):
            self.assertEqual(writer.encode(event), b"")

    def test_error(self) -> None:
        """A stream that breaks off says so, and has no [DONE]."""
        writer = encoder({})
        begun: list[Event] = [Started("a", "m", 0)]
        stream = records(write(writer, begun) + writer.error(Fault("overloaded", "too much")))
        self.assertEqual(
            stream[-1].data, {"error": {"message": "too much", "type": "server_error", "param": None, "code": "overloaded"}}
        )
