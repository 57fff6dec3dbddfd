"""Tests for the playback executor."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import attrs
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from llmux.executors.base import Call
from llmux.executors.playback import Playback, read_scenarios
from llmux.headers import Headers
from llmux.net.answer import Answer
from llmux.routing.decision import Facts
from llmux.scenario.loader import load
from llmux.scenario.model import ScenarioError
from llmux.web.auth import credentials
from tests import oracles
from tests.executors.test_recital import Listener
from tests.grammars import check_chat, check_gemini, check_messages, check_responses, records

WEATHER = {"name": "get_weather", "description": "Look out", "parameters": {"type": "object", "properties": {}}}


def openai_call(doc: dict[str, Any], **facts: Any) -> Call:
    return call("openai-chat", doc, **facts)


def call(dialect: str, doc: object, headers: Headers | None = None, query: bytes = b"", **facts: Any) -> Call:
    """An errand as the front would give it."""
    body = doc if isinstance(doc, bytes) else json.dumps(doc).encode()
    return Call(
        method=b"POST",
        path=b"/",
        query=query,
        headers=headers or [],
        body=body,
        facts=Facts(dialect, **{"operation": "generate", "model": "model-1", "base": "model-1", **facts}),
        model="model-1",
        credential=None,
        request_id="req-1",
        client="anonymous",
        secrets=(),
        shown=next(credentials(headers or [], query), None),
        connect_timeout=10.0,
        sent=lambda: None,
        dialect=dialect,
    )


@attrs.frozen
class Heard:
    """An answer that was heard to its end."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class PlaybackTestCase(SynchronousTestCase):
    """A playback provider of some scenarios on a clock."""

    def player(self, *texts: str, speed: float = 1.0) -> Playback:
        self.clock = Clock()
        ids = (f"id{number}" for number in itertools.count())
        scenarios = [load(text, "x") for text in texts] or read_scenarios("builtin:hello")
        return Playback(scenarios, self.clock, speed, lambda: next(ids))

    def hear(self, player: Playback, errand: Call) -> Heard:
        """Perform an errand to its end, however long it takes."""
        deferred = player.execute(errand)
        self.clock.pump([1.0] * 20)
        answer: Answer = self.successResultOf(deferred)
        listener = Listener()
        answer.deliver(listener)
        self.clock.pump([1.0] * 20)
        self.assertEqual((listener.ended, self.clock.getDelayedCalls()), (1, []))
        return Heard(answer.status, dict(answer.headers), b"".join(listener.heard))


