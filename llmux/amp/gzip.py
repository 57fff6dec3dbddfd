"""Gzip that nobody labelled: bodies that start with `1f 8b` while no Content-Encoding says so."""

from __future__ import annotations

import zlib

MAGIC = b"\x1f\x8b"

# RFC 1952 allows any number of members. Each restart copies what is left, so a body of thousands of empty ones would
# cost quadratic time; real servers send one.
_MAX_MEMBERS = 16
_GZIP = 16 + zlib.MAX_WBITS


def ungzip(body: bytes, limit: int) -> bytes | None:
    """The plain body, or None where it is no gzip, truncated, corrupt, or more than `limit` bytes when unpacked.

    The caller keeps the original bytes on None: a wrong guess must not lose a body.
    """
    if not body.startswith(MAGIC):
        return None
    plain: list[bytes] = []
    size = 0
    rest = body
    for _ in range(_MAX_MEMBERS):
        member = zlib.decompressobj(_GZIP)
        try:
            # one byte more than allowed tells "just fits" from "too much"; never 0, which zlib takes for "no limit"
            piece = member.decompress(rest, limit - size + 1)
        except zlib.error:
            return None
        size += len(piece)
        if size > limit or not member.eof:
            return None
        plain.append(piece)
        rest = member.unused_data
        if not rest:
            return b"".join(plain)
    return None
