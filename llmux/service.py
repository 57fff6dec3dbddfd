"""The daemon as a service: listen, serve, read its configuration again, and stop in phases that do not pull the floor from
under each other."""

from __future__ import annotations

import resource
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import attrs
from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.task import deferLater
from twisted.logger import Logger

from llmux import __version__
from llmux.config import Config
from llmux.discovery import Discovery
from llmux.errors import Fault
from llmux.listening import Listeners, StartError, Wanted, unix_path, url
from llmux.net.express import ExpressSite
from llmux.net.front import FrontSite
from llmux.reload import Reloader
from llmux.runtime import Services, build, routing
from llmux.systemd import Handed, Notifier
from llmux.web.app import App

# Seconds that the first requests, and a reload, wait for providers' own model lists.
_DISCOVERY_PATIENCE = 5.0
_DRAIN_POLL = 0.05
# Seconds in which a client may still send what it was about to send when the drain began.
_GRACE = 0.3
_LAST_WORDS = 1.0
# Seconds beyond the drain that the rest of a stop may take; said to whoever supervises.
_STOP_MARGIN = 10.0


class LlmuxService(Service):
    """Serves a configuration. `say(line)` is told what a person at the terminal wants to know.

    `read` reads the configuration again, for a reload; it raises ConfigError. `handed` are sockets passed to the process.
    """

    _log = Logger()

    def __init__(
        self,
        config: Config,
        services: Services,
        say: Callable[[str], None],
        read: Callable[[], Config] | None = None,
        handed: Sequence[Handed] = (),
    ) -> None:
        self.config = config
        self._services = services
        self._say = say
        self._read = read
        self._manager = Notifier(services.environ)
        self._listeners = Listeners(services.reactor, handed)
        self._discovery = Discovery(services.pool, services.reactor, self._learned)
        self._reloader = Reloader(read or self._unreadable, self._adopt)
        self.app = app = App(build(config, services))
        clock, body = services.reactor, config.limits.body
        self.site = ExpressSite(app.resource, clock, app.refuse, body, app.express, app.serve_express)
        self._metrics_site = FrontSite(app.metrics_resource, clock, app.refuse, body)

    # the start

    def privilegedStartService(self) -> None:
        """Listen while the process may still use any port."""
        super().privilegedStartService()
        self._listen()

    def startService(self) -> None:
        """Listen, say so, and begin to ask providers for their model lists. Raises StartError."""
        super().startService()
        raise_descriptor_limit()
        self._listen()
        self._in_effect("llmux {version} {status}")
        Deferred.fromCoroutine(self._begin_discovery()).addErrback(lambda f: self._log.failure("discovery failed", f))
        self._greet()
        self._services.reactor.callWhenRunning(self._begin)

    def _begin(self) -> None:
        """The loop turns: what is listened on is served."""
        if self.running:
            self._manager.ready(self._status())
            self._manager.feed_watchdog(self._services.reactor)

    def _listen(self) -> None:
        try:
            self._listeners.open(self._wanted(self.config), bool(self.config.api_keys))
        except StartError as error:
            # Whoever runs the service may show nothing but a traceback.
            self._say(f"llmux cannot start: {error}")
            raise

    def _wanted(self, config: Config) -> list[Wanted]:
        listen = config.listen
        wanted = [Wanted(each, self.site, nth=listen[:index].count(each)) for index, each in enumerate(listen)]
        if config.metrics.listen is not None:
            wanted.append(Wanted(config.metrics.listen, self._metrics_site, public=True))
        return wanted

    def _in_effect(self, words: str) -> None:
        """Tell the log and the metrics which configuration runs from now on."""
        self._log.info(words, version=__version__, status=self._status())
        for notice in self.config.notices:
            self._log.warn("{notice}", notice=str(notice))
        if self._services.seal_key_is_new and not self.config.seal_keys:
            why = self._services.seal_key_is_new
            self._log.warn("no seal_keys are set, and none can be kept: {why}. Seals will not outlive this process", why=why)
        for socket in self._listeners.neglected:
            self._log.warn("socket {socket} was passed to this process, and nothing listens on it", socket=socket)
        self._services.metrics.loaded(self.config.digest[:12], self._services.reactor.seconds())

    def _greet(self) -> None:
        urls = self._urls()
        self._say(f"llmux {__version__} listens on {', '.join(urls)}")
        if not self.config.api_keys:
            self._say("No client keys are set: only this host may call.")
        active = [provider for provider in self.config.providers if provider.enabled]
        if active and all(provider.scenario for provider in active):
            self._say("Everything is answered from a scenario; no provider is asked and no provider's key is needed.")
            model = next((_example(p.models) for p in active if "openai-chat" in p.dialects), None)
            if model is not None:
                self._say(f"Try:\n  {_curl(self.addresses[0], urls[0], model, bool(self.config.api_keys))}")

    def _urls(self) -> list[str]:
        return [url(each.endpoint, address) for each, address in self._listeners.addresses if each.site is self.site]

    def _status(self) -> str:
        names = [provider.name for provider in self.config.providers if provider.enabled]
        return f"listens on {', '.join(self._urls())}; providers: {', '.join(names) or 'none'}"

    # what providers serve

    async def _begin_discovery(self) -> None:
        """Ask once before the first request for a model is served, but not for longer than a start may take."""
        if any(provider.discover and provider.enabled for provider in self.config.providers):
            open_gate = self.app.hold()
            try:
                await self._discovery.ask(self.config.providers, _DISCOVERY_PATIENCE)
            finally:
                open_gate()
        if self.running:
            self._discovery.watch(self.config.providers)

    def _learned(self) -> None:
        table, catalogue = routing(self.config, self._discovery.names(self.config.providers))
        self.app.runtime = attrs.evolve(self.app.runtime, table=table, catalogue=catalogue)

    # the reload

    async def reload(self) -> None:
        """Read the configuration again and serve it, if it is good; else say why not, and go on with what was.

        What runs keeps the configuration that it began with.
        """
        if not self.running:
            self._log.info("it stops: nothing is read again")
            return
        self._manager.reloading()
        refusal = await self._reloader.reload()
        if refusal is None:
            return
        self._services.metrics.reloaded(not refusal)
        if self.running:
            self._manager.ready(f"{self._status()}; {refusal}" if refusal else self._status())

    async def _adopt(self, config: Config) -> None:
        """Let a configuration take the place of the one that runs. Raises what stands against it; then nothing has changed."""
        runtime = build(config, self._services, before=self.app.runtime)
        make_changes = self.prepare(config)
        await self._discovery.ask(config.providers, _DISCOVERY_PATIENCE)
        settle = await self._listeners.change(self._wanted(config), bool(config.api_keys)) if self.running else None
        if settle is None or not self.running:
            await self._listeners.stop()  # the end came in between
            return
        # From here on nothing fails.
        table, catalogue = routing(config, self._discovery.names(config.providers))
        self.config = config
        self.app.runtime = attrs.evolve(runtime, table=table, catalogue=catalogue)
        self.site.body_limit = config.limits.body
        closing = settle()
        for site in (self.site, self._metrics_site):
            site.leave(self._listeners.cover)
        self._discovery.watch(config.providers)
        make_changes()
        await closing
        self._in_effect("the configuration was read again: {status}")

    @staticmethod
    def _unreadable() -> Config:
        raise StartError("there is no configuration file to read again")

    def prepare(self, config: Config) -> Callable[[], None]:
        """Do what may fail (OSError) of the change to another configuration; return what makes it."""
        return lambda: None

    # the end

    def stopService(self) -> Deferred[None]:
        """Stop accepting, drain, then close what the running exchanges needed."""
        super().stopService()
        return Deferred.fromCoroutine(self._stop())

    async def _stop(self) -> None:
        self._manager.stopping(self.config.drain + _STOP_MARGIN, f"what runs may finish, for {self.config.drain:g} s at most")
        self._discovery.stop()
        await self._listeners.stop()
        await self._drain()
        self._services.pool.close()
        self._services.clock.close()
        self._services.access_log.close()
        self._manager.close()

    async def _drain(self) -> None:
        """Let what runs come to its end, for at most `drain` seconds."""
        reactor, sites = self._services.reactor, (self.site, self._metrics_site)
        began = reactor.seconds()
        for site in sites:
            site.drain()
        while self._channels and reactor.seconds() < began + self.config.drain:
            for site in sites:
                site.close_idle(_GRACE)
            await deferLater(reactor, _DRAIN_POLL)
        self._services.clock.end(Fault("overloaded", "llmux is shutting down"))
        while self._channels and reactor.seconds() < began + self.config.drain + _LAST_WORDS:
            await deferLater(reactor, _DRAIN_POLL)  # their last words are on the way
        for channel in self._channels:
            channel.transport.abortConnection()
        await deferLater(reactor, 0)  # what was cut off is still to be booked

    @property
    def _channels(self) -> list[Any]:
        return [*self.site.channels, *self._metrics_site.channels]

    @property
    def reactor(self) -> Any:
        """The reactor that it runs on."""
        return self._services.reactor

    @property
    def addresses(self) -> list[IAddress]:
        """Where it listens."""
        return [address for each, address in self._listeners.addresses if each.site is self.site]

    @property
    def metrics_address(self) -> IAddress | None:
        """Where it listens for nobody but Prometheus."""
        return next((address for each, address in self._listeners.addresses if each.site is self._metrics_site), None)


def raise_descriptor_limit() -> None:
    """A stream takes two descriptors; the soft limit of 1024 would end at five hundred of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _example(models: tuple[str, ...]) -> str | None:
    """A model that a provider with this list answers."""
    if any(fnmatchcase("gpt-5", model) for model in models):
        return "gpt-5"
    return next((model for model in models if not set(model) & set("*?[")), None)


def _curl(address: Any, url: str, model: str, keyed: bool) -> str:
    place = url if hasattr(address, "host") else f"--unix-socket {unix_path(address)} http://llmux"
    key = " -H 'authorization: Bearer YOUR_CLIENT_KEY'" if keyed else ""
    body = f'{{"model":"{model}","messages":[{{"role":"user","content":"hello"}}]}}'
    return f"curl {place}/v1/chat/completions -H 'content-type: application/json'{key} -d '{body}'"
