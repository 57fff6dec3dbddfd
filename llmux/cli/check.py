"""`llmux check FILE`."""

from __future__ import annotations

import os
import sys
from typing import Any

from llmux.config import ConfigError, load
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
    print(f"{options['file']}: ok, {len([p for p in config.providers if p.enabled])} providers")
    return 0
