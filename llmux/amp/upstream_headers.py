"""What of a client's request the Amp upstream may see: headers and query, with the credentials swapped.

The lists follow CLIProxyAPI v7.1.76 (internal/api/modules/amp/proxy.go): the upstream shall see Amp's client, neither a
browser's nor an SDK's fingerprints, nor the way that the request took. `Anthropic-Beta`, `Cookie`, `Origin`, `User-Agent`
and every `X-Amp-*` travel.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

from llmux.headers import CREDENTIALS, HOP_BY_HOP, Headers, connection_tokens

_SCRUBBED = frozenset(
    {
        # the way that the request took
        b"forwarded",
        b"via",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-proto",
        b"x-real-ip",
        # who asks
        b"x-title",
        b"http-referer",
        b"referer",
        b"x-stainless-lang",
        b"x-stainless-package-version",
        b"x-stainless-os",
        b"x-stainless-arch",
        b"x-stainless-runtime",
        b"x-stainless-runtime-version",
        b"sec-ch-ua",
        b"sec-ch-ua-mobile",
        b"sec-ch-ua-platform",
        b"sec-fetch-dest",
        b"sec-fetch-mode",
        b"sec-fetch-site",
        b"priority",
    }
)

_DROPPED = _SCRUBBED.union(
    HOP_BY_HOP,
    CREDENTIALS,
    {
        b"host",  # the upstream's own
        b"content-length",  # written anew with the body
        b"expect",  # answered by the front
        b"accept-encoding",  # identity: an answer must be readable here
    },
)

# Names of ours that only steer llmux.
_OURS = (b"x-llmux-", b"x-scenario-")

# Query parameters in which a client may bring its key.
_QUERY_CREDENTIALS = frozenset({b"key", b"auth_token"})


def request_headers(headers: list[tuple[bytes, bytes]], secret: str | None, client_keys: Iterable[bytes] = ()) -> Headers:
    """The headers for the Amp upstream: the client's without its credentials, then ours if there is a secret.

    `headers` have lower-case names, `client_keys` are llmux's own keys: a header of any name that repeats one is dropped.
    Without a secret the request goes out with no credential at all, and the upstream may judge that.
    """
    listed = connection_tokens(headers)
    keys = tuple(key for key in client_keys if key)
    kept = [
        (name, value)
        for name, value in headers
        if name not in _DROPPED and name not in listed and not name.startswith(_OURS) and not any(key in value for key in keys)
    ]
    token = (secret or "").strip().encode("utf-8")
    if token:
        kept += [(b"x-api-key", token), (b"authorization", b"Bearer " + token)]
    return kept


def strip_query(query: bytes, client_keys: Iterable[bytes]) -> bytes:
    """The raw query without the `key` and `auth_token` pairs whose value is exactly one of the client's keys.

    Everything else stays byte for byte: order, encoding, empty pairs, and a bare `getUserInfo`, which the control plane
    would no longer know as `getUserInfo=`. No keys (a caller who needed none) change nothing.
    """
    for key in filter(None, client_keys):
        query = b"&".join(pair for pair in query.split(b"&") if not _carries(pair, key))
    return query


def _carries(pair: bytes, client_key: bytes) -> bool:
    name, equals, value = pair.partition(b"=")
    if not equals or unquote_to_bytes(name.replace(b"+", b" ")) not in _QUERY_CREDENTIALS:
        return False
    # a plus is a blank in forms and itself elsewhere; the key must not leave in either reading
    return client_key in (unquote_to_bytes(value), unquote_to_bytes(value.replace(b"+", b" ")))
