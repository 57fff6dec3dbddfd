"""Reads the tools that a client offers, and which of them may be called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import Any

from llmux.dialects import choosing, reading
from llmux.dialects.context import Context
from llmux.dialects.gemini.requests import mcp
from llmux.dialects.gemini.servers import FAMILIES
from llmux.dialects.gemini.spelling import Node, camel
from llmux.dialects.neutral import CallKind, Tool, ToolPolicy
from llmux.dialects.reading import invalid
from llmux.dialects.schemas import from_openapi

_DECLARATION = frozenset(
    {"name", "description", "parameters", "parametersJsonSchema", "response", "responseJsonSchema", "behavior"}
)
_CONFIG = frozenset({"functionCallingConfig"})
_CALLING = frozenset({"mode", "allowedFunctionNames"})
_MODES = ("AUTO", "ANY", "NONE", "VALIDATED")
_FUNCTIONS = "functionDeclarations"


def tools(node: Node, context: Context) -> Iterator[Tool]:
    """The tools, in their order. One object of the list may hold many functions, and tools of the provider's own."""
    for each in node.children("tools"):
        for name, value in each.raw.items():
            kind = camel(name)
            if value is None or (kind != name and each.raw.get(kind) is not None):
                continue
            if kind == _FUNCTIONS:
                for declaration in each.children(kind):
                    yield _function(declaration, context)
            elif kind == "mcpServers":
                yield from map(mcp.read, each.children(kind), repeat(context))
            else:
                family = FAMILIES.get(kind, "other")
                yield Tool(kind, "hosted", family=family, dialect="gemini", raw={kind: value}, at=each.where(kind))


def _function(node: Node, context: Context) -> Tool:
    node.rest(_DECLARATION, context.notes)
    if node.word("behavior") not in (None, "BLOCKING"):
        context.notes.drop(node.where("behavior"), "every call waits for its result")
    return Tool(
        node.text("name"),
        description=reading.optional(node.get("description"), node.where("description")),
        schema=_schema(node, "parametersJsonSchema", "parameters", context),
        output_schema=_schema(node, "responseJsonSchema", "response", context),
        at=node.at,
    )


def _schema(node: Node, name: str, older: str, context: Context) -> dict[str, Any] | None:
    schema = reading.obj(node.get(name), node.where(name))
    if schema is not None:
        node.drop(older, context.notes, "the schema is given twice")
        return schema
    schema = reading.obj(node.get(older), node.where(older))
    return None if schema is None else from_openapi(schema)


def policy(node: Node, offered: Iterable[Tool], where: dict[str, str], context: Context) -> ToolPolicy:
    """Which functions may or must be called. Raises Fault where they are none of those that are offered."""
    config = node.child("toolConfig")
    if config is None:
        return ToolPolicy()
    config.rest(_CONFIG, context.notes)
    calling = config.child("functionCallingConfig")
    if calling is None:
        return ToolPolicy()
    calling.rest(_CALLING, context.notes)
    mode = calling.word("mode")
    at = calling.where("mode")
    if mode is not None and mode not in _MODES:
        raise invalid(at, f"Unknown mode: {mode}")
    names = calling.get("allowedFunctionNames") or []
    names_at = calling.where("allowedFunctionNames")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise invalid(names_at, f"{names_at} must be a list of strings")
    functions = {tool.name for tool in offered if tool.kind == "function"}
    for index, name in enumerate(names):
        if name not in functions:
            raise invalid(f"{names_at}/{index}", f"no function called {name} is declared")
    if mode in ("ANY", "VALIDATED") and not functions:
        raise invalid(at, "Function calling config is set without function_declarations.")
    if mode is None and not names:
        return ToolPolicy()
    where["policy"] = at if mode is not None else names_at
    return choosing.beside(_policy(mode, tuple(names), names_at, context), offered)


def _policy(mode: str | None, names: tuple[str, ...], names_at: str, context: Context) -> ToolPolicy:
    kinds: tuple[CallKind, ...] = tuple("function" for _ in names)
    match mode:
        case "NONE":
            if names:
                context.notes.drop(names_at, "no function may be called")
            return ToolPolicy("none")
        case "ANY":
            if not names:
                return ToolPolicy("required")
            return ToolPolicy("one" if len(names) == 1 else "subset_required", names, kinds)
        case "VALIDATED" if not names:
            return ToolPolicy("validated")
    return ToolPolicy("subset_auto", names, kinds) if names else ToolPolicy("auto")
