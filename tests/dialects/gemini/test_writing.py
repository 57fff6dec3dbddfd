"""Tests for writing a request."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.context import Context, Options
from llmux.dialects.neutral import (
    Annotation,
    Caching,
    FileId,
    Inline,
    Link,
    Mark,
    Media,
    Message,
    Output,
    PlainText,
    Reasoning,
    ReasoningPolicy,
    Refusal,
    Request,
    Sampling,
    Seal,
    SearchResult,
    Segment,
    ServerCall,
    ServerResult,
    Text,
    Tool,
    ToolCall,
    ToolPolicy,
    ToolResult,
)
from llmux.errors import Fault
from tests.dialects.gemini.saying import GEMINI_2, GEMINI_3, USER, contents, exchange, noted, read, written

NATIVE = Seal("gemini", "thought_signature", "QUJD")
FOREIGN = Seal("anthropic", "signature", "sig")
SKIP = "skip_thought_signature_validator"
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
SHOWN = {"inlineData": {"mimeType": "image/png", "data": "AA=="}}


def call(id: str, name: str = "f", args: str = "{}", **more: Any) -> ToolCall:
    """A call."""
    return ToolCall(id, name, args, at=f"/call/{id}", **more)


def result(id: str, text: str = "r", **more: Any) -> ToolResult:
    """Its result."""
    return ToolResult(id, None, (Text(text, at=f"/result/{id}/0"),), at=f"/result/{id}", **more)


def called(id: str, name: str = "f", args: Any = None, **more: Any) -> dict[str, Any]:
    """The part of a call."""
    return {"functionCall": {"id": id, "name": name, "args": args or {}}, **more}


def answered(id: str, text: str = "r", name: str = "f", key: str = "output") -> dict[str, Any]:
    """The part of a result."""
    return {"functionResponse": {"id": id, "name": name, "response": {key: text}}}


class ConversationTests(SynchronousTestCase):
    """Items as contents."""

    def test_roles(self) -> None:
        """Instructions stand apart, neighbours of one role are one content, and nothing is said emptily."""
        body = written(
            Request(
                (
                    Message("system", (Text("Be"),)),
                    Message("developer", (Text("brief"), Text(""))),
                    Message("user", (Text("a"),)),
                    Message("user", (Text(""), Text("b"))),
                    Message("assistant", (Text("c"),)),
                )
            )
        )
        self.assertEqual(body["systemInstruction"], {"parts": [{"text": "Be"}, {"text": "brief"}]})
        self.assertEqual(
            body["contents"],
            [{"role": "user", "parts": [{"text": "a"}, {"text": "b"}]}, {"role": "model", "parts": [{"text": "c"}]}],
        )

    def test_instructions_inside(self) -> None:
        """They stay in their place, in the user's name."""
        context = exchange()
        late = Message("system", (Text("Stop."),), at="/messages/1")
        told = contents(USER, late, context=context)
        reminder = {"text": "<system-reminder>\nStop.\n</system-reminder>"}
        self.assertEqual(told, [{"role": "user", "parts": [{"text": "hi"}, reminder]}])
        self.assertEqual(noted(context), ["approximated /messages/1"])

    def test_nobody_speaks(self) -> None:
        """Instructions alone are said by the user; nothing at all is refused."""
        context = exchange()
        self.assertEqual(
            contents(Message("system", (Text("Go"),), at="/s"), context=context), [{"role": "user", "parts": [{"text": "Go"}]}]
        )
        self.assertEqual(noted(context), ["approximated /s"])
        self.assertEqual(self.assertRaises(Fault, contents, Message("user", (Text(""),))).kind, "invalid")

    def test_results_stand_behind_their_calls(self) -> None:
        """As many as there were calls, in their order, wherever the client said them; other words follow."""
        told = contents(USER, call("a"), call("b", "g"), result("b"), Message("user", (Text("and?"),)), result("a", "A"))
        self.assertEqual(
            told[1:],
            [
                {"role": "model", "parts": [called("a", thoughtSignature=SKIP), called("b", "g")]},
                {"role": "user", "parts": [answered("a", "A"), answered("b", name="g"), {"text": "and?"}]},
            ],
        )

    def test_steps(self) -> None:
        """A call behind a result is a step of its own, also without a word between."""
        told = contents(USER, call("a"), result("a"), call("b"), result("b"))
        self.assertEqual([content["role"] for content in told], ["user", "model", "user", "model", "user"])

    def test_same_id_again(self) -> None:
        """Servers that count their calls anew in every turn are understood."""
        told = contents(USER, call("0"), result("0", "one"), Message("assistant", (Text("x"),)), call("0"), result("0", "two"))
        self.assertEqual(told[2]["parts"], [answered("0", "one")])
        self.assertEqual(told[4]["parts"], [answered("0", "two")])

    def test_orphans(self) -> None:
        """A result without its call, a call without its result, two results: refused at their place, or mended."""
        cases: list[tuple[tuple[Any, ...], str]] = [
            ((USER, result("x")), "/result/x"),
            ((USER, call("x")), "/call/x"),
            ((USER, call("x"), result("x"), result("x", "other")), "/result/x"),
        ]
        for items, pointer in cases:
            fault = self.assertRaises(Fault, contents, *items)
            self.assertEqual((fault.param, fault.code), (pointer, "llmux_untranslatable"))
        context = exchange(options=Options(repair="textify"))
        told = contents(USER, result("x"), call("y"), context=context)
        self.assertEqual(told[0]["parts"], [{"text": "hi"}, {"text": "The result of a tool:"}, {"text": "r"}])
        self.assertEqual(told[1]["parts"], [called("y", thoughtSignature=SKIP)])
        self.assertEqual(told[2]["parts"], [answered("y", "There is no result.", key="error")])
        context = exchange()
        contents(USER, call("x"), result("x"), result("x"), context=context)
        self.assertIn("dropped /result/x", noted(context))

    def test_arguments(self) -> None:
        """They travel as text; what is no object stands inside of one, what is no JSON is refused."""
        for args, expected, notes in (
            ("", {}, []),
            (" \n", {}, ["approximated /call/a"]),
            ('{"n": 12345678901234567890123}', {"n": 12345678901234567890123}, []),
            ("[1]", {"value": [1]}, ["approximated /call/a"]),
            ("null", {"value": None}, ["approximated /call/a"]),
        ):
            context = exchange(GEMINI_2)
            self.assertEqual(
                contents(USER, call("a", args=args), result("a"), context=context)[1]["parts"], [called("a", args=expected)]
            )
            self.assertEqual(noted(context), notes)
        self.assertEqual(self.assertRaises(Fault, contents, USER, call("a", args="{"), result("a")).param, "/call/a")
        custom = ToolCall("a", "f", "raw\ntext", kind="custom")
        self.assertEqual(
            contents(USER, custom, result("a"), context=exchange(GEMINI_2))[1]["parts"],
            [called("a", args={"input": "raw\ntext"})],
        )

    def test_results(self) -> None:
        """A text is output or error, whatever it looks like; an object stays one where it is safe."""
        ref = '{"$ref":"x"}'
        for told, expected in (
            (result("a", '{"a":1}'), {"output": '{"a":1}'}),
            (result("a", ""), {"output": ""}),
            (result("a", "no", is_error=True), {"error": "no"}),
            (result("a", '{"a":1}', form="object"), {"a": 1}),
            (result("a", ref, form="object"), {"output": ref}),
            (result("a", ref), {"output": ref}),
            (ToolResult("a", None, (Text("x"), Text("y")), at="/r"), {"output": "x\ny"}),
        ):
            (part,) = contents(USER, call("a"), told)[2]["parts"]
            self.assertEqual(part["functionResponse"]["response"], expected)

    def test_pictures_in_results(self) -> None:
        """Models that take them get them inside; others behind all results."""
        picture = Media("image", Inline("AA=="), "image/png", at="/p")
        items = (USER, call("a"), call("b"), ToolResult("a", None, (Text("see"), picture), at="/ra"), result("b"))
        told = contents(*items, context=exchange(GEMINI_3))[2]["parts"]
        self.assertEqual(told[0]["functionResponse"]["parts"], [SHOWN])
        context = exchange(GEMINI_2)
        told = contents(*items, context=context)[2]["parts"]
        self.assertEqual(told, [answered("a", "see\n[image: see below]"), answered("b"), SHOWN])
        self.assertEqual(noted(context), ["approximated /p"])

    def test_signatures(self) -> None:
        """Gemini's own go back where they were; others are dropped, and a lost one of a step is vouched for, once."""
        context = exchange()
        told = contents(
            USER,
            call("a", seals=(NATIVE,)),
            call("b"),
            result("a"),
            result("b"),
            call("c", seals=(FOREIGN,)),
            call("d"),
            result("c"),
            result("d"),
            Message("assistant", (Text("done", seals=(NATIVE,)),)),
            context=context,
        )
        self.assertEqual(told[1]["parts"], [called("a", thoughtSignature="QUJD"), called("b")])
        self.assertEqual(told[3]["parts"], [called("c", thoughtSignature=SKIP), called("d")])
        self.assertEqual(told[5]["parts"], [{"text": "done", "thoughtSignature": "QUJD"}])
        self.assertEqual(noted(context), ["dropped /call/c", "invented /contents/3/parts/0/thoughtSignature"])
        self.assertNotIn("thoughtSignature", str(contents(USER, call("c"), result("c"), context=exchange(GEMINI_2))))
        context = exchange()
        seals = (NATIVE, *(msgspec.structs.replace(seal, at=f"/{seal.family}") for seal in (NATIVE, FOREIGN)))
        contents(USER, call("a", seals=seals), result("a"), context=context)
        self.assertEqual(noted(context), ["dropped /anthropic", "dropped /gemini"])

    def test_thoughts(self) -> None:
        """What can be read of them is sent; seals of hidden ones belong to what follows."""
        shown, hidden = Reasoning((Segment("summary", "a"), Segment("full", "b")), at="/t"), Reasoning((), (NATIVE,), at="/h")
        self.assertEqual(contents(USER, shown)[1]["parts"], [{"text": "a\n\nb", "thought": True}])
        signed = msgspec.structs.replace(shown, seals=(NATIVE,))
        self.assertEqual(contents(USER, signed)[1]["parts"], [{"text": "a\n\nb", "thought": True, "thoughtSignature": "QUJD"}])
        self.assertEqual(contents(USER, hidden, call("a"), result("a"))[1]["parts"], [called("a", thoughtSignature="QUJD")])
        words = Message("assistant", (Text("x"),))
        self.assertEqual(contents(USER, hidden, words)[1]["parts"], [{"text": "x", "thoughtSignature": "QUJD"}])
        self.assertEqual(contents(USER, words, hidden, USER)[1]["parts"], [{"text": "x", "thoughtSignature": "QUJD"}])
        alone = {"text": "", "thought": True, "thoughtSignature": "QUJD"}
        self.assertEqual(contents(USER, hidden, USER)[1]["parts"], [alone])
        context = exchange()
        self.assertEqual(len(contents(USER, Reasoning((), (FOREIGN,), at="/x"), context=context)), 1)
        self.assertEqual(noted(context), ["dropped /x"])

    def test_media(self) -> None:
        """Bytes and files that the provider reaches are sent, others refused."""
        for source, mime, expected in (
            (Inline("AA=="), "image/png", SHOWN),
            (Inline("iVBORw0KGgoA"), "", {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgoA"}}),
            (Link("gs://b/x"), "image/png", {"fileData": {"mimeType": "image/png", "fileUri": "gs://b/x"}}),
            (Link("https://youtu.be/x"), "", {"fileData": {"fileUri": "https://youtu.be/x"}}),
            (
                Link("https://host.example/x.PDF"),
                "",
                {"fileData": {"mimeType": "application/pdf", "fileUri": "https://host.example/x.PDF"}},
            ),
            (FileId("gemini", "files/x"), "", {"fileData": {"fileUri": "files/x"}}),
            (PlainText("hi"), "", {"inlineData": {"mimeType": "text/plain", "data": "aGk="}}),
        ):
            (content,) = contents(Message("user", (Media("file", source, mime),)))
            self.assertEqual(content["parts"], [expected])
        for source in (Link("https://host.example/x.png"), FileId("openai", "file-1"), Inline("????")):
            message = Message("user", (Text("x"), Media("image", source, at="/p")))
            self.assertEqual(self.assertRaises(Fault, contents, message).param, "/p")

    def test_how_closely_to_look(self) -> None:
        """Part by part for models that know it; else for all, if they agree."""
        low = Media("image", Inline("AA=="), "image/png", detail="low", at="/a")
        high = msgspec.structs.replace(low, detail="high", at="/b")
        body = written(Request((Message("user", (low, high)),)))
        self.assertEqual(
            [part["mediaResolution"]["level"] for part in body["contents"][0]["parts"]],
            ["MEDIA_RESOLUTION_LOW", "MEDIA_RESOLUTION_HIGH"],
        )
        body = written(Request((Message("user", (low, low)),)), exchange(GEMINI_2))
        self.assertEqual(body["generationConfig"], {"mediaResolution": "MEDIA_RESOLUTION_LOW"})
        context = exchange(GEMINI_2)
        self.assertNotIn("generationConfig", written(Request((Message("user", (low, high)),)), context))
        self.assertEqual(noted(context), ["dropped /a", "dropped /b"])
        context, as_it_is = exchange(), msgspec.structs.replace(low, detail="original")
        body = written(Request((Message("user", (as_it_is,)),)), context)
        self.assertEqual(body["contents"][0]["parts"][0]["mediaResolution"], {"level": "MEDIA_RESOLUTION_ULTRA_HIGH"})
        self.assertEqual(noted(context), ["approximated /a"])

    def test_what_has_no_place(self) -> None:
        """It is noted where the client said it."""
        context = exchange()
        cited = Text("x", (Annotation("url", "https://a.example"),), mark=Mark(at="/c"), at="/t")
        found = SearchResult("https://s.example", "S", (Text("found"),), at="/s")
        contents(Message("user", (cited, found, Refusal("no", "/r")), author="Ann", phase="commentary", at="/m"), context=context)
        self.assertEqual(
            sorted(noted(context)),
            ["approximated /m/phase", "approximated /r", "approximated /s", "dropped /c", "dropped /m/name", "dropped /t"],
        )

    def test_provider_tools(self) -> None:
        """Gemini's own go back as they were, others' are told in words."""
        raw = {"executableCode": {"language": "PYTHON", "code": "1"}}
        own = ServerCall("code", "c", "code_execution", "{}", "gemini", raw)
        search = ServerCall("web_search", "s", "web_search", '{"query":"q"}', "anthropic", {}, at="/s")
        hits = ServerResult("web_search", "s", (Annotation("url", "https://a.example", "A"),), "", "anthropic", {}, at="/h")
        context = exchange()
        told = contents(USER, own, search, hits, context=context)[1]["parts"]
        self.assertEqual(told, [raw, {"text": '[web_search {"query":"q"}]'}, {"text": "A https://a.example"}])
        self.assertEqual(noted(context), ["approximated /s", "approximated /h"])


class OffersTests(SynchronousTestCase):
    """Tools, and the choice among them."""

    def offered(self, *tools: Tool, policy: ToolPolicy | None = None, context: Context | None = None) -> dict[str, Any]:
        """A request that offers tools."""
        where = {"policy": "/tool_choice", "parallel": "/parallel", "max_calls": "/max"}
        return written(Request((USER,), tools, policy=policy or ToolPolicy(), where=where), context)

    def test_functions(self) -> None:
        """All in one object, their schemas untouched; a function without parameters has none."""
        schema = {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "integer"}}}
        body = self.offered(Tool("a", description="d", schema=schema), Tool("b"))
        self.assertEqual(
            body["tools"],
            [{"functionDeclarations": [{"name": "a", "description": "d", "parametersJsonSchema": schema}, {"name": "b"}]}],
        )

    def test_names(self) -> None:
        """Dots and colons are allowed; what is not gets an alias, also in the history and the choice."""
        context = exchange(GEMINI_2)
        tools = (Tool("a.b:c-d", at="/t/0"), Tool("1 x", at="/t/1"))
        items = (USER, call("i", "1 x"), result("i"))
        body = written(Request(items, tools, policy=ToolPolicy("one", ("1 x",), ("function",))), context)
        first, second = (each["name"] for each in body["tools"][0]["functionDeclarations"])
        self.assertEqual(first, "a.b:c-d")
        self.assertRegex(second, r"^_1_x_[0-9a-f]{8}$")
        self.assertEqual(body["contents"][1]["parts"][0]["functionCall"]["name"], second)
        self.assertEqual(body["contents"][2]["parts"][0]["functionResponse"]["name"], second)
        self.assertEqual(body["toolConfig"]["functionCallingConfig"]["allowedFunctionNames"], [second])
        self.assertEqual(noted(context), ["approximated /t/1"])

    def test_twice(self) -> None:
        """The same tool twice is one; two of one name are refused."""
        context = exchange()
        self.assertEqual(
            len(self.offered(Tool("a"), Tool("a", at="/t/1"), context=context)["tools"][0]["functionDeclarations"]), 1
        )
        self.assertEqual(noted(context), ["dropped /t/1"])
        self.assertEqual(self.assertRaises(Fault, self.offered, Tool("a"), Tool("a", description="x", at="/t/1")).param, "/t/1")

    def test_custom(self) -> None:
        """Free text travels in one parameter; the grammar is told in words."""
        grammar = {"type": "grammar", "syntax": "lark", "definition": "start: X"}
        (tool,) = self.offered(Tool("p", "custom", description="Patch", grammar=grammar))["tools"][0]["functionDeclarations"]
        self.assertEqual(tool["parametersJsonSchema"]["required"], ["input"])
        self.assertEqual(tool["description"], "Patch\n\nThe input must match this lark grammar:\nstart: X")

    def test_older_form(self) -> None:
        """Models that know no JSON Schema get the other form, with notes at the client's own fields."""
        schema = {"type": "object", "properties": {"a": {"const": "x"}, "b": {"type": "integer", "multipleOf": 2}}}
        asked = {"tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]}
        context = exchange(options=Options(schema_form="openapi"), asked=asked)
        body = self.offered(Tool("f", schema=schema, at="/tools/0"), Tool("g", schema={"type": "object"}), context=context)
        first, second = body["tools"][0]["functionDeclarations"]
        self.assertEqual(first["parameters"]["properties"], {"a": {"type": "STRING", "enum": ["x"]}, "b": {"type": "INTEGER"}})
        self.assertEqual(second, {"name": "g"})
        self.assertEqual(noted(context), ["dropped /tools/0/function/parameters/properties/b/multipleOf"])

    def test_hosted(self) -> None:
        """Tools of another provider are refused, or mapped where that is asked for."""
        raw = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3, "blocked_domains": ["x.example"]}
        search = Tool("web_search", "hosted", family="web_search", dialect="anthropic", raw=raw, at="/tools/0")
        self.assertEqual(self.assertRaises(Fault, self.offered, search).param, "/tools/0")
        context = exchange(options=Options(hosted_tools="map"))
        self.assertEqual(self.offered(search, context=context)["tools"], [{"googleSearch": {"excludeDomains": ["x.example"]}}])
        self.assertEqual(noted(context), ["approximated /tools/0", "dropped /tools/0/max_uses"])
        own = Tool("googleSearch", "hosted", family="web_search", dialect="gemini", raw={"googleSearch": {}})
        self.assertEqual(self.offered(own)["tools"], [{"googleSearch": {}}])

    def test_choice(self) -> None:
        """Every mode; no switch for calls at once."""
        for policy, expected in (
            (ToolPolicy("auto"), {"mode": "AUTO"}),
            (ToolPolicy("none"), {"mode": "NONE"}),
            (ToolPolicy("required"), {"mode": "ANY"}),
            (ToolPolicy("one", ("a",)), {"mode": "ANY", "allowedFunctionNames": ["a"]}),
            (ToolPolicy("subset_required", ("a", "b")), {"mode": "ANY", "allowedFunctionNames": ["a", "b"]}),
            (ToolPolicy("subset_auto", ("a",)), {"mode": "VALIDATED", "allowedFunctionNames": ["a"]}),
            (ToolPolicy("validated"), {"mode": "VALIDATED"}),
        ):
            self.assertEqual(self.offered(Tool("a"), Tool("b"), policy=policy)["toolConfig"], {"functionCallingConfig": expected})
        context = exchange()
        body = self.offered(Tool("a"), policy=ToolPolicy(parallel=False, max_calls=3), context=context)
        self.assertNotIn("toolConfig", body)
        self.assertEqual(noted(context), ["dropped /parallel", "dropped /max"])
        fault = self.assertRaises(Fault, self.offered, Tool("a"), policy=ToolPolicy("hosted"))
        self.assertEqual(fault.param, "/tool_choice")


