"""Writes a Chat Completions request for a provider."""

from __future__ import annotations

import re
from typing import Any

from llmux.dialects import openai_only
from llmux.dialects.context import Context
from llmux.dialects.neutral import Level, Output, ReasoningPolicy, Request, Tier
from llmux.dialects.openai_chat.requests import compatible, limits, toolbox
from llmux.dialects.openai_chat.requests.conversation import Conversation, plain
from llmux.dialects.openai_only import Marks
from llmux.dialects.pairing import Rule, paired
from llmux.dialects.reading import invalid

_TIERS: dict[Tier, str] = {
    "auto": "auto",
    "standard": "default",
    "flex": "flex",
    "scale": "scale",
    "priority": "priority",
    "fast": "fast",
}
_TTLS = ("30m",)
# The API insists on a name for a schema.
_SCHEMA = "response"
_RESULTS = Rule(ids=re.compile(r"[\x21-\x7e]{1,64}"), results="given")  # OpenAI takes no longer ids
# What most requests say of these: nothing.
_ANY_EFFORT = ReasoningPolicy()
_ANY_FORM = Output()


def write(request: Request, context: Context) -> dict[str, Any]:
    """The body to send. Raises Fault for what cannot be said.

    Usage is asked for whether or not the client wants to be told.
    """
    marks = Marks(context)
    messages = plain(request.items, context)
    if messages is None:
        conversation = Conversation(context, marks)
        conversation.write(paired(request.items, _RESULTS, context))
        tools = toolbox.write(request, context, marks)
        marks.settle()
        messages = conversation.messages()
        if not messages:
            raise invalid("/messages", "there must be a message in which something stands")
    else:  # no marks to settle
        tools = toolbox.write(request, context, marks)
    body: dict[str, Any] = {"model": context.target.model or request.model, "messages": messages}
    if context.stream or request.stream:
        body["stream"] = True
        body["stream_options"] = {"include_usage": True}
    if tools:
        body.update(tools)
    limits.write(request, context, body)
    if request.reasoning != _ANY_EFFORT:
        effort = _effort(request, context)
        if effort is not None:
            body["reasoning_effort"] = effort
    if request.output != _ANY_FORM:
        body.update(_form(request, context))
    _rest(request, context, body)
    openai_only.write(request, context, body, _TTLS)
    if context.target.options.compatible:
        compatible.reduce(body, request, context)
    return body


def _effort(request: Request, context: Context) -> Level | None:
    """How much to think, by level. What is left to the model is what it does by itself."""
    if request.reasoning.show is not None and "show" in request.where:
        context.notes.drop(request.where["show"], "whether reasoning is shown cannot be said")
    return openai_only.effort(request, context)


def _form(request: Request, context: Context) -> dict[str, Any]:
    """The form of the answer."""
    output = request.output
    members: dict[str, Any] = {}
    others = [each for each in output.modalities or () if each.lower() != "text"]
    if others:
        context.notes.refuse(request.where.get("modalities", ""), f"answers come in text, not in {', '.join(others)}")
    if output.format == "text":
        members["response_format"] = {"type": "text"}
    elif output.format == "json":
        members["response_format"] = {"type": "json_object"}
    elif output.format == "schema":
        members["response_format"] = {"type": "json_schema", "json_schema": _schema(output, context)}
    if output.verbosity is not None:
        members["verbosity"] = output.verbosity
    return members


def _schema(output: Output, context: Context) -> dict[str, Any]:
    if output.name is None:
        context.notes.invent("/response_format/json_schema/name", f"a schema needs a name: {_SCHEMA}")
    named: dict[str, Any] = {"name": output.name or _SCHEMA}
    if output.description is not None:
        named["description"] = output.description
    named["schema"] = output.schema
    if output.strict is not None:
        named["strict"] = output.strict
    return named


def _rest(request: Request, context: Context, members: dict[str, Any]) -> None:
    """Whose request it is, how urgent, and what is kept of it; written into the body's `members`."""
    if request.metadata:
        members["metadata"] = dict(request.metadata)
    if request.store:  # nothing is kept otherwise, and many compatible servers refuse to be told so
        members["store"] = True
    if request.tier is not None:
        members["service_tier"] = _TIERS[request.tier]
