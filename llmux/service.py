"""The daemon as a service: listen, serve, and stop in phases that do not pull the floor from under each other."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import attrs
from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from llmux import __version__
from llmux.config import Config
from llmux.config.schema import Provider
from llmux.discovery import discover
from llmux.errors import Fault
from llmux.net.client import describe
from llmux.net.express import ExpressSite
from llmux.runtime import Services, build, routing
from llmux.web.app import App
from llmux.web.auth import is_loopback

# Seconds between two looks at a provider's own model list.
_DISCOVERY_INTERVAL = 3600.0
# Seconds between two looks at whether one is due; one that could not be had is due at once.
_DISCOVERY_TICK = 60.0
# Seconds that the first requests wait for them.
_DISCOVERY_PATIENCE = 5.0
_DRAIN_POLL = 0.05
_LAST_WORDS = 1.0
_BACKLOG = 4096


class StartError(Exception):
    """The daemon cannot start; the message says why."""


class LlmuxService(Service):
    """Serves a configuration. `say(line)` is told what a person at the terminal wants to know."""

    _log = Logger()

    def __init__(self, config: Config, services: Services, say: Callable[[str], None]) -> None:
        self.config = config
        self._services = services
        self._say = say
        self._ports: list[IListeningPort] = []
        self._discovered: dict[str, tuple[str, ...]] = {}
        self._discovered_at: dict[str, float] = {}
        self._asking: list[Deferred[None]] = []
        self._discovery: LoopingCall | None = None
        self.app = App(build(config, services))
        app = self.app
        self.site = ExpressSite(app.resource, services.reactor, app.refuse, config.limits.body, app.express, app.serve_express)

    def privilegedStartService(self) -> None:
        """Listen while the process may still use any port."""
        super().privilegedStartService()
        self._listen()

    def startService(self) -> None:
        """Listen, say so, and begin to ask providers for their model lists. Raises StartError."""
        super().startService()
        raise_descriptor_limit()
        self._listen()
        for notice in self.config.notices:
            self._log.warn("{notice}", notice=str(notice))
        if any(provider.discover and provider.enabled for provider in self.config.providers):
            Deferred.fromCoroutine(self._begin_discovery()).addErrback(lambda f: self._log.failure("discovery failed", f))
        self._greet()

    def _listen(self) -> None:
        if self._ports:
            return
        try:
            for listen in self.config.listen:
                self._ports.append(self._open(listen))
                if not self.config.api_keys and not _is_local(self._ports[-1].getHost()):
                    raise StartError(f"{listen} can be reached from other hosts, and no client keys (api_keys) are set")
        except StartError as error:
            # Whoever runs the service may show nothing but a traceback.
            self._say(f"llmux cannot start: {error}")
            raise

    def _open(self, listen: str) -> IListeningPort:
        # All kinds of listeners that the configuration knows are there, or have failed, when the call returns.
        results: list[Any] = []
        try:
            serverFromString(self._services.reactor, with_backlog(listen)).listen(self.site).addBoth(results.append)
        except Exception as error:  # a certificate that is none, a socket that systemd did not pass: each type has its own
            raise StartError(f"{listen}: {describe(error)}") from None
        (result,) = results
        if isinstance(result, Failure):
            raise StartError(result.getErrorMessage().rstrip("."))
        port: IListeningPort = result
        return port

    def _greet(self) -> None:
        urls = [_url(listen, port.getHost()) for listen, port in zip(self.config.listen, self._ports, strict=True)]
        self._log.info("llmux {version} listens on {urls}", version=__version__, urls=", ".join(urls))
        self._say(f"llmux {__version__} listens on {', '.join(urls)}")
        if not self.config.api_keys:
            self._say("No client keys are set: only this host may call.")
        active = [provider for provider in self.config.providers if provider.enabled]
        if active and all(provider.scenario for provider in active):
            self._say("Everything is answered from a scenario; no provider is asked and no provider's key is needed.")
            model = next((_example(p.models) for p in active if "openai-chat" in p.dialects), None)
            if model is not None:
                self._say(f"Try:\n  {_curl(self._ports[0].getHost(), urls[0], model, bool(self.config.api_keys))}")

    async def _begin_discovery(self) -> None:
        """Ask once before the first request for a model is served, but not for longer than a start may take."""
        open_gate = self.app.hold()
        try:
            await self._ask_providers(self._discovering, _DISCOVERY_PATIENCE)
        finally:
            open_gate()
        self._discovery = LoopingCall(self._discover_again)
        self._discovery.clock = self._services.reactor
        self._discovery.start(_DISCOVERY_TICK, now=False)

    @property
    def _discovering(self) -> list[Provider]:
        return [provider for provider in self.config.providers if provider.enabled and provider.discover]

    def _discover_again(self) -> Deferred[None]:
        """Ask those whose list is old, and those that have not told any."""
        now = self._services.reactor.seconds()
        due = [p for p in self._discovering if now - self._discovered_at.get(p.name, 0.0) >= _DISCOVERY_INTERVAL]
        return self._ask_providers(due, _DISCOVERY_TICK / 2)

    def _ask_providers(self, providers: list[Provider], patience: float) -> Deferred[None]:
        self._asking = [Deferred.fromCoroutine(self._discover(provider, patience)) for provider in providers]
        return DeferredList(self._asking).addCallback(lambda _: None)

    async def _discover(self, provider: Provider, patience: float) -> None:
        asking = Deferred.fromCoroutine(discover(provider, self._services.pool))
        asking.addTimeout(patience, self._services.reactor)
        try:
            names = await asking
        except (DeferredTimeout, CancelledError):
            self._log.warn("provider {name}: its model list takes longer than {s:g} s", name=provider.name, s=patience)
            return
        if names is not None:
            self._discovered[provider.name] = names
            self._discovered_at[provider.name] = self._services.reactor.seconds()
            table, catalogue = routing(self.config, self._discovered)
            self.app.runtime = attrs.evolve(self.app.runtime, table=table, catalogue=catalogue)

    async def _drain(self) -> None:
        """Let what runs come to its end, for at most `drain` seconds."""
        reactor = self._services.reactor
        deadline = reactor.seconds() + self.config.drain
        self.site.drain()
        while self.site.channels and reactor.seconds() < deadline:
            await deferLater(reactor, _DRAIN_POLL)
        self._services.clock.end(Fault("overloaded", "llmux is shutting down"))
        while self.site.channels and reactor.seconds() < deadline + _LAST_WORDS:
            await deferLater(reactor, _DRAIN_POLL)  # their last words are on the way
        for channel in list(self.site.channels):
            channel.transport.abortConnection()
        await deferLater(reactor, 0)  # what was cut off is still to be booked

    def stopService(self) -> Deferred[None]:
        """Stop accepting, drain, then close what the running exchanges needed."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        if self._discovery is not None and self._discovery.running:
            self._discovery.stop()
        for asking in self._asking:
            asking.cancel()
        stopping: list[Deferred[Any]] = [d for d in (port.stopListening() for port in self._ports) if d is not None]
        await DeferredList(stopping)
        await self._drain()
        self._services.pool.close()
        self._services.clock.close()
        self._services.access_log.close()

    @property
    def reactor(self) -> Any:
        """The reactor that it runs on."""
        return self._services.reactor

    @property
    def addresses(self) -> list[IAddress]:
        """Where it listens."""
        return [port.getHost() for port in self._ports]


