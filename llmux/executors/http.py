"""A provider over HTTP."""

from __future__ import annotations

from urllib.parse import urlsplit

from twisted.internet.defer import Deferred

from llmux import headers
from llmux.dialects.registry import DIALECTS
from llmux.errors import Fault
from llmux.executors.base import Call
from llmux.headers import Headers
from llmux.net.agent import render
from llmux.net.answer import Answer
from llmux.net.mask import mask
from llmux.net.pool import Origin, Pool


class HTTPProvider:
    """One configured provider. `keys` are its credentials, in the order in which candidates count them."""

    def __init__(self, name: str, base_url: str, keys: tuple[str, ...], extra: tuple[tuple[str, str], ...], pool: Pool) -> None:
        self._name = name
        self._origin, self._base = parse_base_url(base_url)
        self._keys = keys
        self._extra: Headers = [(field.lower().encode(), value.encode()) for field, value in extra]
        self._pool = pool
        self._ours: dict[tuple[str, int | None], tuple[Headers, frozenset[bytes]]] = {}

    def secrets(self) -> tuple[bytes, ...]:
        """See `Executor`. Headers from the configuration may hold credentials too."""
        return tuple(key.encode() for key in self._keys) + tuple(value for _, value in self._extra)

    def execute(self, call: Call) -> Deferred[Answer]:
        """See `Executor`."""
        target = self._base + call.path + (b"?" + call.query if call.query else b"")
        data = render(call.method, target, self._origin, self.headers(call), call.body)
        return Deferred.fromCoroutine(self._execute(call, data))

    async def _execute(self, call: Call, data: bytes) -> Answer:
        reply = await self._pool.request(
            self._origin, data, connect_timeout=call.connect_timeout, bodiless=call.method == b"HEAD", sent=call.sent
        )
        if 300 <= reply.status < 400 and reply.status != 304:
            location = headers.first(reply.headers, b"location") or b"another place"
            reply.abort()
            # Following it would carry the key to wherever the redirect says; repeating its query might tell the key.
            where = mask(location.partition(b"?")[0], self.secrets()).decode("utf-8", "replace")
            raise Fault("bad_gateway", f"provider {self._name} redirects to {headers.short(where)}; correct its base_url")
        return reply

    def headers(self, call: Call) -> Headers:
        """The client's headers by rule, ours for the provider, and the provider's own credential."""
        own, names = self._own(call.dialect, call.credential)
        fields = headers.to_provider(call.headers, call.secrets, names)
        if call.fields is not None:
            fields = headers.of_any_dialect(fields) + [field for field in call.fields if field[0] not in names]
        fields += own
        if call.dialect == "anthropic" and headers.first(fields, b"anthropic-version") is None:
            fields.append((b"anthropic-version", b"2023-06-01"))
        return fields

    def _own(self, dialect: str, credential: int | None) -> tuple[Headers, frozenset[bytes]]:
        """Our headers for one dialect and credential, and their names. The configuration's headers have the last word."""
        found = self._ours.get((dialect, credential))
        if found is None:
            # A stream must be readable here, to be judged whole.
            own = {b"accept-encoding": b"identity"}
            if credential is not None:
                own.update([DIALECTS[dialect].credential(self._keys[credential])])
            own.update(self._extra)
            found = self._ours[(dialect, credential)] = list(own.items()), frozenset(own)
        return found


def parse_base_url(base_url: str) -> tuple[Origin, bytes]:
    """The origin and the path prefix (no trailing slash) of a provider's base URL, which the configuration has checked."""
    parts = urlsplit(base_url)
    secure = parts.scheme == "https"
    origin = Origin(secure, parts.hostname or "", parts.port or (443 if secure else 80))
    return origin, parts.path.rstrip("/").encode()
