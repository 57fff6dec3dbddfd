"""Tests for the legacy text completions."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.context import Context
from llmux.dialects.events import Ended, Event, Finished, Started
from llmux.dialects.neutral import Choice, Finish, Message, Request, Response, Sampling, Text, TokenProbability
from llmux.dialects.notes import Notes
from llmux.dialects.openai_chat.completions import COMPLETIONS, encoder, parse_request, write_response
from llmux.dialects.seals import Seals
from llmux.dialects.telling import tell as tell_whole
from llmux.errors import Fault
from tests import oracles
from tests.dialects.tellings import RESPONSES, WORDS, context, response, tell
from tests.dialects.tellings import write as write_stream
from tests.grammars import Record, records


def parse(notes: Notes, **doc: Any) -> Request:
    return parse_request(doc, Context(notes=notes, seals=Seals((b"k",))))


class CompletionsTests(SynchronousTestCase):
    """A prompt in, text out."""

    def stream(self, told: list[Event], asked: dict[str, Any] | None = None) -> list[Record]:
        return records(write_stream(encoder(context(asked)), told))

    def test_parse(self) -> None:
        """The prompt is what the user says, in each of its forms."""
        for prompt, text, at in (("hi", "hi", "/prompt"), (["hi"], "hi", "/prompt/0")):
            request = parse(Notes(), prompt=prompt)
            self.assertEqual(request.items, (Message("user", (Text(text, at=at),), at="/prompt"),))

    def test_answered_here(self) -> None:
        """Whoever answers himself takes the last of several prompts, and tokens for words."""
        for prompt, text in ((["a", "b"], "b"), ([1, 2], "1 2"), ([[1], [2, 3]], "2 3")):
            (item,) = parse(Notes(lenient=True), prompt=prompt).items
            assert isinstance(item, Message) and isinstance(item.parts[0], Text)
            self.assertEqual(item.parts[0].text, text)

    def test_refused(self) -> None:
        """What other APIs cannot do."""
        cases: list[tuple[dict[str, Any], str]] = [
            ({}, "/prompt"),
            ({"prompt": []}, "/prompt"),
            ({"prompt": ["a", "b"]}, "/prompt"),
            ({"prompt": [1, 2]}, "/prompt"),
            ({"prompt": "a", "suffix": "z"}, "/suffix"),
            ({"prompt": "a", "echo": True}, "/echo"),
            ({"prompt": "a", "best_of": 2}, "/best_of"),
        ]
        for doc, pointer in cases:
            fault = self.assertRaises(Fault, parse, Notes(), **doc)
            self.assertEqual((fault.kind, fault.param), ("invalid", pointer))

    def test_slots(self) -> None:
        """As in Chat Completions, but for the number of probabilities; the rest is noted."""
        notes = Notes()
        request = parse(notes, prompt="a", max_tokens=5, stop=["x"], logprobs=2, n=1, user="u", stream=True, mystery=1)
        self.assertEqual(request.sampling, Sampling(5, n=1, stop=("x",), logprobs=True, top_logprobs=2))
        self.assertEqual((request.user, request.stream, request.where["top_logprobs"]), ("u", True, "/logprobs"))
        self.assertEqual([note.pointer for note in notes], ["/mystery"])

    def test_write(self) -> None:
        """The SDK takes the body, with the words and no call."""
        exchange = context()
        body = oracles.completion(write_response(RESPONSES["thought, words, two calls"], exchange))
        self.assertEqual((body.choices[0].text, body.choices[0].finish_reason), ('Let me look: "☂" or 😀?\n', "stop"))
        self.assertEqual([note.pointer for note in exchange.notes], ["/choices/0"])

    def test_write_choices(self) -> None:
        """Several answers, with probabilities."""
        tokens = (TokenProbability("a", -0.5, None, (TokenProbability("b", -1.0),)), TokenProbability("bc", -0.25))
        first = Choice((Message("assistant", (Text("abc", logprobs=tokens),)),), Finish("stop"))
        second = Choice((WORDS,), Finish("filter"))
        body = oracles.completion(write_response(Response("i", "m", 1, (first, second), None), context()))
        self.assertEqual([choice.finish_reason for choice in body.choices], ["stop", "content_filter"])
        logprobs = body.choices[0].logprobs
        assert logprobs is not None
        self.assertEqual((logprobs.tokens, logprobs.text_offset), (["a", "bc"], [0, 1]))
        self.assertEqual((logprobs.token_logprobs, logprobs.top_logprobs), ([-0.5, -0.25], [{"b": -1.0}, {}]))

    def test_stream(self) -> None:
        """The SDK takes every record, and their texts are the body's."""
        stream = self.stream(tell(RESPONSES["cut short"]), {"stream_options": {"include_usage": True}})
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

    def test_stream_probabilities(self) -> None:
        """Offsets go on from piece to piece."""
        tokens = (TokenProbability("abc", -0.5),)
        said = Message("assistant", (Text("xy", logprobs=(TokenProbability("xy", -0.25),)), Text("abc", logprobs=tokens)))
        stream = self.stream(tell_whole(response(said)))
        offsets = [choice["logprobs"]["text_offset"] for record in stream[:-2] for choice in record.data["choices"]]
        self.assertEqual(offsets, [[0], [2]])

    def test_stream_without_usage(self) -> None:
        """Usage comes only when asked for."""
        stream = self.stream(tell(RESPONSES["words"]))
        self.assertTrue(all(record.data["usage"] is None for record in stream[:-1]))

    def test_error(self) -> None:
        """A stream that breaks off says so, and some reasons are errors here."""
        writer = encoder(context())
        writer.encode(Started("a", "m", 0))
        self.assertIn(b'"message":"gone"', writer.error(Fault("server", "gone")))
        stream = self.stream([Started("a", "m", 0), Finished(Finish("unsealed", message="no seal")), Ended(response())])
        self.assertEqual([record.data["error"]["message"] for record in stream], ["no seal"])

    def test_providers(self) -> None:
        """No provider is asked in this API."""
        for room in (COMPLETIONS.write_request, COMPLETIONS.parse_response, COMPLETIONS.decoder):
            fault = self.assertRaises(Fault, room, None, None)
            self.assertEqual(fault.kind, "unimplemented")
