"""Reads a Responses request."""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects import neutral, reading
from llmux.dialects.neutral import Item, OpaquePart, Part, Refusal, Request, Text, Tool
from llmux.dialects.reading import get, invalid, objects, role, string

_ROLES: dict[str, neutral.Role] = {"system": "system", "developer": "developer", "user": "user", "assistant": "assistant"}


def read(doc: dict[str, Any]) -> Request:
    """The request as items. Raises Fault (`invalid`) naming the field that is not as it must be."""
    items: list[Item] = []
    instructions = doc.get("instructions")
    if isinstance(instructions, str) and instructions:
        items.append(neutral.Message("system", (Text(instructions),)))
    asked = doc.get("input")
    if isinstance(asked, str):
        items.append(neutral.Message("user", (Text(asked),)))
    else:
        items += [_item(turn, path, node) for turn, (path, node) in enumerate(objects(asked, "input"))]
    if asked in (None, [], ""):
        raise invalid("input", "No input found in request payload")
    return Request(tuple(items), tuple(_tools(doc.get("tools"), "tools")), _show(doc.get("reasoning")))


def _show(reasoning: object) -> Any:
    """The API summarises its reasoning for whom asks for a summary."""
    if isinstance(reasoning, dict) and get(reasoning, "summary", "generate_summary"):
        return "summary"
    return "none"


def _item(turn: int, path: str, node: dict[str, Any]) -> Item:
    kind = string(get(node, "type") or "message", f"{path}.type")
    match kind:
        case "message":
            speaker = role(node.get("role"), f"{path}.role", _ROLES)
            return neutral.Message(speaker, _parts(node.get("content"), f"{path}.content"), turn)
        case "function_call" | "custom_tool_call":
            text = string(get(node, "arguments", "input"), f"{path}.arguments")
            return neutral.ToolCall(_call_id(path, node), string(node.get("name"), f"{path}.name"), text, turn)
        case "function_call_output" | "custom_tool_call_output":
            return neutral.ToolResult(
                _call_id(path, node),
                string(node.get("name"), f"{path}.name") or None,
                _parts(node.get("output"), f"{path}.output"),
                turn=turn,
            )
        case "reasoning":
            segments = [
                neutral.Segment("full" if member == "content" else "summary", string(each.get("text"), at))
                for member in ("summary", "content")
                for at, each in objects(node.get(member), f"{path}.{member}")
            ]
            return neutral.Reasoning(tuple(segments), string(node.get("encrypted_content"), path), turn)
    return neutral.OpaqueItem(kind, node, turn)


def _call_id(path: str, node: dict[str, Any]) -> str:
    return string(node.get("call_id"), f"{path}.call_id")


def _parts(content: object, path: str) -> tuple[Part, ...]:
    if isinstance(content, dict):  # seen from clients that put a bare object into a tool's output
        return (Text(jsonio.dumps(content).decode()),)
    return reading.parts(content, path, _part)


def _part(path: str, node: dict[str, Any]) -> Part:
    kind = string(node.get("type"), f"{path}.type")
    if kind in ("input_text", "output_text", "text"):
        return Text(string(node.get("text"), f"{path}.text"))
    if kind == "refusal":
        return Refusal(string(node.get("refusal"), f"{path}.refusal"))
    return OpaquePart(kind, node)


def _tools(tools: object, param: str) -> list[Tool]:
    found = []
    for path, node in objects(tools, param):
        if node.get("type") == "namespace":
            found += _tools(node.get("tools"), f"{path}.tools")
        elif node.get("type") in ("function", "custom"):
            found.append(Tool(string(node.get("name"), f"{path}.name")))
    return found
