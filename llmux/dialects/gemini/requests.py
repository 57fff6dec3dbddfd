"""Reads a generateContent request. Clients mix camelCase and snake_case in one body, so both are read at every depth."""

from __future__ import annotations

from functools import partial
from typing import Any

from llmux import jsonio
from llmux.dialects import neutral, reading
from llmux.dialects.neutral import Item, OpaquePart, Part, Request, Text, Tool
from llmux.dialects.reading import get, invalid, objects, role, string

_ROLES: dict[str, neutral.Role] = {"user": "user", "model": "assistant", "function": "user"}


def read(doc: dict[str, Any]) -> Request:
    """The request as items. Raises Fault (`invalid`) naming the field that is not as it must be."""
    contents = doc.get("contents")
    if isinstance(contents, dict):  # one content stands for a list of one
        contents = [contents]
    nodes = list(objects(contents, "contents"))
    if not nodes:
        raise invalid("contents", "No contents found in request payload")
    items: list[Item] = []
    system = get(doc, "systemInstruction", "system_instruction")
    if isinstance(system, dict):
        items += _items("system", 0, "systemInstruction", system)
    for turn, (path, node) in enumerate(nodes):
        items += _items(role(node.get("role", "user"), f"{path}.role", _ROLES), turn, path, node)
    return Request(tuple(items), tuple(_tools(doc)), _show(doc))


def _show(doc: dict[str, Any]) -> Any:
    config = get(doc, "generationConfig", "generation_config")
    thinking = get(config, "thinkingConfig", "thinking_config") if isinstance(config, dict) else None
    return "full" if isinstance(thinking, dict) and get(thinking, "includeThoughts", "include_thoughts") else "none"


def _items(speaker: neutral.Role, turn: int, path: str, content: dict[str, Any]) -> list[Item]:
    """The items of one content: parts that stand between calls, results and thoughts are one message."""
    nodes = objects(content.get("parts"), f"{path}.parts")
    return reading.items(nodes, partial(_item, turn), _part, speaker, turn)


def _item(turn: int, path: str, node: dict[str, Any]) -> Item | None:
    call = get(node, "functionCall", "function_call")
    if isinstance(call, dict):
        args = jsonio.dumps(call.get("args") or {}).decode()
        return neutral.ToolCall(string(call.get("id"), f"{path}.id"), string(call.get("name"), f"{path}.name"), args, turn)
    result = get(node, "functionResponse", "function_response")
    if isinstance(result, dict):
        name = string(result.get("name"), f"{path}.functionResponse.name")
        text, is_error = _result(result.get("response"))
        return neutral.ToolResult(string(result.get("id"), f"{path}.id"), name, (Text(text),), is_error, turn)
    if node.get("thought") is True:
        seal = string(get(node, "thoughtSignature", "thought_signature"), f"{path}.thoughtSignature")
        return neutral.Reasoning((neutral.Segment("full", string(node.get("text"), f"{path}.text")),), seal, turn)
    return None


def _result(response: object) -> tuple[str, bool]:
    """What a function gave back. The API gives two keys a meaning: `output` and `error`; SDKs also write `result`."""
    if isinstance(response, dict) and len(response) == 1:
        for key in ("output", "result", "error"):
            if isinstance(response.get(key), str):
                return response[key], key == "error"
    return jsonio.dumps(response).decode(), isinstance(response, dict) and "error" in response


def _part(path: str, node: dict[str, Any]) -> Part:
    text = node.get("text")
    if text is not None:
        return Text(string(text, f"{path}.text"))
    return OpaquePart(next(iter(node), ""), node)


def _tools(doc: dict[str, Any]) -> list[Tool]:
    found = []
    for path, node in objects(doc.get("tools"), "tools"):
        declarations = get(node, "functionDeclarations", "function_declarations")
        for at, each in objects(declarations, f"{path}.functionDeclarations"):
            found.append(Tool(string(each.get("name"), f"{at}.name")))
    return found
