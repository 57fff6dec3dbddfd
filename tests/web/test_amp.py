"""Amp's control plane, its upstream, and the tunnel."""

from __future__ import annotations

import gzip
import json

from tests.harness import GatewayCase, Provider, Wire, body_of, head_of, parse_response, request

_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
_DEMO = "providers: {demo: {scenario: 'builtin:hello', models: ['local-model']}}\n"


class UpstreamTests(GatewayCase):
    """What goes to the Amp upstream, and what comes back."""

    async def upstream(self, more: str = "", keys: str = "", environ: dict[str, str] | None = None) -> tuple[Provider, str]:
        """An upstream, and the configuration for it."""
        provider = await self.provider(lambda wire: wire.send(_ANSWER))
        url = f"http://127.0.0.1:{provider.port}"
        return provider, f"{keys}{_DEMO}amp: {{upstream_url: '{url}', upstream_api_key: amp-secret{more}}}\n"

    async def test_every_route_is_proxied(self) -> None:
        """The table of the reference, method, path and query as they came."""
        provider, text = await self.upstream()
        gateway = self.gateway(text)
        rows = [
            ("POST", f"/api/{name}")
            for name in ("internal", "user", "auth", "meta", "ads", "telemetry", "threads", "otel", "tab")
        ]
        rows += [
            ("PUT", f"/api/{name}/a/b%2Fc")
            for name in ("internal", "user", "auth", "meta", "telemetry", "threads", "otel", "tab")
        ]
        rows += [("POST", "/api/thread-actors"), ("GET", "/api/user-actor-credentials"), ("DELETE", "/api/attachments/x")]
        rows += [("GET", path) for path in ("/threads", "/threads/T-1", "/docs", "/docs/a", "/settings", "/settings/x")]
        rows += [("GET", "/threads.rss"), ("GET", "/news.rss"), ("GET", "/auth"), ("POST", "/auth/logout")]
        rows += [("GET", "/api/provider/google/v1beta1/projects/x"), ("POST", "/api/provider/google/v1beta1/upload")]
        rows += [("POST", "/api/provider/openai/v1/files"), ("GET", "/api/provider/xai/v1/api-key"), ("GET", "/actors/metadata")]
        for method, path in rows:
            provider.connections.clear()
            target = f"{path}?getUserInfo&x=%20+y&&z"
            response = await gateway.post(target, b"{}", method=method) if method != "GET" else await gateway.get(target)
            self.assertEqual((path, response.status, response.body), (path, 200, b"{}"))
            wire = await provider.request()
            self.assertEqual(head_of(wire.received)[0], f"{method} {target} HTTP/1.1".encode())
            wire.close()
            await wire.ended()

    async def test_credentials(self) -> None:
        """The client's go, ours come; queries lose only the client's key; fingerprints are scrubbed, betas stay."""
        provider, text = await self.upstream(keys="api_keys: [client-key-1]\n")
        gateway = self.gateway(text)
        await gateway.send(
            request(
                "/api/internal?getUserInfo&key=client-key-1&key=other&auth_token=client-key-1",
                b'{"a":1}',
                "authorization: Bearer client-key-1",
                "x-api-key: client-key-1",
                "x-goog-api-key: placeholder",
                "x-stainless-lang: js",
                "x-stainless-timeout: 60",
                "x-forwarded-for: 1.2.3.4",
                "via: x",
                "anthropic-beta: context-1m-2025-08-07",
                "x-request-id: abc",
                "accept-encoding: gzip, br",
                "user-agent: node",
            )
        )
        wire = await provider.request()
        head = head_of(wire.received)
        self.assertEqual(head[0], b"POST /api/internal?getUserInfo&key=other HTTP/1.1")
        self.assertIn(b"x-api-key: amp-secret", head)
        self.assertIn(b"authorization: bearer amp-secret", head)
        self.assertIn(b"anthropic-beta: context-1m-2025-08-07", head)
        self.assertIn(b"x-stainless-timeout: 60", head)
        self.assertIn(b"x-request-id: abc", head)
        self.assertIn(b"user-agent: node", head)
        self.assertEqual(body_of(wire.received), b'{"a":1}')
        text_ = bytes(wire.received)
        for gone in (b"client-key-1", b"placeholder", b"x-stainless-lang", b"x-forwarded-for", b"via:", b"gzip"):
            self.assertNotIn(gone, text_)

    async def test_secret_from_the_environment(self) -> None:
        """AMP_API_KEY where the configuration names none."""
        provider = await self.provider(lambda wire: wire.send(_ANSWER))
        gateway = self.gateway(
            f"amp: {{upstream_url: 'http://127.0.0.1:{provider.port}'}}\n{_DEMO}", {"AMP_API_KEY": " from-env "}
        )
        await gateway.get("/api/user")
        self.assertIn(b"x-api-key: from-env", head_of(provider.connections[0].received))

    async def test_secret_from_amps_own_file(self) -> None:
        """The file of Amp's command line comes last."""
        import pathlib

        home = pathlib.Path(self.mktemp())
        (home / ".local/share/amp").mkdir(parents=True)
        (home / ".local/share/amp/secrets.json").write_text('{"apiKey@https://ampcode.com/": "from-file"}')
        provider = await self.provider(lambda wire: wire.send(_ANSWER))
        gateway = self.gateway(f"amp: {{upstream_url: 'http://127.0.0.1:{provider.port}'}}\n{_DEMO}", {"HOME": str(home)})
        await gateway.get("/api/user")
        self.assertIn(b"authorization: bearer from-file", head_of(provider.connections[0].received))

    async def test_model_that_nobody_serves(self) -> None:
        """On Amp's routes it goes to the upstream, body and query unchanged; on native ones it is 503."""
        provider, text = await self.upstream()
        gateway = self.gateway(text)
        body = '{ "model":"claude-x(high)", "n": 1.0, "t":"\u4f60"}'.encode()
        response = await gateway.post("/api/provider/anthropic/v1/messages?beta=true", body)
        self.assertEqual(response.status, 200)
        self.assertEqual(response.headers["x-llmux-decision"], "upstream; provider=amp; model=claude-x(high); attempts=1")
        wire = provider.connections[0]
        self.assertEqual(body_of(wire.received), body)
        self.assertEqual(head_of(wire.received)[0], b"POST /api/provider/anthropic/v1/messages?beta=true HTTP/1.1")
        response = await gateway.post("/v1/messages", body)
        self.assertEqual(response.status, 503)
        document = json.loads(response.body)
        self.assertEqual(document["error"]["message"], "No provider available for model: claude-x(high)")
        self.assertEqual(response.headers["x-should-retry"], "false")
        self.assertTrue(response.headers["x-llmux-decision"].startswith("refused; provider=-;"))

    async def test_local_model_stays_here(self) -> None:
        """No request reaches the upstream for a model that is served here; the Gemini bridge too."""
        provider, text = await self.upstream()
        gateway = self.gateway(text)
        body = b'{"model":"local-model","max_tokens":9,"messages":[{"role":"user","content":"hello"}]}'
        response = await gateway.post("/api/provider/anthropic/v1/messages", body)
        self.assertEqual(response.headers["x-llmux-decision"], "local; provider=demo; model=local-model; attempts=1")
        path = "/api/provider/google/v1beta1/publishers/google/models/local-model:generateContent"
        response = await gateway.post(path, b'{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}')
        self.assertEqual(response.status, 200)
        self.assertEqual(provider.connections, [])

    async def test_bridge_narrows(self) -> None:
        """A configured provider in the path is the only one, on the bridge as elsewhere."""
        once = _ANSWER.replace(b"content-length", b"connection: close\r\ncontent-length")
        first = await self.provider(lambda wire: wire.send(once))
        second = await self.provider(lambda wire: wire.send(once))
        gateway = self.gateway(
            "providers:\n"
            f"  g1: {{dialect: gemini, base_url: 'http://127.0.0.1:{first.port}', models: ['gemini-*']}}\n"
            f"  google: {{dialect: gemini, base_url: 'http://127.0.0.1:{second.port}', models: ['gemini-*']}}\n"
        )
        path = "/api/provider/google/v1beta1/publishers/google/models/gemini-x:generateContent"
        self.assertIn("provider=google", (await gateway.post(path, b"{}")).headers["x-llmux-decision"])
        path = "/api/provider/google/v1beta1/projects/p/models/gemini-x:generateContent"
        self.assertIn("provider=google", (await gateway.post(path, b"{}")).headers["x-llmux-decision"])
        response = await gateway.post("/api/provider/google/v1beta1/models/gemini-x", b"{}")
        self.assertEqual(json.loads(response.body)["error"]["message"], "Invalid Gemini API path format")

    async def test_upstream_down(self) -> None:
        """502 with exactly the body that Amp's clients know, on the control plane and for models."""
        gateway = self.gateway(_DEMO + "amp: {upstream_url: 'http://127.0.0.1:1'}\n")
        known = b'{"error":"amp_upstream_proxy_error","message":"Failed to reach Amp upstream"}'
        for response in (
            await gateway.post("/api/internal?getUserInfo", b"{}"),
            await gateway.post("/api/provider/anthropic/v1/messages", b'{"model":"x"}'),
            await gateway.get("/threads"),
        ):
            self.assertEqual((response.status, response.body), (502, known))
            self.assertEqual(response.headers["content-type"], "application/json")

    async def test_statuses_and_redirects_travel(self) -> None:
        """Errors and redirects are the upstream's own."""
        provider, text = await self.upstream()
        gateway = self.gateway(text)
        for status, line in ((429, "429 Slow"), (302, "302 Found"), (404, "404 Not Found")):
            provider._script = lambda wire, line=line: wire.send(
                f"HTTP/1.1 {line}\r\nlocation: https://ampcode.test/x\r\n".encode()
                + b"set-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 3\r\n\r\nabc"
            )
            for wire in provider.connections:
                wire.close()
            response = await gateway.get("/auth/sign-in")
            self.assertEqual((response.status, response.body), (status, b"abc"))
            self.assertEqual(response.headers["location"], "https://ampcode.test/x")
            self.assertEqual(response.headers["set-cookie"], "a=1, b=2")

    async def test_unlabelled_gzip(self) -> None:
        """Undone once, length right; a corrupt one and an event stream stay as they are; labelled gzip is readable too."""
        provider, text = await self.upstream()
        gateway = self.gateway(text)
        plain = b'{"ok":true,"result":' + b"1" * 5000 + b"}"
        packed = gzip.compress(plain)
        rows = [
            (b"content-type: application/json", packed, plain),
            (b"content-type: application/json", packed[:-9], packed[:-9]),
            (b"content-type: application/json", packed[:5] + b"\xff" + packed[6:-3], packed[:5] + b"\xff" + packed[6:-3]),
            (b"content-type: text/event-stream", packed, packed),
            (b"content-type: application/json\r\ncontent-encoding: gzip", packed, plain),
            (b"content-type: application/json", b"\x1f", b"\x1f"),
            (b"content-type: application/json", b"", b""),
        ]
        for fields, sent, expected in rows:
            for wire in provider.connections:
                wire.close()
            provider._script = lambda wire, fields=fields, sent=sent: wire.send(
                b"HTTP/1.1 200 OK\r\n%b\r\ncontent-length: %d\r\n\r\n%b" % (fields, len(sent), sent)
            )
            response = await gateway.get("/api/threads")
            self.assertEqual((fields, len(sent), response.body), (fields, len(sent), expected))
            self.assertTrue(response.whole)
            self.assertNotIn("content-encoding", response.headers)
            self.assertIn(response.headers.get("content-length"), (None, str(len(expected))))

    async def test_client_gone(self) -> None:
        """Silence, and the upstream's connection is closed."""
        provider, text = await self.upstream()
        provider._script = lambda wire: None
        gateway = self.gateway(text)
        client = await gateway.send(request("/api/internal?x", b"{}"))
        wire = await provider.request()
        client.reset()
        await wire.ended()

    async def test_browser_pages(self) -> None:
        """Proxied, or redirected where the configuration says so; 503 without an upstream."""
        provider, text = await self.upstream(", browser_pages: redirect")
        gateway = self.gateway(text)
        response = await gateway.get("/threads/T-1?a=b", "accept: text/html,application/xhtml+xml")
        self.assertEqual(response.status, 307)
        self.assertEqual(response.headers["location"], f"http://127.0.0.1:{provider.port}/threads/T-1?a=b")
        self.assertEqual((await gateway.get("/threads/T-1", "accept: application/json")).body, b"{}")
        keyed = self.gateway(f"api_keys: [client-key-1]\n{text}")
        response = await keyed.get("/threads/x?a=b&key=client-key-1", "accept: text/html")
        self.assertTrue(response.headers["location"].endswith("/threads/x?a=b"))
        response = await self.gateway(_DEMO).get("/threads")
        self.assertEqual((response.status, json.loads(response.body)), (503, {"error": "amp upstream proxy not available"}))


