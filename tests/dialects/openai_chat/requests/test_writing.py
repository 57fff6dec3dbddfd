"""Tests for the Chat Completions writer of requests."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.context import Context, Options, Target
from llmux.dialects.neutral import (
    Annotation,
    Blocks,
    Caching,
    FileId,
    Inline,
    Item,
    Link,
    Mark,
    Media,
    Message,
    OpaqueItem,
    OpaquePart,
    Output,
    Part,
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
from llmux.dialects.notes import Notes
from llmux.dialects.openai_chat import OPENAI_CHAT
from llmux.dialects.openai_chat.requests import parse, write
from llmux.dialects.seals import Seals
from llmux.dialects.tools import Book
from llmux.errors import Fault
from tests import oracles

USER = Message("user", (Text("Hi"),), at="/messages/0")
CALL = ToolCall("c1", "look", '{"a":1}', 1, at="/messages/1/content/0")
OTHER = ToolCall("c2", "look", '{"a":2}', 1, at="/messages/1/content/1")
PNG = Media("image", Inline("iVBORw0KGgo="), "image/png", at="/p")
LOOK = Tool("look", schema={"type": "object", "properties": {"a": {"type": "integer"}}}, at="/tools/0")


def result(call_id: str, *parts: Part, name: str | None = None, **more: Any) -> ToolResult:
    """What a call gave back, in the next turn."""
    return ToolResult(call_id, name, parts or (Text("grey"),), **{"turn": 2, "at": "/r", **more})


class WriteTests(SynchronousTestCase):
    """A body that the SDK would send."""

    def setUp(self) -> None:
        self.notes = Notes()

    def context(self, request: Request, model: str = "gpt-5.2", **options: Any) -> Context:
        book = Book(OPENAI_CHAT.names, request.tools, request.items)
        target = Target.of(model, Options(**options))
        return Context(notes=self.notes, seals=Seals((b"k",)), book=book, target=target)

    def request(self, request: Request, model: str = "gpt-5.2", **options: Any) -> dict[str, Any]:
        body = write(request, self.context(request, model, **options))
        if "reasoning_effort" not in body or model.startswith("gpt"):
            oracles.chat_request(body)
        return body

    def messages(self, *items: Item, model: str = "gpt-5.2", **options: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.request(Request(items), model, **options)["messages"]
        return found

    def members(self, model: str = "gpt-5.2", **slots: Any) -> dict[str, Any]:
        body = self.request(Request((USER,), **slots), model)
        return {name: value for name, value in body.items() if name not in ("model", "messages")}

    def noted(self) -> list[str]:
        return [f"{note.action} {note.pointer}" for note in self.notes]

    def refused(self, pointer: str, *items: Item, **slots: Any) -> None:
        request = Request(items or (USER,), **slots)
        fault = self.assertRaises(Fault, write, request, self.context(request))
        self.assertEqual((fault.code, fault.param), ("llmux_untranslatable", pointer))

    # messages

    def test_plain(self) -> None:
        """A single text is a string, several are a list, and roles stay what they are."""
        messages = self.messages(
            Message("system", (Text("A"), Text("B"))),
            Message("developer", (Text("C"),)),
            Message("user", (Text("D"),), 1, author="Ada"),
            Message("assistant", (Text("E"),), 2),
            Message("system", (Text("F"),), 3),
            Message("user", (), 4),
        )
        self.assertEqual(
            messages,
            [
                {"role": "system", "content": [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]},
                {"role": "developer", "content": "C"},
                {"role": "user", "name": "Ada", "content": "D"},
                {"role": "assistant", "content": "E"},
                {"role": "system", "content": "F"},
                {"role": "user", "content": ""},
            ],
        )
        self.assertEqual(self.noted(), [])

    def test_turn(self) -> None:
        """One turn of the assistant is one message: what it said, then all its calls."""
        said = Message("assistant", (Text("Let me look."),), 1, at="/messages/1")
        more = Message("assistant", (Text("And there."),), 1, at="/messages/1")
        messages = self.messages(USER, said, CALL, more, OTHER, result("c1"), result("c2"))
        self.assertEqual(
            messages[1:],
            [
                {
                    "role": "assistant",
                    "content": [{"type": "text", "text": "Let me look."}, {"type": "text", "text": "And there."}],
                    "tool_calls": [
                        {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}},
                        {"id": "c2", "type": "function", "function": {"name": "look", "arguments": '{"a":2}'}},
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "grey"},
                {"role": "tool", "tool_call_id": "c2", "content": "grey"},
            ],
        )
        self.assertEqual(self.noted(), ["approximated /messages/1"])

    def test_calls_of_several_items(self) -> None:
        """Calls that stand one behind the other belong to one message, because their results follow it."""
        later = ToolCall("c2", "look", "", 3)
        messages = self.messages(USER, CALL, later, result("c1", turn=4), result("c2", turn=5))
        self.assertEqual([message["role"] for message in messages], ["user", "assistant", "tool", "tool"])
        self.assertIsNone(messages[1]["content"])
        self.assertEqual(messages[1]["tool_calls"][1]["function"]["arguments"], "{}")

    def test_results_first(self) -> None:
        """Results stand directly behind their calls, whatever the user said between them."""
        before, after = Message("user", (Text("a"),), 2), Message("user", (Text("b"),), 2)
        messages = self.messages(USER, CALL, OTHER, before, result("c2"), after, result("c1"))
        self.assertEqual(
            [(message["role"], message.get("tool_call_id")) for message in messages[2:]],
            [("tool", "c2"), ("tool", "c1"), ("user", None)],
        )
        self.assertEqual(messages[-1]["content"], [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])

    def test_system_before_results(self) -> None:
        """A system message between a call and its result stands behind the result."""
        system = Message("system", (Text("s"),), 2, at="/s")
        messages = self.messages(USER, CALL, system, result("c1", turn=3))
        self.assertEqual([message["role"] for message in messages[2:]], ["tool", "system"])
        self.assertEqual(self.noted(), ["approximated /s"])

    def test_errors(self) -> None:
        """An error is told in words that are read back as one."""
        messages = self.messages(
            USER,
            CALL,
            OTHER,
            result("c1", Text("gone"), is_error=True, at="/r1"),
            ToolResult("c2", None, (), True, 2, at="/r2"),
        )
        self.assertEqual([message["content"] for message in messages[2:]], ["[tool error] gone", "[tool error] "])
        self.assertEqual(self.noted(), ["approximated /r1", "approximated /r2"])
        items = parse({"messages": messages}, self.context(Request(()))).items
        self.assertEqual([item.is_error for item in items if isinstance(item, ToolResult)], [True, True])

    def test_images_of_tools(self) -> None:
        """What tools show is shown by the user, behind all results of the turn."""
        messages = self.messages(
            USER, CALL, OTHER, result("c1", Text("see"), PNG), result("c2"), Message("user", (Text("And?"),), 2)
        )
        self.assertEqual(
            messages[2:],
            [
                {
                    "role": "tool",
                    "tool_call_id": "c1",
                    "content": [
                        {"type": "text", "text": "see"},
                        {"type": "text", "text": "[image: see the next user message]"},
                    ],
                },
                {"role": "tool", "tool_call_id": "c2", "content": "grey"},
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}],
                },
                {"role": "user", "content": "And?"},
            ],
        )
        self.assertEqual(self.noted(), ["approximated /p"])

    def test_pairs(self) -> None:
        """Results without a call, calls without a result, and two results for one call."""
        self.refused("/r", USER, result("c9"))
        self.refused(CALL.at, USER, CALL)
        self.refused("/r", USER, CALL, result("c1"), result("c1", Text("other")))
        messages = self.messages(USER, CALL, result("c1"), result("c1"))
        self.assertEqual(len(messages), 3)
        self.assertEqual(self.noted(), ["dropped /r"])

    def test_repaired(self) -> None:
        """Where the configuration says so, they are told in words."""
        messages = self.messages(USER, result("c9", name="look"), CALL, repair="textify")
        self.assertEqual(
            [(message["role"], message["content"]) for message in messages],
            [
                ("user", "Hi"),
                (
                    "user",
                    [{"type": "text", "text": "The result of look:"}, {"type": "text", "text": "grey"}],
                ),
                ("assistant", None),
                ("tool", "[tool error] There is no result."),
            ],
        )

    def test_ids(self) -> None:
        """Ids stay, unless they are too long, strange, or taken."""
        long = ToolCall("x" * 65, "look", "{}", 1)
        messages = self.messages(USER, CALL, result("c1"), long, result("x" * 65), CALL, result("c1"))
        ids = [call["id"] for message in messages for call in message.get("tool_calls", ())]
        self.assertEqual(ids[0], "c1")
        self.assertEqual([id_[:5] for id_ in ids[1:]], ["call_", "call_"])
        self.assertEqual(ids, [message["tool_call_id"] for message in messages if message["role"] == "tool"])
        again = self.messages(USER, CALL, result("c1"), long, result("x" * 65), CALL, result("c1"))
        self.assertEqual(messages, again)

    def test_custom_call(self) -> None:
        """A custom tool stays one."""
        call = ToolCall("c1", "sh", "ls", 1, kind="custom")
        messages = self.messages(USER, call, result("c1"))
        self.assertEqual(messages[1]["tool_calls"], [{"id": "c1", "type": "custom", "custom": {"name": "sh", "input": "ls"}}])

    def test_refusals(self) -> None:
        """A refusal alone is a part, beside a text a member."""
        alone = self.messages(USER, Message("assistant", (Refusal("No."),), 1), Message("user", (Text("?"),), 2))
        self.assertEqual(alone[1], {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]})
        beside = self.messages(USER, Message("assistant", (Text("Hm."), Refusal("No.")), 1), USER)
        self.assertEqual(beside[1], {"role": "assistant", "content": "Hm.", "refusal": "No."})

    def test_prefill(self) -> None:
        """A last word of the model's own is no beginning here."""
        self.messages(USER, Message("assistant", (Text("So"),), 1, at="/last"))
        self.assertEqual(self.noted(), ["approximated /last"])

    def test_servers(self) -> None:
        """What a provider's own tools did is told in words."""
        call = ServerCall("web_search", "s", "web_search", '{"query":"q"}', "anthropic", {}, turn=1, at="/c")
        hit = Annotation("url", "https://x", "X")
        found = ServerResult("web_search", "s", (hit,), "", "anthropic", {}, turn=1, at="/f")
        said = Message("assistant", (Text("So."),), 1)
        messages = self.messages(USER, call, found, said, Message("user", (Text("?"),), 2))
        self.assertEqual([part["text"] for part in messages[1]["content"]], ['[web_search {"query":"q"}]', "X https://x", "So."])
        self.assertEqual(self.noted(), ["approximated /c", "approximated /f"])

    def test_what_has_no_place(self) -> None:
        """Annotations, phases, and what only another dialect knows."""
        cited = Text("a", (Annotation("url", "https://x"),), seals=(Seal("gemini", "thought_signature", "s"),), at="/t")
        self.messages(
            USER,
            Message("assistant", (cited,), 1, phase="commentary", at="/m"),
            OpaqueItem("compaction", {}, "openai-responses", 1, "/o"),
            Message("assistant", (), 2, at="/e"),
            Message("user", (Text("?"),), 3),
        )
        self.assertEqual(self.noted(), ["approximated /m/phase", "dropped /t", "dropped /o", "dropped /e"])

    def test_unknown_parts(self) -> None:
        """What nobody knows is left out, with the message that holds nothing else."""
        opaque = OpaquePart("x", {}, "anthropic", "/x")
        messages = self.messages(USER, Message("user", (opaque,), 1), Message("user", (Text("?"), opaque), 2))
        self.assertEqual([message["content"] for message in messages], ["Hi", "?"])
        self.assertEqual(self.noted(), ["dropped /x"])
        alone = Request((Message("user", (opaque,)),))
        self.assertEqual(self.assertRaises(Fault, write, alone, self.context(alone)).param, "/messages")

    # reasoning and seals

    def test_reasoning(self) -> None:
        """Reasoning goes back to servers that may want it; OpenAI's do not."""
        thought = Reasoning((Segment("summary", "Hm."), Segment("summary", "So.")), turn=1, at="/t")
        said = Message("assistant", (Text("Yes."),), 1)
        question = Message("user", (Text("?"),), 2)
        messages = self.messages(USER, thought, said, question, model="deepseek-chat")
        self.assertEqual(messages[1], {"role": "assistant", "content": "Yes.", "reasoning_content": "Hm.\n\nSo."})
        self.assertEqual(self.noted(), [])
        messages = self.messages(USER, thought, said, question)
        self.assertEqual(messages[1], {"role": "assistant", "content": "Yes."})
        self.assertEqual(self.noted(), ["dropped /t"])

    def test_reasoning_alone(self) -> None:
        """Who only thought said nothing."""
        thought = Reasoning((Segment("summary", "Hm."),), turn=1, at="/t")
        messages = self.messages(USER, thought, Message("user", (Text("?"),), 2), model="deepseek-chat")
        self.assertEqual([message["role"] for message in messages], ["user", "user"])
        self.assertEqual(self.noted(), ["dropped /t"])

    def test_seals(self) -> None:
        """Seals go where their maker stands behind this API, and nowhere else."""
        signed = Reasoning((Segment("summary", "Hm."),), (Seal("anthropic", "signature", "s"),), turn=1, at="/t")
        sealed = ToolCall("c1", "look", "{}", 1, seals=(Seal("gemini", "thought_signature", "g"),), at="/c")
        items = (USER, signed, sealed, result("c1"))
        message = self.messages(*items, model="claude-sonnet-4-5")[1]
        self.assertEqual(message["thinking_blocks"], [{"type": "thinking", "thinking": "Hm.", "signature": "s"}])
        self.assertNotIn("extra_content", message["tool_calls"][0])
        message = self.messages(*items, model="google/gemini-3-pro")[1]
        self.assertEqual(message["tool_calls"][0]["extra_content"], {"google": {"thought_signature": "g"}})
        self.assertNotIn("thinking_blocks", message)
        self.notes = Notes()
        message = self.messages(*items)[1]
        self.assertEqual(set(message), {"role", "content", "tool_calls"})
        self.assertEqual(self.noted(), ["dropped /t", "dropped /c"])

    def test_seals_from_elsewhere(self) -> None:
        """The note says where a seal stood, not what it sealed."""
        seal = Seal("gemini", "thought_signature", "g", "/s")
        said = (Text("a", seals=(seal,), at="/t"), Text("", seals=(msgspec.structs.replace(seal, at="/e"),), at="/t"))
        call = ToolCall("c1", "look", "{}", 1, seals=(msgspec.structs.replace(seal, at="/c"),), at="/t")
        self.messages(USER, Message("assistant", said, 1), call, result("c1"))
        self.assertEqual(self.noted(), ["dropped /s", "dropped /e", "dropped /c"])

    # parts

    def test_media(self) -> None:
        """What a user can show."""
        mark = Mark("5m", "/mark")
        cases: list[tuple[Media, dict[str, Any]]] = [
            (
                Media("image", Link("https://x/y"), detail="high"),
                {"type": "image_url", "image_url": {"url": "https://x/y", "detail": "high"}},
            ),
            (
                Media("image", Inline("/9j/AA=="), mark=mark),
                {
                    "type": "image_url",
                    "image_url": {"url": "data:image/jpeg;base64,/9j/AA=="},
                    "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"},
                },
            ),
            (
                Media("audio", Inline("AA=="), "audio/mpeg"),
                {"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}},
            ),
            (
                Media("file", Inline("JVBERi0="), "application/pdf", "a.pdf"),
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a.pdf"}},
            ),
            (Media("file", FileId("openai", "file-1")), {"type": "file", "file": {"file_id": "file-1"}}),
        ]
        for media, written in cases:
            (message,) = self.messages(Message("user", (media,)))
            self.assertEqual(message["content"], [written])
        self.assertEqual(self.noted(), [])
        self.messages(Message("user", (Media("file", Inline("AA=="), "application/pdf", "a.pdf", "low", at="/f"),)))
        self.assertEqual(self.noted(), ["dropped /f/detail"])

    def test_texts_instead(self) -> None:
        """What the client found, and what a document holds, is told as text; where only texts can stand, plain ones too."""
        plain = Media("file", PlainText("Words."), name="a.txt", context="c", citable=True, at="/d")
        nested = Media("file", Blocks((Text("In."), PNG)), at="/b")
        found = SearchResult("https://x", "X", (Text("Found."),), mark=Mark(at="/mark"), at="/s")
        (message,) = self.messages(Message("user", (plain, nested, found)))
        self.assertEqual(
            message["content"],
            [
                {"type": "file", "file": {"file_data": "data:text/plain;base64,V29yZHMu", "filename": "a.txt"}},
                {"type": "text", "text": "In."},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}},
                {"type": "text", "text": "X\nhttps://x\nFound.", "prompt_cache_breakpoint": {"mode": "explicit"}},
            ],
        )
        self.assertEqual(
            self.noted(),
            ["dropped /d/context", "dropped /d/citations", "approximated /b", "approximated /s"],
        )
        messages = self.messages(USER, CALL, result("c1", Media("file", PlainText("Words."), name="a.txt", at="/d")))
        self.assertEqual(messages[-1]["content"], "a.txt\nWords.")
        self.assertEqual(self.noted()[-1], "approximated /d")

    def test_file_without_name(self) -> None:
        """The API insists on a name."""
        (message,) = self.messages(Message("user", (Media("file", Inline("JVBERi0=")),)))
        self.assertEqual(message["content"][0]["file"]["filename"], "document.pdf")
        self.assertEqual(self.noted(), ["invented /messages"])

    def test_media_refused(self) -> None:
        """What cannot be shown."""
        cases = [
            Media("image", FileId("openai", "file-1"), at="/x"),
            Media("image", FileId("anthropic", "file-1"), at="/x"),
            Media("image", Link("gs://x"), at="/x"),
            Media("image", Inline("AA=="), at="/x"),
            Media("audio", Inline("AA=="), "audio/ogg", at="/x"),
            Media("audio", Link("https://x"), "audio/wav", at="/x"),
            Media("video", Link("https://x"), at="/x"),
            Media("file", Link("https://x/y.pdf"), at="/x"),
        ]
        for media in cases:
            self.refused("/x", Message("user", (media,)))
        self.refused("/p", Message("system", (PNG,)))
        self.refused("/p", USER, Message("assistant", (PNG,), 1))

    # tools

    def test_tools(self) -> None:
        """Functions and custom tools, with all that is said of them."""
        tools = (
            Tool("a", description="A", schema={"type": "object"}, strict=True, examples=({"x": 1},), at="/tools/0"),
            Tool("b", "custom", grammar={"type": "grammar", "syntax": "lark", "definition": "d"}, at="/tools/1"),
            Tool("c.d", deferred=True, output_schema={}, mark=Mark(at="/mark"), at="/tools/2"),
        )
        members = self.members(tools=tools)
        alias = members["tools"][2]["function"]["name"]
        self.assertEqual(
            members["tools"],
            [
                {
                    "type": "function",
                    "function": {
                        "name": "a",
                        "description": 'A\n\nExamples:\n{"x":1}',
                        "parameters": {"type": "object", "properties": {}},
                        "strict": True,
                    },
                },
                {
                    "type": "custom",
                    "custom": {
                        "name": "b",
                        "format": {"type": "grammar", "grammar": {"definition": "d", "syntax": "lark"}},
                    },
                },
                {"type": "function", "function": {"name": alias}},
            ],
        )
        self.assertRegex(alias, r"^c_d_[0-9a-f]{8}$")
        self.assertEqual(self.noted(), ["approximated /tools/0", "approximated /tools/2", "dropped /tools/2", "dropped /mark"])

    def test_same_names(self) -> None:
        """The same tool twice is one; two tools of one name are refused."""
        members = self.members(tools=(LOOK, Tool("look", schema=LOOK.schema, at="/tools/1")))
        self.assertEqual(len(members["tools"]), 1)
        self.assertEqual(self.noted(), ["dropped /tools/1"])
        self.refused("/tools/1", tools=(LOOK, Tool("look", description="Other.", at="/tools/1")))

    def test_choice(self) -> None:
        """Which tools may be called, by the names that the provider knows."""
        custom = Tool("b.c", "custom", at="/tools/1")
        named = {"type": "function", "function": {"name": "look"}}
        cases: list[tuple[ToolPolicy, Any]] = [
            (ToolPolicy("auto"), "auto"),
            (ToolPolicy("none"), "none"),
            (ToolPolicy("required"), "required"),
            (ToolPolicy("validated"), "auto"),
            (ToolPolicy("one", ("look",), ("function",)), named),
            (
                ToolPolicy("subset_auto", ("look",), ("function",)),
                {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [named]}},
            ),
        ]
        for policy, choice in cases:
            members = self.members(tools=(LOOK, custom), policy=policy)
            self.assertEqual(members["tool_choice"], choice)
        members = self.members(tools=(LOOK, custom), policy=ToolPolicy("one", ("b.c",), ("custom",), parallel=False))
        alias = members["tools"][1]["custom"]["name"]
        self.assertEqual(members["tool_choice"], {"type": "custom", "custom": {"name": alias}})
        self.assertIs(members["parallel_tool_calls"], False)

    def test_choice_without_tools(self) -> None:
        """Without tools the API wants no word of how to choose."""
        members = self.members(policy=ToolPolicy("auto", parallel=True, max_calls=3), where={"max_calls": "/max_tool_calls"})
        self.assertEqual(members, {})
        self.assertEqual(self.noted(), ["dropped /max_tool_calls"])

    def test_hosted(self) -> None:
        """Another provider's own tools are refused, or mapped where that is asked for."""
        raw = {
            "type": "web_search",
            "search_context_size": "low",
            "user_location": {"type": "approximate", "city": "Bern"},
        }
        search = Tool("web_search", "hosted", family="web_search", dialect="openai-responses", raw=raw, at="/tools/0")
        self.refused("/tools/0", tools=(search,))
        self.refused("/c", tools=(LOOK,), policy=ToolPolicy("hosted"), where={"policy": "/c"})
        body = self.request(Request((USER,), tools=(search,)), hosted_tools="map")
        self.assertEqual(
            body["web_search_options"],
            {"search_context_size": "low", "user_location": {"type": "approximate", "approximate": {"city": "Bern"}}},
        )
        self.assertNotIn("tools", body)
        self.assertEqual(self.noted(), ["approximated /tools/0"])

    # slots

    def test_stream(self) -> None:
        """Usage is asked for, whether or not the client wants to be told."""
        self.assertEqual(self.request(Request((USER,), stream=True))["stream_options"], {"include_usage": True})
        self.assertNotIn("stream_options", self.request(Request((USER,))))

    def test_sampling(self) -> None:
        """All that the API knows; what it does not, is noted."""
        members = self.members(
            sampling=Sampling(10, 0.5, 0.9, 4, 1, -1, 7, {"1": 2}, 2, ("a", "b"), None, 3), where={"top_k": "/top_k"}
        )
        self.assertEqual(
            members,
            {
                "max_completion_tokens": 10,
                "temperature": 0.5,
                "top_p": 0.9,
                "frequency_penalty": 1,
                "presence_penalty": -1,
                "seed": 7,
                "logit_bias": {"1": 2},
                "n": 2,
                "top_logprobs": 3,
                "logprobs": True,
                "stop": ["a", "b"],
            },
        )
        self.assertEqual(self.noted(), ["dropped /top_k"])
        self.refused("/s", sampling=Sampling(stop=("a", "b", "c", "d", "e")), where={"stop": "/s"})

    def test_effort(self) -> None:
        """Levels as they are, budgets as levels, and nothing for models that do not think."""
        where = {"level": "/l", "budget": "/b", "enabled": "/e", "show": "/s"}
        cases: list[tuple[ReasoningPolicy, str | None, list[str]]] = [
            (ReasoningPolicy(level="xhigh"), "xhigh", []),
            (ReasoningPolicy("yes", budget=4096), "medium", ["approximated /b"]),
            (ReasoningPolicy("auto", show="full"), None, ["dropped /s"]),
            (ReasoningPolicy("no", level="high"), "none", ["dropped /l"]),
            (ReasoningPolicy("between_tools"), "none", ["approximated /e"]),
            (ReasoningPolicy("between_tools", level="high"), "none", ["approximated /e", "dropped /l"]),
        ]
        for policy, effort, notes in cases:
            self.notes = Notes()
            self.assertEqual(self.members(reasoning=policy, where=where).get("reasoning_effort"), effort)
            self.assertEqual(self.noted(), notes)
        self.notes = Notes()
        self.assertEqual(self.members("gpt-4o", reasoning=ReasoningPolicy(level="low"), where=where), {})
        self.assertEqual(self.noted(), ["dropped /l"])

    def test_form(self) -> None:
        """Structured output needs a name."""
        schema = {"type": "object"}
        members = self.members(output=Output("schema", schema, strict=True, verbosity="low"))
        self.assertEqual(
            members,
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "response", "schema": schema, "strict": True},
                },
                "verbosity": "low",
            },
        )
        self.assertEqual(self.noted(), ["invented /response_format/json_schema/name"])
        self.assertEqual(self.members(output=Output("json")), {"response_format": {"type": "json_object"}})
        self.assertEqual(self.members(output=Output("text", modalities=("TEXT",))), {"response_format": {"type": "text"}})
        self.refused("/m", output=Output(modalities=("text", "image")), where={"modalities": "/m"})

    def test_rest(self) -> None:
        """Whose request it is, how urgent, and what is kept of it."""
        members = self.members(user="u", metadata={"a": "b"}, store=True, tier="standard", caching=Caching("k", Mark("1h", "/a")))
        self.assertEqual(
            members,
            {
                "safety_identifier": "u",
                "metadata": {"a": "b"},
                "store": True,
                "prompt_cache_key": "k",
                "service_tier": "default",
                "prompt_cache_options": {"mode": "implicit", "ttl": "30m"},
            },
        )
        self.assertEqual(self.noted(), ["approximated /a/ttl"])
        self.assertRegex(self.members(user="u" * 65)["safety_identifier"], "^[0-9a-f]{64}$")

    def test_marks(self) -> None:
        """The last four marks count, and calls and results take none."""
        marked = [Text(f"{number}", mark=Mark("1h" if number else None, f"/{number}")) for number in range(5)]
        sealed = ToolCall("c1", "look", "{}", 1, mark=Mark(at="/c"))
        messages = self.messages(Message("system", tuple(marked)), USER, sealed, result("c1", mark=Mark("12h", "/r")))
        self.assertNotIn("prompt_cache_breakpoint", messages[0]["content"][0])
        written = [part.get("prompt_cache_breakpoint") for part in messages[0]["content"][1:]]
        self.assertEqual(written, [{"mode": "explicit", "ttl": "30m"}] * 4)
        self.assertEqual(messages[-1]["content"], "grey")
        self.assertEqual(
            self.noted(), ["dropped /c", "dropped /r", "dropped /0", *(f"approximated /{number}/ttl" for number in range(1, 5))]
        )

    def test_identity(self) -> None:
        """What was read from this dialect is written as it was."""
        doc: dict[str, Any] = {
            "model": "gpt-5.2",
            "messages": [
                {"role": "developer", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"n": 1e400}'}},
                        {"id": "c2", "type": "custom", "custom": {"name": "sh", "input": "ls"}},
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "{}"},
                {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "x"}, {"type": "text", "text": "y"}]},
                {"role": "assistant", "content": "Done."},
                {"role": "assistant", "content": "Really."},
                {"role": "user", "content": "Thanks."},
            ],
            "tools": [
                {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}},
                {
                    "type": "custom",
                    "custom": {"name": "sh", "format": {"type": "grammar", "grammar": {"definition": "d", "syntax": "regex"}}},
                },
            ],
            "tool_choice": "auto",
            "temperature": 0.25,
            "reasoning_effort": "low",
        }
        request = parse(doc, self.context(Request(())))
        self.assertEqual(self.request(request), doc)
        self.assertEqual(self.noted(), [])

    def test_strict(self) -> None:
        """On a strict route nothing is dropped without a word."""
        self.notes = Notes(strict=True)
        self.refused("/top_k", sampling=Sampling(top_k=1), where={"top_k": "/top_k"})
