"""Reads a whole answer: one in plain words at once, any other by the same steps as a stream."""

from __future__ import annotations

from typing import Any

from llmux.dialects import refusals
from llmux.dialects.context import Context
from llmux.dialects.neutral import Choice, Finish, Message, Reason, Response, Text
from llmux.dialects.openai_chat import errors, reasons, usage
from llmux.dialects.openai_chat.responses.telling import ID, TIERS, Telling
from llmux.errors import Fault

# What an answer in plain words may hold; the members of its message but for the first two are null or empty then.
_DOCUMENT = frozenset({"id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint"})
_CHOICE = frozenset({"index", "message", "finish_reason", "logprobs"})
_MESSAGE = frozenset({"role", "content", "refusal", "annotations", "tool_calls"})
_REASONS: tuple[Reason, ...] = ("stop", "length")
_FINISHES: dict[str, Finish] = {reason: Finish(reason, raw=reason, at=reasons.place(0)) for reason in _REASONS}


def parse(doc: dict[str, Any], context: Context) -> Response:
    """The answer. Raises Fault for an error, and for what is no completion."""
    plain = _plain(doc)
    if plain is not None:
        return plain
    error = refusals.error_of(doc)
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
    """The answer of one choice that is words and nothing else, None for any other: most answers are, and need no steps.

    Whatever is not just as it should be is left to those steps, which know what to make of it.
    """
    choices = doc.get("choices")
    if type(choices) is not list or len(choices) != 1:
        return None
    choice = choices[0]
    message = choice.get("message") if type(choice) is dict else None
    if type(message) is not dict:
        return None
    if not (doc.keys() <= _DOCUMENT and choice.keys() <= _CHOICE and message.keys() <= _MESSAGE):
        return None
    if message.get("refusal") or message.get("annotations") or message.get("tool_calls") or choice.get("logprobs"):
        return None
    text, raw = message.get("content"), choice.get("finish_reason")
    finish = _FINISHES.get(raw) if type(raw) is str else None
    if finish is None or type(text) is not str or not text or choice.get("index", 0) != 0 or doc.get("object") == "error":
        return None
    id_, model, created = doc.get("id"), doc.get("model"), doc.get("created")
    if type(id_) is not str or type(model) is not str or type(created) is not int:
        return None
    id_ = id_.removeprefix(ID)
    if not id_ or not model or created <= 0:
        return None  # these are made up
    counts, tier, fingerprint = doc.get("usage"), doc.get("service_tier"), doc.get("system_fingerprint")
    if counts is not None:
        if type(counts) is not dict:
            return None
        counts = usage.read(counts)
    if tier is not None:
        if type(tier) is not str:
            return None
        tier = TIERS.get(tier, tier)
    if fingerprint is not None and type(fingerprint) is not str:
        return None
    said = Message("assistant", (Text(text),), cut=finish.reason == "length")
    return Response(id_, model, created, (Choice((said,), finish),), counts, tier, fingerprint or None)
