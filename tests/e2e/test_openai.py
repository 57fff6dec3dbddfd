"""OpenAI's SDK over the built-in playback: both of its dialects, natively and below Amp's prefix."""

from __future__ import annotations

import json
from typing import Any

import openai

from tests.e2e.sdks import SDKCase

_WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
_CHAT_TOOL: Any = {"type": "function", "function": {"name": "get_weather", "description": "The weather", "parameters": _WEATHER}}
_TOOL: Any = {"type": "function", "name": "get_weather", "description": "The weather", "parameters": _WEATHER, "strict": True}


class ChatTests(SDKCase):
    """Chat Completions."""

    def test_whole(self) -> None:
        answer = self.openai().chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": "hello"}])
        self.assertEqual(answer.model, "gpt-5")
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertIn("Hello from llmux!", answer.choices[0].message.content or "")
        assert answer.usage is not None
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)

    def test_stream(self) -> None:
        """The stream comes to the whole answer; usage comes last, because it was asked for."""
        client = self.openai()
        asked: Any = {"model": "gpt-5", "messages": [{"role": "user", "content": "hello"}]}
        chunks = list(client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
        self.assertGreater(len(chunks), 10)
        told = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
        self.assertEqual(told, client.chat.completions.create(**asked).choices[0].message.content)
        self.assertEqual(chunks[-1].choices, [])
        assert chunks[-1].usage is not None
        self.assertEqual([chunk.usage for chunk in chunks[:-1]], [None] * (len(chunks) - 1))
        ends = [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]
        self.assertEqual(ends, ["stop"])

    def test_no_usage_unasked(self) -> None:
        messages: Any = [{"role": "user", "content": "hello"}]
        stream = self.openai().chat.completions.create(model="gpt-5", messages=messages, stream=True)
        self.assertEqual([chunk for chunk in stream if chunk.usage is not None or not chunk.choices], [])

    def test_tool_loop(self) -> None:
        client = self.openai()
        messages: list[Any] = [{"role": "user", "content": "How is the weather in Paris?"}]
        answer = client.chat.completions.create(model="gpt-5", messages=messages, tools=[_CHAT_TOOL])
        self.assertEqual(answer.choices[0].finish_reason, "tool_calls")
        calls: Any = answer.choices[0].message.tool_calls
        (call,) = calls
        self.assertEqual((call.function.name, json.loads(call.function.arguments)), ("get_weather", {"city": "Paris"}))
        messages.append(answer.choices[0].message.to_dict())
        messages.append({"role": "tool", "tool_call_id": call.id, "content": "sunny"})
        answer = client.chat.completions.create(model="gpt-5", messages=messages, tools=[_CHAT_TOOL])
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertIn("Thank you", answer.choices[0].message.content or "")

    def test_streamed_tool_call(self) -> None:
        """The SDK's own accumulator takes the stream."""
        asked: Any = {"model": "gpt-5", "messages": [{"role": "user", "content": "the weather, please"}], "tools": [_CHAT_TOOL]}
        with self.openai().chat.completions.stream(**asked) as stream:
            kinds = {event.type for event in stream}
            final = stream.get_final_completion()
        calls: Any = final.choices[0].message.tool_calls
        (call,) = calls
        self.assertEqual(json.loads(call.function.arguments), {"city": "Paris"})
        self.assertEqual(final.choices[0].finish_reason, "tool_calls")
        self.assertIn("tool_calls.function.arguments.done", kinds)

    def test_legacy_completions(self) -> None:
        client = self.openai()
        whole = client.completions.create(model="gpt-5", prompt="hello").choices[0]
        chunks = list(self.openai(strict=False).completions.create(model="gpt-5", prompt="hello", stream=True))
        self.assertEqual("".join(chunk.choices[0].text for chunk in chunks), whole.text)
        self.assertEqual((chunks[-1].choices[0].finish_reason, whole.finish_reason), ("stop", "stop"))

    def test_embeddings(self) -> None:
        """As floats, and as the base64 that the SDK asks for by itself; the two are the same vectors."""
        asked: Any = {"model": "text-embedding-3-small", "input": ["one", "two"], "dimensions": 8}
        packed = self.openai(strict=False).embeddings.create(**asked)
        plain = self.openai().embeddings.create(**asked, encoding_format="float")
        self.assertEqual([len(row.embedding) for row in packed.data], [8, 8])
        for one, other in zip(packed.data, plain.data, strict=True):
            for a, b in zip(one.embedding, other.embedding, strict=True):
                self.assertAlmostEqual(a, b, places=6)

    def test_models(self) -> None:
        client = self.openai()
        names = [model.id for model in client.models.list()]
        self.assertIn("gpt-5", names)
        self.assertEqual(client.models.retrieve("gpt-5").id, "gpt-5")
        error = self.assertRaises(openai.NotFoundError, client.models.retrieve, "gpt-none")
        self.assertEqual(error.code, "model_not_found")

    def test_errors(self) -> None:
        """Nobody serves the model; the key is wrong; the body is."""
        ask = self.openai().chat.completions.create
        messages: Any = [{"role": "user", "content": "hello"}]
        error: Any = self.assertRaises(openai.InternalServerError, ask, model="nobody", messages=messages)
        self.assertEqual((error.status_code, error.type, error.code, error.param), (503, "server_error", "no_provider", "model"))
        self.assertIn("No provider available for model: nobody", str(error))
        self.assertEqual(error.response.headers["x-should-retry"], "false")
        self.assertEqual(error.response.headers["x-llmux-decision"], "refused; provider=-; model=nobody; attempts=0")
        error = self.assertRaises(openai.BadRequestError, ask, model="gpt-5", messages="hello")
        self.assertEqual(error.type, "invalid_request_error")
        error = self.assertRaises(openai.BadRequestError, ask, model="", messages=messages)
        self.assertEqual(error.param, "model")
        wrong = self.openai("not-a-key-of-ours")
        error = self.assertRaises(openai.AuthenticationError, wrong.chat.completions.create, model="gpt-5", messages=messages)
        self.assertEqual((error.type, error.code), ("invalid_request_error", "invalid_api_key"))
        self.assertTrue(error.request_id)

    def test_facts_in_headers(self) -> None:
        raw = self.openai().chat.completions.with_raw_response.create(
            model="gpt-5", messages=[{"role": "user", "content": "hello"}], extra_headers={"x-request-id": "mine-1"}
        )
        self.assertEqual(raw.headers["x-llmux-decision"], "local; provider=demo; model=gpt-5; attempts=1")
        self.assertEqual(raw.headers["x-llmux-request-id"], "mine-1")


class ResponsesTests(SDKCase):
    """Responses."""

    def test_whole(self) -> None:
        answer = self.openai().responses.create(model="gpt-5", input="hello")
        self.assertEqual((answer.status, answer.model, answer.error), ("completed", "gpt-5", None))
        self.assertIn("Hello from llmux!", answer.output_text)
        assert answer.usage is not None
        self.assertEqual(answer.usage.total_tokens, answer.usage.input_tokens + answer.usage.output_tokens)

    def test_stream(self) -> None:
        """Numbered without gaps, the last event tells the whole answer, and the SDK's accumulator agrees."""
        client = self.openai()
        with client.responses.stream(model="gpt-5", input="hello") as stream:
            events: list[Any] = list(stream)
            final = stream.get_final_response()
        self.assertEqual([event.sequence_number for event in events], list(range(len(events))))
        self.assertEqual((events[0].type, events[-1].type), ("response.created", "response.completed"))
        told = "".join(event.delta for event in events if event.type == "response.output_text.delta")
        self.assertEqual(told, final.output_text)
        self.assertEqual(told, client.responses.create(model="gpt-5", input="hello").output_text)

    def test_tool_loop(self) -> None:
        """The call is streamed, and its result brought back with everything that came before."""
        client = self.openai()
        items: list[Any] = [{"role": "user", "content": "How is the weather in Paris?"}]
        events = list(client.responses.create(model="gpt-5", input=items, tools=[_TOOL], stream=True))
        final = events[-1]
        assert final.type == "response.completed"
        (call,) = [item for item in final.response.output if item.type == "function_call"]
        self.assertEqual((call.name, json.loads(call.arguments)), ("get_weather", {"city": "Paris"}))
        items += [item.to_dict() for item in final.response.output]
        items.append({"type": "function_call_output", "call_id": call.call_id, "output": "sunny"})
        answer = client.responses.create(model="gpt-5", input=items, tools=[_TOOL])
        self.assertIn("Thank you", answer.output_text)

    def test_errors(self) -> None:
        ask = self.openai().responses.create
        error: Any = self.assertRaises(openai.InternalServerError, ask, model="nobody", input="hello")
        self.assertEqual((error.status_code, error.code), (503, "no_provider"))
        error = self.assertRaises(openai.BadRequestError, ask, model="gpt-5", input=7)
        self.assertEqual(error.type, "invalid_request_error")
        self.assertRaises(openai.AuthenticationError, self.openai("not-a-key-of-ours").responses.create, model="gpt-5", input="x")


class AliasChatTests(ChatTests):
    """The same below Amp's prefix."""

    base = "/api/provider/openai"


class AliasResponsesTests(ResponsesTests):
    """The same below Amp's prefix."""

    base = "/api/provider/openai"
