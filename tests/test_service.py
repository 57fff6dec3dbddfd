"""The daemon as a whole: what it plays, what it says at the start, and why it would not start."""

from __future__ import annotations

import json
import pathlib
from typing import Any

from twisted.logger import formatEvent, globalLogPublisher

from llmux import config as configuration
from llmux.listening import StartError
from llmux.runtime import scenarios
from tests.harness import GatewayCase, request


class ScenarioTests(GatewayCase):
    """Playback providers from files."""

    def test_bad_scenario(self) -> None:
        """A file that does not load is a mistake of the configuration, with its place."""
        path = pathlib.Path(self.mktemp())
        path.write_text("foo: 1\n")
        config = configuration.parse(f"providers: {{s: {{scenario: '{path.absolute()}'}}}}\n", "c.yaml", {})
        error = self.assertRaises(configuration.ConfigError, scenarios, config)
        self.assertIn("c.yaml:1:", str(error))
        self.assertIn("providers.s.scenario: ", str(error))

    async def test_odd_requests(self) -> None:
        """What no scenario foresaw is 400, and costs nobody anything."""
        gateway = self.gateway("providers: {d: {scenario: 'builtin:hello', models: ['*'], speed: 0}}\n")
        deep = b'{"model":"m","messages":[{"role":"user","content":[{"type":"x","q":%b%b}]}]}' % (b"[" * 960, b"]" * 960)
        named = b'{"model":"m","input":[{"type":"function_call_output","call_id":"x","name":5,"output":"weather"}]}'
        many = b'{"model":"m","dimensions":4096,"input":[%b"x"]}' % (b'"x",' * 8000)
        for path, body in (("/v1/chat/completions", deep), ("/v1/responses", named), ("/v1/embeddings", many)):
            self.assertEqual((path, (await gateway.post(path, body)).status), (path, 400))
        surrogate = await gateway.post("/v1/embeddings", b'{"model":"\\ud83d","input":"x"}')
        self.assertEqual(surrogate.status, 200)
        self.assertEqual(gateway.lines[-1].model, "\\ud83d")

    async def test_names_in_the_log(self) -> None:
        """Whatever a request calls its model, the log can be written, and no line of it is as long as the name."""
        gateway = self.gateway("providers: {d: {scenario: 'builtin:hello', models: [m]}}\n")
        seen: list[Any] = []
        observe: Any = seen.append
        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        for name in (b"\\ud83d\\u001b[2J\\n", b"x" * 70_000):
            self.assertEqual((await gateway.post("/v1/responses", b'{"model":"%b","input":"x"}' % name)).status, 503)
        lines = [formatEvent(event) for event in seen if event.get("log_namespace") == "llmux.routing"]
        self.assertEqual(len(lines), 2)
        for line in lines:
            self.assertTrue(line.isprintable())
            self.assertLess(len(line.encode()), 1000)

    async def test_sessions_by_key_in_the_query(self) -> None:
        """Gemini's clients show their key there; each has a session of its own."""
        path = pathlib.Path(self.mktemp())
        turns = "".join(
            f"  - llmResponse: [{{assistant: [{{relativeTime: 0, content: {word}}}]}}]\n" for word in ("first", "second")
        )
        path.write_text(f"name: s\ntimeline:\n{turns}")
        gateway = self.gateway(f"providers: {{s: {{scenario: '{path.absolute()}', models: [m]}}}}\n")
        body = b'{"contents":[{"role":"user","parts":[{"text":"hello there"}]}]}'
        for key, word in (("a", b"first"), ("b", b"first"), ("a", b"second")):
            response = await gateway.post(f"/v1beta/models/m:generateContent?key={key}", body)
            self.assertIn(word, response.body)

    async def test_gemini_error_in_an_array(self) -> None:
        """A stream that is an array is one when it fails, too."""
        path = pathlib.Path(self.mktemp())
        error = "{errorType: x, statusCode: 429, message: slow, retryAfterSeconds: 2}"
        path.write_text(f"name: s\ntimeline: [{{llmResponse: [{{error: {error}}}]}}]\n")
        gateway = self.gateway(f"providers: {{s: {{scenario: '{path.absolute()}', models: [m]}}}}\n")
        response = await gateway.post(
            "/v1beta/models/m:streamGenerateContent", b'{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}'
        )
        document = json.loads(response.body)
        self.assertEqual((response.status, document[0]["error"]["code"]), (429, 429))

    async def test_names_twice(self) -> None:
        """Of two scenarios with one name the second could never be played."""
        folder = pathlib.Path(self.mktemp())
        folder.mkdir()
        for name in ("a.yaml", "b.yaml"):
            (folder / name).write_text("name: same\ntimeline: []\n")
        config = configuration.parse(f"providers: {{s: {{scenario: '{folder.absolute()}'}}}}\n", "c.yaml", {})
        self.assertIn("2 scenarios named 'same'", str(self.assertRaises(configuration.ConfigError, scenarios, config)))


