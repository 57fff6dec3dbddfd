"""What README.md tells people to type works as it stands there."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import shutil
import subprocess
import urllib.request
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.e2e.daemon import CHECK, LOCAL, ROOT, RUN, Shared, direct, environment

ADDRESS = "http://127.0.0.1:8743"
_TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_GREETING = "Hello from llmux!"


def blocks(language: str) -> list[str]:
    """The code blocks of a language."""
    return [match[2] for match in _BLOCK.finditer(_TEXT) if match[1] == language]


# As `make run` starts it, but on a free port.
_DAEMON = Shared(lambda folder: (), command=RUN)


class SnippetTests(SynchronousTestCase):
    """Against a daemon with no configuration, no key and no network."""

    def here(self, text: str) -> str:
        """The text with the running daemon's address in it."""
        self.assertIn(ADDRESS, text)
        return text.replace(ADDRESS, _DAEMON.daemon.url)

    def test_curl(self) -> None:
        """One line for each dialect; by curl where there is one."""
        lines = [line for block in blocks("sh") for line in block.splitlines()]
        self.assertEqual([line.split()[0] for line in lines], ["curl"] * 4)
        for line in lines:
            words = shlex.split(self.here(line))
            said = _run(words) if shutil.which("curl") else _curl(words)
            self.assertIn(_GREETING, _told(said), f"{line}\n{said}")

    def test_install(self) -> None:
        """Each way takes three commands at most; the last of them is a first call, which works."""
        ways = [block.splitlines() for block in blocks("console")][:3]
        self.assertEqual([way[0].split()[0] for way in ways], ["make", "pipx", "pip"])
        for way in ways:
            self.assertLessEqual(len(way), 3)
            words = shlex.split(self.here(way[-1]))
            self.assertIn(_GREETING, _told(_run(words) if shutil.which("curl") else _curl(words)))

    def test_sdks(self) -> None:
        """One snippet for each dialect, run as it stands."""
        snippets = blocks("python")
        self.assertEqual([_library(snippet) for snippet in snippets], ["openai", "openai", "anthropic", "google"])
        for snippet in snippets:
            said = io.StringIO()
            with direct(), contextlib.redirect_stdout(said), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                names: dict[str, Any] = {}
                exec(compile(self.here(snippet), "README.md", "exec"), names)
                names["client"].close()
            self.assertIn(_GREETING, said.getvalue(), snippet)

    def test_decision(self) -> None:
        """The header that is explained is the one that is sent."""
        (shown,) = re.findall(r"^x-llmux-decision: (.*)$", _TEXT, re.MULTILINE)
        body = b'{"model": "gpt-5", "input": "hello"}'
        request = urllib.request.Request(f"{_DAEMON.daemon.url}/v1/responses", body, {"content-type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=20) as response:
            sent = response.headers["x-llmux-decision"]
        self.assertEqual(sent.replace("provider=demo", "provider=openai"), shown)


class ConfigurationTests(SynchronousTestCase):
    """The examples pass `llmux check`."""

    def check(self, file: Path, environ: Mapping[str, str] | None = None) -> str:
        """What it says of a file that must be fine."""
        command = [*CHECK, str(file)]
        folder = Path(self.mktemp()).absolute()
        folder.mkdir(parents=True)
        done = subprocess.run(command, cwd=folder, env=environment(folder, environ), capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return done.stdout

    def test_examples(self) -> None:
        """Without the variables that they name: a warning for each; with them: none."""
        amp, keys = blocks("yaml")
        self.assertLessEqual(len(amp.splitlines()), 12)
        file = Path(self.mktemp()).absolute()
        file.write_text(amp)
        said = self.check(file)
        variables = _VARIABLE.findall(amp)
        self.assertEqual(len(variables), 3)
        for variable in variables:
            self.assertIn(variable, said)
        self.assertIn("warning: ", said)
        said = self.check(file, dict.fromkeys(variables, "a-real-key-0001"))
        self.assertNotIn("warning", said)
        # A key list of which nothing is left is refused, so this one has its variable.
        file.write_text(keys + amp)
        self.check(file, dict.fromkeys((*variables, "LLMUX_KEY"), "a-real-key-0001"))

    def test_shipped(self) -> None:
        """Nothing has to be set for the file that is shipped."""
        self.check(ROOT / "etc" / "llmux" / "llmux.yaml")

    def test_links(self) -> None:
        """What it links to is there."""
        for target in re.findall(r"\]\(([^)#:]+)\)", _TEXT):
            self.assertTrue((ROOT / target).exists(), target)

    def test_listen_option(self) -> None:
        """The options that it names are the daemon's."""
        done = subprocess.run([*RUN, "--help"], capture_output=True, text=True, check=True, env=environment(ROOT))
        for option in ("--config", "--listen", "--log-format", "--log-level"):
            self.assertIn(option, done.stdout)
            self.assertIn(option, _TEXT)
        self.assertTrue(LOCAL.startswith("tcp:"))


def _library(snippet: str) -> str:
    match = re.match(r"from (\w+)", snippet)
    return match[1] if match else ""


def _run(words: list[str]) -> str:
    done = subprocess.run([*words, "--noproxy", "*", "--max-time", "20"], capture_output=True, encoding="utf-8", check=True)
    return done.stdout


def _curl(words: list[str]) -> str:
    """What curl would do with these words, as far as README.md goes."""
    url, headers, body = "", {}, b""
    rest = iter(words[1:])
    for word in rest:
        if word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(rest).encode()
        elif not word.startswith("-"):
            url = word
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, body, headers), timeout=20) as response:
        return str(response.read().decode())


def _told(said: str) -> str:
    """The text of an answer, whole or streamed, in whatever dialect."""
    records = [line.removeprefix("data: ") for line in said.splitlines() if line.startswith("data: {")] or [said]
    return "".join(text for record in records for text in _texts(json.loads(record)))


def _texts(node: Any) -> list[str]:
    if isinstance(node, list):
        return [text for each in node for text in _texts(each)]
    if isinstance(node, dict):
        own = [node[name] for name in ("text", "content") if isinstance(node.get(name), str) and not node.get("thought")]
        return own + [text for each in node.values() for text in _texts(each)]
    return []
