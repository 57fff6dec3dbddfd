"""Reads a Messages request."""

from __future__ import annotations

from functools import partial
from typing import Any

from llmux import jsonio
from llmux.dialects import neutral, reading
from llmux.dialects.neutral import Item, OpaquePart, Part, Request, Text, Tool
from llmux.dialects.reading import invalid, objects, role, string

_ROLES: dict[str, neutral.Role] = {"user": "user", "assistant": "assistant", "system": "system"}


def read(doc: dict[str, Any]) -> Request:
    """The request as items. Raises Fault (`invalid`) naming the field that is not as it must be."""
    if "messages" not in doc:
        raise invalid("messages", "No messages found in request payload")
    messages = list(objects(doc["messages"], "messages"))
    if not messages:
        raise invalid("messages", "Empty messages array in request")
    items: list[Item] = []
    system = reading.parts(doc.get("system"), "system", _part)
    if system:
        items.append(neutral.Message("system", system))
    for turn, (path, node) in enumerate(messages):
        items += _items(role(node.get("role"), f"{path}.role", _ROLES), turn, f"{path}.content", node.get("content"))
    tools = tuple(Tool(string(node.get("name"), f"{path}.name")) for path, node in objects(doc.get("tools"), "tools"))
    thinking = doc.get("thinking")
    hidden = isinstance(thinking, dict) and thinking.get("type") == "disabled"
    return Request(tuple(items), tools, "none" if hidden else "full")


def _items(speaker: neutral.Role, turn: int, path: str, content: object) -> list[Item]:
    """The items of one message: what stands between calls, results and thinking are the parts of one."""
    if not isinstance(content, list):
        return [neutral.Message(speaker, reading.parts(content, path, _part), turn)]
    return reading.items(objects(content, path), partial(_item, turn), _part, speaker, turn)


def _item(turn: int, path: str, block: dict[str, Any]) -> Item | None:
    match block.get("type"):
        case "tool_use":
            call_id, name = string(block.get("id"), f"{path}.id"), string(block.get("name"), f"{path}.name")
            return neutral.ToolCall(call_id, name, jsonio.dumps(block.get("input") or {}).decode(), turn)
        case "tool_result":
            call_id = string(block.get("tool_use_id"), f"{path}.tool_use_id")
            parts = reading.parts(block.get("content"), f"{path}.content", _part)
            return neutral.ToolResult(call_id, None, parts, block.get("is_error") is True, turn)
        case "thinking":
            text = string(block.get("thinking"), f"{path}.thinking")
            return neutral.Reasoning((neutral.Segment("full", text),), string(block.get("signature"), path), turn)
        case "redacted_thinking":
            return neutral.OpaqueItem("redacted_thinking", block, turn)
    return None


def _part(path: str, block: dict[str, Any]) -> Part:
    kind = string(block.get("type"), f"{path}.type")
    return Text(string(block.get("text"), f"{path}.text")) if kind == "text" else OpaquePart(kind, block)
