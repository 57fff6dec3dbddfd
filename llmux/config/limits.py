"""Sections of numbers: clocks, limits, and what is done about failures."""

from __future__ import annotations

import attrs

from llmux.config.nodes import Node
from llmux.config.reader import key, section
from llmux.config.values import boolean, integer, number, patience, seconds, size, text


@attrs.frozen(kw_only=True)
class Timeouts:
    """The clocks of an exchange, all in seconds."""

    connect: float = key(patience, 10.0, doc="How long it may take to connect to a provider.")
    first_event: float = key(
        patience, 120.0, doc="How long a provider may take from the request to the first bytes of its answer."
    )
    idle: float = key(
        patience,
        60.0,
        doc="How long a provider may be silent within its answer. While the client reads slowly, this clock stands still.",
    )
    total: float = key(patience, 900.0, doc="How long an exchange may take as a whole, all attempts included.")
    hold: float = key(
        seconds,
        1.0,
        doc="How long the opening events of an answer are held back while they say nothing yet. Until they leave, another "
        "provider can still be asked.",
        later=True,
    )


@attrs.frozen(kw_only=True)
class Retry:
    """How often and how patiently a failed attempt is repeated."""

    max_attempts: int = key(integer(1, 10), 3, doc="How often a provider is asked for one request, the first attempt included.")
    base_delay_ms: int = key(
        integer(1, 60_000),
        100,
        doc="Milliseconds before the second attempt, of which a random part, up to half, is left out.",
    )
    max_delay_ms: int = key(integer(1, 600_000), 10_000, doc="The longest delay in milliseconds, whatever the provider asks for.")
    backoff_multiplier: float = key(number(1, 10), 2.0, doc="The factor by which the delay grows from one attempt to the next.")
    budget: float = key(
        number(0, 1),
        0.2,
        doc="The share of recent requests that may be repeats (0.2 is one in five). Beyond it, failed attempts are not repeated.",
    )


def check_retry(node: Node, retry: Retry) -> None:
    """The longest delay is not below the first one."""
    if retry.max_delay_ms < retry.base_delay_ms:
        node.blame(f"max_delay_ms ({retry.max_delay_ms}) must not be below base_delay_ms ({retry.base_delay_ms})")


@attrs.frozen(kw_only=True)
class Breaker:
    """What keeps requests from a provider that fails."""

    failures: int = key(integer(1), 5, doc="After how many failures in a row a provider is passed over.")
    open: float = key(seconds, 30.0, doc="For how long it is passed over. Then a single request tests whether it works again.")


@attrs.frozen(kw_only=True)
class Cooldown:
    """How long a credential rests after a failure."""

    base: float = key(seconds, 1.0, doc="How long a key rests after its first failure. The time doubles with each further one.")
    max: float = key(seconds, 300.0, doc="How long it rests at most. A longer time that the provider asks for is cut to this.")


@attrs.frozen(kw_only=True)
class Affinity:
    """Whether a conversation stays with its provider."""

    enabled: bool = key(
        boolean,
        True,
        doc="Whether a conversation stays with the provider and the key that answered it, so that prompt caches stay warm.",
    )
    ttl: float = key(seconds, 3600.0, doc="How long a conversation is remembered after its last request.")


@attrs.frozen(kw_only=True)
class PerKey:
    """What each client key may use."""

    streams: int | None = key(
        integer(1), None, doc="How many answers may stream to one client key at a time. Without it, any number.", example="100"
    )
    rpm: int | None = key(
        integer(1), None, doc="How many requests a minute one client key may make. Without it, any number.", example="600"
    )
    tpm: int | None = key(
        integer(1), None, doc="How many tokens a minute one client key may use. Without it, any number.", example="1000000"
    )


@attrs.frozen(kw_only=True)
class Limits:
    """What requests may take."""

    body: int = key(size, 32 * 1024 * 1024, doc="The longest body that a request may have; a longer one is refused with 413.")
    in_flight: int | None = key(
        integer(1),
        None,
        doc="How many exchanges may run at a time. Without it, only the number of file descriptors limits them.",
        example="2000",
        later=True,
    )
    per_key: PerKey = key(
        section(PerKey), PerKey(), doc="What each client key may use, so that none uses up everything.", later=True
    )
    store: str | None = key(
        text,
        None,
        doc="Where several processes keep their counts together. Without it, each process counts for itself.",
        example="redis://127.0.0.1",
        later=True,
    )
