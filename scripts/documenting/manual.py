"""The parts of the manual that llmux itself tells, in the markup of `roff`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from documenting.commands import Command, Option
from llmux.config.reader import NO_EFFECT
from llmux.config.reference import Entry

_NO_EFFECT = f"{NO_EFFECT.capitalize()}."


def synopsis(llmux: Command) -> str:
    """How each command is called."""
    return _blocks(f"`{command.words}` {_marked(command.synopsis)}" for command in llmux.walk() if not command.commands)


def commands(llmux: Command) -> str:
    """What each command does."""
    leaves = [command for command in llmux.walk() if not command.commands]
    return _blocks(f"`{each.words}` {_marked(each.synopsis)}\n: {each.doc or each.summary}" for each in leaves)


def options(llmux: Command) -> str:
    """The options of each command."""
    return _blocks(block for command in llmux.walk() for block in _options(command))


def keys(entries: Iterable[Entry]) -> str:
    """Every key of the configuration, those at the top as headings."""
    return _blocks(block for top in entries for block in (f"## {top.path}", _told(top), *map(_key, list(top.walk())[1:])))


def meaning(entry: Entry) -> str:
    """What a key does."""
    parts = [entry.key.doc]
    if entry.key.words[1:]:
        parts.append(f"Also spelled {' or '.join(f'`{word}`' for word in entry.key.words[1:])}.")
    if entry.key.later:
        parts.append(_NO_EFFECT)
    return " ".join(parts)


def facts(entry: Entry) -> dict[str, str]:
    """What it takes, what stands where it is absent, and an example. Nothing of a section: its keys tell."""
    key = entry.key
    if entry.children and not entry.default and not key.example:
        return {}
    told = {"Type": _typed(entry)}
    if key.required:
        told["Default"] = "none, it is required"
    elif entry.default:
        told["Default"] = "none" if entry.default == "null" else f"`{entry.default}`"
    if key.example:
        told["Example"] = f"`{key.example}`"
    return told


def _typed(entry: Entry) -> str:
    wants = entry.key.read.wants
    if not entry.like:
        return wants
    without = f", except {' and '.join(f'`{word}`' for word in sorted(entry.without))}" if entry.without else ""
    rest = "; what is left out is as there" if entry.key.read.refines else ""
    return f"{wants} (its keys are those of `{entry.like}`{without}{rest})"


def _told(entry: Entry) -> str:
    told = " ".join(f"*{name}*: {fact}." for name, fact in facts(entry).items())
    return f"{meaning(entry)}  \n{told}" if told else meaning(entry)


def _key(entry: Entry) -> str:
    return f"`{entry.path}`\n: {_told(entry)}"


def _options(command: Command) -> Iterator[str]:
    yield f"## {command.words}"
    yield from (f"{_spelled(option)}\n: {option.doc}" for option in command.options)


def _spelled(option: Option) -> str:
    value = f"*{option.value}*" if option.value else ""
    return ", ".join(f"`{spelling}` {value}".rstrip() for spelling in option.spellings)


def _marked(synopsis: str) -> str:
    return re.sub("[A-Za-z]+", r"*\g<0>*", synopsis)


def _blocks(blocks: Iterable[str]) -> str:
    return "\n\n".join(blocks)
