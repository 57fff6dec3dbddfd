"""Writes a Responses response."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from llmux.dialects.neutral import (
    ItemKind,
    Message,
    OpaquePart,
    OutputItem,
    Reason,
    Reasoning,
    Refusal,
    Response,
    Segment,
    Text,
    ToolCall,
    Usage,
)

Status = Literal["in_progress", "completed", "incomplete"]

# finish reason -> why the response is incomplete; every other reason completes it
INCOMPLETE: dict[Reason, str] = {"length": "max_output_tokens", "filter": "content_filter"}

KINDS: dict[type[OutputItem], ItemKind] = {Message: "message", Reasoning: "reasoning", ToolCall: "tool_call"}
_PREFIXES: dict[ItemKind, str] = {"message": "msg", "reasoning": "rs", "tool_call": "fc"}

# What the response repeats of the request, with what stands there when the request does not say.
_ECHOES: dict[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}


def write(response: Response, asked: dict[str, Any], cut: Collection[int] = ()) -> dict[str, Any]:
    """The body of `response`, with the members of the request that it repeats; `cut` are the items that broke off."""
    reason = INCOMPLETE.get(response.finish.reason)
    body = envelope(response.id, response.model, response.created, asked)
    body["status"] = "incomplete" if reason else "completed"
    body["incomplete_details"] = {"reason": reason} if reason else None
    body["output"] = [
        output_item(item, item_id(KINDS[type(item)], response.id, index), "incomplete" if index in cut else "completed")
        for index, item in enumerate(response.items)
    ]
    body["usage"] = None if response.usage is None else usage(response.usage)
    return body


def envelope(id: str, model: str, created: int, asked: dict[str, Any]) -> dict[str, Any]:
    """The response before it has said anything."""
    echoes = {name: default if asked.get(name) is None else asked[name] for name, default in _ECHOES.items()}
    echoes["tools"] = [_tool(tool) for tool in echoes["tools"]]
    if echoes["service_tier"] == "auto":
        echoes["service_tier"] = "default"
    return {
        "id": f"resp_{id}",
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": [],
        **echoes,
        "usage": None,
    }


def _tool(tool: Any) -> Any:
    """A function without parameters or strictness is answered with both, because readers insist on them."""
    if isinstance(tool, dict) and tool.get("type") == "function":
        return {"parameters": None, "strict": None, **tool}
    return tool


def item_id(kind: ItemKind, response_id: str, index: int) -> str:
    """The id of an output item, made of the response's and its place in the output."""
    return f"{_PREFIXES[kind]}_{response_id}_{index}"


def output_item(item: OutputItem, id: str, status: Status) -> dict[str, Any]:
    """An item of `output`."""
    match item:
        case Message(_, parts):
            content = [part_of(part) for part in parts if not isinstance(part, OpaquePart)]
            return {"id": id, "type": "message", "status": status, "role": "assistant", "content": content}
        case ToolCall(call_id, name, args_text):
            arguments = args_text or ("{}" if status == "completed" else "")
            call = {"id": id, "type": "function_call", "status": status}
            return {**call, "call_id": call_id, "name": name, "arguments": arguments}
        case Reasoning(segments, seal):
            body: dict[str, Any] = {"id": id, "type": "reasoning"}
            body["summary"] = [part_of(each) for each in segments if each.kind == "summary"]
            if any(each.kind == "full" for each in segments):
                body["content"] = [part_of(each) for each in segments if each.kind == "full"]
            if seal:
                body["encrypted_content"] = seal
            return body


def part_of(part: Text | Refusal | Segment) -> dict[str, Any]:
    """A part of a message, or of reasoning."""
    match part:
        case Text(text):
            return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
        case Refusal(text):
            return {"type": "refusal", "refusal": text}
        case Segment(kind, text):
            return {"type": "summary_text" if kind == "summary" else "reasoning_text", "text": text}


def usage(tokens: Usage) -> dict[str, Any]:
    """The `usage` object. Readers fail without the three details."""
    return {
        "input_tokens": tokens.in_total,
        "input_tokens_details": {"cached_tokens": tokens.in_cached, "cache_write_tokens": tokens.in_written},
        "output_tokens": tokens.out_total,
        "output_tokens_details": {"reasoning_tokens": tokens.out_reasoning},
        "total_tokens": tokens.in_total + tokens.out_total,
    }
