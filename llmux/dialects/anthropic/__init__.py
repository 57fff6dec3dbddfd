"""Anthropic Messages."""

from __future__ import annotations

import re

from llmux.dialects.anthropic import requests, responses, streams, versions
from llmux.dialects.anthropic.custody import sealed
from llmux.dialects.anthropic.endings import MessagesWatch
from llmux.dialects.anthropic.errors import error_body, read_error, x_api_key
from llmux.dialects.base import Dialect, Rooms
from llmux.dialects.context import Context
from llmux.dialects.tools import NameRule
from llmux.headers import Headers


def _address(model: str, stream: bool) -> tuple[bytes, bytes]:
    """One path for all models, streamed or not."""
    return b"/v1/messages", b""


def _fields(context: Context) -> Headers:
    """The version for which the request was written, and the betas that it needs."""
    version = (b"anthropic-version", (context.provider_version or versions.NEWER).encode())
    if not context.provider_betas:
        return [version]
    return [version, (b"anthropic-beta", ",".join(context.provider_betas).encode())]


ANTHROPIC = Dialect(
    name="anthropic",
    family="anthropic",
    rooms=Rooms(
        parse_request=requests.parse,
        write_request=requests.write,
        parse_response=responses.parse,
        write_response=responses.write,
        decoder=streams.decoder,
        encoder=streams.encoder,
        lacks=frozenset({"choices", "phases", "probabilities"}),
    ),
    names=NameRule(re.compile(r"[a-zA-Z0-9_-]+"), 128),
    error_body=error_body,
    read_error=read_error,
    sealed=sealed,
    watch=MessagesWatch,
    credential=x_api_key,
    request_id_header=b"request-id",
    address=_address,
    fields=_fields,
    objects=b'"tool_use"',
)
