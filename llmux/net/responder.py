"""The client's side of an exchange: a head, then bytes, then an end that is either whole or visibly not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from twisted.web.http import RESPONSES
from zope.interface import implementer

from llmux.headers import Headers
from llmux.net.front import FrontRequest

# A client that does not read cannot be told goodbye; after this many seconds it is cut off.
GOODBYE = 5.0
_LAST_WORDS = 0.25


class Brake(Protocol):
    """What a responder slows down when the client reads slowly."""

    def pause(self) -> None: ...

    def resume(self) -> None: ...


class Responder(Protocol):
    """The client, as everything above the network sees it."""

    @property
    def committed(self) -> bool:
        """Whether the head was sent: from then on no other answer can be given."""

    @property
    def status(self) -> int:
        """The status that was sent; 0 before the commit."""

    @property
    def gone(self) -> bool:
        """Whether the client hung up."""

    def on_gone(self, callback: Callable[[], None]) -> None:
        """Call back once when the client hangs up before the end."""

    def head(self, status: int, headers: Headers) -> None:
        """Status and headers; they leave with the first write, which may be empty."""

    def write(self, data: bytes) -> None:
        """Some of the body."""

    def brake(self, brake: Brake | None) -> None:
        """Whom to slow down when the client reads slowly; None for nobody."""

    def finish(self) -> None:
        """The answer is whole."""

    def truncate(self) -> None:
        """End the answer so that no client takes it for whole."""


class WebResponder:
    """A `Responder` over a request of twisted.web. `done` fires when the request is over, however it ended."""

    def __init__(self, request: FrontRequest) -> None:
        self._request = request
        self._on_gone: Callable[[], None] | None = None
        self._braked = False
        self.committed = False
        self.status = 0
        self.gone = False
        self.done: Deferred[None] = Deferred()
        request.notifyFinish().addCallbacks(lambda _: self._over(False), lambda _: self._over(True))

    def on_gone(self, callback: Callable[[], None]) -> None:
        """See `Responder`."""
        self._on_gone = callback

    def head(self, status: int, headers: Headers) -> None:
        """Send status and headers now. A client may wait for them before it reads on."""
        if self.gone or self.committed:
            return
        self.committed = True
        self.status = status
        request = self._request
        request.setResponseCode(status, RESPONSES.get(status, b"-"))
        for name, value in headers:
            if name in (b"content-type", b"content-length"):
                request.responseHeaders.setRawHeaders(name, [value])
            else:
                request.responseHeaders.addRawHeader(name, value)
        request.write(b"")

    def write(self, data: bytes) -> None:
        """Send some of the body."""
        if not self.gone:
            self._request.write(data)

    def brake(self, brake: Brake | None) -> None:
        """See `Responder`."""
        if self.gone:
            return
        if self._braked:
            self._request.unregisterProducer()
            self._braked = False
        if brake is not None:
            self._request.registerProducer(_Producer(brake), True)
            self._braked = True

    def finish(self) -> None:
        """See `Responder`."""
        self.brake(None)
        if not self.gone:
            self._request.finish()

    def truncate(self) -> None:
        """Close without the terminator that chunked framing wants, or short of the declared length.

        HTTP/1.0 has neither, so there the connection is reset. `loseConnection` lets what is already written reach
        the client; it does not end for a client that reads nothing, hence the limit.
        """
        self.brake(None)
        if self.gone:
            return
        request = self._request
        channel = request.channel
        channel.persistent = False
        if request.clientproto == b"HTTP/1.0" and not request.responseHeaders.hasHeader(b"content-length"):
            # A close in order would look like the end; what is written gets a moment to arrive first.
            goodbye = request.site.clock.callLater(_LAST_WORDS, channel.forceAbortClient)
            self.done.addBoth(lambda _: goodbye.cancel() if goodbye.active() else None)
            return
        channel.loseConnection()
        goodbye = request.site.clock.callLater(GOODBYE, channel.forceAbortClient)
        self.done.addBoth(lambda _: goodbye.cancel() if goodbye.active() else None)

    def _over(self, lost: bool) -> None:
        self.gone = lost
        callback, self._on_gone = self._on_gone, None
        if lost and callback is not None:
            callback()
        self.done.callback(None)


@implementer(IPushProducer)
class _Producer:
    """Twisted's view of a brake."""

    def __init__(self, brake: Brake) -> None:
        self._brake = brake

    def pauseProducing(self) -> None:
        self._brake.pause()

    def resumeProducing(self) -> None:
        self._brake.resume()

    def stopProducing(self) -> None:
        """The client is gone; that is told by `on_gone`."""


def send(responder: Responder, status: int, headers: Headers, body: bytes) -> None:
    """A whole answer at once."""
    responder.head(status, [*headers, (b"content-length", b"%d" % len(body))])
    if body:
        responder.write(body)
    responder.finish()


__all__: list[Any] = ["Brake", "Responder", "WebResponder", "send"]
