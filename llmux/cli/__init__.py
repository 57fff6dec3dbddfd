"""The `llmux` command."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from twisted.python import usage

from llmux.cli import check, run, translate
from llmux.tap import Command
from llmux.tap import Options as RunOptions


class CheckOptions(Command):
    """Options of `llmux check`."""

    synopsis = "FILE"
    compData = usage.Completions(extraActions=[usage.CompleteFiles("*.yaml")])
    longdesc = "Check a configuration file: every mistake at once, as file:line:col. Exits 0 when there is none."

    def parseArgs(self, file: str) -> None:  # type: ignore[override]  # the arguments are the command's own
        """The file."""
        self["file"] = file


class Options(Command):
    """Options of `llmux`."""

    synopsis = "llmux COMMAND [options]"
    subCommands = [
        ["run", None, RunOptions, "Run the daemon in the foreground."],
        ["check", None, CheckOptions, "Check a configuration file."],
        ["translate", None, translate.TranslateOptions, "Print what a translation makes of a request or an answer."],
    ]

    def postOptions(self) -> None:
        """A command is needed."""
        if self.subCommand is None:
            raise usage.UsageError("say what to do: run, check or translate")


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point. Exit status 0: done; 1: it failed, and said why; 2: the words on the command line are off."""
    options = Options()
    try:
        options.parseOptions(list(sys.argv[1:] if argv is None else argv))
    except usage.UsageError as error:
        print(f"{options}\nllmux: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    command = {"run": run.main, "check": check.main, "translate": translate.main}[str(options.subCommand)]
    raise SystemExit(command(options.subOptions))
