"""Conditional parts of a scenario: `rules` in any mapping overwrite its other keys, by symbols given from outside."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from llmux.scenario.model import ScenarioError

Symbol = bool | int | str

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_CONDITION = re.compile(r"\$(\w+)(?:\s*(==|!=|<=|>=|<|>)\s*(.+))?")


def symbol(text: str) -> Symbol:
    """The value that a definition's text stands for: a boolean, a number, else the text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return int(text)
    except ValueError:
        return text


def definitions(text: str) -> dict[str, Symbol]:
    """The symbols of `KEY=VAL,FLAG,N=3`. The later of two definitions wins."""
    pairs = [pair.strip().partition("=") for pair in text.split(",") if pair.strip()]
    return {name.strip(): symbol(value.strip()) for name, _, value in pairs}


def resolve(node: Any, symbols: dict[str, Symbol]) -> Any:
    """The same document without its rules. Raises ScenarioError."""
    if isinstance(node, list):
        return [resolve(each, symbols) for each in node]
    if not isinstance(node, dict):
        return node
    plain = {key: resolve(value, symbols) for key, value in node.items() if key != "rules"}
    return {**plain, **_decide(node["rules"], symbols)} if "rules" in node else plain


def _decide(rules: object, symbols: dict[str, Symbol]) -> dict[str, Any]:
    """The configuration that the rules come to: those that match, later ones over earlier; a default if none did before."""
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise ScenarioError("Invalid rules block")
    merged: dict[str, Any] = {}
    matched = False
    for rule in rules:
        config = resolve(rule.get("config"), symbols)
        if not isinstance(config, dict):
            raise ScenarioError(f"Rules config must be a mapping, got {type(config).__name__}")
        if "when" in rule and _holds(str(rule["when"]), symbols):
            merged.update(config)
            matched = True
        elif rule.get("default") is True and not matched:
            merged.update(config)
    return merged


def _holds(condition: str, symbols: dict[str, Symbol]) -> bool:
    match = _CONDITION.fullmatch(condition.strip())
    if match is None:
        raise ScenarioError(f"Rule evaluation error: Invalid condition format: {condition}")
    name, word, literal = match.groups()
    if word is None or name not in symbols:
        return name in symbols
    value = symbols[name]
    return _OPERATORS[word](value, _literal(literal.strip(), value, word))


def _literal(text: str, value: Symbol, word: str) -> Symbol:
    """The literal as the symbol's own type; comparing across types is a mistake."""
    equality = word in ("==", "!=")
    if isinstance(value, bool):
        if text.lower() not in ("true", "false") or not equality:
            raise ScenarioError(f"Rule evaluation error: Invalid boolean: {text}")
        return text.lower() == "true"
    if isinstance(value, int):
        try:
            return int(text)
        except ValueError:
            raise ScenarioError(f"Rule evaluation error: Invalid number: {text}") from None
    if len(text) < 2 or text[0] != '"' or text[-1] != '"' or not equality:
        raise ScenarioError(f"Rule evaluation error: String values must be quoted: {text}")
    return text[1:-1]