class HelloTests(PlaybackTestCase):
    """The built-in scenario, in every dialect, judged by the SDKs."""

    def test_chat(self) -> None:
        """Chat Completions: whole and streamed say the same."""
        player = self.player()
        for words in ("Hello", "What is this?"):
            asked: dict[str, Any] = {"messages": [{"role": "user", "content": words}], "stream_options": {"include_usage": True}}
            whole = oracles.plain(oracles.chat(self.hear(player, openai_call(asked)).json))
            answer = self.hear(player, openai_call(asked, stream=True))
            self.assertEqual(answer.headers[b"content-type"], b"text/event-stream")
            stream = records(answer.body)
            check_chat(stream, include_usage=True)
            told = oracles.plain(oracles.chat_stream(stream))
            self.assertEqual((told["choices"], told["usage"]), (whole["choices"], whole["usage"]))
            self.assertEqual((told["model"], whole["model"]), ("model-1", "model-1"))

    def test_responses(self) -> None:
        """Responses: whole and streamed say the same."""
        player = self.player()
        asked = {"input": "Hello", "reasoning": {"summary": "auto"}}
        whole = oracles.response(self.hear(player, call("openai-responses", asked)).json)
        stream = records(self.hear(player, call("openai-responses", asked, stream=True)).body)
        check_responses(stream)
        told = oracles.response_stream(stream)
        self.assertEqual([item.type for item in told.output], ["reasoning", "message"])
        self.assertEqual((told.output_text, told.usage), (whole.output_text, whole.usage))

    def test_messages(self) -> None:
        """Messages: whole and streamed say the same, thinking included."""
        player = self.player()
        asked = {"max_tokens": 99, "messages": [{"role": "user", "content": "Hello"}]}
        whole = oracles.plain(oracles.message(self.hear(player, call("anthropic", asked)).json))
        stream = records(self.hear(player, call("anthropic", asked, stream=True)).body)
        check_messages(stream)
        told = oracles.plain(oracles.message_stream(stream))
        self.assertEqual([block["type"] for block in told["content"]], ["thinking", "text"])
        self.assertEqual((told["content"], told["usage"]), (whole["content"], whole["usage"]))

    def test_gemini(self) -> None:
        """Gemini: whole, streamed as events and streamed as an array say the same."""
        player = self.player()
        asked = {"contents": [{"parts": [{"text": "Hello"}]}]}
        whole = self.hear(player, call("gemini", asked, action="generateContent")).json
        action: dict[str, Any] = {"action": "streamGenerateContent", "stream": True}
        events = self.hear(player, call("gemini", asked, query=b"key=x&alt=sse", **action))
        array = self.hear(player, call("gemini", asked, **action))
        self.assertEqual(array.headers[b"content-type"], b"application/json")
        for stream in ([record.data for record in records(events.body)], array.json):
            check_gemini(stream)
            self.assertEqual(oracles.generated_stream(stream), whole["candidates"][0]["content"]["parts"])
            self.assertEqual(stream[-1]["usageMetadata"], oracles.plain(oracles.generated(whole))["usageMetadata"])

    def test_tool_loops(self) -> None:
        """In every dialect a question is answered by a call, and its result by words; stateless, so any number of times."""
        player = self.player()
        for _ in range(2):
            self.chat_loop(player)
            self.responses_loop(player)
            self.messages_loop(player)
            self.gemini_loop(player)

    def chat_loop(self, player: Playback) -> None:
        asked: dict[str, Any] = {
            "tools": [{"type": "function", "function": WEATHER}],
            "messages": [{"role": "user", "content": "How is the weather in Paris?"}],
        }
        first = self.hear(player, openai_call(asked)).json["choices"][0]
        self.assertEqual(first["finish_reason"], "tool_calls")
        (made,) = first["message"]["tool_calls"]
        self.assertEqual(made["function"], {"name": "get_weather", "arguments": '{"city":"Paris"}'})
        asked["messages"] += [first["message"], {"role": "tool", "tool_call_id": made["id"], "content": "sunny"}]
        self.assertEqual(self.hear(player, openai_call(asked)).json["choices"][0]["finish_reason"], "stop")

    def responses_loop(self, player: Playback) -> None:
        asked: dict[str, Any] = {
            "tools": [{"type": "function", **WEATHER}],
            "input": [{"role": "user", "content": "How is the weather in Paris?"}],
        }
        output = self.hear(player, call("openai-responses", asked)).json["output"]
        self.assertEqual([item["type"] for item in output], ["message", "function_call"])
        asked["input"] += [*output, {"type": "function_call_output", "call_id": output[-1]["call_id"], "output": "sunny"}]
        last = self.hear(player, call("openai-responses", asked)).json
        self.assertEqual([item["type"] for item in last["output"]], ["message"])

    def messages_loop(self, player: Playback) -> None:
        asked: dict[str, Any] = {
            "tools": [{"name": "get_weather", "input_schema": {"type": "object"}}],
            "messages": [{"role": "user", "content": "How is the weather in Paris?"}],
        }
        first = self.hear(player, call("anthropic", asked)).json
        self.assertEqual(first["stop_reason"], "tool_use")
        result = {"type": "tool_result", "tool_use_id": first["content"][-1]["id"], "content": "sunny"}
        words = {"type": "text", "text": "<system-reminder>weather</system-reminder>"}
        asked["messages"] += [{"role": "assistant", "content": first["content"]}, {"role": "user", "content": [result, words]}]
        self.assertEqual(self.hear(player, call("anthropic", asked)).json["stop_reason"], "end_turn")

    def gemini_loop(self, player: Playback) -> None:
        asked: dict[str, Any] = {
            "tools": [{"functionDeclarations": [WEATHER]}],
            "contents": [{"role": "user", "parts": [{"text": "How is the weather in Paris?"}]}],
        }
        content = self.hear(player, call("gemini", asked)).json["candidates"][0]["content"]
        made = content["parts"][-1]["functionCall"]
        result = {"functionResponse": {"name": made["name"], "response": {"output": "sunny"}}}
        asked["contents"] += [content, {"role": "user", "parts": [result]}]
        parts = self.hear(player, call("gemini", asked)).json["candidates"][0]["content"]["parts"]
        self.assertEqual([list(part) for part in parts], [["text"]])

    def test_no_tool(self) -> None:
        """Without the tool there is no call."""
        asked = {"messages": [{"role": "user", "content": "How is the weather?"}]}
        (choice,) = self.hear(self.player(), openai_call(asked)).json["choices"]
        self.assertEqual((choice["finish_reason"], "tool_calls" in choice["message"]), ("stop", False))

    def test_thinking_on_request(self) -> None:
        """Reasoning shows where the request asks for it."""
        asked: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello"}]}
        player = self.player()
        quiet = self.hear(player, openai_call(asked)).json["choices"][0]["message"]
        loud = self.hear(player, openai_call({**asked, "reasoning_effort": "low"})).json["choices"][0]["message"]
        self.assertEqual(("reasoning_content" in quiet, "reasoning_content" in loud), (False, True))


