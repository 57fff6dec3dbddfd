"""The official SDKs, each over a provider of every other dialect: a tool loop, thinking, a picture, a schema, an error."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import anthropic
import openai
import pydantic
from google.genai import errors, types

from tests.e2e.actors import ANSWER, CITY, TEXT, THOUGHT, play
from tests.e2e.daemon import Daemon, Shared
from tests.e2e.providers import ScriptedProvider
from tests.e2e.sdks import KEY, SDKCase

# provider dialect -> the model that it serves
MODELS = {
    "openai-chat": "deepseek-reasoner",
    "openai-responses": "gpt-5.1",
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-3-pro-preview",
}
_CONFIG = """\
api_keys: ["{key}"]
providers:
  chat: {{base_url: "{url}/chat/v1", dialect: openai-chat, models: [deepseek-reasoner]}}
  responses: {{base_url: "{url}/responses/v1", dialect: openai-responses, models: [gpt-5.1]}}
  claude: {{base_url: "{url}/anthropic", dialect: anthropic, models: [claude-sonnet-4-5]}}
  google: {{base_url: "{url}/gemini", dialect: gemini, models: [gemini-3-pro-preview]}}
"""
PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
SCHEMA = {"type": "object", "properties": {"answer": {"type": "integer"}}, "required": ["answer"], "additionalProperties": False}


class _Acted(Shared):
    """A daemon before an actor."""

    def __init__(self) -> None:
        super().__init__(self._configure)
        self._provider: ScriptedProvider | None = None

    @property
    def provider(self) -> ScriptedProvider:
        """The actor, from its first use on."""
        if self._provider is None:
            self._provider = ScriptedProvider()
            play(self._provider)
        return self._provider

    def _configure(self, folder: Path) -> tuple[str, ...]:
        (folder / "llmux.yaml").write_text(_CONFIG.format(key=KEY, url=self.provider.url))
        return ("--config", "llmux.yaml")


_ACTED = _Acted()


class Answer(pydantic.BaseModel):
    """What the schema asks for."""

    answer: int


class _Case(SDKCase):
    dialect = ""

    @property
    def daemon(self) -> Daemon:
        """The daemon before the actor."""
        return _ACTED.daemon

    def models(self) -> list[str]:
        """Those whose provider speaks another dialect."""
        return [model for dialect, model in MODELS.items() if dialect != self.dialect]

    def seen(self) -> Any:
        """What reached the provider last."""
        return _ACTED.provider.seen[-1].document


class ChatTests(_Case):
    """OpenAI's SDK, Chat Completions."""

    dialect = "openai-chat"
    tool: Any = {"type": "function", "function": {"name": "get_weather", "description": "Weather.", "parameters": PARAMETERS}}

    def test_text(self) -> None:
        """With instructions, whole and streamed."""
        messages: Any = [{"role": "system", "content": "short"}, {"role": "user", "content": "hello"}]
        for model in self.models():
            answer = self.openai(strict=True).chat.completions.create(model=model, messages=messages)
            self.assertEqual(answer.choices[0].message.content, f"{TEXT} (short)", model)
            assert answer.usage is not None
            self.assertEqual((answer.usage.prompt_tokens, answer.usage.total_tokens), (10, 15), model)
            chunks = list(
                self.openai().chat.completions.create(
                    model=model, messages=messages, stream=True, stream_options={"include_usage": True}
                )
            )
            text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
            self.assertEqual(text, f"{TEXT} (short)", model)
            self.assertEqual(chunks[-1].usage and chunks[-1].usage.total_tokens, 15, model)

    def test_tool_loop_with_thinking(self) -> None:
        """The call, its result, the answer; the provider gets back what it signed."""
        for model in self.models():
            for streamed in (False, True):
                messages: list[Any] = [{"role": "user", "content": "weather?"}]
                asked: dict[str, Any] = {"model": model, "tools": [self.tool], "reasoning_effort": "low"}
                if streamed:
                    with self.openai().chat.completions.stream(messages=messages, **asked) as stream:
                        message: Any = stream.get_final_completion().choices[0].message
                else:
                    message = self.openai().chat.completions.create(messages=messages, **asked).choices[0].message
                (call,) = message.tool_calls
                self.assertEqual((call.function.name, json.loads(call.function.arguments)), ("get_weather", CITY), model)
                function = {"name": "get_weather", "arguments": call.function.arguments}
                kept = {"id": call.id, "type": "function", "function": function}
                messages += [
                    {"role": "assistant", "content": message.content, "tool_calls": [kept]},
                    {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
                ]
                answer = self.openai().chat.completions.create(messages=messages, **asked)
                self.assertEqual(answer.choices[0].message.content, "results: sunny", (model, streamed))

    def test_thinking_is_shown(self) -> None:
        """Where other servers of this API show it."""
        for model in self.models():
            answer = self.openai().chat.completions.create(
                model=model, messages=[{"role": "user", "content": "hello"}], reasoning_effort="low"
            )
            if model != MODELS["openai-responses"]:  # which shows it to whoever asks for a summary
                self.assertEqual(getattr(answer.choices[0].message, "reasoning_content", None), THOUGHT, model)

    def test_picture(self) -> None:
        """In a data URL."""
        content: Any = [
            {"type": "text", "text": "what is it?"},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PICTURE}"}},
        ]
        for model in self.models():
            answer = self.openai().chat.completions.create(model=model, messages=[{"role": "user", "content": content}])
            self.assertEqual(answer.choices[0].message.content, "1 picture", model)

    def test_structured(self) -> None:
        """The SDK's own parser reads it."""
        for model in self.models():
            answer = self.openai().chat.completions.parse(
                model=model, messages=[{"role": "user", "content": "how much?"}], response_format=Answer
            )
            self.assertEqual(answer.choices[0].message.parsed, Answer(**ANSWER), model)

    def test_error(self) -> None:
        """Raised as what it is, whole and streamed."""
        messages: Any = [{"role": "user", "content": "fail"}]
        for model in self.models():
            for streamed in (False, True):
                error: Any = self.assertRaises(
                    openai.RateLimitError, self.openai().chat.completions.create, model=model, messages=messages, stream=streamed
                )
                self.assertIn("slow down", error.message)
                self.assertEqual(error.response.headers["retry-after"], "7")


