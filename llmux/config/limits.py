"""Sections of numbers: clocks, limits, and what is done about failures."""

from __future__ import annotations

import attrs

from llmux.config.nodes import Node
from llmux.config.reader import key, section
from llmux.config.values import boolean, integer, number, patience, seconds, size, text


@attrs.frozen(kw_only=True)
class Timeouts:
    """All in seconds: until connected, until the first event, between events, for the whole; and how long a head is held."""

    connect: float = key(patience, 10.0)
    first_event: float = key(patience, 120.0)
    idle: float = key(patience, 60.0)
    total: float = key(patience, 900.0)
    hold: float = key(seconds, 1.0, later=True)


@attrs.frozen(kw_only=True)
class Retry:
    """How often and how patiently a failed attempt is repeated. `budget`: the part of all requests that may be repeats."""

    max_attempts: int = key(integer(1, 10), 3)
    base_delay_ms: int = key(integer(1, 60_000), 100)
    max_delay_ms: int = key(integer(1, 600_000), 10_000)
    backoff_multiplier: float = key(number(1, 10), 2.0)
    budget: float = key(number(0, 1), 0.2)


def check_retry(node: Node, retry: Retry) -> None:
    """The longest delay is not below the first one."""
    if retry.max_delay_ms < retry.base_delay_ms:
        node.blame(f"max_delay_ms ({retry.max_delay_ms}) must not be below base_delay_ms ({retry.base_delay_ms})")


@attrs.frozen(kw_only=True)
class Breaker:
    """`failures` in a row open it; after `open` seconds one attempt probes."""

    failures: int = key(integer(1), 5)
    open: float = key(seconds, 30.0)


@attrs.frozen(kw_only=True)
class Cooldown:
    """Seconds that a credential rests after a failure: from `base`, doubling, up to `max`, which caps a provider's own hint."""

    base: float = key(seconds, 1.0)
    max: float = key(seconds, 300.0)


@attrs.frozen(kw_only=True)
class Affinity:
    """Whether a conversation stays with its provider, and for how many seconds."""

    enabled: bool = key(boolean, True)
    ttl: float = key(seconds, 3600.0)


@attrs.frozen(kw_only=True)
class PerKey:
    """What each client key may use: streams at once, requests a minute, tokens a minute."""

    streams: int | None = key(integer(1), None)
    rpm: int | None = key(integer(1), None)
    tpm: int | None = key(integer(1), None)


@attrs.frozen(kw_only=True)
class Limits:
    """`body`: the longest request body, in bytes. `in_flight`: exchanges at once. `store`: where shared counts are kept."""

    body: int = key(size, 32 * 1024 * 1024)
    in_flight: int | None = key(integer(1), None, later=True)
    per_key: PerKey = key(section(PerKey), PerKey(), later=True)
    store: str | None = key(text, None, later=True)