class TimeTests(PlaybackTestCase):
    """The scripted pace."""

    SCENARIO = "name: n\ntimeline: [ { llmResponse: [ { assistant: [ [1000, one], [2000, two] ] } ] } ]"
    ASKED = {"messages": [{"role": "user", "content": "a question"}]}

    def test_stream(self) -> None:
        """A stream begins at once, and each step comes at its time, scaled by the speed."""
        player = self.player(self.SCENARIO, speed=0.5)
        listener = Listener()
        self.successResultOf(player.execute(openai_call(self.ASKED, stream=True))).deliver(listener)
        self.assertEqual(len(listener.heard), 1)
        self.clock.advance(0.49)
        self.assertEqual(len(listener.heard), 1)
        self.clock.advance(0.01)
        self.assertIn(b'"one"', listener.heard[1])
        self.clock.advance(1.0)
        self.assertIn(b'"\\ntwo"', listener.heard[2])
        self.assertTrue(listener.heard[2].endswith(b"data: [DONE]\n\n"))
        self.assertEqual(listener.ended, 1)

    def test_whole(self) -> None:
        """A whole body comes when the script has ended; who gives up before leaves nothing behind."""
        player = self.player(self.SCENARIO)
        deferred = player.execute(openai_call(self.ASKED))
        self.clock.advance(2.9)
        self.assertNoResult(deferred)
        self.clock.advance(0.1)
        self.assertEqual(self.successResultOf(deferred).status, 200)
        given_up = self.player(self.SCENARIO).execute(openai_call(self.ASKED))
        given_up.cancel()
        self.failureResultOf(given_up)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class ErrorTests(PlaybackTestCase):
    """What is refused, and how."""

    LIMITED = """
name: limited_then_ok
timeline:
  - llmResponse:
      - error: { errorType: rate_limit_exceeded, statusCode: 429, message: "slow down", retryAfterSeconds: 1.5, details: {a: 1} }
  - llmResponse: [ { assistant: [ [0, "thanks for waiting"] ] } ]
"""

    def test_scripted(self) -> None:
        """A scripted error is a status with a body of the dialect and a hint, once."""
        asked = {"messages": [{"role": "user", "content": "a question"}]}
        for dialect, type_ in (("openai-chat", "rate_limit_exceeded"), ("anthropic", "rate_limit_exceeded")):
            player = self.player(self.LIMITED)
            for stream, status in ((True, 429), (False, 200)):
                answer = self.hear(player, call(dialect, asked, stream=stream))
                self.assertEqual(answer.status, status)
                if status == 429:
                    error = answer.json["error"]
                    self.assertEqual((error["type"], error["message"], error["details"]), (type_, "slow down", {"a": 1}))
                    self.assertEqual(answer.headers[b"retry-after"], b"2")

    def test_scripted_gemini(self) -> None:
        """Gemini's words are fixed, so the status gives the word."""
        asked = {"contents": [{"parts": [{"text": "a question"}]}]}
        error = self.hear(self.player(self.LIMITED), call("gemini", asked)).json["error"]
        self.assertEqual((error["code"], error["status"]), (429, "RESOURCE_EXHAUSTED"))

    def test_unreadable(self) -> None:
        """What cannot be read is the client's fault, and said in its dialect."""
        player = self.player()
        bodies: list[object] = [b"{", b"[]", {"messages": []}]
        for body in bodies:
            answer = self.hear(player, call("anthropic", body))
            self.assertEqual((answer.status, answer.json["error"]["type"]), (400, "invalid_request_error"))

    def test_odd_members(self) -> None:
        """Whatever stands in a member, the answer is an answer: of the script, or a refusal of the request."""
        bodies: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
            "openai-chat": (
                {"messages": [{"role": "user", "content": "Hello"}]},
                ("messages", "tools", "stream_options", "prompt"),
            ),
            "openai-responses": ({"input": "Hello"}, ("input", "tools", "reasoning", "service_tier", "instructions")),
            "anthropic": ({"messages": [{"role": "user", "content": "Hello"}]}, ("messages", "system", "tools", "thinking")),
            "gemini": (
                {"contents": [{"parts": [{"text": "Hello"}]}]},
                ("contents", "tools", "systemInstruction", "generationConfig"),
            ),
        }
        inner: list[object] = [None, 1, "x", True, [], {}, [1], [{}], {"type": 1}, [{"type": {}}], [{"type": "text", "text": 1}]]
        names = ("role", "content", "parts", "type", "name", "function", "tool_calls", "tool_call_id")
        odd = inner + [
            [{**extra, name: value}] for extra in ({}, {"role": "user"}, {"role": "tool"}) for name in names for value in inner
        ]
        player = self.player(speed=0.0)
        for dialect, (body, members) in bodies.items():
            for member, value, stream in itertools.product(members, odd, (True, False)):
                deferred = player.execute(call(dialect, {**body, member: value}, stream=stream))
                self.assertIn(self.successResultOf(deferred).status, (200, 400), (dialect, member, value))

    def test_unknown_scenario(self) -> None:
        """A name that is not known is answered with those that are."""
        asked = {"messages": [{"role": "user", "content": "a question"}]}
        answer = self.hear(self.player(), call("openai-chat", asked, [(b"x-scenario-name", b"nope")]))
        self.assertEqual(answer.status, 404)
        self.assertEqual(answer.json["error"]["message"], "No scenario 'nope'; known are: hello")
        self.assertEqual(answer.headers[b"x-should-retry"], b"false")

    def test_unknown_action(self) -> None:
        """Gemini's paths name actions, not all of which are known."""
        answer = self.hear(self.player(), call("gemini", {}, action="predict"))
        self.assertEqual((answer.status, answer.json["error"]["status"]), (404, "NOT_FOUND"))


