"""Google Gemini generateContent."""

from __future__ import annotations

import re
from urllib.parse import quote

from llmux.dialects.base import Dialect, Rooms
from llmux.dialects.gemini import requests, responses, streams
from llmux.dialects.gemini.endings import GeminiWatch
from llmux.dialects.gemini.errors import error_body, read_error, x_goog_api_key
from llmux.dialects.gemini.signatures import MARK, sealed
from llmux.dialects.tools import NameRule

# Characters that may stand in a path segment as they are; model names are written with them.
_SEGMENT_SAFE = "!$&'()*+,;=:@/-._~"


def _address(model: str, stream: bool) -> tuple[bytes, bytes]:
    """Model and method stand in the path."""
    method, query = ("streamGenerateContent", b"alt=sse") if stream else ("generateContent", b"")
    return f"/v1beta/models/{quote(model, safe=_SEGMENT_SAFE)}:{method}".encode(), query


GEMINI = Dialect(
    name="gemini",
    family="gemini",
    rooms=Rooms(
        parse_request=requests.parse,
        write_request=requests.write,
        parse_response=responses.parse,
        write_response=responses.write,
        decoder=streams.decoder,
        encoder=streams.encoder,
        lacks=frozenset({"phases", "searches", "fetches", "pieces"}),
    ),
    names=NameRule(re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]*"), 128),
    error_body=error_body,
    read_error=read_error,
    sealed=sealed,
    mark=MARK,
    objects=b"unction",  # functionCall, or function_call
    watch=GeminiWatch,
    credential=x_goog_api_key,
    request_id_header=b"x-request-id",
    address=_address,
)
