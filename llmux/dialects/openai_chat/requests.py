"""Reads a Chat Completions request."""

from __future__ import annotations

from typing import Any

from llmux.dialects import neutral, reading
from llmux.dialects.neutral import Item, OpaquePart, Part, Refusal, Request, Text, Tool
from llmux.dialects.reading import get, invalid, objects, role, string

_ROLES: dict[str, neutral.Role] = {"system": "system", "developer": "developer", "user": "user", "assistant": "assistant"}


def read(doc: dict[str, Any]) -> Request:
    """The request as items. Raises Fault (`invalid`) naming the field that is not as it must be."""
    if "messages" not in doc:
        raise invalid("messages", "No messages found in request payload")
    messages = list(objects(doc["messages"], "messages"))
    if not messages:
        raise invalid("messages", "Empty messages array in request")
    items: list[Item] = []
    for turn, (path, node) in enumerate(messages):
        items += _message(turn, path, node)
    effort = get(doc, "reasoning_effort")
    # The API itself shows no reasoning; the member in which others do is filled for who asked for any.
    return Request(tuple(items), tuple(_tools(doc)), "full" if effort not in (None, "none") else "none")


def _message(turn: int, path: str, node: dict[str, Any]) -> list[Item]:
    if node.get("role") in ("tool", "function"):
        parts = reading.parts(node.get("content"), f"{path}.content", _part)
        call_id = string(node.get("tool_call_id"), f"{path}.tool_call_id")
        name = string(node.get("name"), f"{path}.name") or None
        return [neutral.ToolResult(call_id, name, parts, turn=turn)]
    speaker = role(node.get("role"), f"{path}.role", _ROLES)
    items: list[Item] = []
    reasoning = get(node, "reasoning_content")
    if isinstance(reasoning, str):
        items.append(neutral.Reasoning((neutral.Segment("full", reasoning),), turn=turn))
    parts = reading.parts(node.get("content"), f"{path}.content", _part)
    calls = list(_calls(turn, path, node))
    if parts or not calls:
        items.append(neutral.Message(speaker, parts, turn=turn))
    return [*items, *calls]


def _calls(turn: int, path: str, node: dict[str, Any]) -> list[neutral.ToolCall]:
    calls = []
    for at, call in objects(node.get("tool_calls"), f"{path}.tool_calls"):
        body = call.get("custom" if call.get("type") == "custom" else "function")
        if not isinstance(body, dict):
            raise invalid(f"{at}.function", f"{at}.function must be an object")
        arguments = string(get(body, "arguments", "input"), f"{at}.function.arguments")
        calls.append(
            neutral.ToolCall(string(call.get("id"), f"{at}.id"), string(body.get("name"), f"{at}.name"), arguments, turn)
        )
    legacy = node.get("function_call")
    if isinstance(legacy, dict):
        calls.append(neutral.ToolCall("", string(legacy.get("name"), path), string(legacy.get("arguments"), path), turn))
    return calls


def _part(path: str, node: dict[str, Any]) -> Part:
    kind = string(node.get("type"), f"{path}.type")
    if kind == "text":
        return Text(string(node.get("text"), f"{path}.text"))
    if kind == "refusal":
        return Refusal(string(node.get("refusal"), f"{path}.refusal"))
    return OpaquePart(kind, node)


def _tools(doc: dict[str, Any]) -> list[Tool]:
    tools = []
    for path, node in objects(doc.get("tools"), "tools"):
        body = node.get("custom" if node.get("type") == "custom" else "function")
        if isinstance(body, dict):
            tools.append(Tool(string(body.get("name"), f"{path}.function.name")))
    tools += [Tool(string(node.get("name"), f"{path}.name")) for path, node in objects(doc.get("functions"), "functions")]
    return tools
