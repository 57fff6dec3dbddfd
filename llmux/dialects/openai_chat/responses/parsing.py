"""Reads a whole answer, by the same steps as a stream."""

from __future__ import annotations

from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import Response
from llmux.dialects.openai_chat import errors
from llmux.dialects.openai_chat.responses.telling import Telling
from llmux.errors import Fault


def parse(doc: dict[str, Any], context: Context) -> Response:
    """The answer. Raises Fault for an error, and for what is no completion."""
    error = errors.error_of(doc)
    if error is not None:
        raise errors.told(error)
    choices = doc.get("choices")
    if not isinstance(choices, list) or not choices:
        raise Fault("bad_gateway", "the provider's answer is no completion", code="upstream_invalid")
    telling = Telling(context)
    telling.see(doc, "message")
    telling.end(silently=False)
    return telling.teller.response()
