"""What no single value can be blamed for."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from llmux.config import listen
from llmux.config.problems import Mark, Notice, Problem
from llmux.config.providers import BUILTIN, Provider
from llmux.config.schema import Config
from llmux.dialects.registry import DIALECTS

# Model names that the usual clients ask for, so that each of them gets an answer from the built-in scenario.
_DEMO_MODELS = (
    "llmux-demo", "gpt-*", "chatgpt-*", "codex-*", "o1*", "o3*", "o4*", "text-embedding-*", "claude-*", "gemini-*",
    "grok-*", "qwen*", "kimi-*", "deepseek-*", "glm-*", "llama*", "mistral*",
)  # fmt: skip


def open_door(config: Config) -> list[Problem]:
    """The listeners that other hosts can reach while no client keys are set. Sockets of systemd's show only later."""
    if config.api_keys:
        return []
    return [
        Problem(
            where,
            "listen",
            f"'{written}' can be reached from other hosts, and no client keys are set: set 'api_keys', or listen on 127.0.0.1",
        )
        for written, where in zip(config.listen, config.listen_marks, strict=True)
        if listen.parse(written).local is False
    ]


def colliding(config: Config) -> list[Problem]:
    """The listeners of which only one could be opened, each with the one before it."""
    listeners = config.listeners
    problems = []
    for position, (path, written, where) in enumerate(listeners):
        place = listen.parse(written)
        for _, other, there in listeners[:position]:
            if place.meets(listen.parse(other)):
                message = f"'{written}' cannot be opened beside '{other}' ({there}): both listen in one place"
                problems.append(Problem(where, path, message))
                break
    return problems


def without_skipped(config: Config) -> Config:
    """The providers that cannot be used are taken out, and remembered with the reason."""
    return attrs.evolve(
        config,
        providers=tuple(provider for provider in config.providers if provider.skipped is None),
        skipped=tuple((provider.name, provider.skipped) for provider in config.providers if provider.skipped is not None),
    )


def with_demo(config: Config, declared: Sequence[Provider], *, fresh: bool) -> tuple[Config, list[Notice]]:
    """Where nobody could answer, the built-in scenario does; where there is an Amp upstream, that is somebody.

    `declared` are the providers as they are written, those included that cannot be used. `fresh`: nothing is configured at all,
    so that the scenario is what was meant, and no notice is due.
    """
    if any(provider.enabled for provider in config.providers) or config.amp.upstream_url:
        return config, []
    where = declared[0].where if declared else Mark(config.path or "built-in")
    demo = Provider(
        name="demo",
        dialects=tuple(DIALECTS),
        models=_DEMO_MODELS,
        timeouts=config.timeouts,
        retry=config.retry,
        scenario=f"{BUILTIN}hello",
        keyless=True,
        where=where,
    )
    why = "no provider can be used" if declared else "no provider is configured"
    notices = [] if fresh else [Notice(where, "providers", f"{why}: answering from the built-in scenario 'hello'")]
    return attrs.evolve(config, providers=(demo,)), notices


def unknown_callers(config: Config) -> list[Notice]:
    """Upstream keys for callers that cannot be, since no client key is theirs."""
    known = {key.key for key in config.api_keys}
    rows = (row for row in config.amp.upstream_api_keys if not known.issuperset(row.api_keys))
    message = "this entry lists a key that is none of the client keys; nobody can show it"
    return [Notice(row.where, "amp.upstream_api_keys", message) for row in rows]
