"""Reads what a request says of the answer as a whole: limits, sampling, thinking, form, caching, tier.

Each function enters the pointers of what it read into `where`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from llmux.dialects import openai_only, reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import Caching, Level, Output, ReasoningPolicy, Sampling, Tier
from llmux.dialects.reading import invalid

_LEVELS: tuple[Level, ...] = get_args(Level)
_TIERS: dict[str, Tier] = {
    "auto": "auto",
    "default": "standard",
    "flex": "flex",
    "scale": "scale",
    "priority": "priority",
    "fast": "fast",
}
_FORMAT = frozenset({"type", "json_schema"})
_SCHEMA = frozenset({"name", "description", "schema", "strict"})
_OPTIONS = frozenset({"mode", "ttl"})
_STREAM = frozenset({"include_usage", "include_obfuscation"})  # padding against listeners, which says nothing


def sampling(doc: dict[str, Any], where: dict[str, str], context: Context) -> Sampling:
    """Limits, and how tokens are chosen."""
    told: dict[str, Any] = {}
    for name, value in doc.items():
        if value is not None and name in SAMPLING:
            where[name] = at = f"/{name}"
            told[name] = SAMPLING[name](value, at)
    return Sampling(_max_out(doc, where, context), **told)


def _max_out(doc: dict[str, Any], where: dict[str, str], context: Context) -> int | None:
    older = reading.integer(doc.get("max_tokens"), "/max_tokens")
    newer = reading.integer(doc.get("max_completion_tokens"), "/max_completion_tokens")
    if newer is None:
        if older is not None:
            where["max_out"] = "/max_tokens"
        return older
    where["max_out"] = "/max_completion_tokens"
    if older is not None and older != newer:
        context.notes.drop("/max_tokens", "max_completion_tokens counts")
    return newer


def _stop(value: object, at: str) -> tuple[str, ...] | None:
    if isinstance(value, str):
        return (value,) if value else None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise invalid(at, f"{at} must be a string or a list of strings")
    return tuple(value) or None


# The members of sampling that have the same name in the neutral request, each with what reads it.
SAMPLING: dict[str, Callable[[object, str], object]] = {
    "temperature": reading.number,
    "top_p": reading.number,
    "frequency_penalty": reading.number,
    "presence_penalty": reading.number,
    "top_k": reading.integer,
    "seed": reading.integer,
    "logit_bias": reading.obj,
    "n": reading.integer,
    "stop": _stop,
    "logprobs": reading.flag,
    "top_logprobs": reading.integer,
}


def reasoning(doc: dict[str, Any], where: dict[str, str]) -> ReasoningPolicy:
    """Thinking, by level. Whether it is shown cannot be said in this API."""
    effort = doc.get("reasoning_effort")
    if effort is None:
        return ReasoningPolicy()
    where["level"] = "/reasoning_effort"
    level = next((level for level in _LEVELS if level == effort), None)
    if level is None:
        raise invalid("/reasoning_effort", f"{effort!r} is none of {', '.join(_LEVELS)}")
    return ReasoningPolicy(level=level)


def output(doc: dict[str, Any], where: dict[str, str], context: Context) -> Output:
    """The form of the answer."""
    modalities = doc.get("modalities")
    if modalities is not None:
        if not isinstance(modalities, list) or not all(isinstance(each, str) for each in modalities):
            raise invalid("/modalities", "/modalities must be a list of strings")
        where["modalities"] = "/modalities"
    verbosity = reading.optional(doc.get("verbosity"), "/verbosity")
    if verbosity is not None:
        where["verbosity"] = "/verbosity"
    shape = _format(reading.obj(doc.get("response_format"), "/response_format"), where, context)
    return Output(
        shape.format,
        shape.schema,
        shape.name,
        shape.description,
        shape.strict,
        None if modalities is None else tuple(modalities),
        verbosity,
    )


def _format(node: dict[str, Any] | None, where: dict[str, str], context: Context) -> Output:
    if node is None:
        return Output()
    at = "/response_format"
    where["format"] = at
    reading.rest(node, _FORMAT, at, context.notes)
    match node.get("type"):
        case "text":
            return Output("text")
        case "json_object":
            return Output("json")
        case "json_schema":
            at = f"{at}/json_schema"
            inner = reading.obj(node.get("json_schema"), at)
            if inner is None:
                raise invalid(at, f"{at} must be an object")
            reading.rest(inner, _SCHEMA, at, context.notes)
            where["schema"] = f"{at}/schema"
            for name in ("name", "description", "strict"):
                if inner.get(name) is not None:
                    where[f"format_{name}"] = f"{at}/{name}"
            return Output(
                "schema",
                reading.obj(inner.get("schema"), f"{at}/schema") or {},
                reading.optional(inner.get("name"), f"{at}/name"),
                reading.optional(inner.get("description"), f"{at}/description"),
                reading.flag(inner.get("strict"), f"{at}/strict"),
            )
        case kind:
            raise invalid(f"{at}/type", f"{at}/type: {kind!r} is none of text, json_object, json_schema")


def caching(doc: dict[str, Any], where: dict[str, str], context: Context) -> Caching:
    """What is said of the prompt cache beside the marks."""
    return openai_only.caching(doc, _OPTIONS, where, context)


def tier(doc: dict[str, Any], where: dict[str, str], context: Context) -> Tier | None:
    """How urgent it is."""
    asked = doc.get("service_tier")
    if asked is None:
        return None
    found = _TIERS.get(asked) if isinstance(asked, str) else None
    if found is None:
        context.notes.drop("/service_tier", "no counterpart")
        return None
    where["tier"] = "/service_tier"
    return found


def include_usage(doc: dict[str, Any], where: dict[str, str], context: Context) -> bool | None:
    """Whether a stream shall tell the tokens at its end."""
    options = reading.obj(doc.get("stream_options"), "/stream_options")
    if options is None:
        return None
    reading.rest(options, _STREAM, "/stream_options", context.notes)
    asked = reading.flag(options.get("include_usage"), "/stream_options/include_usage")
    if asked is not None:
        where["include_usage"] = "/stream_options/include_usage"
    return asked
