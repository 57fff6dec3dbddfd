"""Writes a Messages request for a provider."""

from __future__ import annotations

import re
from typing import Any

from llmux.dialects import openai_only
from llmux.dialects.anthropic.requests import limits, thinking, toolbox
from llmux.dialects.anthropic.requests.content import simple
from llmux.dialects.anthropic.requests.conversation import Conversation
from llmux.dialects.anthropic.requests.marks import Marks
from llmux.dialects.anthropic.requests.thinking import Thinking
from llmux.dialects.anthropic.requests.toolbox import Toolbox
from llmux.dialects.context import Context
from llmux.dialects.neutral import Output, Request, Tier
from llmux.dialects.pairing import Rule, paired
from llmux.dialects.reading import invalid

_JSON = "Answer with one JSON object and nothing else."
_ANY = Output()
_RESULTS = Rule(ids=re.compile(r"[a-zA-Z0-9_-]+"), results="given")
_FORCED = "a model that is forced to use a tool cannot think"
# neutral tier -> the member that says it, and its value
_TIERS: dict[Tier, tuple[str, str]] = {
    "auto": ("service_tier", "auto"),
    "standard": ("service_tier", "standard_only"),
    "priority": ("service_tier", "auto"),
    "fast": ("speed", "fast"),
}


def write(request: Request, context: Context) -> dict[str, Any]:
    """The body to send. Raises Fault for what cannot be said. The version that goes with it is left in the context."""
    marks = Marks(context)
    tools = toolbox.pack(request, context, marks)  # first: it knows the names and forms of calls
    conversation = Conversation(context, marks)
    conversation.write(paired(request.items, _RESULTS, context))
    if not conversation.spoken:
        raise invalid("", "Anthropic needs a message in which something stands")

    max_tokens = limits.max_tokens(request, context)
    thoughts = thinking.plan(request, context, max_tokens, lambda: _excluded(context, tools, conversation))
    _reconcile(request, context, thoughts, tools)
    form = _form(request, context, conversation)
    automatic = marks.settle(request.caching.automatic)

    body: dict[str, Any] = {"model": context.target.model or request.model, "max_tokens": max_tokens}
    if context.stream or request.stream:
        body["stream"] = True
    if conversation.system:
        body["system"] = simple(conversation.system)
    body["messages"] = conversation.messages()
    if tools.tools:
        body["tools"] = tools.tools
    if tools.servers:
        body["mcp_servers"] = tools.servers
    if tools.choice is not None:
        body["tool_choice"] = tools.choice
    if thoughts.config is not None:
        body["thinking"] = thoughts.config
    if thoughts.effort is not None:
        body["output_config"] = {"effort": thoughts.effort}
    if form is not None:
        body.setdefault("output_config", {})["format"] = form
    stops = limits.stops(request, context)
    if stops:
        body["stop_sequences"] = stops
    body.update(limits.sampling(request, context, thinks=thoughts.on))
    if request.user:
        body["metadata"] = {"user_id": request.user}
    if request.tier is not None:
        body.update(_tier(request.tier, request, context))
    if automatic is not None:
        body["cache_control"] = automatic
    _note_the_rest(request, context)
    return body


def _excluded(context: Context, tools: Toolbox, conversation: Conversation) -> str | None:
    """Why the model cannot think by a budget this time, if it cannot."""
    if conversation.unthinking():
        return "no thinking this time: that before the last calls is lost"
    if tools.forced and context.target.options.forced_vs_thinking == "drop_thinking":
        return _FORCED
    return None


def _reconcile(request: Request, context: Context, thoughts: Thinking, tools: Toolbox) -> None:
    """A model that thinks by a budget cannot be forced to call."""
    if not thoughts.by_budget or not tools.forced:
        return
    at = request.where.get("format" if request.policy.mode is None else "policy", "")
    if context.target.options.forced_vs_thinking == "soften_to_auto":
        context.notes.approximate(at, _FORCED)
        tools.soften()
    else:
        context.notes.refuse(at, f"Thinking may not be enabled when tool_choice forces tool use: {_FORCED}")


def _form(request: Request, context: Context, conversation: Conversation) -> dict[str, Any] | None:
    """Structured output. JSON of any form has no counterpart, so the model is asked for it in words."""
    output, where, notes = request.output, request.where, context.notes
    if output == _ANY:
        return None
    if output.verbosity is not None:
        notes.drop(where.get("verbosity", ""), "how wordy to be cannot be said")
    others = [each for each in output.modalities or () if each.lower() != "text"]
    if others:
        notes.refuse(where.get("modalities", ""), f"Anthropic answers in text, not in {', '.join(others)}")
    if output.format == "json":
        at = where.get("format", "")
        if context.target.options.strict:
            notes.refuse(at, "JSON without a schema can only be asked for in words")
        notes.approximate(at, "JSON without a schema is asked for in words")
        conversation.system.append({"type": "text", "text": _JSON})
        return None
    if output.format != "schema":
        return None
    if output.name is not None:
        notes.carry(where.get("format_name", ""), f"a schema has no name here: {output.name}")
    if output.strict is False:
        notes.approximate(where.get("format_strict", ""), "the model always keeps to the schema")
    if context.target.capabilities.schema is False:
        return None  # a tool stands for it
    schema = output.schema
    if output.description is not None:
        notes.approximate(where.get("format_description", ""), "what the schema is for stands in the schema")
        if isinstance(schema, dict) and "description" not in schema:
            schema = {**schema, "description": output.description}
    return {"type": "json_schema", "schema": schema}


def _tier(tier: Tier, request: Request, context: Context) -> dict[str, str]:
    found = _TIERS.get(tier)
    if found is None:
        context.notes.drop(request.where.get("tier", ""), f"no counterpart for {tier}")
        return {}
    return {found[0]: found[1]}


def _note_the_rest(request: Request, context: Context) -> None:
    """Slots that the API has no place for."""
    where, notes = request.where, context.notes
    if request.policy.max_calls is not None:
        notes.drop(where.get("max_calls", ""), "how many calls there may be cannot be said")
    openai_only.lose(request, notes)
    if request.metadata:
        notes.drop(where.get("metadata", ""), "no counterpart")
    if request.store:
        notes.drop(where.get("store", ""), "answers are not kept")
