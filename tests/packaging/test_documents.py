"""The manual pages, completions and annotated configuration, made as a package makes them and read as a user would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.cli import Options
from llmux.config import Config, parse
from llmux.config.reader import keys_of
from llmux.config.reference import reference
from llmux.logs import FORMATS, LEVELS

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "documents.py"
NAMES = ["_llmux", "llmux-reference.yaml", "llmux.8", "llmux.bash", "llmux.fish", "llmux.yaml.5"]

# What the examples name.
KEYS = ("LLMUX_KEY", "LAPTOP_KEY", "LAPTOP_AMP_KEY", "OPENAI_API_KEY", "OAUTH_SECRET", "AMP_API_KEY", "LLMUX_MANAGEMENT_SECRET")

COMPLETE = """
source "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_llmux
printf '%s\\n' "${COMPREPLY[@]}"
"""


def made(environ: Mapping[str, str]) -> dict[str, str]:
    """What the script writes, by file name."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "new" / "documents"
        subprocess.run([sys.executable, "-IB", str(SCRIPT), str(target)], cwd=folder, env={**os.environ, **environ}, check=True)
        return {path.name: path.read_text(encoding="ascii") for path in target.iterdir()}


@cache
def documents() -> dict[str, str]:
    return made({"SOURCE_DATE_EPOCH": "1700000000"})


def read(page: str) -> str:
    """The words of a manual page, as a terminal would show them."""
    text = re.sub(r"\\f[BRI]|\\&", "", documents()[page])
    for escape, character in ((r"\(ga", "`"), (r"\(aq", "'"), (r"\(ha", "^"), (r"\(ti", "~"), (r"\(dq", '"'), (r"\-", "-")):
        text = text.replace(escape, character)
    return text.replace(r"\e", "\\")


def examples(page: str) -> list[str]:
    """What a page shows as it is."""
    return [found[1] for found in re.finditer(r"^\.EX\n(.*?)^\.EE$", read(page), re.MULTILINE | re.DOTALL)]


