"""Writes a Messages response."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmux import jsonio
from llmux.dialects.neutral import Message, OpaquePart, OutputItem, Reason, Reasoning, Response, ToolCall, Usage

STOP: dict[Reason, str] = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "refusal": "refusal",
    "filter": "refusal",
}


def write(response: Response, asked: dict[str, Any]) -> dict[str, Any]:
    """The body of `message`. `asked` is the request's."""
    body = envelope(response.id, response.model, response.usage)
    body["content"] = [block for item in response.items for block in _blocks(item)]
    body["stop_reason"] = STOP[response.finish.reason]
    body["stop_sequence"] = response.finish.stop_sequence
    return body


def envelope(id: str, model: str, tokens: Usage | None) -> dict[str, Any]:
    """A message before it has said anything."""
    return {
        "id": f"msg_{id}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage(tokens or Usage()),
    }


def _blocks(item: OutputItem) -> Iterator[dict[str, Any]]:
    match item:
        case Message(_, parts):
            texts = [part.text for part in parts if not isinstance(part, OpaquePart)]
            yield from ({"type": "text", "text": text, "citations": None} for text in texts if text)  # empty ones are refused
        case Reasoning(segments, seal):
            # Thinking is one text. Its signature may be empty, but readers insist on the member.
            yield {"type": "thinking", "thinking": "\n\n".join(each.text for each in segments), "signature": seal}
        case ToolCall(call_id, name, args_text):
            yield {"type": "tool_use", "id": call_id, "name": name, "input": jsonio.loads((args_text or "{}").encode())}


def usage(tokens: Usage) -> dict[str, Any]:
    """The `usage` object. This API counts what was read from and written to its cache beside the input, not in it."""
    return {
        "input_tokens": max(tokens.in_total - tokens.in_cached - tokens.in_written, 0),
        "cache_creation_input_tokens": tokens.in_written,
        "cache_read_input_tokens": tokens.in_cached,
        "output_tokens": tokens.out_total,
        "output_tokens_details": {"thinking_tokens": tokens.out_reasoning},
        "service_tier": "standard",
    }
