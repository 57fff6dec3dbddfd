"""The shape of the configuration: every word of the file, what it may hold, and what stands where it is absent.

To add a key, add one line to its section: `name: type = key(reader, default)`. `later=True` marks what is understood but
not built yet. The readers of single values are in `values`, those of collections in `reader`.
"""

from __future__ import annotations

from typing import Literal

import attrs

from llmux.config.amp import Amp, ClientUpstreamKey, amp
from llmux.config.endpoints import Endpoint, endpoint_seconds, endpoints
from llmux.config.keys import ClientKey, Credential, client_keys
from llmux.config.limits import Affinity, Breaker, Cooldown, Limits, PerKey, Retry, Timeouts, check_retry
from llmux.config.listen import DEFAULT, listen
from llmux.config.problems import BUILT_IN, Mark, Notice
from llmux.config.providers import OAuth, Provider, providers
from llmux.config.reader import each, key, section, shared, some
from llmux.config.secrets import optional_secret
from llmux.config.targets import Mapping, Route, Target, When, route
from llmux.config.values import boolean, choice, integer, seconds, text

Level = Literal["debug", "info", "warn", "error", "critical"]
Format = Literal["text", "json"]
Rotation = Literal["never", "hourly", "daily", "weekly"]

LEVELS: dict[str, Level] = {
    "debug": "debug", "info": "info", "warn": "warn", "warning": "warn", "error": "error", "critical": "critical",
}  # fmt: skip
FORMATS: dict[str, Format] = {"text": "text", "json": "json"}
_ROTATIONS: dict[str, Rotation] = {"never": "never", "hourly": "hourly", "daily": "daily", "weekly": "weekly"}


@attrs.frozen(kw_only=True)
class Log:
    """What is logged, and how. `keep`: how many rotated files stay."""

    level: Level = key(choice(LEVELS), "info")
    format: Format = key(choice(FORMATS), "text")
    file: str | None = key(text, None)
    rotate: Rotation = key(choice(_ROTATIONS), "daily", later=True)
    keep: int = key(integer(0), 14, later=True)


@attrs.frozen(kw_only=True)
class Cors:
    """The web pages that may call, by origin (`https://host`), or `*`."""

    origins: tuple[str, ...] = key(each(text), ())


@attrs.frozen(kw_only=True)
class Management:
    """The management API: its key, and whether other hosts may use it."""

    secret: str | None = key(optional_secret, None, secret=True)
    allow_remote: bool = key(boolean, False)


@attrs.frozen(kw_only=True)
class Metrics:
    """Whether everybody may read the metrics, and an endpoint string of their own."""

    public: bool = key(boolean, False)
    listen: str | None = key(listen, None)


@attrs.frozen(kw_only=True)
class Translation:
    """`strict`: what a translation cannot carry is refused, and not dropped with a note."""

    strict: bool = key(boolean, False)


@attrs.frozen(kw_only=True)
class Config:
    """A whole configuration.

    `skipped` are the providers that cannot be used and why; they are not among `providers`, where those with
    `enabled: false` are. `path` is the main file (None: none was given), `files` are all that were read, in that order,
    `digest` is the SHA-256 of what they hold, put together, and `notices` is what should be said about them.
    `listen_marks` are the places of `listen`, one by one, and `metrics_mark` is that of `metrics.listen`.
    """

    listen: tuple[str, ...] = key(some(listen), (DEFAULT,))
    api_keys: tuple[ClientKey, ...] = key(client_keys, ())
    drain: float = key(seconds, 30.0)
    limits: Limits = key(section(Limits), Limits())
    timeouts: Timeouts = key(shared(Timeouts), Timeouts())
    retry: Retry = key(shared(Retry, check_retry), Retry(), "retry", "global_retry", later=True)
    breaker: Breaker = key(section(Breaker), Breaker(), later=True)
    cooldown: Cooldown = key(section(Cooldown), Cooldown(), later=True)
    affinity: Affinity = key(section(Affinity), Affinity(), later=True)
    log: Log = key(section(Log), Log())
    cors: Cors = key(section(Cors), Cors(), later=True)
    management: Management = key(section(Management), Management(), later=True)
    metrics: Metrics = key(section(Metrics), Metrics())
    providers: tuple[Provider, ...] = key(providers, ())
    routes: tuple[Route, ...] = key(each(route), (), later=True)
    amp: Amp = key(amp, Amp(), "amp", "ampcode")
    endpoints: tuple[Endpoint, ...] = key(endpoints, (), later=True)
    global_timeout: float | None = key(endpoint_seconds, None, later=True)
    include: tuple[str, ...] = key(each(text), (), later=True)
    translation: Translation = key(section(Translation), Translation(), later=True)
    skipped: tuple[tuple[str, str], ...] = ()
    path: str | None = None
    digest: str = ""
    notices: tuple[Notice, ...] = ()
    files: tuple[str, ...] = ()
    listen_marks: tuple[Mark, ...] = attrs.field(default=(BUILT_IN,), repr=False)
    metrics_mark: Mark = attrs.field(default=BUILT_IN, repr=False)

    @property
    def strict_translation(self) -> bool:
        return self.translation.strict


root = section(Config)

__all__ = [
    "Affinity", "Amp", "Breaker", "ClientKey", "ClientUpstreamKey", "Config", "Cooldown", "Cors", "Credential", "Endpoint",
    "Limits", "Log", "Management", "Mapping", "Metrics", "Notice", "OAuth", "PerKey", "Provider", "Retry", "Route", "Target",
    "Timeouts", "Translation", "When", "root",
]  # fmt: skip
