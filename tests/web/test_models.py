"""Model lists, what providers themselves list, and who is asked next when nobody opens."""

from __future__ import annotations

import functools
import json
from typing import cast

from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, LogEvent, eventAsText, globalLogPublisher

from llmux import service
from tests.harness import GatewayCase, Wire, head_of, reactor

_TWO = (
    "providers:\n"
    "  openai: {dialect: openai, base_url: 'http://127.0.0.1:1/v1', models: [gpt-5, 'gpt-*']}\n"
    "  claude: {dialect: anthropic, base_url: 'http://127.0.0.1:1', models: [claude-a, claude-b, claude-c]}\n"
)


class ShapeTests(GatewayCase):
    """One path, three vendors."""

    async def test_shape_by_caller(self) -> None:
        """Told by the caller's headers."""
        gateway = self.gateway(_TWO)
        document = json.loads((await gateway.get("/v1/models")).body)
        self.assertEqual([row["id"] for row in document["data"]], ["gpt-5", "claude-a", "claude-b", "claude-c"])
        self.assertEqual((document["object"], document["data"][0]["owned_by"]), ("list", "openai"))
        for header in ("anthropic-version: 2023-06-01", "x-api-key: any"):
            document = json.loads((await gateway.get("/v1/models", header)).body)
            self.assertEqual((document["first_id"], document["last_id"], document["has_more"]), ("gpt-5", "claude-c", False))
        for path, header in (("/v1/models", "x-goog-api-key: k"), ("/v1/models?key=k", "a: b"), ("/v1beta/models", "a: b")):
            document = json.loads((await gateway.get(path, header)).body)
            self.assertEqual(document["models"][0]["name"], "models/gpt-5")

    async def test_aliases(self) -> None:
        """By family; a configured provider shows its own models alone."""
        gateway = self.gateway(_TWO)
        for path in ("/api/provider/anthropic/v1/models", "/api/provider/Anthropic/models"):
            self.assertEqual(json.loads((await gateway.get(path)).body)["first_id"], "gpt-5")
        self.assertIn("models", json.loads((await gateway.get("/api/provider/google/models")).body))
        self.assertIn("models", json.loads((await gateway.get("/api/provider/xai/v1beta/models")).body))
        self.assertEqual(json.loads((await gateway.get("/api/provider/groq/v1/models")).body)["object"], "list")
        document = json.loads((await gateway.get("/api/provider/claude/v1/models")).body)
        self.assertEqual([row["id"] for row in document["data"]], ["claude-a", "claude-b", "claude-c"])

    async def test_one(self) -> None:
        """By name, in every shape; an unknown one is 404 in the dialect."""
        gateway = self.gateway(_TWO)
        self.assertEqual(json.loads((await gateway.get("/v1/models/gpt-5")).body)["id"], "gpt-5")
        document = json.loads((await gateway.get("/v1/models/claude-a", "anthropic-version: x")).body)
        self.assertEqual((document["type"], document["id"]), ("model", "claude-a"))
        self.assertEqual(json.loads((await gateway.get("/v1beta/models/claude-a")).body)["name"], "models/claude-a")
        self.assertEqual(json.loads((await gateway.get("/v1/models/gpt-by-pattern")).body)["owned_by"], "openai")
        response = await gateway.get("/v1/models/nobody")
        self.assertEqual((response.status, json.loads(response.body)["error"]["code"]), (404, "model_not_found"))
        self.assertEqual((await gateway.get("/v1beta/models/nobody")).status, 404)

    async def test_pages(self) -> None:
        """As each vendor pages."""
        gateway = self.gateway(_TWO)
        page = json.loads((await gateway.get("/v1/models?limit=2", "anthropic-version: x")).body)
        self.assertEqual(([row["id"] for row in page["data"]], page["has_more"]), (["gpt-5", "claude-a"], True))
        page = json.loads((await gateway.get("/v1/models?limit=2&after_id=claude-a", "anthropic-version: x")).body)
        self.assertEqual(([row["id"] for row in page["data"]], page["has_more"]), (["claude-b", "claude-c"], False))
        page = json.loads((await gateway.get("/v1/models?limit=2&before_id=claude-c", "anthropic-version: x")).body)
        self.assertEqual(([row["id"] for row in page["data"]], page["has_more"]), (["claude-a", "claude-b"], True))
        page = json.loads((await gateway.get("/v1beta/models?pageSize=3")).body)
        self.assertEqual((len(page["models"]), page["nextPageToken"]), (3, "claude-c"))
        page = json.loads((await gateway.get("/v1beta/models?pageSize=3&pageToken=claude-c")).body)
        self.assertEqual((len(page["models"]), "nextPageToken" in page), (1, False))
        for query in ("limit=0", "limit=x", "limit=1001", "after_id=nobody"):
            self.assertEqual((await gateway.get(f"/v1/models?{query}", "anthropic-version: x")).status, 400)

    async def test_unified(self) -> None:
        """Models, providers and mappings in one list."""
        gateway = self.gateway(_TWO + "amp: {model_mappings: [{from: old, to: gpt-5}]}\n")
        document = json.loads((await gateway.get("/models")).body)
        self.assertEqual(document["providers"], ["openai", "claude"])
        self.assertEqual(document["mappings"], [{"from": "old", "to": "gpt-5"}])
        self.assertEqual(document["data"][1]["provider"], "claude")


