"""Bodies of requests and of answers, in each dialect's words, with what every one of them must have."""

from __future__ import annotations

import json
from typing import Any

Body = dict[str, Any]

CH, RE, AN, GE = "openai-chat", "openai-responses", "anthropic", "gemini"

LIMIT = 8192
SCHEMA: Body = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
OSLO = {"city": "Oslo"}
OSLO_TEXT = '{"city":"Oslo"}'


# --- requests


def chat(*messages: Body, **more: Any) -> Body:
    """A request for a chat completion."""
    return {"model": "asked", "max_completion_tokens": LIMIT, "messages": list(messages), **more}


def responses(*items: Body | str, **more: Any) -> Body:
    """A request for a response. A single text is the whole input."""
    given: Any = items[0] if len(items) == 1 and isinstance(items[0], str) else list(items)
    return {"model": "asked", "max_output_tokens": LIMIT, "input": given, **more}


def messages(*turns: Body, **more: Any) -> Body:
    """A request for a message."""
    return {"model": "asked", "max_tokens": LIMIT, "messages": list(turns), **more}


def contents(*turns: Any, config: Body | None = None, **more: Any) -> Body:
    """A request to generate content; `config` is more of the generation config."""
    return {"contents": list(turns), "generationConfig": {"maxOutputTokens": LIMIT, **(config or {})}, **more}


def question(client: str, text: str = "Hello", **more: Any) -> Body:
    """A request of one question."""
    return conversation(client, [spoken(client, "user", text)], **more)


def conversation(client: str, turns: list[Body], **more: Any) -> Body:
    """A request of some turns, in the client's own words."""
    make = {CH: chat, RE: responses, AN: messages, GE: contents}[client]
    return make(*turns, **more)


def spoken(client: str, role: str, text: str) -> Body:
    """Somebody says a text; `role` is user or assistant."""
    if client == GE:
        return {"role": "model" if role == "assistant" else role, "parts": [{"text": text}]}
    return {"role": role, "content": text}


def called(client: str, *ids: str, name: str = "weather") -> list[Body]:
    """The assistant calls a tool, several times at once."""
    match client:
        case "openai-chat":
            return [{"role": "assistant", "content": None, "tool_calls": [chat_call(each, name) for each in ids]}]
        case "openai-responses":
            return [{"type": "function_call", "call_id": each, "name": name, "arguments": OSLO_TEXT} for each in ids]
        case "anthropic":
            return [{"role": "assistant", "content": [tool_use(each, name) for each in ids]}]
    return [{"role": "model", "parts": [{"functionCall": {"id": each, "name": name, "args": OSLO}} for each in ids]}]


def answered(client: str, *ids: str, name: str = "weather", text: str = "4 degrees") -> list[Body]:
    """The client gives back what its tool said, once for each call."""
    match client:
        case "openai-chat":
            return [{"role": "tool", "tool_call_id": each, "content": text} for each in ids]
        case "openai-responses":
            return [{"type": "function_call_output", "call_id": each, "output": text} for each in ids]
        case "anthropic":
            return [{"role": "user", "content": [tool_result(each, text) for each in ids]}]
    parts = [{"functionResponse": {"id": each, "name": name, "response": {"output": text}}} for each in ids]
    return [{"role": "user", "parts": parts}]


def chat_call(call_id: str, name: str = "weather", arguments: str = OSLO_TEXT) -> Body:
    """A call in a chat completion's message."""
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def tool_use(call_id: str, name: str = "weather", args: Body | None = None) -> Body:
    """A call in a message of Anthropic's."""
    return {"type": "tool_use", "id": call_id, "name": name, "input": OSLO if args is None else args}


def tool_result(call_id: str, content: Any = "4 degrees") -> Body:
    """What a tool gave back, in a message of Anthropic's."""
    return {"type": "tool_result", "tool_use_id": call_id, "content": content}


def tools(client: str, *names: str, schema: Body | None = None) -> Body:
    """The member of a request that offers functions of one schema."""
    given = SCHEMA if schema is None else schema
    offered: list[Body]
    match client:
        case "openai-chat":
            offered = [{"type": "function", "function": {"name": name, "parameters": given}} for name in names]
        case "openai-responses":
            offered = [{"type": "function", "name": name, "parameters": given, "strict": False} for name in names]
        case "anthropic":
            offered = [{"name": name, "input_schema": given} for name in names]
        case _:
            offered = [{"functionDeclarations": [{"name": name, "parametersJsonSchema": given} for name in names]}]
    return {"tools": offered}


# --- answers

CHAT_USAGE: Body = {"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 14}
RESPONSES_USAGE: Body = {
    "input_tokens": 9,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 14,
}
GEMINI_USAGE: Body = {"promptTokenCount": 9, "candidatesTokenCount": 5, "totalTokenCount": 14}


def completion(message: Body, finish: str = "stop") -> Body:
    """A chat completion."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "answering",
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}],
        "usage": CHAT_USAGE,
    }


def response(*output: Body) -> Body:
    """A response."""
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": "completed",
        "model": "answering",
        "output": list(output),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": RESPONSES_USAGE,
    }


def output_text(text: str, id: str = "msg_1") -> Body:
    """An item of a response that says something."""
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "message", "id": id, "role": "assistant", "status": "completed", "content": [part]}


def function_call(call_id: str, name: str = "weather", id: str = "fc_1") -> Body:
    """An item of a response that calls a tool."""
    call = {"call_id": call_id, "name": name, "arguments": OSLO_TEXT}
    return {"type": "function_call", "id": id, "status": "completed", **call}


def message(*blocks: Body, stop: str = "end_turn") -> Body:
    """A message of Anthropic's."""
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "answering",
        "content": list(blocks),
        "stop_reason": stop,
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 5},
    }


def generated(*parts: Body, finish: str = "STOP") -> Body:
    """What Gemini generated."""
    return {
        "candidates": [{"content": {"role": "model", "parts": list(parts)}, "finishReason": finish, "index": 0}],
        "usageMetadata": GEMINI_USAGE,
        "modelVersion": "answering",
        "responseId": "1",
    }


def greeting(provider: str) -> Body:
    """A plain answer."""
    match provider:
        case "openai-chat":
            return completion({"content": "Hello"})
        case "openai-responses":
            return response(output_text("Hello"))
        case "anthropic":
            return message({"type": "text", "text": "Hello"})
    return generated({"text": "Hello"})


def said_back(client: str, answer: Body) -> list[Body]:
    """What a client adds to its history of an answer: all that it was told."""
    match client:
        case "openai-chat":
            return [answer["choices"][0]["message"]]
        case "openai-responses":
            output: list[Body] = answer["output"]
            return output
        case "anthropic":
            return [{"role": "assistant", "content": answer["content"]}]
    return [answer["candidates"][0]["content"]]


def call_ids(client: str, answer: Body) -> list[str]:
    """The ids of the calls in an answer, in their order."""
    (first, *_) = said_back(client, answer)
    match client:
        case "openai-chat":
            return [call["id"] for call in first.get("tool_calls") or ()]
        case "openai-responses":
            return [item["call_id"] for item in answer["output"] if "call_id" in item]
        case "anthropic":
            return [block["id"] for block in first["content"] if block["type"] == "tool_use"]
    return [part["functionCall"]["id"] for part in first["parts"] if "functionCall" in part]


def text_of(value: Any) -> str:
    """A document as one text, to look for what must or must not be in it."""
    return json.dumps(value, ensure_ascii=False)