class StartTests(GatewayCase):
    """What is said at the start."""

    async def test_example(self) -> None:
        """The line to try can be tried."""
        gateway = self.gateway("providers: {d: {scenario: 'builtin:hello', models: ['x*', zz]}}\n")
        self.assertIn('"model":"zz"', gateway.said[-1])
        self.assertIn("No client keys are set", gateway.said[1])
        gateway = self.gateway("providers: {d: {scenario: 'builtin:hello', models: ['*']}}\n")
        self.assertIn('"model":"gpt-5"', gateway.said[-1])

    async def test_certificate_that_is_none(self) -> None:
        """A clear word, and no traceback."""
        path = pathlib.Path(self.mktemp()).absolute()
        path.write_text("not a certificate")
        error = self.assertRaises(
            StartError, self.gateway, "", listen=f"ssl:0:interface=127.0.0.1:privateKey={path}:certKey={path}"
        )
        self.assertIn("ssl:0", str(error))
        config_error = self.assertRaises(
            configuration.ConfigError, self.gateway, "", listen="ssl:0:interface=127.0.0.1:privateKey=/nowhere.pem"
        )
        self.assertIn("there is no file '/nowhere.pem'", str(config_error))


class StopTests(GatewayCase):
    """What a client notices of a stop."""

    async def test_asked_at_the_last_moment(self) -> None:
        """A request on a connection that was there when the stop began is served, and is the last one on it."""
        gateway = self.gateway("providers: {d: {scenario: 'builtin:hello', models: [m], speed: 0}}\n")
        fresh, kept = await gateway.connect(), await gateway.send(request("/health", None, method="GET"))
        await kept.has(b"healthy")
        stopping = gateway.daemon.stopService()
        for wire in (fresh, kept):
            wire.send(request("/v1/chat/completions", b'{"model":"m","messages":[{"role":"user","content":"hello"}]}'))
            await wire.ended()
            self.assertIn(b"Hello from llmux!", wire.received)
        await stopping

    async def test_asked_behind_an_answer_from_before(self) -> None:
        """A client whose answer began before the stop was not told that it is the last one, and may ask once more."""
        provider = await self.provider()
        url = f"http://127.0.0.1:{provider.port}/v1"
        gateway = self.gateway(f"providers: {{p: {{dialect: openai-chat, base_url: '{url}', models: [m]}}}}\n")
        ask = request("/v1/chat/completions", b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}')
        client = await gateway.send(ask)
        for index in range(2):
            wire = await provider.request(index)
            wire.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
            wire.send(b'data: {"choices":[{"delta":{"content":"%d"}}]}\n\n' % index)
            await client.has(b'"content":"%d"' % index)
            if not index:
                stopping = gateway.daemon.stopService()
            wire.send(b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
            wire.close()
            if not index:
                await client.has(b"[DONE]")
                client.send(ask)
        await client.ended()
        first, second = bytes(client.received).lower().split(b"http/1.1 200 ok")[1:]
        self.assertEqual((b"connection: close" in first, b"connection: close" in second), (False, True))
        self.assertTrue(second.endswith(b"0\r\n\r\n"))
        await stopping

    async def test_idle(self) -> None:
        """One on which nobody asks is closed soon, and does not hold the stop for the drain's 30 seconds."""
        gateway = self.gateway("drain: 30\n")
        wire = await gateway.connect()
        await gateway.daemon.stopService()
        await wire.ended()
