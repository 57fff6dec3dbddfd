"""The legacy text completions of OpenAI: a prompt in, text out."""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.neutral import Delta, Ended, Event, Finished, Message, Request, Response, Started, Text, Usage, plain
from llmux.dialects.openai_chat.errors import error_object
from llmux.dialects.openai_chat.responses import FINISH, usage
from llmux.dialects.reading import invalid
from llmux.errors import Fault


def read(doc: dict[str, Any]) -> Request:
    """The request: its prompt as the only message. Of several prompts the last is answered; tokens are opaque."""
    prompt = doc.get("prompt")
    if isinstance(prompt, list) and prompt and isinstance(prompt[-1], str):
        prompt = prompt[-1]
    if isinstance(prompt, list):
        prompt = " ".join(map(str, prompt))
    if not isinstance(prompt, str):
        raise invalid("prompt", "prompt must be a string or a list")
    return Request((Message("user", (Text(prompt),)),))


def write(response: Response, asked: dict[str, Any]) -> dict[str, Any]:
    """The body of `text_completion`."""
    text = "".join(plain(item.parts) for item in response.items if isinstance(item, Message))
    return {
        **_envelope(response.id, response.created, response.model),
        "choices": [_choice(text, _reason(response.finish.reason))],
        "usage": usage(response.usage or Usage()),
    }


class Encoder:
    """A stream of text completions."""

    content_type = b"text/event-stream"

    def __init__(self, include_usage: bool) -> None:
        self._include_usage = include_usage
        self._envelope: dict[str, Any] = {}

    def encode(self, event: Event) -> bytes:
        """The record of an event."""
        match event:
            case Started(id, model, created):
                self._envelope = _envelope(id, created, model)
            case Delta(_, _, "text", text):
                return self._record([_choice(text, None)])
            case Finished(finish):
                return self._record([_choice("", _reason(finish.reason))])
            case Ended(response):
                last = b""
                if self._include_usage and response.usage is not None:
                    last = self._record([], usage(response.usage))
                return last + sse.event(b"[DONE]")
        return b""

    def error(self, fault: Fault) -> bytes:
        """An error record; no `[DONE]` follows."""
        return sse.event(jsonio.dumps({"error": error_object(fault)[1]}))

    def _record(self, choices: list[dict[str, Any]], tokens: dict[str, Any] | None = None) -> bytes:
        return sse.event(jsonio.dumps({**self._envelope, "choices": choices, "usage": tokens}))


def encoder(asked: dict[str, Any], framed: bool = True) -> Encoder:
    """The encoder for a request's body."""
    options = asked.get("stream_options")
    return Encoder(isinstance(options, dict) and options.get("include_usage") is True)


def _envelope(id: str, created: int, model: str) -> dict[str, Any]:
    return {"id": f"cmpl-{id}", "object": "text_completion", "created": created, "model": model}


def _choice(text: str, finish: str | None) -> dict[str, Any]:
    return {"index": 0, "text": text, "logprobs": None, "finish_reason": finish}


def _reason(reason: str) -> str:
    """This API knows no tools: what ended in calls just stopped."""
    return {"length": FINISH["length"], "filter": FINISH["filter"]}.get(reason, "stop")