class LocalTests(GatewayCase):
    """With no account at all."""

    async def test_without_upstream_the_plane_is_local(self) -> None:
        """Amp's command line gets what it needs to run."""
        gateway = self.gateway(_DEMO)
        document = json.loads((await gateway.post("/api/internal?getUserInfo", b'{"method":"getUserInfo","params":{}}')).body)
        self.assertTrue(document["ok"])
        document = json.loads((await gateway.post("/api/internal?getThread", b'{"params":{"threadID":"T-1"}}')).body)
        self.assertEqual(document["error"]["code"], "thread-not-found")
        self.assertEqual(json.loads((await gateway.get("/api/threads")).body), [])
        self.assertEqual((await gateway.get("/news.rss")).status, 200)
        self.assertEqual((await gateway.get("/api/nothing")).status, 404)

    async def test_local_although_there_is_an_upstream(self) -> None:
        """`control_plane: local` keeps the control plane here, while models may still go to the upstream."""
        provider = await self.provider(lambda wire: wire.send(_ANSWER))
        gateway = self.gateway(_DEMO + f"amp: {{upstream_url: 'http://127.0.0.1:{provider.port}', control_plane: local}}\n")
        self.assertTrue(json.loads((await gateway.post("/api/internal?getUserInfo", b"{}")).body)["ok"])
        self.assertEqual(provider.connections, [])
        self.assertEqual((await gateway.post("/api/provider/openai/v1/responses", b'{"model":"x"}')).body, b"{}")
        self.assertEqual(len(provider.connections), 1)

    async def test_upstream_plane_without_upstream(self) -> None:
        """503 with the words of the reference."""
        gateway = self.gateway(_DEMO + "amp: {control_plane: upstream}\n")
        response = await gateway.post("/api/internal?getUserInfo", b"{}")
        self.assertEqual((response.status, json.loads(response.body)), (503, {"error": "amp upstream proxy not available"}))


