"""What debian/ says fits the rest: versions, locks, the licences of what is bundled, and the daemon that the units run."""

from __future__ import annotations

import re
import runpy
import subprocess
from importlib import metadata
from pathlib import Path

from packaging.utils import canonicalize_name
from twisted.trial.unittest import SynchronousTestCase

import llmux
from llmux.config import Config
from tests.packaging.test_locks import read

ROOT = Path(__file__).resolve().parents[2]
DEBIAN = ROOT / "debian"

# How debian/copyright writes what SPDX calls otherwise.
SPELLING = {"MIT": "Expat", "OR": "or", "AND": "and"}


def text(name: str) -> str:
    """A file of debian/."""
    return (DEBIAN / name).read_text(encoding="utf-8")


def unit(name: str) -> dict[str, list[str]]:
    """The directives of a unit with their values, whichever section they are in."""
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", text(name), re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


class SourceTests(SynchronousTestCase):
    def test_version(self) -> None:
        (version,) = re.findall(r"^llmux \((.+)-\d+\) ", text("changelog"), re.MULTILINE)[:1]
        self.assertEqual(version, llmux.__version__)

    def test_the_shipped_lock_is_the_one_that_is_tested(self) -> None:
        """The tests' own lock holds requirements.lock pin by pin, and nothing else reaches the virtual environment."""
        rules = text("rules").replace("\\\n", " ")
        installs = [line for line in rules.splitlines() if " --python $(VENV)" in line and " install " in line]
        self.assertEqual([re.findall(r" -r (\S+)", line) for line in installs], [["requirements.lock"], []])
        self.assertIn("$(FROM_WHEELHOUSE)", installs[0])
        self.assertRegex(rules, r"FROM_WHEELHOUSE := .* --require-hashes\n")
        self.assertTrue(installs[1].endswith(" $(INSTALL) --find-links $(BUILD)/wheel llmux"), installs[1])

    def test_licences(self) -> None:
        """What is bundled is listed with the licence that it names, and every licence has its text."""
        paragraphs = re.findall(r"^Files: wheelhouse/(.+)-\*\n(?:.+\n)*?License: (.+)\n", text("copyright"), re.MULTILINE)
        listed = {canonicalize_name(name): licence for name, licence in paragraphs}
        licence = runpy.run_path(str(ROOT / "scripts" / "sbom.py"))["licence"]
        named = {str(name): licence(metadata.distribution(name)) for name in read("requirements.lock")}
        spelt = {name: re.sub(r"\w[\w.-]*", lambda word: SPELLING.get(word[0], word[0]), each) for name, each in named.items()}
        self.assertEqual(listed, spelt)
        texts = set(re.findall(r"^License: (.+)\n ", text("copyright"), re.MULTILINE))
        words = {word for each in spelt.values() for word in re.findall(r"[\w.-]+", each)} - {"or", "and"}
        self.assertEqual(texts, words)

    def test_every_override_has_its_reason_above(self) -> None:
        blocks = [block.splitlines() for block in text("llmux.lintian-overrides").strip().split("\n\n")]
        self.assertGreater(len(blocks), 1)
        for block in blocks:
            self.assertTrue(block[0].startswith("# "), block)
            self.assertFalse(block[-1].startswith("#"), block)


class UnitTests(SynchronousTestCase):
    def test_time_to_stop(self) -> None:
        """systemd waits for longer than the daemon drains."""
        (seconds,) = unit("llmux.service")["TimeoutStopSec"]
        self.assertGreater(int(seconds), Config().drain)

    def test_tls_works(self) -> None:
        """OpenSSL's callbacks are made in memory that is written and then executed."""
        self.assertNotIn("MemoryDenyWriteExecute", unit("llmux.service"))

    def test_the_sockets_are_where_the_daemon_would_listen(self) -> None:
        (listen,) = Config().listen
        (port, interface) = re.fullmatch(r"tcp:(\d+):interface=(.+)", listen).groups()  # type: ignore[union-attr]
        for name in ("llmux.socket", "llmux@.socket"):
            self.assertEqual(unit(name)["ListenStream"], [f"{interface}:{port}"])
        self.assertEqual(unit("llmux@.socket")["ReusePort"], ["yes"])

    def test_an_instance_is_the_service(self) -> None:
        """The same walls and the same commands; only what makes it an instance differs."""
        command = ["sed", "-f", str(DEBIAN / "instance.sed"), str(DEBIAN / "llmux.service")]
        made = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
        service, instance = set(text("llmux.service").splitlines()), set(made.splitlines())
        self.assertEqual(
            {line for line in service - instance if line},
            {"Description=LLM API multiplexer", "RuntimeDirectory=llmux"},
        )
        self.assertEqual(
            {line for line in instance - service if not line.startswith("#")},
            {
                "Description=LLM API multiplexer, instance %i",
                "Requires=llmux@%i.socket",
                "After=llmux@%i.socket",
                "Environment=LLMUX_INSTANCE=%i",
                "RuntimeDirectory=llmux/%i",
                "Also=llmux@%i.socket",
            },
        )
