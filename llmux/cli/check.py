"""`llmux check FILE`."""

from __future__ import annotations

import os
import sys
from typing import Any

from llmux.config import ConfigError, load
from llmux.config.files import FOLDER
from llmux.runtime import scenarios


def main(options: Any) -> int:
    """Print what is wrong, and what is merely odd. Exit status 0 or 1."""
    try:
        config = load(options["file"], os.environ)
        scenarios(config)
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


def _counted(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"
