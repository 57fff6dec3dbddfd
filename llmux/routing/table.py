"""The routing table: immutable, compiled once from the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import translate

import attrs

from llmux.routing.decision import Decision
from llmux.routing.mapping import Mapper, Mapping, compile_mapper

_GLOB = re.compile(r"[*?\[]")


@attrs.frozen
class Entry:
    """A provider as routing sees it. `credentials` counts its keys; 0 means that it needs none."""

    name: str
    dialects: frozenset[str]
    names: frozenset[str]
    globs: tuple[re.Pattern[str], ...]
    credentials: int = 0

    def rank(self, model: str) -> int | None:
        """How well this provider's list fits a model: 0 by name, 1 by pattern, None not at all."""
        if model in self.names:
            return 0
        if any(pattern.match(model) for pattern in self.globs):
            return 1
        return None


@attrs.frozen
class RouteTable:
    """Everything that routing decides from. `upstream` tells that there is an Amp upstream; `memory` holds decisions that
    were made from this very table."""

    entries: tuple[Entry, ...]
    mapper: Mapper
    upstream: bool = False
    mappings_first: bool = False
    memory: dict[tuple[str, str, str, str | None, bool], Decision] = attrs.field(factory=dict, eq=False, repr=False)

    def named(self, alias: str | None) -> Entry | None:
        """The provider with this very name, or None."""
        return next((entry for entry in self.entries if entry.name == alias), None) if alias else None

    def serving(self, model: str, dialect: str, only: Entry | None = None) -> list[Entry]:
        """Who serves a model, best first: those that speak the dialect, then exact names, then file order."""
        ranked = [
            (dialect not in entry.dialects, rank, position, entry)
            for position, entry in enumerate(self.entries)
            if (only is None or entry is only) and (rank := entry.rank(model)) is not None
        ]
        return [entry for _, _, _, entry in sorted(ranked, key=lambda row: row[:3])]


def compile_entry(
    name: str, dialects: Iterable[str], models: Iterable[str], credentials: int, discovered: Iterable[str] = ()
) -> Entry:
    """Compile one provider's model list; what holds `*`, `?` or `[` is a pattern, and patterns see the case.

    `discovered` are names that the provider itself gave: names, whatever they hold.
    """
    models = tuple(models)
    return Entry(
        name=name,
        dialects=frozenset(dialects),
        names=frozenset(model for model in models if not _GLOB.search(model)).union(discovered),
        globs=tuple(re.compile(translate(model)) for model in models if _GLOB.search(model)),
        credentials=credentials,
    )


def compile_table(
    entries: Iterable[Entry], mappings: tuple[Mapping, ...] = (), upstream: bool = False, mappings_first: bool = False
) -> RouteTable:
    """Compile the whole table."""
    return RouteTable(tuple(entries), compile_mapper(mappings), upstream, mappings_first)