class DiscoveryTests(GatewayCase):
    """`discover: true`."""

    async def test_lists_are_read(self) -> None:
        """From each dialect's own list, page by page; the first request waits for them."""
        rows = {
            "openai": ("/v1", [b'{"data":[{"id":"found-1"},{"id":"found-2"}]}'], b"authorization: bearer key-123456"),
            "anthropic": (
                "",
                [
                    b'{"data":[{"id":"found-1"}],"has_more":true,"last_id":"found-1"}',
                    b'{"data":[{"id":"found-2"}],"has_more":false}',
                ],
                b"x-api-key: key-123456",
            ),
            "gemini": (
                "",
                [b'{"models":[{"name":"models/found-1"}],"nextPageToken":"x"}', b'{"models":[{"name":"models/found-2"}]}'],
                b"x-goog-api-key: key-123456",
            ),
        }
        for dialect, (version, pages, header) in rows.items():
            asked: list[list[bytes]] = []

            def script(wire: Wire, pages: list[bytes] = pages, asked: list[list[bytes]] = asked) -> None:
                asked.append(head_of(wire.received))
                page = pages[min(len(asked), len(pages)) - 1]
                wire.send(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(page), page))
                wire.close()

            provider = await self.provider(script)
            gateway = self.gateway(
                f"providers: {{p: {{dialect: {dialect}, base_url: 'http://127.0.0.1:{provider.port}{version}', "
                "api_keys: [key-123456], discover: true}}\n"
            )
            document = json.loads((await gateway.get("/models")).body)
            self.assertEqual((dialect, [row["id"] for row in document["data"]]), (dialect, ["found-1", "found-2"]))
            self.assertIn(header, asked[0])
            self.assertEqual(len(asked), len(pages))

    async def test_a_list_that_cannot_be_had(self) -> None:
        """Costs a line in the log, and neither the start nor a request."""
        for answer in (
            b"HTTP/1.1 500 Oops\r\ncontent-length: 2\r\n\r\n{}",
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]",
            b"x",
        ):
            provider = await self.provider(functools.partial(_answer, answer))
            url = f"http://127.0.0.1:{provider.port}"
            gateway = self.gateway(f"providers: {{p: {{dialect: openai, base_url: '{url}', discover: true, models: [m]}}}}\n")
            response = await gateway.get("/v1/models")
            self.assertEqual([row["id"] for row in json.loads(response.body)["data"]], ["m"])

    async def test_odd_names(self) -> None:
        """What is no name is left out, and a name is a name: a star in it takes no other models."""
        body = b'{"data":[{"id":5},{"id":"*"},{"x":1},7,{"id":"good"}]}'
        answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        provider = await self.provider(functools.partial(_answer, answer))
        url = f"http://127.0.0.1:{provider.port}"
        gateway = self.gateway(f"providers: {{p: {{dialect: openai, base_url: '{url}', discover: true}}}}\n")
        document = json.loads((await gateway.get("/v1/models")).body)
        self.assertEqual([row["id"] for row in document["data"]], ["*", "good"])
        self.assertEqual((await gateway.post("/v1/chat/completions", b'{"model":"anything"}')).status, 503)

    async def test_only_what_needs_models_waits(self) -> None:
        """A list that hangs holds up neither health nor the control plane, and another provider's list is used."""
        hanging = await self.provider()
        body = b'{"data":[{"id":"good"}]}'
        answer = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
        telling = await self.provider(functools.partial(_answer, answer))
        self.patch(service, "_DISCOVERY_PATIENCE", 0.5)
        gateway = self.gateway(
            "providers:\n"
            f"  a: {{dialect: openai, base_url: 'http://127.0.0.1:{hanging.port}', discover: true}}\n"
            f"  b: {{dialect: openai, base_url: 'http://127.0.0.1:{telling.port}', discover: true}}\n"
        )
        began = reactor.seconds()
        self.assertEqual((await gateway.get("/health")).status, 200)
        self.assertLess(reactor.seconds() - began, 0.4)
        document = json.loads((await gateway.get("/v1/models")).body)
        self.assertEqual([row["id"] for row in document["data"]], ["good"])

    async def test_slow(self) -> None:
        """A list that takes too long is named as such; when it is the daemon that ends, nobody is blamed."""
        hanging = await self.provider()
        events: list[LogEvent] = []
        globalLogPublisher.addObserver(keep := cast(ILogObserver, events.append))
        self.addCleanup(globalLogPublisher.removeObserver, keep)
        for patience, said in ((0.1, ["provider p: its model list takes longer than 0.1 s"]), (60.0, [])):
            self.patch(service, "_DISCOVERY_PATIENCE", patience)
            url = f"http://127.0.0.1:{hanging.port}"
            gateway = self.gateway(f"providers: {{p: {{dialect: openai, base_url: '{url}', discover: true}}}}\n")
            await deferLater(reactor, 0.3, lambda: None)
            await gateway.daemon.stopService()
            found = [eventAsText(e, False, False, False) for e in events if e.get("log_namespace") == "llmux.discovery"]
            self.assertEqual(found, said)
            events.clear()


