"""Tests for the memory of sessions."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from llmux.scenario.sessions import Session, Sessions


class SessionsTests(SynchronousTestCase):
    """A bounded memory."""

    def test_same(self) -> None:
        """A name keeps its session."""
        sessions = Sessions()
        self.assertIs(sessions.get("a"), sessions.get("a"))
        self.assertIsNot(sessions.get("a"), sessions.get("b"))

    def test_bounded(self) -> None:
        """Who was idle longest is forgotten first."""
        sessions = Sessions(limit=2)
        first, second = sessions.get("a"), sessions.get("b")
        sessions.get("a")
        sessions.get("c")
        self.assertEqual(len(sessions), 2)
        self.assertIs(sessions.get("a"), first)
        self.assertIsNot(sessions.get("b"), second)

    def test_calls(self) -> None:
        """Call ids are remembered, the latest of them."""
        session = Session()
        for number in range(300):
            session.remember(f"c{number}", number)
        self.assertEqual((len(session.calls), session.calls.get("c0"), session.calls["c299"]), (256, None, 299))
