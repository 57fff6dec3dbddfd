"""Model names led to other models: mappings, and the conditions and targets that they share with routes."""

from __future__ import annotations

from fnmatch import fnmatchcase

import attrs

from llmux.config.nodes import Node
from llmux.config.problems import Mark, listed, suggestion
from llmux.config.providers import Provider
from llmux.config.reader import attempt, each, key, reads, reads_as, required, section, some, table
from llmux.config.values import boolean, integer, number, regex, text

LEVELS = ("none", "auto", "minimal", "low", "medium", "high", "xhigh", "max")


@reads(f"{listed(LEVELS)}, or a number of tokens")
def thinking(node: Node) -> str | int:
    """How much a model shall think: a level, or a budget in tokens (-1: as it likes)."""
    value = node.plain()
    if value in LEVELS and isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and value >= -1:
        return value
    node.fail(f"must be {thinking.wants}")


@reads("the name of a provider")
def provider_name(node: Node) -> str:
    """The name of a provider that is configured, if only as one whose keys are absent."""
    name, names = text(node), [provider.name for provider in node.book.providers]
    if name not in names:
        node.lack(f"no provider '{name}'{suggestion(name, names)}")
    return name


@attrs.frozen(kw_only=True)
class Target:
    """Where a rule leads."""

    model: str = required(text, doc="The name of the model, including any colon that is part of it.", example="gpt-5")
    provider: str | None = key(
        provider_name, None, doc="The one provider to ask. Without it, all that serve the model.", example="openai"
    )
    thinking: str | int | None = key(
        thinking,
        None,
        doc="How much the model shall think: a level, or a number of tokens. Without it, as the request says.",
        example="high",
        later=True,
    )


_described = section(Target)


@reads_as(_described, "a model, MODEL:PROVIDER or a mapping")
def target(node: Node) -> Target:
    """`model`, `model:provider`, or a mapping of the two and thinking."""
    return _described(node) if node.is_mapping else _target(node, text(node))


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
    """What a request must be like. All that is given must hold."""

    model: str | None = key(text, None, doc="The model that is asked for, a name or a pattern.", example='"claude-*"')
    alias: str | None = key(text, None, doc="The `NAME` in a path `/api/provider/NAME/`.", example="anthropic")
    header: tuple[tuple[str, str], ...] = key(
        table(text), (), doc="Headers of the request, each with a pattern for its value.", example='{user-agent: "amp*"}'
    )
    tools: bool | None = key(boolean, None, doc="Whether it offers tools.", example="true")
    images: bool | None = key(boolean, None, doc="Whether it holds images.", example="true")
    min_tokens: int | None = key(
        integer(0), None, doc="How many tokens it has at least, estimated by its length.", example="100000"
    )
    max_tokens: int | None = key(
        integer(0), None, doc="How many tokens it has at most, estimated by its length.", example="200000"
    )
    stream: bool | None = key(boolean, None, doc="Whether it asks for a stream.", example="true")
    feature: str | None = key(text, None, doc="What Amp wants the model for.", example="titling")


@attrs.frozen(kw_only=True)
class Mapping:
    """From one model name to others."""

    source: str = required(
        text, "from", doc="The model that is asked for. Upper and lower case are the same.", example="claude-opus-4-5"
    )
    targets: tuple[Target, ...] = required(
        some(target), "to", doc="The models to use instead. The first that some provider serves is taken.", example="[gpt-5]"
    )
    regex: bool = key(boolean, False, doc="Whether `from` is a regular expression, which may match anywhere in the name.")
    when: When | None = key(section(When), None, doc="What else a request must be like.", later=True)
    where: Mark


def _check_mapping(node: Node, mapping: Mapping) -> None:
    if mapping.regex:
        attempt(regex, node.entries()["from"][1], None)


mapping = section(Mapping, _check_mapping)


@attrs.frozen(kw_only=True)
class Route:
    """A rule of the routing table."""

    when: When = key(section(When), When(), doc="What a request must be like; all that is given must hold.")
    to: tuple[Target, ...] = required(some(target), doc="The models that answer, in order of preference.", example="[gpt-5]")
    mirror: Target | None = key(
        target,
        None,
        doc="A model that gets a copy of the request. Its answer is thrown away, and nobody waits for it.",
        example="gpt-5-mini",
    )
    weights: tuple[float, ...] = key(
        each(number(0)),
        (),
        doc="How requests are shared among the models of `to`, one number for each. Without it, the first gets all, and the "
        "others stand in if it fails.",
    )
    strict: bool | None = key(
        boolean,
        None,
        doc="Whether its requests are refused if a translation cannot carry everything in them. Without it, as `translation` "
        "says.",
        example="true",
    )
    where: Mark


def _check_route(node: Node, route: Route) -> None:
    if route.weights and len(route.weights) != len(route.to):
        node.blame(f"has {len(route.weights)} weights for {len(route.to)} targets")


route = section(Route, _check_route)
