"""Tests for the legacy text completions."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.neutral import Message, Started, Text
from llmux.dialects.openai_chat.completions import encoder, read, write
from llmux.errors import Fault
from tests import oracles
from tests.dialects.tellings import RESPONSES, tell
from tests.dialects.tellings import write as write_stream
from tests.grammars import records


class CompletionsTests(SynchronousTestCase):
    """A prompt in, text out."""

    def test_read(self) -> None:
        """The prompt is what the user says, in each of its forms."""
        for prompt, text in (("hi", "hi"), (["a", "b"], "b"), ([1, 2], "1 2")):
            self.assertEqual(read({"prompt": prompt}).items, (Message("user", (Text(text),)),))
        self.assertRaises(Fault, read, {})

    def test_write(self) -> None:
        """The SDK takes the body, with the words and no call."""
        body = oracles.completion(write(RESPONSES["thought, words, two calls"], {}))
        self.assertEqual((body.choices[0].text, body.choices[0].finish_reason), ('Let me look: "☂" or 😀?\n', "stop"))

    def test_stream(self) -> None:
        """The SDK takes every record, and their texts are the body's."""
        asked = {"stream_options": {"include_usage": True}}
        stream = records(write_stream(encoder(asked), tell(RESPONSES["cut short"])))
        self.assertEqual(stream.pop().data, "[DONE]")
        for record in stream:
            for choice in record.data["choices"]:  # the API sends null until the end, which the SDK's type does not know
                choice["finish_reason"] = choice["finish_reason"] or "stop"
        told = [oracles.completion(record.data) for record in stream]
        self.assertEqual("".join(each.choices[0].text for each in told if each.choices), 'Let me look: "☂" or 😀?\n')
        self.assertEqual([each.choices[0].finish_reason for each in told[-3:-1]], ["stop", "length"])
        usage = told[-1].usage
        assert usage is not None
        self.assertEqual(usage.total_tokens, 80)

    def test_stream_without_usage(self) -> None:
        """Usage comes only when asked for."""
        stream = records(write_stream(encoder({}), tell(RESPONSES["words"])))
        self.assertTrue(all(record.data["usage"] is None for record in stream[:-1]))

    def test_error(self) -> None:
        """A stream that breaks off says so."""
        writer = encoder({})
        writer.encode(Started("a", "m", 0))
        self.assertIn(b'"message":"gone"', writer.error(Fault("server", "gone")))
