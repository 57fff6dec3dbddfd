"""Edge cases 144 to 150: counting tokens, what goes through unchanged, what is always the same, and settings of one dialect."""

from __future__ import annotations

import json
from typing import Any

from llmux import jsonio
from llmux.dialects import counting
from llmux.dialects.context import Context, Options, Target
from llmux.dialects.notes import Notes
from llmux.dialects.registry import DIALECTS
from llmux.dialects.seals import Seals
from llmux.errors import Fault
from tests.edges.bodies import (
    AN,
    CH,
    GE,
    RE,
    SCHEMA,
    Body,
    answered,
    called,
    chat,
    contents,
    conversation,
    messages,
    question,
    responses,
    spoken,
    text_of,
    tools,
)
from tests.edges.case import ALL, MODELS, EdgeCase, others, pairs
from tests.harness import body_of
from tests.web.test_endings import chunk
from tests.web.test_translation import ANSWERS, ASKED, PATHS, STREAM, TranslationCase, reply

ASK = {"role": "user", "content": "Hello"}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
COUNTERS = (RE, AN, GE)
TOTAL = {RE: "input_tokens", AN: "input_tokens", GE: "totalTokens"}
ANSWER: dict[str, Body] = {
    RE: {"object": "response.input_tokens", "input_tokens": 42},
    AN: {"input_tokens": 42},
    GE: {"totalTokens": 42},
}


