"""Who may call what: every row of the route table, with every kind of caller."""

from __future__ import annotations

import json
import re

from llmux.web.auth import Keyring, credentials, is_loopback
from llmux.web.routes import ALL_METHODS, ROUTES
from tests.harness import GatewayCase

_CONFIG = "api_keys: [client-key-1, client-key-2]\nproviders: {demo: {scenario: 'builtin:hello', models: ['m']}}\n"
_PLACES = {
    "bearer": ("authorization: Bearer {}", ""),
    "bearer in capitals": ("Authorization: BEARER {}", ""),
    "bare": ("authorization: {}", ""),
    "x-api-key": ("x-api-key: {}", ""),
    "api-key": ("api-key: {}", ""),
    "x-goog-api-key": ("x-goog-api-key: {}", ""),
    "key": ("x-a: b", "key={}"),
    "auth_token": ("x-a: b", "a=b&auth_token={}"),
}


def path_of(pattern: str) -> str:
    """A path that matches a row."""
    filled = pattern.replace("<path:model>", "m:generateContent").replace("<provider>", "openai")
    return re.sub(r"<[^>]+>", "m", filled)


class AccessTests(GatewayCase):
    """Keys are asked for by the table."""

    async def test_every_route_asks_for_a_key(self) -> None:
        """No row is forgotten: without a key each answers 401, but for those that the table opens."""
        gateway = self.gateway(_CONFIG)
        opened = []
        for route in ROUTES:
            method = (route.methods or ("GET",))[0]
            response = await gateway.post(path_of(route.path), b"{}", method=method)
            if route.access == "client":
                self.assertEqual((route.path, response.status), (route.path, 401))
            else:
                opened.append(route.path)
                self.assertNotEqual((route.path, response.status), (route.path, 401))
        self.assertEqual(
            sorted({*opened} - {"/actors/<path:rest>", "/api/hello", "/health", "/metrics"}),
            sorted(f"/{page}{rest}" for page in ("threads", "docs", "settings", "auth") for rest in ("", "/<path:rest>")),
        )

    async def test_key_in_every_place(self) -> None:
        """Each place is looked at; a wrong key is refused in each; a placeholder beside the right one does no harm."""
        gateway = self.gateway(_CONFIG)
        for name, (header, query) in _PLACES.items():
            for key, status in (("client-key-2", 200), ("client-key-3", 401), ("client-key", 401)):
                path = "/v1/models" + ("?" + query.format(key) if query else "")
                response = await gateway.get(path, header.format(key))
                self.assertEqual((name, key, response.status), (name, key, status))
        response = await gateway.get("/v1/models", "authorization: Bearer client-key-1", "x-goog-api-key: placeholder")
        self.assertEqual(response.status, 200)
        response = await gateway.get("/v1/models", "authorization: Bearer wrong", "x-api-key: client-key-1")
        self.assertEqual(response.status, 200)
        response = await gateway.get("/v1/models?key=client%2Dkey%2D1")
        self.assertEqual(response.status, 200)

    async def test_refusal_in_the_dialect(self) -> None:
        """401 as each client reads it, telling a missing key from a wrong one."""
        gateway = self.gateway(_CONFIG)
        response = await gateway.post("/v1/messages", b"{}")
        document = json.loads(response.body)
        self.assertEqual((document["type"], document["error"]["type"]), ("error", "authentication_error"))
        self.assertEqual(document["error"]["message"], "Missing API key")
        response = await gateway.post("/v1/chat/completions", b"{}", "authorization: Bearer wrong-key-9")
        document = json.loads(response.body)
        self.assertEqual(document["error"]["code"], "invalid_api_key")
        self.assertEqual(document["error"]["message"], "Invalid API key")
        self.assertNotIn(b"wrong-key-9", response.body)
        response = await gateway.post("/v1beta/models/m:generateContent", b"{}")
        self.assertEqual(json.loads(response.body)["error"]["status"], "UNAUTHENTICATED")
        response = await gateway.post("/api/internal?getUserInfo", b"{}")
        self.assertEqual(json.loads(response.body), {"error": "Missing API key"})

    async def test_models_of_a_key(self) -> None:
        """A key may be bound to models; others are refused as the dialect refuses."""
        gateway = self.gateway(
            "api_keys: [{key: bound-key-1, models: ['gpt-*', m]}, free-key-1]\n"
            "providers: {demo: {scenario: 'builtin:hello', models: ['*']}}\n"
        )
        bound, free = "bound-key-1", "free-key-1"
        for model, key, status in (("m", bound, 200), ("gpt-5(high)", bound, 200), ("x", bound, 403), ("x", free, 200)):
            body = json.dumps({"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "hello"}]}).encode()
            response = await gateway.post("/v1/messages", body, f"x-api-key: {key}")
            self.assertEqual((model, key, response.status), (model, key, status))
            if status == 403:
                self.assertEqual(json.loads(response.body)["error"]["type"], "permission_error")

    async def test_bound_key_cannot_go_around(self) -> None:
        """Not by another spelling of a path that the Amp upstream might understand."""
        gateway = self.gateway(
            "api_keys: [{key: bound-key-1, models: ['gpt-*']}]\namp: {upstream_url: 'http://127.0.0.1:1'}\n"
            "providers: {demo: {scenario: 'builtin:hello', models: ['m']}}\n"
        )
        for path in ("/v1/messages", "/v1/messages%2F", "/v1/MESSAGES", "/v2/messages"):
            response = await gateway.post(f"/api/provider/anthropic{path}", b'{"model":"claude-x"}', "x-api-key: bound-key-1")
            self.assertEqual((path, response.status), (path, 403))

    async def test_every_exchange_is_booked(self) -> None:
        """A line and a count for what was refused too; none for the machines that ask how it is."""
        gateway = self.gateway(_CONFIG)
        await gateway.get("/health")
        await gateway.get("/v1/models")
        await gateway.get("/nowhere", "x-api-key: client-key-1", "x-request-id: mine-1")
        await gateway.post("/v1/messages", b"[]", "x-api-key: client-key-2")
        await gateway.post("/v1/messages", b'{"model":"nobody"}', "x-api-key: client-key-2")
        rows = [(line.status, line.path, line.client, line.outcome, line.decision) for line in gateway.lines]
        self.assertEqual(
            rows,
            [
                (401, "/v1/models", "-", "rejected", "-"),
                (404, "/nowhere", "-", "rejected", "-"),
                (400, "/v1/messages", "key-2", "rejected", "-"),
                (503, "/v1/messages", "key-2", "rejected", "refused"),
            ],
        )
        self.assertEqual(gateway.lines[1].request_id, "mine-1")
        text = (await gateway.get("/metrics")).body
        self.assertIn(b'llmux_requests_total{code_class="4xx",dialect_in="-",outcome="rejected",route="-"} 1.0', text)

    async def test_no_keys(self) -> None:
        """Without configured keys anybody on this host may call, with any key or none."""
        gateway = self.gateway("providers: {demo: {scenario: 'builtin:hello', models: ['m']}}\n")
        for header in ("x-a: b", "authorization: Bearer whatever"):
            self.assertEqual((await gateway.get("/v1/models", header)).status, 200)
        self.assertIn("No client keys are set", " ".join(gateway.said))

    async def test_preflight_of_private_routes(self) -> None:
        """The control plane never speaks to other origins."""
        gateway = self.gateway(_CONFIG)
        for path in ("/api/internal", "/api/threads/x", "/auth/sign-in"):
            response = await gateway.get(path, "origin: https://evil.test", method="OPTIONS")
            self.assertEqual(response.status, 403)
            self.assertNotIn("access-control-allow-origin", response.headers)

    async def test_other_methods(self) -> None:
        """405 with Allow, as JSON in the dialect; unknown methods too; HEAD goes where GET goes."""
        gateway = self.gateway("providers: {demo: {scenario: 'builtin:hello', models: ['m']}}\n")
        for path, allow in (("/v1/chat/completions", "POST"), ("/v1/responses", "POST"), ("/health", "GET, HEAD")):
            for method in ("PUT", "DELETE", "PATCH", "BREW"):
                response = await gateway.post(path, b"{}", method=method)
                self.assertEqual((path, method, response.status), (path, method, 405))
                self.assertEqual(response.headers["allow"], allow)
                self.assertEqual(response.headers["content-type"], "application/json")
                json.loads(response.body)
        response = await gateway.get("/health", method="HEAD")
        self.assertEqual((response.status, response.body), (200, b""))
        response = await gateway.get("/api/provider/openai/v1/chat/completions")
        self.assertEqual((response.status, response.headers["allow"]), (405, "POST"))
        response = await gateway.get("/v1/responses")
        self.assertEqual((response.status, response.headers["allow"]), (405, "POST"))
        for path in ("/v1/models/x", "/v1beta/models/x", "/api/provider/a/v1/models/x"):
            response = await gateway.get(path, method="PUT")
            self.assertEqual((response.status, response.headers["allow"]), (405, "GET, HEAD, POST"))

    async def test_unknown_paths(self) -> None:
        """404 as JSON in the dialect of the path, never HTML, and no redirect for slashes."""
        gateway = self.gateway("providers: {demo: {scenario: 'builtin:hello', models: ['m']}}\n")
        for path in ("/", "/nowhere", "/v1/nowhere", "/v1beta/x", "/api/provider/anthropic/x", "/api/provider/openai", "/api/x"):
            for method in ("GET", "POST"):
                response = await gateway.get(path, method=method)
                self.assertEqual((path, response.status), (path, 404))
                self.assertEqual(response.headers["content-type"], "application/json")
        self.assertEqual(json.loads((await gateway.get("/nowhere")).body), {"error": "Not found"})
        self.assertEqual(json.loads((await gateway.get("/v1/messages/x")).body)["type"], "error")
        self.assertEqual(json.loads((await gateway.get("/api/provider/google/x")).body)["error"]["status"], "NOT_FOUND")

    async def test_escapes_do_not_make_segments(self) -> None:
        """Segments are cut before they are decoded, and dots lead nowhere."""
        gateway = self.gateway("providers: {demo: {scenario: 'builtin:hello', models: ['m']}}\n")
        body = b'{"model":"m","messages":[{"role":"user","content":"x"}]}'
        for path in ("/v1/chat%2Fcompletions", "/v1%2Fchat/completions", "/x/../v1/chat/completions", "/v1/./chat/completions"):
            self.assertEqual((path, (await gateway.post(path, body)).status), (path, 404))
        for path in ("/v1/ch%61t/completions", "///v1//chat/completions//", "/v1/chat/completions/"):
            self.assertEqual((path, (await gateway.post(path, body)).status), (path, 200))
        self.assertEqual((await gateway.get("/%ff")).status, 404)

    async def test_metrics_and_health(self) -> None:
        """Open to this host."""
        gateway = self.gateway(_CONFIG)
        response = await gateway.get("/health")
        self.assertEqual(json.loads(response.body)["status"], "healthy")
        response = await gateway.get("/metrics")
        self.assertIn(b"llmux_build_info", response.body)
        self.assertIn(b"process_open_fds", response.body)

    async def test_hello(self) -> None:
        """Claude Code's greeting brings no key, and stays here."""
        gateway = self.gateway(_CONFIG)
        self.assertEqual((await gateway.get("/api/hello", method="HEAD")).status, 200)

    async def test_codex_upgrade(self) -> None:
        """426 at once makes Codex use POST."""
        gateway = self.gateway(_CONFIG)
        response = await gateway.get(
            "/v1/responses", "authorization: Bearer client-key-1", "upgrade: websocket", "connection: Upgrade"
        )
        self.assertEqual(response.status, 426)


class KeyringTests(GatewayCase):
    """The pure parts."""

    def test_salted(self) -> None:
        """Two keyrings keep different digests of one key."""

        class Key:
            key, name, models = "secret-key", "k", None

        first, second = Keyring([Key]), Keyring([Key])
        self.assertNotEqual(list(first._keys), list(second._keys))
        self.assertEqual(first.identify([(b"x-api-key", b"secret-key")], b"").name, "k")

    def test_credentials(self) -> None:
        """Odd ones do not break the reading."""
        found = list(credentials([(b"authorization", b"Bearer  x "), (b"authorization", b"Basic abc")], b"key=%zz&key&=&key=a+b"))
        self.assertEqual(found, [b"x", b"Basic abc", b"%zz", b"a b"])

    def test_loopback(self) -> None:
        """Only addresses of this host."""
        for peer in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", ""):
            self.assertTrue(is_loopback(peer), peer)
        for peer in ("10.0.0.1", "0.0.0.0", "::", "::ffff:10.0.0.1", "localhost", "x"):
            self.assertFalse(is_loopback(peer), peer)

    def test_table(self) -> None:
        """Every pattern is one of its own, and names methods that are known."""
        seen: dict[str, set[str]] = {}
        for route in ROUTES:
            methods = set(route.methods or ALL_METHODS)
            self.assertFalse(methods & seen.get(route.path, set()), route.path)
            seen.setdefault(route.path, set()).update(methods)
