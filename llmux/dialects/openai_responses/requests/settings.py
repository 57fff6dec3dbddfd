"""Reads what a request says of the answer as a whole: limits, sampling, reasoning, form, cache, tier.

Each function enters the pointers of what it read into `where`.
"""

from __future__ import annotations

from typing import Any

from llmux.dialects import openai_only, reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import Caching, Level, Output, ReasoningPolicy, Sampling, Tier
from llmux.dialects.reading import get, invalid

_LEVELS: dict[str, Level] = {
    "none": "none",
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
    "max": "max",
}
_TIERS: dict[str, Tier] = {
    "auto": "auto",
    "default": "standard",
    "flex": "flex",
    "scale": "scale",
    "priority": "priority",
    "fast": "fast",
    "ultrafast": "fast",
}
_DETAILS = ("auto", "concise", "detailed")
_VERBOSITIES = ("low", "medium", "high")

_REASONING = frozenset({"effort", "summary", "generate_summary", "context", "mode"})
_TEXT = frozenset({"format", "verbosity"})
_FORMAT = frozenset({"type", "name", "schema", "strict", "description"})
_STREAM = frozenset({"include_obfuscation"})
_OPTIONS = frozenset({"mode", "ttl", "comparison_response_id", "prewarm"})

# What the answer tells if the provider does.
_TOLD = ("reasoning.encrypted_content", "web_search_call.action.sources")
_LOGPROBS = "message.output_text.logprobs"


def sampling(doc: dict[str, Any], where: dict[str, str], context: Context) -> Sampling:
    """Limits, and how tokens are chosen."""
    for slot, name in (("max_out", "max_output_tokens"), ("temperature", "temperature"), ("top_p", "top_p")):
        _enter(doc, name, slot, where)
    logprobs = _included(doc, where, context)
    top = reading.integer(doc.get("top_logprobs"), "/top_logprobs")
    if top:
        where["top_logprobs"] = "/top_logprobs"
        where.setdefault("logprobs", "/top_logprobs")
        logprobs = True
    return Sampling(
        max_out=reading.integer(doc.get("max_output_tokens"), "/max_output_tokens"),
        temperature=reading.number(doc.get("temperature"), "/temperature"),
        top_p=reading.number(doc.get("top_p"), "/top_p"),
        logprobs=logprobs,
        top_logprobs=top or None,
    )


def _included(doc: dict[str, Any], where: dict[str, str], context: Context) -> bool | None:
    """What the answer shall tell in addition. True: the probabilities of its tokens."""
    value = doc.get("include")
    if value is None:
        return None
    if not isinstance(value, list):
        raise invalid("/include", "/include must be a list")
    logprobs = None
    for index, each in enumerate(value):
        if each == _LOGPROBS:
            where["logprobs"] = f"/include/{index}"
            logprobs = True
        elif each not in _TOLD:
            context.notes.drop(f"/include/{index}", "no counterpart")
    return logprobs


def reasoning(doc: dict[str, Any], where: dict[str, str], context: Context) -> ReasoningPolicy:
    """How much to think, and whether to tell of it."""
    at = "/reasoning"
    node = reading.obj(doc.get("reasoning"), at)
    if node is None:
        return ReasoningPolicy()
    reading.rest(node, _REASONING, at, context.notes)
    for name, default in (("context", "auto"), ("mode", "standard")):
        if node.get(name) not in (None, default):
            context.notes.drop(f"{at}/{name}", "no counterpart")
    level = effort(node, at, where)
    detail = get(node, "summary", "generate_summary")
    if detail is None:
        return ReasoningPolicy(level=level)
    name = "summary" if node.get("summary") is not None else "generate_summary"
    where["show"] = f"{at}/{name}"
    if detail == "none":  # no word of the API's, but Codex's for none
        return ReasoningPolicy(level=level, show="none")
    if detail not in _DETAILS:
        raise invalid(where["show"], f"Invalid value: '{detail}'. Supported values are: {_quoted(_DETAILS)}.")
    return ReasoningPolicy(level=level, show="summary", detail=detail)


def effort(node: dict[str, Any], at: str, where: dict[str, str]) -> Level | None:
    """The level of a `reasoning` object."""
    value = node.get("effort")
    if value is None:
        return None
    level = _LEVELS.get(value) if isinstance(value, str) else None
    if level is None:
        raise invalid(f"{at}/effort", f"Invalid value: '{value}'. Supported values are: {_quoted(_LEVELS)}.")
    where["level"] = f"{at}/effort"
    return level


