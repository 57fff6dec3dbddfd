"""The Amp upstream: a reverse proxy with the credentials swapped, on treq."""

from __future__ import annotations

from typing import Any, cast

import attrs
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.iweb import IResponse

from llmux import headers
from llmux.amp.gzip import ungzip
from llmux.amp.upstream_headers import request_headers, strip_query
from llmux.credentials.amp import AmpSecrets
from llmux.errors import Fault
from llmux.executors.http import parse_base_url
from llmux.headers import Headers
from llmux.net.agent import Body, PooledAgent, http_client, render
from llmux.net.answer import Answer, Sink
from llmux.net.client import Connection, Reply
from llmux.net.pool import Pool
from llmux.net.request import ClientRequest

# A compressed answer is undone in memory, up to this size on either side.
_UNGZIP_LIMIT = 64 * 1024 * 1024

_NOT_UNTOUCHED = headers.HOP_BY_HOP.union((b"host", b"content-length", b"expect", b"accept-encoding"))


@attrs.frozen
class Caller:
    """Who asks: `key` is the client key that was recognised (it may have an upstream key of its own), `secrets` are all that
    must not leave; `untouched` callers bring their own credentials for the upstream and get none of ours."""

    key: bytes | None = attrs.field(default=None, repr=False)
    secrets: tuple[bytes, ...] = attrs.field(default=(), repr=False)
    untouched: bool = False


class AmpUpstream:
    """Forwards a client's request as it came: method, path, query and body; only the credentials change."""

    _log = Logger()

    def __init__(self, url: str, pool: Pool, secrets: AmpSecrets) -> None:
        self._url = url
        self.origin, self._base = parse_base_url(url)
        self._pool = pool
        self._agent = PooledAgent(pool)
        self._secrets = secrets

    def secrets(self) -> tuple[bytes, ...]:
        """See `Executor`."""
        return self._secrets.known()

    def target(self, request: ClientRequest, secrets: tuple[bytes, ...]) -> bytes:
        """The request target for the upstream: its base path, the path as it came, the query without the client's keys."""
        query = strip_query(request.query, secrets)
        return self._base + request.path + (b"?" + query if query else b"")

    def page(self, request: ClientRequest, secrets: tuple[bytes, ...]) -> bytes:
        """The URL of a page at the upstream."""
        scheme = b"https://" if self.origin.secure else b"http://"
        return scheme + self.origin.host_header + self.target(request, secrets)

    def _headers(self, request: ClientRequest, caller: Caller) -> Headers:
        """The headers for the upstream, with our credential; or untouched, with the client's own."""
        if caller.untouched:
            listed = headers.connection_tokens(request.headers)
            return [
                (name, value)
                for name, value in request.headers
                if name not in _NOT_UNTOUCHED and name not in listed and not any(key in value for key in caller.secrets)
            ]
        return request_headers(request.headers, self._secrets.find(caller.key), caller.secrets)

    def forward(self, request: ClientRequest, caller: Caller, connect_timeout: float) -> Deferred[Answer]:
        """Ask the upstream. Fires when the head of its answer is there, fails with a Fault; cancelling closes it."""
        target = self.target(request, caller.secrets)
        fields = [*self._headers(request, caller), (b"accept-encoding", b"identity")]
        client = http_client(self._agent.exactly(target, fields, connect_timeout))
        # The URL only names the origin; target and headers leave exactly as given.
        d: Deferred[Any] = client.request(
            request.method.decode("ascii"),
            self._url,
            data=Body(request.body) if request.body else None,
            allow_redirects=False,
            unbuffered=True,
            reactor=cast(Any, self),  # it would only time out; the clocks are the exchange's
        )
        return d.addCallback(_answer)

    async def open_tunnel(self, request: ClientRequest, caller: Caller, connect_timeout: float) -> tuple[Connection, Reply]:
        """Ask the upstream for another protocol, with the client's own credentials. Raises Fault."""
        fields = self._headers(request, caller)
        fields.append((b"connection", b"Upgrade"))
        fields.append((b"upgrade", headers.first(request.headers, b"upgrade") or b"websocket"))
        data = render(request.method, self.target(request, caller.secrets), self.origin, fields, request.body)
        return await self._pool.upgrade(self.origin, data, connect_timeout=connect_timeout)


