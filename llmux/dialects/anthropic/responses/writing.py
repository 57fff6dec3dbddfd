"""Writes a whole answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmux import jsonio
from llmux.dialects.anthropic import custody, reasons, usage
from llmux.dialects.anthropic.responses.blocks import call_input, text_blocks
from llmux.dialects.anthropic.servers import Pages
from llmux.dialects.context import Context
from llmux.dialects.neutral import (
    Message,
    OpaqueItem,
    Reasoning,
    Refusal,
    Response,
    Text,
    ToolCall,
    Usage,
)

Block = dict[str, Any]

_UNCOUNTED = Usage()


def write(response: Response, context: Context) -> dict[str, Any]:
    """The body of `message`. Raises Fault for the reasons that this API answers by an error."""
    if response.usage is None:
        context.notes.invent("/usage", "nobody counted the tokens, and there must be numbers")
    body = envelope(response.id, response.model, response.usage, response.tier)
    pages = Pages()
    content: list[Block] = body["content"]
    for item in response.items:
        write_item = _WRITERS.get(type(item))
        if write_item is None:
            content += _server(item, pages, context)
        else:
            content += pages.due()
            content += write_item(item, context)
    content += pages.due()
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
        "usage": usage.write(tokens or _UNCOUNTED, tier),
    }


def _server(item: Any, pages: Pages, context: Context) -> list[Block]:
    """What the provider's own tools were asked, or gave back."""
    written = pages.write(item)
    if written is None:
        context.notes.drop(item.at or "/content", f"what the provider's own {item.family} did has no counterpart")
    return written or []


def _message(item: Message, context: Context) -> list[Block]:
    blocks: list[Block] = []
    for part in item.parts:
        if isinstance(part, Text):
            blocks += text_blocks(part, context)
        elif isinstance(part, Refusal):
            blocks += text_blocks(Text(part.text), context)
        else:
            context.notes.drop("/content", "the model answers in text")
    return blocks


def _call(item: ToolCall, context: Context) -> list[Block]:
    if item.cut:
        context.notes.drop("/content", f"the call {item.name} broke off")
        return []
    args = jsonio.Verbatim(call_input(item, context))
    block = {"type": "tool_use", "id": item.call_id, "name": item.name, "input": args}
    return [*(custody.block(seal, context, "ahead") for seal in item.seals), block]


def _opaque(item: OpaqueItem, context: Context) -> list[Block]:
    context.notes.drop(item.at or "/content", f"no counterpart for {item.kind}")
    return []


_WRITERS: dict[type, Callable[[Any, Context], list[Block]]] = {
    Message: _message,
    Reasoning: custody.thinking,
    ToolCall: _call,
    OpaqueItem: _opaque,
}
