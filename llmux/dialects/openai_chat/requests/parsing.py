"""Reads a Chat Completions request."""

from __future__ import annotations

from typing import Any

from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import Item, Request
from llmux.dialects.openai_chat.requests import offers, settings
from llmux.dialects.openai_chat.requests.messages import Messages
from llmux.dialects.reading import invalid, objects

# Members with a slot, or with a rule of their own.
_KNOWN = frozenset(
    {"model", "stream", "stream_options", "messages", "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call"}
    | {"max_tokens", "max_completion_tokens", "temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed"}
    | {"logit_bias", "n", "stop", "logprobs", "top_logprobs", "reasoning_effort", "response_format", "verbosity", "modalities"}
    | {"prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "service_tier", "user", "safety_identifier"}
    | {"metadata", "store", "audio", "moderation", "prediction", "web_search_options"}
)


def parse(doc: dict[str, Any], context: Context) -> Request:
    """The request as items. Raises Fault (`invalid`) naming the field that is not as it must be."""
    if "messages" not in doc:
        raise invalid("/messages", "No messages found in request payload")
    messages = list(objects(doc["messages"], "/messages"))
    if not messages:
        raise invalid("/messages", "Empty messages array in request")
    reader = Messages(context)
    items: list[Item] = []
    for turn, (at, node) in enumerate(messages):
        items += reader.read(turn, at, node)

    where: dict[str, str] = {}
    tools = offers.read(doc, context)
    thoughts = settings.reasoning(doc, where)
    for name in ("metadata", "store"):
        if doc.get(name) is not None:
            where[name] = f"/{name}"
    request = Request(
        tuple(items),
        tools,
        # The API itself shows no reasoning; the member in which others do is filled for who asked for any.
        display="none" if thoughts.level in (None, "none") else "full",
        model=reading.string(doc.get("model"), "/model"),
        stream=reading.flag(doc.get("stream"), "/stream") is True,
        include_usage=settings.include_usage(doc, where, context),
        policy=offers.policy(doc, tools, where, context),
        sampling=settings.sampling(doc, where, context),
        reasoning=thoughts,
        output=settings.output(doc, where, context),
        caching=settings.caching(doc, where, context),
        tier=settings.tier(doc, where, context),
        user=settings.user(doc, where, context),
        metadata=reading.obj(doc.get("metadata"), "/metadata"),
        store=reading.flag(doc.get("store"), "/store"),
        where=where,
    )
    _note_the_rest(doc, context)
    return request


def _note_the_rest(doc: dict[str, Any], context: Context) -> None:
    """What only this API knows."""
    notes = context.notes
    if doc.get("audio") is not None:
        modalities = doc.get("modalities")
        if isinstance(modalities, list) and "audio" in modalities:
            notes.refuse("/audio", "only OpenAI answers in these voices")
        else:
            reading.drop(doc["audio"], "/audio", notes, "no sound was asked for")
    if doc.get("prediction") is not None:
        notes.drop("/prediction", "it only makes the answer come sooner")
    moderation = reading.obj(doc.get("moderation"), "/moderation")
    if moderation is not None:
        if _blocks(moderation):
            notes.refuse("/moderation/policy", "only OpenAI blocks what its moderation finds")
        reading.drop(moderation, "/moderation", notes, "other providers do not score what is said")
    reading.rest(doc, _KNOWN, "", notes)


def _blocks(moderation: dict[str, Any]) -> bool:
    policy = moderation.get("policy")
    sides = policy.values() if isinstance(policy, dict) else ()
    return any(isinstance(side, dict) and side.get("mode") == "block" for side in sides)