class NextCandidateTests(GatewayCase):
    """A provider that was never reached is passed over."""

    async def test_next_provider(self) -> None:
        """Nothing was served there, so the next one that lists the model is asked, and the header says so."""
        provider = await self.provider(lambda wire: wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"))
        gateway = self.gateway(
            "providers:\n"
            "  down: {dialect: anthropic, base_url: 'http://127.0.0.1:1', api_keys: [a-123456, b-123456], models: [m]}\n"
            f"  up: {{dialect: anthropic, base_url: 'http://127.0.0.1:{provider.port}', api_keys: [c-123456], models: [m]}}\n"
        )
        response = await gateway.post("/v1/messages", b'{"model":"m"}')
        self.assertEqual((response.status, response.body), (200, b"{}"))
        self.assertEqual(response.headers["x-llmux-decision"], "local; provider=up; model=m; attempts=2")

    async def test_an_answer_is_an_answer(self) -> None:
        """Whatever its status."""
        provider = await self.provider(lambda wire: wire.send(b"HTTP/1.1 503 Busy\r\ncontent-length: 2\r\n\r\n{}"))
        gateway = self.gateway(
            "providers:\n"
            f"  busy: {{dialect: anthropic, base_url: 'http://127.0.0.1:{provider.port}', models: [m]}}\n"
            "  down: {dialect: anthropic, base_url: 'http://127.0.0.1:1', models: [m]}\n"
        )
        response = await gateway.post("/v1/messages", b'{"model":"m"}')
        self.assertEqual(
            (response.status, response.headers["x-llmux-decision"]), (503, "local; provider=busy; model=m; attempts=1")
        )

    async def test_nobody_is_reached(self) -> None:
        """The last reason is told."""
        gateway = self.gateway(
            "providers:\n"
            "  one: {dialect: anthropic, base_url: 'http://127.0.0.1:1', models: [m]}\n"
            "  two: {dialect: anthropic, base_url: 'http://127.0.0.1:1', models: [m]}\n"
        )
        response = await gateway.post("/v1/messages", b'{"model":"m"}')
        self.assertEqual(
            (response.status, response.headers["x-llmux-decision"]), (502, "local; provider=two; model=m; attempts=2")
        )


def _answer(answer: bytes, wire: Wire) -> None:
    wire.send(answer)