def with_backlog(listen: str) -> str:
    """An endpoint string whose queue holds a burst of clients; Twisted's own default of 50 makes the others wait seconds."""
    kind = listen.partition(":")[0]
    return f"{listen}:backlog={_BACKLOG}" if kind in ("tcp", "tcp6", "ssl", "tls") and "backlog=" not in listen else listen


def raise_descriptor_limit() -> None:
    """A stream takes two descriptors; the soft limit of 1024 would end at five hundred of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _is_local(address: Any) -> bool:
    host = getattr(address, "host", None)
    return True if host is None else is_loopback(host)


def _url(listen: str, address: Any) -> str:
    host = getattr(address, "host", None)
    if host is None:
        return f"unix:{_path(address)}"
    scheme = "https" if listen.startswith(("ssl:", "tls:")) else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{address.port}"


def _path(address: Any) -> str:
    return os.fsdecode(getattr(address, "name", b"") or b"")


def _example(models: tuple[str, ...]) -> str | None:
    """A model that a provider with this list answers."""
    if any(fnmatchcase("gpt-5", model) for model in models):
        return "gpt-5"
    return next((model for model in models if not set(model) & set("*?[")), None)


def _curl(address: Any, url: str, model: str, keyed: bool) -> str:
    place = url if hasattr(address, "host") else f"--unix-socket {_path(address)} http://llmux"
    key = " -H 'authorization: Bearer YOUR_CLIENT_KEY'" if keyed else ""
    body = f'{{"model":"{model}","messages":[{{"role":"user","content":"hello"}}]}}'
    return f"curl {place}/v1/chat/completions -H 'content-type: application/json'{key} -d '{body}'"
