"""Whole Messages answers, read from a provider and written for a client."""

from __future__ import annotations

from llmux.dialects.anthropic.responses.parsing import parse
from llmux.dialects.anthropic.responses.writing import write

__all__ = ["parse", "write"]
