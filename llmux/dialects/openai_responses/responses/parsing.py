"""Reads a response object: as the last event of a stream in which nothing was told before."""

from __future__ import annotations

from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import Response
from llmux.dialects.openai_responses.streams.reading import Reader
from llmux.errors import Fault

_ENDS = {"completed": "response.completed", "incomplete": "response.incomplete", "failed": "response.failed"}


def parse(doc: dict[str, Any], context: Context) -> Response:
    """The response. Raises Fault for one that failed, and for what is none."""
    if not isinstance(doc.get("output"), list) and not doc.get("error"):
        raise Fault("bad_gateway", "the provider's answer holds no output")
    status = doc.get("status")
    if status in (None, "completed") and doc.get("error"):
        status = "failed"
    elif status is None:
        status = "completed"
    end = _ENDS.get(status) if isinstance(status, str) else None
    if end is None:
        raise Fault("bad_gateway", f"the provider's answer is {status}")
    reader = Reader(context)
    reader.read({"type": "response.created", "response": doc})
    reader.read({"type": end, "response": doc})
    return reader.teller.response()
