"""What the front refuses, and how it says so."""

from __future__ import annotations

import json
import re

from tests.harness import GatewayCase, parse_response, request

_DEMO = "providers: {demo: {scenario: 'builtin:hello', models: ['m']}}\n"
_BODY = b'{"model":"m","messages":[{"role":"user","content":"hello"}]}'
_LENGTH = b"content-length: %d\r\n" % len(_BODY)


def _post(*lines: bytes, body: bytes = _BODY, start: bytes = b"POST /v1/chat/completions HTTP/1.1") -> bytes:
    return b"\r\n".join([start, *lines]) + b"\r\n\r\n" + body


REFUSED: dict[str, bytes] = {
    "no_host": _post(b"content-length: %d" % len(_BODY)),
    "two_hosts": _post(b"host: a", b"host: b", b"content-length: %d" % len(_BODY)),
    "same_host_twice": _post(b"host: a", b"host: a", b"content-length: %d" % len(_BODY)),
    "empty_host": _post(b"host: ", b"content-length: %d" % len(_BODY)),
    "host_with_path": _post(b"host: a/b", b"content-length: %d" % len(_BODY)),
    "host_with_fragment": _post(b"host: a/#@b", b"content-length: %d" % len(_BODY)),
    "host_with_user": _post(b"host: u@a", b"content-length: %d" % len(_BODY)),
    "host_with_space": _post(b"host: a b", b"content-length: %d" % len(_BODY)),
    "host_with_comma": _post(b"host: a,b", b"content-length: %d" % len(_BODY)),
    "host_port_not_a_number": _post(b"host: a:b", b"content-length: %d" % len(_BODY)),
    "obs_fold_space": _post(b"host: a", b"x-a: 1", b" 2", b"content-length: %d" % len(_BODY)),
    "obs_fold_tab": _post(b"host: a", b"x-a: 1", b"\t2", b"content-length: %d" % len(_BODY)),
    "fold_before_any_header": _post(b" x: 1", b"host: a", b"content-length: %d" % len(_BODY)),
    "nul_in_value": _post(b"host: a", b"x-a: 1\x002", b"content-length: %d" % len(_BODY)),
    "bare_cr_in_value": _post(b"host: a", b"x-a: 1\r2", b"content-length: %d" % len(_BODY)),
    "bare_lf_in_value": _post(b"host: a", b"x-a: 1\n2", b"content-length: %d" % len(_BODY)),
    "nul_in_target": _post(b"host: a", b"content-length: 0", start=b"POST /v1/\x00 HTTP/1.1", body=b""),
    "space_in_name": _post(b"host: a", b"x a: 1", b"content-length: %d" % len(_BODY)),
    "space_before_colon": _post(b"host: a", b"content-length : %d" % len(_BODY)),
    "no_colon": _post(b"host: a", b"nonsense", b"content-length: %d" % len(_BODY)),
    "two_lengths": _post(b"host: a", b"content-length: 5", b"content-length: 6"),
    "same_length_twice": _post(b"host: a", b"content-length: 5", b"content-length: 5", body=b"aaaaa"),
    "length_list": _post(b"host: a", b"content-length: 5, 5", body=b"aaaaa"),
    "length_plus": _post(b"host: a", b"content-length: +5", body=b"aaaaa"),
    "length_negative": _post(b"host: a", b"content-length: -5", body=b"aaaaa"),
    "length_hex": _post(b"host: a", b"content-length: 0x5", body=b"aaaaa"),
    "length_and_chunked": _post(b"host: a", b"content-length: 5", b"transfer-encoding: chunked", body=b"0\r\n\r\n"),
    "xchunked": _post(b"host: a", b"transfer-encoding: xchunked", body=b"0\r\n\r\n"),
    "gzip_chunked": _post(b"host: a", b"transfer-encoding: gzip, chunked", body=b"0\r\n\r\n"),
    "chunked_twice": _post(b"host: a", b"transfer-encoding: chunked", b"transfer-encoding: chunked", body=b"0\r\n\r\n"),
    "te_vertical_tab": _post(b"host: a", b"transfer-encoding: \x0bchunked", body=b"0\r\n\r\n"),
    "chunk_size_not_hex": _post(b"host: a", b"transfer-encoding: chunked", body=b"zz\r\nab\r\n0\r\n\r\n"),
    "chunk_too_short": _post(b"host: a", b"transfer-encoding: chunked", body=b"2\r\nabcd\r\n0\r\n\r\n"),
    "te_in_http_1_0": _post(b"host: a", b"transfer-encoding: chunked", start=b"POST /v1/messages HTTP/1.0", body=b"0\r\n\r\n"),
    "http_2_0": _post(b"host: a", b"content-length: 0", start=b"POST /v1/messages HTTP/2.0", body=b""),
    "no_version": b"GET /health\r\n\r\n",
    "two_spaces": _post(b"host: a", b"content-length: 0", start=b"POST  /v1/messages HTTP/1.1", body=b""),
    "absolute_target": _post(b"host: a", b"content-length: 0", start=b"POST http://b/v1/messages HTTP/1.1", body=b""),
    "target_without_slash": _post(b"host: a", b"content-length: 0", start=b"POST v1/messages HTTP/1.1", body=b""),
    "fragment_in_target": _post(b"host: a", b"content-length: 0", start=b"POST /v1/messages#x HTTP/1.1", body=b""),
    "method_with_bad_character": _post(b"host: a", b"content-length: 0", start=b"PO(ST /v1/messages HTTP/1.1", body=b""),
    "connect": b"CONNECT example.test:443 HTTP/1.1\r\nhost: example.test:443\r\n\r\n",
}


