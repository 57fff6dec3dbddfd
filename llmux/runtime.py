"""From a configuration to what serves: built whole, and only then used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import attrs

from llmux import __version__
from llmux.accesslog import AccessLog, LoggedLines
from llmux.amp.control_plane import ControlPlane
from llmux.amp.threads import Threads
from llmux.config import Config, ConfigError, Problem
from llmux.config.schema import Provider as ProviderConfig
from llmux.config.schema import Timeouts, Translation
from llmux.credentials.amp import AmpSecrets
from llmux.credentials.sealing import kept_key
from llmux.dialects.context import Options
from llmux.dialects.seals import Seals
from llmux.dialects.vault import Vault
from llmux.executors.base import Executor
from llmux.executors.http import HTTPProvider
from llmux.executors.playback import Playback, read_scenarios
from llmux.executors.upstream import AmpUpstream
from llmux.metrics import Metrics
from llmux.net.clocks import Clock
from llmux.net.pool import Pool
from llmux.routing.mapping import Mapping as Rule
from llmux.routing.mapping import Target
from llmux.routing.table import Entry, RouteTable, compile_entry, compile_table
from llmux.scenario.model import Scenario, ScenarioError
from llmux.web.auth import Keyring
from llmux.web.catalogue import Catalogue, Model
from llmux.web.runtime import Amp, Limits, Provider, Runtime


@attrs.define
class Services:
    """What outlives a configuration: the reactor's clock, the connections, the counters, what clients may lose. `seal_key` signs
    where the configuration names no key; `seal_key_is_new` says why it will not outlive this process ("": it will)."""

    reactor: Any
    environ: Mapping[str, str]
    pool: Pool
    clock: Clock
    metrics: Metrics
    access_log: AccessLog
    threads: Threads
    started: float
    vault: Vault
    seal_key: bytes = attrs.field(repr=False)
    seal_key_is_new: str = ""


def services(reactor: Any, environ: Mapping[str, str], access_log: AccessLog | None = None) -> Services:
    """Make them."""
    pool = Pool(reactor)
    metrics = Metrics(__version__)
    metrics.watch_connections(pool.counts)
    lines = access_log or LoggedLines()
    seal_key, seal_key_is_new = kept_key(environ)
    return Services(
        reactor,
        environ,
        pool,
        Clock(reactor),
        metrics,
        lines,
        Threads(),
        reactor.seconds(),
        Vault(reactor.seconds),
        seal_key,
        seal_key_is_new,
    )


def build(config: Config, services: Services, before: Runtime | None = None) -> Runtime:
    """The snapshot for a configuration. Raises ConfigError where a scenario does not load.

    `before`: the snapshot that it takes the place of. What providers' own model lists say comes later (`routing`).
    """
    upstream = _upstream(config, services)
    amp = config.amp
    plane = amp.control_plane if amp.control_plane != "auto" else ("upstream" if upstream is not None else "local")
    table, catalogue = routing(config, {})
    scripts = scenarios(config)
    providers = {
        provider.name: Provider(
            provider.name,
            _executor(provider, services, scripts, before),
            _limits(provider.timeouts),
            _options(provider.translation),
        )
        for provider in config.providers
        if provider.enabled
    }
    return Runtime(
        table=table,
        providers=providers,
        limits=_limits(config.timeouts),
        keyring=Keyring(config.api_keys),
        catalogue=catalogue,
        amp=Amp(
            upstream=upstream,
            plane=cast(Any, plane),
            control_plane=ControlPlane(amp.user, services.threads),
            redirect_pages=amp.browser_pages == "redirect",
            local_only=amp.restrict_management_to_localhost,
        ),
        metrics=services.metrics,
        metrics_public=config.metrics.public,
        access_log=services.access_log,
        debug=config.log.level == "debug",
        clock=services.clock,
        version=__version__,
        started=services.started,
        seals=Seals(tuple(key.encode() for key in config.seal_keys) or (services.seal_key,)),
        vault=services.vault,
        keys=tuple(secret for provider in providers.values() for secret in provider.executor.secrets()),
    )


def routing(config: Config, discovered: Mapping[str, tuple[str, ...]]) -> tuple[RouteTable, Catalogue]:
    """What routing decides from, and what is listed. `discovered`: what providers' own model lists said, by provider."""
    entries: list[Entry] = []
    models: list[Model] = []
    for provider in config.providers:
        if provider.enabled:
            told = discovered.get(provider.name, ())
            names = (*provider.models, *told)
            entry = compile_entry(provider.name, provider.dialects, provider.models, len(provider.credentials), told)
            entries.append(entry)
            models += [Model(name, provider.name) for name in dict.fromkeys(names) if name in entry.names]
    mappings = config.amp.model_mappings
    rules = tuple(
        Rule(rule.source, tuple(Target(target.model, target.provider) for target in rule.targets), rule.regex)
        for rule in mappings
    )
    table = compile_table(entries, rules, bool(config.amp.upstream_url), config.amp.prioritize_model_mappings)
    pairs = ((rule.source, target.model) for rule in mappings for target in rule.targets[:1])
    return table, Catalogue(models, (entry.name for entry in entries), pairs)


def scenarios(config: Config) -> dict[str, tuple[Scenario, ...]]:
    """The scenarios of every playback provider. Raises ConfigError naming all that do not load."""
    found: dict[str, tuple[Scenario, ...]] = {}
    problems: list[Problem] = []
    for provider in config.providers:
        if provider.enabled and provider.scenario is not None:
            try:
                found[provider.name] = read_scenarios(provider.scenario)
            except ScenarioError as error:
                problems.append(Problem(provider.where, f"providers.{provider.name}.scenario", str(error)))
    if problems:
        raise ConfigError(problems)
    return found


def _executor(
    provider: ProviderConfig, services: Services, scripts: Mapping[str, tuple[Scenario, ...]], before: Runtime | None
) -> Executor:
    if provider.scenario is not None:
        script = scripts[provider.name]
        playing = before.providers.get(provider.name) if before is not None else None
        if playing is not None and isinstance(playing.executor, Playback) and playing.executor.plays(script, provider.speed):
            return playing.executor  # whose performances go on where they are
        return Playback(script, services.reactor, speed=provider.speed)
    keys = tuple(credential.value for credential in provider.credentials)
    assert provider.base_url is not None
    return HTTPProvider(provider.name, provider.base_url, keys, provider.headers, services.pool)


def _upstream(config: Config, services: Services) -> AmpUpstream | None:
    amp = config.amp
    if not amp.upstream_url:
        return None
    per_client = {key: row.upstream_api_key for row in reversed(amp.upstream_api_keys) for key in row.api_keys}
    secrets = AmpSecrets(amp.upstream_api_key, per_client, services.environ, services.reactor.seconds)
    return AmpUpstream(amp.upstream_url, services.pool, secrets)


def _options(translation: Translation) -> Options:
    return Options(
        strict=translation.strict,
        hosted_tools=translation.hosted_tools,
        repair=translation.repair,
        forced_vs_thinking=translation.forced_vs_thinking,
        schema_form=translation.schemas,
        max_tokens=translation.max_tokens,
        compatible=translation.compatible,
    )


def _limits(timeouts: Timeouts) -> Limits:
    return Limits(timeouts.connect, timeouts.first_event, timeouts.idle, timeouts.total)
