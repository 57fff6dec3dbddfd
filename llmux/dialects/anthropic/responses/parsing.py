"""Reads a whole answer, by the same steps as a stream; most of them, which are one text, at once."""

from __future__ import annotations

from typing import Any

from llmux.dialects.anthropic import errors, reasons, usage
from llmux.dialects.anthropic.responses.telling import BLOCKS, ID_PREFIX, Telling, note_surplus, note_unsaid, said
from llmux.dialects.context import Context
from llmux.dialects.neutral import Choice, Message, Response, Text
from llmux.errors import Fault

# Reasons for which a model stops when it has said all.
_WHOLE = ("end_turn", "stop_sequence")


def parse(doc: dict[str, Any], context: Context) -> Response:
    """The answer. Raises Fault for an error, and for what is no message."""
    error = doc.get("error")
    if doc.get("type") == "error" and isinstance(error, dict):
        raise errors.told(error)
    content = doc.get("content")
    if not isinstance(content, list):
        raise Fault("bad_gateway", "the provider's answer is no message", code="upstream_invalid")
    note_surplus(doc, context)
    return plain(doc, content, context) or by_steps(doc, content, context)


def plain(doc: dict[str, Any], content: list[Any], context: Context) -> Response | None:
    """An answer that is one text and has all that belongs to it. None: it has to be told step by step."""
    block = content[0] if len(content) == 1 else None
    if not isinstance(block, dict) or not block.keys() <= BLOCKS["text"] or block.get("type") != "text" or block.get("citations"):
        return None
    text, id_, model = block.get("text"), doc.get("id"), doc.get("model")
    if not (isinstance(text, str) and isinstance(id_, str) and isinstance(model, str)):
        return None
    id_ = id_.removeprefix(ID_PREFIX)
    if not (text and id_ and model) or doc.get("stop_reason") not in _WHOLE:
        return None
    note_unsaid(doc, context)
    counts = said(doc.get("usage"))
    tokens = usage.read(counts) if counts else None
    choice = Choice((Message("assistant", (Text(text),)),), reasons.read(doc, context))
    return Response(id_, model, context.now, (choice,), tokens, None if tokens is None else tokens.tier)


def by_steps(doc: dict[str, Any], content: list[Any], context: Context) -> Response:
    """Any answer, block by block."""
    telling = Telling(context)
    telling.start(doc)
    for block in content:
        telling.open(block)
        telling.close()
    telling.conclude(doc, doc.get("usage"))
    telling.end()
    return telling.teller.response()
