"""Reads what a request says of the answer as a whole: limits, sampling, thinking, form, tier."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmux.dialects import reading
from llmux.dialects.anthropic import versions
from llmux.dialects.anthropic.requests.draft import Draft, Reader
from llmux.dialects.anthropic.requests.parts import read_mark
from llmux.dialects.neutral import Caching, Level, Output, Show, Tier
from llmux.dialects.reading import integer, invalid, number, string

_EFFORTS: dict[str, Level] = {"low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}
_DISPLAYS: dict[str, Show] = {"summarized": "summary", "omitted": "none", "updates": "summary"}
_TIERS: dict[str, Tier] = {"auto": "auto", "standard_only": "standard"}

# by the type of thinking: what is said of it
_THINKING: dict[str, frozenset[str]] = {
    "adaptive": frozenset({"type", "display"}),
    "between_tools": frozenset({"type"}),
    "disabled": frozenset({"type"}),
    "enabled": frozenset({"type", "budget_tokens", "display"}),
}
_CONFIG = frozenset({"effort", "format"})
_FORMAT = frozenset({"type", "schema"})
_METADATA = frozenset({"user_id"})


def _model(value: Any, draft: Draft) -> None:
    draft.slots["model"] = string(value, "/model")


def _stream(value: Any, draft: Draft) -> None:
    draft.slots["stream"] = reading.flag(value, "/stream")


def _max_tokens(value: Any, draft: Draft) -> None:
    draft.sampling["max_out"] = most = integer(value, "/max_tokens")
    draft.where["max_out"] = "/max_tokens"
    if most == 0:
        draft.context.notes.refuse("/max_tokens", "only Anthropic fills its cache without an answer")


def _stop_sequences(value: Any, draft: Draft) -> None:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise invalid("/stop_sequences", "/stop_sequences must be a list of strings")
    draft.sampling["stop"] = tuple(value) or None
    draft.where["stop"] = "/stop_sequences"


def _chosen(name: str, read: Callable[[object, str], float | None]) -> Reader:
    """The reader of a member that chooses tokens, which newer versions of the API refuse."""
    at = f"/{name}"

    def enter(value: Any, draft: Draft) -> None:
        if draft.version == versions.NEWER:
            raise invalid(at, f"{name}: not supported by anthropic-version {draft.version}")
        draft.sampling[name] = read(value, at)
        draft.where[name] = at

    return enter


def _thinking(value: Any, draft: Draft) -> None:
    """Whether to think, by a budget or as the model likes."""
    node = reading.obj(value, "/thinking") or {}
    draft.where["enabled"] = "/thinking/type"
    found, kind = draft.reasoning, node.get("type")
    if not isinstance(kind, str) or kind not in _THINKING:
        raise invalid("/thinking/type", f"thinking: {kind!r} is none of {', '.join(_THINKING)}")
    reading.rest(node, _THINKING[kind], "/thinking", draft.context.notes)
    match kind:
        case "disabled":
            found["enabled"] = "no"
            draft.slots["display"] = "none"
        case "between_tools":
            found["enabled"] = "between_tools"
        case "adaptive":
            found["enabled"] = "auto"
            found["show"] = _show(node, draft)
        case "enabled":
            budget = integer(node.get("budget_tokens"), "/thinking/budget_tokens")
            if budget is None:
                raise invalid("/thinking/budget_tokens", "thinking.enabled.budget_tokens: Field required")
            draft.where["budget"] = "/thinking/budget_tokens"
            found["enabled"] = "yes"
            found["budget"] = budget
            found["show"] = _show(node, draft)


def _show(node: dict[str, Any], draft: Draft) -> Show:
    """Thinking is told unless the request says otherwise."""
    display = node.get("display")
    if display is None:
        return "full"
    at = draft.where["show"] = "/thinking/display"
    show = _DISPLAYS.get(display) if isinstance(display, str) else None
    if show is None:
        raise invalid(at, f"{at}: {display!r} is neither summarized nor omitted")
    if display == "updates":
        draft.context.notes.approximate(at, "thinking is told in summaries")
    return show


def _output_config(value: Any, draft: Draft) -> None:
    """How much effort to make, and the form of the answer."""
    config = reading.obj(value, "/output_config") or {}
    reading.rest(config, _CONFIG, "/output_config", draft.context.notes)
    level = effort(config.get("effort"), "/output_config/effort")
    if level is not None:
        draft.where["level"] = "/output_config/effort"
        draft.reasoning["level"] = level
    if config.get("format") is not None:
        _format(config["format"], "/output_config/format", draft)


def effort(value: object, at: str) -> Level | None:
    """How much effort to make; None: it is not said."""
    if value is None:
        return None
    level = _EFFORTS.get(value) if isinstance(value, str) else None
    if level is None:
        raise invalid(at, f"{at}: {value!r} is none of {', '.join(_EFFORTS)}")
    return level


def _output_format(value: Any, draft: Draft) -> None:
    """The form of the answer, where betas of the API had it."""
    if (draft.doc.get("output_config") or {}).get("format") is None:
        _format(value, "/output_format", draft)
    else:
        reading.drop(value, "/output_format", draft.context.notes, "output_config says it too")


def _format(value: Any, at: str, draft: Draft) -> None:
    node = reading.obj(value, at) or {}
    reading.rest(node, _FORMAT, at, draft.context.notes)
    if node.get("type") != "json_schema":
        raise invalid(f"{at}/type", f"{at}/type must be json_schema")
    schema = reading.obj(node.get("schema"), f"{at}/schema")
    if schema is None:
        raise invalid(f"{at}/schema", f"{at}/schema: Field required")
    draft.where["format"], draft.where["schema"] = f"{at}/type", f"{at}/schema"
    draft.slots["output"] = Output("schema", schema)


def _cache_control(value: Any, draft: Draft) -> None:
    draft.slots["caching"] = Caching(automatic=read_mark(value, "", draft.context))


def _speed(value: Any, draft: Draft) -> None:
    if value not in ("standard", "fast"):
        raise invalid("/speed", "/speed must be standard or fast")
    if value == "fast":
        draft.slots["tier"] = "fast"
        draft.where["tier"] = "/speed"


def _service_tier(value: Any, draft: Draft) -> None:
    """How urgent it is, unless the speed says more."""
    if draft.doc.get("speed") == "fast":
        draft.context.notes.approximate("/service_tier", "the speed says more")
        return
    tier = _TIERS.get(value) if isinstance(value, str) else None
    if tier is None:
        raise invalid("/service_tier", "/service_tier must be auto or standard_only")
    draft.slots["tier"] = tier
    draft.where["tier"] = "/service_tier"


def _metadata(value: Any, draft: Draft) -> None:
    """Who is behind the client."""
    node = reading.obj(value, "/metadata") or {}
    reading.rest(node, _METADATA, "/metadata", draft.context.notes)
    user = node.get("user_id")
    if user is not None:
        draft.slots["user"] = string(user, "/metadata/user_id") or None
        draft.where["user"] = "/metadata/user_id"


MEMBERS: dict[str, Reader] = {
    "model": _model,
    "stream": _stream,
    "max_tokens": _max_tokens,
    "stop_sequences": _stop_sequences,
    "temperature": _chosen("temperature", number),
    "top_p": _chosen("top_p", number),
    "top_k": _chosen("top_k", integer),
    "thinking": _thinking,
    "output_config": _output_config,
    "output_format": _output_format,
    "cache_control": _cache_control,
    "speed": _speed,
    "service_tier": _service_tier,
    "metadata": _metadata,
}
