"""The clocks of all running exchanges: one tick over the set of them, not a timer each.

A deadline is met within a tick of its time. While nothing runs, nothing ticks.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from llmux.errors import Fault

TICK = 0.1


class Clock:
    """The tick. `seconds()` is the reactor's time."""

    def __init__(self, reactor: IReactorTime) -> None:
        self._reactor = reactor
        self._running: set[Timer] = set()
        self._next: IDelayedCall | None = None
        self.seconds = reactor.seconds

    def timer(self, expired: Callable[[Fault], None]) -> Timer:
        """A timer for one exchange, already running; `expired` is called once, when a deadline passes."""
        timer = Timer(self, expired)
        self._running.add(timer)
        if self._next is None:
            self._next = self._reactor.callLater(TICK, self._tick)
        return timer

    def stop(self, timer: Timer) -> None:
        """No deadline of this timer matters any more."""
        self._running.discard(timer)

    def _tick(self) -> None:
        now = self.seconds()
        for timer in [timer for timer in self._running if timer.deadline <= now or timer.total <= now]:
            timer.expire(now)
        self._next = self._reactor.callLater(TICK, self._tick) if self._running else None

    def end(self, fault: Fault) -> None:
        """The time of everything that runs is over, for another reason than a deadline."""
        for timer in list(self._running):
            timer.end(fault)

    def close(self) -> None:
        """Tick no more."""
        if self._next is not None:
            self._next.cancel()
            self._next = None


class Timer:
    """The deadlines of one exchange: that of the phase it is in, and the total. Times are reactor seconds."""

    __slots__ = ("_clock", "_expired", "_pause", "_seconds", "_what", "deadline", "total", "total_seconds")

    def __init__(self, clock: Clock, expired: Callable[[Fault], None]) -> None:
        self._clock = clock
        self._expired = expired
        self._seconds = 0.0
        self._what = ""
        self._pause = False
        self.deadline = float("inf")
        self.total = float("inf")
        self.total_seconds = 0.0

    def limit(self, total: float) -> None:
        """The exchange as a whole has this many seconds from now."""
        self.total_seconds = total
        self.total = self._clock.seconds() + total

    def phase(self, what: str, seconds: float) -> None:
        """Enter a phase; `progress` starts its time anew."""
        self._what = what
        self._seconds = seconds
        self.progress()

    def progress(self) -> None:
        """Something arrived."""
        if not self._pause:
            self.deadline = self._clock.seconds() + self._seconds

    def hold(self) -> None:
        """The other side waits for us: its silence is not its fault."""
        self._pause = True
        self.deadline = float("inf")

    def release(self) -> None:
        """It may speak again."""
        self._pause = False
        self.progress()

    def idle(self) -> None:
        """No phase; only the total counts."""
        self.deadline = float("inf")

    def stop(self) -> None:
        """The exchange is over."""
        self._clock.stop(self)

    def expire(self, now: float) -> None:
        """A deadline has passed."""
        if self.total <= now:
            message = f"the whole answer took longer than {self.total_seconds:g} s"
        else:
            message = f"{self._what} for {self._seconds:g} s"
        self.end(Fault("timeout", message))

    def end(self, fault: Fault) -> None:
        """The exchange's time is over."""
        self.stop()
        self._expired(fault)
