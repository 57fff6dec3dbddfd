"""Completion for bash: commands, options, the words that options take, and files."""

from __future__ import annotations

from collections.abc import Iterable

from documenting.commands import Command, Option

# `path` becomes the words of the command that the cursor is in, `before` the word before the cursor.
_TEXT = r"""# Completion of llmux for bash. Generated: it follows the options that llmux declares.

_llmux() {
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} path=llmux word
    # bash takes --option=value apart: the equals sign is a word of its own
    if [[ $current == = ]]; then
        current=
    elif [[ $before == = ]]; then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    for word in "${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
        case "$path $word" in
@DEEPER@
        esac
    done
    COMPREPLY=()
    case "$path:$before" in
@CASES@
    esac
}

_llmux_words() {
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_llmux_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

complete -F _llmux llmux
"""


def completion(llmux: Command) -> str:
    """A function `_llmux` and its registration. It needs nothing but bash, and knows `--option=value`."""
    cases = "\n".join(_case(command) for command in llmux.walk())
    return _TEXT.replace("@CASES@", cases).replace("@DEEPER@", _deeper(llmux))


def _deeper(llmux: Command) -> str:
    names = [command.words for command in llmux.walk() if command is not llmux]
    return "\n".join(f'            "{name}") path="{name}" ;;' for name in names)


def _case(command: Command) -> str:
    """First what follows an option that takes a value, then what may stand anywhere: options where a dash begins the word."""
    lines = []
    for option in command.options:
        if option.value:
            patterns = "|".join(f'"{command.words}:{spelling}"' for spelling in option.spellings)
            lines.append(f"        {patterns}) {_value(option)} ;;")
    rest = _words(spelling for option in command.options for spelling in option.spellings)
    if command.file or command.commands:
        other = '_llmux_files "$current"' if command.file else _words(each.name for each in command.commands)
        rest = f"if [[ $current == -* ]]; then {rest}; else {other}; fi"
    return "\n".join([*lines, f'        "{command.words}:"*) {rest} ;;'])


def _value(option: Option) -> str:
    if option.words:
        return _words(option.words)
    return '_llmux_files "$current"' if option.file else ":"


def _words(words: Iterable[str]) -> str:
    return f'_llmux_words "{" ".join(words)}" "$current"'
