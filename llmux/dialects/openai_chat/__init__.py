"""OpenAI Chat Completions (and the legacy completions and embeddings beside it)."""

from __future__ import annotations

from llmux.dialects.base import Dialect
from llmux.dialects.openai_chat.endings import ChatWatch
from llmux.dialects.openai_chat.errors import bearer, error_body

OPENAI_CHAT = Dialect(
    name="openai-chat",
    family="openai",
    error_body=error_body,
    watch=ChatWatch,
    credential=bearer,
    request_id_header=b"x-request-id",
    keepalive=b": keep-alive\n\n",
)
