"""OpenAI Responses."""

from __future__ import annotations

import re

from llmux.dialects.base import Dialect, Rooms
from llmux.dialects.openai_responses import requests, responses, streams
from llmux.dialects.openai_responses.custody import sealed
from llmux.dialects.openai_responses.endings import ResponsesWatch
from llmux.dialects.openai_responses.errors import bearer, error_body, read_error
from llmux.dialects.tools import NameRule


def _address(model: str, stream: bool) -> tuple[bytes, bytes]:
    """One path for all models, streamed or not."""
    return b"/responses", b""


OPENAI_RESPONSES = Dialect(
    name="openai-responses",
    family="openai",
    rooms=Rooms(
        parse_request=requests.parse,
        write_request=requests.write,
        parse_response=responses.parse,
        write_response=responses.write,
        decoder=streams.decoder,
        encoder=streams.encoder,
        lacks=frozenset({"choices", "explanations", "fetches"}),
    ),
    names=NameRule(re.compile(r"[A-Za-z0-9_-]+"), 64, customs=True, namespaces=True),
    error_body=error_body,
    read_error=read_error,
    sealed=sealed,
    watch=ResponsesWatch,
    credential=bearer,
    request_id_header=b"x-request-id",
    address=_address,
)
