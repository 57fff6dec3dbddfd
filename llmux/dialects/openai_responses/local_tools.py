"""Tools of OpenAI's own design which the client runs: a shell, patches, a search for more tools.

A request offers them by their type alone, for OpenAI's models know them. Other models are offered a function with the same
arguments, and what they answer becomes the item that the client knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import attrs

from llmux import jsonio

_STRING = {"type": "string"}
_STRINGS = {"type": "array", "items": _STRING}
_NUMBER = {"type": "integer"}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _exec(args: dict[str, Any]) -> dict[str, Any]:
    command = args.get("command")
    if isinstance(command, str):
        command = ["bash", "-lc", command]
    env = args.get("env")
    action = {"type": "exec", "command": _strings(command), "env": env if isinstance(env, dict) else {}}
    return {"action": action | _given(args, "timeout_ms", "user", "working_directory")}


def _commands(args: dict[str, Any]) -> dict[str, Any]:
    commands = args.get("commands")
    commands = [commands] if isinstance(commands, str) else _strings(commands)
    return {"action": {"commands": commands} | _given(args, "timeout_ms", "max_output_length")}


def _operation(args: dict[str, Any]) -> dict[str, Any]:
    kind = args.get("type")
    operation = {"type": kind if kind in _OPERATIONS else "update_file", "path": str(args.get("path") or "")}
    if kind != "delete_file":
        operation["diff"] = str(args.get("diff") or "")
    return {"operation": operation}


def _arguments(args: dict[str, Any]) -> dict[str, Any]:
    return {"execution": "client", "arguments": args}


def _given(args: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: args[name] for name in names if args.get(name) is not None}


def _strings(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


_OPERATIONS = ("create_file", "update_file", "delete_file")


@attrs.frozen
class LocalTool:
    """One such tool: its type, the types of its items and the start of their ids, and what other models are told of it.

    `holder` is the member of a call that holds the arguments, `write` makes the members that are the tool's own.
    """

    type: str
    call: str
    output: str
    prefix: str
    holder: str
    write: Callable[[dict[str, Any]], dict[str, Any]]
    description: str
    schema: dict[str, Any]


_TOOLS = (
    LocalTool(
        "local_shell",
        "local_shell_call",
        "local_shell_call_output",
        "lsh",
        "action",
        _exec,
        "Runs a command on the user's machine and returns its output. `command` is the program with its arguments.",
        _object(
            ["command"],
            command=_STRINGS,
            working_directory=_STRING,
            timeout_ms=_NUMBER,
            env={"type": "object", "additionalProperties": _STRING},
            user=_STRING,
        ),
    ),
    LocalTool(
        "shell",
        "shell_call",
        "shell_call_output",
        "sh",
        "action",
        _commands,
        "Runs shell commands on the user's machine and returns the output of each.",
        _object(["commands"], commands=_STRINGS, timeout_ms=_NUMBER, max_output_length=_NUMBER),
    ),
    LocalTool(
        "apply_patch",
        "apply_patch_call",
        "apply_patch_call_output",
        "apc",
        "operation",
        _operation,
        "Creates, changes or deletes one file of the user. `diff` is a patch in the V4A format; deleting needs none.",
        _object(["type", "path"], type={"type": "string", "enum": list(_OPERATIONS)}, path=_STRING, diff=_STRING),
    ),
    LocalTool(
        "tool_search",
        "tool_search_call",
        "tool_search_output",
        "tsc",
        "arguments",
        _arguments,
        "Searches for more tools.",
        _object(["query"], query=_STRING),
    ),
)
_BY_TYPE = {tool.type: tool for tool in _TOOLS}
CALLS = {tool.call: tool for tool in _TOOLS}
OUTPUTS = {tool.output: tool for tool in _TOOLS}


def of_tool(node: dict[str, Any]) -> LocalTool | None:
    """What a tool of a request is, unless OpenAI runs it, or it is none of these."""
    kind = node.get("type")
    tool = _BY_TYPE.get(kind) if isinstance(kind, str) else None
    if tool is None:
        return None
    if kind == "tool_search":
        return tool if node.get("execution") == "client" else None
    if kind == "shell":
        environment = node.get("environment")
        return tool if not isinstance(environment, dict) or environment.get("type") == "local" else None
    return tool


def offered(asked: dict[str, Any]) -> dict[str, LocalTool]:
    """Those that a request offers, by the names under which other models call them. A function of the same name comes first."""
    tools = list(_nodes(asked.get("tools")))
    for item in _nodes(asked.get("input")):
        if item.get("type") == "additional_tools":
            tools += _nodes(item.get("tools"))
    taken = {str(node.get("name")) for node in tools if node.get("type") in ("function", "custom")}
    found = (of_tool(node) for node in tools)
    return {tool.type: tool for tool in found if tool is not None and tool.type not in taken}


def _nodes(value: object) -> Iterator[dict[str, Any]]:
    """The objects of what may be a list."""
    return (node for node in value if isinstance(node, dict)) if isinstance(value, list) else iter(())


def is_of_client(item: dict[str, Any]) -> bool:
    """Whether a call, or an output, of these types is one that the client runs; OpenAI can search for tools itself."""
    return item.get("type") not in ("tool_search_call", "tool_search_output") or item.get("execution") == "client"


def read_call(tool: LocalTool, item: dict[str, Any]) -> str:
    """The arguments of a call, as JSON text."""
    held = item.get(tool.holder)
    if isinstance(held, str):  # arguments are an object here, but a text everywhere else
        return held
    args = dict(held) if isinstance(held, dict) else {}
    if tool.type == "local_shell":
        args.pop("type", None)
        args = {name: value for name, value in args.items() if value not in (None, {})}
    return jsonio.dumps(args).decode()


def write_call(tool: LocalTool, args_text: str) -> dict[str, Any]:
    """The members of a call that hold its arguments. What a model got wrong is left out: the client will complain of it."""
    try:
        args = jsonio.loads((args_text or "{}").encode("utf-8", "surrogatepass"))
    except ValueError:
        args = {}
    return tool.write(args if isinstance(args, dict) else {})
