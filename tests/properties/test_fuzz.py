from __future__ import annotations

from twisted.trial.unittest import TestCase

from tests.properties.fuzz import Fuzz


class FuzzTests(TestCase):
    """A short look, the same every time; `python -m tests.properties.fuzz` takes a long one."""

    def test_nothing_breaks(self) -> None:
        fuzz = Fuzz(7)
        for _ in range(1500):
            fuzz.request()
            fuzz.stream()
        self.assertEqual(fuzz.broken, [], "\n".join(fuzz.broken[:3]))
        self.assertGreater(fuzz.found["requests translated"], 100)
        self.assertGreater(fuzz.found["streams broken off"], 100)
