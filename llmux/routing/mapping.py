"""From one model name to another: exact names first, ignoring case, then patterns in file order."""

from __future__ import annotations

import re

import attrs

# A pattern is searched in names, not in novels: it bounds what a slow expression can cost.
_LONGEST_NAME = 256


@attrs.frozen
class Target:
    """Where a mapping leads: a model, and the one provider to ask where it is named."""

    model: str
    provider: str | None = None


@attrs.frozen
class Mapping:
    """One rule: `source` is a name, or a regular expression where `regex` is set."""

    source: str
    targets: tuple[Target, ...]
    regex: bool = False


@attrs.frozen
class Mapper:
    """The compiled rules. The last of two rules for one exact name wins, as in the reference."""

    exact: dict[str, Mapping]
    patterns: tuple[tuple[re.Pattern[str], Mapping], ...]

    def find(self, *names: str) -> Mapping | None:
        """The rule for the first of `names` that has one, exact names before patterns."""
        for name in names:
            rule = self.exact.get(name.strip().lower())
            if rule is not None:
                return rule
        for pattern, rule in self.patterns:
            if any(len(name) <= _LONGEST_NAME and pattern.search(name) for name in names):
                return rule
        return None


def compile_mapper(rules: tuple[Mapping, ...]) -> Mapper:
    """Compile rules. Raises re.error for an invalid expression."""
    return Mapper(
        exact={rule.source.strip().lower(): rule for rule in rules if not rule.regex},
        patterns=tuple((re.compile(rule.source, re.IGNORECASE), rule) for rule in rules if rule.regex),
    )
