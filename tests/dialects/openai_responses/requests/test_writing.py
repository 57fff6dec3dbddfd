"""Tests for the writer of requests."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.neutral import (
    Annotation,
    Blocks,
    Caching,
    FileId,
    Inline,
    Link,
    Mark,
    Media,
    Message,
    OpaquePart,
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
from tests import oracles
from tests.dialects.openai_responses.saying import written

USER = Message("user", (Text("Hi"),), at="/m/0")
CALL = ToolCall("c1", "f", '{"a":1}', 1, at="/m/1")
RESULT = ToolResult("c1", None, (Text("ok"),), turn=2, at="/m/2")
SCHEMA: dict[str, Any] = {"type": "object", "properties": {}}


def told(*items: Any, **options: Any) -> tuple[list[Any], list[str]]:
    """The items of the body, and the notes."""
    body, notes = written(Request(items), **options)
    return body["input"], notes


class HistoryTests(SynchronousTestCase):
    """A conversation as items."""

    def test_messages(self) -> None:
        """One plain text is a string; several stay several, with what the API gives its own messages. A phase is kept, nobody's
        name is.
        """
        items, notes = told(
            USER,
            Message("assistant", (Text("a"), Text("b")), 1, phase="commentary"),
            Message("user", (Text("c"), Text("d")), 2, author="Ann", at="/m/2"),
            Message("developer", (Text("e"),), 3),
        )
        self.assertEqual(
            items,
            [
                {"type": "message", "role": "user", "content": "Hi"},
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [
                        {"type": "output_text", "text": "a", "annotations": []},
                        {"type": "output_text", "text": "b", "annotations": []},
                    ],
                    "id": "msg_1",
                    "status": "completed",
                    "phase": "commentary",
                },
                {
                    "type": "message",
                    "role": "user",
                    "content": [{"type": "input_text", "text": "c"}, {"type": "input_text", "text": "d"}],
                },
                {"type": "message", "role": "developer", "content": "e"},
            ],
        )
        self.assertEqual(notes, ["dropped /m/2/name"])

    def test_instructions(self) -> None:
        """One plain text at the head; with more to it, or with a mark, it is a developer's message."""
        plain, _ = written(Request((Message("system", (Text("Be brief."),)), USER)))
        self.assertEqual((plain["instructions"], len(plain["input"])), ("Be brief.", 1))
        inside, _ = written(Request((USER, Message("system", (Text("Be brief."),)))))
        self.assertNotIn("instructions", inside)
        self.assertEqual(inside["input"][1]["role"], "system")
        marked, _ = written(Request((Message("system", (Text("Be brief.", mark=Mark("1h", "/s")),)), USER)))
        self.assertEqual(
            marked["input"][0],
            {
                "type": "message",
                "role": "developer",
                "content": [
                    {"type": "input_text", "text": "Be brief.", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}}
                ],
            },
        )
        oracles.response_request(marked)

    def test_calls(self) -> None:
        """Functions and custom tools with their results, in namespaces too; no arguments are an empty object."""
        items, notes = told(
            USER,
            ToolCall("c1", "f", "", 1, namespace="ns"),
            ToolCall("c2", "patch", "*** Begin", 1, kind="custom"),
            ToolResult("c1", None, (), turn=2),
            ToolResult("c2", None, (Text("ok"),), turn=2, kind="custom"),
        )
        self.assertEqual(
            items[1:],
            [
                {"type": "function_call", "call_id": "c1", "namespace": "ns", "name": "f", "arguments": "{}"},
                {"type": "custom_tool_call", "call_id": "c2", "name": "patch", "input": "*** Begin"},
                {"type": "function_call_output", "call_id": "c1", "output": ""},
                {"type": "custom_tool_call_output", "call_id": "c2", "output": "ok"},
            ],
        )
        self.assertEqual(notes, [])

    def test_ids(self) -> None:
        """Ids that are too long or have other letters are digested, the same for both; one that comes again is told apart."""
        for id_ in ("x" * 65, "a.b"):
            items, _ = told(USER, ToolCall(id_, "f", "{}"), ToolResult(id_, None, (Text("r"),)))
            self.assertRegex(items[1]["call_id"], r"^call_[0-9a-f]{24}$")
            self.assertEqual(items[1]["call_id"], items[2]["call_id"])
        items, _ = told(USER, CALL, RESULT, CALL, RESULT)
        self.assertNotEqual(items[1]["call_id"], items[3]["call_id"])
        self.assertEqual([item["call_id"] for item in items[1:3]], ["c1", "c1"])
        self.assertEqual(items[3]["call_id"], items[4]["call_id"])

    def test_alone(self) -> None:
        """A result without a call and a call without a result are refused, or mended."""
        for items, pointer in (((USER, RESULT), "/m/2"), ((USER, CALL), "/m/1")):
            self.assertEqual(self.assertRaises(Fault, told, *items).param, pointer)
        mended, notes = told(USER, RESULT, CALL, USER, repair="textify")
        self.assertEqual(mended[1]["content"][0]["text"], "The result of a tool:")
        self.assertEqual(mended[3]["output"], "[tool error] There is no result.")
        self.assertIn("approximated /m/1", notes)

    def test_results_twice(self) -> None:
        """The same result again is left out, another one refused."""
        items, notes = told(USER, CALL, RESULT, RESULT)
        self.assertEqual((len(items), notes), (3, ["dropped /m/2"]))
        self.assertEqual(
            self.assertRaises(Fault, told, USER, CALL, RESULT, ToolResult("c1", None, (Text("no"),), at="/m/3")).param, "/m/3"
        )

    def test_failures(self) -> None:
        """That a call failed is told in front of its text."""
        picture = Media("image", Inline("AAAA"), "image/png")
        for parts, output in (
            ((Text("gone"),), "[tool error] gone"),
            ((), "[tool error] "),
            (
                (picture,),
                [
                    {"type": "input_text", "text": "[tool error] "},
                    {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,AAAA"},
                ],
            ),
        ):
            items, notes = told(USER, CALL, ToolResult("c1", None, parts, True, at="/m/2"))
            self.assertEqual((items[2]["output"], notes), (output, ["approximated /m/2"]))

    def test_reasoning(self) -> None:
        """OpenAI's own comes back, without ids; another's goes without its seal; none stands before nothing."""
        own = Seal("openai", "encrypted", "gAAA")
        foreign = Seal("anthropic", "signature", "SIG", "/m/1/content/0")
        said = Message("assistant", (Text("Yes."),), 1)
        items, notes = told(
            USER,
            Reasoning((Segment("summary", "s"),), (own,), 1, id="rs_1"),
            Reasoning((Segment("full", "f"),), (foreign,), 1, at="/m/1"),
            Reasoning((), (foreign,), 1, at="/m/1"),
            Reasoning((Segment("full", "bare"),), (), 1, at="/m/2"),
            said,
            USER,
            Reasoning((Segment("summary", "lost"),), (), 3, at="/m/3"),
            USER,
        )
        self.assertEqual(
            items[1:5],
            [
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": "s"}], "encrypted_content": "gAAA"},
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": "f"}]},
                {"type": "reasoning", "summary": [{"type": "summary_text", "text": "bare"}]},
                {"type": "message", "role": "assistant", "content": "Yes."},
            ],
        )
        self.assertEqual(len(items), 7)
        self.assertEqual(notes, ["dropped /m/1/content/0", "dropped /m/3", "approximated /m/2"])

    def test_other_seals(self) -> None:
        """What Gemini seals are calls and texts; nobody else reads that."""
        seal = Seal("gemini", "thought_signature", "G", "/s")
        call = ToolCall("c1", "f", "{}", 1, seals=(seal,), at="/c")
        _, notes = told(
            USER,
            call,
            RESULT,
            Message("assistant", (Text("a", seals=(Seal("gemini", "thought_signature", "H"),), at="/t"),)),
            USER,
        )
        self.assertEqual(notes, ["dropped /s", "dropped /t"])

    def test_provider_tools(self) -> None:
        """What another provider's tools did is told in words, OpenAI's own as it was."""
        hit = Annotation("url", "https://x", "X")
        raw = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}
        items, notes = told(
            USER,
            ServerCall("web_search", "s1", "web_search", '{"query":"q"}', "anthropic", {}, at="/a"),
            ServerResult("web_search", "s1", (hit,), "more", "anthropic", {}, at="/b"),
            ServerCall("web_search", "ws_1", "web_search", "{}", "openai-responses", raw),
            ServerResult("web_search", "ws_1", (hit,), "", "openai-responses", None),
            USER,
        )
        self.assertEqual([item.get("content") for item in items[1:3]], ['[web_search {"query":"q"}]', "X https://x\nmore"])
        self.assertEqual(items[3], raw)
        self.assertEqual((len(items), notes), (5, ["approximated /a", "approximated /b"]))

    def test_last_words(self) -> None:
        """The API does not go on where the model's last words ended."""
        self.assertEqual(told(USER, Message("assistant", (Text("Once"),), at="/m/1"))[1], ["approximated /m/1"])

    def test_marks(self) -> None:
        """The last four, on what the client says; elsewhere there is no place for them."""
        marked = [Message("user", (Text(str(number), mark=Mark(None, f"/k/{number}")),), number) for number in range(5)]
        said = Message("assistant", (Text("a", mark=Mark(None, "/a")),), 9)
        call = ToolCall("c1", "f", "{}", 9, mark=Mark(None, "/b"))
        result = ToolResult("c1", None, (Text("r"),), mark=Mark("12h", "/r"))
        items, notes = told(*marked, said, call, result)
        self.assertEqual([isinstance(item.get("content"), list) for item in items[:5]], [True] * 5)
        self.assertNotIn("prompt_cache_breakpoint", items[1]["content"][0])
        self.assertEqual(items[4]["content"][0]["prompt_cache_breakpoint"], {"mode": "explicit"})
        self.assertEqual(items[7]["output"][0]["prompt_cache_breakpoint"], {"mode": "explicit", "ttl": "12h"})
        self.assertEqual(notes, ["dropped /a", "dropped /b", "dropped /k/0", "dropped /k/1"])


