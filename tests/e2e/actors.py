"""A provider on loopback that understands what it is asked, in each dialect: it calls the tools that it is offered, thinks with a
signature that it wants back, looks at pictures, fills in schemas, and fails when it is told to.

It reads and writes its dialects by hand, in the plainest form that their documents give, and shares no code with the gateway.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import attrs

from tests.e2e.providers import ScriptedProvider, Seen, Wire, sse

TEXT = "Grüße, 世界 🌍"
THOUGHT = "The weather is asked for."
SEAL = "RXFRQkNnSVlBaEl="  # valid base64, as Gemini's are
CITY = {"city": "Zürich"}
ANSWER = {"answer": 42}


@attrs.frozen
class Asked:
    """What a request comes to. `sealed`: the signature of the last thought came back; None: no thought of ours is in it."""

    stream: bool
    text: str
    tools: tuple[str, ...]
    results: tuple[str, ...]
    pictures: int
    schema: bool
    thinks: bool
    sealed: bool | None
    system: str


@attrs.frozen
class Said:
    """What is answered."""

    thought: str = ""
    text: str = ""
    call: str = ""


def play(provider: ScriptedProvider) -> None:
    """Make a provider an actor from now on."""
    provider.play(lambda wire: _act(provider.seen[-1], wire))


def _act(seen: Seen, wire: Wire) -> None:
    dialect = seen.target.split("/")[1]
    asked = _READERS[dialect](seen)
    if "fail" in asked.text:
        wire.whole(429, _ERRORS[dialect], "retry-after: 7")
        return
    said = answer(asked)
    if asked.stream:
        wire.stream(*_STREAMS[dialect](said))
    else:
        wire.whole(200, _WHOLES[dialect](said))


def answer(asked: Asked) -> Said:
    """What the model says to it."""
    if asked.results:
        lost = " (the signature is lost)" if asked.sealed is False else ""
        return Said(text=f"results: {', '.join(asked.results)}{lost}")
    if asked.tools:
        return Said(thought=THOUGHT if asked.thinks else "", call=asked.tools[0])
    if asked.pictures:
        return Said(text=f"{asked.pictures} picture")
    if asked.schema:
        return Said(text=json.dumps(ANSWER))
    return Said(thought=THOUGHT if asked.thinks else "", text=f"{TEXT} ({asked.system})" if asked.system else TEXT)


def _texts(content: Any) -> str:
    if isinstance(content, list):
        return "".join(each.get("text") or "" for each in content)
    return content or ""


# --- reading


def _chat(seen: Seen) -> Asked:
    doc = seen.document
    messages = doc["messages"]
    users = [message for message in messages if message["role"] == "user"]
    parts = [part for message in users if isinstance(message["content"], list) for part in message["content"]]
    ours = [message for message in messages if message.get("reasoning_content")]
    return Asked(
        stream=bool(doc.get("stream")),
        text=_texts(users[-1]["content"]),
        tools=tuple(tool["function"]["name"] for tool in doc.get("tools", ())),
        results=tuple(_texts(message["content"]) for message in messages if message["role"] == "tool"),
        pictures=sum(part.get("image_url", {}).get("url", "").startswith("data:image/png;base64,") for part in parts),
        schema=doc.get("response_format", {}).get("type") == "json_schema",
        thinks=doc.get("reasoning_effort", "none") != "none",
        sealed=True if ours else None,
        system=" ".join(_texts(message["content"]) for message in messages if message["role"] in ("system", "developer")),
    )


def _responses(seen: Seen) -> Asked:
    doc = seen.document
    items = doc["input"] if isinstance(doc["input"], list) else [{"type": "message", "role": "user", "content": doc["input"]}]
    users = [item for item in items if item.get("role") == "user"]
    parts = [part for item in users if isinstance(item["content"], list) for part in item["content"]]
    thoughts = [item for item in items if item.get("type") == "reasoning"]
    instructions = [item for item in items if item.get("role") in ("system", "developer")]
    return Asked(
        stream=bool(doc.get("stream")),
        text=_texts(users[-1]["content"]),
        tools=tuple(tool["name"] for tool in doc.get("tools", ())),
        results=tuple(_texts(item["output"]) for item in items if item.get("type") == "function_call_output"),
        pictures=sum(part["type"] == "input_image" and part["image_url"].startswith("data:image/png;base64,") for part in parts),
        schema=doc.get("text", {}).get("format", {}).get("type") == "json_schema",
        thinks="reasoning" in doc and doc["reasoning"].get("effort") != "none",
        sealed=thoughts[-1].get("encrypted_content") == SEAL if thoughts else None,
        system=" ".join([doc.get("instructions") or "", *(_texts(item["content"]) for item in instructions)]).strip(),
    )


def _anthropic(seen: Seen) -> Asked:
    doc = seen.document
    assert doc["max_tokens"] > 0
    blocks = [
        (message["role"], block)
        for message in doc["messages"]
        for block in (
            message["content"] if isinstance(message["content"], list) else [{"type": "text", "text": message["content"]}]
        )
    ]
    thoughts = [block for _, block in blocks if block["type"] == "thinking"]
    return Asked(
        stream=bool(doc.get("stream")),
        text="".join(block["text"] for role, block in blocks if role == "user" and block["type"] == "text"),
        tools=tuple(tool["name"] for tool in doc.get("tools", ())),
        results=tuple(_texts(block["content"]) for _, block in blocks if block["type"] == "tool_result"),
        pictures=sum(block["type"] == "image" and block["source"]["media_type"] == "image/png" for _, block in blocks),
        schema=doc.get("output_config", {}).get("format", {}).get("type") == "json_schema",
        thinks=doc.get("thinking", {}).get("type") in ("enabled", "adaptive"),
        sealed=thoughts[-1]["signature"] == SEAL if thoughts else None,
        system=_texts(doc.get("system")),
    )


def _gemini(seen: Seen) -> Asked:
    doc = seen.document
    parts = [(content["role"], part) for content in doc["contents"] for part in content["parts"]]
    config = doc.get("generationConfig", {})
    calls = [part for _, part in parts if "functionCall" in part]
    thinking = config.get("thinkingConfig", {})
    return Asked(
        stream=":streamGenerateContent" in seen.target,
        text="".join(part.get("text", "") for role, part in parts if role == "user"),
        tools=tuple(each["name"] for tool in doc.get("tools", ()) for each in tool["functionDeclarations"]),
        results=tuple(part["functionResponse"]["response"]["output"] for _, part in parts if "functionResponse" in part),
        pictures=sum(part.get("inlineData", {}).get("mimeType") == "image/png" for _, part in parts),
        schema="responseJsonSchema" in config,
        thinks=bool(thinking.get("includeThoughts") or thinking.get("thinkingLevel") or thinking.get("thinkingBudget")),
        sealed=calls[-1].get("thoughtSignature") == SEAL if calls and thinking else None,
        system=_texts(doc.get("systemInstruction", {}).get("parts")),
    )


# --- writing


def _chat_whole(said: Said) -> Any:
    message: dict[str, Any] = {"role": "assistant", "content": said.text or None, "refusal": None}
    if said.thought:
        message["reasoning_content"] = said.thought
    if said.call:
        function = {"name": said.call, "arguments": json.dumps(CITY)}
        message["tool_calls"] = [{"id": "call_7", "type": "function", "function": function}]
    finish = "tool_calls" if said.call else "stop"
    return {
        "id": "chatcmpl-7",
        "object": "chat.completion",
        "created": 7,
        "model": "actor",
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }


def _chat_stream(said: Said) -> Iterator[bytes]:
    def chunk(delta: Any, finish: str | None = None, **more: Any) -> bytes:
        choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
        head = {"id": "chatcmpl-7", "object": "chat.completion.chunk", "created": 7, "model": "actor"}
        return sse({**head, "choices": choices, **more})

    yield chunk({"role": "assistant", "content": ""})
    for half in _halves(said.thought):
        yield chunk({"reasoning_content": half})
    for half in _halves(said.text):
        yield chunk({"content": half})
    if said.call:
        opened = {"index": 0, "id": "call_7", "type": "function", "function": {"name": said.call, "arguments": ""}}
        yield chunk({"tool_calls": [opened]})
        for half in _halves(json.dumps(CITY)):
            yield chunk({"tool_calls": [{"index": 0, "function": {"arguments": half}}]})
    yield chunk({}, "tool_calls" if said.call else "stop")
    yield chunk({}, usage={"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, choices=[])
    yield b"data: [DONE]\n\n"


def _responses_output(said: Said) -> list[dict[str, Any]]:
    output: list[dict[str, Any]] = []
    if said.thought:
        summary = [{"type": "summary_text", "text": said.thought}]
        output.append({"id": "rs_7", "type": "reasoning", "summary": summary, "encrypted_content": SEAL})
    if said.text:
        content = [{"type": "output_text", "text": said.text, "annotations": [], "logprobs": []}]
        output.append({"id": "msg_7", "type": "message", "role": "assistant", "status": "completed", "content": content})
    if said.call:
        call = {"id": "fc_7", "type": "function_call", "status": "completed", "call_id": "call_7", "name": said.call}
        output.append({**call, "arguments": json.dumps(CITY)})
    return output


def _responses_whole(said: Said, status: str = "completed") -> Any:
    return {
        "id": "resp_7",
        "object": "response",
        "created_at": 7,
        "status": status,
        "model": "actor",
        "output": _responses_output(said) if status == "completed" else [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": None
        if status != "completed"
        else {
            "input_tokens": 10,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 5,
            "output_tokens_details": {"reasoning_tokens": 2},
            "total_tokens": 15,
        },
    }


def _responses_stream(said: Said) -> Iterator[bytes]:
    number = -1

    def event(kind: str, **members: Any) -> bytes:
        nonlocal number
        number += 1
        return sse({"type": f"response.{kind}", "sequence_number": number, **members}, f"response.{kind}")

    yield event("created", response=_responses_whole(said, "in_progress"))
    for index, item in enumerate(_responses_output(said)):
        place = {"output_index": index, "item_id": item["id"]}
        match item["type"]:
            case "reasoning":
                yield event("output_item.added", output_index=index, item={**item, "summary": [], "encrypted_content": None})
                part = {"type": "summary_text", "text": ""}
                yield event("reasoning_summary_part.added", **place, summary_index=0, part=part)
                for half in _halves(said.thought):
                    yield event("reasoning_summary_text.delta", **place, summary_index=0, delta=half)
                yield event("reasoning_summary_text.done", **place, summary_index=0, text=said.thought)
                yield event("reasoning_summary_part.done", **place, summary_index=0, part={**part, "text": said.thought})
            case "message":
                yield event("output_item.added", output_index=index, item={**item, "status": "in_progress", "content": []})
                text = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
                yield event("content_part.added", **place, content_index=0, part=text)
                for half in _halves(said.text):
                    yield event("output_text.delta", **place, content_index=0, delta=half, logprobs=[])
                yield event("output_text.done", **place, content_index=0, text=said.text, logprobs=[])
                yield event("content_part.done", **place, content_index=0, part={**text, "text": said.text})
            case _:
                yield event("output_item.added", output_index=index, item={**item, "status": "in_progress", "arguments": ""})
                for half in _halves(item["arguments"]):
                    yield event("function_call_arguments.delta", **place, delta=half)
                yield event("function_call_arguments.done", **place, arguments=item["arguments"], name=item["name"])
        yield event("output_item.done", output_index=index, item=item)
    yield event("completed", response=_responses_whole(said))


def _anthropic_content(said: Said) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = []
    if said.thought:
        content.append({"type": "thinking", "thinking": said.thought, "signature": SEAL})
    if said.text:
        content.append({"type": "text", "text": said.text, "citations": None})
    if said.call:
        content.append({"type": "tool_use", "id": "toolu_7", "name": said.call, "input": CITY})
    return content


def _anthropic_whole(said: Said) -> Any:
    return {
        "id": "msg_7",
        "type": "message",
        "role": "assistant",
        "model": "actor",
        "content": _anthropic_content(said),
        "stop_reason": "tool_use" if said.call else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 5},
    }


def _anthropic_stream(said: Said) -> Iterator[bytes]:
    def event(name: str, **members: Any) -> bytes:
        return sse({"type": name, **members}, name)

    whole = _anthropic_whole(said)
    yield event("message_start", message={**whole, "content": [], "stop_reason": None})
    yield event("ping")
    for index, block in enumerate(whole["content"]):
        match block["type"]:
            case "thinking":
                yield event("content_block_start", index=index, content_block={**block, "thinking": "", "signature": ""})
                deltas = [{"type": "thinking_delta", "thinking": half} for half in _halves(said.thought)]
                deltas.append({"type": "signature_delta", "signature": SEAL})
            case "text":
                yield event("content_block_start", index=index, content_block={**block, "text": ""})
                deltas = [{"type": "text_delta", "text": half} for half in _halves(said.text)]
            case _:
                yield event("content_block_start", index=index, content_block={**block, "input": {}})
                deltas = [{"type": "input_json_delta", "partial_json": half} for half in _halves(json.dumps(CITY))]
        for delta in deltas:
            yield event("content_block_delta", index=index, delta=delta)
        yield event("content_block_stop", index=index)
    yield event("message_delta", delta={"stop_reason": whole["stop_reason"], "stop_sequence": None}, usage={"output_tokens": 5})
    yield event("message_stop")


def _gemini_parts(said: Said) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    if said.thought:
        parts.append({"text": said.thought, "thought": True})
    if said.text:
        parts += [{"text": half} for half in _halves(said.text)]
    if said.call:
        parts.append({"functionCall": {"name": said.call, "args": CITY}, "thoughtSignature": SEAL})
    return parts


def _gemini_record(parts: list[dict[str, Any]], last: bool) -> Any:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    counts = {"promptTokenCount": 10, "candidatesTokenCount": 3, "thoughtsTokenCount": 2, "totalTokenCount": 15}
    if last:
        candidate["finishReason"] = "STOP"
    return {"candidates": [candidate], "usageMetadata": counts, "modelVersion": "actor", "responseId": "7"}


def _gemini_whole(said: Said) -> Any:
    return _gemini_record(_gemini_parts(said), True)


def _gemini_stream(said: Said) -> Iterator[bytes]:
    parts = _gemini_parts(said)
    for number, part in enumerate(parts, 1):
        yield sse(_gemini_record([part], number == len(parts)))


def _halves(text: str) -> tuple[str, ...]:
    middle = len(text) // 2
    return tuple(half for half in (text[:middle], text[middle:]) if half)


_READERS = {"chat": _chat, "responses": _responses, "anthropic": _anthropic, "gemini": _gemini}
_WHOLES = {"chat": _chat_whole, "responses": _responses_whole, "anthropic": _anthropic_whole, "gemini": _gemini_whole}
_STREAMS = {"chat": _chat_stream, "responses": _responses_stream, "anthropic": _anthropic_stream, "gemini": _gemini_stream}
_OPENAI = {"error": {"message": "slow down", "type": "rate_limit_error", "param": None, "code": "rate_limit_exceeded"}}
_ERRORS: dict[str, Any] = {
    "chat": _OPENAI,
    "responses": _OPENAI,
    "anthropic": {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}, "request_id": "req_7"},
    "gemini": {"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED", "details": []}},
}
