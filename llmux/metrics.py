"""What Prometheus is told. Every object lives on a registry of its own, and no label holds free text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

# The fields by which losses are counted; whatever else a client invents is one of the others.
_FIELDS = frozenset(
    "cache_control contents frequency_penalty generationConfig include input instructions logit_bias logprobs max_tokens "
    "messages metadata parallel_tool_calls prediction presence_penalty prompt_cache_key reasoning reasoning_effort "
    "response_format safetySettings seed service_tier stop store stream_options system systemInstruction temperature text "
    "thinking tool_choice toolConfig tools top_k top_logprobs top_p truncation user verbosity".split()
)
# Answers take milliseconds (a refusal) to minutes (a long generation).
_DURATIONS = (0.005, 0.05, 0.25, 1.0, 2.5, 10.0, 60.0, 300.0)


class Metrics:
    """The counters, gauges and histograms of one process."""

    def __init__(self, version: str) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        Gauge("llmux_build_info", "The version that runs", ["version"], registry=registry).labels(version).set(1)
        self._requests = Counter(
            "llmux_requests_total",
            "Exchanges, by how they ended",
            ["route", "dialect_in", "outcome", "code_class"],
            registry=registry,
        )
        self._durations = Histogram(
            "llmux_request_duration_seconds",
            "From the whole request to the end of the answer",
            ["dialect_in", "stream"],
            buckets=_DURATIONS,
            registry=registry,
        )
        self._first = Histogram(
            "llmux_time_to_first_token_seconds",
            "From the whole request to the first bytes of the answer's body",
            ["provider"],
            buckets=_DURATIONS,
            registry=registry,
        )
        self._attempts = Counter(
            "llmux_attempts_total", "Attempts, by how they ended", ["provider", "outcome"], registry=registry
        )
        self._decisions = Counter("llmux_mapping_total", "Decisions, by kind", ["kind"], registry=registry)
        self._losses = Counter(
            "llmux_translation_loss_total",
            "Fields that a translation approximated, carried, invented or dropped",
            ["from", "to", "field"],
            registry=registry,
        )
        self._auth_failures = Counter("llmux_auth_failures_total", "Requests with no key, or a wrong one", registry=registry)
        self._reloads = Counter("llmux_config_reload_total", "Reloads, by how they ended", ["result"], registry=registry)
        for result in ("ok", "failed"):
            self._reloads.labels(result)  # there from the start, so that an alert sees the first one
        self._last_reload = Gauge(
            "llmux_config_last_reload_successful",
            "0: the last reload was refused, an older configuration runs",
            registry=registry,
        )
        self._loaded_at = Gauge(
            "llmux_config_last_reload_success_timestamp_seconds", "When the running configuration was read", registry=registry
        )
        self._config = Gauge("llmux_config_hash_info", "The configuration that runs", ["sha"], registry=registry)
        self.in_flight = 0
        in_flight = Gauge("llmux_in_flight_requests", "Requests being served", registry=registry)
        in_flight.set_function(lambda: self.in_flight)

        # `labels()` costs more than counting; the children are few, since no label holds free text.
        self._children: dict[tuple[object, ...], Any] = {}

    def _child(self, family: Any, *labels: str) -> Any:
        child = self._children.get((family, *labels))
        if child is None:
            child = self._children[(family, *labels)] = family.labels(*labels)
        return child

    def decided(self, outcome: str) -> None:
        """A decision was made."""
        self._child(self._decisions, outcome).inc()

    def attempted(self, provider: str, outcome: str) -> None:
        """An attempt ended, or its answer began."""
        self._child(self._attempts, provider, outcome).inc()

    def noted(self, client: str, provider: str, pointers: Iterable[str]) -> None:
        """A translation between these dialects could not carry over these fields unchanged."""
        for pointer in pointers:
            field = pointer.split("/", 2)[1] if "/" in pointer else ""
            self._child(self._losses, client, provider, field if field in _FIELDS else "other").inc()

    def refused_key(self) -> None:
        """Somebody came without a valid key."""
        self._auth_failures.inc()

    def refused_request(self, status: int) -> None:
        """The front refused to read a request."""
        self._child(self._requests, "-", "-", "rejected", f"{status // 100}xx").inc()

    def exchanged(
        self,
        *,
        route: str,
        dialect: str,
        outcome: str,
        status: int,
        provider: str,
        stream: bool,
        seconds: float,
        first: float | None,
    ) -> None:
        """An exchange is over. Times in seconds."""
        self._child(self._requests, route, dialect, outcome, f"{status // 100}xx").inc()
        self._child(self._durations, dialect, "true" if stream else "false").observe(seconds)
        if first is not None:
            self._child(self._first, provider).observe(first)

    def loaded(self, digest: str, now: float) -> None:
        """A configuration took effect, at this time (Unix seconds)."""
        self._last_reload.set(1)
        self._loaded_at.set(now)
        self._config.clear()
        self._config.labels(digest).set(1)

    def reloaded(self, good: bool) -> None:
        """A reload has ended."""
        self._reloads.labels("ok" if good else "failed").inc()
        self._last_reload.set(good)

    def watch_connections(self, counts: Callable[[], Iterable[tuple[str, int]]]) -> None:
        """Read the pool's connections at every scrape."""
        self.registry.register(_Connections(counts))


class _Connections(Collector):
    def __init__(self, counts: Callable[[], Iterable[tuple[str, int]]]) -> None:
        self._counts = counts

    def collect(self) -> Iterable[GaugeMetricFamily]:
        family = GaugeMetricFamily("llmux_upstream_pool_connections", "Connections to providers", labels=["state"])
        for state, count in self._counts():
            family.add_metric([state], count)
        yield family
