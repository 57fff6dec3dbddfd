"""Our credentials, taken out of what a provider says of them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import attrs

from llmux.errors import Fault
from llmux.headers import Headers, first

# Short strings would mask half a message; no real key is that short.
_SHORTEST = 6


def mask(data: bytes, secrets: Iterable[bytes]) -> bytes:
    """`data` with every secret replaced by `…` and its last four characters, so that an operator knows which it was."""
    for secret in secrets:
        if len(secret) >= _SHORTEST and secret in data:
            data = data.replace(secret, "…".encode() + secret[-4:])
    return data


def masked(fault: Fault, secrets: Iterable[bytes]) -> Fault:
    """A fault in whose words every secret is replaced: they may be a provider's."""
    message = fault.message.encode("utf-8", "surrogatepass")
    clean = mask(message, secrets)
    return fault if clean == message else attrs.evolve(fault, message=clean.decode("utf-8", "surrogatepass"))


def decode(headers: Headers, body: bytes, limit: int) -> tuple[Headers, bytes] | None:
    """The body without its Content-Encoding, so that it can be searched; None where that cannot be done."""
    encoding = (first(headers, b"content-encoding") or b"").strip().lower()
    if encoding in (b"", b"identity"):
        return headers, body
    if encoding not in (b"gzip", b"x-gzip", b"deflate"):
        return None
    decompressor = zlib.decompressobj(zlib.MAX_WBITS | 32)
    try:
        plain = decompressor.decompress(body, limit)
    except zlib.error:
        return None
    if decompressor.unconsumed_tail:
        return None
    return [(name, value) for name, value in headers if name != b"content-encoding"], plain
