"""The short way in: what takes it, what does not, and that nobody can tell the difference."""

from __future__ import annotations

import json
import re

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from llmux.errors import Fault
from llmux.headers import Headers
from llmux.net.express import ExpressChannel, ExpressResponder, ExpressSite
from llmux.net.front import FrontChannel
from llmux.net.request import ClientRequest
from tests.harness import GatewayCase, parse_response, request
from tests.net.test_front import REFUSED
from tests.web.test_endings import chunk

_BODY = b'{"model":"m","messages":[{"role":"user","content":"hello"}]}'
_GOOD = request("/v1/messages", _BODY)


class RecognitionTests(SynchronousTestCase):
    """Which bytes take the short way."""

    def setUp(self) -> None:
        """A site that notes what took it."""
        self.taken: list[ClientRequest] = []
        self.responders: list[ExpressResponder] = []
        self.clock = Clock()

        def refusal(target: bytes, fault: Fault) -> tuple[int, Headers, bytes]:
            return 400, [], b"{}"

        def serve(request_: ClientRequest, responder: ExpressResponder, channel: FrontChannel) -> None:
            self.taken.append(request_)
            self.responders.append(responder)

        paths = {b"/v1/messages", b"/v1/chat/completions"}
        self.site = ExpressSite(Resource(), self.clock, refusal, 1000, paths, serve)

    def connect(self) -> tuple[ExpressChannel, StringTransportWithDisconnection]:
        """A connection."""
        channel = self.site.buildProtocol(None)
        assert isinstance(channel, ExpressChannel)
        transport = StringTransportWithDisconnection()
        transport.protocol = channel
        transport.abortConnection = transport.loseConnection  # type: ignore[method-assign]  # nothing is lost in memory
        channel.makeConnection(transport)
        return channel, transport

    def takes(self, data: bytes) -> bool:
        """Whether a request takes it, sent in one piece."""
        self.taken.clear()
        channel, transport = self.connect()
        channel.dataReceived(data)
        if transport.connected:
            transport.loseConnection()
        self.clock.advance(10)
        return bool(self.taken)

    def test_ordinary(self) -> None:
        """What clients send."""
        self.assertTrue(self.takes(_GOOD))
        taken = self.taken[0]
        self.assertEqual((taken.method, taken.target, taken.body), (b"POST", b"/v1/messages", _BODY))
        self.assertIn((b"host", b"llmux.test"), taken.headers)
        self.assertTrue(self.takes(request("/v1/messages?beta=true", _BODY, "Connection: keep-alive", "X-New:  a b\t")))
        self.assertEqual((self.taken[0].query, self.taken[0].headers[2]), (b"beta=true", (b"x-new", b"a b")))
        self.assertTrue(self.takes(request("/v1/messages", b"")))

    def test_odd(self) -> None:
        """Everything else is the channel's."""
        rows = {
            "other path": request("/v1/other", _BODY),
            "escaped path": request("/v1/mess%61ges", _BODY),
            "doubled slash": request("//v1/messages", _BODY),
            "other method": request("/v1/messages", _BODY, method="PUT"),
            "no length": request("/v1/messages", None),
            "close": request("/v1/messages", _BODY, "connection: close"),
            "listed": request("/v1/messages", _BODY, "connection: keep-alive, x-a"),
            "upgrade": request("/v1/messages", _BODY, "upgrade: websocket"),
            "expect": request("/v1/messages", _BODY, "expect: 100-continue"),
            "chunked": request("/v1/messages", None, "transfer-encoding: chunked"),
            "too large": request("/v1/messages", b"x" * 1001),
            "length with a sign": request("/v1/messages", None, "content-length: +0"),
            "long length": request("/v1/messages", None, "content-length: 0000000000000"),
            "http 1.0": _GOOD.replace(b"HTTP/1.1", b"HTTP/1.0"),
            "leading line": b"\r\n" + _GOOD,
            "half a head": _GOOD[:40],
        }
        for name, data in rows.items():
            self.assertFalse(self.takes(data), name)

    def test_malformed(self) -> None:
        """Nothing that is refused takes it; refusing is the channel's business alone."""
        for name, data in REFUSED.items():
            for path in (b"/v1/messages", b"/v1/chat/completions"):
                moved = re.sub(rb"^(\S+) /v1/(?:messages|chat/completions) ", rb"\1 " + path + b" ", data)
                self.assertFalse(self.takes(moved), name)

    def test_body_in_pieces(self) -> None:
        """The head in one piece, the body byte by byte, and something behind it."""
        channel, _ = self.connect()
        end = _GOOD.index(b"\r\n\r\n") + 4
        channel.dataReceived(_GOOD[:end])
        for index in range(end, len(_GOOD) - 1):
            channel.dataReceived(_GOOD[index : index + 1])
        self.assertEqual(self.taken, [])
        self.assertFalse(channel.idle)
        channel.dataReceived(_GOOD[-1:] + _GOOD[:10])
        self.assertEqual([taken.body for taken in self.taken], [_BODY])
        self.responders[0].head(204, [])
        self.responders[0].finish()
        channel.dataReceived(_GOOD[10:])
        self.assertEqual(len(self.taken), 1, "half a head goes the long way")

    def test_answers_in_order(self) -> None:
        """The second of two pipelined requests waits for the first answer; each is framed."""
        channel, transport = self.connect()
        channel.dataReceived(_GOOD + _GOOD)
        self.assertEqual(len(self.taken), 1)
        self.responders[0].head(200, [(b"content-length", b"2")])
        self.responders[0].write(b"ok")
        self.responders[0].finish()
        self.assertEqual(len(self.taken), 2)
        self.responders[1].head(200, [(b"a", b"b")])
        self.responders[1].write(b"one")
        self.responders[1].write(b"")
        self.responders[1].finish()
        first, second = transport.value().split(b"HTTP/1.1 200 OK\r\n")[1:]
        self.assertTrue(first.endswith(b"content-length: 2\r\n\r\nok"))
        self.assertTrue(second.endswith(b"transfer-encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n"))
        self.assertTrue(channel.idle)

    def test_header_cannot_end_a_line(self) -> None:
        """Whatever a name or a value holds, it makes no header of its own."""
        channel, transport = self.connect()
        channel.dataReceived(_GOOD)
        self.assertRaises(ValueError, self.responders[0].head, 200, [(b"a", b"b\r\nc: d")])
        self.assertEqual(transport.value(), b"")

    def test_client_that_does_not_read(self) -> None:
        """Its brake is pulled; its next request waits until it has read; it may not send without end."""
        channel, transport = self.connect()
        pulled: list[str] = []

        class Brake:
            def pause(self) -> None:
                pulled.append("pause")

            def resume(self) -> None:
                pulled.append("resume")

        channel.dataReceived(_GOOD)
        self.responders[0].brake(Brake())
        channel.pauseProducing()
        channel.dataReceived(_GOOD * 2)
        self.responders[0].head(204, [])
        self.responders[0].finish()
        self.assertEqual((pulled, len(self.taken), transport.producerState), (["pause"], 1, "paused"))
        channel.resumeProducing()
        self.assertEqual(len(self.taken), 2)
        channel.dataReceived(b"x" * 100_000)
        self.assertEqual(transport.producerState, "paused")

    def test_time_of_serving_is_not_idle_time(self) -> None:
        """A long answer is no reason to hang up; silence after it is."""
        channel, transport = self.connect()
        channel.dataReceived(_GOOD)
        self.clock.pump([10] * 60)
        self.assertTrue(transport.connected)
        self.responders[0].head(204, [])
        self.responders[0].finish()
        self.clock.pump([10] * 10)
        self.assertFalse(transport.connected)

    def test_lost(self) -> None:
        """Whoever answers hears once that the client is gone, and may go on writing to nobody."""
        channel, transport = self.connect()
        channel.dataReceived(_GOOD)
        heard: list[bool] = []
        self.responders[0].on_gone(lambda: heard.append(True))
        transport.loseConnection()
        self.responders[0].head(200, [])
        self.responders[0].write(b"x")
        self.responders[0].finish()
        self.responders[0].truncate()
        self.assertEqual((heard, self.responders[0].gone, transport.value()), ([True], True, b""))


