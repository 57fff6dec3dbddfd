"""Whole answers, read from a provider and written for a client."""

from __future__ import annotations

from llmux.dialects.gemini.responses.parsing import parse
from llmux.dialects.gemini.responses.writing import write

__all__ = ["parse", "write"]
