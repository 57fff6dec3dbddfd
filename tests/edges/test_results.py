"""Edge cases 81 to 99: the arguments of calls, what tools give back, and documents."""

from __future__ import annotations

import json
import re
from itertools import product
from typing import Any

from llmux import jsonio
from llmux.dialects.registry import DIALECTS
from tests.edges import wire
from tests.edges.bodies import (
    AN,
    CH,
    GE,
    OSLO,
    OSLO_TEXT,
    RE,
    Body,
    answered,
    call_ids,
    called,
    chat_call,
    completion,
    contents,
    conversation,
    function_call,
    generated,
    message,
    question,
    response,
    spoken,
    text_of,
    tool_result,
    tool_use,
    tools,
)
from tests.edges.case import BUDGET_GEMINI, LEVEL_GEMINI, EdgeCase, others, pairs

ASK = {"role": "user", "content": "Hello"}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
PDF = "JVBERi0xLjcKJcfs"
PREFIX = "[tool error] "
PLACEHOLDER = "[image: see the next user message]"
CALL_AT = {CH: "/messages/1/tool_calls/0", RE: "/input/1", AN: "/messages/1/content/0", GE: "/contents/1/parts/0"}
RESULT_AT = {CH: "/messages/2", RE: "/input/2", AN: "/messages/2/content/0", GE: "/contents/2/parts/0"}
TEXTIFY = {"repair": "textify"}


def with_result(client: str, *results: Body, calls: list[Body] | None = None, **more: Any) -> Body:
    """A question, a call of the assistant's and what came back."""
    turns = [spoken(client, "user", "Hello"), *(called(client, "call_1") if calls is None else calls), *results]
    return conversation(client, turns, **tools(client, "weather"), **more)


def given_back(client: str, output: Any) -> Body:
    """A result in the client's words; `output` is its content, for Gemini the whole response."""
    match client:
        case "openai-chat":
            return {"role": "tool", "tool_call_id": "call_1", "content": output}
        case "openai-responses":
            return {"type": "function_call_output", "call_id": "call_1", "output": output}
        case "anthropic":
            return {"role": "user", "content": [tool_result("call_1", output)]}
    return {"role": "user", "parts": [{"functionResponse": {"id": "call_1", "name": "weather", "response": output}}]}


def results_of(provider: str, body: Body) -> list[Body]:
    """The results that a provider is told of."""
    match provider:
        case "openai-chat":
            return [each for each in body["messages"] if each["role"] == "tool"]
        case "openai-responses":
            return [each for each in body["input"] if each.get("type") == "function_call_output"]
        case "anthropic":
            turns = [turn["content"] for turn in body["messages"] if not isinstance(turn["content"], str)]
            return [block for content in turns for block in content if block["type"] == "tool_result"]
    parts = [part for content in body["contents"] for part in content["parts"]]
    return [part["functionResponse"] for part in parts if "functionResponse" in part]


def content_of(provider: str, result: Body) -> Any:
    """What a result says."""
    if provider == GE:
        return result["response"]
    return result.get("output" if provider == RE else "content", "")


def text_for(provider: str, text: str) -> Any:
    """What a result says that is one text."""
    return {"output": text} if provider == GE else text


def arguments_of(provider: str, body: Body) -> Any:
    """The arguments of the first call in a request: text, or an object."""
    match provider:
        case "openai-chat":
            return next(each for each in body["messages"] if each.get("tool_calls"))["tool_calls"][0]["function"]["arguments"]
        case "openai-responses":
            return next(each for each in body["input"] if each.get("type") == "function_call")["arguments"]
        case "anthropic":
            return body["messages"][1]["content"][0]["input"]
    return body["contents"][1]["parts"][0]["functionCall"].get("args", {})


def heard_arguments(client: str, answer: Body) -> Any:
    """The arguments of the only call in an answer, as an object."""
    match client:
        case "openai-chat":
            return json.loads(answer["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"])
        case "openai-responses":
            return json.loads(next(item for item in answer["output"] if item["type"] == "function_call")["arguments"])
        case "anthropic":
            return next(block for block in answer["content"] if block["type"] == "tool_use")["input"]
    parts = answer["candidates"][0]["content"]["parts"]
    return next(part["functionCall"] for part in parts if "functionCall" in part).get("args", {})


