"""Tests for the Chat Completions reader of requests."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.context import Context
from llmux.dialects.neutral import (
    Annotation,
    Caching,
    FileId,
    Inline,
    Item,
    Link,
    Mark,
    Media,
    Message,
    OpaquePart,
    Output,
    Reasoning,
    ReasoningPolicy,
    Refusal,
    Request,
    Sampling,
    Seal,
    Segment,
    Text,
    Tool,
    ToolCall,
    ToolPolicy,
    ToolResult,
)
from llmux.dialects.notes import Notes
from llmux.dialects.openai_chat.requests import parse
from llmux.dialects.seals import Seals
from llmux.errors import Fault

USER: dict[str, Any] = {"role": "user", "content": "x"}
CONTENT = "/messages/0/content"


class ParseTests(SynchronousTestCase):
    """A request as items and slots."""

    def setUp(self) -> None:
        self.notes = Notes()
        self.seals = Seals((b"k",))

    def parse(self, *messages: dict[str, Any], **more: Any) -> Request:
        doc = {"model": "m", "messages": list(messages or (USER,)), **more}
        return parse(doc, Context(notes=self.notes, seals=self.seals))

    def items(self, *messages: dict[str, Any]) -> tuple[Item, ...]:
        return self.parse(*messages).items

    def noted(self) -> list[str]:
        return [f"{note.action} {note.pointer}" for note in self.notes]

    def refused(self, pointer: str, *messages: dict[str, Any], **more: Any) -> Fault:
        fault = self.assertRaises(Fault, self.parse, *messages, **more)
        self.assertEqual((fault.kind, fault.param), ("invalid", pointer))
        assert isinstance(fault, Fault)
        return fault

    # messages

    def test_conversation(self) -> None:
        """Messages, parts, calls and results keep their order, their turn and their pointer."""
        image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}}
        call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}}
        items = self.items(
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "name": "Ada", "content": [{"type": "text", "text": "And this?"}, image]},
            {"role": "assistant", "content": None, "reasoning_content": "Hm.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "grey"},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
            {"role": "assistant", "content": "Well.", "refusal": "No."},
            {"role": "user"},
        )
        self.assertEqual(
            items,
            (
                Message("developer", (Text("Be brief.", at="/messages/0/content"),), 0, at="/messages/0"),
                Message(
                    "user",
                    (
                        Text("And this?", at="/messages/1/content/0"),
                        Media("image", Inline("AA=="), "image/png", detail="low", at="/messages/1/content/1"),
                    ),
                    1,
                    author="Ada",
                    at="/messages/1",
                ),
                Reasoning((Segment("summary", "Hm."),), turn=2, at="/messages/2/reasoning_content"),
                ToolCall("c1", "look", '{"a":1}', 2, at="/messages/2/tool_calls/0"),
                ToolResult("c1", None, (Text("grey", at="/messages/3/content"),), turn=3, at="/messages/3"),
                Message("assistant", (Refusal("No.", "/messages/4/content/0"),), 4, at="/messages/4"),
                Message(
                    "assistant",
                    (Text("Well.", at="/messages/5/content"), Refusal("No.", "/messages/5/refusal")),
                    5,
                    at="/messages/5",
                ),
                Message("user", (), 6, at="/messages/6"),
            ),
        )
        self.assertEqual(self.noted(), [])

    def test_empty_text_beside_calls(self) -> None:
        """Beside calls an empty text is none, and nulls that SDKs send back say nothing."""
        call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
        nulls: dict[str, Any] = {"refusal": None, "audio": None, "function_call": None, "annotations": []}
        (item,) = self.items({"role": "assistant", "content": "", "tool_calls": [call], **nulls})
        self.assertEqual(item, ToolCall("c", "f", "", at="/messages/0/tool_calls/0"))
        self.assertEqual(self.noted(), [])

    def test_legacy_calls(self) -> None:
        """Calls of the older API get ids that are the same every time, and results find them by name."""
        messages: list[dict[str, Any]] = [
            {"role": "assistant", "content": None, "function_call": {"name": "old", "arguments": "{}"}},
            {"role": "function", "name": "old", "content": "ok"},
            {"role": "assistant", "function_call": {"name": "old", "arguments": "{}"}},
            {"role": "function", "name": "old", "content": "again"},
        ]
        first = self.items(*messages)
        self.assertEqual(first, self.items(*messages))
        calls = [item.call_id for item in first if isinstance(item, ToolCall)]
        results = [item.call_id for item in first if isinstance(item, ToolResult)]
        self.assertEqual(calls, results)
        self.assertEqual(len(set(calls)), 2)

    def test_custom_call(self) -> None:
        """A custom tool's input is its arguments."""
        call = {"id": "c", "type": "custom", "custom": {"name": "sh", "input": "ls"}}
        (item,) = self.items({"role": "assistant", "tool_calls": [call]})
        self.assertEqual(item, ToolCall("c", "sh", "ls", kind="custom", at="/messages/0/tool_calls/0"))

    def test_error_results(self) -> None:
        """A result that begins as our errors do is one."""
        call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        cases: list[tuple[Any, tuple[Text, ...]]] = [
            ("[tool error] gone", (Text("gone", at="/messages/1/content"),)),
            ("[tool error] ", (Text("", at="/messages/1/content"),)),
            (
                [{"type": "text", "text": "[tool error] "}, {"type": "text", "text": "gone"}],
                (Text("gone", at="/messages/1/content/1"),),
            ),
        ]
        for content, parts in cases:
            result = self.items(
                {"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c", "content": content}
            )[1]
            assert isinstance(result, ToolResult)
            self.assertEqual((result.is_error, result.parts), (True, parts))

    def test_results_without_content(self) -> None:
        """A result may be empty."""
        call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        contents: tuple[Any, ...] = ("", [], None)
        for content in contents:
            result = self.items(
                {"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c", "content": content}
            )[1]
            assert isinstance(result, ToolResult)
            self.assertEqual("".join(part.text for part in result.parts if isinstance(part, Text)), "")

    # parts

    def test_media(self) -> None:
        """Each kind of media, by value, by address and by id."""
        pdf = "JVBERi0xLjQ="
        cases: list[tuple[dict[str, Any], Media]] = [
            (
                {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
                Media("image", Link("https://x/y.png"), at=f"{CONTENT}/0"),
            ),
            (
                {"type": "image_url", "image_url": f"data:application/pdf;base64,{pdf}"},
                Media("file", Inline(pdf), "application/pdf", at=f"{CONTENT}/0"),
            ),
            (
                {"type": "image_url", "image_url": {"url": "data:image/svg+xml,%3Csvg/%3E"}},
                Media("image", Inline("PHN2Zy8+"), "image/svg+xml", at=f"{CONTENT}/0"),
            ),
            (
                {"type": "input_audio", "input_audio": {"data": "AA==", "format": "mp3"}},
                Media("audio", Inline("AA=="), "audio/mpeg", at=f"{CONTENT}/0"),
            ),
            (
                {"type": "video_url", "video_url": {"url": "https://x/y.mp4"}},
                Media("video", Link("https://x/y.mp4"), at=f"{CONTENT}/0"),
            ),
            (
                {"type": "file", "file": {"file_data": pdf, "filename": "a.pdf"}},
                Media("file", Inline(pdf), "application/pdf", "a.pdf", at=f"{CONTENT}/0"),
            ),
            (
                {"type": "file", "file": {"file_data": "data:text/csv;base64,YQ==", "filename": "a.csv"}},
                Media("file", Inline("YQ=="), "text/csv", "a.csv", at=f"{CONTENT}/0"),
            ),
            (
                {"type": "file", "file": {"file_id": "file-1"}},
                Media("file", FileId("openai", "file-1"), at=f"{CONTENT}/0"),
            ),
        ]
        for node, media in cases:
            (item,) = self.items({"role": "user", "content": [node]})
            assert isinstance(item, Message)
            self.assertEqual(item.parts, (media,))
        self.assertEqual(self.noted(), [])

    def test_unknown_part(self) -> None:
        """What nobody knows is kept as it is, for whoever writes it to judge."""
        node = {"type": "hologram", "hologram": {}}
        (item,) = self.items({"role": "user", "content": [node]})
        assert isinstance(item, Message)
        self.assertEqual(item.parts, (OpaquePart("hologram", node, "openai-chat", f"{CONTENT}/0"),))

    def test_marks(self) -> None:
        """Marks are this API's own, or Anthropic's, also on a message as a whole."""
        own = {"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "12h"}}
        other = {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}}
        items = self.items(
            {"role": "user", "content": [own, other]},
            {"role": "user", "content": "c", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        )
        marks = [part.mark for item in items if isinstance(item, Message) for part in item.parts if isinstance(part, Text)]
        self.assertEqual(
            marks,
            [
                Mark("12h", f"{CONTENT}/0/prompt_cache_breakpoint"),
                Mark(None, f"{CONTENT}/1/cache_control"),
                Mark("1h", "/messages/1/cache_control"),
            ],
        )

    def test_annotations(self) -> None:
        """Clients send back what was cited."""
        cited = {"type": "url_citation", "url_citation": {"url": "https://x", "title": "X", "start_index": 1, "end_index": 2}}
        (item,) = self.items({"role": "assistant", "content": "abc", "annotations": [cited]})
        assert isinstance(item, Message) and isinstance(item.parts[0], Text)
        annotation = Annotation("url", "https://x", "X", start=1, end=2, dialect="openai-chat", raw=cited)
        self.assertEqual(item.parts[0].annotations, (annotation,))

    # reasoning and seals

    def test_reasoning_words(self) -> None:
        """All the members in which servers tell of reasoning; what stands in several is read once."""
        blocks = [{"type": "thinking", "thinking": "Hm.", "signature": "s"}, {"type": "redacted_thinking", "data": "r"}]
        details = [
            {"type": "reasoning.text", "text": "H", "format": "anthropic-claude-v1"},
            {"type": "reasoning.text", "text": "m.", "signature": "s", "format": "anthropic-claude-v1"},
            {"type": "reasoning.summary", "summary": "So."},
            {"type": "reasoning.encrypted", "data": "e", "format": "openai-responses-v1"},
        ]
        signature, redacted = Seal("anthropic", "signature", "s"), Seal("anthropic", "redacted", "r")
        encrypted = Seal("openai", "encrypted", "e")
        cases: list[tuple[dict[str, Any], list[tuple[tuple[Segment, ...], tuple[Seal, ...]]]]] = [
            ({"reasoning": "Hm."}, [((Segment("summary", "Hm."),), ())]),
            ({"reasoning": "Hm.", "reasoning_content": "Hm."}, [((Segment("summary", "Hm."),), ())]),
            (
                {"reasoning_content": "Hm.", "thinking_blocks": blocks},
                [((Segment("summary", "Hm."),), (signature,)), ((), (redacted,))],
            ),
            (
                {"reasoning": "Hm.So.", "reasoning_details": details},
                [((Segment("summary", "Hm."),), (signature,)), ((Segment("summary", "So."),), (encrypted,))],
            ),
        ]
        for members, expected in cases:
            items = self.items({"role": "assistant", "content": "x", **members})
            told = [(item.segments, item.seals) for item in items if isinstance(item, Reasoning)]
            self.assertEqual(told, expected)

    def test_envelopes(self) -> None:
        """A foreign seal comes back out of its envelope, unless the text beside it was changed."""
        seal = Seal("openai", "encrypted", "e")
        block = {"type": "thinking", "thinking": "Hm.", "signature": self.seals.wrap(seal, "Hm.")}
        thought = self.items({"role": "assistant", "content": "x", "thinking_blocks": [block]})[0]
        assert isinstance(thought, Reasoning)
        self.assertEqual(thought.seals, (seal,))
        changed = {**block, "thinking": "Hmm."}
        thought = self.items({"role": "assistant", "content": "x", "thinking_blocks": [changed]})[0]
        assert isinstance(thought, Reasoning)
        self.assertEqual(thought.seals, ())
        self.assertEqual(self.noted(), ["dropped /messages/0/thinking_blocks/0/signature"])

    def test_google_seals(self) -> None:
        """Google's compatible API puts a seal on a call, or on the message; others name the call."""
        seal = Seal("gemini", "thought_signature", "c2ln")
        extra = {"google": {"thought_signature": "c2ln"}}
        call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        (item,) = self.items({"role": "assistant", "tool_calls": [{**call, "extra_content": extra}]})
        assert isinstance(item, ToolCall)
        self.assertEqual(item.seals, (seal,))
        (said,) = self.items({"role": "assistant", "content": "x", "extra_content": extra})
        assert isinstance(said, Message)
        above = Seal("gemini", "thought_signature", "c2ln", "/messages/0/extra_content")
        self.assertEqual(said.parts, (Text("x", seals=(above,), at=CONTENT),))
        detail = {"type": "reasoning.encrypted", "data": "c2ln", "format": "google-gemini-v1", "id": "c"}
        (item,) = self.items({"role": "assistant", "reasoning_details": [detail], "tool_calls": [call]})
        assert isinstance(item, ToolCall)
        self.assertEqual(item.seals, (Seal("gemini", "thought_signature", "c2ln", "/messages/0/reasoning_details/0"),))

    # tools

    def test_tools(self) -> None:
        """Tools of every form, in their order."""
        schema = {"type": "object", "properties": {}}
        grammar = {"type": "grammar", "grammar": {"definition": "start: x", "syntax": "lark"}}
        request = self.parse(
            tools=[
                {"type": "function", "function": {"name": "a", "description": "A", "parameters": schema, "strict": True}},
                {"type": "custom", "custom": {"name": "b", "format": grammar}},
                {"type": "web_search_preview"},
            ],
            functions=[{"name": "c"}],
            web_search_options={"search_context_size": "low"},
        )
        self.assertEqual(
            request.tools,
            (
                Tool("a", description="A", schema=schema, strict=True, at="/tools/0"),
                Tool("b", "custom", grammar={"type": "grammar", "syntax": "lark", "definition": "start: x"}, at="/tools/1"),
                Tool(
                    "web_search_preview",
                    "hosted",
                    family="web_search",
                    dialect="openai-chat",
                    raw={"type": "web_search_preview"},
                    at="/tools/2",
                ),
                Tool("c", at="/functions/0"),
                Tool(
                    "web_search",
                    "hosted",
                    family="web_search",
                    dialect="openai-chat",
                    raw={"search_context_size": "low"},
                    at="/web_search_options",
                ),
            ),
        )
        self.assertEqual(self.noted(), [])

    def test_choice(self) -> None:
        """Which tools may be called, in all forms."""
        offers: dict[str, Any] = {
            "tools": [{"type": "function", "function": {"name": "a"}}, {"type": "custom", "custom": {"name": "b"}}]
        }
        of_a = {"type": "function", "function": {"name": "a"}}
        of_b = {"type": "custom", "custom": {"name": "b"}}
        allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [of_a, of_b]}}
        cases: list[tuple[Any, ToolPolicy]] = [
            ("auto", ToolPolicy("auto")),
            ("none", ToolPolicy("none")),
            ("required", ToolPolicy("required")),
            (of_a, ToolPolicy("one", ("a",), ("function",))),
            (of_b, ToolPolicy("one", ("b",), ("custom",))),
            (allowed, ToolPolicy("subset_required", ("a", "b"), ("function", "custom"))),
        ]
        for choice, policy in cases:
            request = self.parse(**offers, tool_choice=choice)
            self.assertEqual(request.policy, policy)
            self.assertEqual(request.where["policy"], "/tool_choice")
        self.assertEqual(self.parse(**offers, parallel_tool_calls=False).policy, ToolPolicy(parallel=False))
        legacy = self.parse(functions=[{"name": "c"}], function_call={"name": "c"})
        self.assertEqual(legacy.policy, ToolPolicy("one", ("c",), ("function",)))

    # slots

    def test_slots(self) -> None:
        """Every scalar has its slot, and is found again by its pointer."""
        request = self.parse(
            stream=True,
            stream_options={"include_usage": True, "include_obfuscation": False},
            max_completion_tokens=10,
            temperature=0.5,
            top_p=0.9,
            top_k=4,
            frequency_penalty=1,
            presence_penalty=-1,
            seed=7,
            logit_bias={"50256": -100},
            n=2,
            stop="END",
            logprobs=True,
            top_logprobs=3,
            reasoning_effort="high",
            verbosity="low",
            modalities=["text"],
            prompt_cache_key="k",
            prompt_cache_options={"mode": "implicit", "ttl": "30m"},
            service_tier="default",
            safety_identifier="u",
            metadata={"a": "b"},
            store=True,
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "n", "description": "d", "strict": True, "schema": {"type": "object"}},
            },
        )
        self.assertEqual(
            request.sampling,
            Sampling(10, 0.5, 0.9, 4, 1, -1, 7, {"50256": -100}, 2, ("END",), True, 3),
        )
        self.assertEqual(request.reasoning, ReasoningPolicy(level="high"))
        self.assertEqual(request.output, Output("schema", {"type": "object"}, "n", "d", True, ("text",), "low"))
        self.assertEqual(request.caching, Caching("k", Mark("30m", "/prompt_cache_options")))
        self.assertEqual((request.tier, request.user, request.store), ("standard", "u", True))
        self.assertEqual((request.stream, request.include_usage, request.metadata), (True, True, {"a": "b"}))
        self.assertEqual(
            request.where,
            {
                "temperature": "/temperature",
                "top_p": "/top_p",
                "frequency_penalty": "/frequency_penalty",
                "presence_penalty": "/presence_penalty",
                "top_k": "/top_k",
                "seed": "/seed",
                "logit_bias": "/logit_bias",
                "n": "/n",
                "stop": "/stop",
                "logprobs": "/logprobs",
                "top_logprobs": "/top_logprobs",
                "max_out": "/max_completion_tokens",
                "include_usage": "/stream_options/include_usage",
                "level": "/reasoning_effort",
                "verbosity": "/verbosity",
                "modalities": "/modalities",
                "key": "/prompt_cache_key",
                "automatic": "/prompt_cache_options",
                "tier": "/service_tier",
                "user": "/safety_identifier",
                "metadata": "/metadata",
                "store": "/store",
                "format": "/response_format",
                "schema": "/response_format/json_schema/schema",
                "format_name": "/response_format/json_schema/name",
                "format_description": "/response_format/json_schema/description",
                "format_strict": "/response_format/json_schema/strict",
            },
        )
        self.assertEqual(self.noted(), [])

    def test_older_limits(self) -> None:
        """Of two limits the newer counts."""
        self.assertEqual(self.parse(max_tokens=5).sampling.max_out, 5)
        request = self.parse(max_tokens=5, max_completion_tokens=9)
        self.assertEqual(request.sampling.max_out, 9)
        self.assertEqual(self.noted(), ["dropped /max_tokens"])

    def test_nulls(self) -> None:
        """A null is as good as nothing."""
        names = ("max_tokens", "temperature", "stop", "tools", "tool_choice", "response_format", "user", "metadata", "audio")
        request = self.parse(**dict.fromkeys(names))
        self.assertEqual((request.sampling, request.where), (Sampling(), {}))
        self.assertEqual(self.noted(), [])

    def test_display(self) -> None:
        """Reasoning is shown to whom asks for an effort."""
        self.assertEqual(self.parse().display, "none")
        self.assertEqual(self.parse(reasoning_effort="none").display, "none")
        self.assertEqual(self.parse(reasoning_effort="low").display, "full")

    def test_no_slot(self) -> None:
        """What nobody else knows is noted, leaf by leaf."""
        self.parse(
            {"role": "user", "content": "x", "weather": {"wind": 1, "sun": [2]}},
            prediction={"type": "content", "content": "y"},
            audio={"voice": "alloy", "format": "wav"},
            service_tier="slow",
            chat_template_kwargs={"x": 1},
        )
        self.assertEqual(
            sorted(self.noted()),
            [
                "dropped /audio/format",
                "dropped /audio/voice",
                "dropped /chat_template_kwargs/x",
                "dropped /messages/0/weather/sun/0",
                "dropped /messages/0/weather/wind",
                "dropped /prediction",
                "dropped /service_tier",
            ],
        )

    def test_meaning(self) -> None:
        """What only this API knows and changes the meaning is refused."""
        spoken = {"audio": {"voice": "a", "format": "wav"}, "modalities": ["text", "audio"]}
        self.assertEqual(self.refused("/audio", USER, **spoken).code, "llmux_untranslatable")
        self.refused("/messages/0/audio", {"role": "assistant", "audio": {"id": "a"}})

    def test_malformed(self) -> None:
        """What cannot be read is refused by its pointer."""
        for doc, message in (
            ({}, "No messages found in request payload"),
            ({"messages": []}, "Empty messages array in request"),
            ({"messages": "x"}, "/messages must be a list"),
        ):
            fault = self.assertRaises(Fault, parse, doc, Context(seals=self.seals))
            self.assertEqual((fault.param, fault.message), ("/messages", message))
        messages: list[tuple[str, dict[str, Any]]] = [
            ("/messages/0/role", {"role": "robot"}),
            (CONTENT, {"role": "user", "content": 1}),
            (CONTENT, {"role": "user", "content": []}),
            (f"{CONTENT}/0", {"role": "user", "content": ["x"]}),
            (f"{CONTENT}/0/text", {"role": "user", "content": [{"type": "text", "text": 1}]}),
            (f"{CONTENT}/0/image_url/url", {"role": "user", "content": [{"type": "image_url", "image_url": {}}]}),
            ("/messages/0/tool_calls/0/function", {"role": "assistant", "tool_calls": [{"id": "a"}]}),
            ("/messages/0/tool_calls/0/type", {"role": "assistant", "tool_calls": [{"type": "x"}]}),
        ]
        for pointer, message_node in messages:
            self.refused(pointer, message_node)
        members: list[tuple[str, dict[str, Any]]] = [
            ("/temperature", {"temperature": "hot"}),
            ("/seed", {"seed": 1.5}),
            ("/stop", {"stop": [1]}),
            ("/reasoning_effort", {"reasoning_effort": "extreme"}),
            ("/response_format/type", {"response_format": {"type": "xml"}}),
            ("/response_format/json_schema", {"response_format": {"type": "json_schema"}}),
            ("/tools/0/function", {"tools": [{"type": "function"}]}),
            ("/tools/0/function/name", {"tools": [{"type": "function", "function": {}}]}),
            ("/tool_choice", {"tool_choice": "perhaps"}),
            ("/tool_choice", {"tool_choice": {"type": "function", "function": {"name": "nobody"}}}),
            ("/modalities", {"modalities": "text"}),
        ]
        for pointer, more in members:
            self.refused(pointer, USER, **more)
