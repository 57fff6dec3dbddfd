"""Messages requests, read from a client and written for a provider."""

from __future__ import annotations

from llmux.dialects.anthropic.requests.parsing import parse
from llmux.dialects.anthropic.requests.writing import write

__all__ = ["parse", "write"]
