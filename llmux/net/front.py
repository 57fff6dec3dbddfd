"""The HTTP front: twisted.web's channel, made stricter, and its request, kept in memory.

What the channel would let pass and we refuse: obsolete line folding, a missing, doubled or malformed Host, absolute
request targets, control characters, and Transfer-Encoding under HTTP/1.0. Every refusal is a JSON answer in the dialect
of the path, sent so that the client can read it, and the end of the connection.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime, ISSLTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.http import RESPONSES, HTTPChannel, datetimeToString
from twisted.web.resource import IResource
from twisted.web.server import Request, Site

from llmux.errors import Fault
from llmux.headers import Headers
from llmux.net.request import ClientRequest, host_problem, segments

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(rb"/[^\x00-\x20\x7f#]*|\*")
# How long, and for how many bytes, a refused client may go on sending before we hang up on it.
_LINGER_SECONDS = 2.0
# Seconds for which a connection may wait for its next request.
_KEEP_ALIVE = 75
_LINGER_BYTES = 64 * 1024 * 1024

# Shapes a refusal: (target or b"" when it is not known, fault) -> status, headers, body.
Refusal = Callable[[bytes, Fault], tuple[int, Headers, bytes]]


class FrontRequest(Request):
    """A request whose body stays in memory under the site's cap, and whose path is cut before it is decoded."""

    site: FrontSite
    channel: Any
    defaultContentType = None  # an answer that names none has none

    def __init__(self, channel: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(channel, *args, **kwargs)
        self._pieces: list[bytes] = []
        self._size = 0

    def gotLength(self, length: int | None) -> None:
        """Refuse a body that declares itself too large before one byte of it is read."""
        if length is not None and length > self.channel.site.body_limit:
            self.channel.refuse(_too_large(self.channel.site.body_limit))

    def handleContentChunk(self, data: bytes) -> None:
        """Take a piece of the body, up to the cap."""
        self._size += len(data)
        if self._size > self.channel.site.body_limit:
            self._pieces = []
            self.channel.refuse(_too_large(self.channel.site.body_limit))
            return
        self._pieces.append(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """The whole request is there. No form is parsed: bodies are the handler's business."""
        self.method, self.uri, self.clientproto = command, path, version
        self.path = path.partition(b"?")[0]
        self.args = {}
        self.site = self.channel.site
        self.prepath: list[bytes] = []
        self.postpath = segments(self.path)
        self.setHeader(b"date", self.site.date())
        self.setHeader(b"server", b"llmux")
        if self.site.draining:
            self.channel.persistent = False
            self.setHeader(b"connection", b"close")
        self.render(self.site.resource)

    def client_request(self) -> ClientRequest:
        """The request in the shape that the rest of llmux sees; the body moves over, it is not copied."""
        body = b"".join(self._pieces)
        self._pieces = []
        headers = [(name.lower(), value) for name, values in self.requestHeaders.getAllRawHeaders() for value in values]
        return ClientRequest(
            method=self.method,
            target=self.uri,
            headers=headers,
            body=body,
            peer=self.channel.peer,
            received=self.site.clock.seconds(),
        )


class FrontChannel(HTTPChannel):
    """One client connection."""

    requestFactory = FrontRequest
    site: FrontSite
    transport: Any
    # Claude Code and Codex send long heads; what is past this is nobody's client.
    totalHeadersSize = 64 * 1024
    MAX_LENGTH = 64 * 1024

    _refused = False
    _discarded = 0
    _line = b""
    _linger: IDelayedCall | None = None
    _tunnel: Protocol | None = None

    def connectionMade(self) -> None:
        super().connectionMade()
        self.site.channels.add(self)

    @property
    def idle(self) -> bool:
        """Whether no request is being read or served."""
        return not self.requests

    @cached_property
    def peer(self) -> str:
        """The address of the other end; "" for a UNIX socket. Behind a PROXY line it is known with the first bytes."""
        return str(getattr(self.transport.getPeer(), "host", ""))

    # bytes in

    def dataReceived(self, data: bytes) -> None:
        if self._tunnel is not None:
            self._tunnel.dataReceived(data)
        elif self._refused:
            self._discarded += len(data)
            if self._discarded > _LINGER_BYTES:
                self.transport.abortConnection()
        else:
            super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        if self._refused:
            return
        if not self.requests:
            if line:
                self._line = line
                problem = _request_line_problem(line)
                if problem is not None:
                    self.refuse(Fault("invalid", problem))
                    return
        elif line[:1] in (b" ", b"\t"):
            self.refuse(Fault("invalid", "a header line is folded (obsolete line folding)"))
            return
        super().lineReceived(line)

    def rawDataReceived(self, data: bytes) -> None:
        if not self._refused:
            super().rawDataReceived(data)

    def lineLengthExceeded(self, line: bytes) -> None:
        self.refuse(Fault("invalid", "the request head is too large", status=431))

    def checkPersistence(self, request: Any, version: bytes) -> bool:
        """Whether the connection may carry another request. `Connection` is a list, on one line or on several."""
        values = request.requestHeaders.getRawHeaders(b"connection", [])
        tokens = {token.strip().lower() for value in values for token in value.split(b",")}
        if version == b"HTTP/1.1" and b"close" not in tokens:
            return True
        request.responseHeaders.setRawHeaders(b"connection", [b"close"])
        return False

    def allHeadersReceived(self) -> None:
        headers = self.requests[-1].requestHeaders
        problem = host_problem(headers.getRawHeaders(b"host", []), self._version)
        if problem is None and self._version == b"HTTP/1.0" and headers.hasHeader(b"transfer-encoding"):
            problem = "Transfer-Encoding is not part of HTTP/1.0"
        if problem is not None:
            self.refuse(Fault("invalid", problem))
        else:
            super().allHeadersReceived()

    def _send100Continue(self) -> None:
        if not self._refused:
            super()._send100Continue()

    def allContentReceived(self) -> None:
        if not self._refused:
            super().allContentReceived()

    # refusals

    def _respondToBadRequestAndDisconnect(self) -> None:
        self.refuse(Fault("invalid", "the request is malformed"))

    def refuse(self, fault: Fault) -> None:
        """Answer, say that this is the end, and go on discarding for a while.

        Closing a socket with unread bytes resets the connection, and the client would never see why.
        """
        if self._refused:
            return
        self._refused = True
        self.persistent = False
        status, headers, body = self.site.refusal(_target(self._line), fault)
        head = [b"HTTP/1.1 %d %b\r\n" % (status, RESPONSES.get(status, b"Refused"))]
        head += [b"%b: %b\r\n" % header for header in headers]
        head.append(b"date: %b\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % (datetimeToString(), len(body)))
        head.append(body)
        self.setTimeout(None)
        self.transport.writeSequence(head)
        # Under TLS this attribute is the raw socket's: using it would cut off what is not yet encrypted.
        if not ISSLTransport.providedBy(self.transport) and hasattr(self.transport, "loseWriteConnection"):
            self.transport.loseWriteConnection()
        self._linger = self.site.clock.callLater(_LINGER_SECONDS, self.transport.abortConnection)

    # the end

    def become(self, protocol: Protocol) -> None:
        """Hand the connection over to another protocol (a tunnel), for good."""
        self.setTimeout(None)
        self._tunnel = protocol
        self.transport.unregisterProducer()
        protocol.makeConnection(self.transport)

    def early(self) -> bytes:
        """What the client sent behind its request, before the connection was handed over."""
        data, self._dataBuffer = b"".join(self._dataBuffer), []
        return data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.site.channels.discard(self)
        if self._linger is not None and self._linger.active():
            self._linger.cancel()
        if self._tunnel is not None:
            self._tunnel.connectionLost(reason)
        super().connectionLost(reason)


class FrontSite(Site):
    """The factory of client connections. `clock` serves its timeouts; `refusal` words its refusals."""

    noisy = False  # the daemon itself says where it listens
    requestFactory = FrontRequest
    channel_class: type[FrontChannel] = FrontChannel

    def __init__(self, resource: IResource, clock: IReactorTime, refusal: Refusal, body_limit: int) -> None:
        super().__init__(resource, timeout=_KEEP_ALIVE, reactor=clock)
        self._date = (-1, b"")
        self.clock = clock
        self.refusal = refusal
        self.body_limit = body_limit
        self.draining = False
        self.channels: set[FrontChannel] = set()
        self._resting: dict[FrontChannel, float] = {}

    def buildProtocol(self, addr: object) -> FrontChannel:  # type: ignore[override]  # no protocol negotiation is wanted
        """A channel of ours: HTTP/1.1 only, whatever TLS may negotiate."""
        channel = self.channel_class()
        channel.factory = self
        channel.site = self
        channel.requestFactory = FrontRequest
        channel.timeOut = _KEEP_ALIVE
        channel.callLater = self.clock.callLater  # type: ignore[method-assign,assignment]  # TimeoutMixin's own seam
        return channel

    def date(self) -> bytes:
        """The Date header's value; it changes once a second."""
        now = int(self.clock.seconds())
        if now != self._date[0]:
            self._date = (now, datetimeToString(now))
        return self._date[1]

    def startFactory(self) -> None:
        """No access log of its own: it would write whole URLs, keys in queries included."""

    def stopFactory(self) -> None:
        """See `startFactory`."""

    def log(self, request: object) -> None:
        """See `startFactory`."""

    def drain(self) -> None:
        """Serve what runs, and what is asked on the connections that are there; from now on each answer says that it is the last.

        A connection whose answer began before that is kept for one more request: its client was not told, and may send it.
        """
        self.draining = True

    def close_idle(self, seconds: float) -> None:
        """Close the connections on which nothing was asked or answered for so long, as far as was looked."""
        now = self.clock.seconds()
        self._resting = {channel: self._resting.get(channel, now) for channel in self.channels if channel.idle}
        for channel, since in self._resting.items():
            if now - since >= seconds:
                channel.transport.loseConnection()

    def leave(self, covered: Callable[[Any, bool], bool]) -> None:
        """Keep no connection that came in by a door that is no longer there, after what runs on it.

        `covered(address, secure)`: whether there is still one to this address of ours, by TLS or in the clear.
        """
        for channel in list(self.channels):
            if not covered(channel.transport.getHost(), ISSLTransport.providedBy(channel.transport)):
                channel.persistent = False
                if channel.idle:
                    channel.transport.loseConnection()


def _too_large(limit: int) -> Fault:
    return Fault("too_large", f"the request body is larger than the limit of {limit} bytes", should_retry=False)


def _request_line_problem(line: bytes) -> str | None:
    parts = line.split(b" ")
    if len(parts) != 3:
        return "the request line is malformed"
    method, target, version = parts
    if not _TOKEN.fullmatch(method):
        return "the method is malformed"
    if not _TARGET.fullmatch(target):
        return "the request target is malformed"
    if version not in (b"HTTP/1.1", b"HTTP/1.0"):
        return "only HTTP/1.1 and HTTP/1.0 are spoken here"
    return None


def _target(line: bytes) -> bytes:
    parts = line.split(b" ")
    return parts[1] if len(parts) == 3 else b""
