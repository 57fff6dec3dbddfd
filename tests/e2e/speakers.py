"""What a provider of each dialect says, and how its official SDK is asked for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from tests.e2e.providers import sse
from tests.e2e.sdks import SDKCase

TEXT = "Grüße, 世界 🌍"
_HALVES = (TEXT[:8], TEXT[8:])


@attrs.frozen
class Speaker:
    """One dialect. `whole` is a whole answer, `events` a whole stream of the same, `broken` the provider's own error event.

    `ask` and `ask_stream` return the text that the SDK comes to; both take what is sent besides.
    """

    name: str
    target: str
    stream_target: str
    credential: str
    whole: Any
    events: tuple[bytes, ...]
    broken: bytes
    error: Any
    ask: Callable[[SDKCase], str]
    ask_stream: Callable[[SDKCase], str]


# OpenAI Chat Completions


def _chunk(delta: Any, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
    return sse({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5", "choices": [choice]})


def _ask_chat(case: SDKCase) -> str:
    answer = case.openai().chat.completions.create(
        model="gpt-5", messages=[{"role": "user", "content": TEXT}], extra_body={"x_unknown": {"kept": [1, 2.50]}}
    )
    return answer.choices[0].message.content or ""


def _ask_chat_stream(case: SDKCase) -> str:
    stream = case.openai().chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": TEXT}], stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream)


_OPENAI_ERROR = {"error": {"message": "slow down", "type": "rate_limit_error", "param": None, "code": "rate_limit_exceeded"}}

CHAT = Speaker(
    name="openai-chat",
    target="/openai/v1/chat/completions",
    stream_target="/openai/v1/chat/completions",
    credential="authorization",
    whole={
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-5",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": TEXT, "refusal": None},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
    },
    events=(
        _chunk({"role": "assistant", "content": ""}),
        *(_chunk({"content": half}) for half in _HALVES),
        _chunk({}, "stop"),
        b"data: [DONE]\n\n",
    ),
    broken=sse(_OPENAI_ERROR),
    error=_OPENAI_ERROR,
    ask=_ask_chat,
    ask_stream=_ask_chat_stream,
)

# OpenAI Responses

_RESPONSE: Any = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "gpt-5",
    "status": "in_progress",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "temperature": 1.0,
    "top_p": 1.0,
}
_PART = {"type": "output_text", "text": TEXT, "annotations": []}
_ITEM = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [_PART]}
_DONE = {**_RESPONSE, "status": "completed", "output": [_ITEM]}
_PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}


def _typed(number: int, type_: str, **members: Any) -> bytes:
    return sse({"type": type_, "sequence_number": number, **members}, type_)


def _ask_responses(case: SDKCase) -> str:
    client = case.openai()
    return str(client.responses.create(model="gpt-5", input=TEXT, extra_body={"x_unknown": {"kept": [1, 2.50]}}).output_text)


def _ask_responses_stream(case: SDKCase) -> str:
    with case.openai().responses.stream(model="gpt-5", input=TEXT) as stream:
        return str(stream.get_final_response().output_text)


RESPONSES = Speaker(
    name="openai-responses",
    target="/openai/v1/responses",
    stream_target="/openai/v1/responses",
    credential="authorization",
    whole=_DONE,
    events=(
        _typed(0, "response.created", response=_RESPONSE),
        _typed(1, "response.output_item.added", output_index=0, item={**_ITEM, "status": "in_progress", "content": []}),
        _typed(2, "response.content_part.added", part={**_PART, "text": ""}, **_PLACE),
        *(_typed(3 + at, "response.output_text.delta", delta=half, logprobs=[], **_PLACE) for at, half in enumerate(_HALVES)),
        _typed(5, "response.output_text.done", text=TEXT, logprobs=[], **_PLACE),
        _typed(6, "response.content_part.done", part=_PART, **_PLACE),
        _typed(7, "response.output_item.done", output_index=0, item=_ITEM),
        _typed(8, "response.completed", response=_DONE),
    ),
    broken=_typed(
        5,
        "response.failed",
        response={**_RESPONSE, "status": "failed", "error": {"code": "rate_limit_exceeded", "message": "slow down"}},
    ),
    error=_OPENAI_ERROR,
    ask=_ask_responses,
    ask_stream=_ask_responses_stream,
)

# Anthropic Messages

_MESSAGE: Any = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-4-5",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "stop_details": None,
    "usage": {"input_tokens": 3, "output_tokens": 1},
}
_ASKED: Any = {"model": "claude-opus-4-5", "max_tokens": 99, "messages": [{"role": "user", "content": TEXT}]}


def _named(type_: str, **members: Any) -> bytes:
    return sse({"type": type_, **members}, type_)


def _ask_messages(case: SDKCase) -> str:
    answer = case.anthropic().beta.messages.create(
        **_ASKED,
        betas=["context-management-2025-06-27", "made-up-2031-01-01"],
        extra_body={"x_unknown": {"kept": [1, 2.50]}},
        extra_query={"beta": "true"},  # Claude Code and the SDK's older releases say it
    )
    return "".join(block.text for block in answer.content if block.type == "text")


def _ask_messages_stream(case: SDKCase) -> str:
    with case.anthropic().messages.stream(**_ASKED) as stream:
        return stream.get_final_text()


_ANTHROPIC_ERROR = {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down"}, "request_id": "req_theirs"}

MESSAGES = Speaker(
    name="anthropic",
    target="/anthropic/v1/messages?beta=true",
    stream_target="/anthropic/v1/messages",
    credential="x-api-key",
    whole={
        **_MESSAGE,
        "content": [{"type": "text", "text": TEXT, "citations": None}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 3, "output_tokens": 9},
    },
    events=(
        _named("message_start", message=_MESSAGE),
        _named("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        _named("ping"),
        *(_named("content_block_delta", index=0, delta={"type": "text_delta", "text": half}) for half in _HALVES),
        _named("content_block_stop", index=0),
        _named("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage={"output_tokens": 9}),
        _named("message_stop"),
    ),
    broken=sse(_ANTHROPIC_ERROR, "error"),
    error=_ANTHROPIC_ERROR,
    ask=_ask_messages,
    ask_stream=_ask_messages_stream,
)

# Gemini


def _record(text: str, **ending: Any) -> Any:
    candidate = {"index": 0, "content": {"role": "model", "parts": [{"text": text}]}, **ending}
    return {"candidates": [candidate], "modelVersion": "gemini-2.5-pro", "responseId": "r1"}


def _ask_gemini(case: SDKCase) -> str:
    from google.genai import types

    options = types.HttpOptions(extra_body={"xUnknown": {"kept": [1, 2.50]}})
    config = types.GenerateContentConfig(http_options=options)
    return case.gemini().models.generate_content(model="gemini-2.5-pro", contents=TEXT, config=config).text or ""


def _ask_gemini_stream(case: SDKCase) -> str:
    records = case.gemini(version="v1beta").models.generate_content_stream(model="gemini-2.5-pro", contents=TEXT)
    return "".join(record.text or "" for record in records)


_GEMINI_ERROR = {"error": {"code": 429, "message": "slow down", "status": "RESOURCE_EXHAUSTED"}}

GEMINI = Speaker(
    name="gemini",
    target="/google/v1/models/gemini-2.5-pro:generateContent",
    stream_target="/google/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse",
    credential="x-goog-api-key",
    whole=_record(TEXT, finishReason="STOP"),
    events=(sse(_record(_HALVES[0])), sse(_record(_HALVES[1])), sse(_record("", finishReason="STOP"))),
    broken=sse(_GEMINI_ERROR),
    error=_GEMINI_ERROR,
    ask=_ask_gemini,
    ask_stream=_ask_gemini_stream,
)

SPEAKERS = (CHAT, RESPONSES, MESSAGES, GEMINI)
