"""Reads a whole answer: one in plain words at once, any other by the same steps as a stream."""

from __future__ import annotations

from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import Choice, Finish, Message, Reason, Response, Text
from llmux.dialects.openai_chat import errors, reasons, usage
from llmux.dialects.openai_chat.responses.telling import ID, TIERS, Telling
from llmux.errors import Fault

# What an answer in plain words may hold beside them; the members of its message are null or empty then.
_DOCUMENT = frozenset({"id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint"})
_CHOICE = frozenset({"index", "message", "finish_reason", "logprobs"})
_MESSAGE = frozenset({"role", "content", "refusal", "annotations", "tool_calls"})
_REASONS: dict[str, Reason] = {"stop": "stop", "length": "length"}


def parse(doc: dict[str, Any], context: Context) -> Response:
    """The answer. Raises Fault for an error, and for what is no completion."""
    plain = _plain(doc)
    if plain is not None:
        return plain
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


def _plain(doc: dict[str, Any]) -> Response | None:
    """The answer of one choice that is words and nothing else, None for any other: most answers are, and need no steps."""
    match doc:
        case {
            "id": str(id_),
            "model": str(model),
            "created": int(created),
            "choices": [{"message": {"content": str(text)} as message, "finish_reason": str(raw)} as choice],
        } if id_ and model and created > 0 and text and raw in _REASONS:
            pass
        case _:
            return None
    if not (doc.keys() <= _DOCUMENT and choice.keys() <= _CHOICE and message.keys() <= _MESSAGE):
        return None
    if choice.get("logprobs") or message.get("refusal") or message.get("annotations") or message.get("tool_calls"):
        return None
    counts, tier, index = doc.get("usage"), doc.get("service_tier"), choice.get("index", 0)
    if index != 0 or not (counts is None or isinstance(counts, dict)) or not (tier is None or isinstance(tier, str)):
        return None
    reason = _REASONS[raw]
    said = Message("assistant", (Text(text),), cut=reason == "length")
    return Response(
        id_.removeprefix(ID),
        model,
        created,
        (Choice((said,), Finish(reason, raw=raw, at=reasons.place(0))),),
        None if counts is None else usage.read(counts),
        None if tier is None else TIERS.get(tier, tier),
        doc.get("system_fingerprint") or None,
    )
