"""Tests for the golden cases: a test for each file, and tests for the strictness with which they are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.golden import files, runner

_SMALL = "title: small\nrequests:\n  - name: one\n    says:\n      anthropic: {max_tokens: 1, messages: []}\n"


class GoldenTests(SynchronousTestCase):
    """Every cell of every case; the methods are made from the files below."""


def _test(path: Path) -> Callable[[GoldenTests], None]:
    def test(self: GoldenTests) -> None:
        red = [(cell.name, fault) for cell in runner.cells(files.load(path)) if (fault := cell.fault()) is not None]
        told = [f"{name}\n    {fault.replace(chr(10), chr(10) + '    ')}" for name, fault in red]
        self.assertEqual(len(red), 0, "\n".join([f"{len(red)} cells are red", *told]))

    test.__doc__ = f"The cells of {path.name}."
    return test


for _path in files.paths():
    _name = f"test_{_path.stem.replace('-', '_')}"
    _made = _test(_path)
    _made.__name__, _made.__qualname__ = _name, f"GoldenTests.{_name}"
    setattr(GoldenTests, _name, _made)


class FormatTests(SynchronousTestCase):
    """A file that means nothing, or two things, is refused."""

    def load(self, text: str) -> files.Case:
        path = Path(self.mktemp()).with_name("01-small.yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return files.load(path)

    def refused(self, text: str, word: str) -> None:
        error = self.assertRaises(files.FormatError, self.load, text)
        self.assertIn(word, str(error))

    def cell(self, text: str, word: str) -> None:
        self.refused(f"{_SMALL}    cells:\n      {text}\n", word)

    def test_small(self) -> None:
        """What is right is read."""
        case = self.load(_SMALL)
        self.assertEqual((case.number, case.title, [entry.name for entry in case.entries]), (1, "small", ["one"]))

    def test_unknown_keys(self) -> None:
        """A key that nobody reads, wherever it stands."""
        self.refused(f"{_SMALL}note: x\n", "note")
        self.refused(f"{_SMALL}    say: {{}}\n", "say")
        self.refused(f"{_SMALL}    models: {{mistral: x}}\n", "mistral")
        self.refused(f"{_SMALL}    options: {{stricter: true}}\n", "stricter")
        self.cell("anthropic > gemini: {note: []}", "note")
        self.cell("anthropic > gemini: {error: {reason: x}}", "reason")

    def test_unknown_pairs(self) -> None:
        """A pair of nobody."""
        for pair in ("anthropic > mistral", "anthropic", "anthropic >gemini", "'* > nobody'"):
            self.cell(f"{pair}: {{}}", "is no pair")

    def test_contradictions(self) -> None:
        """Words that exclude each other."""
        self.cell("anthropic > gemini: {change: {}, body: {}}", "either body or change")
        self.cell("anthropic > gemini: {skip: x, notes: []}", "skip stands alone")
        self.cell("anthropic > gemini: {refused: /x, notes: []}", "refused stands alone")

    def test_notes(self) -> None:
        """A note is an action and a pointer, and stands once."""
        for note in ("lost /seed", "dropped seed", "dropped"):
            self.cell(f"anthropic > gemini: {{notes: [{note}]}}", "is no note")
        self.cell("anthropic > gemini: {notes: [dropped /seed, dropped /seed]}", "twice")
        self.cell("anthropic > gemini: {notes: dropped /seed}", "must be a list")

    def test_twice(self) -> None:
        """A key that stands twice, and a name."""
        self.refused(f"{_SMALL}title: again\n", "title stands twice")
        self.refused(_SMALL + _SMALL.partition("requests:\n")[2], "two are called")

    def test_missing(self) -> None:
        """What cannot be left out."""
        self.refused("title: small\n", "no entry")
        self.refused("title: small\nrequests: [{says: {}}]\n", "has no name")
        self.refused("title: small\nresponses: [{name: one}]\n", "says is missing")
        self.refused("title: small\nresponses: [{name: one, request: other, says: {}}]\n", "no request is called 'other'")
        self.refused("title: small\nerrors: [{name: one, from: {gemini: {status: 500}}, told: {}}]\n", "either body or text")

    def test_words_stay_words(self) -> None:
        """`off` and `no` are no truth values."""
        self.assertEqual(self.load(_SMALL.replace("one", "off")).entries[0].name, "off")

    def test_the_model_is_left_out(self) -> None:
        """The runner says it."""
        self.refused(_SMALL.replace("max_tokens: 1", "model: x"), "the model")
