"""The one place where precedence is written: local provider, mapping, Amp upstream, refusal.

With `mappings_first` the first two change places.
"""

from __future__ import annotations

from collections.abc import Iterator

from llmux.routing.decision import Candidate, Decision, Facts, Outcome
from llmux.routing.table import Entry, RouteTable
from llmux.thinking import join_suffix, split_suffix

# Clients may ask for any name; what is remembered must not grow with them.
_MOST_REMEMBERED = 4096


def resolve(table: RouteTable, facts: Facts) -> Decision:
    """Decide who answers. Pure: the same table and facts give the same decision, so the table may remember it."""
    key = (facts.dialect, facts.operation, facts.model, facts.alias, facts.amp)
    decision = table.memory.get(key)
    if decision is None:
        if len(table.memory) >= _MOST_REMEMBERED:
            table.memory.clear()
        decision = table.memory[key] = _resolve(table, facts)
    return decision


def _resolve(table: RouteTable, facts: Facts) -> Decision:
    steps = (_mapped, _local) if table.mappings_first else (_local, _mapped)
    for step in steps:
        decision = step(table, facts)
        if decision is not None:
            return decision
    if facts.amp and table.upstream:
        return Decision("upstream", f"no local provider serves {facts.base}", facts.model, facts.model)
    where = "" if facts.amp or not table.upstream else ", and only Amp's own routes go to the Amp upstream"
    return Decision("refused", f"nobody serves {facts.base}{where}", facts.model, facts.model)


def _local(table: RouteTable, facts: Facts) -> Decision | None:
    only = table.named(facts.alias)
    # Somebody may really have a model called `a(b)`; a pattern that takes it would take it for any suffix.
    literal = []
    if facts.suffix is not None:
        literal = [entry for entry in table.serving(facts.model, facts.dialect, only) if entry.rank(facts.model) == 0]
    model = facts.model if literal else facts.base
    serving = literal or table.serving(model, facts.dialect, only)
    if not serving:
        return None
    listed = "by name" if serving[0].rank(model) == 0 else "by pattern"
    narrowed = ", as the path asks" if only is not None else ""
    return _decide("local", f"{serving[0].name} lists {model} {listed}{narrowed}", facts, model, serving)


def _mapped(table: RouteTable, facts: Facts) -> Decision | None:
    rule = table.mapper.find(facts.model, facts.base)
    if rule is None:
        return None
    for target in rule.targets:
        base, own_suffix = split_suffix(target.model)
        only = table.named(target.provider)
        serving = table.serving(base, facts.dialect, only)
        if serving and (only is not None or target.provider is None):
            mapping = f"{facts.base} -> {base}"
            suffix = own_suffix if own_suffix is not None else facts.suffix
            reason = f"mapping {mapping}, which {serving[0].name} lists"
            return _decide("mapped", reason, facts, base, serving, mapping, join_suffix(base, suffix))
    return None


def _decide(
    outcome: Outcome,
    reason: str,
    facts: Facts,
    model: str,
    serving: list[Entry],
    mapping: str | None = None,
    resolved: str | None = None,
) -> Decision:
    return Decision(
        outcome=outcome,
        reason=reason,
        requested=facts.model,
        model=resolved or model,
        candidates=tuple(_candidates(serving, model, facts)),
        mapping=mapping,
    )


def _candidates(entries: list[Entry], model: str, facts: Facts) -> Iterator[Candidate]:
    for entry in entries:
        dialect = spoken(entry.dialects, facts)
        if not entry.credentials:
            yield Candidate(entry.name, None, model, dialect)
        for index in range(entry.credentials):
            yield Candidate(entry.name, index, model, dialect)


# Which of several dialects a provider is asked in, where it does not speak the client's: the one that most servers speak best.
# What Chat Completions has no words for is asked in Responses.
_PREFERRED = ("openai-chat", "openai-responses", "anthropic", "gemini")
_TO_COUNT = ("openai-responses", "anthropic", "gemini", "openai-chat")


def spoken(dialects: frozenset[str], facts: Facts) -> str:
    """The dialect to speak with a provider: the client's where that is one of the provider's."""
    if facts.dialect in dialects:
        return facts.dialect
    if facts.operation == "embeddings" and facts.dialect == "openai-chat" and "openai-responses" in dialects:
        return facts.dialect  # one API with two ways to generate, and one to embed
    preferred = _TO_COUNT if facts.operation == "count_tokens" else _PREFERRED
    return next(dialect for dialect in preferred if dialect in dialects)
