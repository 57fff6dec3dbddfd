"""What a configuration may have wrong, and how it is said: `file:line:col: path: what, did you mean 'x'?`"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import attrs


@attrs.frozen
class Mark:
    """A place in a file; line and column count from 1. Line 0 means the file as a whole, or what is no file."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


BUILT_IN = Mark("built-in")  # the place of what nobody wrote


@attrs.frozen
class Problem:
    """A mistake. `path` names the key, as `providers.openai.dialect` or `api_keys[0]`; the root is ""."""

    where: Mark
    path: str
    message: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (str(self.where), self.path, self.message)))


@attrs.frozen
class Notice:
    """No mistake, but something that the writer may not expect. Same shape as a `Problem`."""

    where: Mark
    path: str
    message: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (str(self.where), self.path, self.message)))


class ConfigError(Exception):
    """The configuration cannot be used. `problems` holds every mistake, file by file; `str()` one a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Mistake(Exception):
    """Raised by what reads one value; what reads the collection around it notes the problem, and reads on.

    None means that there is no value, and nothing more to say: it has been noted already, or is no problem.
    """

    def __init__(self, problem: Problem | None = None) -> None:
        self.problem = problem
        super().__init__(str(problem))


def suggestion(word: str, known: Iterable[str]) -> str:
    """`, did you mean 'x'?` if a known word is close, else nothing."""
    close = difflib.get_close_matches(word.lower(), list(known), 1)
    return f", did you mean '{close[0]}'?" if close else ""


def listed(words: Iterable[object]) -> str:
    """`a, b or c`."""
    *most, last = [str(word) for word in words]
    return f"{', '.join(most)} or {last}" if most else last
