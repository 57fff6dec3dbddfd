"""Another configuration while it runs: whole or not at all, and nobody who is being served notices."""

from __future__ import annotations

import json
import os
import pathlib
import socket
import stat
import tempfile
from typing import Any

from OpenSSL import SSL
from twisted.internet import ssl
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from zope.interface import implementer

from llmux import config as configuration
from llmux.listening import StartError
from llmux.runtime import services
from llmux.service import LlmuxService
from llmux.systemd import Handed
from tests.harness import Gateway, GatewayCase, Lines, Provider, Wire, dechunk, parse_response, reactor, request
from tests.net.test_tls import certificate

_CHAT = b'{"model":"m","messages":[{"role":"user","content":"hello"}]}'
_STREAM = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}'
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
_PATH = "/v1/chat/completions"


def _over(provider: Provider, more: str = "") -> str:
    return f"providers: {{p: {{dialect: openai-chat, base_url: 'http://127.0.0.1:{provider.port}/v1', models: [m]}}}}\n{more}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


class ReloadTests(GatewayCase):
    """`LlmuxService.reload`."""

    async def status(self, gateway: Gateway, *headers: str) -> int:
        """Of a request for the model m."""
        return (await gateway.post(_PATH, _CHAT, *headers)).status

    async def metrics(self, gateway: Gateway) -> dict[str, float]:
        """What is exported of the configuration."""
        text = (await gateway.get("/metrics")).body.decode()
        lines = [line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("llmux_config_")]
        return {name: float(value) for name, value in lines}

    async def test_good(self) -> None:
        """Providers and keys are others from one request to the next."""
        gateway = self.gateway("providers: {a: {scenario: 'builtin:hello', models: [m]}}\n")
        self.assertEqual(await self.status(gateway), 200)
        gateway.text = "api_keys: [secret-of-a-client]\nproviders: {b: {scenario: 'builtin:hello', models: [m]}}\n"
        await gateway.daemon.reload()
        self.assertEqual(await self.status(gateway), 401)
        self.assertEqual(await self.status(gateway, "authorization: Bearer secret-of-a-client"), 200)
        self.assertEqual(gateway.lines[-1].provider, "b")

    async def test_bad(self) -> None:
        """Mistakes, all of them in the log, change nothing."""
        gateway = self.gateway("providers: {a: {scenario: 'builtin:hello', models: [m]}}\n")
        before = await self.metrics(gateway)
        good = gateway.text
        for bad in ("providrs: {}\n", "providers: {a: {scenario: 'builtin:nope'}}\n", "providers: [\n"):
            gateway.text = bad
            await gateway.daemon.reload()
            self.assertEqual(await self.status(gateway), 200)
        after = await self.metrics(gateway)
        self.assertEqual(after.pop('llmux_config_reload_total{result="failed"}'), 3)
        del before['llmux_config_reload_total{result="failed"}']
        succeeded = "llmux_config_last_reload_successful"
        self.assertEqual((before.pop(succeeded), after.pop(succeeded)), (1, 0))
        self.assertEqual(after, before)
        gateway.text = good + "drain: 5\n"
        await gateway.daemon.reload()
        after = await self.metrics(gateway)
        self.assertEqual((after['llmux_config_reload_total{result="ok"}'], after[succeeded]), (1, 1))
        self.assertEqual(gateway.daemon.config.drain, 5)

    async def test_running_stream(self) -> None:
        """An exchange ends as it began, with the provider that is no longer there."""
        provider = await self.provider()
        gateway = self.gateway(_over(provider))
        client = await gateway.send(request(_PATH, _STREAM, "connection: close"))
        wire = await provider.request()
        wire.send(_HEAD + b'data: {"choices":[{"delta":{"content":"one"}}]}\n\n')
        await client.has(b"one")
        gateway.text = "api_keys: [secret-of-a-client]\n"
        await gateway.daemon.reload()
        wire.send(b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
        wire.close()
        await client.ended()
        body, whole = dechunk(bytes(client.received).partition(b"\r\n\r\n")[2])
        self.assertTrue(whole)
        self.assertTrue(body.endswith(b"data: [DONE]\n\n"))

    async def test_kept_connection(self) -> None:
        """A connection goes on, and its next request meets the new configuration."""
        gateway = self.gateway("providers: {a: {scenario: 'builtin:hello', models: [m]}}\n")
        client = await gateway.send(request(_PATH, _CHAT))
        await client.has(b"x-llmux-decision: local; provider=a")
        gateway.text = "providers: {b: {scenario: 'builtin:hello', models: [m]}}\n"
        await gateway.daemon.reload()
        client.send(request(_PATH, _CHAT, "connection: close"))
        await client.ended()
        self.assertIn(b"decision: local; provider=b", client.received.lower())

    async def test_limits(self) -> None:
        """The longest body may change, for connections that are there, too."""
        gateway = self.gateway("providers: {a: {scenario: 'builtin:hello', models: [m]}}\n")
        client = await gateway.send(request(_PATH, _CHAT))
        await client.has(b"x-llmux-decision")
        gateway.text += "limits: {body: 20}\n"
        await gateway.daemon.reload()
        client.send(request(_PATH, _CHAT))
        await client.has(b"413")
        self.assertIn(b"limit of 20 bytes", client.received)

    async def test_performances_go_on(self) -> None:
        """An agent in the middle of a scenario does not notice a reload that leaves the scenario alone."""
        path = pathlib.Path(self.mktemp())
        turns = "".join(
            f"  - llmResponse: [{{assistant: [{{relativeTime: 0, content: {word}}}]}}]\n" for word in ("first", "second")
        )
        path.write_text(f"name: s\ntimeline:\n{turns}")
        gateway = self.gateway(f"providers: {{s: {{scenario: '{path.absolute()}', models: [m]}}}}\n")
        self.assertIn(b"first", (await gateway.post(_PATH, _CHAT)).body)
        gateway.text = f"# a comment, so that the provider stands in another line\n{gateway.text}drain: 1\n"
        await gateway.daemon.reload()
        self.assertIn(b"second", (await gateway.post(_PATH, _CHAT)).body)
        path.write_text(f"name: s\ndescription: changed\ntimeline:\n{turns}")
        await gateway.daemon.reload()
        self.assertIn(b"first", (await gateway.post(_PATH, _CHAT)).body)

    async def test_threads_stay(self) -> None:
        """What Amp has uploaded survives."""
        gateway = self.gateway("amp: {control_plane: local}\n")
        thread = {"method": "uploadThread", "params": {"thread": {"id": "T-1", "v": 1, "messages": [], "title": "kept"}}}
        self.assertEqual((await gateway.post("/api/internal", json.dumps(thread).encode())).status, 200)
        gateway.text += "drain: 1\n"
        await gateway.daemon.reload()
        asked = json.dumps({"method": "getThread", "params": {"thread": "T-1"}}).encode()
        self.assertIn(b"kept", (await gateway.post("/api/internal", asked)).body)

    async def test_models_of_a_new_provider(self) -> None:
        """A provider that says itself what it serves is asked before the new configuration takes effect."""
        body = b'{"data":[{"id":"m"}]}'
        provider = await self.provider(
            lambda wire: wire.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        )
        gateway = self.gateway("providers: {a: {scenario: 'builtin:hello', models: [other]}}\n")
        url = f"http://127.0.0.1:{provider.port}/v1"
        gateway.text = f"providers: {{p: {{dialect: openai-chat, base_url: '{url}', discover: true}}}}\n"
        await gateway.daemon.reload()
        self.assertIn(b'"id":"m"', (await gateway.get("/v1/models")).body)
        await gateway.daemon.reload()  # nothing has changed, so nobody is asked again
        self.assertIn(b'"id":"m"', (await gateway.get("/v1/models")).body)
        self.assertEqual(len(provider.connections), 1)

    async def test_asked_for_while_it_runs(self) -> None:
        """Of many reloads at once, the last one has seen the last state; and not all of them are made."""
        gateway = self.gateway("drain: 1\n")
        reloads = []
        for seconds in range(2, 12):
            gateway.text = f"drain: {seconds}\n"
            reloads.append(Deferred.fromCoroutine(gateway.daemon.reload()))
        for each in reloads:
            await each
        self.assertEqual(gateway.daemon.config.drain, 11)

    async def test_while_it_stops(self) -> None:
        """Nothing is read, and nobody is told of a reload that took effect."""
        gateway = self.gateway("")
        await gateway.daemon.stopService()
        await gateway.daemon.reload()
        registry = gateway.daemon.app.runtime.metrics.registry
        self.assertEqual(registry.get_sample_value("llmux_config_reload_total", {"result": "ok"}), 0)

    async def test_a_defect(self) -> None:
        """Even then what runs goes on."""
        gateway = self.gateway("providers: {a: {scenario: 'builtin:hello', models: [m]}}\n")
        self.patch(gateway.daemon, "prepare", lambda config: 1 / 0)
        await gateway.daemon.reload()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(await self.status(gateway), 200)


class ListenerTests(GatewayCase):
    """Doors that open and close."""

    async def reaches(self, port: int) -> bool:
        """Whether somebody listens there."""
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0

    async def test_moved(self) -> None:
        """The old door closes, and its idle connections with it; who is served there is served to the end."""
        provider = await self.provider()
        gateway = self.gateway(_over(provider))
        before = gateway.port
        idle = await gateway.connect()
        busy = await gateway.send(request(_PATH, _STREAM))
        wire = await provider.request()
        gateway.listen = f"tcp:{_free_port()}:interface=127.0.0.1"
        await gateway.daemon.reload()
        await idle.ended()
        self.assertNotEqual(gateway.port, before)
        self.assertEqual(((await gateway.get("/health")).status, await self.reaches(before)), (200, False))
        wire.send(_HEAD + b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
        wire.close()
        await busy.ended()
        self.assertIn(b"data: [DONE]\n\n", busy.received)

    async def test_same_port_other_interface(self) -> None:
        """The new listener is in the way of the old one."""
        gateway = self.gateway("api_keys: [secret-of-a-client]\n")
        port = gateway.port
        gateway.listen = f"tcp:{port}:interface=127.0.0.1"
        await gateway.daemon.reload()
        gateway.listen = f"tcp:{port}"
        await gateway.daemon.reload()
        address: Any = gateway.daemon.addresses[0]
        self.assertEqual((address.host, address.port), ("0.0.0.0", port))
        self.assertEqual((await gateway.get("/health")).status, 200)

    async def test_same_port_and_a_taken_one(self) -> None:
        """The old listener, which had made room, is there again."""
        gateway = self.gateway("api_keys: [secret-of-a-client]\n")
        port = gateway.port
        gateway.listen = f"tcp:{port}:interface=127.0.0.1"
        await gateway.daemon.reload()
        with socket.create_server(("127.0.0.1", 0)) as other:
            gateway.listen = f'tcp:{port}", "tcp:{other.getsockname()[1]}:interface=127.0.0.1'
            await gateway.daemon.reload()
        address: Any = gateway.daemon.addresses[0]
        self.assertEqual((address.host, address.port), ("127.0.0.1", port))
        self.assertEqual((await gateway.get("/health")).status, 200)

    async def test_same_path_other_mode(self) -> None:
        """So it is with the path of a UNIX socket."""
        folder = tempfile.TemporaryDirectory()  # a short path: a socket's has 108 bytes at most
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "llmux.sock")
        gateway = self.gateway("", listen=f"unix:{path}:mode=600")
        gateway.listen = f"unix:{path}:mode=660"
        await gateway.daemon.reload()
        self.assertEqual(gateway.daemon.config.listen, (gateway.listen,))
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o660)

    async def test_taken(self) -> None:
        """A port that somebody else has: nothing changes, neither listeners nor anything else."""
        gateway = self.gateway("drain: 3\n")
        with socket.create_server(("127.0.0.1", 0)) as other:
            before, text = gateway.port, gateway.text
            gateway.listen = f"tcp:{_free_port()}:interface=127.0.0.1', 'tcp:{other.getsockname()[1]}:interface=127.0.0.1"
            gateway.listen = gateway.listen.replace("'", '"')
            gateway.text = "drain: 4\n"
            await gateway.daemon.reload()
        self.assertEqual((gateway.port, gateway.daemon.config.drain, len(gateway.daemon.addresses)), (before, 3, 1))
        self.assertEqual((await gateway.get("/health")).status, 200)
        gateway.text = text

    async def test_open_door(self) -> None:
        """Taking the keys away does not leave a door open."""
        gateway = self.gateway("api_keys: [secret-of-a-client]\n", listen="tcp:0")
        gateway.text = ""
        await gateway.daemon.reload()
        self.assertEqual((await gateway.get("/v1/models")).status, 401)

    async def test_metrics_listener(self) -> None:
        """It serves the metrics to anybody, and nothing else; it comes, moves and goes with a reload."""
        gateway = self.gateway("api_keys: [secret-of-a-client]\nmetrics: {listen: 'tcp:0:interface=127.0.0.1'}\n")
        address: Any = gateway.daemon.metrics_address
        main = gateway.port
        wire: Any = await HostnameEndpoint(reactor, "127.0.0.1", address.port).connect(Factory.forProtocol(Wire))
        wire.send(request("/metrics", None, method="GET") + request("/health", None, "connection: close", method="GET"))
        await wire.ended()
        self.assertIn(b"llmux_build_info", wire.received)
        self.assertIn(b"HTTP/1.1 404", wire.received)
        kept: Any = await HostnameEndpoint(reactor, "127.0.0.1", address.port).connect(Factory.forProtocol(Wire))
        kept.send(request("/metrics", None, method="GET"))
        await kept.has(b"llmux_build_info")
        gateway.text = "api_keys: [secret-of-a-client]\n"
        await gateway.daemon.reload()
        self.assertEqual((gateway.daemon.metrics_address, await self.reaches(address.port)), (None, False))
        await kept.ended()  # no old door leads around the keys
        self.assertTrue(await self.reaches(main))

    async def test_from_plain_to_tls(self) -> None:
        """On the same port: who spoke in the clear before does so no more."""
        port = _free_port()
        key, made = certificate(pathlib.Path(self.mktemp()).absolute())
        gateway = self.gateway("drain: 1\n", listen=f"tcp:{port}:interface=127.0.0.1")
        plain = await gateway.send(request("/health", None, method="GET"))
        await plain.has(b"healthy")
        gateway.listen = f"ssl:{port}:interface=127.0.0.1:privateKey={key}:certKey={made}"
        await gateway.daemon.reload()
        await plain.ended()
        self.assertGreater(await self.serial(port), 0)

    async def test_renewed_certificate(self) -> None:
        """The certificate that lies there at a reload is the one that the next client sees; a broken one is refused."""
        folder = pathlib.Path(self.mktemp()).absolute()
        key, made = certificate(folder)
        gateway = self.gateway("drain: 1\n", listen=f"ssl:0:interface=127.0.0.1:privateKey={key}:certKey={made}")
        port, first = gateway.port, await self.serial(gateway.port)
        self.assertEqual(await self.serial(port), first)
        renewed = certificate(pathlib.Path(self.mktemp()).absolute())
        for old, new in zip((key, made), renewed, strict=True):
            os.replace(new, old)
        self.assertEqual(await self.serial(port), first)
        await gateway.daemon.reload()
        second = await self.serial(port)
        self.assertEqual((gateway.port, second == first), (port, False))
        pathlib.Path(made).write_text("not a certificate")
        gateway.text = "drain: 2\n"
        await gateway.daemon.reload()
        self.assertEqual((await self.serial(port), gateway.daemon.config.drain), (second, 1))

    async def serial(self, port: int) -> int:
        """The number of the certificate that a client is shown."""
        endpoint = HostnameEndpoint(reactor, "127.0.0.1", port)
        wire: Any = await wrapClientTLS(_Trusting(ssl.CertificateOptions()), endpoint).connect(Factory.forProtocol(Wire))
        wire.send(request("/health", None, "connection: close", method="GET"))
        await wire.ended()
        self.assertEqual(parse_response(wire.received).status, 200)
        shown = wire.transport.getPeerCertificate()
        number: int = shown.get_serial_number()
        return number


