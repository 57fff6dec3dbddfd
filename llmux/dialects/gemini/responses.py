"""Writes a GenerateContentResponse, which is also every record of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmux import jsonio
from llmux.dialects.neutral import Message, OpaquePart, OutputItem, Reason, Reasoning, Response, ToolCall, Usage

FINISH: dict[Reason, str] = {
    "stop": "STOP",
    "stop_sequence": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",  # the API has no word of its own for it
    "refusal": "SAFETY",
    "filter": "SAFETY",
}
MALFORMED = "MALFORMED_FUNCTION_CALL"


def write(response: Response, asked: dict[str, Any]) -> dict[str, Any]:
    """The body. `asked` is the request's. A call whose arguments are no JSON object ends it, as the API itself does."""
    parts: list[dict[str, Any]] = []
    finish, message = FINISH[response.finish.reason], None
    for item in response.items:
        try:
            parts += _parts(item)
        except ValueError as error:
            finish, message = MALFORMED, str(error)
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}
    if message is not None:
        candidate["finishMessage"] = message
    body: dict[str, Any] = {"candidates": [candidate]}
    if response.usage is not None:
        body["usageMetadata"] = usage(response.usage)
    return {**body, **envelope(response.id, response.model)}


def envelope(id: str, model: str) -> dict[str, Any]:
    """The members that end every record."""
    return {"modelVersion": model, "responseId": id}


def _parts(item: OutputItem) -> Iterator[dict[str, Any]]:
    match item:
        case Message(_, parts):
            yield from ({"text": part.text} for part in parts if not isinstance(part, OpaquePart) and part.text)
        case Reasoning(segments):
            yield from ({"text": each.text, "thought": True} for each in segments if each.text)
        case ToolCall():
            yield function_call(item)


def function_call(call: ToolCall) -> dict[str, Any]:
    """The part of a call. Raises ValueError holding the raw text where the arguments are no JSON object."""
    try:
        args = jsonio.loads((call.args_text or "{}").encode())
    except ValueError:
        args = None
    if not isinstance(args, dict):
        raise ValueError(f"Malformed function call: {call.name}({call.args_text})")
    named = {"id": call.call_id} if call.call_id else {}
    return {"functionCall": {**named, "name": call.name, "args": args}}


def usage(tokens: Usage) -> dict[str, Any]:
    """The `usageMetadata` object. This API counts thoughts beside the candidates' tokens, not in them."""
    return {
        "promptTokenCount": tokens.in_total,
        "cachedContentTokenCount": tokens.in_cached,
        "candidatesTokenCount": tokens.out_total - tokens.out_reasoning,
        "thoughtsTokenCount": tokens.out_reasoning,
        "totalTokenCount": tokens.in_total + tokens.out_total,
    }