class SessionTests(PlaybackTestCase):
    """Who plays which scenario."""

    ONE = """
name: one
initialPrompt: Fix the login
timeline:
  - llmResponse: [ { assistant: [ [0, a1] ] } ]
  - llmResponse: [ { assistant: [ [0, a2] ] } ]
"""
    TWO = "name: two\ninitialPrompt: Write tests\ntimeline: [ { llmResponse: [ { assistant: [ [0, b1] ] } ] } ]"

    def said(self, player: Playback, text: str, headers: Headers | None = None, **members: Any) -> str:
        asked = {"messages": [{"role": "user", "content": text}], **members}
        answer: str = self.hear(player, call("openai-chat", asked, headers)).json["choices"][0]["message"]["content"]
        return answer

    def test_own_pace(self) -> None:
        """Each key is a performance of its own, and a header makes more of one; headers of every dialect name it."""
        player = self.player(self.ONE)
        bearer, other = [(b"authorization", b"Bearer k1")], [(b"x-goog-api-key", b"k2")]
        self.assertEqual([self.said(player, "question", bearer), self.said(player, "question", bearer)], ["a1", "a2"])
        self.assertEqual(self.said(player, "question", other), "a1")
        self.assertEqual(self.said(player, "question", [*bearer, (b"x-scenario-session", b"s")]), "a1")
        self.assertEqual(self.said(player, "question", bearer), "Initializing...")
        self.assertEqual(self.said(player, "question"), "a1")

    def test_known_clients(self) -> None:
        """With client keys it is the key that counts, wherever it stood."""
        player = self.player(self.ONE)
        asked = openai_call({"messages": [{"role": "user", "content": "question"}]})
        first = self.hear(player, attrs.evolve(asked, secrets=(b"k",), headers=[(b"x-api-key", b"k")]))
        second = self.hear(player, attrs.evolve(asked, secrets=(b"k",), headers=[(b"authorization", b"Bearer k")]))
        self.assertEqual([answer.json["choices"][0]["message"]["content"] for answer in (first, second)], ["a1", "a2"])

    def test_nearest_prompt(self) -> None:
        """The nearest prompt chooses the scenario, and the session stays with it."""
        player = self.player(self.ONE, self.TWO)
        self.assertEqual(self.said(player, "Write the tests"), "b1")
        self.assertEqual(self.said(player, "Fix the login"), "Initializing...")

    def test_prompt_elsewhere(self) -> None:
        """The prompt may stand in a header or in the body; a name beats both."""
        self.assertEqual(self.said(self.player(self.ONE, self.TWO), "question", [(b"x-scenario-prompt", b"Write tests")]), "b1")
        self.assertEqual(self.said(self.player(self.ONE, self.TWO), "question", initialPrompt="Write tests"), "b1")
        named: Headers = [(b"x-scenario-name", b"one"), (b"x-scenario-prompt", b"Write tests")]
        self.assertEqual(self.said(self.player(self.ONE, self.TWO), "question", named), "a1")

    def test_probe_chooses_nothing(self) -> None:
        """A word that begins nothing does not tie the session to a scenario."""
        player = self.player(self.ONE, self.TWO)
        self.assertEqual([self.said(player, "hi"), self.said(player, "Write tests")], ["Initializing...", "b1"])


