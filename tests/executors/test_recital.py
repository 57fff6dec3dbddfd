"""Tests for answers that are made here."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from llmux.errors import Fault
from llmux.executors.recital import Recital
from llmux.net.answer import Answer


class Listener:
    """A sink that writes down what it hears."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.heard: list[bytes] = []
        self.ended = 0
        self.pausing: Answer | None = answer

    def data(self, data: bytes) -> None:
        self.heard.append(data)
        if self.pausing is not None:
            self.pausing.pause()

    def end(self) -> None:
        self.ended += 1

    def fail(self, fault: Fault) -> None:
        raise AssertionError(fault)


class RecitalTests(SynchronousTestCase):
    """A body in time."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.recital = Recital(self.clock, 200, [(b"a", b"b")], [(0.0, b"1"), (0.0, b""), (1.0, b"2"), (3.0, b"3")])

    def test_times(self) -> None:
        """Each chunk at its time from the start of the body; the empty one is silent."""
        self.clock.advance(10)
        listener = Listener()
        self.recital.deliver(listener)
        self.assertEqual(listener.heard, [b"1"])
        self.clock.advance(1)
        self.assertEqual((listener.heard, listener.ended), ([b"1", b"2"], 0))
        self.clock.advance(2)
        self.assertEqual((listener.heard, listener.ended), ([b"1", b"2", b"3"], 1))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_pause(self) -> None:
        """What comes due during a pause follows at once, and the rest keeps its time."""
        listener = Listener()
        self.recital.deliver(listener)
        self.recital.pause()
        self.clock.advance(2)
        self.assertEqual(listener.heard, [b"1"])
        self.recital.resume()
        self.assertEqual(listener.heard, [b"1", b"2"])
        self.recital.pause()
        self.recital.resume()
        self.clock.advance(1)
        self.assertEqual((listener.heard, listener.ended), ([b"1", b"2", b"3"], 1))

    def test_pause_from_within(self) -> None:
        """A listener may ask for a pause while it hears, and the end waits too."""
        recital = Recital(self.clock, 200, [], [(0.0, b"1"), (0.0, b"2")])
        listener = Listener(recital)
        recital.deliver(listener)
        self.assertEqual(listener.heard, [b"1"])
        recital.resume()
        self.assertEqual((listener.heard, listener.ended), ([b"1", b"2"], 0))
        recital.resume()
        self.assertEqual(listener.ended, 1)

    def test_abort(self) -> None:
        """After an abort nothing is heard, however often it is asked for."""
        listener = Listener()
        self.recital.deliver(listener)
        self.recital.abort()
        self.recital.abort()
        self.recital.resume()
        self.clock.advance(10)
        self.assertEqual((listener.heard, listener.ended), ([b"1"], 0))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_abort_before(self) -> None:
        """An answer that was given up before its body says nothing."""
        listener = Listener()
        self.recital.abort()
        self.recital.deliver(listener)
        self.assertEqual((listener.heard, listener.ended), ([], 0))