class TunnelTests(GatewayCase):
    """WebSocket upgrades on /actors."""

    async def open(self) -> tuple[Wire, Wire]:
        """A tunnel: the client's wire and the upstream's."""
        provider = await self.provider()
        gateway = self.gateway(
            f"api_keys: [client-key-1]\n{_DEMO}"
            f"amp: {{upstream_url: 'http://127.0.0.1:{provider.port}', upstream_api_key: amp-secret}}\n"
        )
        self.lines = gateway.lines
        path = "/actors/gateway/threadActor/websocket/?rvt-namespace=default&rvt-key=T-1"
        client = await gateway.send(
            request(
                path,
                None,
                "connection: Upgrade",
                "upgrade: websocket",
                "sec-websocket-key: abc",
                "sec-websocket-protocol: rivet, rivet_conn_params.%7B%7D",
                "authorization: Basic own",
                method="GET",
            )
            + b"early"
        )
        upstream = await provider.request()
        head = head_of(upstream.received)
        self.assertEqual(head[0], f"GET {path} HTTP/1.1".encode())
        self.assertIn(b"connection: upgrade", head)
        self.assertIn(b"upgrade: websocket", head)
        self.assertIn(b"sec-websocket-key: abc", head)
        self.assertIn(b"authorization: basic own", head)
        self.assertNotIn(b"amp-secret", bytes(upstream.received))
        return client, upstream

    async def test_both_ways(self) -> None:
        """Bytes travel both ways, those that came early too, and either end's close reaches the other."""
        for closer in ("client", "upstream"):
            client, upstream = await self.open()
            upstream.send(
                b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n"
                b"sec-websocket-accept: xyz\r\nsec-websocket-protocol: rivet\r\n\r\n\x81\x02hi"
            )
            await client.has(b"\r\n\r\n\x81\x02hi")
            head = head_of(client.received)
            self.assertTrue(head[0].startswith(b"HTTP/1.1 101 "))
            self.assertIn(b"sec-websocket-accept: xyz", head)
            self.assertIn(b"sec-websocket-protocol: rivet", head)
            await upstream.has(b"\r\n\r\nearly")
            client.send(b"\x00\xff" * 100_000)
            await upstream.until(lambda up=upstream: up.received.count(b"\x00\xff") == 100_000)  # type: ignore[misc]
            upstream.send(b"\x01" * 300_000)
            await client.until(lambda c=client: c.received.count(b"\x01") == 300_000)  # type: ignore[misc]
            first, second = (client, upstream) if closer == "client" else (upstream, client)
            first.close()
            await second.ended()
            self.assertEqual([(line.status, line.outcome) for line in self.lines], [(101, "ok")])

    async def test_refused_upgrade(self) -> None:
        """The upstream's refusal reaches the client as an ordinary answer."""
        client, upstream = await self.open()
        upstream.send(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno")
        await client.has(b"\r\n\r\nno")
        self.assertEqual(parse_response(client.received).status, 403)

    async def test_upstream_down(self) -> None:
        """502."""
        gateway = self.gateway(_DEMO + "amp: {upstream_url: 'http://127.0.0.1:1'}\n")
        response = await gateway.get("/actors/gateway/x", "upgrade: websocket", "connection: Upgrade")
        self.assertEqual(response.status, 502)
        response = await self.gateway(_DEMO).get("/actors/gateway/x", "upgrade: websocket")
        self.assertEqual(response.status, 503)
