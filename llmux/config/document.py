"""From the text of a file to the root node of its YAML document.

PyYAML's loaders give values without places and keep the last of two equal keys in silence. So the nodes of
`yaml.compose` are read instead: they have places, aliases and merge keys work, and nothing is ever constructed.
"""

from __future__ import annotations

import yaml

from llmux.config.nodes import Book, Node, mark
from llmux.config.problems import Mark, Mistake, Problem

# Values in all files together after their aliases are written out: far above any configuration, far below what a document
# of nested aliases ("billion laughs") needs to hurt.
MOST_VALUES = 100_000
MOST_DEPTH = 50
_DEEP = f"nested too deeply: more than {MOST_DEPTH} lists and mappings in each other"

# What plain values are given without being asked; anything else was written as `!tag`, for a program that builds objects.
_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "timestamp", "merge", "value", "map", "seq")
)

# Said of a plain `${NAME}` between brackets or braces, which YAML takes for a mapping.
_UNQUOTED = "; inside [...] and {...}, put ${NAME} in quotes"


def compose(text: str, file: str, book: Book) -> Node | None:
    """The document, or None where the text holds none. Raises Mistake for what is no YAML, or more than can be meant."""
    whole = Mark(file)
    try:
        root = _root(text, file)
        if root is None:
            return None
        size, depth = _measure(root, {})
        if book.size + size > MOST_VALUES:
            others = " and the files before it" if book.size else ""
            raise Mistake(Problem(whole, "", f"too large: with its aliases written out{others}, more than {MOST_VALUES} values"))
        if depth > MOST_DEPTH:
            raise Mistake(Problem(whole, "", _DEEP))
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        where = mark(at) if at else whole
        said = ", ".join(filter(None, (error.context, error.problem)))
        lines = text.splitlines()[where.line - 2 : where.line] if where.line > 1 else text.splitlines()[:1]
        hint = _UNQUOTED if any("${" in line for line in lines) else ""
        raise Mistake(Problem(where, "", f"not YAML: {said}{hint}")) from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        where = Mark(file, before.count("\n") + 1, error.position - before.rfind("\n"))
        raise Mistake(Problem(where, "", f"not YAML: character U+{ord(text[error.position]):04X} may not stand here")) from None
    except RecursionError:
        raise Mistake(Problem(whole, "", _DEEP)) from None
    book.size += size
    return Node(root, "", book)


def _root(text: str, file: str) -> yaml.Node | None:
    loader = yaml.SafeLoader(text)
    loader.name = file  # which every mark repeats
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def _measure(raw: yaml.Node, known: dict[int, tuple[int, int] | None]) -> tuple[int, int]:
    """How many values stand in a node when every alias is written out, and how deep. Each node is measured once."""
    if raw.tag not in _TAGS:
        raise Mistake(Problem(mark(raw.start_mark), "", f"the tag {raw.tag} means nothing here"))
    if isinstance(raw, yaml.ScalarNode):
        return 1, 0
    if id(raw) not in known:
        known[id(raw)] = None
        pairs = isinstance(raw, yaml.MappingNode)
        children = [node for pair in raw.value for node in pair] if pairs else raw.value
        measures = [_measure(child, known) for child in children]
        known[id(raw)] = 1 + sum(size for size, _ in measures), 1 + max((depth for _, depth in measures), default=0)
    measure = known[id(raw)]
    if measure is None:
        raise Mistake(Problem(mark(raw.start_mark), "", "an alias stands inside the very value that it repeats"))
    return measure
