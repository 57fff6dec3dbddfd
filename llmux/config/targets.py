"""Model names led to other models: mappings, and the conditions and targets that they share with routes."""

from __future__ import annotations

from fnmatch import fnmatchcase

import attrs

from llmux.config.nodes import Node
from llmux.config.problems import Mark, listed, suggestion
from llmux.config.providers import Provider
from llmux.config.reader import attempt, each, key, required, section, some, table
from llmux.config.values import boolean, integer, number, regex, text

LEVELS = ("none", "auto", "minimal", "low", "medium", "high", "xhigh", "max")


def thinking(node: Node) -> str | int:
    """How much a model shall think: a level, or a budget in tokens (-1: as it likes)."""
    value = node.plain()
    if value in LEVELS and isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= -1:
        return value
    node.fail(f"must be {listed(LEVELS)}, or a number of tokens")


def provider_name(node: Node) -> str:
    """The name of a provider that is configured, if only as one whose keys are absent."""
    name, names = text(node), [provider.name for provider in node.book.providers]
    if name not in names:
        node.lack(f"no provider '{name}'{suggestion(name, names)}")
    return name


@attrs.frozen(kw_only=True)
class Target:
    """Where a rule leads: a model, and the one provider to ask where it is named."""

    model: str = required(text)
    provider: str | None = key(provider_name, None)
    thinking: str | int | None = key(thinking, None, later=True)


def target(node: Node) -> Target:
    """`model`, `model:provider`, or a mapping of the two and thinking."""
    return _described(node) if node.is_mapping else _target(node, text(node))


_described = section(Target)


def _target(node: Node, written: str) -> Target:
    """Model names may hold a colon too (`llama3:8b`): what is behind the last one is a provider if one has that name."""
    model, _, tail = written.rpartition(":")
    names = [provider.name for provider in node.book.providers]
    if model and tail in names:
        return Target(model=model, provider=tail)
    if model and (suggestion(tail, names) or not any(_may_serve(provider, written) for provider in node.book.providers)):
        node.lack(
            f"no provider '{tail}'{suggestion(tail, names)}; if the colon belongs to the name, write {{model: \"{written}\"}}"
        )
    return Target(model=written)


def _may_serve(provider: Provider, model: str) -> bool:
    return provider.discover or any(fnmatchcase(model, pattern) for pattern in provider.models)


@attrs.frozen(kw_only=True)
class When:
    """What a request must be like. All that is given must hold; `header` maps names to patterns."""

    model: str | None = key(text, None)
    alias: str | None = key(text, None)
    header: tuple[tuple[str, str], ...] = key(table(text), ())
    tools: bool | None = key(boolean, None)
    images: bool | None = key(boolean, None)
    min_tokens: int | None = key(integer(0), None)
    max_tokens: int | None = key(integer(0), None)
    stream: bool | None = key(boolean, None)
    feature: str | None = key(text, None)


@attrs.frozen(kw_only=True)
class Mapping:
    """From one model name to others. `source` is a name, or a regular expression where `regex` is set; case is free."""

    source: str = required(text, "from")
    targets: tuple[Target, ...] = required(some(target), "to")
    regex: bool = key(boolean, False)
    when: When | None = key(section(When), None, later=True)
    where: Mark


def _check_mapping(node: Node, mapping: Mapping) -> None:
    if mapping.regex:
        attempt(regex, node.entries()["from"][1], None)


mapping = section(Mapping, _check_mapping)


@attrs.frozen(kw_only=True)
class Route:
    """A rule of the routing table. `weights` shares the traffic among `to`; `mirror` gets a copy."""

    when: When = key(section(When), When())
    to: tuple[Target, ...] = required(some(target))
    mirror: Target | None = key(target, None)
    weights: tuple[float, ...] = key(each(number(0)), ())
    where: Mark


def _check_route(node: Node, route: Route) -> None:
    if route.weights and len(route.weights) != len(route.to):
        node.blame(f"has {len(route.weights)} weights for {len(route.to)} targets")


route = section(Route, _check_route)