class ResponsesTests(_Case):
    """OpenAI's SDK, Responses."""

    dialect = "openai-responses"
    tool: Any = {"type": "function", "name": "get_weather", "description": "Weather.", "parameters": PARAMETERS, "strict": True}

    def test_text(self) -> None:
        """With instructions, whole and streamed."""
        for model in self.models():
            answer = self.openai().responses.create(model=model, instructions="short", input="hello")
            self.assertEqual(answer.output_text, f"{TEXT} (short)", model)
            self.assertEqual(answer.usage and answer.usage.total_tokens, 15, model)
            with self.openai().responses.stream(model=model, instructions="short", input="hello") as stream:
                told = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
                final = stream.get_final_response()
            self.assertEqual((told, final.output_text), (f"{TEXT} (short)", f"{TEXT} (short)"), model)

    def test_tool_loop_with_thinking(self) -> None:
        """The whole output goes back, as this API wants it."""
        for model in self.models():
            for streamed in (False, True):
                asked: dict[str, Any] = {"model": model, "tools": [self.tool], "store": False}
                asked |= {"reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]}
                items: list[Any] = [{"role": "user", "content": "weather?"}]
                if streamed:
                    with self.openai().responses.stream(input=items, **asked) as stream:
                        stream.until_done()
                        answer: Any = stream.get_final_response()
                else:
                    answer = self.openai().responses.create(input=items, **asked)
                *thoughts, call = answer.output
                self.assertEqual((call.name, json.loads(call.arguments)), ("get_weather", CITY), model)
                told = [part.text for each in thoughts for part in each.summary or each.content or ()]
                self.assertEqual(told, [THOUGHT], model)
                items += [item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in answer.output]
                items.append({"type": "function_call_output", "call_id": call.call_id, "output": "sunny"})
                answer = self.openai().responses.create(input=items, **asked)
                self.assertEqual(answer.output_text, "results: sunny", (model, streamed))

    def test_picture(self) -> None:
        """In a data URL."""
        content = [
            {"type": "input_text", "text": "what is it?"},
            {"type": "input_image", "detail": "auto", "image_url": f"data:image/png;base64,{PICTURE}"},
        ]
        asked: Any = [{"role": "user", "content": content}]
        for model in self.models():
            self.assertEqual(self.openai().responses.create(model=model, input=asked).output_text, "1 picture", model)

    def test_structured(self) -> None:
        """The SDK's own parser reads it."""
        for model in self.models():
            answer = self.openai().responses.parse(model=model, input="how much?", text_format=Answer)
            self.assertEqual(answer.output_parsed, Answer(**ANSWER), model)

    def test_error(self) -> None:
        """Raised as what it is, whole and streamed."""
        for model in self.models():
            for streamed in (False, True):
                error: Any = self.assertRaises(
                    openai.RateLimitError, self.openai().responses.create, model=model, input="fail", stream=streamed
                )
                self.assertIn("slow down", error.message)


class MessagesTests(_Case):
    """Anthropic's SDK."""

    dialect = "anthropic"
    tool: Any = {"name": "get_weather", "description": "Weather.", "input_schema": PARAMETERS}

    def test_text(self) -> None:
        """With instructions, whole and streamed."""
        asked: dict[str, Any] = {"max_tokens": 500, "system": "short", "messages": [{"role": "user", "content": "hello"}]}
        for model in self.models():
            answer: Any = self.anthropic().messages.create(model=model, **asked)
            self.assertEqual(answer.content[0].text, f"{TEXT} (short)", model)
            self.assertEqual((answer.usage.input_tokens, answer.usage.output_tokens), (10, 5), model)
            with self.anthropic().messages.stream(model=model, **asked) as stream:
                self.assertEqual("".join(stream.text_stream), f"{TEXT} (short)", model)
                self.assertEqual(stream.get_final_message().usage.input_tokens, 10, model)

    def test_tool_loop_with_thinking(self) -> None:
        """Thinking is shown and goes back with its signature."""
        for model in self.models():
            for streamed in (False, True):
                messages: list[Any] = [{"role": "user", "content": "weather?"}]
                asked: dict[str, Any] = {"model": model, "max_tokens": 9000, "tools": [self.tool]}
                asked["thinking"] = {"type": "enabled", "budget_tokens": 2048}
                if streamed:
                    with self.anthropic().messages.stream(messages=messages, **asked) as stream:
                        answer: Any = stream.get_final_message()
                else:
                    answer = self.anthropic().messages.create(messages=messages, **asked)
                self.assertEqual(answer.stop_reason, "tool_use", model)
                *thoughts, use = answer.content
                self.assertEqual((use.name, use.input), ("get_weather", CITY), model)
                self.assertEqual([block.thinking for block in thoughts if block.type == "thinking"], [THOUGHT], model)
                messages += [
                    {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in answer.content]},
                    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "sunny"}]},
                ]
                answer = self.anthropic().messages.create(messages=messages, **asked)
                self.assertEqual(answer.content[0].text, "results: sunny", (model, streamed))

    def test_picture(self) -> None:
        """As base64."""
        source = {"type": "base64", "media_type": "image/png", "data": PICTURE}
        content: Any = [{"type": "image", "source": source}, {"type": "text", "text": "what is it?"}]
        for model in self.models():
            answer: Any = self.anthropic().messages.create(
                model=model, max_tokens=500, messages=[{"role": "user", "content": content}]
            )
            self.assertEqual(answer.content[0].text, "1 picture", model)

    def test_structured(self) -> None:
        """By its own word for it."""
        for model in self.models():
            answer: Any = self.anthropic().messages.create(
                model=model,
                max_tokens=500,
                messages=[{"role": "user", "content": "how much?"}],
                output_config={"format": {"type": "json_schema", "schema": SCHEMA}},
            )
            self.assertEqual(json.loads(answer.content[0].text), ANSWER, model)

    def test_error(self) -> None:
        """Raised as what it is, whole and streamed."""
        messages: Any = [{"role": "user", "content": "fail"}]
        for model in self.models():
            for streamed in (False, True):
                error: Any = self.assertRaises(
                    anthropic.RateLimitError,
                    self.anthropic().messages.create,
                    model=model,
                    max_tokens=500,
                    messages=messages,
                    stream=streamed,
                )
                self.assertIn("slow down", error.message)
                self.assertEqual(error.response.headers["retry-after"], "7")


