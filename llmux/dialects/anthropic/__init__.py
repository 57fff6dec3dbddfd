"""Anthropic Messages."""

from __future__ import annotations

from llmux.dialects.anthropic.endings import MessagesWatch
from llmux.dialects.anthropic.errors import error_body, x_api_key
from llmux.dialects.base import Dialect

ANTHROPIC = Dialect(
    name="anthropic",
    family="anthropic",
    error_body=error_body,
    watch=MessagesWatch,
    credential=x_api_key,
    request_id_header=b"request-id",
    keepalive=b'event: ping\ndata: {"type":"ping"}\n\n',
)
