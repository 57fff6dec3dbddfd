"""Reads a whole answer."""

from __future__ import annotations

from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.gemini.responses.candidates import unreadable
from llmux.dialects.gemini.responses.telling import Telling
from llmux.dialects.neutral import Response


def parse(doc: dict[str, Any], context: Context) -> Response:
    """The answer. Raises Fault for an error, and for what cannot be read."""
    telling = Telling(context)
    try:
        telling.record(doc)
    except (ValueError, TypeError, AttributeError):
        raise unreadable() from None
    if telling.empty:
        raise unreadable()
    telling.end()
    return telling.teller.response()