def output(node: dict[str, Any] | None, at: str, where: dict[str, str], context: Context) -> Output:
    """The form of the answer, by a `text` object."""
    if node is None:
        return Output()
    reading.rest(node, _TEXT, at, context.notes)
    verbosity = reading.optional(node.get("verbosity"), f"{at}/verbosity")
    if verbosity is not None:
        where["verbosity"] = f"{at}/verbosity"
        if verbosity not in _VERBOSITIES:
            raise invalid(f"{at}/verbosity", f"Invalid value: '{verbosity}'. Supported values are: {_quoted(_VERBOSITIES)}.")
    at = f"{at}/format"
    format_ = reading.obj(node.get("format"), at)
    if format_ is None:
        return Output(verbosity=verbosity)
    reading.rest(format_, _FORMAT, at, context.notes)
    where["format"] = at
    match format_.get("type"):
        case "text":
            return Output("text", verbosity=verbosity)
        case "json_object":
            return Output("json", verbosity=verbosity)
        case "json_schema":
            schema = reading.obj(format_.get("schema"), f"{at}/schema")
            if schema is None:
                raise invalid(f"{at}/schema", f"Missing required parameter: '{at}/schema'.")
            where["schema"] = f"{at}/schema"
            for name in ("name", "description", "strict"):
                _enter(format_, name, f"format_{name}", where, at)
            return Output(
                "schema",
                schema,
                reading.optional(format_.get("name"), f"{at}/name"),
                reading.optional(format_.get("description"), f"{at}/description"),
                reading.flag(format_.get("strict"), f"{at}/strict"),
                verbosity=verbosity,
            )
        case kind:
            raise invalid(f"{at}/type", f"Invalid value: '{kind}'. Supported values are: 'text', 'json_object', 'json_schema'.")


def caching(doc: dict[str, Any], where: dict[str, str], context: Context) -> Caching:
    """What is said of the prompt cache beside the marks."""
    found = openai_only.caching(doc, _OPTIONS, where, context)
    options = doc.get("prompt_cache_options") or {}
    if options.get("comparison_response_id") is not None:
        context.notes.drop("/prompt_cache_options/comparison_response_id", "only OpenAI knows that response")
    if options.get("prewarm"):
        context.notes.refuse("/prompt_cache_options/prewarm", "only OpenAI fills its cache without an answer")
    return found


def tier(doc: dict[str, Any], where: dict[str, str], context: Context) -> Tier | None:
    """How urgent it is."""
    value = doc.get("service_tier")
    if value is None:
        return None
    at = where["tier"] = "/service_tier"
    found = _TIERS.get(value) if isinstance(value, str) else None
    if found is None:
        raise invalid(at, f"Invalid value: '{value}'. Supported values are: {_quoted(_TIERS)}.")
    if value == "ultrafast":
        context.notes.approximate(at, "the fastest that others have")
    return found


def metadata(doc: dict[str, Any], where: dict[str, str]) -> dict[str, Any] | None:
    """What the client wants to find again."""
    _enter(doc, "metadata", "metadata", where)
    return reading.obj(doc.get("metadata"), "/metadata") or None


def store(doc: dict[str, Any], where: dict[str, str]) -> bool | None:
    """Whether the provider shall keep the answer."""
    _enter(doc, "store", "store", where)
    return reading.flag(doc.get("store"), "/store")


def refuse(doc: dict[str, Any], context: Context) -> None:
    """What only this API knows: refused where leaving it out would change the meaning, else noted."""
    notes = context.notes
    for name, why in _REFUSED:
        if doc.get(name):
            notes.refuse(f"/{name}", why)
    for name, defaults, why in _DROPPED:
        if doc.get(name) not in defaults:
            notes.drop(f"/{name}", why)
    # how llmux and the provider pad their records is between the two of them
    reading.rest(reading.obj(doc.get("stream_options"), "/stream_options") or {}, _STREAM, "/stream_options", notes)
    programs = reading.obj(doc.get("access_programs"), "/access_programs")
    for name, value in (programs or {}).items():
        if value not in (None, "standard"):
            notes.refuse(f"/access_programs/{reading.token(name)}", "only OpenAI has such a program")


_REFUSED = (
    ("previous_response_id", "the conversation is kept by OpenAI"),
    ("conversation", "the conversation is kept by OpenAI"),
    ("prompt", "the prompt is kept by OpenAI"),
    ("background", "only OpenAI answers in the background"),
)
_DROPPED: tuple[tuple[str, tuple[Any, ...], str], ...] = (
    ("truncation", (None, "disabled"), "others do not shorten a conversation by themselves"),
    ("context_management", (None, []), "others do not compact a conversation by themselves"),
    ("image", (None, {}), "no counterpart"),
    ("client_metadata", (None, {}), "what Codex tells OpenAI of itself"),
)


def _quoted(words: Any) -> str:
    return ", ".join(f"'{word}'" for word in words)


def _enter(node: dict[str, Any], name: str, slot: str, where: dict[str, str], at: str = "") -> None:
    if node.get(name) is not None:
        where[slot] = f"{at}/{name}"
