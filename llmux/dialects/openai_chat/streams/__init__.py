"""Chat Completions streams, read from a provider and written for a client."""

from __future__ import annotations

from llmux.dialects.openai_chat.streams.decoder import decoder
from llmux.dialects.openai_chat.streams.encoder import encoder

__all__ = ["decoder", "encoder"]
