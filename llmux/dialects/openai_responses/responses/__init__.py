"""Response objects, read from a provider and written for a client."""

from __future__ import annotations

from llmux.dialects.openai_responses.responses.parsing import parse
from llmux.dialects.openai_responses.responses.writing import write

__all__ = ["parse", "write"]