class SurfaceTests(PlaybackTestCase):
    """What else a provider is asked."""

    def test_completions(self) -> None:
        """The legacy API, whole and streamed."""
        player = self.player()
        whole = oracles.completion(self.hear(player, openai_call({"prompt": "Hello"}, operation="completions")).json)
        stream = records(self.hear(player, openai_call({"prompt": "Hello"}, operation="completions", stream=True)).body)
        text = "".join(record.data["choices"][0]["text"] for record in stream[:-1])
        self.assertEqual((text, stream[-1].data), (whole.choices[0].text, "[DONE]"))

    def test_embeddings(self) -> None:
        """Vectors, in either shape, always the same."""
        player = self.player()
        body = oracles.embeddings(self.hear(player, openai_call({"input": "a", "dimensions": 3}, operation="embeddings")).json)
        content = {"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 3}
        one = self.hear(player, call("gemini", content, action="embedContent", operation="embeddings")).json
        many = self.hear(
            player, call("gemini", {"requests": [content]}, action="batchEmbedContents", operation="embeddings")
        ).json
        self.assertEqual(one["embedding"]["values"], body.data[0].embedding)
        self.assertEqual(many["embeddings"], [one["embedding"]])

    def test_counts(self) -> None:
        """Counted tokens, in either shape."""
        player = self.player()
        asked = {"messages": [{"role": "user", "content": "four"}]}
        self.assertEqual(self.hear(player, call("anthropic", asked, operation="count_tokens")).json, {"input_tokens": 1})
        contents = {"contents": [{"parts": [{"text": "four"}]}]}
        for doc in (contents, {"generateContentRequest": contents}):
            counted = self.hear(player, call("gemini", doc, action="countTokens", operation="count_tokens"))
            self.assertEqual(counted.json, {"totalTokens": 1})

    def test_secrets(self) -> None:
        """There are none."""
        self.assertEqual(self.player().secrets(), ())


class ReadTests(SynchronousTestCase):
    """Scenarios from where they are."""

    def folder(self, **files: str) -> Path:
        folder = Path(self.mktemp())
        folder.mkdir()
        for name, text in files.items():
            (folder / name.replace("_", ".")).write_text(text, encoding="utf-8")
        return folder

    def test_file_and_folder(self) -> None:
        """One file; or the YAML files of a folder in the order of their names, without what is below it."""
        folder = self.folder(b_yaml="name: b", a_yml="name: a", c_txt="no: name")
        (folder / "sub.yaml").mkdir()
        self.assertEqual([scenario.name for scenario in read_scenarios(str(folder))], ["a", "b"])
        self.assertEqual([scenario.name for scenario in read_scenarios(str(folder / "b.yaml"))], ["b"])

    def test_symbols(self) -> None:
        """Rules are decided by the symbols given."""
        folder = self.folder(a_yaml='name: a\nrules: [{when: "$x == 1", config: {description: one}}]')
        self.assertEqual(read_scenarios(str(folder), {"x": 1})[0].description, "one")

    def test_missing(self) -> None:
        """What is not there, not text or not a scenario is an error that names it."""
        folder = self.folder(a_yaml="name: a", bad_yml="name:")
        for where, message in (
            ("builtin:nope", "Scenario IO error: builtin:nope: No such file or directory"),
            (str(folder / "no.yaml"), f"Scenario IO error: {folder}/no.yaml: No such file or directory"),
            (str(folder), f"Scenario validation error: Scenario \"{folder}/bad.yml\" is missing 'name'"),
        ):
            self.assertEqual(str(self.assertRaises(ScenarioError, read_scenarios, where)), message)
        (folder / "bad.yml").write_bytes(b"\xff")
        self.assertIn("Scenario parse error", str(self.assertRaises(ScenarioError, read_scenarios, str(folder))))
        self.assertIn("No scenarios loaded", str(self.assertRaises(ScenarioError, read_scenarios, str(self.folder(x_txt="")))))
