"""The dialects, as one ordered list. A new one is one package and one line here."""

from __future__ import annotations

from llmux.dialects.anthropic import ANTHROPIC
from llmux.dialects.base import Dialect
from llmux.dialects.gemini import GEMINI
from llmux.dialects.openai_chat import OPENAI_CHAT
from llmux.dialects.openai_responses import OPENAI_RESPONSES

DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC, GEMINI)}

__all__ = ["DIALECTS", "Dialect"]
