"""Writes a generateContent request for a provider. The model stands in the address."""

from __future__ import annotations

import re
from typing import Any

from llmux.dialects import choosing, openai_only
from llmux.dialects.context import Context
from llmux.dialects.gemini.requests import offers, thinking
from llmux.dialects.gemini.requests.conversation import Conversation
from llmux.dialects.neutral import Request, Tier
from llmux.dialects.pairing import Rule, paired
from llmux.dialects.reading import invalid, token
from llmux.dialects.schemas import to_openapi

_RESULTS = Rule(ids=None, results="calls")  # the very next content answers the calls, one by one
_MOST_STOPS = 5
_TIERS: dict[Tier, str] = {"standard": "standard", "flex": "flex", "priority": "priority"}
# What Google Cloud takes for a label.
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")


def write(request: Request, context: Context) -> dict[str, Any]:
    """The body to send. Raises Fault for what cannot be said."""
    conversation = Conversation(context)
    conversation.write(paired(request.items, _RESULTS, context))
    if not conversation.contents:
        raise invalid("", "Gemini needs a message in which something stands")
    body: dict[str, Any] = {}
    if conversation.system:
        body["systemInstruction"] = {"parts": conversation.system}
    body["contents"] = conversation.contents
    offered = choosing.among_functions(request, context.notes)
    tools = offers.tools(offered, context)
    if tools:
        body["tools"] = tools
    choice = offers.config(offered, tools, context)
    if choice:
        body["toolConfig"] = choice
    config = {**_sampling(request, context), **_output(request, context)}
    thoughts = thinking.config(request, context)
    if thoughts:
        config["thinkingConfig"] = thoughts
    resolution = conversation.parts.resolution()
    if resolution is not None:
        config["mediaResolution"] = resolution
    if config:
        body["generationConfig"] = config
    body.update(_envelope(request, context))
    return body


def _sampling(request: Request, context: Context) -> dict[str, Any]:
    said, where, notes = request.sampling, request.where, context.notes
    if said.stop is not None and len(said.stop) > _MOST_STOPS:
        notes.refuse(where.get("stop", ""), f"Gemini takes {_MOST_STOPS} stop sequences at most")
    if said.logit_bias:
        notes.drop(where.get("logit_bias", ""), "tokens cannot be weighed")
    members = {
        "temperature": said.temperature,
        "topP": said.top_p,
        "topK": said.top_k,
        "candidateCount": said.n,
        "maxOutputTokens": said.max_out,
        "stopSequences": list(said.stop[:_MOST_STOPS]) if said.stop else None,
        "presencePenalty": said.presence_penalty,
        "frequencyPenalty": said.frequency_penalty,
        "seed": said.seed,
        "responseLogprobs": said.logprobs,
        "logprobs": said.top_logprobs,
    }
    return {name: value for name, value in members.items() if value is not None}


def _output(request: Request, context: Context) -> dict[str, Any]:
    output, where, notes = request.output, request.where, context.notes
    written: dict[str, Any] = {}
    if output.format == "text":
        written["responseMimeType"] = "text/plain"
    elif output.format is not None:
        written["responseMimeType"] = "application/json"
    if output.format == "schema":
        schema = _described(request, context)
        if context.target.options.schema_form == "openapi":
            written["responseSchema"] = to_openapi(schema, where.get("schema", where.get("format", "")), notes)
        else:
            written["responseJsonSchema"] = schema
        if output.name is not None:
            notes.carry(where.get("format_name", ""), f"a schema has no name here: {output.name}")
        if output.strict is False:
            notes.approximate(where.get("format_strict", ""), "the model always keeps to the schema")
    if output.modalities is not None:
        written["responseModalities"] = [each.upper() for each in output.modalities]
    if output.verbosity is not None:
        notes.drop(where.get("verbosity", ""), "how wordy to be cannot be said")
    return written


def _described(request: Request, context: Context) -> Any:
    """The schema, with what it is for where it does not say so itself."""
    output = request.output
    if output.description is None:
        return output.schema
    context.notes.approximate(request.where.get("format_description", ""), "what the schema is for stands in the schema")
    if isinstance(output.schema, dict) and "description" not in output.schema:
        return {**output.schema, "description": output.description}
    return output.schema


def _envelope(request: Request, context: Context) -> dict[str, Any]:
    where, notes = request.where, context.notes
    written: dict[str, Any] = {}
    if request.tier is not None and request.tier != "auto":
        tier = _TIERS.get(request.tier)
        if tier is None:
            notes.drop(where.get("tier", ""), f"no counterpart for {request.tier}")
        else:
            written["serviceTier"] = tier
    labels = _labels(request, context)
    if labels:
        written["labels"] = labels
    if request.store is not None:
        written["store"] = request.store
    if request.user is not None:
        notes.drop(where.get("user", ""), "end users have no names")
    openai_only.lose(request, notes)
    for mark in (request.caching.automatic, request.caching.marked_only):
        if mark is not None:
            notes.drop(mark.at, "the provider decides what it caches")
    return written


def _labels(request: Request, context: Context) -> dict[str, str]:
    labels: dict[str, str] = {}
    for name, value in (request.metadata or {}).items():
        if _LABEL_KEY.fullmatch(name) and isinstance(value, str) and _LABEL_VALUE.fullmatch(value):
            labels[name] = value
        else:
            context.notes.drop(f"{request.where.get('metadata', '')}/{token(name)}", "no label may look like this")
    return labels
