"""The reference: every key of the configuration in the order of the schema, for manuals and for a file with everything in it."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from llmux.config.reader import Key, keys_of
from llmux.config.schema import root


@attrs.frozen
class Entry:
    """A key and its place: `path` is its dotted name, with `[]` for the items of a list and NAME for a name of the writer's own.

    `default` is written as in the file, "null" for nothing. It is "" where the key must be there, and where it is a section,
    whose keys have their own. `later`: it has no effect yet, by itself or by what it stands in. A mapping with keys of ours has
    them as `children`, unless they have been told before: `like` is where, and `without` are those that are known only there.
    """

    path: str
    key: Key
    default: str
    later: bool
    like: str = ""
    without: frozenset[str] = frozenset()
    children: tuple[Entry, ...] = ()

    @property
    def word(self) -> str:
        """Its name in the file."""
        return self.key.words[0]

    def walk(self) -> Iterator[Entry]:
        """It and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def reference() -> tuple[Entry, ...]:
    """The keys at the top of the file, and in them all the others."""
    assert root.cls is not None
    return _entries(root.cls, "", False, {})


def _entries(cls: type, prefix: str, later: bool, told: dict[type, str]) -> tuple[Entry, ...]:
    """The keys of a class. `told` are the paths at which classes are described."""
    return tuple(_entry(key, prefix + key.words[0], later or key.later, told) for key in keys_of(cls).values())


def _entry(key: Key, path: str, later: bool, told: dict[type, str]) -> Entry:
    read = key.read
    entry = Entry(path, key, _default(key), later)
    if read.cls is None:
        return entry
    twin = next((cls for cls in told if issubclass(cls, read.cls)), None)
    if twin is not None:
        return attrs.evolve(entry, like=told[twin], without=_words(twin) - _words(read.cls))
    told[read.cls] = path + read.place
    return attrs.evolve(entry, children=_entries(read.cls, f"{path}{read.place}.", later, told))


def _default(key: Key) -> str:
    """A section's default is an object, which says nothing that its keys do not say."""
    return "" if key.required or attrs.has(type(key.default)) else key.read.write(key.default)


def _words(cls: type) -> frozenset[str]:
    return frozenset(key.words[0] for key in keys_of(cls).values())