class SettingsTests(SynchronousTestCase):
    """`generationConfig`, and what stands beside it."""

    def test_sampling(self) -> None:
        """Everything that the API knows; weights are noted, too many stops refused."""
        sampling = Sampling(9, 0.5, 0.9, 40, 0.1, 0.2, 7, {"1": 2}, 2, ("x",), True, 3)
        context = exchange()
        body = written(Request((USER,), sampling=sampling, where={"logit_bias": "/logit_bias"}), context)
        self.assertEqual(
            body["generationConfig"],
            {
                "temperature": 0.5,
                "topP": 0.9,
                "topK": 40,
                "candidateCount": 2,
                "maxOutputTokens": 9,
                "stopSequences": ["x"],
                "presencePenalty": 0.2,
                "frequencyPenalty": 0.1,
                "seed": 7,
                "responseLogprobs": True,
                "logprobs": 3,
            },
        )
        self.assertEqual(noted(context), ["dropped /logit_bias"])
        many = Request((USER,), sampling=Sampling(stop=tuple("abcdef")), where={"stop": "/stop"})
        self.assertEqual(self.assertRaises(Fault, written, many).param, "/stop")

    def thinking(self, policy: ReasoningPolicy, model: str) -> tuple[dict[str, Any] | None, list[str]]:
        """What a policy becomes for a model, and the notes."""
        context = exchange(model)
        where = {"level": "/level", "budget": "/budget", "enabled": "/enabled", "show": "/show"}
        where = {slot: at for slot, at in where.items() if getattr(policy, slot) is not None}
        config = written(Request((USER,), reasoning=policy, where=where), context).get("generationConfig", {})
        return config.get("thinkingConfig"), noted(context)

    def test_thinking(self) -> None:
        """Level or budget, whichever the model takes."""
        cases: list[tuple[ReasoningPolicy, str, dict[str, Any] | None, list[str]]] = [
            (ReasoningPolicy(), GEMINI_3, None, []),
            (ReasoningPolicy(level="medium"), GEMINI_3, {"thinkingLevel": "MEDIUM"}, []),
            (ReasoningPolicy(level="max"), GEMINI_3, {"thinkingLevel": "HIGH"}, ["approximated /level"]),
            (ReasoningPolicy(level="xhigh"), "gemini-3.8-flash", {"thinkingLevel": "XHIGH"}, []),
            (ReasoningPolicy(level="none"), GEMINI_3, {"thinkingLevel": "MINIMAL"}, ["approximated /level"]),
            (ReasoningPolicy(budget=4096), GEMINI_3, {"thinkingLevel": "MEDIUM"}, ["approximated /budget"]),
            (ReasoningPolicy(level="low", budget=9000), GEMINI_3, {"thinkingLevel": "LOW"}, ["approximated /budget"]),
            (ReasoningPolicy(budget=4096), GEMINI_2, {"thinkingBudget": 4096}, []),
            (ReasoningPolicy(level="low"), GEMINI_2, {"thinkingBudget": 1024}, ["approximated /level"]),
            (ReasoningPolicy(level="max"), GEMINI_2, {"thinkingBudget": 24576}, ["approximated /level"]),
            (ReasoningPolicy(enabled="auto"), GEMINI_2, {"thinkingBudget": -1}, []),
            (ReasoningPolicy(enabled="auto"), GEMINI_3, None, []),
            (ReasoningPolicy(enabled="no", budget=0), GEMINI_2, {"thinkingBudget": 0}, []),
            (ReasoningPolicy(enabled="no"), "gemini-2.5-pro", {"thinkingBudget": 128}, ["approximated /enabled"]),
            (ReasoningPolicy(level="high"), "gemini-2.0-flash", None, ["dropped /level"]),
            (ReasoningPolicy(level="none"), "gemini-2.0-flash", None, []),
            (ReasoningPolicy(level="high"), "some-model", {"thinkingLevel": "HIGH"}, []),
            (ReasoningPolicy(budget=99), "some-model", {"thinkingBudget": 99}, []),
            (ReasoningPolicy(level="low", show="summary"), GEMINI_3, {"thinkingLevel": "LOW", "includeThoughts": True}, []),
            (ReasoningPolicy(level="low", show="none"), GEMINI_3, {"thinkingLevel": "LOW", "includeThoughts": False}, []),
            (
                ReasoningPolicy("between_tools", level="high"),
                GEMINI_2,
                {"thinkingBudget": 0},
                ["approximated /enabled", "dropped /level"],
            ),
        ]
        for policy, model, expected, notes in cases:
            self.assertEqual(self.thinking(policy, model), (expected, notes), (policy, model))

    def test_output(self) -> None:
        """JSON by its type, a schema with it; what a schema is called has no place."""
        where = {
            "format_name": "/name",
            "format_description": "/description",
            "format_strict": "/strict",
            "verbosity": "/verbosity",
        }
        for output, expected in (
            (Output("text"), {"responseMimeType": "text/plain"}),
            (Output("json"), {"responseMimeType": "application/json"}),
            (Output("schema", SCHEMA), {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}),
            (Output(modalities=("text", "image")), {"responseModalities": ["TEXT", "IMAGE"]}),
        ):
            self.assertEqual(written(Request((USER,), output=output))["generationConfig"], expected)
        context = exchange()
        body = written(Request((USER,), output=Output("schema", SCHEMA, "n", "d", False, verbosity="low"), where=where), context)
        self.assertEqual(body["generationConfig"]["responseJsonSchema"], {**SCHEMA, "description": "d"})
        self.assertEqual(
            sorted(noted(context)), ["approximated /description", "approximated /strict", "carried /name", "dropped /verbosity"]
        )
        older = written(Request((USER,), output=Output("schema", SCHEMA)), exchange(options=Options(schema_form="openapi")))
        self.assertEqual(older["generationConfig"]["responseSchema"], {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}})

    def test_envelope(self) -> None:
        """Labels are what Google takes for one; what is left is noted."""
        where = {"metadata": "/metadata", "tier": "/tier", "user": "/user", "key": "/key"}
        context = exchange()
        request = Request(
            (USER,), tier="flex", metadata={"ok": "v-1", "Not ok": "x"}, user="u", caching=Caching("k"), store=False, where=where
        )
        body = written(request, context)
        self.assertEqual((body["serviceTier"], body["labels"], body["store"]), ("flex", {"ok": "v-1"}, False))
        self.assertEqual(noted(context), ["dropped /metadata/Not ok", "dropped /user", "dropped /key"])
        context = exchange()
        self.assertNotIn("serviceTier", written(Request((USER,), tier="fast", where=where), context))
        self.assertEqual(noted(context), ["dropped /tier"])


