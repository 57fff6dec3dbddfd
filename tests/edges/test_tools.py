"""Edge cases 61 to 80: tools, their schemas, choices and names, and the tools that a provider runs itself."""

from __future__ import annotations

import json
import re
from typing import Any

from google.genai import types as genai

from llmux import jsonio
from tests.edges import wire
from tests.edges.bodies import (
    AN,
    CH,
    GE,
    OSLO,
    RE,
    SCHEMA,
    Body,
    answered,
    call_ids,
    called,
    chat,
    chat_call,
    completion,
    conversation,
    generated,
    message,
    messages,
    question,
    response,
    responses,
    spoken,
    text_of,
    tool_use,
    tools,
)
from tests.edges.case import EdgeCase, others, pairs

ASK = {"role": "user", "content": "Hello"}
NOTHING = {"type": "object", "properties": {}}
OPENAPI = {"schema_form": "openapi"}
UNTRANSLATABLE = "llmux_untranslatable"
# Which names a dialect allows, and how long.
LEGAL = {
    CH: "[A-Za-z0-9_-]{1,64}",
    RE: "[A-Za-z0-9_-]{1,64}",
    AN: "[A-Za-z0-9_-]{1,128}",
    GE: "[A-Za-z_][A-Za-z0-9_.:-]{0,127}",
}
GRAMMAR = 'start: "*** Begin Patch" LF'


def declarations(body: Body) -> list[Body]:
    """The functions that Gemini is offered."""
    return [each for tool in body["tools"] for each in tool.get("functionDeclarations", ())]


def names(provider: str, body: Body) -> list[str]:
    """The names of the functions that a provider is offered."""
    if provider == GE:
        return [each["name"] for each in declarations(body)]
    return [(tool["function"] if provider == CH else tool)["name"] for tool in body["tools"]]


def parameters(provider: str, body: Body) -> Any:
    """The schema of the first function that a provider is offered."""
    match provider:
        case "openai-chat":
            return body["tools"][0]["function"]["parameters"]
        case "openai-responses":
            return body["tools"][0]["parameters"]
        case "anthropic":
            return body["tools"][0]["input_schema"]
    return declarations(body)[0]["parametersJsonSchema"]


def calling(provider: str, name: str, args: Body | None = None) -> Body:
    """An answer that calls one function."""
    given = OSLO if args is None else args
    match provider:
        case "openai-chat":
            return completion({"content": None, "tool_calls": [chat_call("call_1", name, json.dumps(given))]}, "tool_calls")
        case "openai-responses":
            call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": name, "status": "completed"}
            return response({**call, "arguments": json.dumps(given)})
        case "anthropic":
            return message(tool_use("call_1", name, given), stop="tool_use")
    return generated({"functionCall": {"id": "call_1", "name": name, "args": given}})


def call_of(client: str, answer: Body) -> tuple[str, Any]:
    """The name and the arguments of the one call in an answer that a client got."""
    match client:
        case "openai-chat":
            (call,) = answer["choices"][0]["message"]["tool_calls"]
            return call["function"]["name"], json.loads(call["function"]["arguments"])
        case "openai-responses":
            (item,) = (item for item in answer["output"] if item["type"] == "function_call")
            return item["name"], json.loads(item["arguments"])
        case "anthropic":
            (block,) = (block for block in answer["content"] if block["type"] == "tool_use")
            return block["name"], block["input"]
    (call,) = (part["functionCall"] for part in answer["candidates"][0]["content"]["parts"] if "functionCall" in part)
    return call["name"], call["args"]


