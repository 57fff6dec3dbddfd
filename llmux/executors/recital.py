"""An answer whose body is made here, each part at its time."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from llmux.headers import Headers
from llmux.net.answer import Sink


class Recital:
    """See `llmux.net.answer.Answer`. `chunks` are pairs of seconds since the body began, never decreasing, and bytes.

    Whoever reads slowly gets the rest later, not less of it: what came due during a pause follows at once.
    """

    def __init__(self, clock: IReactorTime, status: int, headers: Headers, chunks: Iterable[tuple[float, bytes]]) -> None:
        self.status = status
        self.headers = headers
        self._clock = clock
        self._chunks = iter(chunks)
        self._next = next(self._chunks, None)
        self._sink: Sink | None = None
        self._over = False
        self._paused = False
        self._began = 0.0
        self._timer: IDelayedCall | None = None

    def deliver(self, sink: Sink) -> None:
        """Start the body."""
        if not self._over:
            self._sink = sink
            self._began = self._clock.seconds()
            self._go()

    def pause(self) -> None:
        """Wait; what is due is kept."""
        self._paused = True

    def resume(self) -> None:
        """Go on."""
        self._paused = False
        if self._timer is None:
            self._go()

    def abort(self) -> None:
        """Fall silent."""
        self._over = True
        self._sink = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _go(self) -> None:
        self._timer = None
        while self._sink is not None and not self._paused:
            if self._next is None:
                sink, self._sink, self._over = self._sink, None, True
                sink.end()
                return
            at, data = self._next
            wait = self._began + at - self._clock.seconds()
            if wait > 0:
                self._timer = self._clock.callLater(wait, self._go)
                return
            self._next = next(self._chunks, None)
            if data:
                self._sink.data(data)
