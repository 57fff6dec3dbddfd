"""Reads a whole answer, by the same steps as a stream."""

from __future__ import annotations

from typing import Any

from llmux.dialects.anthropic import errors
from llmux.dialects.anthropic.responses.telling import Telling
from llmux.dialects.context import Context
from llmux.dialects.neutral import Response
from llmux.errors import Fault


def parse(doc: dict[str, Any], context: Context) -> Response:
    """The answer. Raises Fault for an error, and for what is no message."""
    error = doc.get("error")
    if doc.get("type") == "error" and isinstance(error, dict):
        raise errors.told(error)
    content = doc.get("content")
    if not isinstance(content, list):
        raise Fault("bad_gateway", "the provider's answer is no message", code="upstream_invalid")
    telling = Telling(context)
    telling.start(doc)
    for block in content:
        telling.open(block)
        telling.close()
    telling.conclude(doc, doc.get("usage"))
    telling.end()
    return telling.teller.response()
