"""A gateway in this process on real sockets, and the two ends of the wire that tests hold in their hands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from llmux import config as configuration
from llmux.accesslog import Line
from llmux.runtime import services
from llmux.service import LlmuxService

reactor: Any = _reactor


class Wire(Protocol):
    """One end of a connection: what came in, and ways to wait for more."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.closed = False
        self.reason: Failure | None = None
        self._waiting: list[tuple[Callable[[], bool], Deferred[None]]] = []

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.setTcpNoDelay(True)

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        self._look()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.closed = True
        self.reason = reason
        self._look()

    def send(self, data: bytes) -> None:
        """Write."""
        assert self.transport is not None
        self.transport.write(data)

    def close(self) -> None:
        """Close in order, after what was written."""
        assert self.transport is not None
        self.transport.loseConnection()

    def reset(self) -> None:
        """Close with a reset."""
        transport: Any = self.transport
        transport.abortConnection()

    def pause(self) -> None:
        """Stop reading."""
        transport: Any = self.transport
        transport.pauseProducing()

    def resume(self) -> None:
        """Read on."""
        transport: Any = self.transport
        transport.resumeProducing()

    def until(self, condition: Callable[[], bool]) -> Deferred[None]:
        """Fires when a condition on what was received (or on `closed`) holds."""
        waiting: Deferred[None] = Deferred()
        self._waiting.append((condition, waiting))
        self._look()
        return waiting

    def has(self, part: bytes) -> Deferred[None]:
        """Fires when these bytes have arrived."""
        return self.until(lambda: part in self.received or self.closed)

    def ended(self) -> Deferred[None]:
        """Fires when the connection is closed."""
        return self.until(lambda: self.closed)

    def _look(self) -> None:
        for row in list(self._waiting):
            if row in self._waiting and row[0]():  # a callback may look again
                self._waiting.remove(row)
                row[1].callback(None)


class Provider(Factory):
    """A server whose every byte the test decides. `connections` holds the wires in the order in which they came."""

    noisy = False

    def __init__(self, script: Callable[[Wire], None] | None = None) -> None:
        self.connections: list[Wire] = []
        self._script = script
        self._waiting: list[tuple[int, Deferred[Wire]]] = []
        self.port = 0

    def buildProtocol(self, addr: object) -> Wire:
        wire = Wire()
        self.connections.append(wire)
        for row in list(self._waiting):
            if len(self.connections) > row[0]:
                self._waiting.remove(row)
                reactor.callLater(0, row[1].callback, self.connections[row[0]])
        if self._script is not None:
            script = self._script
            wire.until(lambda: request_complete(bytes(wire.received))).addCallback(lambda _: script(wire))
        return wire

    def connection(self, index: int = 0) -> Deferred[Wire]:
        """Fires with a connection once it is there."""
        waiting: Deferred[Wire] = Deferred()
        if len(self.connections) > index:
            waiting.callback(self.connections[index])
        else:
            self._waiting.append((index, waiting))
        return waiting

    async def request(self, index: int = 0) -> Wire:
        """The connection, once a whole request was read from it."""
        wire = await self.connection(index)
        await wire.until(lambda: request_complete(bytes(wire.received)))
        return wire


def request_complete(data: bytes) -> bool:
    """Whether a request with Content-Length (or none) is whole."""
    head, blank, body = data.partition(b"\r\n\r\n")
    if not blank:
        return False
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return True


def head_of(data: bytes | bytearray) -> list[bytes]:
    """The lines of a head, in lower case but for the first."""
    first, *rest = bytes(data).partition(b"\r\n\r\n")[0].split(b"\r\n")
    return [first, *(line.lower() for line in rest)]


def body_of(data: bytes | bytearray) -> bytes:
    """What follows the head."""
    return bytes(data).partition(b"\r\n\r\n")[2]


def dechunk(data: bytes) -> tuple[bytes, bool]:
    """The body of a chunked message, and whether it was ended by its terminator."""
    body = b""
    while data:
        size, line, rest = data.partition(b"\r\n")
        if not line:
            break
        length = int(size, 16)
        if length == 0:
            return body, rest.startswith(b"\r\n")
        body += rest[:length]
        data = rest[length + 2 :]
    return body, False


