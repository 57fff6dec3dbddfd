"""The values of a YAML document, each of which knows where it stands and what it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import attrs
import yaml

from llmux.config.env import expand
from llmux.config.problems import Mark, Mistake, Notice, Problem

_TAG = "tag:yaml.org,2002:"
_NULL, _BOOL, _INT, _FLOAT, _MERGE = (_TAG + name for name in ("null", "bool", "int", "float", "merge"))
_KINDS = {_NULL: "nothing", _BOOL: "true or false", _INT: "a number", _FLOAT: "a number"}

Plain = bool | int | float | str | None

# What a plain scalar means is asked of PyYAML's own rules and constructors, and of nothing that can build more than that.
_YAML = yaml.SafeLoader("")


@attrs.define
class Book:
    """One reading of one configuration: what surrounds the file, and what was found in it.

    `base_dir` is where relative paths start. What was read and others refer to: `shared` sections by their class,
    `providers`, and the `marks` of endpoint strings. `noted` are the topics on which one notice is enough.
    """

    file: str
    environ: Mapping[str, str]
    base_dir: str
    problems: list[Problem] = attrs.field(factory=list)
    notices: list[Notice] = attrs.field(factory=list)
    providers: tuple[Any, ...] = ()
    marks: dict[str, Mark] = attrs.field(factory=dict)
    shared: dict[type, object] = attrs.field(factory=dict)
    noted: set[str] = attrs.field(factory=set)


def mark(file: str, at: yaml.Mark) -> Mark:
    """A place of PyYAML's, which counts from 0, as ours."""
    return Mark(file, at.line + 1, at.column + 1)


@attrs.frozen
class Node:
    """One value, or one key. `path` is its dotted name from the root, which is ""."""

    raw: yaml.Node
    path: str
    book: Book

    @property
    def where(self) -> Mark:
        return mark(self.book.file, self.raw.start_mark)

    def fail(self, message: str) -> NoReturn:
        """Raise the mistake that this value makes."""
        raise Mistake(Problem(self.where, self.path, message))

    def blame(self, message: str) -> None:
        """Note a mistake of this value, and read on."""
        self.book.problems.append(Problem(self.where, self.path, message))

    def note(self, message: str) -> None:
        """Note what the writer may not expect."""
        self.book.notices.append(Notice(self.where, self.path, message))

    def note_once(self, message: str, topic: str) -> None:
        """Note it, unless that was done for this topic before."""
        if topic not in self.book.noted:
            self.book.noted.add(topic)
            self.note(message)

    @property
    def null(self) -> bool:
        """Nothing is written here, or `null`, or `~`."""
        return isinstance(self.raw, yaml.ScalarNode) and self.raw.tag == _NULL

    @property
    def is_list(self) -> bool:
        return isinstance(self.raw, yaml.SequenceNode)

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.raw, yaml.MappingNode)

    @property
    def kind(self) -> str:
        """What is written here, in words."""
        if self.is_mapping:
            return "a mapping"
        return "a list" if self.is_list else _KINDS.get(self.raw.tag, "text")

    def text(self) -> str:
        """Text with its variables filled in; `"8"` is text, `8` is not. Raises env.Unset for a variable that is not set."""
        value, filled = self._scalar("text")
        if not filled and self.kind != "text":
            self.fail(f"must be text, not {self.kind}" + ("" if self.null else "; put it in quotes"))
        return value

    def plain(self) -> Plain:
        """A scalar as YAML reads it. What a variable brought in counts as if it stood in the file. Raises env.Unset."""
        value, filled = self._scalar("one value")
        quoted = isinstance(self.raw, yaml.ScalarNode) and self.raw.style is not None
        tag = _YAML.resolve(yaml.ScalarNode, value, (True, False)) if filled and not quoted else self.raw.tag
        try:
            if tag == _NULL:
                return None
            if tag == _BOOL:
                return bool(_YAML.construct_yaml_bool(yaml.ScalarNode(tag, value)))
            if tag == _INT:
                return int(_YAML.construct_yaml_int(yaml.ScalarNode(tag, value)))
            if tag == _FLOAT:
                return float(_YAML.construct_yaml_float(yaml.ScalarNode(tag, value)))
        except (ValueError, KeyError, IndexError):
            self.fail(f"'{value}' is not {_KINDS[tag]}")
        return value

    def _scalar(self, wanted: str) -> tuple[str, bool]:
        """What is written, with its variables filled in, and whether there were any."""
        if not isinstance(self.raw, yaml.ScalarNode):
            self.fail(f"must be {wanted}, not {self.kind}")
        written: str = self.raw.value
        if "$" not in written:
            return written, False
        try:
            return expand(written, self.book.environ), True
        except ValueError as error:
            self.fail(str(error))

    def items(self) -> list[Node]:
        """The items of a list. Nothing is an empty list, and one value that is no list a list of one."""
        if self.null:
            return []
        if not self.is_list:
            return [self]
        return [Node(item, f"{self.path}[{index}]", self.book) for index, item in enumerate(self.raw.value)]

    def entries(self, spelling: Callable[[str], str] = str) -> dict[str, tuple[Node, Node]]:
        """Key and value of every entry of a mapping, by name, in file order; what `<<` merges in comes last.

        Names that are one to `spelling` are one name: to give it twice is a mistake, which is noted.
        """
        if self.null:
            return {}
        if not self.is_mapping:
            self.fail(f"must be a mapping, not {self.kind}")
        entries: dict[str, tuple[Node, Node]] = {}
        merged: list[yaml.Node] = []
        for raw_key, raw_value in self.raw.value:
            if raw_key.tag == _MERGE:
                merged += raw_value.value if isinstance(raw_value, yaml.SequenceNode) else [raw_value]
                continue
            if not isinstance(raw_key, yaml.ScalarNode):
                Node(raw_key, self.path, self.book).blame("a key must be text")
                continue
            path = f"{self.path}.{raw_key.value}" if self.path else raw_key.value
            key, value = Node(raw_key, path, self.book), Node(raw_value, path, self.book)
            first, _ = entries.setdefault(spelling(raw_key.value), (key, value))
            if first.raw is not raw_key:
                also = "" if first.raw.value == raw_key.value else f" (as '{first.raw.value}')"
                key.blame(f"given twice, first in line {first.where.line}{also}")
        for source in merged:
            at = Node(source, self.path, self.book)
            if not at.is_mapping:
                at.blame("'<<' takes a mapping, or a list of mappings")
                continue
            for name, entry in at.entries(spelling).items():
                entries.setdefault(name, entry)
        return entries
