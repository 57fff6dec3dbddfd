"""The listeners of the daemon: opened all or none, and changed while it runs."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

import attrs
from twisted.internet import tcp, unix
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.endpoints import serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort, IProtocolFactory, IStreamServerEndpoint
from twisted.internet.protocol import Factory
from twisted.protocols.haproxy import proxyEndpoint
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from llmux.config.listen import Listen, parse
from llmux.net.client import describe
from llmux.net.front import FrontSite
from llmux.systemd import Handed, named
from llmux.web.auth import is_loopback

_BACKLOG = 4096
_SECURE = ("ssl", "tls")


class StartError(Exception):
    """The daemon cannot listen; the message says why."""


@attrs.frozen
class Wanted:
    """A listener that shall be there: its endpoint string, what it serves, and whether that is meant for anybody.

    `nth` tells listeners apart that are written alike, such as two on a free port.
    """

    endpoint: str
    site: FrontSite
    public: bool = False
    nth: int = 0


class Listeners:
    """What is listened on. `handed`: the sockets that a service manager passed to the process."""

    def __init__(self, reactor: Any, handed: Sequence[Handed] = ()) -> None:
        self._reactor = reactor
        self._handed = handed
        self._open: dict[Wanted, IListeningPort] = {}
        self._given_up: Deferred[Any] = succeed(None)  # those of the last attempt that failed, which close in their own time

    def open(self, wanted: Sequence[Wanted], keyed: bool) -> None:
        """Open those that are not open. Raises StartError; then nothing has changed. `keyed`: clients must show a key."""
        opened: dict[Wanted, IListeningPort] = {}
        try:
            for each in wanted:
                port = self._open.get(each)
                if port is None:
                    port = opened[each] = _listen(self._endpoint(each.endpoint, self._reactor), each.site)
                if not (keyed or each.public or is_local(port.getHost())):
                    raise StartError(f"{each.endpoint} can be reached from other hosts, and no client keys (api_keys) are set")
        except BaseException:  # whatever it is, it goes on its way once what was opened is given up
            self._given_up = _all_of(port.stopListening() for port in opened.values())
            raise
        self._open = {each: opened.get(each) or self._open[each] for each in wanted} | self._open

    async def change(self, wanted: Sequence[Wanted], keyed: bool) -> Callable[[], Deferred[Any]]:
        """Open the new ones. Raises StartError; then nothing has changed. What it returns closes those that are not wanted.

        One that is not wanted may be in the way of a new one (the same port of another interface, the same path with another
        mode): then it is closed first, and opened again should the new one fail all the same.
        """
        renewals = [self._renewal(each) for each in wanted if each in self._open and parse(each.endpoint).type == "ssl"]
        places = {_place(parse(each.endpoint)) for each in wanted if each not in self._open}
        in_the_way = [each for each in self._open if each not in wanted and self._held(each) in places]
        try:
            self.open(wanted, keyed)
        except StartError:
            if not in_the_way:
                raise
            await self._given_up
            await self._stop(in_the_way)
            try:
                self.open(wanted, keyed)
            except StartError:
                await self._given_up
                self.open([*self._open, *in_the_way], keyed=True)
                raise

        def settle() -> Deferred[Any]:
            for renew in renewals:
                renew()
            self._open = {each: self._open.pop(each) for each in wanted} | self._open  # in the order of the configuration
            return self._stop([each for each in self._open if each not in wanted])

        return settle

    def stop(self) -> Deferred[Any]:
        """Close all."""
        return self._stop(list(self._open))

    def _stop(self, which: Sequence[Wanted]) -> Deferred[Any]:
        return _all_of([self._open.pop(each).stopListening() for each in which if each in self._open])

    def _endpoint(self, written: str, reactor: Any) -> IStreamServerEndpoint:
        place = parse(written)
        try:
            if place.type != "systemd":
                endpoint: IStreamServerEndpoint = serverFromString(reactor, with_backlog(written))
                return endpoint
            adopted = _Adopted(reactor, self._find(place))
            return cast(IStreamServerEndpoint, proxyEndpoint(adopted)) if place.wrapped else adopted
        except StartError:
            raise
        except Exception as error:  # a certificate that is none: each type of endpoint has its own
            raise StartError(f"{written}: {describe(error)}") from None

    def _find(self, place: Listen) -> Handed:
        handed = named(self._handed, place.parameters.get("index"), place.parameters.get("name"))
        if handed is None:
            had = ", ".join(f"{position} ({each.name})" for position, each in enumerate(self._handed)) or "none"
            raise StartError(f"{place}: no such socket was passed to this process; passed were: {had}")
        return handed

    @property
    def neglected(self) -> list[str]:
        """The sockets that were handed over and are not listened on. Their clients connect, and wait for ever."""
        places = [parse(each.endpoint) for each in self._open]
        used = [self._find(place) for place in places if place.type == "systemd"]
        return [f"{position} ({each.name})" for position, each in enumerate(self._handed) if each not in used]

    def _renewal(self, wanted: Wanted) -> Callable[[], None]:
        """What makes an open listener use the certificate that lies there now. Raises StartError for one that is none."""
        endpoint = self._endpoint(wanted.endpoint, _Renewing(self._open[wanted]))

        def renew() -> None:
            _listen(endpoint, wanted.site)

        return renew

    def _held(self, wanted: Wanted) -> str:
        address: Any = self._open[wanted].getHost()
        return unix_path(address) if isinstance(address, UNIXAddress) else str(address.port)

    @property
    def addresses(self) -> list[tuple[Wanted, IAddress]]:
        """All with their addresses, in the order of the configuration."""
        return [(wanted, port.getHost()) for wanted, port in self._open.items()]

    def cover(self, address: Any, secure: bool) -> bool:
        """Whether a connection to this address of ours, by TLS or in the clear, could still come in."""
        doors = ((parse(wanted.endpoint), port.getHost()) for wanted, port in self._open.items())
        return any(door.wrapped or ((door.type in _SECURE) == secure and _covers(host, address)) for door, host in doors)


@implementer(IStreamServerEndpoint)
class _Adopted:
    """A socket that is bound already."""

    def __init__(self, reactor: Any, handed: Handed) -> None:
        self._reactor = reactor
        self._handed = handed

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        """See IStreamServerEndpoint."""
        descriptor = self._handed.descriptor
        os.set_inheritable(descriptor, False)
        os.set_blocking(descriptor, False)
        family = self._handed.family
        if family == socket.AF_UNIX:
            local: Any = _AdoptedUNIX._fromListeningDescriptor(self._reactor, descriptor, protocolFactory)
            local.startListening()
            return succeed(local)
        port: IListeningPort = self._reactor.adoptStreamPort(descriptor, family, protocolFactory)
        return succeed(port)


class _AdoptedUNIX(unix.Port):
    """A port whose path, mode and queue belong to whoever made the socket. Twisted's own changes them, removes the path, and
    shuts the socket down for everybody who has it.
    """

    _shouldShutdown = False

    def startListening(self) -> None:
        """See IListeningPort."""
        adopted, port, factory = self._preexistingSocket, cast(Any, self), cast(Any, self.factory)
        self._preexistingSocket = None
        tcp._reservedFD.reserve()  # for the day without free descriptors, as Twisted's own ports do
        factory.doStart()
        port.socket, port.fileno = adopted, cast(Any, adopted).fileno
        self.numberAccepts = 100
        self.connected = True
        self.startReading()

    def connectionLost(self, reason: Failure) -> None:
        """See unix.Port."""
        tcp.Port.connectionLost(self, reason)


class _Trying:
    """A reactor for endpoints that opens nothing."""

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> None:
        """See IReactorTCP."""

    def listenSSL(self, port: int, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = "") -> None:
        """See IReactorSSL."""
        TLSMemoryBIOFactory(contextFactory, False, factory)


class _Renewing:
    """A reactor for endpoints that "listens" by giving a port that is open already another factory."""

    def __init__(self, port: Any) -> None:
        self._port = port

    def listenTCP(self, port: int, factory: Any, backlog: int = 50, interface: str = "") -> IListeningPort:
        """See IReactorTCP."""
        factory.doStart()
        self._port.factory, before = factory, self._port.factory
        before.doStop()
        renewed: IListeningPort = self._port
        return renewed

    def listenSSL(self, port: int, factory: Any, contextFactory: Any, backlog: int = 50, interface: str = "") -> IListeningPort:
        """See IReactorSSL."""
        return self.listenTCP(port, TLSMemoryBIOFactory(contextFactory, False, factory))


def _listen(endpoint: IStreamServerEndpoint, site: IProtocolFactory) -> IListeningPort:
    # All kinds of listeners that the configuration knows are there, or have failed, when the call returns.
    results: list[Any] = []
    try:
        endpoint.listen(site).addBoth(results.append)
    except OSError as error:
        raise StartError(describe(error)) from None
    (result,) = results
    if isinstance(result, Failure):
        result.trap(CannotListenError, OSError)
        raise StartError(result.getErrorMessage().rstrip("."))
    port: IListeningPort = result
    return port


def _all_of(stopping: Iterable[Deferred[None] | None]) -> Deferred[Any]:
    return DeferredList([each for each in stopping if each is not None])


def _place(listen: Listen) -> str | None:
    """What only one listener can have: a port, or a path."""
    return listen.parameters.get("address") if listen.type == "unix" else listen.parameters.get("port")


def objection(written: str) -> str | None:
    """What would keep an endpoint from being opened, as far as that shows without opening it: a certificate that is none."""
    if parse(written).type not in _SECURE:
        return None
    reactor = _Trying()
    try:
        _listen(Listeners(reactor)._endpoint(written, reactor), Factory())
    except StartError as error:
        return str(error)
    return None


def with_backlog(written: str) -> str:
    """An endpoint string whose queue holds a burst of clients; Twisted's own default of 50 makes the others wait seconds."""
    kind = written.partition(":")[0]
    return f"{written}:backlog={_BACKLOG}" if kind in ("tcp", "tcp6", "ssl", "tls") and "backlog=" not in written else written


def url(written: str, address: Any) -> str:
    """Where a listener is reached, for a person."""
    host = getattr(address, "host", None)
    if host is None:
        return f"unix:{unix_path(address)}"
    scheme = "https" if parse(written).type in _SECURE else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{address.port}"


def unix_path(address: UNIXAddress) -> str:
    """The path of a UNIX socket."""
    return os.fsdecode(address.name or b"")


def is_local(address: Any) -> bool:
    """Whether nobody but this host can reach an address of ours."""
    host = getattr(address, "host", None)
    return True if host is None else is_loopback(host)


def _covers(listener: Any, address: Any) -> bool:
    if isinstance(listener, UNIXAddress) or isinstance(address, UNIXAddress):
        return bool(listener == address)
    wildcard = listener.host in ("0.0.0.0", "::")
    return bool(listener.port == address.port and (wildcard or listener.host == address.host))
