"""Reads the tools that a request offers, and which of them may be called."""

from __future__ import annotations

from typing import Any, Literal

from llmux.dialects import choosing, reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import CallKind, Tool, ToolPolicy
from llmux.dialects.openai_chat.requests.parts import read_mark
from llmux.dialects.reading import invalid, objects, string

_TOOL = frozenset({"type", "function", "custom", "cache_control", "prompt_cache_breakpoint"})
_FUNCTION = frozenset({"name", "description", "parameters", "strict"})
_LEGACY = frozenset({"name", "description", "parameters"})
_CUSTOM = frozenset({"name", "description", "format"})
_FORMAT = frozenset({"type", "grammar"})
_GRAMMAR = frozenset({"definition", "syntax"})
_CHOICE = frozenset({"type", "function", "custom", "allowed_tools"})
_NAMED = frozenset({"name"})
_ALLOWED = frozenset({"mode", "tools"})
_OF_ALLOWED = frozenset({"type", "function", "custom"})

_Mode = Literal["auto", "none", "required"]
# Mistral's API says `any`
_MODES: dict[str, _Mode] = {"auto": "auto", "none": "none", "required": "required", "any": "required"}
_AT = "/tool_choice"


def is_legacy(doc: dict[str, Any]) -> bool:
    """Whether the client knows functions, as the API was before it had tools."""
    return bool(doc.get("functions")) and not doc.get("tools")


def read(doc: dict[str, Any], context: Context) -> tuple[Tool, ...]:
    """The tools in their order, with the functions of the older API, and the search that is a member of its own."""
    tools = [_tool(node, at, context) for at, node in objects(doc.get("tools"), "/tools")]
    for at, node in objects(doc.get("functions"), "/functions"):
        reading.rest(node, _LEGACY, at, context.notes)
        tools.append(_function(node, at, at))
    search = reading.obj(doc.get("web_search_options"), "/web_search_options")
    if search is not None:
        at = "/web_search_options"
        tools.append(Tool("web_search", "hosted", family="web_search", dialect="openai-chat", raw=search, at=at))
    return tuple(tools)


def _tool(node: dict[str, Any], at: str, context: Context) -> Tool:
    kind = string(node.get("type"), f"{at}/type") or "function"
    if kind not in ("function", "custom"):
        # The tools of some compatible servers are called as Responses calls its own.
        family: Literal["web_search", "other"] = "web_search" if kind.startswith("web_search") else "other"
        return Tool(kind, "hosted", family=family, dialect="openai-chat", raw=node, at=at)
    reading.rest(node, _TOOL, at, context.notes)
    where = f"{at}/{kind}"
    body = reading.obj(node.get(kind), where)
    if body is None:
        raise invalid(where, f"{where} must be an object")
    mark = read_mark(node, at, context)
    if kind == "function":
        reading.rest(body, _FUNCTION, where, context.notes)
        return _function(body, where, at, mark=mark)
    reading.rest(body, _CUSTOM, where, context.notes)
    return Tool(
        _name(body, where),
        "custom",
        description=reading.optional(body.get("description"), f"{where}/description"),
        grammar=_grammar(reading.obj(body.get("format"), f"{where}/format"), f"{where}/format", context),
        mark=mark,
        at=at,
    )


def _function(body: dict[str, Any], where: str, at: str, **more: Any) -> Tool:
    return Tool(
        _name(body, where),
        description=reading.optional(body.get("description"), f"{where}/description"),
        schema=reading.obj(body.get("parameters"), f"{where}/parameters"),
        strict=reading.flag(body.get("strict"), f"{where}/strict"),
        at=at,
        **more,
    )


def _grammar(form: dict[str, Any] | None, at: str, context: Context) -> dict[str, Any] | None:
    """The form of a custom tool's input, without the object that only this API puts around the grammar."""
    if form is None:
        return None
    reading.rest(form, _FORMAT, at, context.notes)
    inner = reading.obj(form.get("grammar"), f"{at}/grammar")
    if inner is None:
        return {"type": form.get("type")}
    reading.rest(inner, _GRAMMAR, f"{at}/grammar", context.notes)
    return {"type": form.get("type"), "syntax": inner.get("syntax"), "definition": inner.get("definition")}


def _name(body: dict[str, Any], at: str) -> str:
    name = string(body.get("name"), f"{at}/name")
    if not name:
        raise invalid(f"{at}/name", f"{at}/name is missing")
    return name


def policy(doc: dict[str, Any], tools: tuple[Tool, ...], where: dict[str, str], context: Context) -> ToolPolicy:
    """Which tools may be called."""
    parallel = reading.flag(doc.get("parallel_tool_calls"), "/parallel_tool_calls")
    if parallel is not None:
        where["parallel"] = "/parallel_tool_calls"
    choice, legacy = doc.get("tool_choice"), doc.get("function_call")
    if choice is not None:
        where["policy"] = _AT
        found = _choice(choice, context)
    elif legacy is not None:
        where["policy"] = "/function_call"
        found = _legacy_choice(legacy)
    else:
        return ToolPolicy(parallel=parallel)
    offered = {tool.name for tool in tools}
    for name in found.names:
        if name not in offered:
            raise invalid(where["policy"], f"the tool {name!r} is not among those that are offered")
    return choosing.beside(ToolPolicy(found.mode, found.names, found.kinds, parallel), tools)


def _choice(choice: object, context: Context) -> ToolPolicy:
    if isinstance(choice, str):
        if choice not in _MODES:
            raise invalid(_AT, f"{choice!r} is none of auto, none, required")
        return ToolPolicy(_MODES[choice])
    node = reading.obj(choice, _AT) or {}
    reading.rest(node, _CHOICE, _AT, context.notes)
    kind = node.get("type")
    if kind == "allowed_tools":
        return _allowed(node, context)
    name, call_kind = _named(node, _AT, context)
    return ToolPolicy("one", (name,), (call_kind,))


def _allowed(node: dict[str, Any], context: Context) -> ToolPolicy:
    at = f"{_AT}/allowed_tools"
    inner = reading.obj(node.get("allowed_tools"), at) or {}
    reading.rest(inner, _ALLOWED, at, context.notes)
    mode = inner.get("mode")
    if mode not in ("auto", "required"):
        raise invalid(f"{at}/mode", f"{at}/mode must be auto or required")
    named = []
    for where, each in objects(inner.get("tools"), f"{at}/tools"):
        reading.rest(each, _OF_ALLOWED, where, context.notes)
        named.append(_named(each, where, context))
    names, kinds = tuple(name for name, _ in named), tuple(kind for _, kind in named)
    return ToolPolicy("subset_auto" if mode == "auto" else "subset_required", names, kinds)


def _named(node: dict[str, Any], at: str, context: Context) -> tuple[str, CallKind]:
    kind = node.get("type")
    if kind not in ("function", "custom"):
        raise invalid(f"{at}/type", f"{at}/type: {kind!r} is none of function, custom, allowed_tools")
    where = f"{at}/{kind}"
    body = reading.obj(node.get(kind), where) or {}
    reading.rest(body, _NAMED, where, context.notes)
    return _name(body, where), "custom" if kind == "custom" else "function"


def _legacy_choice(choice: object) -> ToolPolicy:
    at = "/function_call"
    if isinstance(choice, str):
        if choice not in ("auto", "none"):
            raise invalid(at, f"{choice!r} is neither auto nor none")
        return ToolPolicy(_MODES[choice])
    node = reading.obj(choice, at) or {}
    return ToolPolicy("one", (_name(node, at),), ("function",))
