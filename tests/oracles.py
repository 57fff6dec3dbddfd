"""The official SDKs as judges: strict parsing of whole bodies, and their own accumulators over streams.

They are pinned for the tests, because some of what is used here is private to them.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, cast

import anthropic
from anthropic._models import validate_type as anthropic_validate
from anthropic.lib.streaming._messages import accumulate_event
from google.genai import types as genai
from openai import LengthFinishReasonError
from openai._models import validate_type as openai_validate
from openai._types import omit
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.lib.streaming.responses import ResponseStreamState
from openai.types import Completion, CreateEmbeddingResponse
from openai.types.chat import ChatCompletion, ChatCompletionChunk, completion_create_params
from openai.types.responses import Response, ResponseStreamEvent, response_create_params
from pydantic import ConfigDict, TypeAdapter

from llmux import jsonio
from tests.grammars import Record

# Members that are no part of an API, and that llmux sends all the same.
EXTENSIONS = frozenset({"reasoning_content", "thinking_blocks", "extra_content", "matched_stop"})
# What the SDK knows of a whole message, and not of its deltas.
_UNTYPED = frozenset({"annotations"})


def unknown_members(model: Any) -> set[str]:
    """The members that an SDK kept without knowing them."""
    return set(_extras(model)) - EXTENSIONS


def _extras(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _extras(each)
    elif hasattr(node, "model_extra"):
        yield from node.model_extra or {}
        for name in type(node).model_fields:
            yield from _extras(getattr(node, name))


def _judged(model: Any) -> Any:
    assert not unknown_members(model), f"members that the SDK does not know: {unknown_members(model)}"
    return model


def chat(body: object) -> ChatCompletion:
    """A whole chat completion."""
    return cast(ChatCompletion, _judged(openai_validate(type_=ChatCompletion, value=body)))


def chat_stream(stream: list[Record]) -> ChatCompletion:
    """What a stream of chunks comes to."""
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    for record in stream:
        if record.data != "[DONE]":
            chunk = openai_validate(type_=ChatCompletionChunk, value=record.data)
            unknown = unknown_members(chunk) - _UNTYPED
            assert not unknown, f"members that the SDK does not know: {unknown}"
            list(state.handle_chunk(chunk))
    try:
        return cast(ChatCompletion, state.get_final_completion())
    except LengthFinishReasonError as error:  # what was cut short is whole enough to be compared
        return error.completion


def completion(body: object) -> Completion:
    """A text completion, or a record of its stream."""
    return cast(Completion, _judged(openai_validate(type_=Completion, value=body)))


def embeddings(body: object) -> CreateEmbeddingResponse:
    """OpenAI's embeddings."""
    return cast(CreateEmbeddingResponse, _judged(openai_validate(type_=CreateEmbeddingResponse, value=body)))


def response(body: object) -> Response:
    """A whole response."""
    return cast(Response, _judged(openai_validate(type_=Response, value=body)))


def response_stream(stream: list[Record]) -> Response:
    """What a stream of events comes to."""
    state: ResponseStreamState[Any] = ResponseStreamState(input_tools=omit, text_format=omit)
    final: Any = None
    for record in stream:
        event = _judged(openai_validate(type_=cast(Any, ResponseStreamEvent), value=record.data))
        for told in state.handle_event(event):
            if told.type in ("response.completed", "response.incomplete", "response.failed"):
                final = told.response
    assert final is not None, "the stream never told its response"
    return cast(Response, final)


def message(body: object) -> anthropic.types.Message:
    """A whole message."""
    return cast(anthropic.types.Message, _judged(anthropic_validate(type_=anthropic.types.Message, value=body)))


def message_stream(stream: list[Record]) -> anthropic.types.Message:
    """What a stream of events comes to."""
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for record in stream:
        if record.data["type"] != "ping":
            event = _judged(anthropic_validate(type_=cast(Any, anthropic.types.RawMessageStreamEvent), value=record.data))
            snapshot = accumulate_event(event=event, current_snapshot=snapshot, json_bufs=buffers)
    return cast(anthropic.types.Message, snapshot)


