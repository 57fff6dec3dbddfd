"""Anthropic's SDK over the built-in playback, natively and below Amp's prefix."""

from __future__ import annotations

from typing import Any

import anthropic

from tests.e2e.sdks import KEY, SDKCase

_TOOL: Any = {
    "name": "get_weather",
    "description": "The weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def asked(text: str, **more: Any) -> Any:
    """What every request says."""
    return {"model": "claude-opus-4-5", "max_tokens": 1000, "messages": [{"role": "user", "content": text}], **more}


def text_of(message: Any) -> str:
    """The text of a message."""
    return "".join(block.text for block in message.content if block.type == "text")


class MessagesTests(SDKCase):
    """Messages."""

    def test_whole(self) -> None:
        answer = self.anthropic().messages.create(**asked("hello"))
        self.assertEqual((answer.model, answer.role, answer.stop_reason), ("claude-opus-4-5", "assistant", "end_turn"))
        self.assertIn("Hello from llmux!", text_of(answer))
        self.assertGreater(answer.usage.output_tokens, 0)

    def test_stream(self) -> None:
        """The SDK's accumulator comes to the whole answer."""
        client = self.anthropic()
        with client.messages.stream(**asked("hello")) as stream:
            told = "".join(stream.text_stream)
            final = stream.get_final_message()
        self.assertEqual(told, text_of(final))
        self.assertEqual(told, text_of(client.messages.create(**asked("hello"))))
        self.assertEqual(final.stop_reason, "end_turn")

    def test_raw_events(self) -> None:
        """`message_start` first, `message_stop` last, blocks numbered from 0 and never interleaved."""
        events: list[Any] = list(self.anthropic().messages.create(**asked("hello"), stream=True))
        self.assertEqual((events[0].type, events[-1].type), ("message_start", "message_stop"))
        blocks = [event for event in events if event.type in ("content_block_start", "content_block_stop")]
        self.assertEqual([event.index for event in blocks], [number // 2 for number in range(len(blocks))])

    def test_tool_loop(self) -> None:
        """The call is streamed, and its result brought back with everything that came before, thinking included."""
        client = self.anthropic()
        request = asked("How is the weather in Paris?", tools=[_TOOL])
        with client.messages.stream(**request) as stream:
            answer = stream.get_final_message()
        self.assertEqual(answer.stop_reason, "tool_use")
        (call,) = [block for block in answer.content if block.type == "tool_use"]
        self.assertEqual((call.name, call.input), ("get_weather", {"city": "Paris"}))
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}
        request["messages"] += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
        answer = client.messages.create(**request)
        self.assertEqual(answer.stop_reason, "end_turn")
        self.assertIn("Thank you", text_of(answer))

    def test_beta(self) -> None:
        """The beta name space adds a query and a header."""
        answer = self.anthropic().beta.messages.create(**asked("hello"), betas=["interleaved-thinking-2025-05-14"])
        self.assertIn("Hello from llmux!", text_of(answer))

    def test_count_tokens(self) -> None:
        messages: Any = [{"role": "user", "content": "hello " * 100}]
        counted = self.anthropic().messages.count_tokens(model="claude-opus-4-5", messages=messages)
        self.assertGreater(counted.input_tokens, 20)

    def test_models(self) -> None:
        """A list that is paged, and one model."""
        client = self.anthropic()
        names = [model.id for model in client.models.list()]
        self.assertIn("claude-opus-4-5", names)
        self.assertEqual([model.id for model in client.models.list(limit=2)], names)
        self.assertEqual(client.models.retrieve("claude-opus-4-5").id, "claude-opus-4-5")
        error: Any = self.assertRaises(anthropic.NotFoundError, client.models.retrieve, "claude-none")
        self.assertEqual(error.type, "not_found_error")

    def test_bearer(self) -> None:
        """The key as a bearer token, as Claude Code may send it."""
        answer = self.anthropic(auth_token=KEY).messages.create(**asked("hello"))
        self.assertEqual(answer.stop_reason, "end_turn")

    def test_errors(self) -> None:
        """Nobody serves the model; the body is wrong; the key is."""
        client = self.anthropic()
        request = asked("hello")
        error: Any = self.assertRaises(anthropic.APIStatusError, client.messages.create, **{**request, "model": "nobody"})
        self.assertEqual((error.status_code, error.body["type"], error.type), (503, "error", "api_error"))
        self.assertEqual(error.body["error"]["message"], "No provider available for model: nobody")
        self.assertEqual(error.body["request_id"], error.request_id)
        error = self.assertRaises(anthropic.BadRequestError, client.messages.create, **{**request, "messages": "hello"})
        self.assertEqual(error.type, "invalid_request_error")
        error = self.assertRaises(anthropic.AuthenticationError, self.anthropic("not-a-key-of-ours").messages.create, **request)
        self.assertEqual(error.type, "authentication_error")


class AliasMessagesTests(MessagesTests):
    """The same below Amp's prefix."""

    base = "/api/provider/anthropic"