@implementer(IOpenSSLClientConnectionCreator)
class _Trusting:
    """Connects to whoever answers."""

    def __init__(self, options: ssl.CertificateOptions) -> None:
        self._options = options

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        """See IOpenSSLClientConnectionCreator."""
        return SSL.Connection(self._options.getContext(), None)


class HandedTests(GatewayCase):
    """Sockets from a service manager."""

    def serve(self, taken: socket.socket, listen: str, text: str = "") -> LlmuxService:
        """A daemon on such a socket."""
        config = configuration.parse(f"listen: ['{listen}']\n{text}", "llmux.yaml", {})
        daemon = LlmuxService(config, services(reactor, {}, Lines()), lambda line: None, None, [Handed(taken.fileno(), "http")])
        return daemon

    async def test_listens(self) -> None:
        """By index and by name; and when it ends, the socket stays with whoever else has it."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for listen in ("systemd:domain=INET:index=0", "systemd:domain=INET:name=http", "haproxy:systemd:domain=INET:index=0"):
                daemon = self.serve(taken, listen)
                daemon.startService()
                wire: Any = await HostnameEndpoint(reactor, "127.0.0.1", port).connect(Factory.forProtocol(Wire))
                proxied = b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" if listen.startswith("haproxy") else b""
                wire.send(proxied + request("/health", None, "connection: close", method="GET"))
                await wire.ended()
                self.assertIn(b"healthy", wire.received)
                await daemon.stopService()
                with socket.create_connection(("127.0.0.1", port), 5):
                    pass  # it waits for the next process
                await deferLater(reactor, 0, lambda: None)

    async def test_path(self) -> None:
        """The path of a UNIX socket stays, and who may use it: both belong to whoever made the socket."""
        folder = tempfile.TemporaryDirectory()  # a short path: a socket's has 108 bytes at most
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "llmux.sock")
        with socket.socket(socket.AF_UNIX) as taken:
            taken.bind(path)
            taken.listen()
            os.chmod(path, 0o600)
            for _ in range(2):
                daemon = self.serve(taken, "systemd:domain=UNIX:index=0")
                daemon.startService()
                wire: Any = await UNIXClientEndpoint(reactor, path).connect(Factory.forProtocol(Wire))
                wire.send(request("/health", None, "connection: close", method="GET"))
                await wire.ended()
                self.assertIn(b"healthy", wire.received)
                await daemon.stopService()
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)

    def test_not_there(self) -> None:
        """A name that nobody passed is named, and so are those that were."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            daemon = self.serve(taken, "systemd:domain=INET:name=web")
            error = self.assertRaises(StartError, daemon.startService)
            self.assertIn("no such socket was passed to this process; passed were: 0 (http)", str(error))

    def test_open_door(self) -> None:
        """One that others can reach needs keys, like any other."""
        with socket.create_server(("0.0.0.0", 0)) as taken:
            error = self.assertRaises(StartError, self.serve(taken, "systemd:domain=INET:index=0").startService)
            self.assertIn("can be reached from other hosts", str(error))