class CountingTests(EdgeCase):
    """How many tokens a request has."""

    def count(self, client: str, provider: str, body: Body) -> tuple[counting.Asked, Body, list[str]]:
        """What a provider is asked, its body as JSON, and the notes."""
        context = Context(
            notes=Notes(),
            seals=Seals((b"tests",)),
            asked=body,
            version="2023-06-01" if client == AN else None,
            target=Target.of(MODELS[provider], Options()),
        )
        asked = counting.translate(DIALECTS[client], DIALECTS[provider], context)
        return asked, json.loads(jsonio.dumps(asked.body)), [f"{note.action} {note.pointer}" for note in context.notes]

    def request(self, client: str) -> Body:
        """A conversation with instructions, an image, a tool, a call and its result."""
        image: dict[str, Body] = {
            RE: {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
            AN: {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
            GE: {"inlineData": {"mimeType": "image/png", "data": PNG}},
        }
        text: Body = {RE: {"type": "input_text"}, AN: {"type": "text"}, GE: {}}[client] | {"text": "What is this?"}
        first = {"role": "user", "parts" if client == GE else "content": [text, image[client]]}
        turns = [first, *called(client, "call_1"), *answered(client, "call_1")]
        match client:
            case "openai-responses":
                return {"model": "asked", "instructions": "Be brief.", "input": turns, **tools(RE, "weather")}
            case "anthropic":
                return {"model": "asked", "system": "Be brief.", "messages": turns, **tools(AN, "weather")}
        system = {"systemInstruction": {"parts": [{"text": "Be brief."}]}}
        return {"generateContentRequest": {"model": "models/asked", **system, "contents": turns, **tools(GE, "weather")}}

    def test_144_all_of_a_request_is_counted(self) -> None:
        """Count tokens -> messages, images, instructions and tools of the other dialect; a count that is missing is no 0."""
        for client in COUNTERS:
            for provider in COUNTERS:
                if client == provider:
                    continue
                asked, body, _ = self.count(client, provider, self.request(client))
                said = text_of(body)
                for word in ("What is this?", PNG, "Be brief.", '"weather"', "Oslo", "4 degrees", json.dumps(SCHEMA)):
                    self.assertIn(word, said)
                self.assertEqual(asked.read(dict(ANSWER[provider])), ANSWER[client])
                self.assertEqual(asked.read({TOTAL[provider]: 0})[TOTAL[client]], 0)
                for wrong in ({}, {TOTAL[provider]: None}, {TOTAL[provider]: "42"}):
                    fault = self.assertRaises(Fault, asked.read, wrong)
                    self.assertEqual(fault.kind, "bad_gateway")
        asked, body, _ = self.count(AN, GE, self.request(AN))
        self.assertEqual(asked.path, f"/v1beta/models/{MODELS[GE]}:countTokens".encode())
        inner = body["generateContentRequest"]
        self.assertEqual(inner["systemInstruction"]["parts"], [{"text": "Be brief."}])
        self.assertEqual([content["role"] for content in inner["contents"]], ["user", "model", "user"])
        self.assertEqual(inner["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"], SCHEMA)
        asked, body, _ = self.count(GE, AN, self.request(GE))
        self.assertEqual((asked.path, body["system"]), (b"/v1/messages/count_tokens", "Be brief."))
        self.assertNotIn("max_tokens", body)
        for client in COUNTERS:
            fault = self.assertRaises(Fault, self.count, client, CH, self.request(client))
            self.assertEqual(fault.kind, "not_found")

    def test_145_tools_that_only_the_provider_runs(self) -> None:
        """Count tokens with a server tool -> left out and noted, the other tools counted; for AN too."""
        hosted: dict[str, Body] = {
            AN: {"type": "web_search_20250305", "name": "web_search"},
            RE: {"type": "web_search"},
            GE: {"googleSearch": {}},
        }
        at = {AN: "/tools/1", RE: "/tools/1", GE: "/tools/1/googleSearch"}
        for client in COUNTERS:
            for provider in COUNTERS:
                if client == provider != AN:
                    continue
                asked = self.request(client)
                inner = asked.get("generateContentRequest", asked)
                inner["tools"] = [*inner["tools"], hosted[client]]
                _, body, notes = self.count(client, provider, asked)
                said = text_of(body)
                self.assertNotIn("web_search", said)
                self.assertNotIn("googleSearch", said)
                self.assertIn(json.dumps(SCHEMA), said)
                self.assertTrue([note for note in notes if note.endswith(at[client])], notes)


class SameTests(TranslationCase):
    """What a client and a provider of one dialect say to each other, over real sockets."""

    # As nobody would write it who reads it first: spaces, a key twice, numbers in other spellings, characters as escapes.
    ODD = b'"unheard_of" : {"b":1 ,"a":[1.0,1e3,12345678901234567890],"a":"\\u00e9\\/"}'

    async def test_146_what_nobody_knows_yet(self) -> None:
        """Same dialect, unknown blocks and events -> every byte, in the request, in the answer and in a stream."""
        blocks: dict[str, bytes] = {
            CH: b'"messages":[ {"role":"user","content":[{"type":"hologram",%b}]}]' % self.ODD,
            RE: b'"input":[ {"type":"hologram",%b}]' % self.ODD,
            AN: b'"max_tokens":9,"messages":[ {"role":"user","content":[{"type":"hologram",%b}]}]' % self.ODD,
            GE: b'"contents":[ {"role":"user","parts":[{"hologram":{%b}}]}]' % self.ODD,
        }
        for dialect in ALL:
            provider, gateway = await self.pair(dialect)
            answer = json.dumps(ANSWERS[dialect]).encode()[:-1] + b" ,\n" + self.ODD + b"}\n"
            provider._script = lambda wire, answer=answer: wire.send(reply(answer))
            model = b"" if dialect == GE else b'"model" : "m" , '
            sent = b"{ " + model + blocks[dialect] + b",  " + self.ODD + b"\n}"
            response = await gateway.post(PATHS[dialect], sent)
            self.assertEqual((response.status, response.body), (200, answer))
            self.assertEqual(body_of(provider.connections[0].received), sent)
        event = b'event: hologram\ndata: {"type":"hologram", %b}\n\n' % self.ODD
        start = b'event: message_start\ndata: {"type" :"message_start","message":{"id":"msg_1","usage":{"input_tokens":1}}}\n\n'
        stop = b'event: message_stop\r\ndata: {"type":"message_stop"}\r\n\r\n'
        provider, gateway = await self.pair(AN)
        stream = start + b": a comment\n\n" + event + stop
        provider._script = lambda wire: wire.send(STREAM + chunk(stream) + b"0\r\n\r\n")
        path, body = ASKED[AN]
        response = await gateway.post(path, json.dumps({**body, "stream": True}).encode())
        self.assertEqual(response.body, stream)


class SettingsTests(EdgeCase):
    """What is always the same, and what one dialect alone can be told."""

    def rich(self, client: str) -> list[Body]:
        """A conversation that needs ids, aliases and more than one turn."""
        ids = ("id with spaces", "x" * 80) if client != GE else ("call_1", "call_2")
        turns = [spoken(client, "user", "Hello"), *called(client, *ids), *answered(client, *ids)]
        return [*turns, spoken(client, "assistant", "Cold."), spoken(client, "user", "And now?")]

    def test_147_the_same_again(self) -> None:
        """A request twice -> the same bytes; one that goes on -> the same bytes up to there."""
        name = {CH: "messages", RE: "input", AN: "messages", GE: "contents"}
        for client, provider in pairs():
            turns = self.rich(client)
            offer = tools(client, "weather", "time", "w" * 64)
            asked = conversation(client, turns, **offer)
            first, again = (self.exchange(client, provider, json.loads(json.dumps(asked))) for _ in range(2))
            self.assertEqual(first.raw, again.raw)
            self.assertEqual(first.notes, again.notes)
            more = [*turns, spoken(client, "assistant", "Colder."), spoken(client, "user", "Really?")]
            longer = self.exchange(client, provider, conversation(client, more, **offer))
            told, goes_on = first.body[name[provider]], longer.body[name[provider]]
            self.assertEqual(goes_on[: len(told)], told)
            self.assertGreater(len(goes_on), len(told))
            for member in ("tools", "system", "instructions"):
                self.assertEqual(first.body.get(member), longer.body.get(member))

    def test_148_a_tier_that_not_everybody_has(self) -> None:
        """CH and RE `service_tier: flex` -> GE `flex`, the other one `flex`, AN a note; GE `flex` -> the same."""
        tier = {CH: "service_tier", RE: "service_tier", GE: "serviceTier"}
        for client, member in tier.items():
            asked = question(client, **{member: "flex"})
            for provider in others(client):
                body, notes = self.ask(client, provider, asked)
                if provider == AN:
                    self.assertNotIn("service_tier", body)
                    self.assertEqual([note.split()[1] for note in notes], [f"/{member}"])
                else:
                    self.assertEqual((body[tier[provider]], notes), ("flex", []))

    def test_149_settings_of_responses(self) -> None:
        """RE `max_tool_calls` for others -> noted; `background: true` -> 400; `background: false` -> nothing to say."""
        for provider in others(RE):
            body, notes = self.ask(RE, provider, responses("Hello", max_tool_calls=3))
            self.assertNotIn("max_tool_calls", body)
            self.assertEqual([note.split()[1] for note in notes], ["/max_tool_calls"])
            self.assertEqual(self.refused(RE, provider, responses("Hello", background=True)).param, "/background")
            _, notes = self.ask(RE, provider, responses("Hello", background=False))
            self.assertEqual(notes, [])

    def test_150_a_schema_for_gemini(self) -> None:
        """`responseJsonSchema` without a type -> read as JSON by everybody, and sent to GE with `application/json`."""
        config: dict[str, Any] = {"responseJsonSchema": SCHEMA}
        asked = contents(spoken(GE, "user", "Hello"), config=config)
        body, _ = self.ask(GE, GE, asked)
        told = body["generationConfig"]
        self.assertEqual((told["responseMimeType"], told["responseJsonSchema"]), ("application/json", SCHEMA))
        body, _ = self.ask(GE, CH, asked)
        self.assertEqual(body["response_format"]["json_schema"]["schema"], SCHEMA)
        body, _ = self.ask(GE, RE, asked)
        self.assertEqual((body["text"]["format"]["type"], body["text"]["format"]["schema"]), ("json_schema", SCHEMA))
        body, _ = self.ask(GE, AN, asked)
        self.assertEqual(body["output_config"]["format"], {"type": "json_schema", "schema": SCHEMA})
        given: dict[str, Body] = {
            CH: chat(ASK, response_format={"type": "json_schema", "json_schema": {"name": "it", "schema": SCHEMA}}),
            RE: responses("Hello", text={"format": {"type": "json_schema", "name": "it", "schema": SCHEMA}}),
            AN: messages(ASK, output_config={"format": {"type": "json_schema", "schema": SCHEMA}}),
        }
        for client, wanted in given.items():
            body, _ = self.ask(client, GE, wanted)
            told = body["generationConfig"]
            self.assertEqual((told["responseMimeType"], told["responseJsonSchema"]), ("application/json", SCHEMA))
