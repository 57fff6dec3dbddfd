"""Edge cases 136 to 143: failures, in the middle of a stream and instead of an answer."""

from __future__ import annotations

import gzip
import json
from typing import Any

from llmux.dialects.registry import DIALECTS
from llmux.errors import Fault
from tests.edges import wire
from tests.edges.bodies import AN, CH, GE, OSLO_TEXT, RE, Body, greeting, question, tools
from tests.edges.case import ALL, EdgeCase, others, pairs
from tests.edges.test_answers import COUNT, calling, chunk, piece, speaking, started, text_in
from tests.web.test_translation import ASKED, TranslationCase, error_of, reply

# How a provider says in a stream that too many ask it.
OVERLOADED: dict[str, list[bytes]] = {
    CH: [b'data: {"error":{"message":"Too many ask.","type":"overloaded_error","param":null,"code":"overloaded"}}\n\n'],
    RE: [
        b'event: error\ndata: {"type":"error","sequence_number":9,"code":"server_is_overloaded","message":"Too many ask.",'
        b'"param":null}\n\n',
        b'event: response.failed\ndata: {"type":"response.failed","sequence_number":9,"response":{"id":"resp_1",'
        b'"object":"response","created_at":1,"model":"m","status":"failed","output":[],'
        b'"error":{"code":"server_is_overloaded","message":"Too many ask."}}}\n\n',
    ],
    AN: [b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Too many ask."}}\n\n'],
    GE: [b'data: {"error":{"code":503,"message":"Too many ask.","status":"UNAVAILABLE","details":[]}}\n\n'],
}
# How a client is told the same: type and status of an HTTP answer.
TOLD = {CH: (503, "server_error"), RE: (503, "server_error"), AN: (529, "overloaded_error"), GE: (503, "UNAVAILABLE")}
BAD_GATEWAY = {CH: (502, "server_error"), RE: (502, "server_error"), AN: (502, "api_error"), GE: (502, "UNAVAILABLE")}
# What makes an answer look whole.
WHOLE = {
    CH: (b"[DONE]", b'"finish_reason":"'),
    RE: (b"response.completed", b"response.incomplete"),
    AN: (b"message_stop", b"message_delta"),
    GE: (b"finishReason",),
}


class FailureCase(EdgeCase):
    """Reads streams that break."""

    def broken(self, client: str, provider: str, data: bytes) -> tuple[bytes, Fault]:
        """What a client reads of a stream that fails, with how it is told so, and the fault."""
        asked = question(client, **tools(client, "weather"))
        stream = self.exchange(client, provider, asked, stream=True).translation.stream()
        told = b""
        try:
            told = stream.feed(data)
            if stream.fault is None:
                told += stream.close()
        except Fault as fault:
            return told + stream.error(fault), fault
        if stream.fault is None:
            raise self.failureException(f"{client} was told that all is well: {told.decode()}")
        return told + stream.error(stream.fault), stream.fault

    def events(self, told: bytes) -> list[Any]:
        """The data of a stream that has no end."""
        lines = [line.removeprefix("data: ") for line in told.decode().split("\n") if line.startswith("data: ")]
        return [json.loads(line) for line in lines]

    def assert_error(self, client: str, told: bytes, type_: str, message: str | None = None) -> None:
        """The last that a client reads is an error of its own dialect, and nothing looks whole."""
        for word in WHOLE[client]:
            self.assertNotIn(word, told)
        last = self.events(told)[-1]
        if client == RE:
            self.assertEqual((last["type"], last["response"]["status"]), ("response.failed", "failed"))
            error = last["response"]["error"]
            self.assertEqual(error["code"], type_)
            done = {event["item"]["id"]: event["item"] for event in self.events(told) if event["type"].endswith("item.done")}
            for item in last["response"]["output"]:
                if item["id"] in done:  # what was told as whole stays so
                    self.assertEqual(item, done[item["id"]])
                else:
                    self.assertEqual(item.get("status", "incomplete"), "incomplete")
        else:
            error = last["error"]
            self.assertEqual(error["status" if client == GE else "type"], type_)
        if client == AN:
            self.assertEqual(last["type"], "error")
            self.assertIn(b"event: error\n", told)
        if message is not None:
            self.assertEqual(error["message"], message)


class StreamTests(FailureCase):
    """Streams that fail on their way."""

    def begun(self, provider: str) -> bytes:
        """A stream that has said something, and no more."""
        records = wire.streamed(provider, speaking(provider, "Hello to everybody who listens."))
        last = {CH: 3, RE: 6, AN: 4, GE: 3}[provider]
        return wire.framed(provider, records[:last]).replace(b"data: [DONE]\n\n", b"")

    def test_136_an_error_in_the_middle(self) -> None:
        """`overloaded_error` behind some text -> each client its own form, nothing looks whole; before it an HTTP error."""
        for client, provider in pairs():
            for error in OVERLOADED[provider]:
                told, fault = self.broken(client, provider, self.begun(provider) + error)
                self.assertEqual(fault.kind, "overloaded")
                self.assertIn(b"Hello t", told.replace(b'"', b""))
                self.assert_error(client, told, TOLD[client][1], "Too many ask.")
                if client == AN:
                    self.assertNotIn(b"content_block_stop", told)
                elif client == RE:
                    (item,) = self.events(told)[-1]["response"]["output"]
                    self.assertTrue(item["content"][0]["text"].startswith("Hello t"))
                told, fault = self.broken(client, provider, error)
                status, body = DIALECTS[client].error_body(fault, "req_1")
                self.assertEqual((status, error_of(client, body)), (TOLD[client][0], (TOLD[client][1], "Too many ask.")))

    def test_138_the_end_of_the_line_in_a_call(self) -> None:
        """A stream that ends while a call is open -> an error, never `{}` for arguments, never a whole call."""
        block = wire.streamed(AN, calling(AN, "call_1"))
        events = wire.streamed(RE, calling(RE, "call_1"))
        stop = next(index for index, event in enumerate(events) if event["type"].endswith("arguments.done"))
        first = next(index for index, event in enumerate(events) if event["type"].endswith("arguments.delta"))
        call = {"name": "weather", "id": "call_1", "willContinue": True}
        text = {"jsonPath": "$.city", "stringValue": "Os", "willContinue": True}
        vertex = [{"functionCall": call}, {"functionCall": {"partialArgs": [text], "willContinue": True}}]
        pieces = [{"candidates": [{"content": {"role": "model", "parts": [part]}}], "responseId": "1"} for part in vertex]
        streams: list[tuple[str, list[Body]]] = [
            (CH, [started(0, "call_1")]),
            (CH, [started(0, "call_1"), piece(0, '{"city":"Os')]),
            (CH, [started(0, "call_1"), piece(0, OSLO_TEXT)]),
            (AN, block[:2]),
            (AN, block[:3]),
            (AN, block[:-3]),
            (AN, block[:-1]),
            (RE, events[:first]),
            (RE, events[: first + 1]),
            (RE, events[:stop]),
            (RE, events[:-1]),
            (GE, pieces[:1]),
            (GE, pieces),
        ]
        for provider, records in streams:
            data = wire.framed(provider, records).replace(b"data: [DONE]\n\n", b"")
            for client in others(provider):
                told, fault = self.broken(client, provider, data)
                self.assertEqual((fault.kind, fault.code), ("bad_gateway", "stream_truncated"))
                self.assert_error(client, told, BAD_GATEWAY[client][1])
                self.assertNotIn(b'"{}"', told)
                self.assertNotIn(b'"args":{}', told)
                if records[-1] not in (block[-2], events[-2]):  # by then the call was whole
                    self.assertNotIn(b'"functionCall"', told)
                    self.assertNotIn(b"response.output_item.done", told)
                    self.assertNotIn(b"content_block_stop", told)

    def test_139_what_comes_behind_the_end(self) -> None:
        """Chunks after `[DONE]`, events after the last -> nobody reads them."""
        late: dict[str, bytes] = {
            CH: wire.framed(CH, [chunk({"content": " again"}), chunk({}, "length"), COUNT]),
            RE: wire.framed(RE, wire.streamed(RE, speaking(RE, " again"))),
            AN: wire.framed(AN, wire.streamed(AN, speaking(AN, " again"))),
            GE: wire.framed(GE, wire.streamed(GE, speaking(GE, " again"))),
        }
        for client, provider in pairs():
            whole = wire.framed(provider, wire.streamed(provider, greeting(provider)))
            expected = self.stream(client, provider, whole)
            for behind in (late[provider], b"data: rubbish\n\n", *OVERLOADED[provider]):
                self.assertEqual(self.stream(client, provider, whole + behind), expected)
                # the same when it comes later
                stream = self.exchange(client, provider, question(client), stream=True).translation.stream()
                stream.feed(whole)
                self.assertEqual((stream.feed(behind), stream.close(), stream.fault), (b"", b"", None))
            self.assertEqual(text_in(client, wire.gathered(client, expected)), "Hello")


class AnswerTests(FailureCase):
    """Failures instead of an answer."""

    PAGE = b"<html><head><title>Sign in</title></head><body>Please sign in.</body></html>"

    def test_137_a_page_instead_of_an_answer(self) -> None:
        """200 with HTML, or nothing, or half a document -> 502 in the client's dialect, for a stream too."""
        for client, provider in pairs():
            for body in (self.PAGE, b"", b'{"id": "x", "choi', b"[]", b"null", b"{}"):
                made = self.exchange(client, provider, question(client))
                fault = self.assertRaises(Fault, made.translation.answer, body)
                status, told = DIALECTS[client].error_body(fault, "req_1")
                self.assertEqual((status, error_of(client, told)[0]), BAD_GATEWAY[client], body)
                told, fault = self.broken(client, provider, body)
                self.assertEqual(fault.kind, "bad_gateway")

    def test_140_an_error_in_an_array(self) -> None:
        """GE `[{"error": …}]` -> the error inside, as an answer of any status and in a stream."""
        error = {"code": 503, "message": "Too many ask.", "status": "UNAVAILABLE", "details": []}
        listed = json.dumps([{"error": error}]).encode()
        fault = DIALECTS[GE].read_error(503, [], listed)
        self.assertEqual((fault.kind, fault.message), ("overloaded", "Too many ask."))
        for client in others(GE):
            status, told = DIALECTS[client].error_body(fault, "req_1")
            self.assertEqual((status, error_of(client, told)), (TOLD[client][0], (TOLD[client][1], "Too many ask.")))
            told, fault = self.broken(client, GE, self.begun_by_gemini() + b"data: " + listed + b"\n\n")
            self.assert_error(client, told, TOLD[client][1], "Too many ask.")
        # what only the details tell is found inside too
        details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "17s"}]
        limited = {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED", "details": details}
        fault = DIALECTS[GE].read_error(429, [], json.dumps([{"error": limited}]).encode())
        self.assertEqual((fault.kind, fault.retry_after), ("rate_limit", 17.0))

    def begun_by_gemini(self) -> bytes:
        return wire.framed(GE, wire.streamed(GE, speaking(GE, "Hello to everybody."))[:2])

    def test_141_a_key_that_is_not_valid(self) -> None:
        """GE 400 with `API_KEY_INVALID` -> 401 for everybody else."""
        info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
        message = "API key not valid. Please pass a valid API key."
        error = {"code": 400, "message": message, "status": "INVALID_ARGUMENT", "details": [info]}
        fault = DIALECTS[GE].read_error(400, [], json.dumps({"error": error}).encode())
        self.assertEqual(fault.kind, "auth")
        for client, word in ((CH, "invalid_request_error"), (RE, "invalid_request_error"), (AN, "authentication_error")):
            status, told = DIALECTS[client].error_body(fault, "req_1")
            self.assertEqual((status, error_of(client, told)), (401, (word, message)))
        for client in (CH, RE):
            self.assertEqual(json.loads(DIALECTS[client].error_body(fault, "req_1")[1])["error"]["code"], "invalid_api_key")
        # a request that is wrong otherwise stays a 400
        plain = {**error, "message": "Unknown name.", "details": []}
        self.assertEqual(DIALECTS[GE].read_error(400, [], json.dumps({"error": plain}).encode()).kind, "invalid")

    def test_142_a_code_that_is_a_number(self) -> None:
        """`error.code` as a number -> a string for CH and RE, in a body and in a stream; it decides where there is no status."""
        for code, kind in ((429, "rate_limit"), (503, "overloaded"), (404, "not_found"), (1234, "server")):
            error = json.dumps({"error": {"message": "No.", "type": None, "param": None, "code": code}}).encode()
            fault = DIALECTS[CH].read_error(code if code < 600 else 500, [], error)
            self.assertEqual(fault.kind, kind)
            for client in (CH, RE):
                told = json.loads(DIALECTS[client].error_body(fault, "req_1")[1])["error"]
                self.assertIsInstance(told["code"], str)
            for client in others(CH):
                _, fault = self.broken(client, CH, b"data: " + error + b"\n\n")
                self.assertEqual(fault.kind, kind)
        # Google's own numbers never leave as such
        fault = DIALECTS[GE].read_error(429, [], b'{"error":{"code":429,"message":"No.","status":"RESOURCE_EXHAUSTED"}}')
        for client in (CH, RE):
            told = json.loads(DIALECTS[client].error_body(fault, "req_1")[1])["error"]
            self.assertEqual(told["code"], "rate_limit_exceeded")


class WireTests(TranslationCase):
    """Failures over real sockets."""

    async def test_143_a_compressed_error(self) -> None:
        """A provider's error with `content-encoding: gzip` -> read, in the client's words, without that header."""
        errors: dict[str, Body] = {
            CH: {"error": {"message": "Slow down.", "type": "requests", "param": None, "code": "rate_limit_exceeded"}},
            AN: {"type": "error", "error": {"type": "rate_limit_error", "message": "Slow down."}},
            GE: {"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED", "details": []}},
        }
        errors[RE] = errors[CH]
        for provider in ALL:
            packed = gzip.compress(json.dumps(errors[provider]).encode())
            upstream, gateway = await self.pair(provider)
            answer = reply(packed, "429 Too Many Requests", "content-encoding: gzip")
            upstream._script = lambda wire, answer=answer: wire.send(answer)
            for client in others(provider):
                path, body = ASKED[client]
                response = await gateway.post(path, json.dumps(body).encode(), "accept-encoding: gzip")
                self.assertEqual(response.status, 429)
                self.assertNotIn("content-encoding", response.headers)
                self.assertEqual(int(response.headers["content-length"]), len(response.body))
                word = "RESOURCE_EXHAUSTED" if client == GE else "rate_limit_error"
                self.assertEqual(error_of(client, response.body), (word, "Slow down."))
