"""OpenAI Responses."""

from __future__ import annotations

from llmux.dialects.base import Dialect
from llmux.dialects.openai_chat.errors import bearer, error_body
from llmux.dialects.openai_responses.endings import ResponsesWatch

OPENAI_RESPONSES = Dialect(
    name="openai-responses",
    family="openai",
    error_body=error_body,
    watch=ResponsesWatch,
    credential=bearer,
    request_id_header=b"x-request-id",
    keepalive=b": keep-alive\n\n",
)
