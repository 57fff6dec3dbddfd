"""Same dialect in and out: what arrives at either side is what was sent at the other."""

from __future__ import annotations

import json

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from tests.harness import GatewayCase, Provider, Wire, body_of, head_of, parse_response, reactor, request
from tests.web.test_endings import chunk

# A request and a streamed response of each dialect, with members that nobody knows, odd spacing, escapes, and characters
# of two to four bytes.
REQUESTS: dict[str, tuple[str, bytes]] = {
    "openai-chat": (
        "/v1/chat/completions",
        '{ "x_new":{"deep":[1.0,1e2,12345678901234567890123]},"model" : "m","stream":true,\n"messages":'
        '[{"role":"user","content":"h\u00e9 \u4f60\u597d \U0001f600 \\ud83d"}]}'.encode(),
    ),
    "openai-responses": (
        "/v1/responses?x=1&x=%2F&bare",
        '{"model":"m","input":"\u4f60","stream":true,"unknown":null,"metadata":{"model":"m"}}'.encode(),
    ),
    "anthropic": (
        "/v1/messages?beta=true",
        '{"model":"m","max_tokens":5,"stream":true,"messages":[{"role":"system","content":"\u20ac"}],"zzz":[]}'.encode(),
    ),
    "gemini": ("/v1beta/models/m:streamGenerateContent?alt=sse", '{"contents":[],"neu":"\u00fc"}'.encode()),
}
STREAMS: dict[str, bytes] = {
    "openai-chat": (
        'data: {"id":"c","x_unknown":1,"choices":[{"index":0,"delta":{"content":"\u4f60\U0001f600"},"finish_reason":null}]}\n\n'
        ': comment\n\ndata:{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\r\n\r\ndata: [DONE]\n\n'
    ).encode(),
    "openai-responses": (
        'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":{"id":"r"}}\n\n'
        'event: response.new_thing\ndata: {"type":"response.new_thing","sequence_number":1,"t":"\u4f60"}\n\n'
        'event: response.completed\ndata: {"type":"response.completed","sequence_number":2,"response":{"id":"r"}}\n\n'
    ).encode(),
    "anthropic": (
        'event: message_start\ndata: {"type":"message_start","message":{"id":"msg","n\u00e9w":1}}\n\n'
        'event: ping\ndata: {"type": "ping"}\n\nid: 7\nevent: content_block_delta\n'
        'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"\U0001f600"}}\n\n'
        'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    ).encode(),
    "gemini": (
        'data: {"candidates":[{"content":{"parts":[{"text":"\u4f60","thoughtSignature":"QQ=="}]}}]}\r\n\r\n'
        'data: {"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"x":1}}\r\n\r\n'
    ).encode(),
}


class PassThroughTests(GatewayCase):
    """Bytes are sacred."""

    async def pair(self, dialect: str, more: str = "", name: str = "p") -> tuple[Provider, str]:
        """A provider, and the configuration for it."""
        provider = await self.provider()
        version = "/v1" if dialect.startswith("openai") else ""
        url = f"http://127.0.0.1:{provider.port}{version}"
        return provider, (
            f"providers: {{{name}: {{dialect: {dialect}, base_url: '{url}', "
            f"api_keys: [sk-provider-key], models: [m, 'glob-*']}}}}\n{more}"
        )

    async def test_identity(self) -> None:
        """Request and stream arrive unchanged, the stream cut at every byte."""
        for dialect, (path, body) in REQUESTS.items():
            provider, text = await self.pair(dialect)
            gateway = self.gateway(text)
            client = await gateway.send(request(path, body, "content-type: application/json", "connection: close"))
            upstream = await provider.request()
            self.assertEqual(body_of(upstream.received), body, dialect)
            self.assertEqual(head_of(upstream.received)[0], f"POST {path} HTTP/1.1".encode(), dialect)
            upstream.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            for index in range(len(STREAMS[dialect])):
                upstream.send(chunk(STREAMS[dialect][index : index + 1]))
                if index % 16 == 0:
                    await deferLater(reactor, 0, lambda: None)
            upstream.send(b"0\r\n\r\n")
            await client.ended()
            response = parse_response(client.received)
            self.assertEqual(response.body, STREAMS[dialect], dialect)
            self.assertTrue(response.whole, dialect)

    async def test_event_arrives_before_the_next_is_sent(self) -> None:
        """Nothing is buffered: each event is read by the client while the provider still waits."""
        provider, text = await self.pair("anthropic")
        gateway = self.gateway(text)
        client = await gateway.send(request(*REQUESTS["anthropic"]))
        upstream = await provider.request()
        upstream.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        for number in range(5):
            event = b'event: x\ndata: {"n":%d}\n\n' % number
            upstream.send(event)
            await client.has(event)
            self.assertIn(event, client.received)

    async def test_plain_body_and_its_headers(self) -> None:
        """A JSON answer keeps its bytes, its length, its status and its headers."""
        provider, text = await self.pair("openai-chat")
        gateway = self.gateway(text)
        body = b'{ "id": "x", "new": 1.0 }\n'

        def script(wire: Wire) -> None:
            wire.send(
                b"HTTP/1.1 201 Created\r\nContent-Type: application/json; charset=x\r\nX-Request-Id: theirs\r\nServer: theirs\r\n"
                b"Connection: close, X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nContent-Encoding: \r\nSet-Cookie: a=1\r\n"
                b"Set-Cookie: b=2\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            )

        provider._script = script
        response = await gateway.post("/v1/chat/completions", REQUESTS["openai-chat"][1])
        self.assertEqual((response.status, response.body), (201, body))
        self.assertEqual(response.headers["content-type"], "application/json; charset=x")
        self.assertEqual(response.headers["content-length"], str(len(body)))
        self.assertEqual(response.headers["x-request-id"], "theirs")
        self.assertEqual(response.headers["set-cookie"], "a=1, b=2")
        for gone in ("x-hop", "keep-alive", "content-encoding"):
            self.assertNotIn(gone, response.headers)
        self.assertEqual(response.headers["server"], "llmux")

    async def test_credentials_and_headers_to_the_provider(self) -> None:
        """The provider's own key in its own header; the client's key, hop-by-hop and forwarding headers never."""
        own = {
            "openai-chat": b"authorization: bearer sk-provider-key",
            "anthropic": b"x-api-key: sk-provider-key",
            "gemini": b"x-goog-api-key: sk-provider-key",
        }
        for dialect, header in own.items():
            provider, text = await self.pair(dialect, "api_keys: [client-key-1]\n")
            gateway = self.gateway(text)
            path, body = REQUESTS[dialect]
            path += ("&" if "?" in path else "?") + "key=client-key-1"
            await gateway.send(
                request(
                    path,
                    body,
                    "authorization: Bearer client-key-1",
                    "x-api-key: placeholder",
                    "api-key: client-key-1",
                    "x-goog-api-key: placeholder",
                    "x-copy: client-key-1",
                    "cookie: a=b",
                    "connection: keep-alive, x-listed",
                    "x-listed: 1",
                    "te: trailers",
                    "x-forwarded-for: 1.2.3.4",
                    "accept-encoding: gzip, br, zstd",
                    "anthropic-beta: a,b",
                    "anthropic-beta: c",
                    "x-amp-thread-id: T-1",
                    "user-agent: client/1",
                )
            )
            upstream = await provider.request()
            head = head_of(upstream.received)
            self.assertIn(header, head, dialect)
            self.assertNotIn(b"client-key-1", bytes(upstream.received), dialect)
            for line in head[1:]:
                name = line.partition(b":")[0]
                self.assertNotIn(name, (b"cookie", b"connection", b"x-listed", b"te", b"x-forwarded-for", b"api-key", b"x-copy"))
            self.assertEqual(sum(line.startswith(b"host:") for line in head), 1)
            self.assertIn(f"host: 127.0.0.1:{provider.port}".encode(), head)
            self.assertIn(b"accept-encoding: identity", head)
            self.assertEqual(
                [line for line in head if line.startswith(b"anthropic-beta")], [b"anthropic-beta: a,b", b"anthropic-beta: c"]
            )
            self.assertIn(b"x-amp-thread-id: t-1", head)
            self.assertIn(b"user-agent: client/1", head)

    async def test_paths(self) -> None:
        """The provider gets the path that its own SDK would ask for, whatever the client's route; escapes stay as they came."""
        rows = [
            ("openai-chat", "/v1/chat/completions", "/v1/chat/completions", "m"),
            ("openai-chat", "//v1//chat/completions/", "/v1/chat/completions", "m"),
            ("openai-chat", "/api/provider/groq/chat/completions", "/v1/chat/completions", "m"),
            ("openai-chat", "/api/provider/openai/v1/completions", "/v1/completions", "m"),
            ("openai-chat", "/api/provider/openai/embeddings", "/v1/embeddings", "m"),
            ("openai-responses", "/api/provider/openai/responses?a", "/v1/responses?a", "m"),
            ("anthropic", "/api/provider/anthropic/v1/messages?beta=true", "/v1/messages?beta=true", "m"),
            ("anthropic", "/api/provider/anthropic/messages/count_tokens", "/v1/messages/count_tokens", "m"),
            ("gemini", "/v1beta/models/m:countTokens", "/v1beta/models/m:countTokens", ""),
            ("gemini", "/v1/models/m:generateContent", "/v1/models/m:generateContent", ""),
            ("gemini", "/v1beta/models/glob-a%2Fb:generateContent?x=%20", "/v1beta/models/glob-a%2Fb:generateContent?x=%20", ""),
            ("gemini", "/v1beta/models/m%3AgenerateContent?alt=sse", "/v1beta/models/m%3AgenerateContent?alt=sse", ""),
            ("gemini", "/v1beta/models/m(high)%3AgenerateContent", "/v1beta/models/m:generateContent", ""),
            ("gemini", "/v1beta/models/m(high):generateContent", "/v1beta/models/m:generateContent", ""),
            ("gemini", "/v1beta1/publishers/google/models/m:generateContent", "/v1beta/models/m:generateContent", ""),
            (
                "gemini",
                "/api/provider/google/v1beta1/publishers/google/models/m:streamGenerateContent?alt=sse",
                "/v1beta/models/m:streamGenerateContent?alt=sse",
                "",
            ),
        ]
        for dialect, path, expected, model in rows:
            provider, text = await self.pair(dialect)
            gateway = self.gateway(text)
            body = b'{"model":"%b"}' % model.encode() if model else b"{}"
            await gateway.send(request(path, body))
            upstream = await provider.request()
            self.assertEqual((path, head_of(upstream.received)[0].decode()), (path, f"POST {expected} HTTP/1.1"))

    async def test_model_is_patched_in_place(self) -> None:
        """A mapping and a suffix change the model's bytes and no others."""
        provider, text = await self.pair("anthropic", "amp: {model_mappings: [{from: Old, to: m}]}\n")
        gateway = self.gateway(text)
        body = '{"metadata":{"model":"old"},  "model" : "old(high)", "n": 1.0, "t":"\u4f60"}'.encode()
        client = await gateway.send(request("/v1/messages", body))
        upstream = await provider.request()
        self.assertEqual(body_of(upstream.received), body.replace(b'"old(high)"', b'"m"'))
        upstream.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        await client.has(b"{}")
        self.assertEqual(
            parse_response(client.received).headers["x-llmux-decision"], "mapped; provider=p; model=m(high); attempts=1"
        )

    async def test_error_body_is_masked(self) -> None:
        """A provider that repeats our key in an error does not give it away, in body or header; statuses travel."""
        provider, text = await self.pair("openai-chat")
        gateway = self.gateway(text)
        said = b'{"error":{"message":"Incorrect API key: sk-provider-key."}}'
        provider._script = lambda wire: wire.send(
            b"HTTP/1.1 401 Unauthorized\r\nx-key: sk-provider-key\r\nretry-after: 7\r\ncontent-length: %d\r\n\r\n%b"
            % (len(said), said)
        )
        response = await gateway.post("/v1/chat/completions", b'{"model":"m"}')
        self.assertEqual(response.status, 401)
        self.assertNotIn(b"sk-provider-key", response.body)
        self.assertIn("Incorrect API key: \u2026-key.", response.body.decode())
        self.assertNotIn("sk-provider-key", response.headers["x-key"])
        self.assertEqual(response.headers["retry-after"], "7")
        self.assertEqual(response.headers["content-length"], str(len(response.body)))

    async def test_successful_body_is_not_masked(self) -> None:
        """What the model says is the model's business."""
        provider, text = await self.pair("openai-chat")
        gateway = self.gateway(text)
        provider._script = lambda wire: wire.send(b'HTTP/1.1 200 OK\r\ncontent-length: 17\r\n\r\n"sk-provider-key"')
        response = await gateway.post("/v1/chat/completions", b'{"model":"m"}')
        self.assertEqual(response.body, b'"sk-provider-key"')

    async def test_redirect_is_not_followed(self) -> None:
        """A redirect would carry the key to wherever it says."""
        provider, text = await self.pair("openai-chat")
        gateway = self.gateway(text)
        provider._script = lambda wire: wire.send(
            b"HTTP/1.1 308 Moved\r\nlocation: http://elsewhere.test/\r\ncontent-length: 0\r\n\r\n"
        )
        response = await gateway.post("/v1/chat/completions", b'{"model":"m"}')
        self.assertEqual(response.status, 502)
        self.assertIn("base_url", json.loads(response.body)["error"]["message"])
        self.assertNotIn("location", response.headers)

    async def test_redirect_does_not_tell_the_key(self) -> None:
        """Neither its path nor its query is repeated with our key in it."""
        provider, text = await self.pair("openai-chat")
        gateway = self.gateway(text)
        provider._script = lambda wire: wire.send(
            b"HTTP/1.1 302 X\r\nlocation: https://e.test/sk-provider-key/?k=sk-provider-key\r\ncontent-length: 0\r\n\r\n"
        )
        response = await gateway.post("/v1/chat/completions", b'{"model":"m"}')
        self.assertNotIn(b"sk-provider-key", response.body)
        self.assertIn(b"https://e.test/", response.body)
        self.assertNotIn("sk-provider-key", gateway.lines[0].why)

    async def test_no_client_key_leaves(self) -> None:
        """Not the one that was recognised, and not another one beside it, wherever it stands."""
        for dialect, path in (("anthropic", "/v1/messages"), ("gemini", "/v1beta/models/m:generateContent")):
            provider, text = await self.pair(dialect, "api_keys: [first-key-1, second-key-2]\n")
            gateway = self.gateway(text)
            await gateway.send(
                request(
                    f"{path}?key=second-key-2&k%65y=second-key-2&auth_token=first-key-1&a=b",
                    b'{"model":"m"}',
                    "authorization: Bearer first-key-1",
                    "x-foo: second-key-2",
                    "x-bar: Token second-key-2",
                )
            )
            upstream = await provider.request()
            self.assertNotIn(b"second-key-2", upstream.received)
            self.assertNotIn(b"first-key-1", upstream.received)
            self.assertTrue(head_of(upstream.received)[0].endswith(b"?a=b HTTP/1.1"))

    async def test_answer_without_content_type(self) -> None:
        """None is invented."""
        provider, text = await self.pair("openai-chat")
        gateway = self.gateway(text)
        provider._script = lambda wire: wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
        response = await gateway.post("/v1/chat/completions", b'{"model":"m"}')
        self.assertNotIn("content-type", response.headers)

    async def test_long_names(self) -> None:
        """A name of any length is refused in a head that every client can read."""
        _, text = await self.pair("openai-chat")
        gateway = self.gateway(text)
        response = await gateway.post("/v1/chat/completions", b'{"model":"%b"}' % (b"x" * 70_000))
        self.assertEqual(response.status, 503)
        self.assertLess(max(len(value) for value in response.headers.values()), 500)

    async def test_connections_are_reused(self) -> None:
        """Two requests, one connection; and a connection that the provider closed meanwhile costs nobody an error."""
        provider, text = await self.pair("openai-chat")
        gateway = self.gateway(text)
        for _ in range(2):
            done = Deferred.fromCoroutine(gateway.post("/v1/chat/completions", b'{"model":"m"}'))
            upstream = await provider.request(0)
            upstream.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            upstream.received.clear()
            self.assertEqual((await done).status, 200)
        self.assertEqual(len(provider.connections), 1)

    async def test_stale_connection_is_replaced(self) -> None:
        """A kept connection that dies under a request before a byte came back: asked again at once, on a new one."""
        provider, text = await self.pair("openai-chat")
        gateway = self.gateway(text)
        answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
        provider._script = lambda wire: wire.send(answer)
        self.assertEqual((await gateway.post("/v1/chat/completions", b'{"model":"m"}')).status, 200)
        first = provider.connections[0]
        first.received.clear()
        first.until(lambda: bool(first.received)).addCallback(lambda _: first.close())
        self.assertEqual((await gateway.post("/v1/chat/completions", b'{"model":"m"}')).status, 200)
        self.assertEqual(len(provider.connections), 2)

    async def test_two_answers_on_one_request(self) -> None:
        """A second answer in the same packet reaches nobody, and the connection is not used again."""
        provider, text = await self.pair("openai-chat")
        gateway = self.gateway(text)
        evil = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"
        provider._script = lambda wire: wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok" + evil)
        for _ in range(2):
            self.assertEqual((await gateway.post("/v1/chat/completions", b'{"model":"m"}')).body, b"ok")
        self.assertEqual(len(provider.connections), 2)

    async def test_informational_replies_are_skipped(self) -> None:
        """100 and 103 before the answer."""
        provider, text = await self.pair("openai-chat")
        gateway = self.gateway(text)
        provider._script = lambda wire: wire.send(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
        )
        response = await gateway.post("/v1/chat/completions", b'{"model":"m"}')
        self.assertEqual((response.status, response.body), (200, b"ok"))
        self.assertNotIn("link", response.headers)


class LongWayPassThroughTests(PassThroughTests):
    """The same through twisted.web."""

    express = False