def forced(client: str, name: str) -> Body:
    """The member of a request that forces a call of one function."""
    match client:
        case "openai-chat":
            return {"tool_choice": {"type": "function", "function": {"name": name}}}
        case "openai-responses":
            return {"tool_choice": {"type": "function", "name": name}}
        case "anthropic":
            return {"tool_choice": {"type": "tool", "name": name}}
    return {"toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [name]}}}


def chosen(provider: str, body: Body) -> str:
    """The name of the function that a provider is made to call."""
    if provider == GE:
        config = body["toolConfig"]["functionCallingConfig"]
        (name,) = config["allowedFunctionNames"]
        return str(name)
    choice = body["tool_choice"]
    return str((choice["function"] if provider == CH else choice)["name"])


class SchemaTests(EdgeCase):
    """What the arguments of a function may be."""

    def test_61_a_tool_without_parameters(self) -> None:
        """A tool without parameters -> AN and RE an explicit empty object, GE nothing."""
        offers: dict[str, Body] = {
            CH: {"tools": [{"type": "function", "function": {"name": "now"}}]},
            RE: {"tools": [{"type": "function", "name": "now", "parameters": None, "strict": None}]},
            GE: {"tools": [{"functionDeclarations": [{"name": "now"}]}]},
        }
        for client, offer in offers.items():
            asked = question(client, **offer)
            body, _ = self.ask(client, AN, asked)
            self.assertEqual(body["tools"], [{"name": "now", "input_schema": NOTHING}])
            if client != RE:
                body, _ = self.ask(client, RE, asked)
                self.assertEqual(body["tools"], [{"type": "function", "name": "now", "parameters": NOTHING, "strict": False}])
            if client != GE:
                for options in ({}, OPENAPI):
                    body, _ = self.ask(client, GE, asked, options=options)
                    self.assertEqual(declarations(body), [{"name": "now"}])

    def test_62_tools_for_anthropic_are_flat(self) -> None:
        """CH and RE functions -> AN `{name, description, input_schema}`, with nothing around."""
        about = {"name": "weather", "description": "Tells it.", "parameters": SCHEMA}
        expected = [{"name": "weather", "description": "Tells it.", "input_schema": SCHEMA}]
        body, notes = self.ask(CH, AN, chat(ASK, tools=[{"type": "function", "function": about}]))
        self.assertEqual((body["tools"], notes), (expected, []))
        body, notes = self.ask(RE, AN, responses("Hello", tools=[{"type": "function", **about, "strict": False}]))
        self.assertEqual((body["tools"], notes), (expected, []))
        declared = {"name": "weather", "description": "Tells it.", "parametersJsonSchema": SCHEMA}
        body, notes = self.ask(GE, AN, question(GE, tools=[{"functionDeclarations": [declared]}]))
        self.assertEqual((body["tools"], notes), (expected, []))

    def test_63_references(self) -> None:
        """A schema with `$ref` and `$defs` -> every byte of it at whoever takes JSON Schema, GE's `parametersJsonSchema` too."""
        schema: Body = {
            "type": "object",
            "properties": {"from": {"$ref": "#/$defs/place"}, "to": {"$ref": "#/$defs/place"}},
            "required": ["from"],
            "additionalProperties": False,
            "$defs": {"place": {"type": "object", "properties": {"near": {"$ref": "#/$defs/place"}, "zip": {"const": 1.50}}}},
        }
        for client, provider in pairs():
            made = self.exchange(client, provider, question(client, **tools(client, "weather", schema=schema)))
            self.assertEqual(parameters(provider, made.body), schema)
            self.assertIn(jsonio.dumps(schema), made.raw)
            self.assertEqual(made.notes, [])

    KEYWORDS = (
        *("properties", "propertyNames", "title", "format", "type", "const", "required", "items", "default", "enum"),
        *("additionalProperties", "additional_properties", "anyOf", "nullable", "description", "exclusiveMinimum"),
        *("$ref", "$defs", "propertyOrdering"),
    )

    def test_64_properties_named_like_keywords(self) -> None:
        """Properties called `properties`, `propertyNames`, `title`, … -> all there in Gemini's older form, and out of it."""
        member = {"type": "string"}
        inner = {"type": "object", "properties": dict.fromkeys(self.KEYWORDS, member), "required": list(self.KEYWORDS)}
        schema = {"type": "object", "properties": {"inner": inner, **dict.fromkeys(self.KEYWORDS, member)}}
        for client in (CH, RE, AN):
            asked = question(client, **tools(client, "weather", schema=schema))
            body, notes = self.ask(client, GE, asked, options=OPENAPI)
            found = declarations(body)[0]["parameters"]
            self.assertEqual(sorted(found["properties"]), sorted(["inner", *self.KEYWORDS]))
            self.assertEqual(sorted(found["properties"]["inner"]["properties"]), sorted(self.KEYWORDS))
            self.assertEqual(found["properties"]["inner"]["required"], list(self.KEYWORDS))
            for name in self.KEYWORDS:
                self.assertEqual(lowered(found["properties"][name]), member)
                self.assertEqual(lowered(found["properties"]["inner"]["properties"][name]), member)
            self.assertEqual(notes, [])
            genai.Schema.model_validate(found)
        upper = {name: {"type": "STRING"} for name in self.KEYWORDS}
        older = {"type": "OBJECT", "properties": {"inner": {**inner, "type": "OBJECT", "properties": upper}, **upper}}
        asked = question(GE, tools=[{"functionDeclarations": [{"name": "weather", "parameters": older}]}])
        for provider in others(GE):
            body, notes = self.ask(GE, provider, asked)
            self.assertEqual((parameters(provider, body), notes), (schema, []))

    def older(self, member: Body) -> tuple[Body, list[str]]:
        """A property in Gemini's older form, which the SDK's type must take, and what was noted below its pointer."""
        schema = {"type": "object", "properties": {"it": member}}
        body, notes = self.ask(CH, GE, question(CH, **tools(CH, "weather", schema=schema)), options=OPENAPI)
        found = declarations(body)[0]["parameters"]
        genai.Schema.model_validate(found)
        return lowered(found["properties"]["it"]), notes

    AT = "/tools/0/function/parameters/properties/it"

    def test_65_a_type_or_null(self) -> None:
        """`type: [string, null]` -> Gemini's older form `nullable`, and back."""
        found, notes = self.older({"type": ["string", "null"], "description": "Which."})
        self.assertEqual((found, notes), ({"type": "string", "nullable": True, "description": "Which."}, []))
        found, notes = self.older({"anyOf": [{"type": "string"}, {"type": "null"}]})
        self.assertEqual((found.get("nullable"), notes), (True, []))
        self.assertIn('"string"', text_of(found))
        older = {"type": "OBJECT", "properties": {"it": {"type": "STRING", "nullable": True}}}
        asked = question(GE, tools=[{"functionDeclarations": [{"name": "weather", "parameters": older}]}])
        for provider in others(GE):
            body, notes = self.ask(GE, provider, asked)
            self.assertEqual(parameters(provider, body)["properties"]["it"], {"type": ["string", "null"]})
            self.assertEqual(notes, [])

    def test_66_tuples(self) -> None:
        """`prefixItems` -> Gemini's older form `items` of any of them, noted: never an array without `items`."""
        found, notes = self.older({"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}]})
        self.assertNotIn("prefixItems", found)
        self.assertEqual((found["type"], found["items"]), ("array", {"anyOf": [{"type": "string"}, {"type": "number"}]}))
        self.assertTrue(notes and all(note.startswith(f"approximated {self.AT}") for note in notes), notes)
        found, _ = self.older({"type": "array", "prefixItems": [{"type": "string"}]})
        self.assertEqual(found["items"], {"type": "string"})

    def test_67_keywords_that_the_older_form_refuses(self) -> None:
        """`exclusiveMinimum`, `const`, `propertyNames`, … -> not in Gemini's older form, and noted where something is lost."""
        found, notes = self.older({"type": "number", "exclusiveMinimum": 5})
        self.assertEqual(found["type"], "number")
        self.assertNotIn("exclusiveMinimum", found)
        self.assertEqual(notes, [f"approximated {self.AT}/exclusiveMinimum"])
        found, _ = self.older({"const": "metric"})
        self.assertEqual((found.get("enum"), "const" in found), (["metric"], False))
        for keyword, value in (
            ("propertyNames", {"pattern": "^[a-z]+$"}),
            ("patternProperties", {"^x": {"type": "string"}}),
            ("unevaluatedProperties", False),
        ):
            found, notes = self.older({"type": "object", "properties": {"a": {"type": "string"}}, keyword: value})
            self.assertNotIn(keyword, found)
            self.assertEqual(found["properties"], {"a": {"type": "string"}})
            self.assertTrue(notes and all(note.split()[1].startswith(f"{self.AT}/{keyword}") for note in notes), notes)
        for member in ({"type": "integer", "multipleOf": 5}, {"not": {"type": "string"}}, {"type": "array", "uniqueItems": True}):
            _, notes = self.older(member)
            self.assertTrue(notes and all(self.AT in note for note in notes), notes)

    CHOICE: Body = {"anyOf": [SCHEMA, {"type": "object", "properties": {"zip": {"type": "string"}}, "required": ["zip"]}]}

    def test_68_a_choice_at_the_top(self) -> None:
        """Top-level `anyOf` for AN -> wrapped in an object, noted; arguments are wrapped and unwrapped with it."""
        for client in (CH, RE, GE):
            offer = tools(client, "weather", schema=self.CHOICE)
            turns = [spoken(client, "user", "Hello"), *called(client, "call_0"), *answered(client, "call_0")]
            body, notes = self.ask(client, AN, conversation(client, turns, **offer))
            schema = parameters(AN, body)
            self.assertEqual(schema["type"], "object")
            for keyword in ("anyOf", "oneOf", "allOf"):
                self.assertNotIn(keyword, schema)
            ((inside, wrapped),) = schema["properties"].items()
            self.assertEqual((wrapped, schema["required"]), (self.CHOICE, [inside]))
            (note,) = notes
            self.assertTrue(note.startswith("approximated /tools/0"), note)
            self.assertEqual(body["messages"][1]["content"][0]["input"], {inside: OSLO})
            answer = message(tool_use("call_1", args={inside: {"zip": "0150"}}), stop="tool_use")
            for heard in self.heard(client, AN, answer, question(client, **offer)):
                self.assertEqual(call_of(client, heard), ("weather", {"zip": "0150"}))

    def test_69_a_property_required_twice(self) -> None:
        """Duplicate `required` entries for AN -> each once, noted."""
        for client in (CH, RE, GE):
            schema = {**SCHEMA, "required": ["city", "city"]}
            body, notes = self.ask(client, AN, question(client, **tools(client, "weather", schema=schema)))
            self.assertEqual(parameters(AN, body), SCHEMA)
            (note,) = notes
            self.assertTrue(note.startswith("approximated /tools/0"), note)


def lowered(schema: Any) -> Any:
    """A schema with its types in lower case, which both forms know."""
    if isinstance(schema, list):
        return [lowered(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    lower = {name: lowered(each) for name, each in schema.items()}
    if isinstance(lower.get("type"), str):
        lower["type"] = lower["type"].lower()
    return lower


class NameTests(EdgeCase):
    """Names that the provider does not allow."""

    def test_70_long_and_dotted_names(self) -> None:
        """A name of 70 characters, or with dots -> always the same legal alias, wherever it is named; the client's back."""
        for client, provider, name in (
            *((AN, CH, "w" * 70), (AN, RE, "w" * 70), (GE, CH, "w" * 70)),
            *((GE, CH, "maps.search:near"), (GE, RE, "maps.search:near"), (GE, AN, "maps.search:near")),
            *((CH, GE, "1st-tool"), (AN, GE, "-" * 70)),
        ):
            turns = [spoken(client, "user", "Hello"), *called(client, "call_0", name=name)]
            turns += answered(client, "call_0", name=name)
            asked = conversation(client, turns, **tools(client, name), **forced(client, name))
            first, again = (self.exchange(client, provider, asked) for _ in range(2))
            self.assertEqual(first.raw, again.raw)
            (alias,) = names(provider, first.body)
            self.assertTrue(re.fullmatch(LEGAL[provider], alias), alias)
            self.assertEqual(chosen(provider, first.body), alias)
            self.assertEqual(text_of(first.body).count(f'"{name}"'), 0)
            self.assertEqual(text_of(first.body).count(f'"{alias}"'), 4 if provider == GE else 3)  # results are named there
            self.assertTrue(any(note.startswith("approximated /tools/0") for note in first.notes), first.notes)
            for heard in self.heard(client, provider, calling(provider, alias), question(client, **tools(client, name))):
                self.assertEqual(call_of(client, heard), (name, OSLO))

    def test_71_aliases_that_look_the_same(self) -> None:
        """Tools whose names differ only in what is not allowed -> distinct aliases, each with its own way back."""
        for given in (["a.b", "a:b", "a_b"], ["a:b", "a_b", "a.b"], [f"{'w' * 70}{end}" for end in "xyz"]):
            offer = tools(GE, *given)
            for provider in (CH, RE, AN):
                body, _ = self.ask(GE, provider, question(GE, **offer))
                aliases = names(provider, body)
                self.assertEqual(len(set(aliases)), 3)
                for name, alias in zip(given, aliases, strict=True):
                    self.assertTrue(re.fullmatch(LEGAL[provider], alias), alias)
                    for heard in self.heard(GE, provider, calling(provider, alias), question(GE, **offer)):
                        self.assertEqual(call_of(GE, heard), (name, OSLO))
                    if re.fullmatch(LEGAL[provider], name):
                        self.assertEqual(alias, name)


class CustomTests(EdgeCase):
    """Tools that take free text."""

    FORMAT = {"type": "grammar", "syntax": "lark", "definition": GRAMMAR}
    PATCH = '*** Begin Patch\n+say "hi" 😀 é\\path\n\t*** End Patch'

    def offer(self, client: str) -> Body:
        about: Body = {"name": "apply_patch", "description": "Changes files."}
        if client == RE:
            return {"tools": [{"type": "custom", **about, "format": self.FORMAT}]}
        grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": GRAMMAR}}
        return {"tools": [{"type": "custom", "custom": {**about, "format": grammar}}]}

    def history(self, client: str) -> list[Body]:
        if client == RE:
            return [
                ASK,
                {"type": "custom_tool_call", "call_id": "call_0", "name": "apply_patch", "input": self.PATCH},
                {"type": "custom_tool_call_output", "call_id": "call_0", "output": "Done."},
            ]
        call = {"id": "call_0", "type": "custom", "custom": {"name": "apply_patch", "input": self.PATCH}}
        said = {"role": "assistant", "content": None, "tool_calls": [call]}
        return [ASK, said, {"role": "tool", "tool_call_id": "call_0", "content": "Done."}]

    def test_72_a_tool_with_a_grammar(self) -> None:
        """CH and RE custom tool with a grammar -> a function of one text at AN and GE; its call is custom again, and raw."""
        wrapped = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
        for client in (CH, RE):
            asked = conversation(client, self.history(client), **self.offer(client))
            for provider in (AN, GE):
                body, notes = self.ask(client, provider, asked)
                tool = body["tools"][0] if provider == AN else declarations(body)[0]
                self.assertEqual(tool["name"], "apply_patch")
                self.assertIn("Changes files.", tool["description"])
                self.assertIn(GRAMMAR, tool["description"])
                self.assertEqual(bare(parameters(provider, body)), wrapped)
                self.assertIn("approximated", [note.split()[0] for note in notes if note.split()[1].startswith("/tools/0")])
                if provider == AN:
                    self.assertEqual(body["messages"][1]["content"][0], tool_use("call_0", "apply_patch", {"input": self.PATCH}))
                else:
                    self.assertEqual(body["contents"][1]["parts"][0]["functionCall"]["args"], {"input": self.PATCH})
                answer = calling(provider, "apply_patch", {"input": self.PATCH})
                told = self.reply(client, provider, answer, question(client, **self.offer(client)))
                if client == CH:
                    (call,) = told["choices"][0]["message"]["tool_calls"]
                    custom = {"name": "apply_patch", "input": self.PATCH}
                    self.assertEqual(call, {"id": "call_1", "type": "custom", "custom": custom})
                    self.assertEqual(told["choices"][0]["finish_reason"], "tool_calls")
                else:
                    (item,) = (item for item in told["output"] if item["type"] == "custom_tool_call")
                    self.assertEqual((item["call_id"], item["name"], item["input"]), ("call_1", "apply_patch", self.PATCH))
        body, notes = self.ask(CH, RE, conversation(CH, self.history(CH), **self.offer(CH)))
        self.assertEqual((body["tools"], notes), (self.offer(RE)["tools"], []))
        self.assertEqual([item["type"] for item in body["input"][1:]], ["custom_tool_call", "custom_tool_call_output"])
        body, notes = self.ask(RE, CH, conversation(RE, self.history(RE), **self.offer(RE)))
        self.assertEqual((body["tools"], body["messages"], notes), (self.offer(CH)["tools"], self.history(CH), []))

    def test_73_a_patch_as_it_is_written(self) -> None:
        """RE custom call from AN, GE or CH as a stream -> `custom_tool_call_input.delta`s of unescaped text, then all of it."""
        for provider in (AN, GE):
            answer = calling(provider, "apply_patch", {"input": self.PATCH})
            sent = wire.streamed(provider, answer)
            events = self.stream(RE, provider, sent, responses("Hello", **self.offer(RE)))
            self.assert_patched(events, pieces=provider == AN)
        call = {"id": "call_1", "type": "custom", "custom": {"name": "apply_patch", "input": self.PATCH}}
        sent = wire.streamed(CH, completion({"content": None, "tool_calls": [call]}, "tool_calls"))
        self.assert_patched(self.stream(RE, CH, sent, responses("Hello", **self.offer(RE))), pieces=True)
        # fragments of one character end inside escapes, and between the halves of a pair
        written = json.dumps({"input": self.PATCH})
        self.assertIn("\\ud83d\\ude00", written)
        block = {"type": "tool_use", "id": "call_1", "name": "apply_patch", "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": each} for each in written]
        records = wire.streamed(AN, message(block, stop="tool_use"))
        sent = [
            *records[:2],
            *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
            *records[-3:],
        ]
        self.assert_patched(self.stream(RE, AN, sent, responses("Hello", **self.offer(RE))), pieces=True)
        chunks = self.stream(CH, AN, sent, question(CH, **self.offer(CH)))
        (call,) = wire.gathered(CH, chunks)["choices"][0]["message"]["tool_calls"]
        self.assertEqual(call["custom"], {"name": "apply_patch", "input": self.PATCH})

    def assert_patched(self, events: list[Body], pieces: bool) -> None:
        deltas = [event["delta"] for event in events if event["type"] == "response.custom_tool_call_input.delta"]
        self.assertEqual("".join(deltas), self.PATCH)
        self.assertEqual(len(deltas) > 1, pieces)
        (done,) = (event for event in events if event["type"] == "response.custom_tool_call_input.done")
        self.assertEqual(done["input"], self.PATCH)
        self.assertFalse([event for event in events if "function_call_arguments" in event["type"]])
        (item,) = events[-1]["response"]["output"]
        self.assertEqual((item["type"], item["name"], item["input"]), ("custom_tool_call", "apply_patch", self.PATCH))
        self.assertEqual((item["call_id"], item["id"]), ("call_1", done["item_id"]))


def bare(schema: Body) -> Body:
    """The schema of a wrapped tool without what it says to the model."""
    found = {name: value for name, value in schema.items() if name not in ("description", "additionalProperties")}
    found["properties"] = {
        name: {word: value for word, value in member.items() if word != "description"}
        for name, member in schema["properties"].items()
    }
    return found


class ChoiceTests(EdgeCase):
    """Which tools may or must be called."""

    TWO = ("weather", "time")

    def allowed(self, client: str, mode: str) -> Body:
        if client == CH:
            only: Body = {"type": "function", "function": {"name": "time"}}
            return {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [only]}}}
        only = {"type": "function", "name": "time"}
        return {"tool_choice": {"type": "allowed_tools", "mode": mode, "tools": [only]}}

    def test_74_some_of_the_tools(self) -> None:
        """`allowed_tools` -> AN gets only these, with the same policy, GE their names; others may be in the history."""
        for client in (CH, RE):
            turns = [ASK, *called(client, "call_1"), *answered(client, "call_1")]
            for mode, choice in (("required", "any"), ("auto", "auto")):
                asked = conversation(client, turns, **tools(client, *self.TWO), **self.allowed(client, mode))
                body, _ = self.ask(client, AN, asked)
                self.assertEqual((names(AN, body), body["tool_choice"]), (["time"], {"type": choice}))
                self.assertEqual(body["messages"][1]["content"], [tool_use("call_1")])
                body, _ = self.ask(client, GE, asked)
                config = body.get("toolConfig", {}).get("functionCallingConfig", {})
                if mode == "required":
                    self.assertEqual(config, {"mode": "ANY", "allowedFunctionNames": ["time"]})
                elif names(GE, body) != ["time"]:
                    self.assertEqual(config, {"mode": "VALIDATED", "allowedFunctionNames": ["time"]})
                other = RE if client == CH else CH
                body, notes = self.ask(client, other, asked)
                self.assertEqual((names(other, body), notes), ([*self.TWO], []))
                self.assertEqual(body["tool_choice"], self.allowed(other, mode)["tool_choice"])

    def test_75_one_call_at_a_time(self) -> None:
        """`parallel_tool_calls: false` without a choice -> AN `auto` that forbids several; with `none` nothing; GE notes it."""
        for client in (CH, RE):
            offer = tools(client, "weather")
            body, notes = self.ask(client, AN, question(client, parallel_tool_calls=False, **offer))
            self.assertEqual((body["tool_choice"], notes), ({"type": "auto", "disable_parallel_tool_use": True}, []))
            asked = question(client, parallel_tool_calls=False, tool_choice="required", **offer)
            body, notes = self.ask(client, AN, asked)
            self.assertEqual((body["tool_choice"], notes), ({"type": "any", "disable_parallel_tool_use": True}, []))
            body, _ = self.ask(client, AN, question(client, parallel_tool_calls=False, tool_choice="none", **offer))
            self.assertEqual(body["tool_choice"], {"type": "none"})
            body, notes = self.ask(client, AN, question(client, parallel_tool_calls=True, **offer))
            self.assertNotIn("disable_parallel_tool_use", text_of(body))
            self.assertEqual(notes, [])
            body, notes = self.ask(client, GE, question(client, parallel_tool_calls=False, **offer))
            self.assertNotIn("arallel", text_of(body))
            self.assertEqual(notes, ["dropped /parallel_tool_calls"])
        choice = {"type": "auto", "disable_parallel_tool_use": True}
        for provider in (CH, RE):
            body, notes = self.ask(AN, provider, question(AN, tool_choice=choice, **tools(AN, "weather")))
            self.assertEqual((body["parallel_tool_calls"], body["tool_choice"], notes), (False, "auto", []))

    def test_76_no_calls_this_time(self) -> None:
        """`tool_choice: none` -> `none` everywhere, and the tools are still offered."""
        says: dict[str, Body] = {
            CH: {"tool_choice": "none"},
            RE: {"tool_choice": "none"},
            AN: {"tool_choice": {"type": "none"}},
            GE: {"toolConfig": {"functionCallingConfig": {"mode": "NONE"}}},
        }
        for client, provider in pairs():
            body, notes = self.ask(client, provider, question(client, **tools(client, *self.TWO), **says[client]))
            self.assertEqual(names(provider, body), [*self.TWO])
            for member, value in says[provider].items():
                self.assertEqual(body[member], value)
            self.assertEqual(notes, [])

    def test_77_a_choice_of_a_tool_that_is_not_there(self) -> None:
        """A choice that names an unknown tool -> 400 here, with the pointer of the choice."""
        for client, provider in pairs():
            asked = question(client, **tools(client, "weather"), **forced(client, "time"))
            param = self.refused(client, provider, asked).param or ""
            self.assertTrue(param.startswith("/toolConfig" if client == GE else "/tool_choice"), param)
            param = self.refused(client, provider, question(client, **forced(client, "time"))).param or ""
            self.assertTrue(param.startswith("/toolConfig" if client == GE else "/tool_choice"), param)
        for client in (CH, RE):
            asked = question(client, **tools(client, "weather"), **self.allowed(client, "auto"))
            for provider in others(client):
                param = self.refused(client, provider, asked).param or ""
                self.assertTrue(param.startswith("/tool_choice"), param)


class ServerToolTests(EdgeCase):
    """Tools that the provider runs itself."""

    SEARCH = {"type": "web_search_20260209", "name": "web_search"}

    def test_78_a_search_that_the_provider_does_not_have(self) -> None:
        """AN web search for others -> 400 that names it; with `hosted_tools: map` the provider's own; never stripped."""
        asked = question(AN, tools=[*tools(AN, "weather")["tools"], self.SEARCH])
        for provider in others(AN):
            fault = self.refused(AN, provider, asked)
            self.assertEqual((fault.param, fault.code), ("/tools/1", UNTRANSLATABLE))
        body, _ = self.ask(AN, RE, asked, options={"hosted_tools": "map"})
        self.assertEqual([tool["type"] for tool in body["tools"]], ["function", "web_search"])
        body, _ = self.ask(AN, GE, asked, options={"hosted_tools": "map"})
        self.assertIn({"googleSearch": {}}, body["tools"])
        self.assertEqual(names(GE, body), ["weather"])
        body, _ = self.ask(AN, CH, asked, options={"hosted_tools": "map"})
        self.assertEqual((body["web_search_options"], names(CH, body)), ({}, ["weather"]))
        own: tuple[tuple[str, Body, str], ...] = (
            (RE, {"type": "web_search"}, "/tools/0"),
            (GE, {"googleSearch": {}}, "/tools/0/googleSearch"),
        )
        for client, tool, pointer in own:
            for provider in others(client):
                fault = self.refused(client, provider, question(client, tools=[tool]))
                self.assertEqual((fault.param, fault.code), (pointer, UNTRANSLATABLE))

    HIT = {
        "type": "web_search_result",
        "url": "https://example.org/oslo",
        "title": "Oslo today",
        "encrypted_content": "RW5jcnlwdGVk",
        "page_age": None,
    }
    FOUND: tuple[Body, ...] = (
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "Oslo weather"}},
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [HIT]},
        {"type": "text", "text": "Cold."},
    )

    def test_79_a_search_in_the_history(self) -> None:
        """AN `server_tool_use` with its result -> AN both, in a pair; for others text and a note, never a call."""
        asked = messages(ASK, {"role": "assistant", "content": list(self.FOUND)}, ASK)
        body, notes = self.ask(AN, AN, asked)
        self.assertEqual((body["messages"][1]["content"], notes), ([*self.FOUND], []))
        for provider in others(AN):
            body, notes = self.ask(AN, provider, asked)
            said = text_of(body)
            for word in ("Oslo weather", "https://example.org/oslo", "Cold."):
                self.assertIn(word, said)
            for call in ("tool_calls", "function_call", "functionCall", "functionResponse", '"tool"', "srvtoolu_1"):
                self.assertNotIn(call, said)
            pointers = sorted({note.split()[1] for note in notes})
            self.assertEqual(pointers, ["/messages/1/content/0", "/messages/1/content/1"])
        # in an answer there is nothing for the client to carry out, and what comes back is a pair, or nothing
        for client in (CH, RE, GE):
            for heard in self.heard(client, AN, message(*self.FOUND)):
                self.assertEqual(call_ids(client, heard), [])
                self.assertNotIn('"tool_calls"', text_of(heard))
                self.assertIn('"Cold."', text_of(heard))
                body, _ = self.ask(client, AN, self.turned(client, heard))
                kinds = [block["type"] for block in blocks(body)]
                self.assertNotIn("tool_use", kinds)
                self.assertEqual(kinds.count("server_tool_use"), kinds.count("web_search_tool_result"))

    def test_80_a_search_that_another_gateway_made_a_call(self) -> None:
        """A call `srvtoolu_…` in a CH history, with a result or without -> no `tool_use`; what was found is told, and noted."""
        call = chat_call("srvtoolu_1", "web_search", '{"query":"Oslo weather"}')
        said = {"role": "assistant", "content": "It is cold.", "tool_calls": [call]}
        result = {"role": "tool", "tool_call_id": "srvtoolu_1", "content": "4 degrees"}
        for turns in ((said, result), (said,)):
            body, notes = self.ask(CH, AN, chat(ASK, *turns, ASK))
            kinds = [block["type"] for block in blocks(body)]
            for kind in ("tool_use", "server_tool_use", "tool_result"):
                self.assertNotIn(kind, kinds)
            self.assertIn("It is cold.", text_of(body))
            if result in turns:
                self.assertIn("4 degrees", text_of(body))
            self.assertTrue(any("/messages/1" in note for note in notes), notes)
            self.assertNotIn("srvtoolu_1", text_of(body))


def blocks(body: Body) -> list[Body]:
    """All the blocks of a request to Anthropic."""
    found: list[Body] = []
    for turn in body["messages"]:
        content = turn["content"]
        found += [{"type": "text", "text": content}] if isinstance(content, str) else content
    return found
