"""What the tests of the configuration share."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from llmux.config import Config, ConfigError, parse

# A provider that needs nothing but this line.
LOCAL = 'providers: {local: {base_url: "http://127.0.0.1:1", dialect: openai, models: [m]}}\n'


class ConfigCase(SynchronousTestCase):
    """Reads texts, and compares everything that is said about them."""

    def read(self, text: str, **environ: str) -> Config:
        """The configuration in a text that is in order."""
        return parse(text, "f.yaml", environ)

    def problems(self, text: str, **environ: str) -> list[str]:
        """What is wrong with a text, line by line."""
        error = self.assertRaises(ConfigError, parse, text, "f.yaml", environ)
        return [str(problem).removeprefix("f.yaml:").strip() for problem in error.problems]

    def assert_problems(self, text: str, *expected: str, **environ: str) -> None:
        """Exactly these mistakes are found, `line:column: path: message` each."""
        self.assertEqual(self.problems(text, **environ), list(expected))

    def notices(self, text: str, **environ: str) -> list[str]:
        """What is noted about a text that is in order, line by line."""
        return [str(notice).removeprefix("f.yaml:").strip() for notice in self.read(text, **environ).notices]
