"""The configuration: YAML files, read whole, so that every mistake in them is reported at once and with its place."""

from __future__ import annotations

from llmux.config.checks import open_door
from llmux.config.loading import load, override, parse
from llmux.config.problems import ConfigError, Mark, Notice, Problem
from llmux.config.schema import Config

__all__ = ["Config", "ConfigError", "Mark", "Notice", "Problem", "load", "open_door", "override", "parse"]
