"""A request to the local control plane, taken apart."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import attrs

from llmux import jsonio
from llmux.amp import gzip
from llmux.amp.replies import Refusal

# Amp gzips what is over 25,600 bytes; this is what such a body may unpack to.
_MAX_UNPACKED = 64 * 1024 * 1024


@attrs.frozen
class Ask:
    """One request, taken apart. `item` is what stood for `{id}` in the path."""

    owner: str
    query: str
    body: bytes
    now: float
    item: str

    def parameter(self, name: str) -> str | None:
        """The first value of a query parameter."""
        return next((value for key, value in parse_qsl(self.query, keep_blank_values=True) if key == name), None)

    def count(self, name: str, default: int, most: int) -> int:
        """A query parameter that counts something; nonsense is the default."""
        value = self.parameter(name) or ""
        return min(int(value), most) if value.isascii() and value.isdigit() and len(value) < 10 else default

    def named_method(self) -> str | None:
        """The method in the query: `?method=getUserInfo`, or the bare key `?getUserInfo`, as Amp's command line writes it."""
        bare = None
        for name, value in parse_qsl(self.query, keep_blank_values=True):
            if name == "method" and value:
                return value
            if not value and bare is None:
                bare = name
        return bare

    def document(self) -> Any:
        """The JSON body, also a gzipped one (what decodes the transfer may or may not have undone that)."""
        body = self.body
        if body.startswith(gzip.MAGIC):
            plain = gzip.ungzip(body, _MAX_UNPACKED)
            if plain is None:
                raise Refusal(400, "the gzipped body is broken or too large")
            body = plain
        try:
            return jsonio.loads(body)
        except ValueError:
            raise Refusal(400, "the body is not valid JSON") from None
