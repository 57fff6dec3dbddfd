"""Who is calling: the client's key, from any of the places where clients put it."""

from __future__ import annotations

import hashlib
import ipaddress
import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Protocol
from urllib.parse import unquote_to_bytes

import attrs

from llmux.errors import Fault
from llmux.headers import CREDENTIALS, Headers

# Query parameters that carry keys: Gemini clients use the first, Amp's browser pages the second.
QUERY_CREDENTIALS = ("key", "auth_token")


class Key(Protocol):
    """A client key as the configuration knows it."""

    @property
    def key(self) -> str: ...

    @property
    def name(self) -> str: ...

    @property
    def models(self) -> tuple[str, ...] | None: ...


@attrs.frozen
class Client:
    """An authenticated caller. `name` is what logs may call it; `key` is what it showed (None while no keys are set);
    `models` are the names and patterns that it may ask for (None: all); `secrets` are all client keys that stand anywhere in
    its request, and must not leave towards anybody."""

    name: str
    key: bytes | None = attrs.field(default=None, repr=False)
    models: tuple[str, ...] | None = None
    secrets: tuple[bytes, ...] = attrs.field(default=(), repr=False)

    def may_use(self, model: str) -> bool:
        """Whether this caller may ask for a model, named without its suffix."""
        return self.models is None or any(fnmatchcase(model, pattern) for pattern in self.models)


ANONYMOUS = Client("anonymous")


class Keyring:
    """The client keys. A key is looked up by a keyed digest of the whole of it, so timing tells nothing of its bytes."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._salt = os.urandom(32)
        keys = tuple(keys)
        self._keys = {self._digest(key.key.encode()): key for key in keys}
        self._known = frozenset(key.key.encode() for key in keys)

    def __bool__(self) -> bool:
        return bool(self._keys)

    def _digest(self, key: bytes) -> bytes:
        return hashlib.blake2b(key, key=self._salt, digest_size=32).digest()

    def identify(self, headers: Headers, query: bytes) -> Client:
        """The caller; any credential that matches will do, since clients send placeholders beside the real one.

        Raises Fault `auth` when keys are set and none was shown, or none that is known.
        """
        if not self._keys:
            return ANONYMOUS
        shown = False
        for candidate in credentials(headers, query):
            shown = True
            key = self._keys.get(self._digest(candidate))
            if key is not None:
                return Client(key.name, candidate, key.models, self._secrets(candidate, headers, query))
        raise Fault("auth", "Invalid API key" if shown else "Missing API key")

    def _secrets(self, key: bytes, headers: Headers, query: bytes) -> tuple[bytes, ...]:
        """All client keys in a request that has shown a valid one. Nothing is told by their timing: they are the caller's."""
        found = {key}
        for _, value in headers:
            found.update(self._known.intersection((value, value.rpartition(b" ")[2])))
        if query:
            found.update(self._known.intersection(value for _, value in query_pairs(query)))
        return tuple(found)


def credentials(headers: Headers, query: bytes) -> Iterator[bytes]:
    """Everything in a request that might be a key."""
    for name, value in headers:
        if name in CREDENTIALS:
            value = value.strip()
            if name == b"authorization":
                scheme, _, rest = value.partition(b" ")
                value = rest.strip() if scheme.lower() == b"bearer" else value
            if value:
                yield value
    if query:
        yield from (value for name, value in query_pairs(query) if value and name in QUERY_CREDENTIALS)


def query_pairs(query: bytes) -> Iterator[tuple[str, bytes]]:
    """The decoded pairs of a query."""
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        yield _decoded(name).decode("utf-8", "replace"), _decoded(value)


def _decoded(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))


def is_loopback(peer: str) -> bool:
    """Whether the other end of a connection is this host. A UNIX socket ("") is; no header has a say in it."""
    if not peer:
        return True
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
