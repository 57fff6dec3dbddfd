"""What providers say they serve: their own model lists, asked for those with `discover: true`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import attrs
from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.defer import TimeoutError as DeferredTimeout
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from llmux.config.problems import Mark
from llmux.config.schema import Provider
from llmux.dialects.registry import DIALECTS
from llmux.errors import Fault
from llmux.net.agent import PooledAgent, http_client
from llmux.net.pool import Pool

_log = Logger("llmux.discovery")

# A list longer than this many pages is no list of models.
_MOST_PAGES = 20
# Seconds between two looks at a provider's list.
_INTERVAL = 3600.0
# Seconds between two looks at whether one is due; one that could not be had is due at once.
_TICK = 60.0


class Discovery:
    """Keeps the lists of providers. `learned()` is called when there is a new one."""

    def __init__(self, pool: Pool, reactor: Any, learned: Callable[[], None]) -> None:
        self._pool = pool
        self._reactor = reactor
        self._learned = learned
        # By the provider as it is configured, so that one that has changed is asked anew.
        self._told: dict[Provider, tuple[float, tuple[str, ...]]] = {}
        self._asking: list[Deferred[None]] = []
        self._looking: LoopingCall | None = None

    def names(self, providers: Iterable[Provider]) -> dict[str, tuple[str, ...]]:
        """What these have told, by their names."""
        return {each.name: self._told[_same(each)][1] for each in providers if _same(each) in self._told}

    async def ask(self, providers: Iterable[Provider], patience: float) -> None:
        """Ask those whose list is old, or not there yet, and wait for them, but not longer than so many seconds."""
        now = self._reactor.seconds()
        due = [each for each in _asked(providers) if now - self._told.get(_same(each), (-_INTERVAL,))[0] >= _INTERVAL]
        asking = [Deferred.fromCoroutine(self._ask(provider, patience)) for provider in due]
        self._asking = [*(each for each in self._asking if not each.called), *asking]
        await DeferredList(asking)

    def watch(self, providers: Iterable[Provider]) -> None:
        """From now on, ask these every now and then, and forget all others."""
        self.stop()
        watched = _asked(providers)
        self._told = {_same(each): self._told[_same(each)] for each in watched if _same(each) in self._told}
        if watched:
            self._looking = LoopingCall(lambda: Deferred.fromCoroutine(self.ask(watched, _TICK / 2)))
            self._looking.clock = self._reactor
            self._looking.start(_TICK, now=False)

    def stop(self) -> None:
        """Ask nobody any more."""
        if self._looking is not None and self._looking.running:
            self._looking.stop()
        for asking in self._asking:
            asking.cancel()

    async def _ask(self, provider: Provider, patience: float) -> None:
        asking = Deferred.fromCoroutine(discover(provider, self._pool))
        asking.addTimeout(patience, self._reactor)
        try:
            names = await asking
        except DeferredTimeout:
            _log.warn("provider {name}: its model list takes longer than {s:g} s", name=provider.name, s=patience)
            return
        except CancelledError:
            return  # nobody waits for it any more
        if names is not None:
            self._told[_same(provider)] = (self._reactor.seconds(), names)
            self._learned()


def _asked(providers: Iterable[Provider]) -> list[Provider]:
    return [provider for provider in providers if provider.enabled and provider.discover]


def _same(provider: Provider) -> Provider:
    """A provider wherever it stands in its file."""
    return attrs.evolve(provider, where=Mark(""))


async def discover(provider: Provider, pool: Pool) -> tuple[str, ...] | None:
    """The names in a provider's model list, or None where it could not be read; the reason is logged."""
    try:
        return tuple(await _list(provider, pool))
    except CancelledError:
        raise  # it was not the provider's fault, or its time is over
    except Exception as error:  # a list that cannot be had must not stop the daemon
        _log.warn("provider {name}: its model list could not be read: {why}", name=provider.name, why=_why(error))
        return None


async def _list(provider: Provider, pool: Pool) -> list[str]:
    agent = PooledAgent(pool, provider.timeouts.connect)
    client = http_client(agent)
    dialect = DIALECTS[provider.dialects[0]]
    headers: dict[Any, Any] = dict(provider.headers)
    reactor: Any = object()  # treq wants one for a timeout that is not used
    if provider.credentials:
        name, value = dialect.credential(provider.credentials[0].value)
        headers[name.decode()] = value.decode()
    path = "/models"
    if dialect.family == "anthropic":
        headers["anthropic-version"] = "2023-06-01"
        path = "/v1/models"
    elif dialect.family == "gemini":
        path = "/v1beta/models"
    url, params = f"{provider.base_url}{path}", dict[str, str]()
    names: list[str] = []
    for _ in range(_MOST_PAGES):
        response: Any = await client.get(url, headers=headers, params=params, allow_redirects=False, reactor=reactor)
        document = await response.json()
        if response.code != 200:
            raise ValueError(f"it answered with status {response.code}")
        names += _names(document, "models" if dialect.family == "gemini" else "data")
        if document.get("nextPageToken"):
            params = {"pageToken": document["nextPageToken"]}
        elif document.get("has_more") and document.get("last_id"):
            params = {"after_id": document["last_id"]}
        else:
            break
    return names


def _names(document: Any, member: str) -> list[str]:
    rows = document.get(member) if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise ValueError("it is no list of models")
    found = [(row.get("name") if member == "models" else row.get("id")) for row in rows if isinstance(row, dict)]
    return [name.removeprefix("models/") for name in found if isinstance(name, str) and name]


def _why(error: Exception) -> str:
    # A provider's words might repeat the key; our own faults and the kind of error say enough.
    return error.message if isinstance(error, Fault) else type(error).__name__
