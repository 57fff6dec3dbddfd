"""One tick for all clocks."""

from __future__ import annotations

from twisted.internet.task import Clock as Time
from twisted.trial.unittest import SynchronousTestCase

from llmux.errors import Fault
from llmux.net.clocks import Clock


class ClockTests(SynchronousTestCase):
    """Deadlines under a clock that the test moves."""

    def setUp(self) -> None:
        """Time stands still."""
        self.time = Time()
        self.clock = Clock(self.time)
        self.faults: list[Fault] = []
        self.timer = self.clock.timer(self.faults.append)

    def pass_(self, seconds: float) -> None:
        """Let time pass in small steps."""
        self.time.pump([0.05] * round(seconds / 0.05))

    def test_phase(self) -> None:
        """A phase without progress ends; progress starts it anew."""
        self.timer.phase("silence", 1.0)
        self.pass_(0.9)
        self.timer.progress()
        self.pass_(0.9)
        self.assertEqual(self.faults, [])
        self.pass_(0.3)
        self.assertEqual([(fault.kind, fault.message) for fault in self.faults], [("timeout", "silence for 1 s")])

    def test_total(self) -> None:
        """Progress does not help against the total."""
        self.timer.limit(1.0)
        self.timer.phase("silence", 0.5)
        for _ in range(12):
            self.timer.progress()
            self.pass_(0.1)
        self.assertEqual([fault.message for fault in self.faults], ["the whole answer took longer than 1 s"])

    def test_hold(self) -> None:
        """While the other side waits for us, its silence does not count."""
        self.timer.phase("silence", 0.5)
        self.timer.hold()
        self.timer.progress()
        self.pass_(5)
        self.assertEqual(self.faults, [])
        self.timer.release()
        self.pass_(0.7)
        self.assertEqual(len(self.faults), 1)

    def test_stop(self) -> None:
        """A stopped timer says nothing, and where nothing runs nothing ticks."""
        self.timer.phase("silence", 0.2)
        self.timer.stop()
        self.pass_(1)
        self.assertEqual((self.faults, self.time.getDelayedCalls()), ([], []))
        self.clock.timer(self.faults.append).phase("again", 0.2)
        self.pass_(1)
        self.assertEqual(len(self.faults), 1)
        self.assertEqual(self.time.getDelayedCalls(), [])

    def test_close(self) -> None:
        """The end of all ticking."""
        self.clock.close()
        self.clock.close()
        self.assertEqual(self.time.getDelayedCalls(), [])
