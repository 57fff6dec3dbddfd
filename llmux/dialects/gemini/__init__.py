"""Google Gemini generateContent."""

from __future__ import annotations

from llmux.dialects.base import Dialect
from llmux.dialects.gemini.endings import GeminiWatch
from llmux.dialects.gemini.errors import error_body, x_goog_api_key

GEMINI = Dialect(
    name="gemini",
    family="gemini",
    error_body=error_body,
    watch=GeminiWatch,
    credential=x_goog_api_key,
    request_id_header=b"x-request-id",
    keepalive=b": keep-alive\n\n",
)
