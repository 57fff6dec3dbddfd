"""Reads a Messages request."""

from __future__ import annotations

from typing import Any

from llmux.dialects import reading
from llmux.dialects.anthropic import versions
from llmux.dialects.anthropic.requests import offers, settings
from llmux.dialects.anthropic.requests.parts import Parts, read_mark
from llmux.dialects.anthropic.requests.turns import Turn
from llmux.dialects.context import Context
from llmux.dialects.neutral import Caching, Item, Message, OpaquePart, Part, Request, Role, Text
from llmux.dialects.reading import invalid, objects, role

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}

# Members with a slot, or with a rule of their own.
_KNOWN = frozenset(
    {"model", "stream", "messages", "system", "tools", "tool_choice", "max_tokens", "temperature", "top_p", "top_k"}
    | {"stop_sequences", "metadata", "thinking", "output_config", "cache_control", "service_tier", "speed"}
    | {"container", "mcp_servers", "compaction", "thread"}
    | {"context_management", "diagnostics", "inference_geo", "fallbacks", "fallback_credit_token", "billing_policy"}
    | {"workspace_id", "user_profile_id"}
)
_MESSAGE = frozenset({"role", "content", "clear_at", "output_config"})

# What only this API knows, and what the answer is as good without.
_IGNORED: tuple[tuple[str, str], ...] = (
    ("context_management", "only Anthropic clears the context by itself"),
    ("diagnostics", "no counterpart"),
    ("inference_geo", "no counterpart"),
    ("fallbacks", "llmux has fallbacks of its own"),
    ("fallback_credit_token", "no counterpart"),
    ("billing_policy", "no counterpart"),
    ("workspace_id", "no counterpart"),
    ("user_profile_id", "no counterpart"),
)
# How Claude Code's first system text begins. It is for Anthropic's accounts, changes with each request, and a prompt that begins
# with it would never be found in another provider's cache.
_ATTRIBUTION = "x-anthropic-billing-header:"


def parse(doc: dict[str, Any], context: Context) -> Request:
    """The request as items. Raises Fault (`invalid`) naming the field that is not as it must be."""
    version = versions.of_client(context)
    if "messages" not in doc:
        raise invalid("/messages", "No messages found in request payload")
    messages = list(objects(doc["messages"], "/messages"))
    if not messages:
        raise invalid("/messages", "Empty messages array in request")
    settings.check_version(doc, version)
    _refuse(doc, context)

    parts = Parts(context, version)
    items: list[Item] = []
    system = _system(doc.get("system"), parts, context)
    if system:
        items.append(Message("system", system, at="/system"))
    for number, (at, node) in enumerate(messages):
        speaker = role(node.get("role"), f"{at}/role", _ROLES)
        reading.rest(node, _MESSAGE, at, context.notes)
        for name in ("clear_at", "output_config"):
            if node.get(name) is not None:
                reading.drop(node[name], f"{at}/{name}", context.notes, "no counterpart")
        items += Turn(parts, speaker, number, at).read(node.get("content"))

    tools = offers.read(doc, context)
    where: dict[str, str] = {}
    thinking = doc.get("thinking")
    hidden = isinstance(thinking, dict) and thinking.get("type") == "disabled"
    request = Request(
        tuple(items),
        tools,
        display="none" if hidden else "full",
        model=reading.string(doc.get("model"), "/model"),
        stream=reading.flag(doc.get("stream"), "/stream") is True,
        policy=offers.policy(doc, tools, where, context),
        sampling=settings.sampling(doc, where, context),
        reasoning=settings.reasoning(doc, where, context),
        output=settings.output(doc, where, context),
        caching=Caching(automatic=read_mark(doc, "", context)),
        tier=settings.tier(doc, where, context),
        user=settings.user(doc, where, context),
        where=where,
    )
    for name, why in _IGNORED:
        if doc.get(name) is not None:
            reading.drop(doc[name], f"/{name}", context.notes, why)
    reading.rest(doc, _KNOWN, "", context.notes)
    return request


def _system(content: object, parts: Parts, context: Context) -> tuple[Part, ...]:
    """The instructions: a text, or text blocks."""
    if isinstance(content, str):
        return (Text(content, at="/system"),) if content else ()
    found: list[Part] = []
    for at, block in objects(content, "/system"):
        if block.get("type") != "text":
            context.notes.refuse(at, "a system prompt holds texts only")
            found.append(OpaquePart(str(block.get("type")), block, "anthropic", at))
        elif isinstance(block.get("text"), str) and block["text"].startswith(_ATTRIBUTION):
            context.notes.drop(at, "for Anthropic's accounts; other providers would never find the prompt in their cache")
        else:
            found.append(parts.text(block, at, cited=False))
    return tuple(found)


def _refuse(doc: dict[str, Any], context: Context) -> None:
    """What only this API knows, and what changes the meaning if it is left out."""
    container = doc.get("container")
    if isinstance(container, str) or (isinstance(container, dict) and any(container.values())):
        context.notes.refuse("/container", "only Anthropic has its containers and skills")
    if doc.get("mcp_servers"):
        context.notes.refuse("/mcp_servers", "only Anthropic connects to these servers")
    if doc.get("compaction") is not None:
        context.notes.refuse("/compaction", "only Anthropic compacts a conversation")
    thread = doc.get("thread")
    if isinstance(thread, dict):
        if thread.get("type") != "create":
            context.notes.refuse("/thread", "the thread is kept by Anthropic")
        else:
            reading.drop(thread, "/thread", context.notes, "other providers keep no thread")
