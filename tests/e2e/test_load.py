"""A thousand at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.internet.defer import gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.threads import deferToThread

from llmux.service import raise_descriptor_limit
from tests.e2e.daemon import LOCAL, Daemon
from tests.e2e.providers import sse
from tests.harness import GatewayCase, Provider, Wire, parse_response, reactor, request

_STREAMS = 1000
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_FIRST = sse({"id": "c", "choices": [{"index": 0, "delta": {"content": "first"}, "finish_reason": None}]})
_LAST = sse({"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}) + b"data: [DONE]\n\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class LoadTests(GatewayCase):
    """The daemon is another process; this one holds both ends of every stream."""

    timeout = 60

    async def test_a_thousand_streams(self) -> None:
        """All are open at one time: none may end before the last has begun. Each then comes whole."""
        raise_descriptor_limit()
        provider = await self.provider(lambda wire: wire.send(_HEAD + _chunk(_FIRST)))
        daemon = await self.daemon(provider)
        clients = await self.connect(daemon.port)
        body = b'{"model":"m","stream":true,"messages":[{"role":"user","content":"hello"}]}'
        for number, client in enumerate(clients):
            client.send(request("/v1/chat/completions", body, f"x-request-id: r{number}", "connection: close"))
        await gatherResults([client.has(_FIRST) for client in clients])
        self.assertEqual(len(provider.connections), _STREAMS)
        self.assertEqual([client for client in clients if client.closed], [])
        for wire in provider.connections:
            wire.send(_chunk(_LAST) + b"0\r\n\r\n")
        await gatherResults([client.ended() for client in clients])
        for number, client in enumerate(clients):
            response = parse_response(client.received)
            self.assertEqual((response.status, response.body, response.whole), (200, _FIRST + _LAST, True))
            self.assertEqual(response.headers["x-llmux-request-id"], f"r{number}")

    async def connect(self, port: int) -> list[Wire]:
        """A thousand connections."""
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port, timeout=self.timeout)
        clients: list[Any] = []
        for _ in range(0, _STREAMS, 100):  # no more than a listener keeps waiting
            clients += await gatherResults([endpoint.connect(Factory.forProtocol(Wire)) for _ in range(100)])
        for client in clients:
            self.addCleanup(client.reset)
        return clients

    async def daemon(self, provider: Provider) -> Daemon:
        """A daemon over one provider."""
        folder = Path(self.mktemp()).absolute()
        folder.mkdir(parents=True)
        config = f'providers: {{p: {{dialect: openai-chat, base_url: "http://127.0.0.1:{provider.port}/v1", models: [m]}}}}\n'
        (folder / "llmux.yaml").write_text(config)
        daemon = Daemon("--config", "llmux.yaml", "--listen", LOCAL, "--log-level", "error", folder=folder)
        self.addCleanup(deferToThread, daemon.stop)
        await deferToThread(lambda: daemon.port)
        return daemon
