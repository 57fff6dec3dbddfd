"""The command line as data, asked of the Options classes that read it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import attrs
from twisted.python import usage

from llmux import tap


@attrs.frozen
class Option:
    """An option: its name without dashes, its letter ("" for none), and what it does.

    `value` is what its value is called ("" where it takes none), `words` are all the values, where these can be listed;
    `file`: the value is a file's name. `repeats`: it may be given again.
    """

    name: str
    letter: str
    doc: str
    value: str = ""
    words: tuple[str, ...] = ()
    file: bool = False
    repeats: bool = False

    @property
    def spellings(self) -> tuple[str, ...]:
        """As it is typed, the letter first."""
        return (*([f"-{self.letter}"] if self.letter else []), f"--{self.name}")


@attrs.frozen
class Command:
    """A command: its words ("llmux run"), what follows them, what it does in a line and at length, its options and commands.

    `file`: what it takes beside options is a file's name.
    """

    words: str
    synopsis: str
    summary: str
    doc: str
    options: tuple[Option, ...]
    commands: tuple[Command, ...]
    file: bool

    @property
    def name(self) -> str:
        """The last of its words."""
        return self.words.rpartition(" ")[2]

    def walk(self) -> Iterator[Command]:
        """It and all below it."""
        yield self
        for command in self.commands:
            yield from command.walk()


def command(words: str, cls: type[tap.Command], summary: str = "") -> Command:
    """The command that a class reads."""
    options: Any = cls()
    return Command(
        words=words,
        synopsis=getattr(cls, "synopsis", "").removeprefix(words).strip(),
        summary=summary,
        doc=getattr(cls, "longdesc", None) or "",
        options=tuple(_option(options, name) for name in sorted(options.longOpt)),
        commands=tuple(command(f"{words} {name}", sub, doc) for name, _, sub, doc in getattr(cls, "subCommands", ())),
        file=any(isinstance(action, usage.CompleteFiles) for action in cls.compData.extraActions),
    )


def _option(options: Any, name: str) -> Option:
    takes, name = name.endswith("="), name.removesuffix("=")
    action = options.compData.optActions.get(name)
    file = isinstance(action, usage.CompleteFiles)
    letters = (letter for letter, meant in options.synonyms.items() if meant == name and len(letter) == 1)
    return Option(
        name=name,
        letter=next(letters, ""),
        doc=" ".join(options.docs[name].split()),
        value=("FILE" if file else _value(options, name)) if takes else "",
        words=action.words if isinstance(action, tap.OneOf) else (),
        file=file,
        repeats=name in options.compData.multiUse,
    )


def _value(options: Any, name: str) -> str:
    """What the value is called: as the argument of the method that takes it, or by the last word of the option's name."""
    method = getattr(options, f"opt_{name.replace('-', '_')}", None)
    return (next(iter(inspect.signature(method).parameters)) if method else name.rpartition("-")[2]).upper()
