"""From files to a configuration, or to everything that is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence

import attrs

from llmux.config.checks import colliding, open_door, unknown_callers, with_demo, without_skipped
from llmux.config.document import compose
from llmux.config.files import contents, decoded, site_files
from llmux.config.nodes import Book, Node
from llmux.config.problems import BUILT_IN, ConfigError, Mark, Mistake, Notice, Problem
from llmux.config.reader import attempt
from llmux.config.schema import Config, root
from llmux.config.surroundings import commanded, surrounded


def load(path: str | None, environ: Mapping[str, str], *, replaced: bool = False) -> Config:
    """The configuration in a file and the folder `conf.d` beside it; without one, the embedded default.

    Raises ConfigError with every mistake in them. `environ`: the environment, for `${NAME}` in values and for what it says
    itself (HOST, PORT, LLMUX_LOG, ADDITIONAL_API_KEYS). Key files and scenarios are looked for beside the file that names them.
    `replaced`: the listeners are not the ones that will be opened, so nothing is asked of them.
    """
    if path is None:
        return _assembled(Book("built-in", environ), [], contents, replaced)
    book = Book(path, environ)
    return _assembled(book, [path, *site_files(book)], contents, replaced)


def parse(text: str, file: str, environ: Mapping[str, str]) -> Config:
    """The configuration in a text; `file` is what its mistakes call it. Raises ConfigError with all of them."""
    return _assembled(Book(file, environ), [file], lambda _: text.encode(), replaced=False)


def override(
    config: Config, *, listen: Iterable[str] = (), log_level: str | None = None, log_format: str | None = None
) -> Config:
    """The configuration with what the command line says. Raises ConfigError."""
    config, problems = commanded(config, listen, log_level, log_format)
    problems = problems or colliding(config) + open_door(config)
    if problems:
        raise ConfigError(problems)
    return config


def _assembled(book: Book, files: Sequence[str], read: Callable[[str], bytes], replaced: bool) -> Config:
    digest = hashlib.sha256()
    roots: list[Node] = []
    for file in files:
        try:
            data = read(file)
            digest.update(data)
            roots += _root(decoded(data, file), file, book)
        except Mistake as mistake:
            book.problems += filter(None, [mistake.problem])
            book.partial = True  # so that the others can be read, without asking them for what may stand here
    config = _read(roots, book)
    config = attrs.evolve(config, path=files[0] if files else None, files=tuple(files), digest=digest.hexdigest())
    config = _marked(config, book.marks)
    config, problems, notices = surrounded(config, book.environ)
    book.problems += problems
    book.notices += notices
    if not replaced and not book.partial:
        book.problems += colliding(config)
        if not any(problem.path.replace("-", "_").startswith("api_keys") for problem in book.problems):
            book.problems += open_door(config)  # else the keys that would close it may be the very ones that are wrong

    def place(found: Problem | Notice) -> tuple[int, int, int]:
        where = found.where
        return files.index(where.file) if where.file in files else -1, where.line, where.column

    if book.problems:
        raise ConfigError(sorted(dict.fromkeys(book.problems), key=place))
    config, notices = with_demo(without_skipped(config), config.providers, fresh=not roots)
    notices += book.notices + unknown_callers(config)
    return attrs.evolve(config, notices=tuple(sorted(dict.fromkeys(notices), key=place)))


def _marked(config: Config, marks: Sequence[Mark]) -> Config:
    """The configuration with the places of its listeners; those of `listen` were read first."""
    if config.metrics.listen is not None:
        *marks, last = marks
        config = attrs.evolve(config, metrics_mark=last)
    return attrs.evolve(config, listen_marks=tuple(marks) or (BUILT_IN,) * len(config.listen))


def _root(text: str, file: str, book: Book) -> Iterable[Node]:
    """The document of a file, if it says anything."""
    node = compose(text, file, book)
    if node is None or node.null:
        return []
    node.demand_mapping()
    return [node]


def _read(roots: Sequence[Node], book: Book) -> Config:
    """What the documents say, each laid over those before it."""
    if not roots:
        return Config()
    first, *others = roots
    return attempt(root, attrs.evolve(first, over=tuple(other.raw for other in others)), None) or Config()
