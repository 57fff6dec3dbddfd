"""Which headers travel, as data.

A header list is `[(name, value)]` in bytes, names in lower case, in the order in which they came.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

Headers = list[tuple[bytes, bytes]]

# RFC 9110 7.6.1: they belong to one connection. `Connection` may name more.
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)

# Where clients put their key; it is for llmux, and never leaves towards a provider.
CREDENTIALS = (b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key")

_NOT_TO_PROVIDER = HOP_BY_HOP.union(
    CREDENTIALS,
    {
        b"host",  # the provider's own
        b"content-length",  # written anew with the body
        b"expect",  # answered by the front
        b"cookie",  # cookies for llmux's host are no business of the provider
        b"accept-encoding",  # identity: a stream must be readable here to be judged whole
        b"forwarded",
        b"via",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-proto",
        b"x-real-ip",
    },
)

# Names of ours that only steer llmux.
_OURS = (b"x-llmux-", b"x-scenario-")

_NOT_TO_CLIENT = HOP_BY_HOP.union(
    {
        b"content-length",  # decided by whoever writes the body
        b"date",  # the front writes its own
        b"server",
    }
)


def connection_tokens(headers: Iterable[tuple[bytes, bytes]]) -> frozenset[bytes]:
    """The names that `Connection` lists, in lower case."""
    values = [value for name, value in headers if name == b"connection"]
    return frozenset(token.strip().lower() for value in values for token in value.split(b",") if token.strip())


def to_provider(headers: Headers, secrets: Iterable[bytes] = (), replaced: frozenset[bytes] = frozenset()) -> Headers:
    """The client's headers that a provider may see.

    `secrets` are client keys: a header that repeats one is dropped. `replaced` are names that the provider's own headers
    take over.
    """
    dropped = not_to_provider(replaced) | connection_tokens(headers)
    kept = [header for header in headers if header[0] not in dropped and not header[0].startswith(_OURS)]
    for secret in secrets:
        kept = [header for header in kept if secret not in header[1]]
    return kept


# What a client says of itself and of its trace, whatever API it speaks. All else belongs to the API that it took for granted.
_OF_ANY_DIALECT = frozenset({b"user-agent", b"x-request-id", b"traceparent", b"tracestate", b"baggage", b"x-amp-thread-id"})


def of_any_dialect(headers: Headers) -> Headers:
    """The client's headers that a provider of another dialect may see."""
    return [header for header in headers if header[0] in _OF_ANY_DIALECT]


# Anthropic and OpenAI count the same things under other names. Times are told in other units, and stay behind.
_BUDGETS = tuple(
    (f"anthropic-ratelimit-{what}-{which}".encode(), f"x-ratelimit-{which}-{what}".encode())
    for what in ("requests", "tokens")
    for which in ("limit", "remaining")
)
_BUDGETS_TO = {
    "openai": dict(_BUDGETS),
    "anthropic": {openai: anthropic for anthropic, openai in _BUDGETS},
}
_UPSTREAM_IDS = (b"x-request-id", b"request-id")


def to_foreign_client(headers: Headers, family: str) -> Headers:
    """The headers of a translated answer that mean something to a client of `family`'s APIs: what is left to it, and the
    provider's name for the exchange."""
    names = _BUDGETS_TO.get(family, {})
    kept = [(names[name], value) for name, value in headers if name in names]
    return kept + [(b"x-llmux-upstream-request-id", value) for name, value in headers if name in _UPSTREAM_IDS][:1]


@lru_cache(maxsize=256)
def not_to_provider(replaced: frozenset[bytes]) -> frozenset[bytes]:
    """The names that a provider never sees from a client."""
    return _NOT_TO_PROVIDER | replaced


def to_client(headers: Headers) -> Headers:
    """The provider's headers that the client may see. An empty Content-Encoding says nothing and breaks clients."""
    dropped = _NOT_TO_CLIENT | connection_tokens(headers)
    return [
        header
        for header in headers
        if header[0] not in dropped
        and not header[0].startswith(b"x-llmux-")
        and (header[0] != b"content-encoding" or header[1].strip())
    ]


def first(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """The first value of a header, or None. `name` in lower case."""
    for key, value in headers:
        if key == name:
            return value
    return None


def printable(text: str) -> str:
    """Text for a log: what could end a line, steer a terminal or not be encoded is escaped."""
    return text if text.isprintable() else "".join(char if char.isprintable() else _escaped(char) for char in text)


def visible(text: str) -> bytes:
    """Text as a header value: printable ASCII, everything else escaped."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(char if " " <= char <= "~" else _escaped(char) for char in text)
    return text.encode("ascii")


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


# Names from requests are cut to this in logs and headers; no model has a longer one, and clients refuse long headers.
_LONGEST_NAME = 200


def short(name: str) -> str:
    """A name from a request, fit for a log line or a header."""
    return printable(name if len(name) <= _LONGEST_NAME else name[:_LONGEST_NAME] + "...")
