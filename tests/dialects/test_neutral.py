"""Tests for the neutral shapes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.events import (
    Delta,
    Fold,
    ItemOpened,
    PartOpened,
    Sealed,
    Started,
)
from llmux.dialects.neutral import (
    Finish,
    Message,
    OpaquePart,
    Reasoning,
    Seal,
    Segment,
    Text,
    ToolCall,
    plain,
)
from tests.dialects.tellings import RESPONSES, interleaved, tell


class FoldTests(SynchronousTestCase):
    """A fold knows what the events have told."""

    def test_whole(self) -> None:
        """A whole telling comes to the response that it tells."""
        for name, response in RESPONSES.items():
            fold = Fold()
            for event in tell(response):
                fold.see(event)
            self.assertEqual(fold.response(), response, name)

    def test_interleaved(self) -> None:
        """Items that are told in turns come out in their own order."""
        fold = Fold()
        for event in interleaved():
            fold.see(event)
        self.assertEqual([type(item) for item in fold.response().items], [ToolCall, ToolCall])

    def test_partial(self) -> None:
        """What is still open is there as far as it came, and the response counts as cut short."""
        fold = Fold()
        fold.see(Started("a", "m", 0))
        fold.see(ItemOpened(0, "reasoning"))
        fold.see(PartOpened(0, 0, "full"))
        fold.see(Delta(0, 0, "full", "so "))
        fold.see(Sealed(0, Seal("openai", "encrypted", "xyz")))
        fold.see(ItemOpened(1, "tool_call", call_id="c", name="t"))
        fold.see(Delta(1, 0, "args", '{"a'))
        fold.see(ItemOpened(2, "message"))
        response = fold.response()
        self.assertEqual(
            response.items,
            (
                Reasoning((Segment("full", "so "),), (Seal("openai", "encrypted", "xyz"),)),
                ToolCall("c", "t", '{"a'),
                Message("assistant", ()),
            ),
        )
        self.assertEqual(response.finish, Finish("length"))
        self.assertEqual(fold.text(1), '{"a')
        self.assertEqual(fold.text(2), "")

    def test_not_started(self) -> None:
        """Without a start there is no response."""
        self.assertRaises(ValueError, Fold().response)


class PlainTests(SynchronousTestCase):
    """The text of parts."""

    def test_plain(self) -> None:
        """Texts stand one below the other; what is no text is passed over."""
        self.assertEqual(plain((Text("a"), OpaquePart("image", {}), Text("b"))), "a\nb")
