"""`make outdated` names the pins that have a newer release, and where they stand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "outdated.py"
RUN = "attrs==1.0 \\\n    --hash=sha256:00\n    # via x\nzope-interface==8 \\\n    --hash=sha256:00\n"
TEST = "attrs==1.0 \\\n    --hash=sha256:00\npytest==9.1 \\\n    --hash=sha256:00\n"


class OutdatedTests(SynchronousTestCase):
    def said(self, **newest: str) -> str:
        """What it prints for pip's answer."""
        folder = Path(self.mktemp()).absolute()
        folder.mkdir(parents=True)
        (folder / "run.lock").write_text(RUN)
        (folder / "test.lock").write_text(TEST)
        answer = json.dumps([{"name": name, "version": "0", "latest_version": version} for name, version in newest.items()])
        command = [sys.executable, str(SCRIPT), str(folder / "run.lock"), str(folder / "test.lock")]
        return subprocess.run(command, input=answer, capture_output=True, text=True, check=True).stdout

    def test_all_new(self) -> None:
        self.assertEqual(self.said(pip="99"), "0 of 3 pins have a newer release\n")

    def test_rows(self) -> None:
        lines = self.said(attrs="1.1", Zope_Interface="8.1", pytest="9.1").splitlines()
        self.assertEqual([line.split(maxsplit=3) for line in lines[:-1]], [
            ["package", "pinned", "newest", "in"],
            ["attrs", "1.0", "1.1", "run.lock, test.lock"],
            ["zope-interface", "8", "8.1", "run.lock"],
        ])  # fmt: skip
        self.assertTrue(lines[-1].startswith("2 of 3 pins have a newer release; make lock"), lines[-1])
