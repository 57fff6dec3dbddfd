"""Shell completion: commands, options, the words that options take, and files, for bash, zsh and fish."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from documenting.commands import Command, Option

_HEAD = "# Completion of llmux for {shell}. Generated: it follows the options that llmux declares.\n"


def bash(llmux: Command) -> str:
    """A function `_llmux` and its registration. It needs nothing but bash, and knows `--option=value`."""
    cases = "\n".join(_bash_case(command) for command in llmux.walk())
    return _HEAD.format(shell="bash") + _BASH.replace("@CASES@", cases).replace("@DEEPER@", _bash_deeper(llmux))


# `path` becomes the words of the command that the cursor is in, `before` the word before the cursor.
_BASH = r"""
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


def _bash_deeper(llmux: Command) -> str:
    names = [command.words for command in llmux.walk() if command is not llmux]
    return "\n".join(f'            "{name}") path="{name}" ;;' for name in names)


def _bash_case(command: Command) -> str:
    """First what follows an option that takes a value, then what may stand anywhere: options where a dash begins the word."""
    lines = []
    for option in command.options:
        if option.value:
            patterns = "|".join(f'"{command.words}:{spelling}"' for spelling in option.spellings)
            lines.append(f"        {patterns}) {_bash_value(option)} ;;")
    rest = _bash_words(spelling for option in command.options for spelling in option.spellings)
    if command.file or command.commands:
        other = '_llmux_files "$current"' if command.file else _bash_words(each.name for each in command.commands)
        rest = f"if [[ $current == -* ]]; then {rest}; else {other}; fi"
    return "\n".join([*lines, f'        "{command.words}:"*) {rest} ;;'])


def _bash_value(option: Option) -> str:
    if option.words:
        return _bash_words(option.words)
    return '_llmux_files "$current"' if option.file else ":"


def _bash_words(words: Iterable[str]) -> str:
    return f'_llmux_words "{" ".join(words)}" "$current"'


def zsh(llmux: Command) -> str:
    """A file for a folder of `fpath`: the function `_llmux`, which calls one for each command."""
    functions = "\n".join(_zsh_function(command) for command in llmux.walk())
    return f'#compdef llmux\n\n{_HEAD.format(shell="zsh")}\n{functions}\n_llmux "$@"\n'


def _zsh_function(command: Command) -> str:
    specs = [spec for option in command.options for spec in _zsh_options(option)]
    if command.file:
        specs.append("'*:file:_files'")
    if not command.commands:
        return _zsh_body(command, ["_arguments -s -S \\", *_continued(specs)])
    listed = [_quoted(f"{each.name}:{each.summary}") for each in command.commands]
    specs += ["'1:command:->command'", "'*::argument:->argument'"]
    return _zsh_body(
        command,
        [
            "local state line curcontext=$curcontext",
            "local -a commands=(",
            *(f"    {each}" for each in listed),
            ")",
            "_arguments -C -s -S \\",
            *_continued(specs),
            "case $state in",
            "    command) _describe command commands ;;",
            "    argument)",
            "        case $words[1] in",
            *(f"            {each.name}) {_function(each)} ;;" for each in command.commands),
            "        esac ;;",
            "esac",
        ],
    )


def _zsh_body(command: Command, lines: list[str]) -> str:
    return "\n".join([f"{_function(command)}() {{", *(f"    {line}" for line in lines), "}\n"])


def _zsh_options(option: Option) -> Iterator[str]:
    """Its letter and its name; one of them excludes the other unless it may be given again."""
    doc = option.doc.replace("\\", r"\\").replace("[", r"\[").replace("]", r"\]").replace(":", r"\:")
    action = f"({' '.join(option.words)})" if option.words else "_files" if option.file else " "
    value = f":{option.name}:{action}" if option.value else ""
    excluded = "*" if option.repeats else f"({' '.join(option.spellings)})"
    for spelling in option.spellings:
        mark = ("=" if spelling.startswith("--") else "+") if option.value else ""
        yield _quoted(f"{excluded}{spelling}{mark}[{doc}]{value}")


def _continued(specs: list[str]) -> list[str]:
    return [*(f"    {spec} \\" for spec in specs[:-1]), f"    {specs[-1]}"]


def _function(command: Command) -> str:
    return "_" + command.words.replace(" ", "_").replace("-", "_")


def fish(llmux: Command) -> str:
    """A file of `complete` lines: each says of what command it holds."""
    lines = [line for command in llmux.walk() for line in _fish_lines(command, llmux)]
    return "\n".join([_HEAD.format(shell="fish"), "complete -c llmux -f", *lines, ""])


def _fish_lines(command: Command, llmux: Command) -> Iterator[str]:
    where = _fish_where(command, llmux)
    for each in command.commands:
        yield f"complete -c llmux -n {where} -a {each.name} -d {_fish_quoted(each.summary)}"
    for option in command.options:
        letter = f" -s {option.letter}" if option.letter else ""
        takes = " -x -a " + _fish_quoted(" ".join(option.words)) if option.words else " -r -F" if option.file else " -x"
        value = takes if option.value else ""
        yield f"complete -c llmux -n {where}{letter} -l {option.name}{value} -d {_fish_quoted(option.doc)}"
    if command.file:
        yield f"complete -c llmux -n {where} -F"


def _fish_where(command: Command, llmux: Command) -> str:
    if command is llmux:
        return "__fish_use_subcommand"
    return _fish_quoted("; and ".join(f"__fish_seen_subcommand_from {word}" for word in command.words.split(" ")[1:]))


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", r"\\").replace("'", r"\'") + "'"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", r"'\''") + "'"