def calling(provider: str, text: str) -> Body:
    """An answer that calls the tool with arguments of that text; only OpenAI's dialects say it as text."""
    if provider == CH:
        return completion({"content": None, "tool_calls": [chat_call("call_1", arguments=text)]}, "tool_calls")
    return response({**function_call("call_1"), "arguments": text})


def call_with(client: str, text: str) -> list[Body]:
    """A history's call with arguments of that text."""
    if client == CH:
        return [{"role": "assistant", "content": None, "tool_calls": [chat_call("call_1", arguments=text)]}]
    return [{"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": text}]


def numbered(notes: list[str], action: str, at: str) -> list[str]:
    """The notes of an action at a pointer, or below it."""
    return [note for note in notes if re.fullmatch(f"{action} {re.escape(at)}(/.*)?", note)]


class ArgumentTests(EdgeCase):
    """What a tool is called with."""

    def test_81_no_arguments(self) -> None:
        """No arguments, or an empty text, from anybody -> `"{}"` for CH and RE, `{}` for AN and GE; in a history too."""
        records = wire.streamed(AN, message(tool_use("call_1", args={}), stop="tool_use"))
        start = next(index for index, record in enumerate(records) if record["type"] == "content_block_start")
        stop = next(index for index, record in enumerate(records) if record["type"] == "content_block_stop")
        nothing = {"type": "content_block_delta", "index": 0, "delta": {"type": "input_json_delta", "partial_json": ""}}
        for between in ([], [nothing], [nothing, nothing]):
            sent = [*records[: start + 1], *between, *records[stop:]]
            for client in others(AN):
                told = self.stream(client, AN, sent, question(client, **tools(client, "weather")))
                self.assert_none(client, wire.gathered(client, told))
        for provider in (CH, RE):
            for client in others(provider):
                for heard in self.heard(client, provider, calling(provider, ""), question(client, **tools(client, "weather"))):
                    self.assert_none(client, heard)
        for client in others(GE):
            asked = question(client, **tools(client, "weather"))
            for call in ({"id": "call_1", "name": "weather"}, {"id": "call_1", "name": "weather", "args": {}}):
                for heard in self.heard(client, GE, generated({"functionCall": call}), asked):
                    self.assert_none(client, heard)
        for client in (CH, RE):
            for provider in others(client):
                asked = with_result(client, *answered(client, "call_1"), calls=call_with(client, ""))
                body, notes = self.ask(client, provider, asked)
                self.assertIn(arguments_of(provider, body), ({},) if provider in (AN, GE) else ("", "{}"))
                self.assertEqual([note for note in notes if not note.startswith("invented")], [])

    def assert_none(self, client: str, heard: Body) -> None:
        self.assertEqual(heard_arguments(client, heard), {})
        self.assertEqual(call_ids(client, heard), ["call_1"])
        if client in (CH, RE):
            self.assertIn('"arguments": "{}"', json.dumps(heard))

    def test_82_arguments_that_are_no_object(self) -> None:
        """Arguments `null`, or a list -> AN and GE `{"value": …}`, noted, in histories and in answers; CH and RE the text."""
        for text in ("null", "[1,2]", '"Oslo"', "7"):
            wrapped = {"value": json.loads(text)}
            for client in (CH, RE):
                asked = with_result(client, *answered(client, "call_1"), calls=call_with(client, text))
                for provider in (AN, GE):
                    body, notes = self.ask(client, provider, asked)
                    self.assertEqual(arguments_of(provider, body), wrapped)
                    self.assertTrue(numbered(notes, "approximated", CALL_AT[client]), notes)
                other = RE if client == CH else CH
                body, notes = self.ask(client, other, asked)
                self.assertEqual((arguments_of(other, body), notes), (text, []))
            for provider in (CH, RE):
                for client in (AN, GE):
                    asked = question(client, **tools(client, "weather"))
                    for heard in self.heard(client, provider, calling(provider, text), asked):
                        self.assertEqual(heard_arguments(client, heard), wrapped)
                        self.assertTrue([note for note in self.last.noted if note.startswith("approximated ")], self.last.noted)

    ODD = '{"a":1,"big":12345678901234567890,"far":1e400,"exact":1.10}'
    TWICE = '{"a":1,"a":2}'

    def test_83_numbers_and_keys_that_parsing_would_lose(self) -> None:
        """Integers of 20 digits, 1e400, 1.10, a key twice -> every character of it, wherever it goes."""
        for text in (self.ODD, self.TWICE):
            for client in (CH, RE):
                asked = with_result(client, *answered(client, "call_1"), calls=call_with(client, text))
                other = RE if client == CH else CH
                body, _ = self.ask(client, other, asked)
                self.assertEqual(arguments_of(other, body), text)
                for provider in (AN, GE):
                    made = self.exchange(client, provider, asked)
                    self.assertIn(text.encode(), made.raw)
            for provider in (CH, RE):
                for client in others(provider):
                    asked = question(client, **tools(client, "weather"))
                    whole = self.exchange(client, provider, asked).translation.answer(jsonio.dumps(calling(provider, text)))
                    written = jsonio.dumps(text) if client in (CH, RE) else text.encode()
                    self.assertIn(written, whole)

    def test_83_objects(self) -> None:
        """The same where arguments are objects, as they come over the wire: in requests, answers and streams."""
        for text, client in product((self.ODD, self.TWICE), (AN, GE)):
            marked = jsonio.dumps(with_result(client, *answered(client, "call_1")))
            for spaced in (marked, json.dumps(json.loads(marked)).replace(json.dumps(OSLO), OSLO_TEXT).encode()):
                read = DIALECTS[client].loads(spaced.replace(OSLO_TEXT.encode(), text.encode(), 1))
                for provider in (CH, RE):
                    body, _ = self.ask(client, provider, read)
                    self.assertEqual(arguments_of(provider, body), text)
                other = GE if client == AN else AN
                self.assertIn(text.encode(), self.exchange(client, other, read).raw)
        call = {"id": "call_1", "name": "weather", "args": OSLO}
        answers = {AN: message(tool_use("call_1"), stop="tool_use"), GE: generated({"functionCall": call})}
        for text, provider in product((self.ODD, self.TWICE), answers):
            sent = jsonio.dumps(answers[provider]).replace(OSLO_TEXT.encode(), text.encode(), 1)
            for client in others(provider):
                asked = question(client, **tools(client, "weather"))
                expected = jsonio.dumps(text) if client in (CH, RE) else text.encode()
                self.assertIn(expected, self.exchange(client, provider, asked).translation.answer(sent))
                if provider == GE:
                    stream = self.exchange(client, provider, asked, stream=True).translation.stream()
                    self.assertIn(jsonio.dumps(text), stream.feed(b"data: %b\n\n" % sent) + stream.close())