class BothWaysTests(GatewayCase):
    """One connection, both ways in turn."""

    async def test_mixed(self) -> None:
        """Short, long, short again: each is answered, in order."""
        provider = await self.provider(
            lambda wire: wire.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunk(b"{}") + b"0\r\n\r\n")
        )
        gateway = self.gateway(
            f"providers: {{p: {{dialect: openai, base_url: 'http://127.0.0.1:{provider.port}', models: [m]}}}}\n"
        )
        post = request("/v1/chat/completions", b'{"model":"m"}')
        alias = request("/api/provider/openai/v1/chat/completions", b'{"model":"nobody"}')
        rows = [
            (request("/health", None, method="GET"), b"healthy"),
            (request("/v1/chat/completions", b'{"model":"nobody"}'), b"no_provider"),
            (alias, b"no_provider"),
            (request("/v1/models", None, method="GET"), b'"object":"list"'),
            (alias, b"no_provider"),
            (request("/nowhere", None, method="GET"), b"Not found"),
        ]
        wire = await gateway.connect()
        for data, part in rows:
            wire.received.clear()
            wire.send(data)
            await wire.has(part)
            self.assertIn(part, wire.received)
        wire.received.clear()
        wire.send(post + rows[0][0])
        await wire.has(b"healthy")
        first, second = re.findall(rb"HTTP/1\.1 200 OK", wire.received), parse_response(wire.received)
        self.assertEqual((len(first), second.body, second.whole), (2, b"{}", True))

    async def test_keys_are_asked_for(self) -> None:
        """The short way leads past nobody who asks for keys."""
        gateway = self.gateway("api_keys: [client-key-1]\nproviders: {d: {scenario: 'builtin:hello', models: [m]}}\n")
        wire = await gateway.send(_GOOD)
        await wire.has(b"\r\n\r\n{")
        response = parse_response(wire.received)
        self.assertEqual((response.status, json.loads(response.body)["error"]["type"]), (401, "authentication_error"))
