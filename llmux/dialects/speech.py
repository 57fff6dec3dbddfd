"""How each dialect is read and written, as one table beside `llmux.dialects.registry`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from llmux.dialects import anthropic, gemini, openai_chat, openai_responses
from llmux.dialects.anthropic import requests as anthropic_requests
from llmux.dialects.anthropic import responses as anthropic_responses
from llmux.dialects.anthropic import streams as anthropic_streams
from llmux.dialects.gemini import requests as gemini_requests
from llmux.dialects.gemini import responses as gemini_responses
from llmux.dialects.gemini import streams as gemini_streams
from llmux.dialects.neutral import Encoder, Request, Response
from llmux.dialects.openai_chat import completions
from llmux.dialects.openai_chat import requests as chat_requests
from llmux.dialects.openai_chat import responses as chat_responses
from llmux.dialects.openai_chat import streams as chat_streams
from llmux.dialects.openai_responses import requests as responses_requests
from llmux.dialects.openai_responses import responses as responses_responses
from llmux.dialects.openai_responses import streams as responses_streams


@attrs.frozen
class Speech:
    """One dialect's three rooms.

    `read(body)` gives the neutral request, or raises Fault; `write(response, body)` the response's JSON, and
    `encoder(body, framed)` what writes its stream. `framed` is whether server-sent events were asked for, which only Gemini asks.
    """

    read: Callable[[dict[str, Any]], Request]
    write: Callable[[Response, dict[str, Any]], dict[str, Any]]
    encoder: Callable[[dict[str, Any], bool], Encoder]


SPEECH: dict[str, Speech] = {
    openai_chat.OPENAI_CHAT.name: Speech(chat_requests.read, chat_responses.write, chat_streams.encoder),
    openai_responses.OPENAI_RESPONSES.name: Speech(responses_requests.read, responses_responses.write, responses_streams.encoder),
    anthropic.ANTHROPIC.name: Speech(anthropic_requests.read, anthropic_responses.write, anthropic_streams.encoder),
    gemini.GEMINI.name: Speech(gemini_requests.read, gemini_responses.write, gemini_streams.encoder),
}

# OpenAI's text completions are no dialect of their own, and are not written as chat either.
COMPLETIONS = Speech(completions.read, completions.write, completions.encoder)