class ResultTests(EdgeCase):
    """What tools give back."""

    def test_84_a_text_that_looks_like_json(self) -> None:
        """A result `{"temperature": 4}` as text -> the same text everywhere, at GE under `output`; GE's object as text."""
        text = '{"temperature": 4, "unit":"C"}'
        for client, provider in pairs():
            output = {"output": text} if client == GE else text
            body, notes = self.ask(client, provider, with_result(client, given_back(client, output)))
            (result,) = results_of(provider, body)
            self.assertEqual(content_of(provider, result), text_for(provider, text))
            self.assertEqual([note for note in notes if not note.startswith("invented")], [])
        for provider in others(GE):
            body, _ = self.ask(GE, provider, with_result(GE, given_back(GE, {"temperature": 4})))
            (result,) = results_of(provider, body)
            self.assertEqual(json.loads(content_of(provider, result)), {"temperature": 4})

    def test_85_a_text_with_a_reference(self) -> None:
        """A result with `$ref` -> at GE a string under `output`, never an object in which it is a reference."""
        text = '{"$ref": "#/definitions/a", "deep": [{"$ref": "b"}]}'
        for client in others(GE):
            for model in (LEVEL_GEMINI, BUDGET_GEMINI):
                body, _ = self.ask(client, GE, with_result(client, given_back(client, text)), model=model)
                (result,) = results_of(GE, body)
                self.assertEqual(result["response"], {"output": text})

    IMAGE: dict[str, Body] = {
        CH: {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        RE: {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
        AN: {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        GE: {"inlineData": {"mimeType": "image/png", "data": PNG}},
    }

    # Where the first of two results is.
    PICTURE_AT = {RE: "/input/3", AN: RESULT_AT[AN], GE: RESULT_AT[GE]}

    def pictured(self, client: str) -> Body:
        """Two calls; the first result has a text and an image, the second is plain."""
        match client:
            case "openai-responses":
                shown = [{"type": "input_text", "text": "A map."}, self.IMAGE[RE]]
                results = [given_back(RE, shown), *answered(RE, "call_2")]
            case "anthropic":
                shown = [{"type": "text", "text": "A map."}, self.IMAGE[AN]]
                results = [{"role": "user", "content": [tool_result("call_1", shown), tool_result("call_2")]}]
            case _:
                (both,) = answered(GE, "call_1", "call_2")
                first = both["parts"][0]["functionResponse"]
                first.update({"response": {"output": "A map."}, "parts": [self.IMAGE[GE]]})
                results = [both]
        return with_result(client, *results, calls=called(client, "call_1", "call_2"))

    def test_86_an_image_from_a_tool_for_chat(self) -> None:
        """A result with an image for CH -> a placeholder in the tool's text, after all results a user with the image; noted."""
        for client in (AN, RE, GE):
            body, notes = self.ask(client, CH, self.pictured(client))
            self.assertEqual([turn["role"] for turn in body["messages"]], ["user", "assistant", "tool", "tool", "user"])
            first, second, shown = body["messages"][2:]
            self.assertEqual((first["tool_call_id"], second["tool_call_id"]), ("call_1", "call_2"))
            self.assertIn("A map.", text_of(first["content"]))
            self.assertIn(PLACEHOLDER, text_of(first["content"]))
            self.assertEqual(second["content"], "4 degrees")
            self.assertIn(self.IMAGE[CH], shown["content"])
            self.assertTrue(numbered(notes, "approximated", self.PICTURE_AT[client]), notes)

    def test_87_an_image_from_a_tool_for_others(self) -> None:
        """The same -> RE `input_image` in the output, AN an image block, GE `parts` of the response, or behind it for 2.5."""
        for client in (AN, GE):
            body, notes = self.ask(client, RE, self.pictured(client))
            first, second = results_of(RE, body)
            self.assertEqual([part["type"] for part in first["output"]], ["input_text", "input_image"])
            self.assertEqual(first["output"][0]["text"], "A map.")
            self.assertEqual(first["output"][1]["image_url"], self.IMAGE[RE]["image_url"])
            self.assertEqual((second["output"], notes), ("4 degrees", []))
        for client in (RE, GE):
            body, notes = self.ask(client, AN, self.pictured(client))
            first, second = results_of(AN, body)
            self.assertEqual(first["content"], [{"type": "text", "text": "A map."}, self.IMAGE[AN]])
            self.assertEqual((second["content"], notes), ("4 degrees", []))
        for client in (AN, RE):
            body, notes = self.ask(client, GE, self.pictured(client))
            first, second = results_of(GE, body)
            self.assertEqual((first["response"], first["parts"]), ({"output": "A map."}, [self.IMAGE[GE]]))
            self.assertEqual([note for note in notes if not note.startswith("invented")], [])
            body, notes = self.ask(client, GE, self.pictured(client), model=BUDGET_GEMINI)
            first, second = results_of(GE, body)
            self.assertNotIn("parts", first)
            self.assertIn("A map.", first["response"]["output"])
            last = body["contents"][-1]
            kinds = [next(iter(part)) for part in last["parts"]]
            self.assertEqual((last["role"], kinds), ("user", ["functionResponse", "functionResponse", "inlineData"]))
            self.assertEqual(last["parts"][2]["inlineData"]["data"], PNG)
            self.assertTrue(numbered(notes, "approximated", self.PICTURE_AT[client]), notes)

    def test_88_nothing_came_back(self) -> None:
        """A result `[]`, `""` or without content -> `""`, at GE under `output`."""
        empty: dict[str, list[Any]] = {CH: ["", []], RE: ["", []], AN: ["", [], None], GE: [{"output": ""}]}
        for client, provider in pairs():
            for output in empty[client]:
                body, notes = self.ask(client, provider, with_result(client, given_back(client, output)))
                (result,) = results_of(provider, body)
                self.assertEqual(content_of(provider, result), text_for(provider, ""), (client, output))
                self.assertEqual([note for note in notes if not note.startswith("invented")], [])
        missing = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1"}]}
        for provider in others(AN):
            body, _ = self.ask(AN, provider, with_result(AN, missing))
            (result,) = results_of(provider, body)
            self.assertEqual(content_of(provider, result), text_for(provider, ""))

    def test_89_a_tool_that_failed(self) -> None:
        """`is_error` -> a prefix at CH and RE, noted, `error` at GE; what has our prefix is an error again at AN and GE."""
        failed = {"role": "user", "content": [{**tool_result("call_1", "No such city."), "is_error": True}]}
        broken: dict[str, Body] = {
            AN: failed,
            GE: given_back(GE, {"error": "No such city."}),
            CH: given_back(CH, f"{PREFIX}No such city."),
            RE: given_back(RE, f"{PREFIX}No such city."),
        }
        for client, provider in pairs():
            body, notes = self.ask(client, provider, with_result(client, broken[client]))
            (result,) = results_of(provider, body)
            notes = [note for note in notes if not note.startswith("invented")]
            if provider == AN:
                self.assertEqual((result["content"], result["is_error"], notes), ("No such city.", True, []))
            elif provider == GE:
                self.assertEqual((result["response"], notes), ({"error": "No such city."}, []))
            else:
                self.assertEqual(content_of(provider, result), f"{PREFIX}No such city.")
                if client in (AN, GE):
                    self.assertTrue(numbered(notes, "approximated", RESULT_AT[client]), notes)
        parts = [self.IMAGE[AN]]
        failed = {"role": "user", "content": [{**tool_result("call_1", parts), "is_error": True}]}
        body, _ = self.ask(AN, RE, with_result(AN, failed))
        (result,) = results_of(RE, body)
        self.assertTrue(result["output"][0]["text"].startswith(PREFIX.strip()))

    def twice(self, client: str, second: str) -> Body:
        """One call, and two results of it."""
        first, *_ = answered(client, "call_1")
        (again,) = answered(client, "call_1", text=second)
        if client in (AN, GE):
            member = "content" if client == AN else "parts"
            return with_result(client, {**first, member: [*first[member], *again[member]]})
        return with_result(client, first, again)

    AGAIN_AT = {CH: "/messages/3", RE: "/input/3", AN: "/messages/2/content/1", GE: "/contents/2/parts/1"}

    def test_90_a_result_twice(self) -> None:
        """Two results of one call -> the same: one, noted; another: 400 that names it."""
        for client, provider in pairs():
            body, notes = self.ask(client, provider, self.twice(client, "4 degrees"))
            (result,) = results_of(provider, body)
            self.assertEqual(content_of(provider, result), text_for(provider, "4 degrees"))
            self.assertTrue(numbered(notes, "dropped", self.AGAIN_AT[client]), notes)
            fault = self.refused(client, provider, self.twice(client, "5 degrees"))
            self.assertTrue((fault.param or "").startswith(self.AGAIN_AT[client]), fault.param)

    def test_91_a_result_without_its_call(self) -> None:
        """A result of no call -> 400 that names it; with `repair: textify` a user says it, noted, never the assistant."""
        for client, provider in pairs():
            turns = [spoken(client, "user", "Hello"), *answered(client, "call_9")]
            asked = conversation(client, turns, **tools(client, "weather"))
            at = RESULT_AT[client].replace("2", "1", 1)
            fault = self.refused(client, provider, asked)
            self.assertTrue((fault.param or "").startswith(at), fault.param)
            body, notes = self.ask(client, provider, asked, options=TEXTIFY)
            self.assertEqual(results_of(provider, body), [])
            told = body.get("messages") or body.get("input") or body["contents"]
            self.assertEqual({turn["role"] for turn in told}, {"user"})
            self.assertIn("4 degrees", text_of(told))
            self.assertTrue(numbered(notes, "approximated", at), notes)

    def test_92_a_call_whose_result_is_gone(self) -> None:
        """A call without a result, and the conversation goes on -> 400 with the call's id; or an error in its place, noted."""
        for client, provider in pairs():
            turns = [spoken(client, "user", "Hello"), *called(client, "call_7"), spoken(client, "user", "Go on.")]
            asked = conversation(client, turns, **tools(client, "weather"))
            fault = self.refused(client, provider, asked)
            self.assertIn("call_7", fault.message)
            self.assertTrue((fault.param or "").startswith(CALL_AT[client]), fault.param)
            body, notes = self.ask(client, provider, asked, options=TEXTIFY)
            (result,) = results_of(provider, body)
            if provider == AN:
                self.assertEqual((result["tool_use_id"], result["is_error"]), ("call_7", True))
            elif provider == GE:
                self.assertEqual((result["name"], list(result["response"])), ("weather", ["error"]))
            else:
                self.assertTrue(str(content_of(provider, result)).startswith(PREFIX))
            self.assertTrue(numbered(notes, "approximated", CALL_AT[client]), notes)

    def test_93_results_that_are_known_by_name_alone(self) -> None:
        """GE, two calls of a name and two results, none with an id -> paired in their order, each by one id."""
        calls = {"role": "model", "parts": [self.call("Oslo"), self.call("Bergen"), self.call("Rome", "time")]}
        parts = [self.answer("rain", "weather"), self.answer("noon", "time"), self.answer("snow", "weather")]
        asked = contents(spoken(GE, "user", "Hello"), calls, {"role": "user", "parts": parts}, **tools(GE, "weather", "time"))
        expected = [("Oslo", "rain"), ("Bergen", "snow"), ("Rome", "noon")]
        for provider in others(GE):
            body, _ = self.ask(GE, provider, asked)
            made = self.called_in(provider, body)
            self.assertEqual(len({id_ for id_, _ in made}), 3)
            by_id = {self.id_of(provider, result): content_of(provider, result) for result in results_of(provider, body)}
            self.assertEqual([(city, by_id[id_]) for id_, city in made], expected)

    def call(self, city: str, name: str = "weather") -> Body:
        return {"functionCall": {"name": name, "args": {"city": city}}}

    def answer(self, text: str, name: str) -> Body:
        return {"functionResponse": {"name": name, "response": {"output": text}}}

    def id_of(self, provider: str, result: Body) -> str:
        return str(result[{CH: "tool_call_id", RE: "call_id", AN: "tool_use_id", GE: "id"}[provider]])

    def called_in(self, provider: str, body: Body) -> list[tuple[str, str]]:
        """The ids of the calls in a request, with the city that each is about."""
        if provider == CH:
            made = body["messages"][1]["tool_calls"]
            return [(call["id"], json.loads(call["function"]["arguments"])["city"]) for call in made]
        if provider == RE:
            items = [item for item in body["input"] if item.get("type") == "function_call"]
            return [(item["call_id"], json.loads(item["arguments"])["city"]) for item in items]
        return [(block["id"], block["input"]["city"]) for block in body["messages"][1]["content"]]

    def test_94_calls_without_an_id(self) -> None:
        """GE calls without ids -> ids that are the same whenever the same is told again, in answers and in histories."""
        parts = [self.call("Oslo"), self.call("Bergen")]
        for client in others(GE):
            asked = question(client, **tools(client, "weather"))
            seen = [call_ids(client, heard) for _ in range(2) for heard in self.heard(client, GE, generated(*parts), asked)]
            self.assertEqual(len(seen), 4)
            self.assertEqual([seen[0]] * 4, seen)
            self.assertEqual(len(set(seen[0])), 2)
            for each in seen[0]:
                self.assertTrue(re.fullmatch("[A-Za-z0-9_-]{1,40}", each), each)
            # another turn's calls have other ids
            later = conversation(
                client,
                [spoken(client, "user", "Hello"), *called(client, "a"), *answered(client, "a")],
                **tools(client, "weather"),
            )
            ids = call_ids(client, self.reply(client, GE, generated(*parts), later))
            self.assertEqual(set(ids) & set(seen[0]), set())
        turns = [{"role": "model", "parts": parts}, {"role": "user", "parts": [self.answer("rain", "weather")] * 2}]
        asked = contents(spoken(GE, "user", "Hello"), *turns, **tools(GE, "weather"))
        longer = contents(*asked["contents"], spoken(GE, "model", "Wet."), spoken(GE, "user", "Go on."), **tools(GE, "weather"))
        for provider in others(GE):
            first, again = self.exchange(GE, provider, asked), self.exchange(GE, provider, asked)
            self.assertEqual(first.raw, again.raw)
            body, _ = self.ask(GE, provider, longer)
            self.assertEqual(self.called_in(provider, body), self.called_in(provider, first.body))

    def test_95_a_result_that_ends_a_cached_prefix(self) -> None:
        """AN `cache_control` on a result -> AN keeps it; RE has it on a part of the output, or notes it; CH and GE note it."""
        mark = {"type": "ephemeral"}
        turn = {"role": "user", "content": [{**tool_result("call_1"), "cache_control": mark}]}
        asked = with_result(AN, turn)
        body, notes = self.ask(AN, AN, asked)
        (result,) = results_of(AN, body)
        self.assertEqual((result["cache_control"], notes), (mark, []))
        for provider in others(AN):
            body, notes = self.ask(AN, provider, asked)
            (result,) = results_of(provider, body)
            if provider == RE and isinstance(result["output"], list):
                self.assertEqual(result["output"][-1]["prompt_cache_breakpoint"]["mode"], "explicit")
                self.assertEqual(result["output"][-1]["text"], "4 degrees")
            elif provider == CH and isinstance(result["content"], list):
                self.assertEqual(result["content"][-1]["prompt_cache_breakpoint"]["mode"], "explicit")
            else:
                self.assertTrue(numbered(notes, "dropped", RESULT_AT[AN]), (provider, notes))
                self.assertEqual(content_of(provider, result), text_for(provider, "4 degrees"))
        part = {"type": "input_text", "text": "4 degrees", "prompt_cache_breakpoint": {"mode": "explicit"}}
        body, notes = self.ask(RE, AN, with_result(RE, given_back(RE, [part])))
        self.assertIn('"cache_control": {"type": "ephemeral"}', json.dumps(results_of(AN, body)))
        self.assertEqual(notes, [])


class DocumentTests(EdgeCase):
    """Documents that the user shows."""

    DOCUMENT: Body = {"type": "document", "title": "report.pdf"}
    SOURCE = {"type": "base64", "media_type": "application/pdf", "data": PDF}
    DATA_URL = f"data:application/pdf;base64,{PDF}"
    INLINE = {"mimeType": "application/pdf", "data": PDF}

    def first(self, provider: str, body: Body) -> Body:
        """The first part that the user says."""
        if provider == GE:
            part: Body = body["contents"][0]["parts"][0]
        else:
            part = body["input" if provider == RE else "messages"][0]["content"][0]
        return part

    def shown(self, client: str, part: Body) -> Body:
        """A user shows something and asks about it."""
        if client == GE:
            return contents({"role": "user", "parts": [part, {"text": "Read."}]})
        text = {"type": "input_text" if client == RE else "text", "text": "Read."}
        return conversation(client, [{"role": "user", "content": [part, text]}])

    def test_96_a_pdf(self) -> None:
        """A PDF of each dialect -> that of each other: data URL and filename, document with a title, `inlineData`."""
        file = {"filename": "report.pdf", "file_data": self.DATA_URL}
        given: dict[str, Body] = {
            CH: {"type": "file", "file": file},
            RE: {"type": "input_file", **file},
            AN: {**self.DOCUMENT, "source": self.SOURCE},
            GE: {"inlineData": {**self.INLINE, "displayName": "report.pdf"}},
        }
        for client, provider in pairs():
            body, notes = self.ask(client, provider, self.shown(client, given[client]))
            self.assertEqual((self.first(provider, body), notes), (given[provider], []))
        bare = {"type": "file", "file": {"filename": "report.pdf", "file_data": PDF}}
        body, _ = self.ask(CH, AN, self.shown(CH, bare))
        self.assertEqual(self.first(AN, body), given[AN])

    def test_97_a_pdf_among_the_images(self) -> None:
        """CH `image_url` with a PDF inside -> a document: AN `document`, RE `input_file`, GE `application/pdf`."""
        part = {"type": "image_url", "image_url": {"url": self.DATA_URL}}
        body, _ = self.ask(CH, AN, self.shown(CH, part))
        self.assertEqual(self.first(AN, body), {"type": "document", "source": self.SOURCE})
        body, _ = self.ask(CH, RE, self.shown(CH, part))
        found = self.first(RE, body)
        self.assertEqual((found["type"], found["file_data"]), ("input_file", self.DATA_URL))
        body, _ = self.ask(CH, GE, self.shown(CH, part))
        self.assertEqual(self.first(GE, body)["inlineData"], self.INLINE)
        body, _ = self.ask(RE, AN, self.shown(RE, {"type": "input_image", "image_url": self.DATA_URL}))
        self.assertEqual(self.first(AN, body), {"type": "document", "source": self.SOURCE})

    URL = "https://example.org/report.pdf"

    def test_98_a_pdf_on_the_web(self) -> None:
        """AN `document` by URL -> AN the same, RE `file_url`, GE `fileData`, CH 400; RE `file_url` -> AN by URL."""
        document = {"type": "document", "source": {"type": "url", "url": self.URL}}
        body, notes = self.ask(AN, AN, self.shown(AN, document))
        self.assertEqual((self.first(AN, body), notes), (document, []))
        body, _ = self.ask(AN, RE, self.shown(AN, document))
        self.assertEqual(self.first(RE, body), {"type": "input_file", "file_url": self.URL})
        body, _ = self.ask(AN, GE, self.shown(AN, document))
        self.assertEqual(self.first(GE, body)["fileData"], {"mimeType": "application/pdf", "fileUri": self.URL})
        body, notes = self.ask(RE, AN, self.shown(RE, {"type": "input_file", "file_url": self.URL}))
        self.assertEqual((self.first(AN, body), notes), (document, []))
        fault = self.refused(AN, CH, self.shown(AN, document))
        self.assertTrue((fault.param or "").startswith("/messages/0/content/0"), fault.param)

    def test_99_a_file_in_googles_storage(self) -> None:
        """GE `fileData` of `gs:` for anybody else -> 400 that names it, not left out."""
        for mime in ("image/png", "application/pdf", "video/mp4", "audio/mpeg"):
            part = {"fileData": {"mimeType": mime, "fileUri": "gs://bucket/file"}}
            for provider in others(GE):
                fault = self.refused(GE, provider, self.shown(GE, part))
                self.assertTrue((fault.param or "").startswith("/contents/0/parts/0"), fault.param)
            body, notes = self.ask(GE, GE, self.shown(GE, part))
            self.assertEqual((self.first(GE, body)["fileData"], notes), (part["fileData"], []))
