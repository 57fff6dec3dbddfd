"""Reads a generateContent request."""

from __future__ import annotations

from typing import Any

from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.gemini.requests import offered, settings
from llmux.dialects.gemini.requests.contents import Contents
from llmux.dialects.gemini.spelling import Node
from llmux.dialects.neutral import Request, Role, Tier
from llmux.dialects.reading import invalid

_ROLES: dict[str, Role] = {"user": "user", "model": "assistant", "function": "user"}
_TIERS: dict[str, Tier] = {"FLEX": "flex", "STANDARD": "standard", "PRIORITY": "priority"}
_KNOWN = frozenset(
    {
        *("contents", "systemInstruction", "generationConfig", "tools", "toolConfig", "labels", "serviceTier", "store", "model"),
        *("safetySettings", "cachedContent", "modelArmorConfig", "continuationToken", "generationOutputConfig"),
    }
)
_CONTENT = frozenset({"role", "parts"})
# Nobody else knows what they stand for, and the answer would be another one without them.
_REFUSED = {
    "cachedContent": "only Gemini knows what was cached",
    "continuationToken": "only Gemini knows what is to be continued",
    "modelArmorConfig": "no other API has these filters",
    "generationOutputConfig": "no other API writes its answer elsewhere",
}


def parse(doc: dict[str, Any], context: Context) -> Request:
    """The request. Raises Fault (`invalid`) naming the field that is not as it must be."""
    node, notes = Node(doc, ""), context.notes
    node.rest(_KNOWN, notes)
    where: dict[str, str] = {}
    config = node.child("generationConfig")
    found = settings.read(config, where, context)
    contents = Contents(context, found.detail)
    system = node.child("systemInstruction")
    if system is not None:
        system.rest(_CONTENT, notes)
        contents.read("system", 0, system)
    for turn, content in enumerate(_contents(node)):
        if content.get("parts") is None and not content.raw.keys() <= _CONTENT:
            raise invalid(content.where("parts"), "a content has a list of parts")  # a bare part, which only the SDK takes
        content.rest(_CONTENT, notes)
        role = reading.role(content.get("role") or "user", content.where("role"), _ROLES)
        contents.read(role, turn, content)
    if found.detail is not None and not contents.has_media and config is not None:
        notes.drop(config.where("mediaResolution"), "there is nothing to look at")
    tools = tuple(offered.tools(node, context))
    policy = offered.policy(node, tools, where, context)
    for safety in node.children("safetySettings"):
        notes.drop(safety.at, "filters of another provider cannot be set")
    for name, why in _REFUSED.items():
        if node.get(name) is not None:
            notes.refuse(node.where(name), why)
    labels = reading.obj(node.get("labels"), node.where("labels"))
    for slot, name in (("metadata", "labels"), ("tier", "serviceTier"), ("store", "store")):
        if node.get(name) is not None:
            where[slot] = node.where(name)
    return Request(
        tuple(contents.items),
        tools,
        "full" if found.reasoning.show in ("summary", "full") else "none",
        model=node.text("model").removeprefix("models/"),
        stream=context.stream,
        policy=policy,
        sampling=found.sampling,
        reasoning=found.reasoning,
        output=found.output,
        tier=_tier(node, context),
        metadata=labels,
        store=reading.flag(node.get("store"), node.where("store")),
        where=where,
    )


def _contents(node: Node) -> list[Node]:
    contents = node.get("contents")
    if isinstance(contents, dict):  # one content stands for a list of one
        return [Node(contents, node.where("contents"))]
    found = list(node.children("contents"))
    if not found:
        raise invalid("/contents", "No contents found in request payload")
    return found


def _tier(node: Node, context: Context) -> Tier | None:
    word = node.word("serviceTier")
    if word is None:
        return None
    tier = _TIERS.get(word)
    if tier is None:
        context.notes.drop(node.where("serviceTier"), f"no counterpart for {word}")
    return tier
