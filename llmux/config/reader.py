"""How sections are read: a class says its keys, one a line, each with what reads it, what stands where it is absent, and its
description, from which the manual is made (`reference`).

```python
@attrs.frozen(kw_only=True)
class Breaker:
    failures: int = key(integer(1), 5, doc="So many failures in a row open it.")
    open: float = key(seconds, 30.0, doc="How long it stays open before one attempt probes.")

breaker: Breaker = key(section(Breaker), Breaker(), doc="...")     # in the section around it
```

A reader turns a Node into a value. It raises Mistake (through `node.fail`); what reads a collection notes it,
and reads on with what comes next, so that one run reports every mistake.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

import attrs

from llmux.config.env import Unset
from llmux.config.nodes import Node
from llmux.config.problems import Mistake, suggestion

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
D = TypeVar("D")
Check = Callable[[Node, T], None]
Make = Callable[[Node, dict[str, Any]], T]

NO_EFFECT = "understood, has no effect yet"


def plain(value: object) -> str:
    """A value as it would be written in the file."""
    return f"{value:g}" if isinstance(value, float) else json.dumps(value)


def pairs(value: tuple[tuple[str, object], ...]) -> str:
    """A table as it would be written in the file."""
    return plain(dict(value))


@attrs.frozen(eq=False)
class Reader(Generic[T_co]):
    """What reads one value.

    `wants` is what it takes, worded to follow "must be". Where that is or holds mappings with keys of ours, `cls` is the class
    that declares them, and `place` is where they stand below the value: "" for the value itself, "[]" for the items of a list,
    ".NAME" for the values of a table. `refines`: what such a mapping leaves out is as in the `shared` one of its class.
    `write` is the way back: a value as it would be written in the file, or "null" where nothing can be written for it.
    """

    read: Callable[[Node], T_co]
    wants: str
    cls: type | None = None
    place: str = ""
    refines: bool = False
    write: Callable[[Any], str] = plain

    def __call__(self, node: Node) -> T_co:
        return self.read(node)


def reads(wants: str, write: Callable[[Any], str] = plain) -> Callable[[Callable[[Node], T]], Reader[T]]:
    """Make a function a reader of one value."""
    return lambda read: Reader(read, wants, write=write)


def reads_as(like: Reader[Any], wants: str = "") -> Callable[[Callable[[Node], T]], Reader[T]]:
    """Make a function a reader of what another one takes, in other words if `wants` gives any."""
    return lambda read: Reader(read, wants or like.wants, like.cls, like.place, write=like.write)


@attrs.frozen
class Key:
    """What a field of a section is in the file. `words` are all its names there, the usual one first; `default` is what stands
    where it is absent; the others are as `key` takes them."""

    read: Reader[Any]
    words: tuple[str, ...]
    doc: str
    example: str
    default: Any = None
    required: bool = False
    later: bool = False
    secret: bool = False


def key(
    read: Reader[T], default: T, *words: str, doc: str = "", example: str = "", later: bool = False, secret: bool = False
) -> T:
    """A key that may be absent, or empty.

    `words`: its names in the file, where they are not the field's own. `doc`: what it does, for those who run llmux; words to be
    typed stand in backquotes. `example`: a value as it would be written, where the default shows none. `later`: what it asks for
    is not built yet, which is said to whoever uses it. `secret`: it is left out where the section is printed.
    """
    about = Key(read, words, doc, example, default, later=later, secret=secret)
    field: Any = attrs.field(default=default, repr=not secret, metadata={"key": about})
    return field  # type: ignore[no-any-return]  # a field at the class, a T at its instances


def required(read: Reader[T], *words: str, doc: str = "", example: str = "", secret: bool = False) -> T:
    """A key that must be there. See `key`."""
    about = Key(read, words, doc, example, required=True, secret=secret)
    field: Any = attrs.field(repr=not secret, metadata={"key": about})
    return field  # type: ignore[no-any-return]  # as above


def keys_of(cls: type) -> dict[str, Key]:
    """The keys that a section class declares, by field."""
    declared = {field.name: field.metadata["key"] for field in attrs.fields(cls) if "key" in field.metadata}
    return {name: attrs.evolve(key, words=key.words or (name,)) for name, key in declared.items()}


def attempt(read: Callable[[Node], T], node: Node, otherwise: D) -> T | D:
    """What a reader gives; or `otherwise` where it gives nothing, its mistake noted."""
    try:
        return read(node)
    except Mistake as mistake:
        if mistake.problem is not None:
            node.book.problems.append(mistake.problem)
    except Unset as unset:
        node.blame(f"{unset}; set it, or write ${{{unset.name}:-default}}")
    return otherwise


def section(cls: type[T], check: Check[T] | None = None, make: Make[T] | None = None, private: bool = False) -> Reader[T]:
    """A reader of a mapping with the keys of `cls`; a field `where`, if there is one, gets the place.

    Keys are read in the order of the class, whatever that of the file. `make(node, values)` makes the object of what was
    given (a wrong value counts as the default), where there is more to do than to call `cls`; `check(node, object)` looks
    at how its values go together. `private` sections hold keys: a word that stands in the wrong place there may be one, and is
    not repeated.
    """
    keys = keys_of(cls)
    fields = {word: name for name, key in keys.items() for word in key.words}
    defaults = {field.name: field.default for field in attrs.fields(cast(Any, cls))}

    def field(word: str) -> str:
        snake = word.replace("-", "_")  # kebab and snake case are one
        return fields.get(snake, snake)

    def read(node: Node) -> T:
        entries = node.entries(field)
        for name, (at, _) in entries.items():
            if name not in keys:
                meant = suggestion(name, fields)
                blamed = attrs.evolve(at, path=f"{node.path}.…") if private and not meant else at
                blamed.blame(f"unknown key{meant}")
        values: dict[str, Any] = {"where": node.where} if "where" in defaults else {}
        for name, key in keys.items():
            _, value = entries.get(name, (node, None))
            if value is not None and not value.null:
                values[name] = attempt(key.read, value, defaults[name])
                if key.later:
                    value.note_once(NO_EFFECT, f"{cls.__name__}.{name}")
            elif key.required:
                node.lack(f"needs the key '{key.words[0]}'")
                values[name] = attrs.NOTHING
        if attrs.NOTHING in values.values():
            raise Mistake
        made = make(node, values) if make else cls(**values)
        if check:
            check(node, made)
        return made

    return Reader(read, "a mapping", cls)


def shared(cls: type[T], check: Check[T] | None = None) -> Reader[T]:
    """A reader of the section that others of its class start from."""

    def make(node: Node, values: dict[str, Any]) -> T:
        node.book.shared[cls] = cls(**values)
        return inherited(node, cls)

    return section(cls, check, make)


def refined(cls: type[T], check: Check[T] | None = None) -> Reader[T]:
    """A reader of a section that says only where it differs from the shared one."""
    read = section(cls, check, lambda node, values: attrs.evolve(cast(Any, inherited(node, cls)), **values))
    return attrs.evolve(read, refines=True)


def inherited(node: Node, cls: type[T]) -> T:
    """The shared section of a class, or its defaults."""
    return cast(T, node.book.shared.get(cls) or cls())


def each(read: Reader[T]) -> Reader[tuple[T, ...]]:
    """A reader of a list. A list of one may be written without its brackets."""

    def read_all(node: Node) -> tuple[T, ...]:
        found = (attempt(read, item, _NONE) for item in node.items())
        return tuple(value for value in found if not isinstance(value, _None))

    return Reader(read_all, f"a list, each item {read.wants}", read.cls, f"[]{read.place}")


def some(read: Reader[T]) -> Reader[tuple[T, ...]]:
    """A reader of a list with at least one item."""
    read_all = each(read)

    def read_some(node: Node) -> tuple[T, ...]:
        if not node.items():
            node.fail("must not be empty")
        return read_all(node)

    return attrs.evolve(
        read_all,
        read=read_some,
        wants=f"a list of at least one item, each {read.wants}",
        write=lambda value: plain(value) if value else "null",
    )


def table(read: Reader[T]) -> Reader[tuple[tuple[str, T], ...]]:
    """A reader of a mapping whose keys are names and not words of ours: they stand as they are."""

    def read_all(node: Node) -> tuple[tuple[str, T], ...]:
        found = ((name, attempt(read, value, _NONE)) for name, (_, value) in node.entries().items())
        return tuple((name, value) for name, value in found if not isinstance(value, _None))

    return Reader(read_all, f"a mapping from names, each to {read.wants}", read.cls, f".NAME{read.place}", write=pairs)


class _None:
    """No value, where None might be one."""


_NONE = _None()
