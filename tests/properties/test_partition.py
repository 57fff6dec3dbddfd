from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from anthropic.types import MessageParam
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from google.genai import types as genai
from openai.types.chat import ChatCompletionMessageParam
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.responses import ResponseInputItemParam
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from twisted.trial.unittest import TestCase

from llmux import jsonio
from llmux.dialects.registry import DIALECTS
from llmux.dialects.translation import Translation
from llmux.errors import Fault
from tests.properties.generated import context
from tests.properties.samples import Overrides, Sampler, leaves, without

PICTURE = "data:image/png;base64,AAAA"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
COMMON: Overrides = {
    "model": ("m",),
    "url": ("https://host.example/x.png",),
    "image_url": ("https://host.example/x.png", PICTURE),
    "file_url": ("https://host.example/x.pdf",),
    "uri": ("https://host.example/x.png",),
    "fileUri": ("https://generativelanguage.googleapis.com/v1beta/files/x",),
    "mimeType": ("image/png",),
    "arguments": ('{"a":1}',),
    "schema": (SCHEMA,),
    "parameters": (SCHEMA,),
    "input_schema": (SCHEMA,),
    "parametersJsonSchema": (SCHEMA,),
    "responseJsonSchema": (SCHEMA,),
    "stream": (False,),
    "thoughtSignature": ("QUJD",),
    "file_data": ("data:application/pdf;base64,AAAA",),
    "data": ("AAAA",),
}


def user(dialect: str) -> Any:
    """A turn to answer."""
    if dialect == "gemini":
        return {"role": "user", "parts": [{"text": "hi"}]}
    return {"role": "user", "content": "hi"}


def chat_messages(message: dict[str, Any]) -> list[Any]:
    """A message where it may stand."""
    if message["role"] in ("tool", "function"):
        called = {"id": message.get("tool_call_id", ""), "type": "function", "function": {"name": "f", "arguments": "{}"}}
        if message["role"] == "function":
            return [user("x"), {"role": "assistant", "function_call": {"name": message["name"], "arguments": "{}"}}, message]
        return [user("x"), {"role": "assistant", "tool_calls": [called]}, message]
    if message["role"] == "assistant":
        calls = [{"role": "tool", "tool_call_id": call["id"], "content": "r"} for call in message.get("tool_calls") or ()]
        if message.get("function_call"):
            calls.append({"role": "function", "name": message["function_call"]["name"], "content": "r"})
        return [user("x"), message, *(calls or [user("x")])]
    return [message, user("x")] if message["role"] in ("system", "developer") else [message]


def messages(message: dict[str, Any]) -> list[Any]:
    """The same for Anthropic."""
    content = message["content"]
    blocks = content if isinstance(content, list) else []
    if any(block["type"] == "tool_result" for block in blocks):
        use = {"type": "tool_use", "id": blocks[0]["tool_use_id"], "name": "f", "input": {}}
        return [user("x"), {"role": "assistant", "content": [use]}, {**message, "role": "user"}]
    if any(block["type"] in ("tool_use", "thinking", "redacted_thinking", "server_tool_use") for block in blocks):
        results = [{"type": "tool_result", "tool_use_id": b["id"], "content": "r"} for b in blocks if b["type"] == "tool_use"]
        return [user("x"), {**message, "role": "assistant"}, {"role": "user", "content": results} if results else user("x")]
    if message["role"] == "assistant":
        return [user("x"), message, user("x")]
    return [user("x"), message] if message["role"] == "system" else [message]


def items(item: dict[str, Any]) -> list[Any]:
    """The same for Responses."""
    kind = item.get("type", "")
    if kind.endswith("_output"):
        item = {"call_id": "word", **item}
    if kind == "function_call":
        return [user("x"), item, {"type": "function_call_output", "call_id": item["call_id"], "output": "r"}]
    if kind == "custom_tool_call":
        return [user("x"), item, {"type": "custom_tool_call_output", "call_id": item["call_id"], "output": "r"}]
    if kind == "function_call_output":
        return [user("x"), {"type": "function_call", "call_id": item["call_id"], "name": "f", "arguments": "{}"}, item]
    if kind == "custom_tool_call_output":
        return [user("x"), {"type": "custom_tool_call", "call_id": item["call_id"], "name": "f", "input": "x"}, item]
    return [item, user("x")]


def contents(content: dict[str, Any]) -> list[Any]:
    """The same for Gemini."""
    (part,) = content["parts"]
    if "functionCall" in part:
        name, id = part["functionCall"].get("name", "f"), part["functionCall"].get("id")
        part["functionCall"].setdefault("name", "f")
        response = {"name": name, "response": {"output": "r"}, **({"id": id} if id else {})}
        return [user("gemini"), {**content, "role": "model"}, {"role": "user", "parts": [{"functionResponse": response}]}]
    if "functionResponse" in part:
        part["functionResponse"].setdefault("name", "f")
        call = {"name": part["functionResponse"]["name"], "args": {}}
        if "id" in part["functionResponse"]:
            call["id"] = part["functionResponse"]["id"]
        return [user("gemini"), {"role": "model", "parts": [{"functionCall": call}]}, {**content, "role": "user"}]
    return [{**content, "role": "model"}, user("gemini")] if part.get("thought") else [{**content, "role": "user"}]


def with_tools(body: dict[str, Any], tool: Any) -> dict[str, Any]:
    """A choice among tools needs tools."""
    if "function_call" in body:
        return {"functions": [tool["function"]], **body}
    return {"tools": [tool], **body} if "tool_choice" in body or "parallel_tool_calls" in body else body


