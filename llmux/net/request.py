"""A client's request, as everything above the network sees it."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

import attrs

from llmux.headers import Headers


@attrs.frozen
class ClientRequest:
    """One request, read whole.

    `target` is the request target as it came, `path` and `query` its two halves (still percent-encoded, no `?`).
    `headers` have lower-case names. `peer` is the address of the other end of the connection ("" for a UNIX socket);
    no header can change it.
    """

    method: bytes
    target: bytes
    headers: Headers
    body: bytes
    peer: str
    received: float

    @property
    def path(self) -> bytes:
        """The path, percent-encoded as it came."""
        return self.target.partition(b"?")[0]

    @property
    def query(self) -> bytes:
        """The query as it came, without the question mark."""
        return self.target.partition(b"?")[2]


def segments(path: bytes) -> list[bytes]:
    """The path's segments, decoded for matching.

    They are cut at `/` first and decoded then, so an encoded slash never makes a new segment: it stays `%2F` (and an
    encoded percent sign `%25`) in the result. Empty segments (doubled or trailing slashes) do not count. A path with
    `.` or `..` segments is nobody's: it gives [b".."].
    """
    result = []
    for raw in path.split(b"/"):
        if not raw:
            continue
        segment = _decode(raw) if b"%" in raw else raw
        if segment in (b".", b".."):
            return [b".."]
        if segment is not raw:
            segment = segment.replace(b"%", b"%25").replace(b"/", b"%2F")
        result.append(segment)
    return result


def _decode(raw: bytes) -> bytes:
    segment = unquote_to_bytes(raw)
    try:
        segment.decode("utf-8")
    except UnicodeDecodeError:
        return raw  # no route is written in such bytes
    return segment


# host[:port]: a name, an IPv4 address or a bracketed IPv6 address (RFC 9110 7.2, RFC 3986 3.2.2).
_HOST = re.compile(rb"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{0,5})?")


def host_problem(hosts: list[bytes], version: bytes) -> str | None:
    """What is wrong with a request's Host headers, or None. A Host that says two things fools whoever rebuilds URLs."""
    if not hosts:
        return "the request has no Host header" if version == b"HTTP/1.1" else None
    if len(hosts) > 1:
        return "the request has more than one Host header"
    if not _HOST.fullmatch(hosts[0]):
        return "the Host header is malformed"
    return None
