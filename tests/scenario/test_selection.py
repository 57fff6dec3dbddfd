"""Tests for the choice among scenarios."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from llmux.errors import Fault
from llmux.scenario.model import Scenario
from llmux.scenario.selection import distance, select
from llmux.scenario.timeline import Script

SCRIPTS = [
    Script.of(Scenario("plain", "a")),
    Script.of(Scenario("login", "b", initial_prompt="Fix the login")),
    Script.of(Scenario("tests", "c", initial_prompt="Write tests")),
]


class SelectTests(SynchronousTestCase):
    """Which script is played."""

    def name(self, name: str | None, prompt: str | None) -> str:
        return select(SCRIPTS, name, prompt).scenario.name

    def test_by_name(self) -> None:
        """A name decides."""
        self.assertEqual(self.name("tests", "Fix the login"), "tests")

    def test_unknown_name(self) -> None:
        """A name that is not known is refused, with those that are."""
        fault = self.assertRaises(Fault, select, SCRIPTS, "nope", None)
        self.assertEqual((fault.kind, fault.message), ("not_found", "No scenario 'nope'; known are: login, plain, tests"))

    def test_by_prompt(self) -> None:
        """The nearest prompt decides, and a script without one has no say."""
        self.assertEqual(self.name(None, "fix login"), "login")
        self.assertEqual(self.name(None, "Write some tests"), "tests")

    def test_first(self) -> None:
        """Without a prompt it is the first; so it is where no script has one."""
        self.assertEqual(self.name(None, None), "plain")
        self.assertIs(select(SCRIPTS[:1], None, "x"), SCRIPTS[0])

    def test_none(self) -> None:
        """Without scripts there is nothing to play."""
        self.assertEqual(self.assertRaises(Fault, select, [], None, None).message, "No scenarios loaded")


class DistanceTests(SynchronousTestCase):
    """Levenshtein's distance."""

    def test_distance(self) -> None:
        """Characters count, not bytes; case does; and only beginnings are compared."""
        for one, other, expected in (("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("ü", "u", 1), ("A", "a", 1)):
            self.assertEqual(distance(one, other), expected)
            self.assertEqual(distance(other, one), expected)
        self.assertEqual(distance("a" * 300, "a" * 5000), 0)
