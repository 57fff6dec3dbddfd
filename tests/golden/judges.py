"""Who judges what llmux writes in each dialect: the official SDK, and the grammar of streams."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import attrs
from openai import ContentFilterFinishReasonError

from tests import grammars, oracles
from tests.grammars import Record

JSON = dict[str, Any]


@attrs.frozen(kw_only=True)
class Judge:
    """One dialect's. Each raises where something may not be as it is.

    `request` judges a body that a provider is sent, `whole` an answer that a client is told, `stream` the records of one, given
    what the client asked; it returns the answer that they come to. `ended` says whether records look like those of a whole
    answer, which is what they must not do where an error broke them off.
    """

    request: Callable[[JSON], None]
    whole: Callable[[JSON], object]
    stream: Callable[[list[Record], JSON], JSON]
    ended: Callable[[list[Record]], bool]


# --- Chat Completions


def _chat_request(body: JSON) -> None:
    oracles.chat_request(body)


def _chat_whole(body: JSON) -> None:
    oracles.chat(body)


def _chat_stream(records: list[Record], asked: JSON) -> JSON:
    include_usage = (asked.get("stream_options") or {}).get("include_usage") is True
    folded = _folded_chat([record.data for record in records if record.data != "[DONE]"])
    if include_usage and "usage" not in folded:  # nobody counted
        usage = Record(None, {**records[0].data, "choices": [], "usage": {"total_tokens": 0}})
        grammars.check_chat([*records[:-1], usage, records[-1]], include_usage)
    else:
        grammars.check_chat(records, include_usage)
    if not _has_custom(folded):  # the SDK cannot finish a streamed custom call
        with contextlib.suppress(ContentFilterFinishReasonError):  # it has read everything by then
            oracles.chat_stream(records)
    oracles.chat(folded)
    return folded


_HEAD = ("id", "created", "model", "service_tier", "system_fingerprint")


def _folded_chat(chunks: list[JSON]) -> JSON:
    """What chunks come to, as the SDK adds them up: strings are joined, the members of lists found by their index."""
    choices: dict[int, JSON] = {}
    usage = None
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        for choice in chunk["choices"]:
            whole = choices.setdefault(choice["index"], {"index": choice["index"], "message": {}, "finish_reason": None})
            _add(whole["message"], choice["delta"])
            whole["finish_reason"] = choice.get("finish_reason") or whole["finish_reason"]
            if choice.get("logprobs"):
                _extend(whole.setdefault("logprobs", {}), choice["logprobs"])
    folded: JSON = {name: chunks[0][name] for name in _HEAD if chunks[0].get(name)}
    folded |= {"object": "chat.completion", "choices": [choices[index] for index in sorted(choices)]}
    if usage is not None:
        folded["usage"] = usage
    for choice in folded["choices"]:
        choice["message"].setdefault("content", None)
        choice["message"].setdefault("refusal", None)
        for listed in ("tool_calls", "annotations", "thinking_blocks"):
            for each in choice["message"].get(listed) or ():
                each.pop("index", None)
    return folded


def _add(whole: JSON, delta: JSON) -> None:
    for name, value in delta.items():
        have = whole.get(name)
        if value is None:
            continue
        if name in ("index", "type"):
            whole[name] = value
        elif isinstance(value, str):
            whole[name] = (have or "") + value
        elif isinstance(value, dict):
            _add(whole.setdefault(name, {}), value)
        elif isinstance(value, list):
            _add_members(whole.setdefault(name, []), value)
        else:
            whole[name] = value


def _add_members(whole: list[Any], delta: list[Any]) -> None:
    for each in delta:
        known = next((other for other in whole if "index" in each and other.get("index") == each["index"]), None)
        if known is None:
            whole.append(json.loads(json.dumps(each)))
        else:
            _add(known, each)


def _extend(whole: JSON, more: JSON) -> None:
    for name, values in more.items():
        whole[name] = [*(whole.get(name) or []), *values] if values is not None else whole.get(name)


def _has_custom(folded: JSON) -> bool:
    return any(call.get("type") == "custom" for choice in folded["choices"] for call in choice["message"].get("tool_calls") or ())


def _chat_ended(records: list[Record]) -> bool:
    data = [record.data for record in records]
    return "[DONE]" in data or any(
        choice.get("finish_reason") for chunk in data if chunk != "[DONE]" for choice in chunk.get("choices", ())
    )


# --- Responses


def _responses_stream(records: list[Record], asked: JSON) -> JSON:
    grammars.check_responses(records)
    oracles.response_stream(records)
    final: JSON = records[-1].data["response"]
    oracles.response(final)
    return final


def _responses_ended(records: list[Record]) -> bool:
    return any(record.data["type"] in ("response.completed", "response.incomplete") for record in records)


# --- Anthropic

# Only the older version takes them, and the SDK knows the newer one.
_OLDER = ("temperature", "top_p", "top_k")


def _message_request(body: JSON) -> None:
    oracles.message_request({name: value for name, value in body.items() if name not in ("stream", *_OLDER)})


def _messages_stream(records: list[Record], asked: JSON) -> JSON:
    grammars.check_messages(records)
    folded: JSON = oracles.plain(oracles.message_stream(records))
    return folded


def _messages_ended(records: list[Record]) -> bool:
    return any(record.data["type"] in ("message_delta", "message_stop") for record in records)


# --- Gemini


def _gemini_stream(records: list[Record], asked: JSON) -> JSON:
    stream = [record.data for record in records]
    for record in stream:
        oracles.generated(record)
    if any("candidates" in record for record in stream):
        counted = any("usageMetadata" in record for record in stream)
        grammars.check_gemini(stream if counted else [*stream[:-1], {**stream[-1], "usageMetadata": {}}])
    return _folded_gemini(stream)


def _folded_gemini(stream: list[JSON]) -> JSON:
    """What records come to: parts in their order with neighbouring texts of one kind joined, of everything else the last."""
    whole: JSON = {}
    candidates: dict[int, JSON] = {}
    for record in stream:
        whole |= {name: value for name, value in record.items() if name != "candidates"}
        for told in record.get("candidates", ()):
            candidate = candidates.setdefault(told.get("index", 0), {"content": {"role": "model", "parts": []}})
            probabilities = candidate.get("logprobsResult", {})
            candidate |= {name: value for name, value in told.items() if name != "content"}
            if "logprobsResult" in told and probabilities:
                candidate["logprobsResult"] = probabilities
                _extend(probabilities, told["logprobsResult"])
            for part in told.get("content", {}).get("parts", ()):
                _add_part(candidate["content"]["parts"], part)
    if candidates:
        whole["candidates"] = [candidates[index] for index in sorted(candidates)]
    return whole


def _add_part(parts: list[JSON], part: JSON) -> None:
    last = parts[-1] if parts else {}
    if "text" in part and "text" in last and part.get("thought") == last.get("thought") and "thoughtSignature" not in last:
        parts[-1] = {**last, **part, "text": last["text"] + part["text"]}
    elif part.get("text") != "" or "thoughtSignature" in part:
        parts.append(part)


def _gemini_ended(records: list[Record]) -> bool:
    return any("finishReason" in told for record in records for told in record.data.get("candidates", ()))


JUDGES: dict[str, Judge] = {
    "openai-chat": Judge(request=_chat_request, whole=_chat_whole, stream=_chat_stream, ended=_chat_ended),
    "openai-responses": Judge(
        request=lambda body: oracles.response_request(body),
        whole=lambda body: oracles.response(body),
        stream=_responses_stream,
        ended=_responses_ended,
    ),
    "anthropic": Judge(
        request=_message_request, whole=lambda body: oracles.message(body), stream=_messages_stream, ended=_messages_ended
    ),
    "gemini": Judge(
        request=lambda body: oracles.generate_request(body),
        whole=lambda body: oracles.generated(body),
        stream=_gemini_stream,
        ended=_gemini_ended,
    ),
}
