"""What docs/translation.md shows works as it stands there."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from llmux.config import parse
from llmux.config.translation import Translation
from llmux.dialects.registry import DIALECTS
from tests.e2e.daemon import ROOT, SCRIPTS, environment

_TEXT = (ROOT / "docs" / "translation.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """The code blocks of a language."""
    return [match[2] for match in _BLOCK.finditer(_TEXT) if match[1] == language]


class PageTests(SynchronousTestCase):
    """Every example, and every word that could be out of date."""

    def test_configuration(self) -> None:
        """It is read without a mistake."""
        (text,) = blocks("yaml")
        provider = parse(text, "llmux.yaml", {"ANTHROPIC_API_KEY": "sk-x"}).providers[0]
        self.assertEqual(provider.translation, Translation(strict=True, max_tokens=32000))

    def test_command(self) -> None:
        """It prints a translation and its notes."""
        folder = Path(self.mktemp())
        folder.mkdir()
        (script,) = blocks("sh")
        env = environment(folder)
        env["PATH"] = f"{SCRIPTS}:{env['PATH']}"
        done = subprocess.run(["sh", "-e", "-c", script], cwd=folder, env=env, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["messages"], [{"role": "user", "content": "hi"}])
        self.assertIn("/seed dropped", done.stderr)

    def test_words(self) -> None:
        """All dialects and all choices are named."""
        for dialect in DIALECTS:
            self.assertIn(f"| `{dialect}` |", _TEXT)
        for name in ("strict", "hosted_tools", "repair", "forced_vs_thinking", "max_tokens", "schemas", "compatible"):
            self.assertIn(f"`{name}`", _TEXT)
            self.assertTrue(hasattr(Translation(), name))
