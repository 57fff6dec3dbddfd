"""How exchanges end: whole, visibly broken, or because the client left."""

from __future__ import annotations

import json
import socket

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import LoopingCall, deferLater

from tests.harness import Gateway, GatewayCase, Provider, Wire, body_of, parse_response, reactor, request

_SSE = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_CHUNK = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}\n\n'
_ANTHROPIC = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0}\n\n'
_RESPONSE = b'{"id":"resp_1","object":"response","status":"in_progress","model":"m","output":[]}'
_CREATED = b'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":' + _RESPONSE + b"}\n\n"
_GEMINI = b'data: {"candidates":[{"content":{"parts":[{"text":"hi"}]}}]}\n\n'

_PATHS = {
    "openai-chat": ("/v1/chat/completions", b'{"model":"m","stream":true,"messages":[]}', _CHUNK),
    "openai-responses": ("/v1/responses", b'{"model":"m","stream":true,"input":"x"}', _CREATED),
    "anthropic": ("/v1/messages", b'{"model":"m","stream":true,"messages":[]}', _ANTHROPIC),
    "gemini": ("/v1beta/models/m:streamGenerateContent?alt=sse", b'{"contents":[]}', _GEMINI),
}


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class EndingTests(GatewayCase):
    """Every ending, in every dialect where it differs."""

    def start(self, provider: Provider, dialect: str = "openai-chat", more: str = "") -> Gateway:
        """A gateway over one provider."""
        url = f"http://127.0.0.1:{provider.port}"
        return self.gateway(
            f"providers: {{p: {{dialect: {dialect}, base_url: '{url}', api_keys: [k-123456], models: [m]}}}}\n{more}"
        )

    async def stream(self, dialect: str, more: str = "") -> tuple[Gateway, Provider, Wire, Wire, bytes]:
        """A stream of which one event has reached the client: gateway, provider, client's wire, provider's wire, the event."""
        provider = await self.provider()
        gateway = self.start(provider, dialect, more)
        path, body, event = _PATHS[dialect]
        client = await gateway.send(request(path, body))
        upstream = await provider.request()
        upstream.send(_SSE + chunk(event))
        await client.has(event)
        return gateway, provider, client, upstream, event

    def assert_truncated(self, dialect: str, client: Wire, event: bytes) -> None:
        """The event, the dialect's own error event, and no terminator."""
        response = parse_response(client.received)
        self.assertFalse(response.whole, dialect)
        self.assertTrue(response.body.startswith(event), dialect)
        error = response.body[len(event) :]
        name = b"event: response.failed\n" if dialect == "openai-responses" else b""
        name = b"event: error\n" if dialect == "anthropic" else name
        self.assertTrue(error.startswith(name + b"data: {"), error)
        document = json.loads(error.partition(b"data: ")[2])
        if dialect == "openai-responses":
            self.assertEqual(document["type"], "response.failed")
            self.assertEqual(document["sequence_number"], 1)
            self.assertEqual(document["response"]["id"], "resp_1")
            self.assertEqual(document["response"]["status"], "failed")
        else:
            self.assertTrue(document["error"]["message"])
        self.assertNotIn(b"[DONE]", error)
        self.assertNotIn(b"message_stop", error)

    async def test_upstream_cut(self) -> None:
        """The provider closes in the middle of a chunked stream."""
        for dialect in _PATHS:
            _, _, client, upstream, event = await self.stream(dialect)
            upstream.close()
            await client.ended()
            self.assert_truncated(dialect, client, event)

    async def test_upstream_reset(self) -> None:
        """The provider resets in the middle of a stream."""
        for dialect in _PATHS:
            _, _, client, upstream, event = await self.stream(dialect)
            upstream.reset()
            await client.ended()
            self.assert_truncated(dialect, client, event)

    async def test_upstream_ends_in_order_but_too_early(self) -> None:
        """Framing whole, dialect not: the terminal event never came."""
        for dialect in _PATHS:
            _, _, client, upstream, event = await self.stream(dialect)
            upstream.send(b"0\r\n\r\n")
            await client.ended()
            self.assert_truncated(dialect, client, event)

    async def test_half_an_event_is_not_passed_on(self) -> None:
        """What was cut inside an event stays here, so that the error event is one of its own."""
        _, _, client, upstream, event = await self.stream("anthropic")
        upstream.send(chunk(b'event: content_block_delta\ndata: {"type":"con'))
        await deferLater(reactor, 0.05, lambda: None)
        upstream.close()
        await client.ended()
        self.assert_truncated("anthropic", client, event)

    async def test_connection_lost_after_the_last_event(self) -> None:
        """All was said: the client's answer is whole, whatever the connection did afterwards."""
        _, _, client, upstream, _event = await self.stream("openai-chat")
        upstream.send(chunk(b"data: [DONE]\n\n"))
        await client.has(b"[DONE]")
        upstream.reset()
        await client.has(b"\r\n0\r\n\r\n")
        self.assertTrue(parse_response(client.received).whole)

    async def test_plain_body_cut(self) -> None:
        """A JSON body that ends short stays visibly short."""
        provider = await self.provider()
        gateway = self.start(provider)
        client = await gateway.send(request("/v1/chat/completions", b'{"model":"m","messages":[]}'))
        upstream = await provider.request()
        upstream.send(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"id":')
        await client.has(b'{"id":')
        upstream.close()
        await client.ended()
        response = parse_response(client.received)
        self.assertEqual((response.status, response.whole, response.body), (200, False, b'{"id":'))

    async def test_plain_chunked_body_cut(self) -> None:
        """The same for a chunked one."""
        provider = await self.provider()
        gateway = self.start(provider)
        client = await gateway.send(request("/v1/chat/completions", b'{"model":"m","messages":[]}'))
        upstream = await provider.request()
        upstream.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n" + chunk(b"{"))
        await client.has(b"{")
        upstream.reset()
        await client.ended()
        self.assertFalse(parse_response(client.received).whole)

    async def test_nothing_but_a_head(self) -> None:
        """A head and then nothing is an honest 502, since nothing was committed."""
        for ending in (b"", b"0\r\n\r\n"):
            provider = await self.provider()
            gateway = self.start(provider)
            client = await gateway.send(request("/v1/chat/completions", _PATHS["openai-chat"][1], "connection: close"))
            upstream = await provider.request()
            upstream.send(_SSE + ending)
            upstream.close()
            await client.ended()
            response = parse_response(client.received)
            self.assertEqual((response.status, response.whole), (502, True))
            self.assertEqual(json.loads(response.body)["error"]["type"], "server_error")

    async def test_refused_connection(self) -> None:
        """502 in each dialect, and no secret in it."""
        provider = await self.provider()
        for dialect, (path, body, _) in _PATHS.items():
            gateway = self.gateway(
                f"providers: {{p: {{dialect: {dialect}, base_url: 'http://127.0.0.1:1', api_keys: [k-123456], models: [m]}}}}\n"
            )
            response = await gateway.post(path, body)
            self.assertEqual((dialect, response.status), (dialect, 502))
            self.assertNotIn(b"k-123456", response.body)
            self.assertEqual(response.headers["x-llmux-decision"], "local; provider=p; model=m; attempts=1")
        self.assertEqual(provider.connections, [])

    async def test_garbage_instead_of_http(self) -> None:
        """502."""
        provider = await self.provider(lambda wire: wire.send(b"SSH-2.0-OpenSSH_9.2\r\n"))
        gateway = self.start(provider)
        response = await gateway.post("/v1/chat/completions", b'{"model":"m","messages":[]}')
        self.assertEqual(response.status, 502)

    async def test_client_gone_before_the_head(self) -> None:
        """The provider's connection is closed at once."""
        provider = await self.provider()
        gateway = self.start(provider)
        client = await gateway.send(request("/v1/chat/completions", _PATHS["openai-chat"][1]))
        upstream = await provider.request()
        client.reset()
        began = reactor.seconds()
        await upstream.ended()
        self.assertLess(reactor.seconds() - began, 0.1)

    async def test_client_gone_in_the_middle(self) -> None:
        """The same while a stream runs, for a reset and for an orderly close."""
        for leave in (Wire.reset, Wire.close):
            _, _, client, upstream, _ = await self.stream("anthropic")
            leave(client)
            began = reactor.seconds()
            await upstream.ended()
            self.assertLess(reactor.seconds() - began, 0.1)

    async def test_client_gone_while_an_error_is_read(self) -> None:
        """The same while an error body is gathered."""
        provider = await self.provider()
        gateway = self.start(provider)
        client = await gateway.send(request("/v1/chat/completions", _PATHS["openai-chat"][1]))
        upstream = await provider.request()
        upstream.send(b"HTTP/1.1 500 Oops\r\ncontent-length: 100\r\n\r\nhalf")
        await deferLater(reactor, 0.05, lambda: None)
        client.close()
        await upstream.ended()

    async def test_stalled_client_slows_the_provider_down(self) -> None:
        """Backpressure: a client that does not read stops the reading from the provider, and no byte is lost."""
        provider = await self.provider()
        gateway = self.start(provider)
        client = await gateway.connect()
        client.send(request("/v1/chat/completions", b'{"model":"m","messages":[]}'))
        upstream = await provider.request()
        size = 32 * 1024 * 1024
        client.pause()
        upstream.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % size)
        upstream.send(b"x" * size)
        await deferLater(reactor, 0.5, lambda: None)
        transport = upstream.transport
        waiting = len(transport.dataBuffer) + transport._tempDataLen  # type: ignore[union-attr]
        self.assertGreater(waiting, size // 2, "the provider could send everything: nobody slowed it down")
        client.resume()
        await client.until(lambda: len(client.received) > size and len(body_of(client.received)) == size)
        self.assertEqual(body_of(client.received).count(b"x"), size)

    async def test_stalled_client_is_cut_off_by_the_total(self) -> None:
        """A client that never reads does not hold a provider for ever."""
        provider = await self.provider()
        gateway = self.start(provider, more="timeouts: {total: 0.5}\n")
        client = await gateway.connect()
        client.send(request("/v1/chat/completions", b'{"model":"m","messages":[]}'))
        upstream = await provider.request()
        client.pause()
        upstream.send(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99999999\r\n\r\n")
        upstream.send(b"x" * (32 * 1024 * 1024))
        await upstream.ended()


class OldClientTests(GatewayCase):
    """HTTP/1.0 has no framing that could stay open, so a broken answer must break the connection."""

    async def test_broken_stream_is_reset(self) -> None:
        """A close in order would look like the end."""
        provider = await self.provider()
        url = f"http://127.0.0.1:{provider.port}"
        gateway = self.gateway(f"providers: {{p: {{dialect: anthropic, base_url: '{url}', models: [m]}}}}\n")
        path, body, event = _PATHS["anthropic"]
        client = await gateway.send(request(path, body).replace(b"HTTP/1.1", b"HTTP/1.0"))
        upstream = await provider.request()
        upstream.send(_SSE + chunk(event))
        await client.has(event)
        upstream.reset()
        await client.ended()
        assert client.reason is not None
        self.assertIsNotNone(client.reason.check(ConnectionLost))

    async def test_whole_stream_is_closed(self) -> None:
        """A whole one ends in order."""
        provider = await self.provider()
        url = f"http://127.0.0.1:{provider.port}"
        gateway = self.gateway(f"providers: {{p: {{dialect: anthropic, base_url: '{url}', models: [m]}}}}\n")
        path, body, event = _PATHS["anthropic"]
        client = await gateway.send(request(path, body).replace(b"HTTP/1.1", b"HTTP/1.0"))
        upstream = await provider.request()
        last = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
        upstream.send(_SSE + chunk(event + last) + b"0\r\n\r\n")
        await client.ended()
        assert client.reason is not None
        self.assertIsNotNone(client.reason.check(ConnectionDone))
        self.assertEqual(body_of(client.received), event + last)


class LongWayEndingTests(EndingTests):
    """The same through twisted.web."""

    express = False


class ClockTests(GatewayCase):
    """The four clocks."""

    async def silent(self, timeouts: str) -> tuple[Gateway, Provider]:
        """A gateway over a provider that says nothing."""
        provider = await self.provider()
        url = f"http://127.0.0.1:{provider.port}"
        return self.gateway(
            f"providers: {{p: {{dialect: anthropic, base_url: '{url}', models: [m], timeouts: {timeouts}}}}}\n"
        ), provider

    async def test_first_event(self) -> None:
        """No answer: 504 in the client's dialect, and the provider's connection is closed."""
        gateway, provider = await self.silent("{first_event: 0.3}")
        response = await gateway.post("/v1/messages", b'{"model":"m","messages":[]}')
        self.assertEqual(response.status, 504)
        self.assertEqual(json.loads(response.body)["error"]["type"], "timeout_error")
        await provider.connections[0].ended()

    async def test_head_without_event(self) -> None:
        """A head alone does not count as an event."""
        gateway, provider = await self.silent("{first_event: 0.3}")
        client = await gateway.send(request("/v1/messages", _PATHS["anthropic"][1], "connection: close"))
        upstream = await provider.request()
        upstream.send(_SSE)
        await client.ended()
        self.assertEqual(parse_response(client.received).status, 504)

    async def test_idle(self) -> None:
        """Silence between events: an error event, and a visibly broken end."""
        gateway, provider = await self.silent("{idle: 0.3}")
        client = await gateway.send(request("/v1/messages", _PATHS["anthropic"][1]))
        upstream = await provider.request()
        upstream.send(_SSE + chunk(_ANTHROPIC))
        await client.ended()
        response = parse_response(client.received)
        self.assertFalse(response.whole)
        self.assertIn(b'event: error\ndata: {"type":"error","error":{"type":"timeout_error"', response.body)
        await upstream.ended()

    async def test_total(self) -> None:
        """A stream that keeps going past the total is ended, however lively it is."""
        gateway, provider = await self.silent("{total: 0.6, idle: 0.5}")
        client = await gateway.send(request("/v1/messages", _PATHS["anthropic"][1]))
        upstream = await provider.request()
        upstream.send(_SSE)

        ticking = LoopingCall(lambda: upstream.send(chunk(_ANTHROPIC)))
        ticking.start(0.05)
        self.addCleanup(ticking.stop)
        await client.ended()
        self.assertIn(b"timeout_error", parse_response(client.received).body)

    def blackhole(self) -> int:
        """The port of a listener whose backlog is full: it answers no handshake."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        self.addCleanup(listener.close)
        port: int = listener.getsockname()[1]
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            self.addCleanup(filler.close)
        return port

    async def test_connect(self) -> None:
        """An address that swallows packets."""
        gateway = self.gateway(
            f"providers: {{p: {{dialect: gemini, base_url: 'http://127.0.0.1:{self.blackhole()}', models: [m], "
            "timeouts: {connect: 0.3}}}\n"
        )
        response = await gateway.post("/v1beta/models/m:generateContent", b"{}")
        self.assertEqual(response.status, 504)
        self.assertEqual(json.loads(response.body)["error"]["status"], "DEADLINE_EXCEEDED")

    async def test_total_while_connecting(self) -> None:
        """Whichever clock runs out first: 504; for the Amp upstream its own 502."""
        for host in ("127.0.0.1", "localhost"):
            url = f"http://{host}:{self.blackhole()}"
            gateway = self.gateway(
                f"timeouts: {{total: 0.3}}\nproviders: {{p: {{dialect: gemini, base_url: '{url}', models: [m]}}}}\n"
                f"amp: {{upstream_url: '{url}'}}\n"
            )
            response = await gateway.post("/v1beta/models/m:generateContent", b"{}")
            self.assertEqual((response.status, response.headers["x-llmux-decision"][:5]), (504, "local"))
            response = await gateway.post("/api/internal?x", b"{}")
            self.assertEqual((response.status, b"amp_upstream_proxy_error" in response.body), (502, True))

    async def test_client_gone_while_connecting(self) -> None:
        """Nothing is left running, and it is booked as what it was."""
        url = f"http://127.0.0.1:{self.blackhole()}"
        gateway = self.gateway(f"providers: {{p: {{dialect: anthropic, base_url: '{url}', models: [m]}}}}\n")
        client = await gateway.send(request("/v1/messages", _PATHS["anthropic"][1]))
        await deferLater(reactor, 0.1, lambda: None)
        client.reset()
        while not gateway.lines:
            await deferLater(reactor, 0.01, lambda: None)
        self.assertEqual((gateway.lines[0].status, gateway.lines[0].outcome), (499, "client_gone"))

    async def test_silent_tunnel(self) -> None:
        """An upgrade that nobody answers ends too."""
        provider = await self.provider()
        gateway = self.gateway(
            f"timeouts: {{connect: 0.1, first_event: 0.2}}\namp: {{upstream_url: 'http://127.0.0.1:{provider.port}'}}\n"
        )
        client = await gateway.send(request("/actors/x", None, "upgrade: websocket", "connection: Upgrade", method="GET"))
        await client.has(b"amp_upstream_proxy_error")
        self.assertEqual(parse_response(client.received).status, 502)


class LongWayClockTests(ClockTests):
    """The same through twisted.web."""

    express = False


class DrainTests(GatewayCase):
    """Stopping."""

    async def test_running_streams_finish(self) -> None:
        """New connections are refused, what runs comes to its end, then everything is closed."""
        provider = await self.provider()
        url = f"http://127.0.0.1:{provider.port}"
        gateway = self.gateway(f"providers: {{p: {{dialect: openai-chat, base_url: '{url}', models: [m]}}}}\n")
        client = await gateway.send(request("/v1/chat/completions", _PATHS["openai-chat"][1]))
        idle = await gateway.send(request("/health", None, method="GET"))
        await idle.has(b"healthy")
        upstream = await provider.request()
        upstream.send(_SSE + chunk(_CHUNK))
        await client.has(_CHUNK)
        stopping: Deferred[None] = gateway.daemon.stopService()
        await idle.ended()
        await self.assertFailure(Deferred.fromCoroutine(gateway.connect()), Exception)
        self.assertFalse(stopping.called)
        upstream.send(chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        await stopping
        await client.ended()
        self.assertTrue(parse_response(client.received).whole)

    async def test_limit(self) -> None:
        """What still runs at the limit is told so, and visibly broken."""
        provider = await self.provider()
        url = f"http://127.0.0.1:{provider.port}"
        gateway = self.gateway(f"drain: 0.2\nproviders: {{p: {{dialect: anthropic, base_url: '{url}', models: [m]}}}}\n")
        path, body, event = _PATHS["anthropic"]
        client = await gateway.send(request(path, body))
        upstream = await provider.request()
        upstream.send(_SSE + chunk(event))
        await client.has(event)
        await gateway.daemon.stopService()
        await client.ended()
        response = parse_response(client.received)
        self.assertFalse(response.whole)
        self.assertIn(b'"type":"overloaded_error","message":"llmux is shutting down"', response.body)
        await upstream.ended()
