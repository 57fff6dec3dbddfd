"""Reads a Responses request."""

from __future__ import annotations

from typing import Any

import msgspec

from llmux.dialects import openai_only, reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import Item, Message, Output, ReasoningPolicy, Request, Text
from llmux.dialects.openai_responses.requests import offers, settings
from llmux.dialects.openai_responses.requests.items import Items
from llmux.dialects.reading import invalid, string

# Members with a slot, or with a rule of their own.
_KNOWN = frozenset(
    {"model", "stream", "stream_options", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls"}
    | {"max_tool_calls", "max_output_tokens", "temperature", "top_p", "top_logprobs", "include", "reasoning", "text"}
    | {"prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "service_tier", "safety_identifier", "user"}
    | {"metadata", "store", "previous_response_id", "conversation", "prompt", "background", "truncation"}
    | {"context_management", "image", "client_metadata", "access_programs", "moderation"}
)
# What another effort is told by, inside the conversation.
_UPDATED = frozenset({"effort"})


def parse(doc: dict[str, Any], context: Context) -> Request:
    """The request as items. Raises Fault (`invalid`) naming the field that is not as it must be."""
    asked = doc.get("input")
    if asked in (None, [], ""):
        raise invalid("/input", "No input found in request payload")
    settings.refuse(doc, context)

    items: list[Item] = []
    instructions = string(doc.get("instructions"), "/instructions")
    if instructions:
        items.append(Message("system", (Text(instructions, at="/instructions"),), at="/instructions"))
    conversation = Items(context)
    items += conversation.read(asked)

    tools = offers.read(doc.get("tools"), "/tools", context)
    known = {(tool.name, tool.namespace) for tool in tools}
    tools += tuple(tool for tool in conversation.tools if (tool.name, tool.namespace) not in known)
    where: dict[str, str] = {}
    thinking = _reasoning(doc, conversation, where, context)
    user, legacy_user = openai_only.user(doc, where)
    request = Request(
        tuple(items),
        tools,
        display="summary" if thinking.show == "summary" else "none",
        model=string(doc.get("model"), "/model"),
        stream=reading.flag(doc.get("stream"), "/stream") is True,
        policy=offers.policy(doc, tools, where, context),
        sampling=settings.sampling(doc, where, context),
        reasoning=thinking,
        output=_output(doc, conversation, where, context),
        caching=settings.caching(doc, where, context),
        tier=settings.tier(doc, where, context),
        user=user,
        legacy_user=legacy_user,
        moderation=reading.obj(doc.get("moderation"), "/moderation"),
        metadata=settings.metadata(doc, where),
        store=settings.store(doc, where),
        where=where,
    )
    reading.rest(doc, _KNOWN, "", context.notes)
    return request


def _reasoning(doc: dict[str, Any], conversation: Items, where: dict[str, str], context: Context) -> ReasoningPolicy:
    """The request's own, with the level that the conversation came to."""
    policy = settings.reasoning(doc, where, context)
    update = conversation.update.get("reasoning")
    if update is None:
        return policy
    at = conversation.update_at["reasoning"]
    reading.rest(update, _UPDATED, at, context.notes, "only the effort can change on the way")
    level = settings.effort(update, at, where)
    return policy if level is None else msgspec.structs.replace(policy, level=level)


def _output(doc: dict[str, Any], conversation: Items, where: dict[str, str], context: Context) -> Output:
    """The request's own form, or that which the conversation came to."""
    output = settings.output(reading.obj(doc.get("text"), "/text"), "/text", where, context)
    update = conversation.update.get("text")
    if update is None:
        return output
    changed = settings.output(update, conversation.update_at["text"], where, context)
    return msgspec.structs.replace(changed, verbosity=changed.verbosity or output.verbosity)
