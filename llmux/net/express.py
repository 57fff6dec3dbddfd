"""The short way in for ordinary requests: recognised, never judged.

Reading a request through twisted.web and routing it through Klein costs several times what relaying it does. So the
channel looks at each request first: one whole head in plain form, a POST to a path that Klein has sent to a model
before, exactly one Content-Length. Such a request is read here, in one pass. Everything else, and everything that is in
the least odd, goes byte for byte to twisted.web's channel on the same connection, which alone refuses anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import RESPONSES
from twisted.web.resource import IResource

from llmux.headers import Headers
from llmux.net.front import FrontChannel, FrontSite, Refusal
from llmux.net.request import ClientRequest, host_problem
from llmux.net.responder import GOODBYE, Brake
from llmux.net.sending import writer

# Names as clients write them, to their lower case; what is not among them is looked at by the expression below.
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NAMES: dict[bytes, bytes] = {}
_MOST_NAMES = 1024

_CONTROLS = bytes(code for code in range(32) if code != 9) + b"\x7f"
_PLAIN_CONNECTION = (b"keep-alive", b"Keep-Alive")
_LONGEST_LENGTH = 12
# Names whose presence makes a request anything but ordinary.
_ODD = frozenset({b"transfer-encoding", b"expect", b"upgrade", b"trailer", b"te"})

_OURS = b"date: %b\r\nserver: llmux\r\n"

# How much a client may send ahead of its answer before it is made to wait.
_AHEAD = 64 * 1024


class ExpressChannel(FrontChannel):
    """A client connection that takes the short way where it can."""

    site: ExpressSite
    _responder: ExpressResponder | None = None
    # A recognised head whose body is still coming: the request's parts, and the pieces so far.
    _head: tuple[bytes, bytes, Headers, int] | None = None
    _pieces: list[bytes]
    _got = 0
    _behind = b""
    _full = False
    send: Callable[[bytes], None]

    def connectionMade(self) -> None:
        super().connectionMade()
        self.send = writer(self.transport)

    @property
    def idle(self) -> bool:
        """Whether no request is being read or served."""
        return self._responder is None and self._head is None and super().idle

    def dataReceived(self, data: bytes) -> None:
        """Recognise a request, or leave the bytes to the channel."""
        if self._responder is not None:
            self._behind += data
            if len(self._behind) > _AHEAD:
                self.transport.pauseProducing()
        elif self._head is not None:
            self._collect(data)
        elif self.fresh and not self.site.draining:
            self._look(data)
        else:
            super().dataReceived(data)

    @property
    def fresh(self) -> bool:
        """Whether the channel stands between two requests, with nothing of the next one in hand."""
        return not (self.requests or self._buffer or self._refused or self._tunnel)

    def _look(self, data: bytes) -> None:
        end = data.find(b"\r\n\r\n")
        recognised = self._recognise(data[:end]) if end > 0 else None
        if recognised is None:
            super().dataReceived(data)
            return
        self._head = recognised
        self._pieces = []
        self._got = 0
        self._collect(data[end + 4 :])

    def _recognise(self, head: bytes) -> tuple[bytes, bytes, Headers, int] | None:
        """Method, target, headers and length of an ordinary request; None for any other."""
        lines = head.split(b"\r\n")
        if len(head.translate(None, _CONTROLS)) + 2 * (len(lines) - 1) != len(head):
            return None
        parts = lines[0].split(b" ")
        if len(parts) != 3 or parts[0] != b"POST" or parts[2] != b"HTTP/1.1":
            return None
        target = parts[1]
        if target.partition(b"?")[0] not in self.site.express or b"#" in target:
            return None
        headers: Headers = []
        hosts: list[bytes] = []
        length = -1
        for line in lines[1:]:
            name, colon, value = line.partition(b":")
            lower = _NAMES.get(name) or _learn(name)
            if not colon or lower is None or lower in _ODD:
                return None
            value = value.strip(b" \t")
            if lower == b"content-length":
                if length >= 0 or not value.isdigit() or len(value) > _LONGEST_LENGTH:
                    return None
                length = int(value)
            elif lower == b"host":
                hosts.append(value)
            elif lower == b"connection" and value not in _PLAIN_CONNECTION:
                return None
            headers.append((lower, value))
        if length < 0 or length > self.site.body_limit or host_problem(hosts, b"HTTP/1.1") is not None:
            return None
        return parts[0], target, headers, length

    def _collect(self, data: bytes) -> None:
        assert self._head is not None
        method, target, headers, length = self._head
        self._got += len(data)
        if self._got < length:
            self._pieces.append(data)
            self.resetTimeout()
            return
        over = self._got - length
        if over:
            self._behind = data[-over:]
            data = data[:-over]
        self._pieces.append(data)
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._head = None
        self._pieces = []
        request = ClientRequest(method, target, headers, body, self.peer, self.site.clock.seconds())
        self._responder = responder = ExpressResponder(self)
        self.site.serve_express(request, responder, self)

    def timeoutConnection(self) -> None:
        """Time that passes while a request is served is not the client's."""
        if self._responder is not None:
            self.setTimeout(self.timeOut)
        else:
            super().timeoutConnection()

    # backpressure: the channel is the transport's producer, for whoever answers

    def pauseProducing(self) -> None:
        """The client reads slowly."""
        self._full = True
        if self._responder is None:
            super().pauseProducing()
        else:
            self._responder.slow(True)

    def resumeProducing(self) -> None:
        """It reads again."""
        self._full = False
        if self._responder is not None:
            self._responder.slow(False)
            return
        super().resumeProducing()
        self._next()

    # the end

    def answered(self) -> None:
        """The answer is written; the next request may begin."""
        self._responder = None
        if not self.persistent:
            self.loseConnection()
            return
        self.resetTimeout()
        if self._full:
            # Nobody who does not read his answers gets more of them.
            self.transport.pauseProducing()
        else:
            self._next()

    def _next(self) -> None:
        behind, self._behind = self._behind, b""
        if behind:
            if len(behind) > _AHEAD:
                self.transport.resumeProducing()
            self.dataReceived(behind)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell whoever answers."""
        responder, self._responder = self._responder, None
        super().connectionLost(reason)
        if responder is not None:
            responder.lost()


def _learn(name: bytes) -> bytes | None:
    if not _TOKEN.fullmatch(name):
        return None
    lower = name.lower()
    if len(_NAMES) < _MOST_NAMES:
        _NAMES[name] = lower
    return lower


class ExpressSite(FrontSite):
    """The factory of channels that know the short way.

    `express` holds the paths (raw, without query) that may take it; `serve_express(request, responder, channel)` serves
    what did.
    """

    channel_class = ExpressChannel

    def __init__(
        self,
        resource: IResource,
        clock: IReactorTime,
        refusal: Refusal,
        body_limit: int,
        express: Container[bytes],
        serve_express: Callable[[ClientRequest, ExpressResponder, FrontChannel], None],
    ) -> None:
        super().__init__(resource, clock, refusal, body_limit)
        self.express = express
        self.serve_express = serve_express


class ExpressResponder:
    """A `Responder` straight on the transport."""

    __slots__ = (
        "_brake",
        "_channel",
        "_chunked",
        "_finished",
        "_goodbye",
        "_on_gone",
        "_pending",
        "_slow",
        "committed",
        "gone",
        "status",
    )

    def __init__(self, channel: ExpressChannel) -> None:
        self._channel = channel
        self._on_gone: Callable[[], None] | None = None
        self._brake: Brake | None = None
        self._slow = False
        self._chunked = False
        self._pending = b""
        self._finished = False
        self._goodbye: IDelayedCall | None = None
        self.committed = False
        self.status = 0
        self.gone = False

    def on_gone(self, callback: Callable[[], None]) -> None:
        """See `Responder`."""
        self._on_gone = callback

    def head(self, status: int, headers: Headers) -> None:
        """See `Responder`."""
        if self.gone or self.committed:
            return
        self.committed = True
        self.status = status
        fields = [b"%b: %b\r\n" % header for header in headers]
        self._chunked = status not in (204, 304) and all(name != b"content-length" for name, _ in headers)
        block = b"".join(fields)
        if block.count(b"\n") != len(fields) or block.count(b"\r") != len(fields):
            raise ValueError("a header holds a line end")
        framing = b"transfer-encoding: chunked\r\n" if self._chunked else b""
        if self._channel.site.draining:
            self._channel.persistent = False
            framing += b"connection: close\r\n"
        ours = _OURS % self._channel.site.date()
        self._pending = b"HTTP/1.1 %d %b\r\n%b%b%b\r\n" % (status, RESPONSES.get(status, b"-"), ours, block, framing)

    def write(self, data: bytes) -> None:
        """See `Responder`."""
        if self.gone:
            return
        if self._chunked and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if self._pending:
            data = self._pending + data
            self._pending = b""
        if data:
            self._channel.send(data)

    def brake(self, brake: Brake | None) -> None:
        """See `Responder`."""
        self._brake = brake
        if brake is not None and self._slow:
            brake.pause()

    def slow(self, slow: bool) -> None:
        """Told by the channel when the client stops or starts reading."""
        self._slow = slow
        if self._brake is not None:
            if slow:
                self._brake.pause()
            else:
                self._brake.resume()

    def finish(self) -> None:
        """See `Responder`."""
        self._brake = None
        if self.gone or self._finished:
            return
        self._finished = True
        last = self._pending + b"0\r\n\r\n" if self._chunked else self._pending
        if last:
            self._channel.send(last)
        self._channel.answered()

    def truncate(self) -> None:
        """See `Responder`; what is written still leaves, for as long as a client that reads may need."""
        self._brake = None
        if self.gone:
            return
        self.write(b"")
        channel = self._channel
        channel.persistent = False
        channel.loseConnection()
        self._goodbye = channel.site.clock.callLater(GOODBYE, channel.transport.abortConnection)

    def lost(self) -> None:
        """Told by the channel when the connection is closed before the answer was finished."""
        self.gone = True
        self._brake = None
        if self._goodbye is not None and self._goodbye.active():
            self._goodbye.cancel()
        callback, self._on_gone = self._on_gone, None
        if callback is not None:
            callback()