class GeminiTests(_Case):
    """Google's SDK."""

    dialect = "gemini"
    tool = types.Tool(
        function_declarations=[
            types.FunctionDeclaration(name="get_weather", description="Weather.", parameters_json_schema=PARAMETERS)
        ]
    )

    def config(self, **more: Any) -> types.GenerateContentConfig:
        """Nothing is called by the SDK itself."""
        return types.GenerateContentConfig(automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True), **more)

    def test_text(self) -> None:
        """With instructions, whole and streamed."""
        config = self.config(system_instruction="short")
        for model in self.models():
            answer = self.gemini().models.generate_content(model=model, contents="hello", config=config)
            self.assertEqual(answer.text, f"{TEXT} (short)", model)
            assert answer.usage_metadata is not None
            self.assertEqual(answer.usage_metadata.total_token_count, 15, model)
            stream = self.gemini().models.generate_content_stream(model=model, contents="hello", config=config)
            self.assertEqual("".join(record.text or "" for record in stream), f"{TEXT} (short)", model)

    def test_tool_loop_with_thinking(self) -> None:
        """Thoughts are shown, and the content goes back as it came."""
        config = self.config(tools=[self.tool], thinking_config=types.ThinkingConfig(include_thoughts=True, thinking_budget=2048))
        for model in self.models():
            for streamed in (False, True):
                contents: list[Any] = [types.Content(role="user", parts=[types.Part(text="weather?")])]
                client = self.gemini()
                if streamed:
                    records = client.models.generate_content_stream(model=model, contents=contents, config=config)
                    parts = [part for record in records for part in _parts(record)]
                else:
                    parts = _parts(client.models.generate_content(model=model, contents=contents, config=config))
                (call,) = [part.function_call for part in parts if part.function_call]
                self.assertEqual((call.name, call.args), ("get_weather", CITY), model)
                self.assertEqual("".join(part.text or "" for part in parts if part.thought), THOUGHT, model)
                response = types.FunctionResponse(id=call.id, name=call.name, response={"output": "sunny"})
                contents += [
                    types.Content(role="model", parts=[part for part in parts if part.text != "" or part.thought_signature]),
                    types.Content(role="user", parts=[types.Part(function_response=response)]),
                ]
                answer = client.models.generate_content(model=model, contents=contents, config=config)
                self.assertEqual(answer.text, "results: sunny", (model, streamed))

    def test_picture(self) -> None:
        """Inline."""
        parts = [types.Part.from_bytes(data=base64.b64decode(PICTURE), mime_type="image/png"), types.Part(text="what is it?")]
        for model in self.models():
            answer = self.gemini().models.generate_content(model=model, contents=types.Content(role="user", parts=parts))
            self.assertEqual(answer.text, "1 picture", model)

    def test_structured(self) -> None:
        """By JSON Schema."""
        config = self.config(response_mime_type="application/json", response_json_schema=SCHEMA)
        for model in self.models():
            answer = self.gemini().models.generate_content(model=model, contents="how much?", config=config)
            self.assertEqual(json.loads(answer.text or ""), ANSWER, model)

    def test_error(self) -> None:
        """Raised as what it is, whole and streamed."""
        for model in self.models():
            ask = self.gemini().models.generate_content
            error: Any = self.assertRaises(errors.ClientError, ask, model=model, contents="fail")
            self.assertEqual((error.code, error.status), (429, "RESOURCE_EXHAUSTED"))
            self.assertIn("slow down", error.message)
            stream = self.gemini().models.generate_content_stream(model=model, contents="fail")
            error = self.assertRaises(errors.ClientError, list, stream)
            self.assertEqual(error.code, 429)


def _parts(record: types.GenerateContentResponse) -> list[types.Part]:
    candidates = record.candidates or []
    return [part for candidate in candidates if candidate.content for part in candidate.content.parts or ()]
