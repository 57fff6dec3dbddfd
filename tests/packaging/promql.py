"""As much of PromQL as is needed to tell which metrics and labels an expression names."""

from __future__ import annotations

import re

import attrs

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_SELECTOR = re.compile(r"([A-Za-z_:][\w:]*)\{([^}]*)\}")
_MATCHER = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"')
_LABELS = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_NAME = re.compile(r"(?<![\w:$.])[A-Za-z_:][\w:]*(?!\s*\(|[\w:])")
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right"})


@attrs.frozen
class Matcher:
    """`metric{label operator "value"}`."""

    metric: str
    label: str
    operator: str
    value: str

    @property
    def values(self) -> list[str]:
        """The values that it names, where it names some and no pattern."""
        return self.value.split("|") if re.fullmatch(r"[\w|]+", self.value) else []


@attrs.frozen
class Named:
    """What an expression names. `made` are labels that it makes itself."""

    metrics: frozenset[str]
    matchers: tuple[Matcher, ...]
    labels: frozenset[str]
    made: frozenset[str]


def named(expression: str) -> Named:
    """Take an expression apart."""
    matchers = [
        Matcher(selector[1], *matcher) for selector in _SELECTOR.finditer(expression) for matcher in _MATCHER.findall(selector[2])
    ]
    made = re.findall(r'label_replace\(.*?,\s*"(\w+)"', expression, re.DOTALL)
    rest = re.sub(r"\[[^\]]*\]", " ", _SELECTOR.sub(r" \1 ", expression))
    rest = _STRING.sub(" ", rest)
    labels = [label.strip() for _, inside in _LABELS.findall(rest) for label in inside.split(",")]
    metrics = set(_NAME.findall(_LABELS.sub(" ", rest))) - _WORDS
    return Named(frozenset(metrics), tuple(matchers), frozenset(filter(None, labels)), frozenset(made))
