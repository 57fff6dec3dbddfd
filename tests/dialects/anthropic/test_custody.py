"""Tests for what other providers say, through a Messages client and back."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from llmux import jsonio
from llmux.dialects.anthropic.requests import parse
from llmux.dialects.anthropic.responses import write
from llmux.dialects.anthropic.streams import encoder
from llmux.dialects.neutral import Annotation, Item, Message, OutputItem, Reasoning, Seal, Segment, Text, ToolCall
from tests import oracles
from tests.dialects import tellings
from tests.dialects.anthropic.exchanges import context, noted
from tests.dialects.tellings import CALL, OTHER_CALL, WORDS, response, tell
from tests.grammars import records

SIGNATURE = Seal("gemini", "thought_signature", "g")
OTHER = Seal("gemini", "thought_signature", "h")
ENCRYPTED = Seal("openai", "encrypted", "e")
SAID = (Segment("summary", "a"), Segment("summary", "b"))


def sealed(item: Any, *seals: Seal) -> Any:
    return msgspec.structs.replace(item, seals=seals)


def unplaced(item: Any) -> Any:
    """An item without the pointers to where it and its seals were read."""
    seals = {"seals": tuple(msgspec.structs.replace(seal, at="") for seal in item.seals)} if hasattr(item, "seals") else {}
    parts = {"parts": tuple(map(unplaced, item.parts))} if isinstance(item, Message) else {}
    return msgspec.structs.replace(item, at="", **seals, **parts)


def returned(*items: OutputItem, change: Any = None) -> tuple[Item, ...]:
    """What a client sends back of an answer, whole and streamed alike."""
    found = []
    for streamed in (False, True):
        exchange = context()
        answer = response(*items)
        if streamed:
            stream = tellings.write(encoder(exchange), tell(answer))
            content = oracles.plain(oracles.message_stream(records(stream)))["content"]
        else:
            content = json.loads(jsonio.dumps(write(answer, exchange)))["content"]
        if change is not None:
            change(content)
        request = parse({"messages": [{"role": "assistant", "content": content}]}, exchange)
        found.append(tuple(map(unplaced, request.items)))
    one, other = found
    assert one == other, (one, other)
    return one


class RoundTripTests(SynchronousTestCase):
    """Seals find their way back to what they belong to."""

    def test_reasoning(self) -> None:
        """With a text, and without one."""
        for item in (
            Reasoning(SAID, (ENCRYPTED,)),
            Reasoning(SAID, (Seal("anthropic", "signature", "s"),)),
            Reasoning((), (ENCRYPTED,)),
            Reasoning((), (Seal("anthropic", "signature", "s"),)),
            Reasoning((), (Seal("anthropic", "redacted", "r"),)),
            Reasoning((), (SIGNATURE,)),
            Reasoning(SAID, (SIGNATURE,)),
        ):
            back = returned(item, CALL)[0]
            assert isinstance(back, Reasoning)
            self.assertEqual((back.text, back.seals), (item.text, item.seals))

    def test_calls(self) -> None:
        """The first of several, or each; never one for another."""
        for seals in (((SIGNATURE,), ()), ((SIGNATURE,), (OTHER,)), ((), (OTHER,))):
            items = (Reasoning(SAID), WORDS, sealed(CALL, *seals[0]), sealed(OTHER_CALL, *seals[1]))
            calls = [item for item in returned(*items) if isinstance(item, ToolCall)]
            self.assertEqual([call.seals for call in calls], list(seals))

    def test_hidden_thought_before_a_call(self) -> None:
        """A thought's own seal is not the call's."""
        thought, call = returned(Reasoning((), (SIGNATURE,)), sealed(CALL, OTHER))
        assert isinstance(thought, Reasoning) and isinstance(call, ToolCall)
        self.assertEqual((thought.seals, call.seals), ((SIGNATURE,), (OTHER,)))

    def test_texts(self) -> None:
        """A text's seal stays with it, also before a call that has none; one without a text has an empty one."""
        message, call = returned(Message("assistant", (Text("a", seals=(SIGNATURE,)),)), CALL)
        assert isinstance(message, Message) and isinstance(message.parts[0], Text) and isinstance(call, ToolCall)
        self.assertEqual((message.parts[0].text, message.parts[0].seals, call.seals), ("a", (SIGNATURE,), ()))
        (message,) = returned(Message("assistant", (Text("", seals=(SIGNATURE,)),)))
        assert isinstance(message, Message) and isinstance(message.parts[0], Text)
        self.assertEqual((message.parts[0].text, message.parts[0].seals), ("", (SIGNATURE,)))

    def test_changed(self) -> None:
        """A seal of a text that has been changed is left out."""

        def change(content: list[dict[str, Any]]) -> None:
            content[0]["thinking"] += "!"

        exchange = context()
        content = write(response(Reasoning(SAID, (ENCRYPTED,))), exchange)["content"]
        change(content)
        (item,) = parse({"messages": [{"role": "assistant", "content": content}]}, exchange).items
        assert isinstance(item, Reasoning)
        self.assertEqual((item.text, item.seals), ("a\n\nb!", ()))
        self.assertEqual(noted(exchange), [("/messages/0/content/0/signature", "dropped")])

    def test_citations(self) -> None:
        """Another provider's citation comes back with its place in the text."""
        cited = Annotation("url", "https://a", "A", start=1, end=2)
        (message,) = returned(Message("assistant", (Text("text", (cited,)),)))
        assert isinstance(message, Message) and isinstance(message.parts[0], Text)
        self.assertEqual(message.parts[0].annotations, (cited,))