class DocumentsTests(SynchronousTestCase):
    def test_all_are_made(self) -> None:
        self.assertEqual(sorted(documents()), NAMES)

    def test_the_same_sources_give_the_same_bytes(self) -> None:
        again = made({"SOURCE_DATE_EPOCH": "1700000000", "TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "1", "LANG": "C"})
        self.assertEqual(again, documents())

    def test_the_date_is_never_that_of_the_clock(self) -> None:
        self.assertIn('.TH LLMUX 8 "2023-11-14" ', documents()["llmux.8"])
        without = made({"SOURCE_DATE_EPOCH": ""})["llmux.8"]
        dates = re.findall(r"(?m)^## .*(\d{4}-\d{2}-\d{2})", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
        self.assertIn(f'.TH LLMUX 8 "{dates[0] if dates else ""}" ', without)

    def test_it_wants_one_folder(self) -> None:
        done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("python scripts/documents.py FOLDER", done.stderr)


class ManualTests(SynchronousTestCase):
    def test_every_command_and_option_is_told(self) -> None:
        text = read("llmux.8")
        for words, options in _commands(Options, "llmux"):
            about = text.partition(f"\n.SS {words}\n")[2].partition("\n.S")[0]
            for option in options.longOpt:
                name = option.removesuffix("=")
                doc = " ".join(options.docs[name].split())
                self.assertRegex(about, rf"(?m)^(-., |-. [A-Z]+, )?--{name}( [A-Z]+)?$", words)
                self.assertIn(doc, " ".join(about.split()))

    def test_its_sections(self) -> None:
        expected = "NAME SYNOPSIS DESCRIPTION COMMANDS OPTIONS SIGNALS SERVICE ENVIRONMENT FILES EXIT:STATUS EXAMPLES SEE:ALSO"
        sections = re.findall(r"^\.SH (.*)$", read("llmux.8"), re.MULTILINE)
        self.assertEqual(" ".join(name.replace(" ", ":") for name in sections), expected)

    def test_every_key_is_told(self) -> None:
        text = read("llmux.yaml.5")
        flat = " ".join(text.replace("\n.br\n", "\n").split())
        for entry in (entry for top in reference() for entry in top.walk()):
            self.assertRegex(text, rf"(?m)^(\.SS |\.TP\n){re.escape(entry.path)}\n")
            self.assertIn(" ".join(entry.key.doc.replace("`", "").split()), flat)
            for word in entry.key.words[1:]:
                self.assertIn(word, flat)

    def test_a_key_is_told_with_its_type_and_default(self) -> None:
        text = " ".join(read("llmux.yaml.5").split())
        for told in (
            ".SS drain How long running exchanges may take to end when llmux stops. Then they are cut off. .br "
            "Type: seconds, or a time such as 500ms, 30s or 2m. Default: 30. .SS limits",
            ".SS breaker When a provider that fails is passed over. Understood, has no effect yet. .TP breaker.failures",
            ".TP amp.model_mappings[].from The model that is asked for. Upper and lower case are the same. .br "
            "Type: text. Default: none, it is required. Example: claude-opus-4-5. .TP",
            "Type: a mapping (its keys are those of timeouts; what is left out is as there). .TP providers.NAME.retry",
            '(its keys are those of api_keys[], except models). Default: none. Example: "${AMP_API_KEY}".',
        ):
            self.assertIn(told, text)

    def test_the_examples_are_configurations(self) -> None:
        shown = examples("llmux.yaml.5")
        self.assertGreater(len(shown), 3)
        for example in shown:
            parse(example, "example", dict.fromkeys(KEYS, "a-real-key-0001"))  # raises ConfigError otherwise

    def test_nothing_in_the_text_is_a_request(self) -> None:
        known = {"TH", "SH", "SS", "PP", "TP", "br", "RS", "RE", "EX", "EE", "nh", "ad", "ss"}
        for page in ("llmux.8", "llmux.yaml.5"):
            found = re.findall(r"^[.'](\w*)", documents()[page], re.MULTILINE)
            self.assertLessEqual(set(found), known)
            self.assertNotRegex(documents()[page], r"(?m)^\{\w+\}$", "what llmux tells itself is missing")


class ReferenceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.text = documents()["llmux-reference.yaml"]
        self.environ = dict.fromkeys(KEYS, "a-real-key-0001")

    def test_as_it_stands_it_changes_nothing(self) -> None:
        config, default = parse(self.text, "reference", {}), parse("", "default", {})
        for name in keys_of(Config):
            if name != "providers":
                self.assertEqual(getattr(config, name), getattr(default, name), name)
        self.assertEqual([provider.name for provider in config.providers], ["demo"])
        self.assertNotIn("no effect", " ".join(map(str, config.notices)))

    def test_what_stands_behind_a_hash_can_be_used(self) -> None:
        text = re.sub(r"(?m)^( *)#(?! )", r"\1", self.text)
        self.assertGreater(len(re.findall(r"(?m)^ *#", self.text)), len(re.findall(r"(?m)^ *#", text)))
        config = parse(text, "reference", {name: f"{name}-0001" for name in self.environ})
        self.assertEqual([provider.name for provider in config.providers], ["NAME"])
        self.assertEqual([len(config.routes), len(config.endpoints), len(config.amp.model_mappings)], [1, 1, 1])
        self.assertEqual([key.key for key in config.api_keys], ["LLMUX_KEY-0001"])

    def test_every_key_is_there(self) -> None:
        for entry in (entry for top in reference() for entry in top.walk()):
            self.assertRegex(self.text, rf"(?m)^ *(#? *(- )?)?{entry.word}:", entry.path)


class CompletionTests(SynchronousTestCase):
    def complete(self, *words: str, **files: str) -> set[str]:
        """What bash offers for the last word, in a folder with these files."""
        folder = Path(self.mktemp())
        folder.mkdir(parents=True)
        script = folder.absolute().parent / "llmux.bash"
        script.write_text(documents()["llmux.bash"])
        for name in files:
            (folder / name.replace("_", ".")).touch()
        command = ["bash", "--norc", "--noprofile", "-c", COMPLETE, "bash", str(script), *words]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
        self.assertEqual(done.stderr, "")
        return set(filter(None, done.stdout.split("\n")))

    def test_commands(self) -> None:
        names = {words.split(" ")[1] for words, _ in _commands(Options, "llmux") if " " in words}
        self.assertEqual(self.complete("llmux", ""), names)
        self.assertEqual(self.complete("llmux", "r"), {name for name in names if name.startswith("r")})
        self.assertIn("run", self.complete("llmux", "r"))
        self.assertEqual(self.complete("llmux", "zebra"), set())

    def test_options(self) -> None:
        self.assertEqual(self.complete("llmux", "run", "--l"), {"--listen", "--log-format", "--log-level"})
        self.assertIn("--version", self.complete("llmux", "--"))
        self.assertNotIn("--config", self.complete("llmux", "check", "-"))

    def test_words(self) -> None:
        self.assertEqual(self.complete("llmux", "run", "--log-level", ""), set(LEVELS))
        self.assertEqual(self.complete("llmux", "run", "--log-format", "j"), {"json"})
        self.assertEqual(self.complete("llmux", "run", "--log-format", "="), set(FORMATS))
        self.assertEqual(self.complete("llmux", "run", "-c", "x", "--log-level", "=", "err"), {"error"})
        self.assertEqual(self.complete("llmux", "run", "--listen", ""), set())

    def test_files(self) -> None:
        files = {"llmux_yaml": "", "other": ""}
        self.assertEqual(self.complete("llmux", "check", "", **files), {"llmux.yaml", "other"})
        self.assertEqual(self.complete("llmux", "run", "--config", "ll", **files), {"llmux.yaml"})
        self.assertEqual(self.complete("llmux", "run", "-c", "zebra", **files), set())

    def test_all_shells_know_everything(self) -> None:
        for _, options in _commands(Options, "llmux"):
            for option in options.longOpt:
                name = option.removesuffix("=")
                self.assertIn(f" --{name} ", re.sub(r"[\"]", " ", documents()["llmux.bash"]))
                self.assertRegex(documents()["_llmux"], rf"\)?--{name}=?\[")
                self.assertIn(f" -l {name} ", documents()["llmux.fish"])
        for shell in ("llmux.bash", "_llmux", "llmux.fish"):
            for words in (LEVELS, FORMATS):
                self.assertIn(" ".join(words), documents()[shell])


def _commands(cls: Any, words: str) -> list[tuple[str, Any]]:
    found = [(words, cls())]
    for name, _, sub, _ in getattr(cls, "subCommands", []):
        found += _commands(sub, f"{words} {name}")
    return found
