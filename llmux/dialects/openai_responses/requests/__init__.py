"""Responses requests, read from a client and written for a provider."""

from __future__ import annotations

from llmux.dialects.openai_responses.requests.parsing import parse
from llmux.dialects.openai_responses.requests.writing import write

__all__ = ["parse", "write"]
