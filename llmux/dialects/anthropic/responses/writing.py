"""Writes a whole answer."""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects.anthropic import custody, reasons, usage
from llmux.dialects.anthropic.responses.blocks import call_input, text_block
from llmux.dialects.anthropic.servers import Pages
from llmux.dialects.context import Context
from llmux.dialects.neutral import (
    Message,
    OutputItem,
    Reasoning,
    Refusal,
    Response,
    ServerCall,
    ServerResult,
    Text,
    ToolCall,
    Usage,
)


def write(response: Response, context: Context) -> dict[str, Any]:
    """The body of `message`. Raises Fault for the reasons that this API answers by an error."""
    if response.usage is None:
        context.notes.invent("/usage", "nobody counted the tokens, and there must be numbers")
    body = envelope(response.id, response.model, response.usage, response.tier)
    pages = Pages()
    content: list[dict[str, Any]] = []
    for item in response.items:
        content += _blocks(item, pages, context)
    body["content"] = content + pages.due()
    body.update(reasons.write(response.finish, context))
    return body


def envelope(id: str, model: str, tokens: Usage | None, tier: str | None = None) -> dict[str, Any]:
    """A message before it has said anything."""
    return {
        "id": f"msg_{id}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage.write(tokens or Usage(), tier),
    }


def _blocks(item: OutputItem, pages: Pages, context: Context) -> list[dict[str, Any]]:
    if isinstance(item, ServerCall | ServerResult):
        written = pages.write(item)
        if written is None:
            context.notes.drop("/content", f"what the provider's own {item.family} did has no counterpart")
        return written or []
    blocks = pages.due()
    match item:
        case Message(_, parts):
            for part in parts:
                if isinstance(part, Text | Refusal):
                    blocks += text_block(part, context)
                else:
                    context.notes.drop("/content", "the model answers in text")
        case Reasoning():
            blocks += custody.thinking(item, context)
        case ToolCall():
            if item.cut:
                context.notes.drop("/content", f"the call {item.name} broke off")
                return blocks
            blocks += (custody.block(seal, context, "ahead") for seal in item.seals)
            args = jsonio.Verbatim(call_input(item.args_text, context))
            blocks.append({"type": "tool_use", "id": item.call_id, "name": item.name, "input": args})
        case _:
            context.notes.drop("/content", f"no counterpart for {item.kind}")
    return blocks
