"""Streams, read from a provider and written for a client."""

from __future__ import annotations

from llmux.dialects.gemini.streams.decoder import decoder
from llmux.dialects.gemini.streams.encoder import encoder

__all__ = ["decoder", "encoder"]