def message_request(body: object) -> None:
    """A request for a message. What the SDK validates lazily is read to its end."""
    _drain(_MESSAGE_REQUEST.validate_python(json.loads(jsonio.dumps(body))))


def message_count_request(body: object) -> None:
    """A request for a message's tokens."""
    _drain(_MESSAGE_COUNT_REQUEST.validate_python(json.loads(jsonio.dumps(body))))


def _closed(typed_dict: Any) -> TypeAdapter[Any]:
    """The type, without members that it does not know."""
    typed_dict.__pydantic_config__ = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    return TypeAdapter(typed_dict)


def _drain(node: Any) -> None:
    if isinstance(node, dict):
        for each in node.values():
            _drain(each)
    elif not isinstance(node, str | bytes) and isinstance(node, Iterable):
        for each in node:
            _drain(each)


def chat_request(body: Any) -> None:
    """A request for a chat completion. What the SDK validates lazily is read to its end; it does not judge our extensions."""
    known = {**body, "messages": _without_extensions(body["messages"])}
    _drain((_CHAT_STREAM if body.get("stream") else _CHAT_REQUEST).validate_python(json.loads(jsonio.dumps(known))))


def _without_extensions(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _without_extensions(value) for name, value in node.items() if name not in EXTENSIONS}
    return [_without_extensions(each) for each in node] if isinstance(node, list) else node


def response_request(body: Any) -> None:
    """A request for a response. The SDK insists on ids of reasoning, which a provider that stores nothing does without."""
    given = json.loads(jsonio.dumps(body))
    if isinstance(given.get("input"), list):
        given["input"] = [{"id": "rs_1", **item} if item.get("type") == "reasoning" else item for item in given["input"]]
    _drain((_RESPONSE_STREAM if body.get("stream") else _RESPONSE_REQUEST).validate_python(given))


_CHAT_REQUEST = _closed(completion_create_params.CompletionCreateParamsNonStreaming)
_CHAT_STREAM = _closed(completion_create_params.CompletionCreateParamsStreaming)
_RESPONSE_REQUEST = _closed(response_create_params.ResponseCreateParamsNonStreaming)
_RESPONSE_STREAM = _closed(response_create_params.ResponseCreateParamsStreaming)
_MESSAGE_REQUEST = _closed(anthropic.types.message_create_params.MessageCreateParamsNonStreaming)
_MESSAGE_COUNT_REQUEST = _closed(anthropic.types.MessageCountTokensParams)


def generated(body: object) -> genai.GenerateContentResponse:
    """A Gemini response, or a record of its stream."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return genai.GenerateContentResponse.model_validate(body)


_GENERATE_REQUEST: dict[str, TypeAdapter[Any]] = {
    "contents": TypeAdapter(list[genai.Content]),
    "systemInstruction": TypeAdapter(genai.Content),
    "tools": TypeAdapter(list[genai.Tool]),
    "toolConfig": TypeAdapter(genai.ToolConfig),
    "generationConfig": TypeAdapter(genai.GenerationConfig),
    "labels": TypeAdapter(dict[str, str]),
    "serviceTier": TypeAdapter(genai.ServiceTier),
    "store": TypeAdapter(bool),
}


def generate_request(body: object) -> None:
    """A request for a Gemini response, member by member: the SDK has no type for the whole."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, value in json.loads(jsonio.dumps(body)).items():
            _GENERATE_REQUEST[name].validate_python(value)


def generated_stream(stream: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parts that a stream comes to, with neighbouring texts of one kind joined as clients do."""
    parts: list[dict[str, Any]] = []
    for record in stream:
        generated(record)
        for part in record["candidates"][0]["content"]["parts"]:
            joins = parts and "text" in part and "text" in parts[-1] and part.get("thought") == parts[-1].get("thought")
            if joins and "thoughtSignature" not in parts[-1]:
                parts[-1] |= {**part, "text": parts[-1]["text"] + part["text"]}
            elif part.get("text") != "" or "thoughtSignature" in part:
                parts.append(dict(part))
    return parts


def plain(model: Any) -> Any:
    """An SDK's object as JSON, without nulls: they tell whole bodies and accumulated streams apart, and mean nothing."""
    return json.loads(model.model_dump_json(by_alias=True, exclude_none=True))
