"""Tests for reading a request: contents, settings, tools."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.neutral import (
    FileId,
    Inline,
    Link,
    Media,
    Message,
    OpaquePart,
    Output,
    Reasoning,
    ReasoningPolicy,
    Sampling,
    Seal,
    Segment,
    ServerCall,
    ServerResult,
    Text,
    Tool,
    ToolCall,
    ToolPolicy,
    ToolResult,
)
from llmux.dialects.notes import Notes
from llmux.errors import Fault
from tests.dialects.gemini.saying import SEALS, asked, exchange, noted, read

NATIVE = Seal("gemini", "thought_signature", "QUJD")
FOREIGN = Seal("anthropic", "signature", "sig")
SCHEMA = {"type": "object", "properties": {"a_b": {"type": "string"}}}
DECLARED = {"functionDeclarations": [{"name": "f"}, {"name": "g"}]}


class ContentsTests(SynchronousTestCase):
    """Contents as items."""

    def test_conversation(self) -> None:
        """Parts keep their order and their turn, in either spelling; names of users' own are left alone."""
        contents = [
            {"role": "user", "parts": [{"text": "Look"}, {"inline_data": {"mime_type": "image/png", "data": "AA=="}}]},
            {
                "role": "model",
                "parts": [
                    {"text": "Hm.", "thought": True},
                    {"text": "Now:"},
                    {"function_call": {"id": "c1", "name": "look", "args": {"snake_case": {"mime_type": 1}}}},
                    {"functionCall": {"name": "bare"}},
                ],
            },
            {
                "parts": [
                    {"functionResponse": {"id": "c1", "name": "look", "response": {"output": "grey"}}},
                    {"function_response": {"name": "bare", "response": {"error": "none"}}},
                ]
            },
            {"parts": []},
        ]
        context = exchange()
        request = read({"system_instruction": {"parts": [{"text": "Be brief."}]}, "contents": contents}, context)
        bare = context.made_up_id(1, "bare")
        self.assertEqual(
            request.items,
            (
                Message("system", (Text("Be brief.", at="/system_instruction/parts/0"),), at="/system_instruction"),
                Message(
                    "user",
                    (
                        Text("Look", at="/contents/0/parts/0"),
                        Media("image", Inline("AA=="), "image/png", at="/contents/0/parts/1"),
                    ),
                    at="/contents/0",
                ),
                Reasoning((Segment("summary", "Hm."),), turn=1, at="/contents/1/parts/0"),
                Message("assistant", (Text("Now:", at="/contents/1/parts/1"),), 1, at="/contents/1/parts/1"),
                ToolCall("c1", "look", '{"snake_case":{"mime_type":1}}', 1, at="/contents/1/parts/2"),
                ToolCall(bare, "bare", "{}", 1, at="/contents/1/parts/3"),
                ToolResult(
                    "c1",
                    "look",
                    (Text("grey", at="/contents/2/parts/0/functionResponse/response"),),
                    turn=2,
                    at="/contents/2/parts/0",
                ),
                ToolResult(
                    bare,
                    "bare",
                    (Text("none", at="/contents/2/parts/1/function_response/response"),),
                    True,
                    2,
                    at="/contents/2/parts/1",
                ),
                Message("user", (), 3, at="/contents/3"),
            ),
        )
        self.assertEqual(noted(context), [])

    def test_one_content(self) -> None:
        """A content may stand for a list of one."""
        (item,) = read({"contents": {"parts": [{"text": "Hi"}]}}).items
        self.assertEqual(item, Message("user", (Text("Hi", at="/contents/parts/0"),), at="/contents"))

    def test_results_without_ids_answer_in_order(self) -> None:
        """Two calls of one name, two results: first come, first served, and the same at every telling."""
        calls = [{"functionCall": {"name": "f", "args": {"n": n}}} for n in (1, 2)]
        results = [{"functionResponse": {"name": "f", "response": {"output": str(n)}}} for n in (1, 2)]
        doc = {"contents": [{"role": "model", "parts": calls}, {"parts": results}]}
        first, second, one, two = read(doc).items
        assert isinstance(first, ToolCall) and isinstance(second, ToolCall)
        assert isinstance(one, ToolResult) and isinstance(two, ToolResult)
        self.assertNotEqual(first.call_id, second.call_id)
        self.assertEqual((one.call_id, two.call_id), (first.call_id, second.call_id))
        self.assertEqual(read(doc).items, (first, second, one, two))

    def test_results_in_other_forms(self) -> None:
        """An object that says more than a text stays an object; pictures come behind."""
        picture = {"inlineData": {"mimeType": "image/png", "data": "AA=="}}
        for response, expected in (
            ({"result": "x"}, ("x", False, "string")),
            ({"a": 1}, ('{"a":1}', False, "object")),
            ({"output": {"a": 1}}, ('{"output":{"a":1}}', False, "object")),
            ({"error": {"code": 1}}, ('{"error":{"code":1}}', True, "object")),
            (None, ("", False, "string")),
        ):
            (result,) = read(asked({"functionResponse": {"id": "c", "name": "f", "response": response}})).items
            assert isinstance(result, ToolResult)
            (part,) = result.parts
            assert isinstance(part, Text)
            self.assertEqual((part.text, result.is_error, result.form), expected)
        shown = {"functionResponse": {"id": "c", "name": "f", "response": {"output": "see"}, "parts": [picture]}}
        (result,) = read(asked(shown)).items
        assert isinstance(result, ToolResult)
        self.assertEqual([type(part) for part in result.parts], [Text, Media])
        self.assertEqual(result.form, "parts")

    def test_signatures(self) -> None:
        """A signature belongs to its call, its text or its thought; alone, to what stands before it."""
        behind = msgspec.structs.replace(NATIVE, at="/contents/0/parts/1")
        cases: list[tuple[list[dict[str, Any]], list[Any]]] = [
            ([{"functionCall": {"name": "f"}, "thoughtSignature": "QUJD"}], [(ToolCall, (NATIVE,))]),
            ([{"functionCall": {"name": "f"}}, {"text": "", "thoughtSignature": "QUJD"}], [(ToolCall, (behind,))]),
            ([{"text": "a", "thoughtSignature": "QUJD"}, {"text": "b"}], [(Text, (NATIVE,)), (Text, ())]),
            ([{"text": "a"}, {"text": "", "thought_signature": "QUJD"}], [(Text, (behind,))]),
            ([{"thoughtSignature": "QUJD"}], [(Text, (NATIVE,))]),
            ([{"text": "a", "thought": True}, {"text": "b", "thought": True, "thoughtSignature": "QUJD"}], [("ab", (NATIVE,))]),
            ([{"text": "", "thought": True, "thoughtSignature": "QUJD"}], [("", (NATIVE,))]),
        ]
        for parts, expected in cases:
            found: list[Any] = []
            for item in read(asked(*parts, role="model")).items:
                if isinstance(item, Message):
                    found += [(Text, part.seals) for part in item.parts if isinstance(part, Text)]
                elif isinstance(item, Reasoning):
                    found.append((item.text, item.seals))
                elif isinstance(item, ToolCall):
                    found.append((ToolCall, item.seals))
            self.assertEqual(found, expected)

    def test_foreign_seals(self) -> None:
        """An envelope is opened where what it seals is unchanged, in whichever alphabet it comes back."""
        wrapped = base64.b64encode(SEALS.wrap(FOREIGN, "ab").encode()).decode()
        for value in (wrapped, wrapped.replace("+", "-").replace("/", "_").rstrip("=")):
            parts = [{"text": "a", "thought": True}, {"text": "b", "thought": True}]
            parts.append({"text": "", "thought": True, "thoughtSignature": value})
            (thought,) = read(asked(*parts, role="model")).items
            self.assertEqual(thought, Reasoning((Segment("summary", "ab"),), (FOREIGN,), at="/contents/0/parts/0"))
        context = exchange()
        read(asked({"text": "changed", "thought": True, "thoughtSignature": wrapped}, role="model"), context)
        self.assertEqual(noted(context), ["dropped /contents/0/parts/0/thoughtSignature"])

    def test_media(self) -> None:
        """Bytes get the alphabet that everybody reads; files that the API keeps are its own."""
        kept = "https://generativelanguage.googleapis.com/v1beta/files/x"
        film = "https://www.youtube.com/watch?v=1"
        cases: list[tuple[dict[str, Any], Media]] = [
            ({"inlineData": {"mimeType": "audio/wav", "data": "_-8"}}, Media("audio", Inline("/+8="), "audio/wav")),
            (
                {"inlineData": {"mimeType": "application/pdf", "data": "AAAA", "displayName": "a.pdf"}},
                Media("file", Inline("AAAA"), "application/pdf", "a.pdf"),
            ),
            ({"fileData": {"fileUri": kept, "mimeType": "image/png"}}, Media("image", FileId("gemini", kept), "image/png")),
            ({"fileData": {"fileUri": film}}, Media("video", Link(film))),
            ({"file_data": {"file_uri": "gs://b/x", "mime_type": "video/mp4"}}, Media("video", Link("gs://b/x"), "video/mp4")),
        ]
        for part, expected in cases:
            (item,) = read(asked(part)).items
            assert isinstance(item, Message)
            (found,) = item.parts
            assert isinstance(found, Media)
            self.assertEqual(
                (found.kind, found.source, found.mime, found.name), (expected.kind, expected.source, expected.mime, expected.name)
            )

    def test_resolution(self) -> None:
        """How closely to look is said for a part, or for all of them."""
        part = {"inlineData": {"mimeType": "image/png", "data": "AA=="}}
        closer = {**part, "mediaResolution": {"level": "MEDIA_RESOLUTION_HIGH"}}
        (item,) = read(asked(part, closer, generationConfig={"mediaResolution": "MEDIA_RESOLUTION_LOW"})).items
        assert isinstance(item, Message)
        self.assertEqual([part.detail for part in item.parts if isinstance(part, Media)], ["low", "high"])
        context = exchange()
        read(asked({"text": "x"}, generationConfig={"mediaResolution": "MEDIA_RESOLUTION_LOW"}), context)
        self.assertEqual(noted(context), ["dropped /generationConfig/mediaResolution"])

    def test_provider_tools(self) -> None:
        """What the provider ran is kept as it was."""
        code = {"executableCode": {"language": "PYTHON", "code": "1+1"}}
        outcome = {"codeExecutionResult": {"outcome": "OUTCOME_FAILED", "output": "2"}}
        call, result = read(asked(code, outcome, role="model")).items
        assert isinstance(call, ServerCall) and isinstance(result, ServerResult)
        self.assertEqual((call.family, call.args_text, call.raw), ("code", '{"code":"1+1","language":"python"}', code))
        self.assertEqual((result.text, result.is_error, result.raw), ("2", True, outcome))
        self.assertEqual(result.call_id, call.call_id)

    def test_unknown(self) -> None:
        """Members that nobody knows are noted where they stand; a part that is nothing else is carried."""
        context = exchange()
        doc = asked({"text": "x", "videoMetadata": {"fps": 1}, "part_metadata": {"a_b": 1}}, {"future": {}}, newField=1)
        (item,) = read(doc, context).items
        assert isinstance(item, Message)
        self.assertIsInstance(item.parts[1], OpaquePart)
        self.assertEqual(
            noted(context),
            [
                "dropped /newField",
                "dropped /contents/0/parts/0/videoMetadata/fps",
                "dropped /contents/0/parts/0/part_metadata/a_b",
            ],
        )

    def test_refused(self) -> None:
        """What cannot be read is refused by name."""
        cases: list[tuple[dict[str, Any], str]] = [
            ({}, "/contents"),
            ({"contents": []}, "/contents"),
            ({"contents": "hi"}, "/contents"),
            ({"contents": ["x"]}, "/contents/0"),
            ({"contents": [{"role": "robot"}]}, "/contents/0/role"),
            ({"contents": [{"parts": [{"text": 1}]}]}, "/contents/0/parts/0/text"),
            ({"contents": [{"parts": "x"}]}, "/contents/0/parts"),
            ({"contents": [{"parts": ["x"]}]}, "/contents/0/parts/0"),
            (asked({"function_call": {"args": {}}}), "/contents/0/parts/0/function_call/name"),
            (asked({"functionCall": {"name": "f", "args": "{}"}}), "/contents/0/parts/0/functionCall/args"),
            (asked({"text": "x"}, systemInstruction="be"), "/systemInstruction"),
            (asked({"text": "x"}, generation_config={"top_k": "x"}), "/generation_config/top_k"),
            (asked({"text": "x"}, generationConfig={"stopSequences": "x"}), "/generationConfig/stopSequences"),
        ]
        for doc, param in cases:
            for lenient in (False, True):
                fault = self.assertRaises(Fault, read, doc, exchange(notes=Notes(lenient=lenient)))
                self.assertEqual((fault.kind, fault.param), ("invalid", param))

    def test_only_gemini_knows(self) -> None:
        """What changes the answer and has no other form is refused, unless the request is answered here."""
        for name, value in (
            ("cachedContent", "c/x"),
            ("continuation_token", "QQ=="),
            ("modelArmorConfig", {"promptTemplateName": "x"}),
        ):
            doc: dict[str, Any] = {**asked({"text": "x"}), name: value}
            self.assertEqual(self.assertRaises(Fault, read, doc).param, f"/{name}")
            context = exchange(notes=Notes(lenient=True))
            read(doc, context)
            self.assertEqual(noted(context), [f"refused /{name}"])


