"""Writes a Chat Completions response."""

from __future__ import annotations

from typing import Any

from llmux.dialects.neutral import Message, Reason, Reasoning, Refusal, Response, Text, ToolCall, Usage

FINISH: dict[Reason, str] = {
    "stop": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "refusal": "stop",  # beside `message.refusal`
    "filter": "content_filter",
}


def write(response: Response, asked: dict[str, Any]) -> dict[str, Any]:
    """The body of `chat.completion`. `asked` is the request's."""
    texts = [part for item in response.items if isinstance(item, Message) for part in item.parts]
    thoughts = [segment.text for item in response.items if isinstance(item, Reasoning) for segment in item.segments]
    calls = [item for item in response.items if isinstance(item, ToolCall)]
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(part.text for part in texts if isinstance(part, Text)) or (None if calls else ""),
        "refusal": "".join(part.text for part in texts if isinstance(part, Refusal)) or None,
    }
    if thoughts:
        message["reasoning_content"] = "\n\n".join(thoughts)
    if calls:
        message["tool_calls"] = [tool_call(call) for call in calls]
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": FINISH[response.finish.reason]}
    body: dict[str, Any] = {**envelope(response, "chat.completion"), "choices": [choice]}
    if response.usage is not None:
        body["usage"] = usage(response.usage)
    return body


def envelope(response: Response, kind: str) -> dict[str, Any]:
    """The members that a completion and each of its chunks begin with."""
    return {"id": f"chatcmpl-{response.id}", "object": kind, "created": response.created, "model": response.model}


def tool_call(call: ToolCall) -> dict[str, Any]:
    """A call of a function. Arguments must be JSON, so none at all is an empty object."""
    return {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": call.args_text or "{}"}}


def usage(tokens: Usage) -> dict[str, Any]:
    """The `usage` object."""
    return {
        "prompt_tokens": tokens.in_total,
        "completion_tokens": tokens.out_total,
        "total_tokens": tokens.in_total + tokens.out_total,
        "prompt_tokens_details": {"cached_tokens": tokens.in_cached, "cache_write_tokens": tokens.in_written, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": tokens.out_reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
