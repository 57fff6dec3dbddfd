"""Reads a Chat Completions request."""

from __future__ import annotations

from typing import Any

from llmux.dialects import openai_only, reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import Item, Request
from llmux.dialects.openai_chat.requests import offers, settings
from llmux.dialects.openai_chat.requests.messages import Messages
from llmux.dialects.reading import invalid, objects

# member -> what it is about, which one function reads. Most requests have few members, and only what they speak of is read.
_ABOUT: dict[str, str] = {
    name: about
    for about, names in {
        "": ("model", "stream", "messages"),
        "tools": ("tools", "functions", "web_search_options"),
        "policy": ("tool_choice", "parallel_tool_calls", "function_call"),
        "sampling": ("max_tokens", "max_completion_tokens", *settings.SAMPLING),
        "reasoning": ("reasoning_effort",),
        "output": ("response_format", "verbosity", "modalities"),
        "caching": ("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
        "usage": ("stream_options",),
        "tier": ("service_tier",),
        "user": ("user", "safety_identifier"),
        "keeping": ("metadata", "store"),
        "moderation": ("moderation",),
        "own": ("audio", "prediction"),
    }.items()
    for name in names
}
_KNOWN = frozenset(_ABOUT)
# What a request says of itself by saying nothing.
_NOTHING = Request(())


def parse(doc: dict[str, Any], context: Context) -> Request:
    """The request as items. Raises Fault (`invalid`) naming the field that is not as it must be."""
    if "messages" not in doc:
        raise invalid("/messages", "No messages found in request payload")
    messages = doc["messages"]
    reader = Messages(context)
    items: list[Item] = []
    for turn, (at, node) in enumerate(objects(messages, "/messages")):
        items += reader.read(turn, at, node)
    if not messages:
        raise invalid("/messages", "Empty messages array in request")

    where: dict[str, str] = {}
    about = {_ABOUT.get(name, "own") for name in doc}
    tools = offers.read(doc, context) if "tools" in about else ()
    thoughts = settings.reasoning(doc, where) if "reasoning" in about else _NOTHING.reasoning
    if "keeping" in about:
        for name in ("metadata", "store"):
            if doc.get(name) is not None:
                where[name] = f"/{name}"
    user, legacy_user = openai_only.user(doc, where) if "user" in about else (None, None)
    request = Request(
        tuple(items),
        tools,
        # The API itself shows no reasoning; the member in which others do is filled for who asked for any.
        display="none" if thoughts.level in (None, "none") else "full",
        model=reading.string(doc.get("model"), "/model"),
        stream=reading.flag(doc.get("stream"), "/stream") is True,
        include_usage=settings.include_usage(doc, where, context) if "usage" in about else None,
        policy=offers.policy(doc, tools, where, context) if "policy" in about else _NOTHING.policy,
        sampling=settings.sampling(doc, where, context) if "sampling" in about else _NOTHING.sampling,
        reasoning=thoughts,
        output=settings.output(doc, where, context) if "output" in about else _NOTHING.output,
        caching=settings.caching(doc, where, context) if "caching" in about else _NOTHING.caching,
        tier=settings.tier(doc, where, context) if "tier" in about else None,
        user=user,
        legacy_user=legacy_user,
        moderation=reading.obj(doc.get("moderation"), "/moderation") if "moderation" in about else None,
        metadata=reading.obj(doc.get("metadata"), "/metadata"),
        store=reading.flag(doc.get("store"), "/store"),
        where=where,
    )
    if "own" in about:
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
    reading.rest(doc, _KNOWN, "", notes)