def chat_requests() -> Iterator[dict[str, Any]]:
    """Chat Completions: every parameter, every message."""
    tool = {"type": "function", "function": {"name": "word", "parameters": SCHEMA}}
    sampler = Sampler({**COMMON, "messages": ([user("x")],), "stop": ("x", ["x"]), "n": (1, 2)})
    for body in sampler.all(CompletionCreateParamsNonStreaming):
        yield with_tools(body, tool)
    for message in sampler.all(ChatCompletionMessageParam):
        yield {"model": "m", "messages": chat_messages(message)}


def responses_requests() -> Iterator[dict[str, Any]]:
    """Responses: every parameter, every item."""
    tool = {"type": "function", "name": "word", "parameters": SCHEMA, "strict": False}
    sampler = Sampler({**COMMON, "input": ("hi",)})
    for body in sampler.all(ResponseCreateParamsNonStreaming):
        yield with_tools({"input": "hi", "model": "m", **body}, tool)
    for item in Sampler(COMMON).all(ResponseInputItemParam):
        yield {"model": "m", "input": items(item)}


def anthropic_requests() -> Iterator[dict[str, Any]]:
    """Messages: every parameter, every block."""
    tool = {"name": "word", "input_schema": SCHEMA}
    sampler = Sampler({**COMMON, "messages": ([user("x")],), "budget_tokens": (2048,), "max_tokens": (9000,)})
    for body in sampler.all(MessageCreateParamsNonStreaming):
        yield with_tools(body, tool)
    for message in sampler.all(MessageParam):
        yield {"model": "m", "max_tokens": 9000, "messages": messages(message)}


def gemini_requests() -> Iterator[dict[str, Any]]:
    """generateContent: every setting, every part."""
    base = {"contents": [user("gemini")]}
    kinds: dict[str, Any] = {
        "generationConfig": genai.GenerationConfig,
        "toolConfig": genai.ToolConfig,
        "safetySettings": list[genai.SafetySetting],
        "tools": list[genai.Tool],
        "systemInstruction": genai.Content,
    }
    sampler = Sampler({**COMMON, "stopSequences": (["x"],), "candidateCount": (1, 2), "responseMimeType": ("application/json",)})
    for name, kind in kinds.items():
        for value in sampler.all(kind):
            yield {**base, name: value}
    for part in sampler.all(genai.Part):
        if part:
            yield {"contents": contents({"parts": [part]})}
    yield {**base, "cachedContent": "cachedContents/x", "labels": {"a": "b"}, "serviceTier": "flex", "store": True}


REQUESTS: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
    "openai-chat": chat_requests,
    "openai-responses": responses_requests,
    "anthropic": anthropic_requests,
    "gemini": gemini_requests,
}

# What says nothing by itself: it names the kind of its object, steers how we stream, or is an id that only its maker reads.
SILENT = re.compile(
    r"/type$|/role$|^/stream_options/|/mime_?[tT]ype$|/media_type$|/object$|/status$|/stream$|/model$"
    r"|/input/\d+(/[a-z_]+/\d+)*/id$|/(tool_)?call_id$|/tool_use_id$|/tool_calls/\d+/id$|/content/\d+/id$|/function(Call|Response)/id$"
)


class PartitionTests(TestCase):
    """No field of a request disappears without a word."""

    def asked(self, client: str, provider: str, body: dict[str, Any]) -> tuple[bytes, list[str]] | None:
        """What the provider gets and what is noted; None: the request is refused."""
        made = context(provider, body)
        made.version = "2026-10-21" if client == "anthropic" else None
        try:
            translation = Translation(DIALECTS[client].rooms, DIALECTS[provider], made)
        except Fault as fault:
            if fault.kind != "invalid":
                raise
            return None
        return jsonio.dumps(translation.body), [note.pointer for note in made.notes]

    def lost(self, client: str, provider: str) -> list[str]:
        """The fields that leave no trace in any of their values."""
        traced: dict[str, bool] = {}
        samples: dict[str, str] = {}
        for body in REQUESTS[client]():
            told = self.asked(client, provider, body)
            for pointer, value in leaves(body):
                field = re.sub(r"/\d+(?=/|$)", "/*", pointer)
                if traced.get(field) or SILENT.search(pointer):
                    continue
                samples[field] = f"{pointer} in {jsonio.dumps(body).decode()[:300]}"
                traced[field] = value is None or told is None or self._traced(client, provider, body, told, pointer)
        return [samples[field] for field, seen in traced.items() if not seen]

    def _traced(self, client: str, provider: str, body: dict[str, Any], told: tuple[bytes, list[str]], pointer: str) -> bool:
        sent, notes = told
        if any(pointer == each or pointer.startswith(f"{each}/") for each in notes):
            return True
        other = self.asked(client, provider, without(body, pointer))
        return other is None or other[0] != sent


def _of(client: str, provider: str) -> Callable[[PartitionTests], None]:
    def test(self: PartitionTests) -> None:
        lost = self.lost(client, provider)
        self.assertEqual(lost, [], "\n".join([f"{len(lost)} fields leave no trace:", *lost]))

    return test


for _client in DIALECTS:
    for _provider in DIALECTS:
        if _client != _provider:
            _name = f"test_{_client}_to_{_provider}".replace("-", "_")
            setattr(PartitionTests, _name, _of(_client, _provider))