def _answer(response: Any) -> Answer:
    return cast(Answer, UpstreamAnswer(response))


class UpstreamAnswer:
    """treq's response as an Answer; a body that is gzip without saying so is undone."""

    def __init__(self, response: IResponse) -> None:
        self._response = response
        self.status: int = response.code
        self.headers: Headers = [
            (name.lower(), value) for name, values in response.headers.getAllRawHeaders() for value in values
        ]
        if isinstance(response.length, int):
            self.headers.append((b"content-length", b"%d" % response.length))
        self._delivery: _Delivery | None = None

    def deliver(self, sink: Sink) -> None:
        """See `Answer`."""
        if self._may_hide_gzip():
            sink = _Unzipping(self, sink)
        self._delivery = _Delivery(sink)
        self._response.deliverBody(self._delivery)

    def pause(self) -> None:
        """See `Answer`."""
        if self._delivery is not None:
            self._delivery.producer.pauseProducing()

    def resume(self) -> None:
        """See `Answer`."""
        if self._delivery is not None:
            self._delivery.producer.resumeProducing()

    def abort(self) -> None:
        """See `Answer`."""
        if self._delivery is None:
            self._delivery = _Delivery(None)
            self._response.deliverBody(self._delivery)
        self._delivery.stop()

    def _may_hide_gzip(self) -> bool:
        encoding = headers.first(self.headers, b"content-encoding")
        type_ = headers.first(self.headers, b"content-type") or b""
        return not encoding and b"text/event-stream" not in type_.lower()

    def unzipped(self, body: bytes) -> None:
        """The body was undone: its length is another."""
        self.headers = [row for row in self.headers if row[0] not in (b"content-length", b"content-encoding")]
        self.headers.append((b"content-length", b"%d" % len(body)))


class _Delivery(Protocol):
    """treq's side of a sink."""

    def __init__(self, sink: Sink | None) -> None:
        self._sink = sink

    @property
    def producer(self) -> Any:
        return self.transport

    def stop(self) -> None:
        self._sink = None
        if self.transport is not None:
            self.producer.stopProducing()

    def dataReceived(self, data: bytes) -> None:
        if self._sink is not None:
            self._sink.data(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        sink, self._sink = self._sink, None
        if sink is None:
            return
        if reason.check(ResponseDone):
            sink.end()
        else:
            sink.fail(Fault("bad_gateway", "the Amp upstream broke off in the middle of its answer"))


class _Unzipping:
    """Looks at the first two bytes: `1f 8b` is gzip, which is gathered and undone; anything else goes straight on."""

    def __init__(self, answer: UpstreamAnswer, sink: Sink) -> None:
        self._answer = answer
        self._sink = sink
        self._held: list[bytes] | None = []
        self._size = 0

    def data(self, data: bytes) -> None:
        if self._held is None:
            self._sink.data(data)
            return
        self._held.append(data)
        self._size += len(data)
        start = self._held[0][:2] if len(self._held[0]) >= 2 else b"".join(self._held)[:2]
        if self._size > _UNGZIP_LIMIT or (len(start) == 2 and start != b"\x1f\x8b"):
            self._pass_on(b"".join(self._held))

    def end(self) -> None:
        if self._held is not None:
            body = b"".join(self._held)
            plain = ungzip(body, _UNGZIP_LIMIT) if body[:2] == b"\x1f\x8b" else None
            if plain is not None:
                self._answer.unzipped(plain)
            self._pass_on(body if plain is None else plain)
        self._sink.end()

    def fail(self, fault: Fault) -> None:
        if self._held:
            self._pass_on(b"".join(self._held))
        self._sink.fail(fault)

    def _pass_on(self, body: bytes) -> None:
        self._held = None
        if body:
            self._sink.data(body)