class SettingsTests(SynchronousTestCase):
    """Everything beside the contents."""

    def config(self, config: dict[str, Any]) -> Any:
        """A request with these settings."""
        return read(asked({"text": "x"}, generationConfig=config))

    def test_sampling(self) -> None:
        """Numbers as they were written."""
        request = self.config(
            {
                "temperature": 0.5,
                "top_p": 0.9,
                "topK": 40.0,
                "candidateCount": 2,
                "maxOutputTokens": 9,
                "stopSequences": ["x"],
                "seed": 7,
                "presencePenalty": 0.1,
                "frequency_penalty": 0.2,
                "responseLogprobs": True,
                "logprobs": 3,
            }
        )
        self.assertEqual(
            request.sampling,
            Sampling(
                max_out=9,
                temperature=0.5,
                top_p=0.9,
                top_k=40,
                frequency_penalty=0.2,
                presence_penalty=0.1,
                seed=7,
                n=2,
                stop=("x",),
                logprobs=True,
                top_logprobs=3,
            ),
        )
        self.assertEqual(
            (request.where["top_p"], request.where["n"]), ("/generationConfig/top_p", "/generationConfig/candidateCount")
        )

    def test_thinking(self) -> None:
        """A budget of none, of any, of some; a level in any case; thoughts for whom asks for them."""
        for thinking, expected in (
            ({"thinkingBudget": 0}, ReasoningPolicy("no", budget=0)),
            ({"thinkingBudget": -1}, ReasoningPolicy("auto")),
            ({"thinking_budget": 4096}, ReasoningPolicy(budget=4096)),
            ({"thinking_level": "low", "include_thoughts": True}, ReasoningPolicy(level="low", show="summary")),
            ({"thinkingLevel": "XHIGH", "includeThoughts": False}, ReasoningPolicy(level="xhigh", show="none")),
            ({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}, ReasoningPolicy()),
        ):
            self.assertEqual(self.config({"thinkingConfig": thinking}).reasoning, expected)
        self.assertEqual(self.config({"thinkingConfig": {"includeThoughts": True}}).display, "full")
        self.assertEqual(self.config({}).display, "none")

    def test_output(self) -> None:
        """JSON with and without a schema, of either form, with and without saying so."""
        older = {"type": "OBJECT", "properties": {"a_b": {"type": "STRING"}}}
        for config, expected in (
            ({"responseMimeType": "text/plain"}, Output("text")),
            ({"responseMimeType": "application/json"}, Output("json")),
            ({"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}, Output("schema", SCHEMA)),
            ({"response_json_schema": SCHEMA}, Output("schema", SCHEMA)),
            ({"responseSchema": older}, Output("schema", SCHEMA)),
            ({"responseFormat": [{"text": {"mimeType": "application/json", "schema": SCHEMA}}]}, Output("schema", SCHEMA)),
            ({"responseModalities": ["TEXT"]}, Output(modalities=("text",))),
        ):
            self.assertEqual(self.config(config).output, expected)
        context = exchange()
        doc = asked({"text": "x"}, generationConfig={"responseMimeType": "text/x.enum", "responseSchema": {"enum": ["a"]}})
        self.assertEqual(read(doc, context).output, Output("schema", {"enum": ["a"]}))
        self.assertEqual(noted(context), ["approximated /generationConfig/responseMimeType"])
        doc = asked({"text": "x"}, generationConfig={"responseMimeType": "application/xml"})
        self.assertEqual(self.assertRaises(Fault, read, doc).param, "/generationConfig/responseMimeType")

    def test_envelope(self) -> None:
        """Labels, tier and store have places; filters are noted one by one."""
        context = exchange()
        safety = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
        doc = asked({"text": "x"}, labels={"a": "b"}, service_tier="flex", store=True, safetySettings=safety)
        request = read(doc, context)
        self.assertEqual((request.metadata, request.tier, request.store), ({"a": "b"}, "flex", True))
        self.assertEqual(request.where, {"metadata": "/labels", "tier": "/service_tier", "store": "/store"})
        self.assertEqual(noted(context), ["dropped /safetySettings/0"])

    def test_tools(self) -> None:
        """Functions with schemas of either form, and tools of the provider's own."""
        tools = [
            {
                "function_declarations": [
                    {"name": "a", "description": "d", "parametersJsonSchema": SCHEMA, "response": {"type": "STRING"}},
                    {"name": "b", "parameters": {"type": "OBJECT", "properties": {"a_b": {"type": "STRING"}}}},
                ],
                "google_search": {},
            },
            {"codeExecution": {}},
        ]
        at = "/tools/0/function_declarations"
        self.assertEqual(
            read(asked({"text": "x"}, tools=tools)).tools,
            (
                Tool("a", description="d", schema=SCHEMA, output_schema={"type": "string"}, at=f"{at}/0"),
                Tool("b", schema=SCHEMA, at=f"{at}/1"),
                Tool(
                    "googleSearch",
                    "hosted",
                    family="web_search",
                    dialect="gemini",
                    raw={"googleSearch": {}},
                    at="/tools/0/google_search",
                ),
                Tool(
                    "codeExecution",
                    "hosted",
                    family="code",
                    dialect="gemini",
                    raw={"codeExecution": {}},
                    at="/tools/1/codeExecution",
                ),
            ),
        )

    def test_choice(self) -> None:
        """Which functions may be called."""
        for calling, expected in (
            ({"mode": "AUTO"}, ToolPolicy("auto")),
            ({"mode": "none"}, ToolPolicy("none")),
            ({"mode": "ANY"}, ToolPolicy("required")),
            ({"mode": "ANY", "allowedFunctionNames": ["f"]}, ToolPolicy("one", ("f",), ("function",))),
            ({"mode": "ANY", "allowed_function_names": ["f", "g"]}, ToolPolicy("subset_required", ("f", "g"), ("function",) * 2)),
            ({"mode": "VALIDATED"}, ToolPolicy("validated")),
            ({"mode": "VALIDATED", "allowedFunctionNames": ["f"]}, ToolPolicy("subset_auto", ("f",), ("function",))),
            ({"mode": "MODE_UNSPECIFIED"}, ToolPolicy()),
        ):
            doc = asked({"text": "x"}, tools=[DECLARED], toolConfig={"functionCallingConfig": calling})
            self.assertEqual(read(doc).policy, expected)
        config = {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["nobody"]}}
        fault = self.assertRaises(Fault, read, asked({"text": "x"}, tools=[DECLARED], tool_config=config))
        self.assertEqual(fault.param, "/tool_config/functionCallingConfig/allowedFunctionNames/0")
        fault = self.assertRaises(Fault, read, asked({"text": "x"}, toolConfig={"functionCallingConfig": {"mode": "ANY"}}))
        self.assertEqual(fault.param, "/toolConfig/functionCallingConfig/mode")

    def test_both_spellings(self) -> None:
        """A member that is given twice counts in camel case, and the other one is noted."""
        context = exchange()
        request = read(asked({"text": "x"}, generationConfig={"topK": 1, "top_k": 2}), context)
        self.assertEqual(request.sampling.top_k, 1)
        self.assertEqual(noted(context), ["dropped /generationConfig/top_k"])
