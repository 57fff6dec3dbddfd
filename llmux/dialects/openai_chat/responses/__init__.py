"""Whole Chat Completions answers, read from a provider and written for a client."""

from __future__ import annotations

from llmux.dialects.openai_chat.responses.parsing import parse
from llmux.dialects.openai_chat.responses.writing import write

__all__ = ["parse", "write"]
