"""The shape of the configuration: every word of the file, what it may hold, and what stands where it is absent.

To add a key, add one line to its section: `name: type = key(reader, default, doc="...")`. `later=True` marks what is
understood but not built yet. The readers of single values are in `values`, those of collections in `reader`.
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
from llmux.config.secrets import optional_secret, present_secret
from llmux.config.targets import Mapping, Route, Target, When, route
from llmux.config.translation import Translation
from llmux.config.values import boolean, choice, integer, path, seconds, text

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
    """What is logged, and how."""

    level: Level = key(
        choice(LEVELS),
        "info",
        doc="The least severe events to log. At `warn` and above, the line for each exchange is left out too.",
    )
    format: Format = key(choice(FORMATS), "text", doc="Readable lines, or one JSON object per line.")
    file: str | None = key(
        path,
        None,
        doc="The file to write the log to, instead of standard output. `SIGUSR1` reopens it. A relative path starts at the "
        "folder of the configuration file.",
        example="/var/log/llmux/llmux.log",
    )
    rotate: Rotation = key(choice(_ROTATIONS), "daily", doc="How often a new file is begun.", later=True)
    keep: int = key(integer(0), 14, doc="How many old files are kept.", later=True)


@attrs.frozen(kw_only=True)
class Cors:
    """The web pages that may call."""

    origins: tuple[str, ...] = key(
        each(text),
        (),
        doc="The origins that may call, or `*` for all. With none, browsers let no page of another site call.",
        example="[https://app.example]",
    )


@attrs.frozen(kw_only=True)
class Management:
    """The management API."""

    secret: str | None = key(
        optional_secret,
        None,
        doc="The key of the management API; without one, there is no such API.",
        example='"${LLMUX_MANAGEMENT_SECRET}"',
        secret=True,
    )
    allow_remote: bool = key(boolean, False, doc="Whether other hosts may use it.")


@attrs.frozen(kw_only=True)
class Metrics:
    """Who may read the metrics, and where."""

    public: bool = key(
        boolean, False, doc="Whether everybody may read `/metrics`. Otherwise only this host may, and whoever shows a client key."
    )
    listen: str | None = key(
        listen,
        None,
        doc="A separate listener that serves `/metrics` to whoever can reach it, without a key, and nothing else.",
        example='"tcp:8744:interface=127.0.0.1"',
    )


@attrs.frozen(kw_only=True)
class Config:
    """A whole configuration.

    `skipped` are the providers that cannot be used and why; they are not among `providers`, where those with
    `enabled: false` are. `path` is the main file (None: none was given), `files` are all that were read, in that order,
    `digest` is the SHA-256 of what they hold, put together, and `notices` is what should be said about them.
    `listen_marks` are the places of `listen`, one by one, and `metrics_mark` is that of `metrics.listen`.
    """

    listen: tuple[str, ...] = key(
        some(listen),
        (DEFAULT,),
        doc="Where to listen. `HOST` and `PORT` of the environment replace address and port of the first listener; sockets that "
        "systemd passes replace them all.",
    )
    api_keys: tuple[ClientKey, ...] = key(
        client_keys,
        (),
        doc="The keys that clients may show, in whatever place they usually do. Without any, everybody may call, so llmux then "
        "refuses to listen where other hosts can reach it.",
        example='["${LLMUX_KEY}"]',
    )
    drain: float = key(seconds, 30.0, doc="How long running exchanges may take to end when llmux stops. Then they are cut off.")
    limits: Limits = key(section(Limits), Limits(), doc="Limits on requests.")
    timeouts: Timeouts = key(shared(Timeouts), Timeouts(), doc="How long the parts of an exchange may take.")
    retry: Retry = key(
        shared(Retry, check_retry), Retry(), "retry", "global_retry", doc="How failed attempts are repeated.", later=True
    )
    translation: Translation = key(
        shared(Translation), Translation(), doc="How requests and answers are translated between dialects."
    )
    seal_keys: tuple[str, ...] = key(
        each(present_secret),
        (),
        doc="The keys that sign what a provider's model wants back unchanged (signatures of its thinking) while a client of "
        "another dialect keeps it. The first one signs, the others still open what they signed. Without any, a key is made at "
        "the first start and kept in the service's state folder; several hosts that answer the same clients need one in common.",
        example='["${LLMUX_SEAL_KEY}"]',
        secret=True,
    )
    breaker: Breaker = key(section(Breaker), Breaker(), doc="When a provider that fails is passed over.", later=True)
    cooldown: Cooldown = key(section(Cooldown), Cooldown(), doc="How long a provider's key rests after it failed.", later=True)
    affinity: Affinity = key(section(Affinity), Affinity(), doc="Whether a conversation stays with one provider.", later=True)
    log: Log = key(section(Log), Log(), doc="What is logged, and how.")
    cors: Cors = key(section(Cors), Cors(), doc="Which web pages may call.", later=True)
    management: Management = key(section(Management), Management(), doc="The management API.", later=True)
    metrics: Metrics = key(section(Metrics), Metrics(), doc="Who may read the metrics, and where.")
    providers: tuple[Provider, ...] = key(
        providers,
        (),
        doc="The services that can be asked, each under a name of your choice: letters, digits, `.`, `_` and `-`. The name "
        "shows in paths, logs and metrics. Without any provider, and without an Amp upstream, llmux answers from a built-in "
        "scenario.",
    )
    routes: tuple[Route, ...] = key(
        each(route), (), doc="Rules that say who answers what; the first that fits counts.", later=True
    )
    amp: Amp = key(amp, Amp(), "amp", "ampcode", doc="Amp, and its upstream ampcode.com.")
    endpoints: tuple[Endpoint, ...] = key(endpoints, (), doc="Additional paths, each passed on to a URL.", later=True)
    global_timeout: float | None = key(
        endpoint_seconds, None, doc="How many seconds an endpoint may take, unless it says itself.", example="30", later=True
    )
    include: tuple[str, ...] = key(
        each(text),
        (),
        doc="Further files to read, such as the `proxy_config.yaml` of an amp-server.",
        example="[proxy_config.yaml]",
        later=True,
    )
    skipped: tuple[tuple[str, str], ...] = ()
    path: str | None = None
    digest: str = ""
    notices: tuple[Notice, ...] = ()
    files: tuple[str, ...] = ()
    listen_marks: tuple[Mark, ...] = attrs.field(default=(BUILT_IN,), repr=False)
    metrics_mark: Mark = attrs.field(default=BUILT_IN, repr=False)

    @property
    def listeners(self) -> list[tuple[str, str, Mark]]:
        """All that is listened on: the key that says so, the endpoint string, and its place."""
        found = [("listen", written, where) for written, where in zip(self.listen, self.listen_marks, strict=True)]
        metrics = self.metrics.listen
        return found if metrics is None else [*found, ("metrics.listen", metrics, self.metrics_mark)]


root = section(Config)

__all__ = [
    "Affinity", "Amp", "Breaker", "ClientKey", "ClientUpstreamKey", "Config", "Cooldown", "Cors", "Credential", "Endpoint",
    "Limits", "Log", "Management", "Mapping", "Metrics", "Notice", "OAuth", "PerKey", "Provider", "Retry", "Route", "Target",
    "Timeouts", "Translation", "When", "root",
]  # fmt: skip
