"""`llmux check FILE`."""

from __future__ import annotations

import os
import sys
from typing import Any

from llmux.config import Config, ConfigError, Problem, load
from llmux.config.files import FOLDER
from llmux.config.problems import Mark
from llmux.listening import objection
from llmux.runtime import scenarios


def main(options: Any) -> int:
    """Print what is wrong, and what is merely odd. Exit status 0 or 1."""
    try:
        config = load(options["file"], os.environ)
        scenarios(config)
        opened(config)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    for notice in config.notices:
        print(f"warning: {notice}")
    others = len(config.files) - 1
    of_folder = f" and {_counted(others, 'file')} of {FOLDER}" if others else ""
    enabled = [provider for provider in config.providers if provider.enabled]
    print(f"{options['file']}{of_folder}: ok, {_counted(len(enabled), 'provider')}")
    return 0


def opened(config: Config) -> None:
    """Try what the daemon opens when it starts, as far as that leaves no trace. Raises ConfigError.

    Ports are not tried: the daemon that runs has them.
    """
    found = [Problem(where, path, why) for path, written, where in config.listeners if (why := objection(written)) is not None]
    if config.log.file is not None and (why := _unwritable(config.log.file)) is not None:
        found.append(Problem(Mark(config.path or "built-in"), "log.file", why))
    if found:
        raise ConfigError(found)


def _unwritable(file: str) -> str | None:
    folder = os.path.dirname(os.path.abspath(file))
    if not os.path.isdir(folder):
        return f"there is no folder {folder}"
    if os.path.isdir(file):
        return f"{file} is a folder"
    return None if os.access(file if os.path.exists(file) else folder, os.W_OK) else f"{file} may not be written by this user"


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