class SameTests(SynchronousTestCase):
    """A request in the form in which it is written here."""

    def test_there_and_back(self) -> None:
        """What was written is read and written the same; only what the provider is told for its own sake is noted."""
        body = {
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "Look"}, {**SHOWN, "mediaResolution": {"level": "MEDIA_RESOLUTION_HIGH"}}]},
                {
                    "role": "model",
                    "parts": [{"text": "Hm", "thought": True}, called("a", thoughtSignature="QUJD"), called("b", "g")],
                },
                {"role": "user", "parts": [answered("a"), answered("b", "no", "g", "error"), {"text": "And?"}]},
                {"role": "model", "parts": [{"text": "So.", "thoughtSignature": "REVG"}]},
            ],
            "tools": [
                {"functionDeclarations": [{"name": "f", "parametersJsonSchema": SCHEMA}, {"name": "g"}]},
                {"googleSearch": {}},
            ],
            "toolConfig": {
                "functionCallingConfig": {"mode": "VALIDATED", "allowedFunctionNames": ["f"]},
                "includeServerSideToolInvocations": True,
            },
            "generationConfig": {
                "temperature": 1,
                "responseMimeType": "application/json",
                "responseJsonSchema": SCHEMA,
                "thinkingConfig": {"thinkingLevel": "HIGH", "includeThoughts": True},
            },
            "serviceTier": "priority",
            "labels": {"a": "b"},
            "store": True,
        }
        context = exchange()
        self.assertEqual(written(read(body, context), context), body)
        self.assertEqual(noted(context), ["dropped /toolConfig/includeServerSideToolInvocations"])
