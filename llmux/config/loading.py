"""From a file to a configuration, or to everything that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import attrs

from llmux.config.checks import open_door, unknown_callers, with_demo, without_skipped
from llmux.config.document import compose
from llmux.config.nodes import Book
from llmux.config.problems import ConfigError, Mark, Mistake, Notice, Problem
from llmux.config.reader import attempt
from llmux.config.schema import Config, root
from llmux.config.surroundings import commanded, surrounded


def load(path: str | None, environ: Mapping[str, str], *, replaced: bool = False) -> Config:
    """The configuration in a file; without one, the embedded default. Raises ConfigError with every mistake in it.

    `environ`: the environment, for `${NAME}` in values and for what it says itself (HOST, PORT, LLMUX_LOG,
    ADDITIONAL_API_KEYS). Key files and scenarios are looked for beside the file. `replaced`: the listeners are not the ones
    that will be opened, so whether they leave a door open is not asked.
    """
    if path is None:
        return _parse("", Book("built-in", environ, os.curdir), None, replaced)
    return _parse(_text(path), Book(path, environ, os.path.dirname(path) or os.curdir), path, replaced)


def parse(text: str, file: str, environ: Mapping[str, str], base_dir: str = ".") -> Config:
    """The configuration in a text; `file` is what its mistakes call it. Raises ConfigError with all of them."""
    return _parse(text, Book(file, environ, base_dir), file, replaced=False)


def override(
    config: Config, *, listen: Iterable[str] = (), log_level: str | None = None, log_format: str | None = None
) -> Config:
    """The configuration with what the command line says. Raises ConfigError."""
    config, problems = commanded(config, listen, log_level, log_format)
    problems += open_door(config)
    if problems:
        raise ConfigError(problems)
    return config


def _parse(text: str, book: Book, path: str | None, replaced: bool) -> Config:
    config = _read(text, book)
    config = attrs.evolve(config, path=path, listen_marks=book.marks)
    config, problems, notices = surrounded(config, book.environ)
    book.problems += problems
    book.notices += notices
    if not replaced and not any(problem.path.replace("-", "_").startswith("api_keys") for problem in book.problems):
        book.problems += open_door(config)  # else the keys that would close it may be the very ones that are wrong
    if book.problems:
        raise ConfigError(sorted(dict.fromkeys(book.problems), key=_place))
    config, notices = with_demo(without_skipped(config))
    book.notices += notices + unknown_callers(config)
    return attrs.evolve(config, notices=tuple(sorted(book.notices, key=_place)))


def _read(text: str, book: Book) -> Config:
    """What the document says. Raises ConfigError where it says nothing that could be checked any further."""
    try:
        node = compose(text, book)
        config = attempt(root, node, None) if node is not None else Config()
    except Mistake as mistake:
        raise ConfigError(filter(None, [mistake.problem])) from None
    if config is None:
        raise ConfigError(book.problems)
    return config


def _place(found: Problem | Notice) -> tuple[int, int]:
    return found.where.line, found.where.column


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise ConfigError([Problem(Mark(path), "", f"cannot be read: {error.strerror}")]) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        where = Mark(path, before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        raise ConfigError([Problem(where, "", "not UTF-8")]) from None
