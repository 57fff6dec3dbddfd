"""Writes the tools that are offered, and which of them may be called."""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects import hosted
from llmux.dialects.context import Context
from llmux.dialects.gemini.requests import mcp
from llmux.dialects.neutral import FORCED, Request, ServerFamily, Tool
from llmux.dialects.schemas import to_openapi
from llmux.dialects.tools import as_function

_DECLARATIONS = "functionDeclarations"
# Where the clients' dialects keep the schema of a function.
_SCHEMAS = (("function", "parameters"), ("parameters",), ("input_schema",), ("parametersJsonSchema",))
# family of another provider's tool -> ours
_HOSTED: dict[ServerFamily, str] = {
    "web_search": "googleSearch",
    "web_fetch": "urlContext",
    "code": "codeExecution",
    "mcp": "mcpServers",
}


def tools(request: Request, context: Context) -> list[dict[str, Any]]:
    """The member `tools`: all functions in one object, and each tool of the provider's own in one."""
    functions: dict[str, tuple[Tool, dict[str, Any]]] = {}
    theirs: list[dict[str, Any]] = []
    for tool in request.tools:
        if tool.kind == "hosted":
            _hosted(tool, theirs, context)
            continue
        name = context.book.alias(tool.name, tool.namespace)
        if name not in functions:
            functions[name] = tool, _function(tool, name, context)
        elif _same(functions[name][0], tool):
            context.notes.drop(tool.at, f"the tool {tool.name} is offered twice")
        else:
            context.notes.refuse(tool.at, f"two different tools are called {tool.name}")
    declared = [written for _, written in functions.values()]
    return [*([{_DECLARATIONS: declared}] if declared else []), *theirs]


def _same(one: Tool, other: Tool) -> bool:
    return (one.kind, one.description, one.schema, one.grammar) == (other.kind, other.description, other.schema, other.grammar)


def _function(tool: Tool, name: str, context: Context) -> dict[str, Any]:
    notes = context.notes
    if context.book.renamed(tool.name, tool.namespace):
        notes.approximate(tool.at, f"called {name} towards the provider")
    written: dict[str, Any] = {"name": name}
    if tool.kind == "custom":
        tool = as_function(tool, notes)
    description = _described(tool, context)
    if description is not None:
        written["description"] = description
    schema = tool.schema
    older = context.target.options.schema_form == "openapi"
    if schema is not None and not older:
        written["parametersJsonSchema"] = schema
    elif schema is not None:
        form = to_openapi(schema, _schema_at(tool, context), notes)
        if form.get("properties") or form.get("type") != "OBJECT":  # an object without properties is refused
            written["parameters"] = form
    if tool.output_schema is not None:
        if older:
            written["response"] = to_openapi(tool.output_schema, tool.at, notes)
        else:
            written["responseJsonSchema"] = tool.output_schema
    if tool.strict:
        notes.drop(tool.at, "the model is not held to the schema")
    if tool.deferred:
        notes.approximate(tool.at, "the tool is there from the beginning")
    if tool.mark is not None:
        notes.drop(tool.mark.at, "the provider decides what it caches")
    return written


def _described(tool: Tool, context: Context) -> str | None:
    """What a tool is for, with examples, which have no other place."""
    if not tool.examples:
        return tool.description
    context.notes.approximate(tool.at, "examples are told in the description")
    told = "Examples:\n" + "\n".join(jsonio.dumps(example).decode() for example in tool.examples)
    return f"{tool.description}\n\n{told}" if tool.description else told


def _schema_at(tool: Tool, context: Context) -> str:
    """The pointer of a function's schema in what the client sent; the tool's own where it cannot be found."""
    node: Any = context.asked
    for step in tool.at.split("/")[1:]:
        node = (
            node[int(step)]
            if isinstance(node, list) and step.isdecimal() and int(step) < len(node)
            else (node.get(step) if isinstance(node, dict) else None)
        )
    for path in _SCHEMAS:
        found = node
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        if found is tool.schema and found is not None:
            return "/".join([tool.at, *path])
    return tool.at


def _hosted(tool: Tool, theirs: list[dict[str, Any]], context: Context) -> None:
    """Enter a tool of the provider's own: Gemini's as it is, another's of the same family where that is asked for."""
    if tool.dialect == "gemini":
        theirs.append(dict(tool.raw))
        return
    if tool.mark is not None:
        context.notes.drop(tool.mark.at, "the provider decides what it caches")
    if tool.family == "mcp":
        server = hosted.server(tool, _HOSTED, context)
        if server is not None:
            theirs.append({"mcpServers": [mcp.write(server, context)]})
        return
    name = hosted.counterpart(tool, _HOSTED, context)
    if name is None:
        return
    said, is_search = hosted.read(tool, context.notes), name == "googleSearch"
    said.nowhere_else(context.notes, blocked=not is_search)
    said.unplaced(context.notes)
    node = {"excludeDomains": said.blocked} if said.blocked and is_search else {}
    earlier = next((each[name] for each in theirs if name in each), None)
    if not hosted.joins(node, earlier, tool, context.notes):
        theirs.append({name: node})


def config(request: Request, tools: list[dict[str, Any]], context: Context) -> dict[str, Any]:
    """The member `toolConfig`. `tools` are those that were written."""
    policy, where, notes = request.policy, request.where, context.notes
    if policy.parallel is False:
        notes.drop(where.get("parallel", ""), "the model may call several tools at once")
    if policy.max_calls is not None:
        notes.drop(where.get("max_calls", ""), "how many calls there may be cannot be said")
    if not any(_DECLARATIONS in tool for tool in tools):
        if policy.mode in FORCED and request.tools:
            notes.refuse(where.get("policy", ""), "a tool of the provider's own cannot be forced")
        return {}
    # Functions beside tools of the provider's own: it wants to be told that both are meant, and always keeps to schemas then.
    mixed = len(tools) > 1
    calling = _calling(request, mixed, context)
    return {
        **({} if calling is None else {"functionCallingConfig": calling}),
        **({"includeServerSideToolInvocations": True} if mixed else {}),
    }


def _calling(request: Request, mixed: bool, context: Context) -> dict[str, Any] | None:
    match request.policy.mode:
        case None:
            return None
        case "auto":
            return {"mode": "VALIDATED" if mixed else "AUTO"}
        case "none":
            return {"mode": "NONE"}
        case "required":
            return {"mode": "ANY"}
        case "one" | "subset_required":
            return {"mode": "ANY", "allowedFunctionNames": [*map(context.book.chosen, request.policy.names)]}
        case "subset_auto":
            return {"mode": "VALIDATED", "allowedFunctionNames": [*map(context.book.chosen, request.policy.names)]}
        case "validated":
            return {"mode": "VALIDATED"}
        case "hosted":
            context.notes.refuse(request.where.get("policy", ""), "a tool of the provider's own cannot be forced")
            return None
