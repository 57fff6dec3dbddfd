"""The pool as an `IAgent`, so that treq and whatever else speaks to agents shares its connections."""

from __future__ import annotations

from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, cast

import treq.client
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IProtocol, IPushProducer, ITransport
from twisted.python.failure import Failure
from twisted.web.client import URI, ResponseDone, ResponseFailed
from twisted.web.http import RESPONSES
from twisted.web.http_headers import Headers as WebHeaders
from twisted.web.iweb import UNKNOWN_LENGTH, IAgent, IBodyProducer, IClientRequest, IResponse
from zope.interface import implementer

from llmux.errors import Fault
from llmux.headers import Headers, first
from llmux.net.client import Reply
from llmux.net.pool import Origin, Pool


def render(method: bytes, target: bytes, origin: Origin, headers: Headers, body: bytes) -> bytes:
    """A whole HTTP/1.1 request. `headers` hold neither Host nor framing; both are written here, once.

    Values cannot smuggle: whatever could end a line becomes a space.
    """
    fields = [b"%b: %b\r\n" % header for header in headers]
    block = b"".join(fields)
    if block.count(b"\n") != len(fields) or block.count(b"\r") != len(fields) or b"\0" in block:
        block = b"".join(b"%b: %b\r\n" % (name.translate(_LINE_ENDS), value.translate(_LINE_ENDS)) for name, value in headers)
    length = b"content-length: %d\r\n" % len(body) if body or method not in _BODILESS else b""
    return b"%b %b HTTP/1.1\r\nhost: %b\r\n%b%b\r\n%b" % (method, target, origin.host_header, block, length, body)


_LINE_ENDS = bytes(0x20 if code in b"\r\n\0" else code for code in range(256))
_BODILESS = (b"GET", b"HEAD", b"OPTIONS", b"DELETE")


@implementer(IAgent)
class PooledAgent:
    """Requests on the pool's connections. `connect_timeout` in seconds.

    `exactly` makes an agent for one request whose target and headers leave as given, whatever a client on top of it
    renders: libraries normalise URLs and add headers, a proxy must not.
    """

    def __init__(self, pool: Pool, connect_timeout: float = 10.0, exactly: tuple[bytes, Headers] | None = None) -> None:
        self._pool = pool
        self._connect_timeout = connect_timeout
        self._exactly = exactly

    def exactly(self, target: bytes, headers: Headers, connect_timeout: float) -> PooledAgent:
        """An agent for one request, sent to `target` with just these headers."""
        return PooledAgent(self._pool, connect_timeout, (target, headers))

    def request(
        self, method: bytes, uri: bytes, headers: WebHeaders | None = None, bodyProducer: IBodyProducer | None = None
    ) -> Deferred[IResponse]:
        """See `IAgent.request`."""
        return Deferred.fromCoroutine(self._request(method, uri, headers, bodyProducer))

    async def _request(self, method: bytes, uri: bytes, headers: WebHeaders | None, producer: IBodyProducer | None) -> IResponse:
        parsed = URI.fromBytes(uri)
        origin = Origin(parsed.scheme == b"https", parsed.host.decode("ascii").strip("[]"), parsed.port)
        body = await _collect(producer)
        if self._exactly is not None:
            target, fields = self._exactly
        else:
            target = parsed.originForm
            fields = [
                (name.lower(), value)
                for name, values in (headers.getAllRawHeaders() if headers is not None else ())
                for value in values
                if name.lower() not in (b"host", b"content-length")
            ]
        data = render(method, target, origin, fields, body)
        reply = await self._pool.request(origin, data, connect_timeout=self._connect_timeout, bodiless=method == b"HEAD")
        return cast(IResponse, _Response(reply))


def http_client(agent: IAgent) -> treq.client.HTTPClient:
    """A treq client that keeps no cookies: its jar would be shared by everybody who is served."""
    jar = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    return treq.client.HTTPClient(agent, cookiejar=jar)  # type: ignore[arg-type]  # any CookieJar will do


@implementer(IBodyProducer)
class Body:
    """A request body that is already in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.length = len(data)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        """Everything at once."""
        consumer.write(self.data)
        done: Deferred[None] = Deferred()
        done.callback(None)
        return done

    def pauseProducing(self) -> None:
        """Nothing is left to pause."""

    def resumeProducing(self) -> None:
        """Nothing is left to resume."""

    def stopProducing(self) -> None:
        """Nothing is left to stop."""


@implementer(IConsumer)
class _Collector:
    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """Producers of bodies do not register."""

    def unregisterProducer(self) -> None:
        """See `registerProducer`."""

    def write(self, data: bytes) -> None:
        """Keep a piece."""
        self.pieces.append(data)


async def _collect(producer: IBodyProducer | None) -> bytes:
    if producer is None:
        return b""
    if isinstance(producer, Body):
        return producer.data
    collector = _Collector()
    await producer.startProducing(cast(IConsumer, collector))
    return b"".join(collector.pieces)


@implementer(IResponse)
class _Response:
    """A reply in the shape that twisted.web's clients know."""

    version = (b"HTTP", 1, 1)
    previousResponse: IResponse | None = None
    request: IClientRequest | None = None

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.code = reply.status
        self.phrase = RESPONSES.get(reply.status, b"")
        self.headers = WebHeaders()
        for name, value in reply.headers:
            # As with twisted.web's own agent: framing is told by `length`, which whoever decodes the body corrects.
            if name not in (b"content-length", b"transfer-encoding"):
                self.headers.addRawHeader(name, value)
        length = first(reply.headers, b"content-length")
        self.length: Any = int(length) if length is not None and length.isdigit() else UNKNOWN_LENGTH

    def deliverBody(self, protocol: IProtocol) -> None:
        """See `IResponse.deliverBody`."""
        protocol.makeConnection(cast(ITransport, _Producer(self._reply)))
        self._reply.deliver(_Delivery(protocol))

    def setPreviousResponse(self, response: IResponse) -> None:
        """See `IResponse.setPreviousResponse`."""
        self.previousResponse = response


@implementer(IPushProducer)
class _Producer:
    """The transport that a body protocol gets: it can pause, and it can close for good."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply
        self.disconnecting = False

    def pauseProducing(self) -> None:
        self._reply.pause()

    def resumeProducing(self) -> None:
        self._reply.resume()

    def stopProducing(self) -> None:
        self._reply.abort()

    loseConnection = abortConnection = stopProducing


class _Delivery:
    """A sink that feeds a body protocol."""

    def __init__(self, protocol: IProtocol) -> None:
        self._protocol = protocol

    def data(self, data: bytes) -> None:
        self._protocol.dataReceived(data)

    def end(self) -> None:
        self._protocol.connectionLost(Failure(ResponseDone()))

    def fail(self, fault: Fault) -> None:
        self._protocol.connectionLost(Failure(ResponseFailed([Failure(fault)])))
