"""OpenAI Chat Completions (and the legacy completions and embeddings beside it)."""

from __future__ import annotations

import re

from llmux.dialects.base import Dialect, Rooms
from llmux.dialects.openai_chat import requests, responses, streams
from llmux.dialects.openai_chat.custody import sealed
from llmux.dialects.openai_chat.endings import ChatWatch
from llmux.dialects.openai_chat.errors import bearer, error_body, read_error
from llmux.dialects.tools import NameRule


def _address(model: str, stream: bool) -> tuple[bytes, bytes]:
    """One path for all models, streamed or not."""
    return b"/chat/completions", b""


_NAMES = re.compile(r"[A-Za-z0-9_-]+")

OPENAI_CHAT = Dialect(
    name="openai-chat",
    family="openai",
    rooms=Rooms(
        parse_request=requests.parse,
        write_request=requests.write,
        parse_response=responses.parse,
        write_response=responses.write,
        decoder=streams.decoder,
        encoder=streams.encoder,
        lacks=frozenset({"phases", "explanations", "searches", "fetches"}),
    ),
    names=NameRule(_NAMES, 64, customs=True),
    compatible=NameRule(_NAMES, 64),
    error_body=error_body,
    read_error=read_error,
    sealed=sealed,
    watch=ChatWatch,
    credential=bearer,
    request_id_header=b"x-request-id",
    address=_address,
)
