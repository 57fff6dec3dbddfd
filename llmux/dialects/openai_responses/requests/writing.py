"""Writes a Responses request."""

from __future__ import annotations

from typing import Any

from llmux.dialects import openai_only
from llmux.dialects.context import Context
from llmux.dialects.neutral import Request, Tier
from llmux.dialects.openai_responses.requests import tooling
from llmux.dialects.openai_responses.requests.history import History

_TIERS: dict[Tier, str] = {"standard": "default"}
# What this API does not know, by slot of `Sampling`.
_UNKNOWN = ("top_k", "frequency_penalty", "presence_penalty", "seed", "logit_bias", "stop")
_TTLS = ("30m", "12h")


def write(request: Request, context: Context) -> dict[str, Any]:
    """The body of a request. The provider shall keep nothing, unless the client wants it."""
    instructions, items = History(context).write(request)
    body: dict[str, Any] = {"model": context.target.model or request.model}
    if instructions is not None:
        body["instructions"] = instructions
    body["input"] = items
    _tools(request, context, body)
    _sampling(request, context, body)
    include = _reasoning(request, context, body)
    if request.sampling.logprobs:
        include.append("message.output_text.logprobs")
    _output(request, context, body)
    openai_only.write(request, context, body, _TTLS)
    if request.tier is not None:
        body["service_tier"] = _TIERS.get(request.tier, request.tier)
    if request.metadata is not None:
        body["metadata"] = dict(request.metadata)
    if include:
        body["include"] = include
    body["store"] = request.store is True
    if context.stream or request.stream:
        body["stream"] = True
    return body


def _tools(request: Request, context: Context, body: dict[str, Any]) -> None:
    tools = tooling.write(request, context)
    if tools:
        body["tools"] = tools
    policy = request.policy
    choice = tooling.choice(request, context)
    if choice is not None:
        body["tool_choice"] = choice
    if policy.parallel is not None:
        body["parallel_tool_calls"] = policy.parallel
    if policy.max_calls is not None:
        body["max_tool_calls"] = policy.max_calls


def _sampling(request: Request, context: Context, body: dict[str, Any]) -> None:
    sampling, where, notes = request.sampling, request.where, context.notes
    if sampling.max_out is not None:
        body["max_output_tokens"] = sampling.max_out
    if sampling.temperature is not None:
        body["temperature"] = sampling.temperature
    if sampling.top_p is not None:
        body["top_p"] = sampling.top_p
    if sampling.top_logprobs is not None:
        if sampling.logprobs:
            body["top_logprobs"] = sampling.top_logprobs
        else:
            notes.drop(where.get("top_logprobs", ""), "nobody asked for the probabilities of tokens")
    for slot in _UNKNOWN:
        if getattr(sampling, slot) is not None:
            notes.drop(where.get(slot, ""), "OpenAI's Responses have no such setting")
    if sampling.n is not None and sampling.n != 1:
        notes.refuse(where.get("n", ""), "OpenAI's Responses give one answer")


def _reasoning(request: Request, context: Context, body: dict[str, Any]) -> list[str]:
    """How much to think. Returns what the answer must tell in addition: the seals, without which it would be forgotten."""
    policy, thinks = request.reasoning, context.target.capabilities.thinking
    level = openai_only.effort(request, context)
    if thinks == "none":
        if policy.show in ("summary", "full") and "show" in request.where:
            context.notes.drop(request.where["show"], "the model does not think")
        return []
    node: dict[str, Any] = {}
    if level is not None:
        node["effort"] = level
    if policy.show in ("summary", "full") and level != "none":
        node["summary"] = policy.detail or "auto"
    if node:
        body["reasoning"] = node
    asked = level not in (None, "none") or (level is None and policy.enabled in ("yes", "auto"))
    return ["reasoning.encrypted_content"] if asked and thinks is not None else []


def _output(request: Request, context: Context, body: dict[str, Any]) -> None:
    output, where, notes = request.output, request.where, context.notes
    for modality in output.modalities or ():
        if modality != "text":
            notes.refuse(where.get("modalities", ""), f"OpenAI's Responses give no {modality}")
    text: dict[str, Any] = {}
    match output.format:
        case "text":
            text["format"] = {"type": "text"}
        case "json":
            text["format"] = {"type": "json_object"}
        case "schema":
            if output.name is None:
                notes.invent("/text/format/name", "OpenAI wants a name for the form")
            format_ = {"type": "json_schema", "name": output.name or "response", "schema": output.schema}
            if output.description is not None:
                format_["description"] = output.description
            if output.strict is not None:
                format_["strict"] = output.strict
            text["format"] = format_
    if output.verbosity is not None:
        text["verbosity"] = output.verbosity
    if text:
        body["text"] = text
