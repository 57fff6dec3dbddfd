"""Tests for the conditional parts of a scenario."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.scenario.model import ScenarioError
from llmux.scenario.rules import definitions, resolve, symbol


class ResolveTests(SynchronousTestCase):
    """Rules overwrite the keys beside them."""

    def test_merge(self) -> None:
        """Later matches win, a default counts only where nothing matched before it, and other keys stay."""
        node = {
            "a": 0,
            "b": 0,
            "rules": [
                {"when": "$x", "config": {"a": 1, "c": 1}},
                {"when": "$x == 2", "config": {"a": 2}},
                {"default": True, "config": {"a": 9}},
            ],
        }
        self.assertEqual(resolve(node, {"x": 2}), {"a": 2, "b": 0, "c": 1})
        self.assertEqual(resolve(node, {"x": 3}), {"a": 1, "b": 0, "c": 1})
        self.assertEqual(resolve(node, {}), {"a": 9, "b": 0})

    def test_depth(self) -> None:
        """Rules stand in any mapping, also in lists and in other rules."""
        inner = {"rules": [{"when": "$y", "config": {"v": 1}}]}
        node = {"list": [{"rules": [{"default": True, "config": inner}]}]}
        self.assertEqual(resolve(node, {"y": True}), {"list": [{"v": 1}]})

    def test_conditions(self) -> None:
        """Each type of symbol has its operators; an undefined symbol makes a comparison false."""
        cases: list[tuple[str, Any, bool]] = [
            ("$n < 3", 2, True),
            ("$n >= 3", 2, False),
            ("$n != 3", 2, True),
            ('$n == "prod"', "prod", True),
            ('$n != "prod"', "prod", False),
            ("$n == TRUE", True, True),
            ("$n", "", True),
        ]
        for condition, value, holds in cases:
            config = resolve({"rules": [{"when": condition, "config": {"v": 1}}]}, {"n": value})
            self.assertEqual(config, {"v": 1} if holds else {}, condition)
            self.assertEqual(resolve({"rules": [{"when": condition, "config": {"v": 1}}]}, {}), {})

    def test_mistakes(self) -> None:
        """A rule that cannot be judged is an error."""
        cases: list[tuple[Any, Any, str]] = [
            ("x", 1, "Invalid rules block"),
            ([3], 1, "Invalid rules block"),
            ([{"when": "$n", "config": []}], 1, "Rules config must be a mapping, got list"),
            ([{"when": "n == 1", "config": {}}], 1, "Rule evaluation error: Invalid condition format: n == 1"),
            ([{"when": "$n == x", "config": {}}], 1, "Rule evaluation error: Invalid number: x"),
            ([{"when": "$n == x", "config": {}}], "x", "Rule evaluation error: String values must be quoted: x"),
            ([{"when": "$n == 1", "config": {}}], True, "Rule evaluation error: Invalid boolean: 1"),
        ]
        for rules, value, message in cases:
            error = self.assertRaises(ScenarioError, resolve, {"rules": rules}, {"n": value})
            self.assertEqual(str(error), message)


class SymbolTests(SynchronousTestCase):
    """Symbols from text."""

    def test_definitions(self) -> None:
        """Types are told from the text; the later definition wins."""
        self.assertEqual(definitions("a=1, b=True,FLAG,c=x=y,a=2"), {"a": 2, "b": True, "FLAG": "", "c": "x=y"})
        self.assertEqual((symbol("FALSE"), symbol("-3"), symbol("3.0")), (False, -3, "3.0"))
