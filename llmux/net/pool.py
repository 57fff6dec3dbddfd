"""The pool of connections towards providers, kept per origin."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

import attrs
from OpenSSL.SSL import Error as TLSError
from twisted.internet.abstract import isIPAddress
from twisted.internet.defer import CancelledError
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectingCancelledError, DNSLookupError
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.ssl import optionsForClientTLS

from llmux.errors import Fault
from llmux.net.client import Connection, Reply, StaleConnection, describe


@attrs.frozen(cache_hash=True)
class Origin:
    """Scheme, host and port of a provider."""

    secure: bool
    host: str
    port: int

    host_header: bytes = attrs.field(init=False, eq=False)
    """The value of `Host`: the port only where it is not the scheme's own, and IPv6 in brackets."""

    @host_header.default
    def _host_header(self) -> bytes:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}").encode("ascii")

    def __str__(self) -> str:
        return self.host_header.decode()


class Pool:
    """Connections that wait for their next request, per origin. A cache, not a limit.

    `idle_timeout` (seconds) is below what servers use, so that a connection is seldom closed under a request; where it
    happens all the same, the request is sent once more on a fresh one.
    """

    def __init__(self, reactor: Any, *, idle_timeout: float = 25.0, per_origin: int = 256) -> None:
        self._reactor: Any = reactor
        self._idle_timeout = idle_timeout
        self._per_origin = per_origin
        self._idle: dict[Origin, list[tuple[float, Connection]]] = {}
        self._all: set[Connection] = set()
        self._sweep: IDelayedCall | None = None
        self._closing = False

    async def request(
        self,
        origin: Origin,
        data: bytes,
        *,
        connect_timeout: float,
        bodiless: bool = False,
        sent: Callable[[], None] = lambda: None,
    ) -> Reply:
        """Send a whole request, return the reply once its head is there. `sent` is called when it was written.

        Raises Fault: `bad_gateway` when the provider cannot be reached or read, `timeout` when connecting takes longer
        than `connect_timeout` seconds.
        """
        connection = self._take(origin)
        if connection is not None:
            waiting = connection.request(data, bodiless=bodiless)
            sent()
            try:
                return await waiting
            except StaleConnection:
                pass
        connection = await self.connect(origin, connect_timeout)
        waiting = connection.request(data, bodiless=bodiless)
        sent()
        return await waiting

    async def upgrade(self, origin: Origin, data: bytes, *, connect_timeout: float) -> tuple[Connection, Reply]:
        """Send a request that asks for another protocol, on a connection of its own. Raises Fault."""
        connection = await self.connect(origin, connect_timeout)
        return connection, await connection.request(data, upgrade=True)

    async def connect(self, origin: Origin, timeout: float) -> Connection:
        """A fresh connection. Raises Fault."""
        connecting = self._endpoint(origin, timeout).connect(_Connections(self, origin))
        try:
            return cast(Connection, await connecting)
        except (ConnectTimeout, DeferredTimeout):
            raise Fault("timeout", f"connecting to {origin} took longer than {timeout:g} s") from None
        except DNSLookupError:
            raise Fault("bad_gateway", f"the name {origin.host} cannot be resolved") from None
        except (CancelledError, ConnectingCancelledError):
            raise CancelledError from None
        except (ConnectError, TLSError, OSError) as error:
            raise Fault("bad_gateway", f"cannot connect to {origin}: {describe(error)}") from None

    def _endpoint(self, origin: Origin, timeout: float) -> IStreamClientEndpoint:
        # An address needs no resolver, and none of the machinery that races several of them.
        address = TCP4ClientEndpoint if isIPAddress(origin.host) else HostnameEndpoint
        endpoint: Any = address(self._reactor, origin.host, origin.port, timeout=timeout)
        if origin.secure:
            endpoint = wrapClientTLS(optionsForClientTLS(origin.host), endpoint)
        return cast(IStreamClientEndpoint, endpoint)

    def _take(self, origin: Origin) -> Connection | None:
        waiting = self._idle.get(origin)
        while waiting:
            _, connection = waiting.pop()
            if connection.usable:
                connection.reused()
                return connection
        return None

    # from connections

    def _made(self, connection: Connection) -> None:
        self._all.add(connection)

    def _idles(self, origin: Origin, connection: Connection) -> None:
        waiting = self._idle.setdefault(origin, [])
        if self._closing or len(waiting) >= self._per_origin:
            connection.abort()
            return
        waiting.append((cast(IReactorTime, self._reactor).seconds(), connection))
        if self._sweep is None:
            self._sweep = self._reactor.callLater(self._idle_timeout, self._expire)

    def _gone(self, origin: Origin, connection: Connection) -> None:
        self._all.discard(connection)
        waiting = self._idle.get(origin)
        if waiting is not None:
            waiting[:] = [row for row in waiting if row[1] is not connection]
            if not waiting:
                del self._idle[origin]

    def _expire(self) -> None:
        self._sweep = None
        limit = self._reactor.seconds() - self._idle_timeout
        for waiting in list(self._idle.values()):
            for since, connection in list(waiting):
                if since <= limit:
                    connection.abort()
        oldest = min((row[0] for waiting in self._idle.values() for row in waiting), default=None)
        if oldest is not None and not self._closing:
            self._sweep = self._reactor.callLater(max(oldest - limit, 0.1), self._expire)

    def counts(self) -> Iterator[tuple[str, int]]:
        """How many connections are idle and how many busy, for the metrics."""
        idle = sum(map(len, self._idle.values()))
        yield "idle", idle
        yield "busy", len(self._all) - idle

    def close(self) -> None:
        """Close every connection, busy ones too."""
        self._closing = True
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        for connection in list(self._all):
            connection.abort()


class _Connections(Factory):
    """Makes the connections of one origin."""

    noisy = False

    def __init__(self, pool: Pool, origin: Origin) -> None:
        self._pool = pool
        self._origin = origin

    def buildProtocol(self, addr: object) -> Connection:
        pool, origin = self._pool, self._origin
        connection = Connection(idle=lambda c: pool._idles(origin, c), gone=lambda c: pool._gone(origin, c))
        connection.factory = self
        pool._made(connection)
        return connection