class ContentTests(SynchronousTestCase):
    """Parts."""

    def part(self, part: Any) -> Any:
        content = told(Message("user", (Text("x"), part)))[0][0]["content"]
        return content[1] if len(content) > 1 else None

    def test_media(self) -> None:
        """Images and files in every form in which the API takes them."""
        cases: list[tuple[Any, dict[str, Any]]] = [
            (
                Media("image", Link("https://x/y"), detail="low"),
                {"type": "input_image", "detail": "low", "image_url": "https://x/y"},
            ),
            (
                Media("image", Inline("AAAA"), "image/gif"),
                {"type": "input_image", "detail": "auto", "image_url": "data:image/gif;base64,AAAA"},
            ),
            (Media("image", FileId("openai", "f1")), {"type": "input_image", "detail": "auto", "file_id": "f1"}),
            (
                Media("file", Inline("AAAA"), "application/pdf"),
                {"type": "input_file", "file_data": "data:application/pdf;base64,AAAA", "filename": "document.pdf"},
            ),
            (
                Media("file", PlainText("Hi"), "text/plain", "a.txt"),
                {"type": "input_file", "file_data": "data:text/plain;base64,SGk=", "filename": "a.txt"},
            ),
            (Media("file", Link("https://x/y"), name="y"), {"type": "input_file", "file_url": "https://x/y"}),
            (Media("file", FileId("openai", "f1")), {"type": "input_file", "file_id": "f1"}),
            (SearchResult("https://x", "X", (Text("found"),)), {"type": "input_text", "text": "X\nhttps://x\nfound"}),
        ]
        for part, node in cases:
            self.assertEqual(self.part(part), node)

    def test_documents_of_parts(self) -> None:
        """Texts and pictures stand where the document stood, in their order; the mark ends the last of them."""
        picture = Media("image", Inline("AAAA"), "image/png")
        document = Media("file", Blocks((Text("a"), picture, Text("b"))), name="t", context="c", mark=Mark(None, "/k"), at="/p")
        items, notes = told(Message("user", (Text("x"), document, Text("y"))))
        shown = {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,AAAA"}
        texts = [{"type": "input_text", "text": text} for text in ("x", "t", "a", "b", "y")]
        texts[3]["prompt_cache_breakpoint"] = {"mode": "explicit"}  # type: ignore[assignment]
        self.assertEqual(items[0]["content"], [*texts[:3], shown, *texts[3:]])
        self.assertEqual(notes, ["approximated /p", "dropped /p/context"])

    def test_refused(self) -> None:
        """Sounds, films, and files that another provider keeps."""
        cases = [
            Media("audio", Inline("AAAA"), "audio/wav", at="/p"),
            Media("video", Link("https://x"), at="/p"),
            Media("file", FileId("anthropic", "f1"), at="/p"),
            Media("image", Link("gs://x/y"), at="/p"),
        ]
        for part in cases:
            self.assertEqual(self.assertRaises(Fault, self.part, part).param, "/p")

    def test_noted(self) -> None:
        """What a part says beside, and parts that nobody knows; a message of nothing else goes."""
        document = Media("file", Inline("AAAA"), "application/pdf", context="c", at="/p")
        items, notes = told(USER, Message("user", (OpaquePart("hologram", {}, "gemini", "/h"),)), Message("user", (document,)))
        self.assertEqual((len(items), notes), (2, ["dropped /h", "dropped /p/context", "invented /input"]))

    def test_said(self) -> None:
        """What the model said: refusals, and citations of pages."""
        cited = Annotation("url", "https://x", "X", start=0, end=2)
        located = Annotation("char_location", dialect="anthropic", raw={})
        items, notes = told(USER, Message("assistant", (Text("abc", (cited, located), at="/t"), Refusal("No.")), 1), USER)
        citation = {"type": "url_citation", "url": "https://x", "title": "X", "start_index": 0, "end_index": 2}
        self.assertEqual(
            items[1]["content"],
            [{"type": "output_text", "text": "abc", "annotations": [citation]}, {"type": "refusal", "refusal": "No."}],
        )
        self.assertEqual(notes, ["dropped /t"])


class SettingTests(SynchronousTestCase):
    """The body around the conversation."""

    def body(self, model: str = "gpt-5.1", **slots: Any) -> tuple[dict[str, Any], list[str]]:
        where = {
            name: f"/{name}"
            for name in (
                *("stop", "seed", "top_k", "n", "budget", "level", "enabled", "show", "user", "modalities", "top_logprobs"),
            )
        }
        body, notes = written(Request((USER,), where=where, **slots), model)
        del body["model"], body["input"]
        oracles.response_request({"model": "m", "input": "x", **body})
        return body, notes

    def test_least(self) -> None:
        """Nothing is kept by the provider."""
        self.assertEqual(self.body(), ({"store": False}, []))
        self.assertEqual(self.body(store=True)[0], {"store": True})

    def test_sampling(self) -> None:
        """What the API takes; what it does not is noted, and several answers are refused."""
        slots = Sampling(9, 0.5, 0.9, 4, seed=1, stop=("x",), logprobs=True, top_logprobs=2, n=1)
        body, notes = self.body(sampling=slots)
        self.assertEqual(
            body,
            {
                "max_output_tokens": 9,
                "temperature": 0.5,
                "top_p": 0.9,
                "top_logprobs": 2,
                "include": ["message.output_text.logprobs"],
                "store": False,
            },
        )
        self.assertEqual(notes, ["dropped /top_k", "dropped /seed", "dropped /stop"])
        self.assertEqual(self.body(sampling=Sampling(top_logprobs=2))[1], ["dropped /top_logprobs"])
        self.assertEqual(self.assertRaises(Fault, self.body, sampling=Sampling(n=2)).param, "/n")

    def test_reasoning(self) -> None:
        """By level or by budget; seals are asked for where there is something to seal."""
        sealed = ["reasoning.encrypted_content"]
        cases: list[tuple[ReasoningPolicy, dict[str, Any] | None, list[str] | None, list[str]]] = [
            (ReasoningPolicy(), None, None, []),
            (ReasoningPolicy(level="minimal"), {"effort": "minimal"}, sealed, []),
            (ReasoningPolicy(level="none", show="summary"), {"effort": "none"}, None, []),
            (ReasoningPolicy("no", show="none"), {"effort": "none"}, None, []),
            (ReasoningPolicy("no", level="high"), {"effort": "none"}, None, ["dropped /level"]),
            (
                ReasoningPolicy("between_tools", level="high"),
                {"effort": "none"},
                None,
                ["approximated /enabled", "dropped /level"],
            ),
            (ReasoningPolicy("auto", show="full"), {"summary": "auto"}, sealed, []),
            (
                ReasoningPolicy(level="high", show="summary", detail="detailed"),
                {"effort": "high", "summary": "detailed"},
                sealed,
                [],
            ),
            (
                ReasoningPolicy("yes", budget=4096, show="full"),
                {"effort": "medium", "summary": "auto"},
                sealed,
                ["approximated /budget"],
            ),
            (ReasoningPolicy("yes", "low", 4096), {"effort": "low"}, sealed, ["approximated /budget"]),
        ]
        for policy, reasoning, include, noted in cases:
            body, notes = self.body(reasoning=policy)
            self.assertEqual((body.get("reasoning"), body.get("include"), notes), (reasoning, include, noted), policy)

    def test_models_that_do_not_think(self) -> None:
        """They are not asked to; of an unknown one seals are not expected."""
        self.assertEqual(self.body("gpt-4o", reasoning=ReasoningPolicy(level="high")), ({"store": False}, ["dropped /level"]))
        self.assertEqual(self.body("gpt-4o", reasoning=ReasoningPolicy(level="none")), ({"store": False}, []))
        self.assertEqual(
            self.body("mistral", reasoning=ReasoningPolicy(level="high"))[0], {"reasoning": {"effort": "high"}, "store": False}
        )

    def test_output(self) -> None:
        """Forms, and a name for one that has none; other media than text are refused."""
        schema = {"type": "object"}
        cases: list[tuple[Output, dict[str, Any], list[str]]] = [
            (Output("text"), {"format": {"type": "text"}}, []),
            (Output("json", verbosity="low"), {"format": {"type": "json_object"}, "verbosity": "low"}, []),
            (
                Output("schema", schema, "n", "d", True),
                {"format": {"type": "json_schema", "name": "n", "schema": schema, "description": "d", "strict": True}},
                [],
            ),
            (
                Output("schema", schema),
                {"format": {"type": "json_schema", "name": "response", "schema": schema}},
                ["invented /text/format/name"],
            ),
        ]
        for output, text, noted in cases:
            body, notes = self.body(output=output)
            self.assertEqual((body["text"], notes), (text, noted))
        self.assertEqual(self.body(output=Output(modalities=("text",)))[1], [])
        self.assertEqual(self.assertRaises(Fault, self.body, output=Output(modalities=("audio",))).param, "/modalities")

    def test_the_rest(self) -> None:
        """Caches, tiers, users, metadata, limits of calls."""
        body, notes = self.body(
            caching=Caching("k", Mark("30m", "/c")),
            tier="standard",
            user="u" * 65,
            metadata={"a": "b"},
            policy=ToolPolicy(parallel=False, max_calls=2),
        )
        self.assertEqual(
            {name: value for name, value in body.items() if name != "user"},
            {
                "parallel_tool_calls": False,
                "max_tool_calls": 2,
                "prompt_cache_key": "k",
                "prompt_cache_options": {"mode": "implicit", "ttl": "30m"},
                "service_tier": "default",
                "metadata": {"a": "b"},
                "store": False,
            },
        )
        self.assertRegex(body["user"], "^[0-9a-f]{64}$")
        self.assertEqual(notes, ["approximated /user"])


class ToolTests(SynchronousTestCase):
    """What is offered, and which of it may be called."""

    def tools(self, *tools: Tool, **options: Any) -> tuple[list[Any], list[str]]:
        body, notes = written(Request((USER,), tools), **options)
        oracles.response_request(body)
        return body.get("tools", []), notes

    def test_functions(self) -> None:
        """Both members that the API insists on, and examples in words."""
        tools, notes = self.tools(
            Tool("f", at="/t/0"),
            Tool("g", description="d", schema=SCHEMA, strict=True, examples=({"a": 1},), mark=Mark(None, "/m"), at="/t/1"),
        )
        self.assertEqual(
            tools,
            [
                {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": False},
                {
                    "type": "function",
                    "name": "g",
                    "description": 'd\n\nExamples of arguments:\n{"a":1}',
                    "parameters": SCHEMA,
                    "strict": True,
                },
            ],
        )
        self.assertEqual(notes, ["approximated /t/1/input_examples", "dropped /m"])

    def test_customs_and_namespaces(self) -> None:
        """The API knows both; the tools of a namespace stand together."""
        grammar = {"type": "grammar", "syntax": "lark", "definition": "x"}
        tools, notes = self.tools(
            Tool("a", namespace="ns", schema=SCHEMA),
            Tool("patch", "custom", description="d", grammar=grammar),
            Tool("b", "custom", namespace="ns"),
        )
        self.assertEqual(tools[1], {"type": "custom", "name": "patch", "description": "d", "format": grammar})
        self.assertEqual((tools[0]["type"], [tool["name"] for tool in tools[0]["tools"]]), ("namespace", ["a", "b"]))
        self.assertEqual(notes, [])

    def test_names(self) -> None:
        """Names that the API refuses get another, everywhere the same."""
        name = "weather.now"
        request = Request(
            (USER, ToolCall("c1", name, "{}", 1), RESULT),
            (Tool(name, schema=SCHEMA, at="/t"),),
            policy=ToolPolicy("one", (name,), ("function",)),
        )
        body, notes = written(request)
        alias = body["tools"][0]["name"]
        self.assertRegex(alias, r"^weather_now_[0-9a-f]{8}$")
        self.assertEqual((body["input"][1]["name"], body["tool_choice"]), (alias, {"type": "function", "name": alias}))
        self.assertEqual(notes, ["approximated /t"])

    def test_twice(self) -> None:
        """The same tool twice is one, two of one name are refused."""
        self.assertEqual(len(self.tools(Tool("f", schema=SCHEMA), Tool("f", schema=SCHEMA, at="/t"))[0]), 1)
        self.assertEqual(self.assertRaises(Fault, self.tools, Tool("f"), Tool("f", description="d", at="/t")).param, "/t")

    def test_hosted(self) -> None:
        """Another provider's own tools are refused, unless they shall be mapped; what has no counterpart always."""
        raw = {"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["x.org"], "max_uses": 3}
        raw["user_location"] = {"type": "approximate", "city": "Oslo"}
        search = Tool("web_search", "hosted", family="web_search", dialect="anthropic", raw=raw, at="/t")
        self.assertEqual(self.assertRaises(Fault, self.tools, search).param, "/t")
        tools, notes = self.tools(search, hosted_tools="map")
        self.assertEqual(
            tools,
            [
                {
                    "type": "web_search",
                    "filters": {"allowed_domains": ["x.org"]},
                    "user_location": {"type": "approximate", "city": "Oslo"},
                }
            ],
        )
        self.assertEqual(notes, ["approximated /t", "dropped /t/max_uses"])
        chat = {"search_context_size": "low", "user_location": {"type": "approximate", "approximate": {"country": "NO"}}}
        mapped, _ = self.tools(
            Tool("web_search", "hosted", family="web_search", dialect="openai-chat", raw=chat), hosted_tools="map"
        )
        self.assertEqual(
            mapped,
            [{"type": "web_search", "user_location": {"type": "approximate", "country": "NO"}, "search_context_size": "low"}],
        )
        other = Tool("bash", "hosted", dialect="anthropic", raw={}, at="/t")
        self.assertEqual(self.assertRaises(Fault, self.tools, other, hosted_tools="map").param, "/t")
        own = {"type": "mcp", "server_label": "l", "server_url": "https://x"}
        self.assertEqual(self.tools(Tool("mcp", "hosted", family="mcp", dialect="openai-responses", raw=own))[0], [own])

    def test_choice(self) -> None:
        """Every way to choose."""
        names, kinds = ("f", "p"), ("function", "custom")
        listed = [{"type": "function", "name": "f"}, {"type": "custom", "name": "p"}]
        cases: list[tuple[ToolPolicy, Any]] = [
            (ToolPolicy("auto"), "auto"),
            (ToolPolicy("required"), "required"),
            (ToolPolicy("validated", names, kinds), "auto"),  # type: ignore[arg-type]  # both are kinds
            (ToolPolicy("one", ("p",), ("custom",)), {"type": "custom", "name": "p"}),
            (ToolPolicy("subset_auto", names, kinds), {"type": "allowed_tools", "mode": "auto", "tools": listed}),  # type: ignore[arg-type]
            (ToolPolicy("subset_required", names, kinds), {"type": "allowed_tools", "mode": "required", "tools": listed}),  # type: ignore[arg-type]
        ]
        tools = (Tool("f"), Tool("p", "custom"))
        for policy, choice in cases:
            body, _ = written(Request((USER,), tools, policy=policy))
            self.assertEqual(body["tool_choice"], choice)
        hosted = Request((USER,), tools, policy=ToolPolicy("hosted", ("web_search",), raw={}), where={"policy": "/c"})
        self.assertEqual(self.assertRaises(Fault, written, hosted).param, "/c")
