"""A configuration with every key in it: what stands there has an effect and is the default, all else stands behind a `#`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from documenting.manual import facts, meaning
from llmux.config.reference import Entry

_HEAD = """\
Every key of llmux, as llmux.yaml(5) describes them. As it stands, this file changes nothing: each line is a default.
Behind a '#' without a space stands what is absent by default, with an example, and what has no effect yet.
Write into your own file what you want to be different; a section needs to name no more than that."""

_WIDTH = 120
_EMPTY = ("null", "[]", "{}")


def sample(entries: Iterable[Entry]) -> str:
    """The text of the file."""
    parts = [_wrapped(_HEAD, "# "), *(_lines(entry, "", dead=False) for entry in entries)]
    return "\n".join("".join(f"{line}\n" for line in part) for part in parts)


def _lines(entry: Entry, indent: str, dead: bool, bullet: bool = False) -> Iterator[str]:
    """A key with its description. `dead`: what it stands in is behind a `#`. `bullet`: it is the first one of a list's item."""
    example = entry.key.example
    if entry.children and not example:
        dead = dead or entry.later or bool(entry.default)  # a default is empty here: it holds none of what follows
        yield from _prose(entry, indent)
        yield _line(f"{entry.word}:", indent, dead, bullet)
        yield from _children(entry, indent, dead)
        return
    absent = entry.default in ("", *_EMPTY)
    value = example or entry.default or "{}" if absent else entry.default
    yield from _prose(entry, indent, value)
    for child in entry.children:
        yield from _wrapped(f"{child.word}: {meaning(child)} {_told(child)}", f"{indent}#     ")
    yield _line(f"{entry.word}: {value}", indent, dead or entry.later or (absent and bool(example)), bullet)


def _children(entry: Entry, indent: str, dead: bool) -> Iterator[str]:
    place = entry.key.read.place
    if place == ".NAME":
        yield _line("NAME:", f"{indent}  ", dead, bullet=False)
    deeper = indent + "  " * (2 if place else 1)
    for position, child in enumerate(entry.children):
        yield from _lines(child, deeper, dead, bullet=place == "[]" and position == 0)


def _line(text: str, indent: str, dead: bool, bullet: bool) -> str:
    mark = "#" if dead else ""
    return f"{indent[2:]}{mark}- {text}" if bullet else f"{indent}{mark}{text}"


def _prose(entry: Entry, indent: str, shown: str = "") -> Iterator[str]:
    """Its description, without the value that its line shows anyway."""
    yield from _wrapped(meaning(entry), f"{indent}# ")
    yield from _wrapped(_told(entry, shown), f"{indent}# ")


def _told(entry: Entry, shown: str = "") -> str:
    return " ".join(f"{name}: {fact}." for name, fact in facts(entry).items() if fact != f"`{shown}`")


def _wrapped(text: str, before: str) -> Iterator[str]:
    """Without the marks of the manual."""
    plain = text.replace("`", "")
    yield from textwrap.wrap(
        plain, _WIDTH, initial_indent=before, subsequent_indent=before, break_long_words=False, break_on_hyphens=False
    )
