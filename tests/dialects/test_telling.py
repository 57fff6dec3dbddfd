from __future__ import annotations

import re
from typing import Any

from twisted.trial.unittest import TestCase

from llmux.dialects.context import Context
from llmux.dialects.events import (
    Cited,
    Delta,
    Ended,
    Event,
    Finished,
    Fold,
    ItemClosed,
    ItemOpened,
    PartClosed,
    PartOpened,
    Sealed,
    Started,
)
from llmux.dialects.neutral import (
    Annotation,
    Finish,
    Message,
    Reasoning,
    Refusal,
    Seal,
    Segment,
    ServerCall,
    Text,
    Tool,
    ToolCall,
    Usage,
)
from llmux.dialects.seals import Seals
from llmux.dialects.telling import Teller, tell
from llmux.dialects.tools import Book, NameRule

RULE = NameRule(re.compile(r"[a-z_]+"), 20)
SEAL = Seal("gemini", "thought_signature", "c2ln")


def context(**more: Any) -> Context:
    return Context(seals=Seals((b"k",)), now=7, **more)


class TellerTests(TestCase):
    """Whatever a decoder says, the events are in order."""

    def setUp(self) -> None:
        self.context = context()
        self.teller = Teller(self.context)
        self.teller.start("r1", "m", 5)

    def ended(self) -> list[Event]:
        self.teller.end()
        return self.teller.take()

    def test_text_then_call_then_text(self) -> None:
        teller = self.teller
        teller.text("Hel")
        teller.text("lo")
        call = teller.open_call("c1", "read")
        teller.args(call, '{"a"')
        teller.args(call, ":1}")
        teller.text("more")
        events = self.ended()
        words, again = Message("assistant", (Text("Hello"),)), Message("assistant", (Text("more"),))
        told = ToolCall("c1", "read", '{"a":1}')
        self.assertEqual(
            events[:-1],
            [
                Started("r1", "m", 5),
                ItemOpened(0, "message"),
                PartOpened(0, 0, "text"),
                Delta(0, 0, "text", "Hel"),
                Delta(0, 0, "text", "lo"),
                PartClosed(0, 0, "Hello"),
                ItemClosed(0, words),
                ItemOpened(1, "tool_call", call_id="c1", name="read"),
                Delta(1, 0, "args", '{"a"'),
                Delta(1, 0, "args", ":1}"),
                ItemOpened(2, "message"),
                PartOpened(2, 0, "text"),
                Delta(2, 0, "text", "more"),
                ItemClosed(1, told),
                PartClosed(2, 0, "more"),
                ItemClosed(2, again),
                Finished(Finish("tool_calls")),
            ],
        )
        self.assertIsInstance(events[-1], Ended)
        self.assertEqual(events[-1].response.items, (words, told, again))  # type: ignore[union-attr]  # it is the end

    def test_kinds_make_parts(self) -> None:
        self.teller.think("summary", "a")
        self.teller.think("full", "b")
        self.teller.seal(self.teller.reasoning(), SEAL)
        self.teller.refusal("no")
        self.teller.text("yes")
        items = self.teller_items()
        self.assertEqual(
            items,
            (
                Reasoning((Segment("summary", "a"), Segment("full", "b")), (SEAL,)),
                Message("assistant", (Refusal("no"), Text("yes"))),
            ),
        )

    def teller_items(self) -> tuple[Any, ...]:
        self.teller.end()
        return self.teller.response().items

    def test_citations_and_seals_of_text(self) -> None:
        source = Annotation("url", "https://a.example", "A")
        self.teller.text("as A says")
        self.teller.cite(self.teller.message(), source)
        self.teller.seal(self.teller.message(), SEAL)
        self.assertEqual(self.teller_items(), (Message("assistant", (Text("as A says", (source,), seals=(SEAL,)),)),))
        self.assertIn(Cited(0, 0, source), self.teller.take())

    def test_calls_without_an_id(self) -> None:
        self.context.turns = 3
        ids = [self.teller.open_call("", "read").opened.call_id for _ in range(2)]
        self.assertEqual(ids, [self.context.made_up_id(0, "read"), self.context.made_up_id(1, "read")])
        self.assertNotEqual(*ids)
        self.assertNotEqual(context(turns=4).made_up_id(0, "read"), ids[0], "another turn, another id")

    def test_names_come_back(self) -> None:
        self.context.book = Book(RULE, [Tool("Read.File"), Tool("go", namespace="ns")])
        alias = self.context.book.alias("Read.File")
        opened = self.teller.open_call("c", alias).opened
        self.assertEqual((opened.name, opened.namespace), ("Read.File", ""))
        opened = self.teller.open_call("c", "ns__go").opened
        self.assertEqual((opened.name, opened.namespace), ("go", "ns"))

    def test_custom_tools_are_unwrapped_as_they_arrive(self) -> None:
        self.context.book = Book(RULE, [Tool("patch", "custom")])
        call = self.teller.open_call("c", "patch")
        for piece in ('{"inp', 'ut": "a\\', "nb", '"}'):
            self.teller.args(call, piece)
        events = self.ended()
        self.assertEqual([event.text for event in events if isinstance(event, Delta)], ["a", "\nb"])
        self.assertIn(ItemClosed(0, ToolCall("c", "patch", "a\nb", kind="custom")), events)

    def test_custom_input_in_another_form(self) -> None:
        self.context.book = Book(RULE, [Tool("patch", "custom")])
        self.teller.args(self.teller.open_call("c", "patch"), '{"diff":"x"}')
        events = self.ended()
        self.assertEqual([event.text for event in events if isinstance(event, Delta)], ['{"diff":"x"}'])
        self.assertEqual(len(self.context.notes), 1)

    def test_the_reason_agrees_with_what_was_said(self) -> None:
        for raw, called, told in (
            ("stop", True, "tool_calls"),
            ("unknown", True, "tool_calls"),
            ("tool_calls", False, "stop"),
            ("tool_calls", True, "tool_calls"),
            ("length", True, "length"),
            ("filter", True, "filter"),
        ):
            teller = Teller(context())
            teller.start("r", "m")
            if called:
                teller.args(teller.open_call("c", "read"), "{}")
            teller.finish(Finish(raw))  # type: ignore[arg-type]  # all of them are reasons
            teller.end()
            self.assertEqual(teller.response().finish.reason, told, raw)

    def test_a_call_that_broke_off_is_none(self) -> None:
        self.teller.args(self.teller.open_call("c1", "read"), '{"a":1}')
        self.teller.args(self.teller.open_call("c2", "read"), '{"a":')
        self.teller.finish(Finish("length"))
        self.teller.end()
        whole, cut = self.teller.response().items
        self.assertEqual((whole.cut, cut.cut), (False, True))  # type: ignore[union-attr]  # calls both

    def test_choices_beside_each_other(self) -> None:
        self.teller.text("a", 0)
        self.teller.text("b", 1)
        self.teller.text("a", 0)
        self.teller.finish(Finish("stop"), 1)
        self.teller.finish(Finish("length"), 0)
        self.teller.end()
        first, second = self.teller.response().choices
        self.assertEqual(first.items, (Message("assistant", (Text("aa"),), cut=True),))
        self.assertEqual((second.items, second.finish), ((Message("assistant", (Text("b"),)),), Finish("stop")))

    def test_items_that_come_whole(self) -> None:
        item = ServerCall("web_search", "s1", "web_search", '{"query":"x"}', "anthropic", {})
        self.teller.text("I look")
        self.teller.whole(item)
        self.assertEqual(self.teller_items()[1], item)

    def test_said_once(self) -> None:
        self.teller.start("r2", "other")
        self.teller.finish(Finish("length"))
        self.teller.finish(Finish("stop"))
        self.teller.end()
        self.teller.end()
        events = self.teller.take()
        self.assertEqual([type(event) for event in events], [Started, Finished, Ended])
        self.assertEqual(self.teller.take(), [])

    def test_what_the_provider_does_not_say_of_itself(self) -> None:
        made = context(turns=1)
        teller = Teller(made)
        teller.start("", "")
        started = teller.take()[0]
        assert isinstance(started, Started)
        self.assertEqual(started.created, 7)
        self.assertTrue(started.id)
        again = Teller(context(turns=1))
        again.start("", "")
        self.assertEqual(again.take(), [started])


class TellTests(TestCase):
    """A whole response as events comes to the same response."""

    def test_there_and_back(self) -> None:
        teller = Teller(context())
        teller.start("r1", "m", 5, Usage(1), "standard", "fp")
        teller.think("full", "hm")
        teller.seal(teller.reasoning(), SEAL)
        teller.text("text")
        teller.args(teller.open_call("c", "read"), "{}")
        teller.refusal("no")
        teller.text("b", 1)
        teller.meter(Usage(3, out_total=4))
        teller.finish(Finish("stop"), 0)
        teller.finish(Finish("length"), 1)
        teller.end()
        response = teller.response()
        fold = Fold()
        events = tell(response)
        for event in events:
            fold.see(event)
        self.assertEqual(fold.response(), response)
        self.assertEqual(len([event for event in events if isinstance(event, Sealed)]), 1)
