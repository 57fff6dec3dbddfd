"""Completion for zsh: commands, options with what they do, the words that options take, and files."""

from __future__ import annotations

from collections.abc import Iterator

from documenting.commands import Command, Option

_HEAD = """\
#compdef llmux

# Completion of llmux for zsh. Generated: it follows the options that llmux declares.
"""


def completion(llmux: Command) -> str:
    """A file for a folder of `fpath`: the function `_llmux`, which calls one for each command."""
    functions = "\n".join(_function(command) for command in llmux.walk())
    return f'{_HEAD}\n{functions}\n_llmux "$@"\n'


def _function(command: Command) -> str:
    specs = [spec for option in command.options for spec in _options(option)]
    if command.file:
        specs.append("'*:file:_files'")
    if not command.commands:
        return _body(command, ["_arguments -s -S \\", *_continued(specs)])
    listed = [_quoted(f"{each.name}:{each.summary}") for each in command.commands]
    specs += ["'1:command:->command'", "'*::argument:->argument'"]
    return _body(
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
            *(f"            {each.name}) {_name(each)} ;;" for each in command.commands),
            "        esac ;;",
            "esac",
        ],
    )


def _body(command: Command, lines: list[str]) -> str:
    return "\n".join([f"{_name(command)}() {{", *(f"    {line}" for line in lines), "}\n"])


def _options(option: Option) -> Iterator[str]:
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


def _name(command: Command) -> str:
    return "_" + command.words.replace(" ", "_").replace("-", "_")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", r"'\''") + "'"
