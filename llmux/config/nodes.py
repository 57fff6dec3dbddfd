"""The values of a configuration, each of which knows where it stands and what it is called.

Several files may speak about one mapping. The later ones are then laid over the earlier: see `Node.entries`.
"""

from __future__ import annotations

import os
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
    """One reading of one configuration: what surrounds it, and what was found in it.

    `file` is the main file, and `partial` is set where a file could not be read. What was read and others refer to: `shared`
    sections by their class, `providers`, and the `marks` of endpoint strings as they come. `size` counts values; `noted` are the
    topics on which one notice is enough.
    """

    file: str
    environ: Mapping[str, str]
    partial: bool = False
    size: int = 0
    problems: list[Problem] = attrs.field(factory=list)
    notices: list[Notice] = attrs.field(factory=list)
    providers: tuple[Any, ...] = ()
    marks: list[Mark] = attrs.field(factory=list)
    shared: dict[type, object] = attrs.field(factory=dict)
    noted: set[str] = attrs.field(factory=set)


def mark(at: yaml.Mark) -> Mark:
    """A place of PyYAML's, which counts from 0, as ours."""
    return Mark(at.name, at.line + 1, at.column + 1)


def folder_of(file: str) -> str:
    """Where the relative paths in a file start."""
    return os.path.dirname(file) or os.curdir


@attrs.frozen
class Node:
    """One value, or one key. `path` is its dotted name from the root, which is ""; `over` is what later files add to it."""

    raw: yaml.Node
    path: str
    book: Book
    over: tuple[yaml.Node, ...] = ()

    @property
    def where(self) -> Mark:
        return mark(self.raw.start_mark)

    @property
    def folder(self) -> str:
        """Where a relative path that is written here starts."""
        return folder_of(self.where.file)

    def fail(self, message: str) -> NoReturn:
        """Raise the mistake that this value makes."""
        raise Mistake(self._problem(message))

    def blame(self, message: str) -> None:
        """Note a mistake of this value, and read on."""
        self.book.problems.append(self._problem(message))

    def lack(self, message: str) -> None:
        """Note that something is missing, unless it may stand in a file that could not be read."""
        if not self.book.partial:
            self.blame(message)

    def _problem(self, message: str) -> Problem:
        others = " and ".join(str(mark(raw.start_mark)) for raw in self.over)
        return Problem(self.where, self.path, message + (f" (also in {others})" if others else ""))

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
                number = int(_YAML.construct_yaml_int(yaml.ScalarNode(tag, value)))
                str(number)  # what is too long to be written cannot be named in a message either
                return number
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

    @property
    def last(self) -> Node:
        """What the last file says, for a mapping that is one thing and cannot be put together from several."""
        return Node(self.over[-1], self.path, self.book) if self.over else self

    def items(self) -> list[Node]:
        """The items of a list. Nothing is an empty list, and one value that is no list a list of one."""
        if self.null:
            return []
        if self.over:
            self.last._replaces((self.raw, *self.over)[-2])
        if not self.is_list:
            return [self.last]
        return [Node(item, f"{self.path}[{index}]", self.book) for index, item in enumerate(self.raw.value)]

    def entries(self, spelling: Callable[[str], str] = str) -> dict[str, tuple[Node, Node]]:
        """Key and value of every entry of a mapping, by name, in file order; what `<<` merges in comes last.

        Names that are one to `spelling` are one name: to give it twice in one file is a mistake, which is noted. What a later
        file says is laid over the earlier: mappings become one; anything else takes the place of the earlier value, which nobody
        reads then; and what is null says nothing.
        """
        if self.null:
            return {}
        self.demand_mapping()
        entries = self._entries(spelling)
        for raw in self.over:
            for name, (key, value) in Node(raw, self.path, self.book)._entries(spelling).items():
                if name in entries:
                    first, under = entries[name]
                    key, value = attrs.evolve(first, over=(*first.over, key.raw)), value._laid_over(under)
                entries[name] = key, value
        return entries

    def demand_mapping(self) -> None:
        """Raise the mistake of what is none."""
        if not self.is_mapping:
            self.fail(f"must be a mapping, not {self.kind}")

    def _laid_over(self, under: Node) -> Node:
        if self.null:
            return under
        if self.is_mapping and under.is_mapping:
            return attrs.evolve(under, over=(*under.over, self.raw))
        if self.is_list or under.is_list:
            self._replaces(under.raw)
        return self

    def _replaces(self, raw: yaml.Node) -> None:
        self.note(f"takes the place of what {mark(raw.start_mark)} says; lists of several files are not joined")

    def _entries(self, spelling: Callable[[str], str]) -> dict[str, tuple[Node, Node]]:
        """What one file says."""
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
            for name, entry in at._entries(spelling).items():
                entries.setdefault(name, entry)
        return entries
