"""Completion for fish: commands, options with what they do, the words that options take, and files."""

from __future__ import annotations

from collections.abc import Iterator

from documenting.commands import Command

_HEAD = "# Completion of llmux for fish. Generated: it follows the options that llmux declares.\n"


def completion(llmux: Command) -> str:
    """A file of `complete` lines: each says of what command it holds."""
    lines = [line for command in llmux.walk() for line in _lines(command, llmux)]
    return "\n".join([_HEAD, "complete -c llmux -f", *lines, ""])


def _lines(command: Command, llmux: Command) -> Iterator[str]:
    where = _where(command, llmux)
    for each in command.commands:
        yield f"complete -c llmux -n {where} -a {each.name} -d {_quoted(each.summary)}"
    for option in command.options:
        letter = f" -s {option.letter}" if option.letter else ""
        takes = " -x -a " + _quoted(" ".join(option.words)) if option.words else " -r -F" if option.file else " -x"
        value = takes if option.value else ""
        yield f"complete -c llmux -n {where}{letter} -l {option.name}{value} -d {_quoted(option.doc)}"
    if command.file:
        yield f"complete -c llmux -n {where} -F"


def _where(command: Command, llmux: Command) -> str:
    if command is llmux:
        return "__fish_use_subcommand"
    return _quoted("; and ".join(f"__fish_seen_subcommand_from {word}" for word in command.words.split(" ")[1:]))


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", r"\\").replace("'", r"\'") + "'"
