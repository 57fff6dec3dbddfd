"""Reads what a request says of the answer as a whole: limits, sampling, thinking, form, tier.

Each function enters the pointers of what it read into `where`.
"""

from __future__ import annotations

from typing import Any

from llmux.dialects import reading
from llmux.dialects.anthropic import versions
from llmux.dialects.context import Context
from llmux.dialects.neutral import Level, Output, ReasoningPolicy, Sampling, Show, Tier
from llmux.dialects.reading import invalid, string

_SAMPLING = ("temperature", "top_p", "top_k")
_EFFORTS: dict[str, Level] = {"low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}
_DISPLAYS: dict[str, Show] = {"summarized": "summary", "omitted": "none", "updates": "summary"}
_TIERS: dict[str, Tier] = {"auto": "auto", "standard_only": "standard"}

_THINKING = frozenset({"type", "budget_tokens", "display"})
_CONFIG = frozenset({"effort", "format"})
_FORMAT = frozenset({"type", "schema"})
_METADATA = frozenset({"user_id"})


def check_version(doc: dict[str, Any], version: str) -> None:
    """Refuse what the client's version of the API refuses."""
    if version == versions.NEWER:
        for name in _SAMPLING:
            if doc.get(name) is not None:
                raise invalid(f"/{name}", f"{name}: not supported by anthropic-version {version}")


def sampling(doc: dict[str, Any], where: dict[str, str], context: Context) -> Sampling:
    """Limits, and how tokens are chosen."""
    max_out = reading.integer(doc.get("max_tokens"), "/max_tokens")
    if max_out == 0:
        context.notes.refuse("/max_tokens", "only Anthropic fills its cache without an answer")
    stop = doc.get("stop_sequences")
    if stop is not None and (not isinstance(stop, list) or not all(isinstance(each, str) for each in stop)):
        raise invalid("/stop_sequences", "/stop_sequences must be a list of strings")
    for slot, name in (("max_out", "max_tokens"), ("stop", "stop_sequences"), *zip(_SAMPLING, _SAMPLING, strict=True)):
        _enter(doc, name, slot, where)
    return Sampling(
        max_out=max_out,
        temperature=reading.number(doc.get("temperature"), "/temperature"),
        top_p=reading.number(doc.get("top_p"), "/top_p"),
        top_k=reading.integer(doc.get("top_k"), "/top_k"),
        stop=tuple(stop) if stop else None,
    )


def reasoning(doc: dict[str, Any], where: dict[str, str], context: Context) -> ReasoningPolicy:
    """Thinking, by budget or by effort."""
    level = _effort(doc, where)
    node = reading.obj(doc.get("thinking"), "/thinking")
    if node is None:
        return ReasoningPolicy(level=level)
    reading.rest(node, _THINKING, "/thinking", context.notes)
    where["enabled"] = "/thinking/type"
    match node.get("type"):
        case "disabled":
            return ReasoningPolicy("no", level)
        case "between_tools":
            return ReasoningPolicy("between_tools", level)
        case "adaptive":
            return ReasoningPolicy("auto", level, show=_show(node, where, context))
        case "enabled":
            budget = reading.integer(node.get("budget_tokens"), "/thinking/budget_tokens")
            if budget is None:
                raise invalid("/thinking/budget_tokens", "thinking.enabled.budget_tokens: Field required")
            where["budget"] = "/thinking/budget_tokens"
            return ReasoningPolicy("yes", level, budget, _show(node, where, context))
        case kind:
            raise invalid("/thinking/type", f"thinking: {kind!r} is none of adaptive, between_tools, disabled, enabled")


def _show(node: dict[str, Any], where: dict[str, str], context: Context) -> Show:
    """Thinking is told unless the request says otherwise."""
    display = node.get("display")
    if display is None:
        return "full"
    at = where["show"] = "/thinking/display"
    show = _DISPLAYS.get(display) if isinstance(display, str) else None
    if show is None:
        raise invalid(at, f"{at}: {display!r} is neither summarized nor omitted")
    if display == "updates":
        context.notes.approximate(at, "thinking is told in summaries")
    return show


def _effort(doc: dict[str, Any], where: dict[str, str]) -> Level | None:
    config = reading.obj(doc.get("output_config"), "/output_config") or {}
    effort = config.get("effort")
    if effort is None:
        return None
    at = where["level"] = "/output_config/effort"
    level = _EFFORTS.get(effort) if isinstance(effort, str) else None
    if level is None:
        raise invalid(at, f"{at}: {effort!r} is none of {', '.join(_EFFORTS)}")
    return level


def output(doc: dict[str, Any], where: dict[str, str], context: Context) -> Output:
    """The form of the answer."""
    config = reading.obj(doc.get("output_config"), "/output_config")
    if config is None:
        return Output()
    reading.rest(config, _CONFIG, "/output_config", context.notes)
    at = "/output_config/format"
    node = reading.obj(config.get("format"), at)
    if node is None:
        return Output()
    reading.rest(node, _FORMAT, at, context.notes)
    if node.get("type") != "json_schema":
        raise invalid(f"{at}/type", f"{at}/type must be json_schema")
    schema = reading.obj(node.get("schema"), f"{at}/schema")
    if schema is None:
        raise invalid(f"{at}/schema", f"{at}/schema: Field required")
    where["format"], where["schema"] = f"{at}/type", f"{at}/schema"
    return Output("schema", schema)


def tier(doc: dict[str, Any], where: dict[str, str], context: Context) -> Tier | None:
    """How urgent it is: the tier, or the speed, which says more."""
    speed = doc.get("speed")
    asked = doc.get("service_tier")
    if speed not in (None, "standard", "fast"):
        raise invalid("/speed", "/speed must be standard or fast")
    if speed == "fast":
        where["tier"] = "/speed"
        if asked is not None:
            context.notes.approximate("/service_tier", "the speed says more")
        return "fast"
    if asked is None:
        return None
    found = _TIERS.get(asked) if isinstance(asked, str) else None
    if found is None:
        raise invalid("/service_tier", "/service_tier must be auto or standard_only")
    where["tier"] = "/service_tier"
    return found


def user(doc: dict[str, Any], where: dict[str, str], context: Context) -> str | None:
    """Who is behind the client."""
    node = reading.obj(doc.get("metadata"), "/metadata")
    if node is None:
        return None
    reading.rest(node, _METADATA, "/metadata", context.notes)
    _enter(node, "user_id", "user", where, "/metadata")
    return string(node.get("user_id"), "/metadata/user_id") or None


def _enter(node: dict[str, Any], name: str, slot: str, where: dict[str, str], at: str = "") -> None:
    if node.get(name) is not None:
        where[slot] = f"{at}/{name}"
