"""Reads a Messages request."""

from __future__ import annotations

from typing import Any

from llmux.dialects import reading
from llmux.dialects.anthropic import versions
from llmux.dialects.anthropic.requests import offers, settings
from llmux.dialects.anthropic.requests.draft import Draft, Reader
from llmux.dialects.anthropic.requests.parts import listed
from llmux.dialects.anthropic.requests.turns import Turn
from llmux.dialects.context import Context
from llmux.dialects.neutral import Message, OpaqueItem, OpaquePart, Part, Request, Role, Text
from llmux.dialects.reading import invalid, role

_ROLES: dict[str, Role] = {"user": "user", "assistant": "assistant", "system": "system"}
_MESSAGE = frozenset({"role", "content"})
# How Claude Code's first system text begins. It is for Anthropic's accounts, changes with each request, and a prompt that begins
# with it would never be found in another provider's cache.
_ATTRIBUTION = "x-anthropic-billing-header:"


def parse(doc: dict[str, Any], context: Context) -> Request:
    """The request as items. Raises Fault (`invalid`) naming the field that is not as it must be."""
    draft = Draft(doc, context, versions.of_client(context))
    if "messages" not in doc:
        raise invalid("/messages", "No messages found in request payload")
    for name, value in doc.items():
        read = _MEMBERS.get(name)
        if read is None:
            reading.drop(value, f"/{reading.token(name)}", context.notes, "no counterpart")
        elif value is not None:
            read(value, draft)
    if not draft.items:
        raise invalid("/messages", "Empty messages array in request")
    if draft.choice is not None:
        draft.slots["policy"] = offers.policy(draft.choice, draft)
    return draft.request()


def _messages(value: Any, draft: Draft) -> None:
    """The conversation, turn by turn."""
    for number, node in enumerate(listed(value, "/messages")):
        at = f"/messages/{number}"
        if not isinstance(node, dict):
            raise invalid(at, f"{at} must be an object")
        speaker = role(node.get("role"), f"{at}/role", _ROLES)
        content = node.get("content")
        if isinstance(content, str):
            draft.items.append(Message(speaker, (Text(content, at=f"{at}/content"),), number, at=at))
        elif (text := _alone(content)) is not None:
            draft.items.append(Message(speaker, (Text(text, at=f"{at}/content/0"),), number, at=at))
        else:
            draft.items += Turn(draft.parts, speaker, number, at).read(content)
        if not node.keys() <= _MESSAGE:
            _more(node, number, at, draft)


def _alone(content: object) -> str | None:
    """The text of content that says nothing else, as most does."""
    if type(content) is list and len(content) == 1:
        block = content[0]
        if type(block) is dict and len(block) == 2 and block.get("type") == "text":
            text = block.get("text")
            return text if type(text) is str else None
    return None


def _more(node: dict[str, Any], turn: int, at: str, draft: Draft) -> None:
    """What else is said of a message; of what the API knows, null says nothing."""
    for name, value in node.items():
        where = f"{at}/{reading.token(name)}"
        if name in _MESSAGE or (value is None and name in ("clear_at", "output_config")):
            continue
        if name == "output_config":
            value = dict(reading.obj(value, where) or {})
            effort = settings.effort(value.pop("effort", None), f"{where}/effort")
            if effort is not None:
                # from here on; the one other API that can say so has an item for it
                update = {"type": "configuration_update", "reasoning": {"effort": effort}}
                draft.items.append(OpaqueItem("configuration_update", update, "openai-responses", turn, f"{where}/effort"))
        if value != {}:
            reading.drop(value, where, draft.context.notes, "no counterpart")


def _system(value: Any, draft: Draft) -> None:
    """The instructions: a text, or text blocks."""
    found: list[Part] = []
    if isinstance(value, str):
        if value:
            found.append(Text(value, at="/system"))
    elif (text := _alone(value)) is not None and not text.startswith(_ATTRIBUTION):
        found.append(Text(text, at="/system/0"))
    else:
        for index, block in enumerate(listed(value, "/system")):
            at = f"/system/{index}"
            if not isinstance(block, dict):
                raise invalid(at, f"{at} must be an object")
            if block.get("type") != "text":
                draft.context.notes.refuse(at, "a system prompt holds texts only")
                found.append(OpaquePart(str(block.get("type")), block, "anthropic", at))
            elif str(block.get("text")).startswith(_ATTRIBUTION):
                why = "for Anthropic's accounts; other providers would never find the prompt in their cache"
                draft.context.notes.drop(at, why)
            else:
                found.append(draft.parts.text(block, at, cited=False))
    if found:
        draft.system = Message("system", tuple(found), at="/system")


def _container(value: Any, draft: Draft) -> None:
    if isinstance(value, str) or (isinstance(value, dict) and any(value.values())):
        draft.context.notes.refuse("/container", "only Anthropic has its containers and skills")


def _compaction(value: Any, draft: Draft) -> None:
    draft.context.notes.refuse("/compaction", "only Anthropic compacts a conversation")


def _thread(value: Any, draft: Draft) -> None:
    if isinstance(value, dict):
        if value.get("type") != "create":
            draft.context.notes.refuse("/thread", "the thread is kept by Anthropic")
        else:
            reading.drop(value, "/thread", draft.context.notes, "other providers keep no thread")


def _ignored(name: str, why: str = "no counterpart") -> Reader:
    """The reader of a member that only this API knows, and without which the answer is as good."""

    def drop(value: Any, draft: Draft) -> None:
        reading.drop(value, f"/{name}", draft.context.notes, why)

    return drop


# All members that the API knows.
_MEMBERS: dict[str, Reader] = {
    **settings.MEMBERS,
    **offers.MEMBERS,
    "messages": _messages,
    "system": _system,
    # what changes the meaning if it is left out
    "container": _container,
    "compaction": _compaction,
    "thread": _thread,
    # what does not
    "context_management": _ignored("context_management", "only Anthropic clears the context by itself"),
    "diagnostics": _ignored("diagnostics"),
    "inference_geo": _ignored("inference_geo"),
    "fallbacks": _ignored("fallbacks", "llmux has fallbacks of its own"),
    "fallback_credit_token": _ignored("fallback_credit_token"),
    "billing_policy": _ignored("billing_policy"),
    "workspace_id": _ignored("workspace_id"),
    "user_profile_id": _ignored("user_profile_id"),
}
