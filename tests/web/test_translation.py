"""A client of one dialect, a provider of another, over real sockets: what each of them reads, and when."""

from __future__ import annotations

import gzip
import json
from typing import Any

from twisted.internet.task import deferLater

from llmux.dialects.registry import DIALECTS
from tests.harness import Gateway, GatewayCase, Provider, Wire, body_of, head_of, reactor, request
from tests.web.test_endings import chunk

# A request of each dialect's client.
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "openai-chat": ("/v1/chat/completions", {"model": "m", "messages": [{"role": "user", "content": "hi"}]}),
    "openai-responses": ("/v1/responses", {"model": "m", "input": "hi"}),
    "anthropic": ("/v1/messages", {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}),
    "gemini": ("/v1beta/models/m:generateContent", {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}),
}
# Where a provider of each dialect is asked, the text that it gets, and what it answers.
PATHS = {
    "openai-chat": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/m:generateContent",
}
USAGE = {"input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
ANSWERS: dict[str, dict[str, Any]] = {
    "openai-chat": {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "m-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    },
    "openai-responses": {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "m-1",
        "output": [
            {
                "id": "msg_1",
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "hello", "annotations": [], "logprobs": []}],
            }
        ],
        "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5, **USAGE},
    },
    "anthropic": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m-1",
        "content": [{"type": "text", "text": "hello"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 2},
    },
    "gemini": {
        "responseId": "1",
        "modelVersion": "m-1",
        "candidates": [{"content": {"role": "model", "parts": [{"text": "hello"}]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5},
    },
}
PAIRS = [(client, provider) for client in DIALECTS for provider in DIALECTS if client != provider]


def said(dialect: str, body: dict[str, Any]) -> str:
    """The text of an answer."""
    text: str
    match dialect:
        case "openai-chat":
            text = body["choices"][0]["message"]["content"]
        case "openai-responses":
            text = body["output"][0]["content"][0]["text"]
        case "anthropic":
            text = body["content"][0]["text"]
        case _:
            text = body["candidates"][0]["content"]["parts"][0]["text"]
    return text


def error_of(dialect: str, body: bytes) -> tuple[Any, ...]:
    """Type and message of a refusal."""
    error = json.loads(body)["error"]
    return (error["status"] if dialect == "gemini" else error["type"]), error["message"]


def reply(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """A provider's answer."""
    fields = ["content-type: application/json", "connection: close", *headers, f"content-length: {len(body)}"]
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]).encode() + body


STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def chat_chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    """An event of Chat Completions."""
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    record = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m-1", "choices": choices, **more}
    return b"data: " + json.dumps(record).encode() + b"\n\n"


class TranslationCase(GatewayCase):
    """A gateway before one provider."""

    async def pair(self, dialect: str, translation: str = "{}", more: str = "") -> tuple[Provider, Gateway]:
        """A provider that speaks `dialect` and serves the model `m`."""
        provider = await self.provider()
        version = "/v1" if dialect.startswith("openai") else ""
        url = f"http://127.0.0.1:{provider.port}{version}"
        text = (
            f"providers: {{p: {{dialect: {dialect}, base_url: '{url}', api_keys: [sk-provider-key], models: [m, 'claude-*'], "
            f"translation: {translation}}}}}\n{more}"
        )
        return provider, self.gateway(text)


class WholeTests(TranslationCase):
    """Answers that do not stream."""

    async def test_every_pair(self) -> None:
        """The provider gets a request of its own API, with its own key; the client reads an answer of its."""
        for client, dialect in PAIRS:
            provider, gateway = await self.pair(dialect)
            answer = reply(json.dumps(ANSWERS[dialect]).encode())
            provider._script = lambda wire, answer=answer: wire.send(answer)
            path, body = ASKED[client]
            response = await gateway.post(path, json.dumps(body).encode(), "anthropic-beta: x", "x-stainless-lang: python")
            self.assertEqual(response.status, 200, (client, dialect, response.body))
            self.assertEqual(said(client, json.loads(response.body)), "hello", (client, dialect))
            self.assertEqual(response.headers["content-type"], "application/json")
            self.assertIn(DIALECTS[client].request_id_header.decode(), response.headers)
            received = provider.connections[0].received
            head = head_of(received)
            self.assertEqual(head[0], f"POST {PATHS[dialect]} HTTP/1.1".encode())
            name, value = DIALECTS[dialect].credential("sk-provider-key")
            self.assertIn(name + b": " + value.lower(), head)
            self.assertIn(b"content-type: application/json", head)
            self.assertEqual([line for line in head if line.startswith((b"anthropic-beta", b"x-stainless"))], [])
            self.assertEqual(any(line.startswith(b"anthropic-version: 2") for line in head), dialect == "anthropic")
            asked = json.loads(body_of(received))
            self.assertIn("hi", json.dumps(asked))
            if dialect != "gemini":
                self.assertEqual(asked["model"], "m")
            line = gateway.lines[-1]
            self.assertEqual((line.dialect, line.spoken, line.outcome), (client, dialect, "ok"))

    async def test_notes(self) -> None:
        """Counted in a header, listed in the access log, counted for Prometheus; absent where nothing is lost."""
        provider, gateway = await self.pair("anthropic")
        provider._script = lambda wire: wire.send(reply(json.dumps(ANSWERS["anthropic"]).encode()))
        path, body = ASKED["openai-chat"]
        lossy = {**body, "max_completion_tokens": 9, "seed": 1, "logit_bias": {"5": 1}}
        lossy |= {"frequency_penalty": 1, "presence_penalty": 1}
        response = await gateway.post(path, json.dumps(lossy).encode())
        count, _, pointers = response.headers["x-llmux-notes"].partition("; ")
        self.assertEqual((count, len(pointers.split(", "))), ("4", 3))
        notes = gateway.lines[-1].notes
        self.assertEqual(len(notes), 4)
        self.assertTrue(any(note.startswith("/seed dropped: ") for note in notes), notes)
        self.assertIn("/seed dropped", gateway.lines[-1].text)
        metrics = (await gateway.get("/metrics")).body.decode()
        self.assertIn('llmux_translation_loss_total{field="seed",from="openai-chat",to="anthropic"} 1.0', metrics)
        response = await gateway.post(path, json.dumps({**body, "max_completion_tokens": 9}).encode())
        self.assertNotIn("x-llmux-notes", response.headers)

    async def test_strict(self) -> None:
        """What would be dropped is refused, by the field's name, before anybody is asked."""
        provider, gateway = await self.pair("anthropic", "{strict: true}")
        path, body = ASKED["openai-chat"]
        response = await gateway.post(path, json.dumps({**body, "seed": 1}).encode())
        error = json.loads(response.body)["error"]
        self.assertEqual((response.status, error["param"], error["code"]), (400, "/seed", "llmux_untranslatable"))
        self.assertEqual(response.headers["x-should-retry"], "false")
        self.assertEqual(provider.connections, [])
        self.assertEqual(gateway.lines[-1].outcome, "rejected")

    async def test_strict_for_all(self) -> None:
        """The section of the whole configuration is what a provider's starts from."""
        provider = await self.provider()
        gateway = self.gateway(
            "translation: {strict: true}\n"
            f"providers: {{p: {{dialect: anthropic, base_url: 'http://127.0.0.1:{provider.port}', models: [m]}}}}"
        )
        path, body = ASKED["openai-chat"]
        self.assertEqual((await gateway.post(path, json.dumps({**body, "seed": 1}).encode())).status, 400)

    async def test_errors(self) -> None:
        """A provider's refusal in the client's words, with its meaning, its hint and its name for the exchange; never our key."""
        for client in DIALECTS:
            if client == "anthropic":
                continue
            provider, gateway = await self.pair("anthropic")
            told = {"type": "error", "error": {"type": "rate_limit_error", "message": "slow down, sk-provider-key"}}
            provider._script = lambda wire, told=told: wire.send(
                reply(json.dumps(told).encode(), "429 Too Many Requests", "retry-after: 7", "request-id: theirs")
            )
            path, body = ASKED[client]
            response = await gateway.post(path, json.dumps(body).encode())
            word, message = error_of(client, response.body)
            self.assertEqual(response.status, 429, client)
            self.assertEqual(word, "RESOURCE_EXHAUSTED" if client == "gemini" else "rate_limit_error")
            self.assertIn("slow down", message)
            self.assertNotIn(b"sk-provider-key", response.body)
            self.assertEqual(response.headers["retry-after"], "7")
            self.assertEqual(response.headers["x-llmux-upstream-request-id"], "theirs")
            self.assertEqual(gateway.lines[-1].outcome, "client_error")

    async def test_errors_that_are_no_json(self) -> None:
        """A page of a proxy, compressed."""
        provider, gateway = await self.pair("openai-chat")
        page = gzip.compress(b"<html><body>Bad gateway</body></html>")
        provider._script = lambda wire: wire.send(reply(page, "502 Bad Gateway", "content-encoding: gzip"))
        path, body = ASKED["anthropic"]
        response = await gateway.post(path, json.dumps(body).encode())
        self.assertEqual((response.status, error_of("anthropic", response.body)[0]), (502, "api_error"))
        self.assertNotIn("content-encoding", response.headers)

    async def test_answers_that_cannot_be_read(self) -> None:
        """A page instead of JSON, half a document, nothing."""
        for answer in (b"<html>", b'{"id": "chatcmpl-1", "choi', b"", b"[]", b"null"):
            provider, gateway = await self.pair("openai-chat")
            provider._script = lambda wire, answer=answer: wire.send(reply(answer))
            path, body = ASKED["anthropic"]
            response = await gateway.post(path, json.dumps(body).encode())
            self.assertEqual((response.status, error_of("anthropic", response.body)[0]), (502, "api_error"), answer)

    async def test_bad_requests(self) -> None:
        """Refused in the client's own words, with the field at fault; nobody is asked."""
        provider, gateway = await self.pair("anthropic")
        response = await gateway.post("/v1/chat/completions", b'{"model":"m","messages":[{"role":"user","content":7}]}')
        error = json.loads(response.body)["error"]
        self.assertEqual((response.status, error["param"]), (400, "/messages/0/content"))
        response = await gateway.post("/v1/chat/completions", b'{"model":"m","messages":' + b"[" * 300 + b"]" * 300 + b"}")
        self.assertEqual(response.status, 400)
        self.assertEqual(provider.connections, [])

    async def test_a_stream_nobody_asked_for(self) -> None:
        """A server that streams all the same is read whole, and the other way round."""
        provider, gateway = await self.pair("openai-chat")
        stream = chat_chunk({"role": "assistant", "content": "hello"}) + chat_chunk({}, "stop") + b"data: [DONE]\n\n"
        provider._script = lambda wire: wire.send(reply(stream).replace(b"application/json", b"text/event-stream"))
        path, body = ASKED["anthropic"]
        response = await gateway.post(path, json.dumps(body).encode())
        self.assertEqual(said("anthropic", json.loads(response.body)), "hello")
        provider._script = lambda wire: wire.send(reply(json.dumps(ANSWERS["openai-chat"]).encode()))
        response = await gateway.post(path, json.dumps({**body, "stream": True}).encode())
        self.assertEqual(response.headers["content-type"], "text/event-stream")
        self.assertIn(b'"text":"hello"', response.body)
        self.assertIn(b"event: message_stop", response.body)


class StreamTests(TranslationCase):
    """Answers on their way."""

    async def begin(self, dialect: str, client: str = "anthropic") -> tuple[Wire, Wire, Gateway]:
        """A client that waits for a stream, and the provider's end."""
        provider, gateway = await self.pair(dialect)
        path, body = ASKED[client]
        wire = await gateway.send(request(path, json.dumps({**body, "stream": True}).encode(), "connection: close"))
        upstream = await provider.request()
        return wire, upstream, gateway

    async def test_each_event_as_it_comes(self) -> None:
        """The client reads each piece while the provider still waits; text, reasoning and arguments alike."""
        client, upstream, gateway = await self.begin("openai-chat")
        self.assertTrue(json.loads(body_of(upstream.received))["stream_options"]["include_usage"])
        upstream.send(STREAM)
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "read", "arguments": ""}}
        for delta, told in (
            ({"role": "assistant", "content": ""}, b"message_start"),
            ({"reasoning_content": "hm"}, b'"thinking":"hm"'),
            ({"content": "one"}, b'"text":"one"'),
            ({"content": "two"}, b'"text":"two"'),
            ({"tool_calls": [call]}, b'"name":"read"'),
            ({"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]}, b'"partial_json":"{\\"a\\""'),
        ):
            upstream.send(chunk(chat_chunk(delta)))
            await client.has(told)
            self.assertIn(told, bytes(client.received))
        upstream.send(chunk(chat_chunk({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]})))
        upstream.send(chunk(chat_chunk({}, "tool_calls") + b"data: [DONE]\n\n") + b"0\r\n\r\n")
        await client.ended()
        self.assertIn(b'"stop_reason":"tool_use"', client.received)
        self.assertEqual(gateway.lines[-1].outcome, "ok")

    async def test_cut_anywhere(self) -> None:
        """One byte at a time."""
        client, upstream, _ = await self.begin("openai-chat")
        text = 'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":'
        whole = (text + '{"content":"né漢😀"},"finish_reason":null}]}\n\n').encode()
        whole += chat_chunk({}, "stop") + b"data: [DONE]\n\n"
        upstream.send(STREAM)
        for index in range(len(whole)):
            upstream.send(chunk(whole[index : index + 1]))
            if index % 16 == 0:
                await deferLater(reactor, 0, lambda: None)
        upstream.send(b"0\r\n\r\n")
        await client.ended()
        self.assertIn("né漢😀".encode(), client.received)
        self.assertIn(b"message_stop", client.received)

    async def test_cut_short(self) -> None:
        """A stream that ends without its end is told as broken, in every dialect; it never looks whole."""
        ends = {
            "openai-responses": (b"response.failed", b"response.completed"),
            "anthropic": (b"event: error", b"message_stop"),
            "gemini": (b'"status":"UNAVAILABLE"', b'"finishReason"'),
        }
        for name, (told, never) in ends.items():
            provider, gateway = await self.pair("openai-chat")
            path, body = ASKED[name]
            if name == "gemini":
                path = path.replace("generateContent", "streamGenerateContent?alt=sse")
            data = json.dumps(body if name == "gemini" else {**body, "stream": True}).encode()
            client = await gateway.send(request(path, data, "connection: close"))
            upstream = await provider.request()
            upstream.send(STREAM + chunk(chat_chunk({"role": "assistant", "content": "hel"})) + b"0\r\n\r\n")
            await client.ended()
            self.assertIn(told, client.received, name)
            self.assertNotIn(never, client.received, name)
            self.assertEqual(gateway.lines[-1].outcome, "upstream_error")

    async def test_error_inside_a_stream(self) -> None:
        """What was told before it stays; the error follows in the client's words."""
        client, upstream, _ = await self.begin("openai-chat")
        error = b'data: {"error":{"message":"overloaded now","type":"server_error","code":"overloaded"}}\n\n'
        upstream.send(STREAM + chunk(chat_chunk({"role": "assistant", "content": "hel"}) + error))
        await client.ended()
        received = bytes(client.received)
        self.assertIn(b'"text":"hel"', received)
        self.assertIn(b"overloaded now", received)
        self.assertLess(received.index(b"hel"), received.index(b"event: error"))
        self.assertTrue(upstream.closed or upstream.reason is None)

    async def test_error_before_anything(self) -> None:
        """While nothing was sent, an error in the stream is an honest status."""
        client, upstream, _ = await self.begin("openai-chat")
        error = b'data: {"error":{"message":"no","type":"rate_limit_error","code":"rate_limit_exceeded"}}\n\n'
        upstream.send(STREAM + chunk(error) + b"0\r\n\r\n")
        await client.ended()
        self.assertTrue(client.received.startswith(b"HTTP/1.1 429 "), client.received)
        self.assertIn(b'"rate_limit_error"', client.received)

    async def test_an_end_that_is_an_error(self) -> None:
        """What Gemini calls a finish reason and others an error is a status while nothing was sent, an error event after it."""
        candidates = [{"finishReason": "MISSING_THOUGHT_SIGNATURE", "index": 0}]
        record = {"candidates": candidates, "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}, "responseId": "1"}
        data = b"data: " + json.dumps(record).encode() + b"\n\n"
        client, upstream, gateway = await self.begin("gemini")
        upstream.send(STREAM + chunk(data) + b"0\r\n\r\n")
        await client.ended()
        self.assertTrue(client.received.startswith(b"HTTP/1.1 400 "), client.received)
        self.assertNotEqual(gateway.lines[-1].outcome, "ok")
        client, upstream, gateway = await self.begin("gemini")
        content = {"role": "model", "parts": [{"text": "hel"}]}
        said = {"candidates": [{"content": content, "index": 0}], "responseId": "1"}
        upstream.send(STREAM + chunk(b"data: " + json.dumps(said).encode() + b"\n\n"))
        await client.has(b"hel")
        upstream.send(chunk(data) + b"0\r\n\r\n")
        await client.ended()
        self.assertIn(b"event: error", client.received)
        self.assertNotIn(b"message_stop", client.received)
        self.assertEqual(gateway.lines[-1].outcome, "upstream_error")

    async def test_our_key_in_a_providers_words(self) -> None:
        """It is taken out of whatever the provider says of a failure: with a status, without one, and inside a stream."""
        error = {"error": {"message": "bad key sk-provider-key", "type": "server_error", "code": None}}
        record = b"data: " + json.dumps(error).encode() + b"\n\n"
        provider, gateway = await self.pair("openai-chat")
        provider._script = lambda wire: wire.send(reply(json.dumps(error).encode()))
        path, body = ASKED["anthropic"]
        response = await gateway.post(path, json.dumps(body).encode())
        self.assertEqual((response.status, b"sk-provider-key" in response.body), (500, False))
        self.assertNotIn("sk-provider-key", gateway.lines[-1].why)
        for before in (b"", chat_chunk({"role": "assistant", "content": "hel"})):
            client, upstream, gateway = await self.begin("openai-chat")
            upstream.send(STREAM + chunk(before + record) + b"0\r\n\r\n")
            await client.ended()
            self.assertIn(b"bad key", client.received)
            self.assertNotIn(b"sk-provider-key", client.received)
            self.assertNotIn("sk-provider-key", gateway.lines[-1].why)

    async def test_all_of_one_read_in_one_write(self) -> None:
        """Ten events that arrive together leave together."""
        client, upstream, _ = await self.begin("openai-chat")
        upstream.send(STREAM + chunk(chat_chunk({"role": "assistant", "content": "a"})))
        await client.has(b'"text":"a"')
        before = len(client.received)
        upstream.send(chunk(b"".join(chat_chunk({"content": f"piece {number}"}) for number in range(10))))
        await client.has(b"piece 9")
        size = bytes(client.received[before:]).split(b"\r\n", 1)[0]
        self.assertIn(b"piece 9", bytes(client.received[before:]))
        self.assertGreater(int(size, 16), 10 * 60)

    async def test_hang_up(self) -> None:
        """A client that goes takes the provider's connection with it."""
        client, upstream, gateway = await self.begin("openai-chat")
        upstream.send(STREAM + chunk(chat_chunk({"role": "assistant", "content": "a"})))
        await client.has(b'"text":"a"')
        client.reset()
        await upstream.ended()
        self.assertTrue(upstream.closed)
        while not gateway.lines:
            await deferLater(reactor, 0, lambda: None)
        self.assertEqual(gateway.lines[-1].outcome, "client_gone")


class TurnTests(TranslationCase):
    """What has to come back."""

    async def test_a_signature_through_a_foreign_client(self) -> None:
        """Claude's signed thinking, held by a Responses client in an envelope, returns to Claude as it was."""
        provider, gateway = await self.pair("anthropic")
        thinking = {"type": "thinking", "thinking": "hm", "signature": "EqQBsig"}
        use = {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"a": 1}}
        answer = {**ANSWERS["anthropic"], "content": [thinking, use], "stop_reason": "tool_use"}
        provider._script = lambda wire: wire.send(reply(json.dumps(answer).encode()))
        tools = [{"type": "function", "name": "read", "parameters": {"type": "object", "properties": {}}, "strict": False}]
        items: list[Any] = [{"role": "user", "content": "hi"}]
        asked: dict[str, Any] = {"model": "claude-sonnet-4-5", "input": items, "tools": tools, "store": False}
        asked["reasoning"] = {"effort": "low", "summary": "auto"}
        told = json.loads((await gateway.post("/v1/responses", json.dumps(asked).encode())).body)
        self.assertNotIn("EqQBsig", json.dumps(told))
        result = {"type": "function_call_output", "call_id": "toolu_1", "output": "ok"}
        items += [*told["output"], result]
        await gateway.post("/v1/responses", json.dumps(asked).encode())
        sent = json.loads(body_of(provider.connections[-1].received))
        self.assertEqual(sent["messages"][1]["content"], [thinking, use])

    async def test_a_signature_that_the_client_loses(self) -> None:
        """A Chat client sends back what it knows, and Claude still gets its own."""
        provider, gateway = await self.pair("anthropic")
        thinking = {"type": "thinking", "thinking": "hm", "signature": "EqQBsig"}
        use = {"type": "tool_use", "id": "toolu_1", "name": "read", "input": {"a": 1}}
        answer = {**ANSWERS["anthropic"], "content": [thinking, use], "stop_reason": "tool_use"}
        provider._script = lambda wire: wire.send(reply(json.dumps(answer).encode()))
        function = {"name": "read", "parameters": {"type": "object", "properties": {}}}
        asked: dict[str, Any] = {"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "hi"}]}
        asked |= {"tools": [{"type": "function", "function": function}], "reasoning_effort": "low", "max_tokens": 9000}
        told = json.loads((await gateway.post("/v1/chat/completions", json.dumps(asked).encode())).body)
        message = told["choices"][0]["message"]
        kept = {"role": "assistant", "content": message["content"], "tool_calls": message["tool_calls"]}
        asked["messages"] += [kept, {"role": "tool", "tool_call_id": "toolu_1", "content": "ok"}]
        await gateway.post("/v1/chat/completions", json.dumps(asked).encode())
        sent = json.loads(body_of(provider.connections[-1].received))
        self.assertEqual(sent["messages"][1]["content"], [thinking, use])

    async def test_another_model_in_the_middle(self) -> None:
        """What was sealed for one provider never reaches the next, though it speaks the client's own dialect; the rest does."""
        gpt, claude, amp = await self.provider(), await self.provider(), await self.provider()
        at = "http://127.0.0.1:{}".format
        gateway = self.gateway(
            "providers:\n"
            f"  g: {{dialect: openai-responses, base_url: '{at(gpt.port)}/v1', api_keys: [sk-g], models: [m]}}\n"
            f"  c: {{dialect: anthropic, base_url: '{at(claude.port)}', api_keys: [sk-c], models: [c-1]}}\n"
            f"amp: {{upstream_url: '{at(amp.port)}', upstream_api_key: amp-secret}}\n"
        )
        item = {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}
        item["encrypted_content"] = "gAAA"
        answer = {**ANSWERS["openai-responses"], "output": [item, *ANSWERS["openai-responses"]["output"]]}
        gpt._script = lambda wire: wire.send(reply(json.dumps(answer).encode()))
        claude._script = amp._script = lambda wire: wire.send(reply(json.dumps(ANSWERS["anthropic"]).encode()))
        asked = {**ASKED["anthropic"][1], "thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 9000}
        told = json.loads((await gateway.post("/v1/messages", json.dumps(asked).encode())).body)
        self.assertEqual([block["type"] for block in told["content"]], ["thinking", "text"])
        again = [*asked["messages"], {"role": "assistant", "content": told["content"]}, {"role": "user", "content": "on"}]
        for path, provider, model in (
            ("/v1/messages", claude, "c-1"),
            ("/api/provider/anthropic/v1/messages", amp, "claude-of-amp"),
        ):
            response = await gateway.post(path, json.dumps({**asked, "model": model, "messages": again}).encode())
            sent = json.loads(body_of(provider.connections[-1].received))
            expected = [again[0], {**again[1], "content": told["content"][1:]}, again[2]]
            self.assertEqual(sent, {**asked, "model": model, "messages": expected})
            self.assertEqual(response.headers["x-llmux-notes"], "1; /messages/1/content/0/signature")
        # the first one still gets its own
        await gateway.post("/v1/messages", json.dumps({**asked, "messages": again}).encode())
        self.assertIn(b"gAAA", body_of(gpt.connections[-1].received))


class SurfaceTests(TranslationCase):
    """What stands beside generation."""

    async def test_counted_tokens(self) -> None:
        """Each client's question, each provider's answer."""
        asked = {
            "anthropic": ("/v1/messages/count_tokens", {"model": "m", "messages": [{"role": "user", "content": "hi"}]}),
            "openai-responses": ("/v1/responses/input_tokens", {"model": "m", "input": "hi"}),
            "gemini": ("/v1beta/models/m:countTokens", {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}),
        }
        answers: dict[str, dict[str, Any]] = {
            "anthropic": {"input_tokens": 7},
            "openai-responses": {"object": "response.input_tokens", "input_tokens": 7},
            "gemini": {"totalTokens": 7},
        }
        for client, (path, body) in asked.items():
            for dialect, answer in answers.items():
                if client == dialect:
                    continue
                provider, gateway = await self.pair(dialect)
                data = reply(json.dumps(answer).encode())
                provider._script = lambda wire, data=data: wire.send(data)
                response = await gateway.post(path, json.dumps(body).encode())
                self.assertEqual((response.status, json.loads(response.body)), (200, answers[client]), (client, dialect))
                where = head_of(provider.connections[0].received)[0].split(b" ")[1]
                self.assertEqual(where.decode(), asked[dialect][0])
            _, gateway = await self.pair("openai-chat")
            self.assertEqual((await gateway.post(path, json.dumps(body).encode())).status, 404, "it has no such surface")

    async def test_embeddings(self) -> None:
        """One text, several texts, and a provider that has none."""
        provider, gateway = await self.pair("gemini")
        provider._script = lambda wire: wire.send(reply(b'{"embeddings":[{"values":[0.5,1]},{"values":[1,0]}]}'))
        response = await gateway.post("/v1/embeddings", b'{"model":"m","input":["a","b"]}')
        body = json.loads(response.body)
        self.assertEqual([row["embedding"] for row in body["data"]], [[0.5, 1], [1, 0]])
        self.assertIn(b":batchEmbedContents ", head_of(provider.connections[0].received)[0])
        provider, gateway = await self.pair("openai-chat")
        data: dict[str, Any] = {"object": "list", "model": "m"}
        data["data"] = [{"object": "embedding", "index": 0, "embedding": [0.5]}]
        data["usage"] = {"prompt_tokens": 1, "total_tokens": 1}
        provider._script = lambda wire: wire.send(reply(json.dumps(data).encode()))
        response = await gateway.post("/v1beta/models/m:embedContent", b'{"content":{"parts":[{"text":"a"}]}}')
        self.assertEqual(json.loads(response.body)["embedding"]["values"], [0.5])
        _, gateway = await self.pair("anthropic")
        self.assertEqual((await gateway.post("/v1/embeddings", b'{"model":"m","input":"a"}')).status, 404)

    async def test_completions(self) -> None:
        """A prompt for a provider that only chats."""
        provider, gateway = await self.pair("anthropic")
        provider._script = lambda wire: wire.send(reply(json.dumps(ANSWERS["anthropic"]).encode()))
        response = await gateway.post("/v1/completions", b'{"model":"m","prompt":"hi","max_tokens":9}')
        self.assertEqual(json.loads(response.body)["choices"][0]["text"], "hello")


class LongWayWholeTests(WholeTests):
    """The same through twisted.web."""

    express = False