class FrontTests(GatewayCase):
    """Malformed requests."""

    async def test_refusals(self) -> None:
        """Each malformed request gets 400 as JSON, once, and the end of the connection; nothing behind it is served."""
        gateway = self.gateway(_DEMO)
        behind = request("/health", None, method="GET")
        for name, data in REFUSED.items():
            wire = await gateway.send(data + behind)
            await wire.ended()
            response = parse_response(wire.received)
            self.assertEqual((name, response.status), (name, 400))
            self.assertEqual(response.headers["content-type"], "application/json", name)
            self.assertEqual(response.headers["connection"], "close", name)
            self.assertIn("error", json.loads(response.body), name)
            self.assertEqual(len(re.findall(rb"HTTP/1\.1 \d", wire.received)), 1, name)

    async def test_refused_byte_by_byte(self) -> None:
        """The verdict does not depend on how the bytes were cut."""
        gateway = self.gateway(_DEMO)
        for name in ("no_host", "two_hosts", "obs_fold_space", "two_lengths"):
            wire = await gateway.connect()
            for index in range(len(REFUSED[name])):
                wire.send(REFUSED[name][index : index + 1])
            await wire.ended()
            self.assertEqual((name, parse_response(wire.received).status), (name, 400))

    async def test_refusal_speaks_the_dialect_of_the_path(self) -> None:
        """A client can read why."""
        gateway = self.gateway(_DEMO)
        for path, member in (("/v1/messages", "type"), ("/v1/chat/completions", "error"), ("/v1beta/models/m:x", "error")):
            wire = await gateway.send(f"POST {path} HTTP/1.1\r\ncontent-length: 0\r\n\r\n".encode())
            await wire.ended()
            document = json.loads(parse_response(wire.received).body)
            self.assertIn(member, document)
            if path.startswith("/v1beta"):
                self.assertEqual(document["error"]["status"], "INVALID_ARGUMENT")
            if path == "/v1/messages":
                self.assertEqual((document["type"], document["error"]["type"]), ("error", "invalid_request_error"))

    async def test_head_too_large(self) -> None:
        """A line without an end, or endless headers, cost bounded memory and end in an answer."""
        gateway = self.gateway(_DEMO)
        wire = await gateway.send(b"GET /" + b"a" * 200_000)
        await wire.ended()
        self.assertEqual(parse_response(wire.received).status, 431)
        wire = await gateway.send(b"GET /health HTTP/1.1\r\nhost: a\r\n" + b"".join(b"x-%d: y\r\n" % i for i in range(9000)))
        await wire.ended()
        self.assertIn(parse_response(wire.received).status, (400, 431))

    async def test_good_requests_still_pass(self) -> None:
        """What is odd but lawful is served: HTTP/1.0, chunked bodies, a leading empty line, IPv6 hosts, pipelining."""
        gateway = self.gateway(_DEMO)
        chunked = b"%x\r\n%b\r\n0\r\n\r\n" % (len(_BODY), _BODY)
        for name, data in {
            "http_1_0": _post(_LENGTH.strip(), start=b"POST /v1/chat/completions HTTP/1.0"),
            "chunked": _post(b"host: a", b"connection: close", b"transfer-encoding: chunked", body=chunked),
            "leading_line": b"\r\n" + _post(b"host: a", b"connection: close", _LENGTH.strip()),
            "ipv6": _post(b"host: [::1]:8743", b"connection: close", _LENGTH.strip()),
            "expect": _post(b"host: a:80", b"connection: close", b"expect: 100-continue", _LENGTH.strip()),
        }.items():
            wire = await gateway.send(data)
            await wire.ended()
            received = bytes(wire.received)
            if name == "expect":
                self.assertTrue(received.startswith(b"HTTP/1.1 100 Continue\r\n\r\n"))
                received = received[25:]
            self.assertEqual((name, parse_response(received).status), (name, 200))

    async def test_pipelined_requests_are_answered_in_order(self) -> None:
        """Two requests in one packet."""
        gateway = self.gateway(_DEMO)
        first = request("/v1/models/m", None, method="GET")
        second = request("/nowhere", None, "connection: close", method="GET")
        wire = await gateway.send(first + second)
        await wire.ended()
        received = bytes(wire.received)
        self.assertLess(received.index(b"200 OK"), received.index(b"404 Not Found"))

    async def test_declared_body_too_large(self) -> None:
        """413 before a byte of the body was sent, and no 100-continue."""
        gateway = self.gateway(_DEMO + "limits: {body: 1000}\n")
        wire = await gateway.send(
            b"POST /v1/messages HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 1001\r\n\r\n"
        )
        await wire.ended()
        response = parse_response(wire.received)
        self.assertEqual(response.status, 413)
        self.assertEqual(json.loads(response.body)["error"]["type"], "request_too_large")
        self.assertEqual(response.headers["connection"], "close")

    async def test_chunked_body_too_large(self) -> None:
        """413 at the cap, while the client is still sending."""
        gateway = self.gateway(_DEMO + "limits: {body: 1000}\n")
        wire = await gateway.send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(30):
            wire.send(b"40\r\n" + b"a" * 64 + b"\r\n")
        await wire.ended()
        response = parse_response(wire.received)
        self.assertEqual(response.status, 413)
        self.assertEqual(json.loads(response.body)["error"]["code"], "request_too_large")

    async def test_refusal_reaches_a_client_that_sends_on(self) -> None:
        """Closing on unread bytes would reset the connection, and the client would never see the 413."""
        gateway = self.gateway(_DEMO + "limits: {body: 1000}\n")
        wire = await gateway.send(b"POST /v1/messages HTTP/1.1\r\nhost: a\r\ncontent-length: 5000000\r\n\r\n" + b"a" * 5_000_000)
        await wire.ended()
        self.assertEqual(parse_response(wire.received).status, 413)

    async def test_body_at_the_limit(self) -> None:
        """The limit itself is allowed."""
        gateway = self.gateway(_DEMO + f"limits: {{body: {len(_BODY)}}}\n")
        response = await gateway.post("/v1/chat/completions", _BODY)
        self.assertEqual(response.status, 200)
