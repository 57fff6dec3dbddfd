"""What servers that only speak like OpenAI do not know of its newer members: many refuse a request for one of them."""

from __future__ import annotations

from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import Request

# member -> the slot of what it says
_UNKNOWN: dict[str, str] = {
    "metadata": "metadata",
    "moderation": "moderation",
    "prompt_cache_key": "key",
    "prompt_cache_options": "automatic",
    "prompt_cache_retention": "retention",
    "service_tier": "tier",
    "store": "store",
    "verbosity": "verbosity",
}
_WHY = "compatible servers do not know it"


def reduce(body: dict[str, Any], request: Request, context: Context) -> None:
    """Write a body in the words that such servers know. Raises Fault where the notes are strict and something must go."""
    notes = context.notes
    if "max_completion_tokens" in body:
        body["max_tokens"] = body.pop("max_completion_tokens")
    if "safety_identifier" in body:
        name = body.pop("safety_identifier")
        if body.setdefault("user", name) is not name:
            notes.drop(request.where.get("user", ""), _WHY)
    for member, slot in _UNKNOWN.items():
        if member in body:
            del body[member]
            notes.drop(_at(request, slot, member), _WHY)
    for message in body["messages"]:
        if message["role"] == "developer":
            message["role"] = "system"


def _at(request: Request, slot: str, member: str) -> str:
    explicit = request.caching.marked_only
    if slot == "automatic" and explicit is not None:
        return explicit.at
    return request.where.get(slot, f"/{member}")