@attrs.define
class Response:
    """A response as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool


def parse_response(data: bytes | bytearray) -> Response:
    """Read a response; `whole` tells whether its framing says that all of it came."""
    lines = bytes(data).partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        name = name.lower()
        headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
    body = body_of(data)
    if headers.get("transfer-encoding") == "chunked":
        body, whole = dechunk(body)
    elif "content-length" in headers:
        whole = len(body) >= int(headers["content-length"])
    else:
        whole = True
    return Response(int(lines[0].split(" ")[1]), headers, body, whole)


class Lines:
    """An access log that a test can read."""

    def __init__(self) -> None:
        self.written: list[Line] = []

    def write(self, line: Line) -> None:
        """See `llmux.accesslog.AccessLog`."""
        self.written.append(line)

    def close(self) -> None:
        """See `llmux.accesslog.AccessLog`."""


class GatewayCase(TestCase):
    """Starts gateways and providers for a test, and ends them after it."""

    timeout = 20
    # Whether ordinary requests may take the short way past twisted.web.
    express = True

    async def provider(self, script: Callable[[Wire], None] | None = None) -> Provider:
        """A provider on a free port."""
        factory = Provider(script)
        listening = reactor.listenTCP(0, factory, interface="127.0.0.1")
        factory.port = listening.getHost().port

        def stop() -> Any:
            for wire in factory.connections:
                if not wire.closed:
                    wire.reset()
            return listening.stopListening()

        self.addCleanup(stop)
        return factory

    def gateway(self, text: str, environ: dict[str, str] | None = None, listen: str = "tcp:0:interface=127.0.0.1") -> Gateway:
        """A gateway on a free port, from the text of a configuration (without `listen`)."""
        environ = environ or {}
        said: list[str] = []
        lines = Lines()

        def read() -> configuration.Config:
            return configuration.parse(f'listen: ["{gateway.listen}"]\n{gateway.text}', "llmux.yaml", environ)

        gateway = Gateway(text, listen, said, lines.written)
        gateway.daemon = daemon = LlmuxService(read(), services(reactor, environ, lines), said.append, read)
        if not self.express:
            daemon.site.express = ()
        daemon.startService()

        async def stop() -> None:
            for wire in gateway.clients:
                if not wire.closed:
                    wire.reset()
            await deferLater(reactor, 0, lambda: None)
            for channel in list(daemon.site.channels):
                channel.transport.abortConnection()
            await daemon.stopService()
            await deferLater(reactor, 0, lambda: None)

        self.addCleanup(lambda: Deferred.fromCoroutine(stop()))
        return gateway


@attrs.define
class Gateway:
    """A running gateway. `text` and `listen` are what its next reload reads."""

    text: str
    listen: str
    said: list[str]
    lines: list[Line]
    daemon: LlmuxService = attrs.field(init=False)
    clients: list[Wire] = attrs.field(factory=list)

    @property
    def port(self) -> int:
        """Where it listens."""
        address: Any = self.daemon.addresses[0]
        port: int = address.port
        return port

    async def connect(self) -> Wire:
        """A connection to it."""
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port)
        wire: Any = await endpoint.connect(Factory.forProtocol(Wire))
        self.clients.append(wire)
        return wire  # type: ignore[no-any-return]

    async def send(self, data: bytes) -> Wire:
        """Send raw bytes on a new connection."""
        wire = await self.connect()
        wire.send(data)
        return wire

    async def exchange(self, data: bytes) -> Response:
        """Send a request (with `Connection: close` in it, or answered so), return the response at the end."""
        wire = await self.send(data)
        await wire.ended()
        return parse_response(wire.received)

    async def post(self, path: str, body: bytes, *headers: str, method: str = "POST") -> Response:
        """Send a request with a body, wait for the end of the answer."""
        return await self.exchange(request(path, body, *headers, "connection: close", method=method))

    async def get(self, path: str, *headers: str, method: str = "GET") -> Response:
        """Send a request without a body."""
        return await self.exchange(request(path, None, *headers, "connection: close", method=method))


def request(path: str, body: bytes | None, *headers: str, method: str = "POST") -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "host: llmux.test", *headers]
    if body is not None:
        lines += [f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")
