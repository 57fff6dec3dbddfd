"""From the provider's answer to the client, as it arrives.

Nothing is committed before the first bytes of a body (or its end): until then a fault can still become an honest error
answer. After that a fault ends in the dialect's own error event, and the response is truncated. Event streams leave in
whole events only, so that an error event never lands inside another.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred

from llmux.errors import Fault
from llmux.net.answer import Answer
from llmux.net.clocks import Timer
from llmux.net.passage import Passage
from llmux.net.responder import Responder


class Relay:
    """One answer on its way. `over` fires with None when it is whole, with the Fault that broke it after the commit;
    it fails with the Fault when nothing was committed yet.

    `commit` sends the head. `passage` is given for event streams alone. `idle` is in seconds. As a brake it slows the
    provider down to the client's pace.
    """

    __slots__ = ("_answer", "_commit", "_idle", "_passage", "_pausing", "_responder", "_timer", "over", "sent")

    def __init__(
        self,
        answer: Answer,
        responder: Responder,
        timer: Timer,
        commit: Callable[[], None],
        passage: Passage | None,
        idle: float,
    ) -> None:
        self._answer = answer
        self._responder = responder
        self._timer = timer
        self._commit = commit
        self._passage = passage
        self._idle = idle
        self._pausing = False
        self.sent = 0
        self.over: Deferred[Fault | None] = Deferred(lambda _: self.stop())

    def start(self) -> Deferred[Fault | None]:
        """Begin."""
        self._answer.deliver(self)
        return self.over

    def stop(self) -> None:
        """Close the provider's side; nothing more is heard."""
        self._answer.abort()
        self._timer.idle()

    # as a sink

    def data(self, data: bytes) -> None:
        """Some bytes of the body."""
        passage = self._passage
        if passage is None:
            self._send(data)
            return
        try:
            data = passage.feed(data)
        except Fault as fault:
            self._break(fault)
            return
        if data:
            self._send(data)
        elif self.sent:
            self._timer.progress()
        if passage.fault is not None:
            self._break(passage.fault)

    def end(self) -> None:
        """The provider closed the body in order; a stream must also have said that it is whole."""
        passage = self._passage
        if passage is not None:
            try:
                rest = passage.close()
            except Fault as fault:
                self.fail(fault)
                return
            if rest:
                self._send(rest)
            if passage.fault is not None:
                self.fail(passage.fault)
                return
        self._finish(None)

    def fail(self, fault: Fault) -> None:
        """The body broke off, or a clock ran out."""
        if self.over.called:
            return
        if not self._responder.committed:
            self._timer.idle()
            self.over.errback(fault)
        elif self._passage is not None and self._passage.ended:
            self._finish(None)  # all was said before the connection broke
        else:
            if self._passage is not None:
                self._responder.write(self._passage.error(fault))
            self._responder.truncate()
            self._over(fault)

    def expire(self, fault: Fault) -> None:
        """A clock ran out: close the provider's side, and tell the client as much as can still be told."""
        self._answer.abort()
        self.fail(fault)

    # as a brake

    def pause(self) -> None:
        """The client reads slowly."""
        self._pausing = True
        self._timer.hold()
        self._answer.pause()

    def resume(self) -> None:
        """The client reads again."""
        self._pausing = False
        self._timer.release()
        self._answer.resume()

    def _break(self, fault: Fault) -> None:
        """What arrived cannot go on: neither does the provider."""
        self._answer.abort()
        self.fail(fault)

    def _send(self, data: bytes) -> None:
        if not self.sent:
            self._begin()
        self.sent += len(data)
        self._timer.progress()
        self._responder.write(data)

    def _begin(self) -> None:
        self._timer.phase("the provider was silent", self._idle)
        self._commit()
        self._responder.brake(self)

    def _finish(self, fault: Fault | None) -> None:
        if not self._responder.committed:
            self._commit()
        self._responder.finish()
        self._over(fault)

    def _over(self, fault: Fault | None) -> None:
        self._timer.idle()
        if not self.over.called:
            self.over.callback(fault)
