"""Answers as the streams that providers send, and streams as the answers that clients gather from them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.edges.bodies import Body

_PIECE = 7  # characters


def _pieces(text: str) -> list[str]:
    return [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)]


# --- what a provider sends


def framed(provider: str, records: list[Body]) -> bytes:
    """Records as server-sent events, with the end that the dialect has."""
    named = provider in ("openai-responses", "anthropic")
    events = [(f"event: {record['type']}\n" if named else "") + f"data: {json.dumps(record)}\n\n" for record in records]
    if provider == "openai-chat":
        events.append("data: [DONE]\n\n")
    return "".join(events).encode()


def streamed(provider: str, answer: Body) -> list[Body]:
    """The records of an answer that comes in small pieces."""
    match provider:
        case "openai-chat":
            return list(_chunks(answer))
        case "openai-responses":
            return [{**event, "sequence_number": number} for number, event in enumerate(_response_events(answer))]
        case "anthropic":
            return list(_message_events(answer))
    return list(_generated_records(answer))


def _chunks(answer: Body) -> Iterator[Body]:
    head = {"id": answer["id"], "object": "chat.completion.chunk", "created": answer["created"], "model": answer["model"]}

    def chunk(delta: Body, finish: str | None = None) -> Body:
        return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}

    (choice,) = answer["choices"]
    told = choice["message"]
    yield chunk({"role": "assistant", "content": ""})
    for name in ("reasoning_content", "content", "refusal"):
        for piece in _pieces(told.get(name) or ""):
            yield chunk({name: piece})
    if told.get("annotations"):
        yield chunk({"annotations": told["annotations"]})
    for index, call in enumerate(told.get("tool_calls") or ()):
        kind = call["type"]
        member = "arguments" if kind == "function" else "input"
        body = call[kind]
        yield chunk({"tool_calls": [{**call, "index": index, kind: {**body, member: ""}}]})
        for piece in _pieces(body[member]):
            yield chunk({"tool_calls": [{"index": index, kind: {member: piece}}]})
    yield chunk({}, choice["finish_reason"])
    yield {**head, "choices": [], "usage": answer["usage"]}


def _response_events(answer: Body) -> Iterator[Body]:
    begun = {**answer, "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(answer["output"]):
        place = {"output_index": index, "item_id": item["id"]}
        bare: Body = {**_BARE.get(item["type"], {}), **({"status": "in_progress"} if "status" in item else {})}
        yield {"type": "response.output_item.added", "output_index": index, "item": {**item, **bare}}
        for event in _item_events(item):
            yield {**event, **place, "type": f"response.{event['type']}"}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": "response.completed", "response": answer}


# What an item lacks when it is added.
_BARE: dict[str, Body] = {
    "message": {"content": []},
    "reasoning": {"summary": [], "encrypted_content": ""},
    "function_call": {"arguments": ""},
}


def _item_events(item: Body) -> Iterator[Body]:
    for number, part in enumerate(item.get("content") or ()):
        place = {"content_index": number}
        empty = {**part, "text": ""}
        yield {"type": "content_part.added", "part": empty, **place}
        for piece in _pieces(part["text"]):
            yield {"type": "output_text.delta", "delta": piece, "logprobs": [], **place}
        yield {"type": "output_text.done", "text": part["text"], "logprobs": [], **place}
        yield {"type": "content_part.done", "part": part, **place}
    for number, part in enumerate(item.get("summary") or ()):
        place = {"summary_index": number}
        yield {"type": "reasoning_summary_part.added", "part": {**part, "text": ""}, **place}
        for piece in _pieces(part["text"]):
            yield {"type": "reasoning_summary_text.delta", "delta": piece, **place}
        yield {"type": "reasoning_summary_text.done", "text": part["text"], **place}
        yield {"type": "reasoning_summary_part.done", "part": part, **place}
    if "arguments" in item:
        for piece in _pieces(item["arguments"]):
            yield {"type": "function_call_arguments.delta", "delta": piece}
        yield {"type": "function_call_arguments.done", "arguments": item["arguments"], "name": item["name"]}


def _message_events(answer: Body) -> Iterator[Body]:
    begun = {**answer, "content": [], "stop_reason": None, "usage": {**answer["usage"], "output_tokens": 1}}
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(answer["content"]):
        start, deltas = _block(block)
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    stopped = {"stop_reason": answer["stop_reason"], "stop_sequence": answer["stop_sequence"]}
    yield {"type": "message_delta", "delta": stopped, "usage": {"output_tokens": answer["usage"]["output_tokens"]}}
    yield {"type": "message_stop"}


def _block(block: Body) -> tuple[Body, list[Body]]:
    match block["type"]:
        case "text":
            said = [{"type": "text_delta", "text": piece} for piece in _pieces(block["text"])]
            cited = [{"type": "citations_delta", "citation": each} for each in block.get("citations") or ()]
            return {"type": "text", "text": ""}, [*said, *cited]
        case "thinking":
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in _pieces(block["thinking"])]
            signed = {"type": "signature_delta", "signature": block["signature"]}
            return {**block, "thinking": "", "signature": ""}, [*deltas, signed]
        case "tool_use" | "server_tool_use":
            pieces = _pieces(json.dumps(block["input"]))
            return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    return block, []


def _generated_records(answer: Body) -> Iterator[Body]:
    (candidate,) = answer["candidates"]
    head = {"modelVersion": answer["modelVersion"], "responseId": answer["responseId"]}
    parts: list[Body] = []
    for part in candidate["content"]["parts"]:
        if part.get("text"):
            *firsts, last = _pieces(part["text"])
            bare = {name: value for name, value in part.items() if name != "thoughtSignature"}
            parts += [{**bare, "text": piece} for piece in firsts]
            parts.append({**part, "text": last})
        else:
            parts.append(part)
    for number, part in enumerate(parts):
        told: Body = {"content": {"role": "model", "parts": [part]}, "index": 0}
        if number < len(parts) - 1:
            yield {**head, "candidates": [told]}
        else:
            told = {**candidate, **told}
            yield {**head, "candidates": [told], "usageMetadata": answer["usageMetadata"]}


# --- what a client gathers


def gathered(client: str, records: list[Any]) -> Body:
    """The answer that a client makes of a stream, in the shape of a whole one."""
    match client:
        case "openai-chat":
            return _gathered_chunks([record for record in records if record != "[DONE]"])
        case "openai-responses":
            whole: Body = records[-1]["response"]
            return whole
        case "anthropic":
            return _gathered_message(records)
    parts = [part for record in records for part in record["candidates"][0]["content"]["parts"]]
    last = records[-1]
    return {**last, "candidates": [{**last["candidates"][0], "content": {"role": "model", "parts": parts}}]}


def _gathered_chunks(chunks: list[Body]) -> Body:
    told: Body = {"role": "assistant", "content": None}
    calls: dict[int, Body] = {}
    finish = None
    counted: Body = {}
    for chunk in chunks:
        if chunk.get("usage"):
            counted = {"usage": chunk["usage"]}
        for choice in chunk["choices"]:
            finish = choice["finish_reason"] or finish
            for name, value in choice["delta"].items():
                if name == "tool_calls":
                    for piece in value:
                        _gather_call(calls, piece)
                elif name != "role":
                    _add(told, name, value)
    if calls:
        told["tool_calls"] = [calls[index] for index in sorted(calls)]
    head = {name: chunks[0][name] for name in ("id", "created", "model")}
    choices = [{"index": 0, "message": told, "finish_reason": finish}]
    return {**head, "object": "chat.completion", "choices": choices, **counted}


def _gather_call(calls: dict[int, Body], piece: Body) -> None:
    call = calls.setdefault(piece["index"], {})
    for name, value in piece.items():
        if name in ("function", "custom"):
            inner = call.setdefault(name, {})
            for member, text in value.items():
                _add(inner, member, text)
        elif name != "index":
            _add(call, name, value)


def _add(node: Body, name: str, value: Any) -> None:
    """Texts and lists grow; what is neither replaces what was."""
    old = node.get(name)
    node[name] = old + value if isinstance(value, str | list) and old is not None else value


def _gathered_message(events: list[Body]) -> Body:
    whole: Body = {}
    partial = ""
    for event in events:
        match event["type"]:
            case "message_start":
                whole = {**event["message"], "content": []}
            case "content_block_start":
                whole["content"].append(dict(event["content_block"]))
                partial = ""
            case "content_block_delta":
                delta = event["delta"]
                block = whole["content"][event["index"]]
                match delta["type"]:
                    case "input_json_delta":
                        partial += delta["partial_json"]
                    case "text_delta":
                        block["text"] += delta["text"]
                    case "thinking_delta":
                        block["thinking"] += delta["thinking"]
                    case "signature_delta":
                        block["signature"] = delta["signature"]
            case "content_block_stop":
                if partial:
                    whole["content"][event["index"]]["input"] = json.loads(partial)
                partial = ""
            case "message_delta":
                whole.update(event["delta"])
                whole["usage"] = {**whole["usage"], **event["usage"]}
    return whole
