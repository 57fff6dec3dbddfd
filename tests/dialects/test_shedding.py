"""What a client's dialect has no place for is noted, whether the answer comes whole or as a stream."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux import jsonio
from llmux.dialects.context import Context, Target
from llmux.dialects.neutral import Choice, Finish, Message, Response, Text, TokenProbability, ToolCall, Usage
from llmux.dialects.notes import Notes
from llmux.dialects.registry import DIALECTS
from llmux.dialects.seals import Seals
from llmux.dialects.telling import tell
from llmux.dialects.translation import Translation

ASKED: dict[str, dict[str, Any]] = {
    "openai-chat": {"model": "m", "messages": [{"role": "user", "content": "x"}]},
    "openai-responses": {"model": "m", "input": "x"},
    "anthropic": {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]},
    "gemini": {"contents": [{"parts": [{"text": "x"}]}]},
}


def lost(client: str, provider: str, response: Response, *, stream: bool) -> list[str]:
    """The notes on an answer."""
    notes = Notes()
    asked = {**ASKED[client], **({"stream": True} if stream and client != "gemini" else {})}
    context = Context(notes=notes, seals=Seals((b"k",)), target=Target.of("m"), asked=asked, stream=stream, version="2023-06-01")
    translation = Translation(DIALECTS[client].rooms, DIALECTS[provider], context)
    before = len(notes)
    rooms, plain = DIALECTS[provider].rooms, Context(seals=Seals((b"k",)))
    if stream:
        encoder, told = rooms.encoder(plain), translation.stream()
        told.feed(b"".join(encoder.encode(event) for event in tell(response)))
        told.close()
    else:
        translation.answer(jsonio.dumps(rooms.write_response(response, plain)))
    told_of = [f"{note.action} {note.pointer}" for note in list(notes)[before:]]
    # Chat Completions count at the end, if at all
    return [note for note in told_of if note != "invented /usage"]


STOP = Finish("stop", raw="stop")
USAGE = Usage(3, out_total=2)


def said(*items: Any, finish: Finish = STOP, usage: Usage = USAGE, more: tuple[Choice, ...] = ()) -> Response:
    """An answer."""
    return Response("r1", "m-1", 1, (Choice(items, finish), *more), usage)


class SheddingTests(SynchronousTestCase):
    def check(self, provider: str, response: Response, expected: dict[str, list[str]]) -> None:
        """What each client loses, both ways."""
        for client, notes in expected.items():
            for stream in (False, True):
                self.assertEqual(lost(client, provider, response, stream=stream), notes, (client, stream))

    def test_probabilities(self) -> None:
        """Anthropic's clients read no probabilities."""
        token = TokenProbability("a", -0.5, (97,))
        response = said(Message("assistant", (Text("a", logprobs=(token,)),)))
        expected = {"anthropic": ["dropped /choices/0/logprobs"], "openai-responses": [], "gemini": []}
        self.check("openai-chat", response, expected)

    def test_choices(self) -> None:
        """Two dialects give one answer."""
        hello, other = Message("assistant", (Text("a"),)), Message("assistant", (Text("b"),))
        response = said(hello, more=(Choice((other,), STOP),))
        expected = {"anthropic": ["dropped /choices/1"], "openai-responses": ["dropped /choices/1"], "gemini": []}
        self.check("openai-chat", response, expected)

    def test_phases(self) -> None:
        """Only Responses tells what is said on the way from what is said at the end."""
        response = said(Message("assistant", (Text("a"),), phase="commentary"))
        for client in ("openai-chat", "anthropic", "gemini"):
            for stream in (False, True):
                (note,) = lost(client, "openai-responses", response, stream=stream)
                self.assertRegex(note, "^approximated /")

    def test_filters(self) -> None:
        """Why an answer was filtered, where only the fact can be told."""
        finish = Finish("filter", message="Not that.", raw="SAFETY")
        expected = {"openai-chat": ["dropped /candidates/0/finishMessage"], "anthropic": []}
        expected["openai-responses"] = expected["openai-chat"]
        self.check("gemini", said(Message("assistant", (Text("a"),)), finish=finish), expected)
        expected = {"openai-chat": ["dropped /promptFeedback/blockReasonMessage"], "anthropic": []}
        self.check("gemini", said(finish=Finish("blocked", message="no")), expected)

    def test_ratings(self) -> None:
        """How safe Gemini finds what was said is its own."""
        rated = {"safetyRatings": [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "LOW"}]}
        candidate = {"content": {"role": "model", "parts": [{"text": "a"}]}, "finishReason": "STOP", "index": 0, **rated}
        notes = Notes()
        context = Context(notes=notes, seals=Seals((b"k",)), target=Target.of("m"), asked=ASKED["openai-chat"])
        record = {"candidates": [candidate], "promptFeedback": rated}
        Translation(DIALECTS["openai-chat"].rooms, DIALECTS["gemini"], context).answer(jsonio.dumps(record))
        dropped = [note.pointer for note in notes if note.action == "dropped"]
        self.assertEqual(dropped, ["/candidates/0/safetyRatings", "/promptFeedback/safetyRatings"])

    def test_searches(self) -> None:
        """How often the provider's own tools were used."""
        response = said(Message("assistant", (Text("a"),)), usage=Usage(3, out_total=2, searches=2, fetches=1))
        expected = {"openai-chat": ["dropped /usage"], "openai-responses": ["dropped /usage"], "gemini": ["dropped /usage"]}
        self.check("anthropic", response, expected)

    def test_calls_that_broke_off(self) -> None:
        """What must not be carried out is left out where it cannot be told in pieces."""
        call = ToolCall("c", "f", '{"a":', cut=True)
        response = said(Message("assistant", (Text("a"),)), call, finish=Finish("length", raw="length"))
        for stream in (False, True):
            (note,) = lost("gemini", "openai-responses", response, stream=stream)
            self.assertRegex(note, "^dropped /")
