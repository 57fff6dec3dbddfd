"""Google's SDK over the built-in playback: at every path under which its versions ask, natively and below Amp's prefix."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from google.genai import errors, types

from tests.e2e.sdks import KEY, SDKCase

_MODEL = "gemini-2.5-pro"
_WEATHER = types.FunctionDeclaration(
    name="get_weather",
    description="The weather",
    parameters=types.Schema(type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}),
)
_TOOLS = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[_WEATHER])])


class GenerateTests(SDKCase):
    """generateContent. `version` None: the API version that the SDK takes by itself."""

    version: str | None = None

    def client(self, key: str = KEY) -> Any:
        """The SDK's client of this class."""
        return self.gemini(key, self.version)

    def test_whole(self) -> None:
        answer = self.client().models.generate_content(model=_MODEL, contents="hello")
        self.assertIn("Hello from llmux!", answer.text)
        self.assertEqual(answer.candidates[0].finish_reason, types.FinishReason.STOP)
        self.assertGreater(answer.usage_metadata.total_token_count, answer.usage_metadata.prompt_token_count)

    def test_stream(self) -> None:
        client = self.client()
        records = list(client.models.generate_content_stream(model=_MODEL, contents="hello"))
        self.assertGreater(len(records), 10)
        told = "".join(record.text or "" for record in records)
        self.assertEqual(told, client.models.generate_content(model=_MODEL, contents="hello").text)
        ends = [record.candidates[0].finish_reason for record in records if record.candidates[0].finish_reason]
        self.assertEqual(ends, [types.FinishReason.STOP])

    def test_tool_loop(self) -> None:
        client = self.client()
        contents: list[Any] = [types.Content(role="user", parts=[types.Part(text="How is the weather in Paris?")])]
        answer = client.models.generate_content(model=_MODEL, contents=contents, config=_TOOLS)
        (call,) = answer.function_calls
        self.assertEqual((call.name, call.args), ("get_weather", {"city": "Paris"}))
        contents.append(answer.candidates[0].content)
        result = types.FunctionResponse(name=call.name, id=call.id, response={"result": "sunny"})
        contents.append(types.Content(role="user", parts=[types.Part(function_response=result)]))
        records = client.models.generate_content_stream(model=_MODEL, contents=contents, config=_TOOLS)
        self.assertIn("Thank you", "".join(record.text or "" for record in records))

    def test_count_tokens(self) -> None:
        self.assertGreater(self.client().models.count_tokens(model=_MODEL, contents="hello " * 100).total_tokens, 20)

    def test_embeddings(self) -> None:
        config = types.EmbedContentConfig(output_dimensionality=8)
        answer = self.client().models.embed_content(model="gemini-embedding-001", contents=["one", "two"], config=config)
        self.assertEqual([len(row.values) for row in answer.embeddings], [8, 8])

    def test_models(self) -> None:
        client = self.client()
        names = [model.name for model in client.models.list()]
        self.assertIn(f"models/{_MODEL}", names)
        self.assertEqual([model.name for model in client.models.list(config={"page_size": 2})], names)
        self.assertEqual(client.models.get(model=_MODEL).name, f"models/{_MODEL}")
        error = self.assertRaises(errors.ClientError, client.models.get, model="gemini-none")
        self.assertEqual((error.code, error.status), (404, "NOT_FOUND"))

    def test_errors(self) -> None:
        """Nobody serves the model, streamed or not; the body is wrong; the key is."""
        models = self.client().models
        error = self.assertRaises(errors.ServerError, models.generate_content, model="nobody", contents="hello")
        self.assertEqual((error.code, error.status), (503, "UNAVAILABLE"))
        self.assertIn("No provider available for model: nobody", error.message or "")
        self.assertRaises(errors.ServerError, lambda: list(models.generate_content_stream(model="nobody", contents="hello")))
        broken = types.GenerateContentConfig(http_options=types.HttpOptions(extra_body={"contents": [7]}))
        error = self.assertRaises(errors.ClientError, models.generate_content, model=_MODEL, contents="hello", config=broken)
        self.assertEqual((error.code, error.status), (400, "INVALID_ARGUMENT"))
        wrong = self.client("not-a-key-of-ours").models
        error = self.assertRaises(errors.ClientError, wrong.generate_content, model=_MODEL, contents="hello")
        self.assertEqual(error.code, 401)


class BetaGenerateTests(GenerateTests):
    """The path of the SDK's older releases and of Gemini CLI."""

    version = "v1beta"


class AliasGenerateTests(GenerateTests):
    """The same below Amp's prefix."""

    base = "/api/provider/google"


class AliasBetaGenerateTests(GenerateTests):
    """The same below Amp's prefix."""

    base = "/api/provider/google"
    version = "v1beta"


class VertexPathTests(SDKCase):
    """The path of Vertex AI, as Amp's finder asks for it: a placeholder in one place, the key in another."""

    def ask(self, url: str, **headers: str) -> Any:
        """POST a prompt, return the document."""
        body = json.dumps({"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}).encode()
        request = urllib.request.Request(url, body, {"content-type": "application/json", **headers})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=20) as response:
            return json.load(response)

    def test_both_roots(self) -> None:
        for root in ("", "/api/provider/google"):
            url = f"{self.daemon.url}{root}/v1beta1/publishers/google/models/{_MODEL}:generateContent"
            answer = types.GenerateContentResponse.model_validate(
                self.ask(url, **{"authorization": f"Bearer {KEY}", "x-goog-api-key": "placeholder"})
            )
            self.assertIn("Hello from llmux!", answer.text or "")

    def test_key_in_query(self) -> None:
        url = f"{self.daemon.url}/v1beta/models/{_MODEL}:generateContent?key={KEY}"
        self.assertIn("candidates", self.ask(url))

    def test_no_key(self) -> None:
        url = f"{self.daemon.url}/v1beta1/publishers/google/models/{_MODEL}:generateContent"
        error = self.assertRaises(urllib.error.HTTPError, self.ask, url)
        self.addCleanup(error.close)
        self.assertEqual((error.code, json.load(error)["error"]["status"]), (401, "UNAUTHENTICATED"))
