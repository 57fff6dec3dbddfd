"""Streamed Messages answers, read from a provider and written for a client."""

from __future__ import annotations

from llmux.dialects.anthropic.streams.decoder import decoder
from llmux.dialects.anthropic.streams.encoder import encoder

__all__ = ["decoder", "encoder"]
