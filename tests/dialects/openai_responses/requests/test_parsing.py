"""Tests for the reader of requests: the conversation, and what a request says of its answer."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.neutral import (
    Caching,
    FileId,
    Inline,
    Link,
    Mark,
    Media,
    Message,
    OpaqueItem,
    OpaquePart,
    Output,
    Reasoning,
    ReasoningPolicy,
    Refusal,
    Sampling,
    Seal,
    Segment,
    ServerCall,
    ServerResult,
    Text,
    ToolCall,
    ToolResult,
)
from llmux.dialects.openai_responses.requests import parse
from llmux.errors import Fault
from tests.dialects import tellings
from tests.dialects.openai_responses.saying import exchange, parsed

CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
PATCH = {"type": "custom_tool_call", "call_id": "c2", "name": "apply_patch", "input": "*** Begin"}


def user(*parts: dict[str, Any]) -> dict[str, Any]:
    """What the user says."""
    return {"role": "user", "content": list(parts)}


def items(*nodes: dict[str, Any]) -> list[Any]:
    """The items of an input."""
    return list(parsed({"input": list(nodes)})[0].items)


def output(value: Any, call: dict[str, Any] = CALL, **members: Any) -> dict[str, Any]:
    """What a call gave back."""
    return {"type": f"{call['type']}_output", "call_id": call["call_id"], "output": value, **members}


class ConversationTests(SynchronousTestCase):
    """Who said what, in which turn."""

    def test_a_text(self) -> None:
        """A bare string is what the user says; instructions come first, and null ones are none."""
        request, notes = parsed({"input": "Hi", "instructions": "Be brief."})
        self.assertEqual(
            request.items,
            (
                Message("system", (Text("Be brief.", at="/instructions"),), at="/instructions"),
                Message("user", (Text("Hi", at="/input"),), at="/input"),
            ),
        )
        self.assertEqual(notes, [])
        self.assertEqual(len(parsed({"input": "Hi", "instructions": None})[0].items), 1)

    def test_turns(self) -> None:
        """What a model said in one go is one turn, each message of the client's its own; two messages of the model's are two."""
        said = {"type": "message", "role": "assistant", "content": "Yes."}
        thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "s"}]}
        found = items(user(), user(), thought, said, CALL, PATCH, output("r"), output("r", PATCH), user(), said, said)
        self.assertEqual([item.turn for item in found], [0, 1, 2, 2, 2, 2, 3, 3, 4, 5, 6])

    def test_messages(self) -> None:
        """Easy ones and whole ones; phases and broken ones are known, ids and states say nothing."""
        nodes = [
            {"role": "developer", "content": "Be brief."},
            {
                "type": "message",
                "id": "msg_1",
                "status": "incomplete",
                "role": "assistant",
                "phase": "commentary",
                "content": [{"type": "output_text", "text": "Hm", "annotations": [], "logprobs": []}],
            },
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}, {"type": "input_text", "text": "Sorry."}]},
        ]
        request, notes = parsed({"input": nodes})
        told, broken, refused = request.items
        assert isinstance(broken, Message) and isinstance(refused, Message)
        self.assertEqual(told, Message("developer", (Text("Be brief.", at="/input/0/content"),), at="/input/0"))
        self.assertEqual((broken.phase, broken.cut, broken.id), ("commentary", True, "msg_1"))
        self.assertEqual(refused.parts, (Refusal("No.", "/input/2/content/0"), Text("Sorry.", at="/input/2/content/1")))
        self.assertEqual(notes, [])

    def test_calls(self) -> None:
        """Functions, custom tools, namespaces; results know of which kind their call was."""
        call, patch, first, second = items({**CALL, "namespace": "ns"}, PATCH, output("ok"), output([], PATCH))
        self.assertEqual(call, ToolCall("c1", "f", "{}", namespace="ns", at="/input/0"))
        self.assertEqual(patch, ToolCall("c2", "apply_patch", "*** Begin", kind="custom", at="/input/1"))
        self.assertEqual(first, ToolResult("c1", None, (Text("ok", at="/input/2/output"),), turn=1, at="/input/2"))
        self.assertEqual(second, ToolResult("c2", None, (), turn=1, kind="custom", form="parts", at="/input/3"))

    def test_outputs(self) -> None:
        """A text, parts, a bare object, a list of anything, nothing at all; a text that looks like JSON stays one."""
        cases: list[tuple[Any, list[str]]] = [
            ("text", ["text"]),
            ('{"a":1}', ['{"a":1}']),
            ([{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}], ["a", "b"]),
            ({"files": 1}, ['{"files":1}']),
            (["a", 1], ['["a",1]']),
            (None, []),
        ]
        for value, texts in cases:
            result = items(CALL, output(value))[1]
            self.assertEqual([part.text for part in result.parts], texts, value)

    def test_pictures_in_texts(self) -> None:
        """Some clients send the JSON of parts as a text: with an image in it no model could read it."""
        told = '[{"type":"input_text","text":"see"},{"type":"input_image","image_url":"data:image/png;base64,AAAA"}]'
        served = '{"content":[{"type":"image","data":"AAAA","mimeType":"image/png"}]}'
        request, notes = parsed(
            {"input": [CALL, output(told), {**CALL, "call_id": "c3"}, output(served, {**CALL, "call_id": "c3"})]}
        )
        picture = Media("image", Inline("AAAA"), "image/png", at="/input/1/output")
        results = [item for item in request.items if isinstance(item, ToolResult)]
        self.assertEqual(results[0].parts, (Text("see", at="/input/1/output"), picture))
        self.assertEqual([part.kind for part in results[1].parts if isinstance(part, Media)], ["image"])
        self.assertEqual(notes, ["approximated /input/1/output", "approximated /input/3/output"])

    def test_failures(self) -> None:
        """A result that failed was marked by us, for the API has no place for it."""
        plain, listed = items(
            CALL, output("[tool error] gone"), {**CALL, "call_id": "c3"}, output("[tool error] ", {**CALL, "call_id": "c3"})
        )[1::2]
        self.assertEqual((plain.is_error, plain.parts[0].text), (True, "gone"))
        self.assertEqual((listed.is_error, listed.parts[0].text), (True, ""))

    def test_results_without_ids(self) -> None:
        """The first call that waits gets it; what nobody asked for is told as a message."""
        found = items(CALL, {**CALL, "call_id": "c3"}, {"type": "function_call_output", "output": "r"})
        self.assertEqual(found[2].call_id, "c1")
        request, notes = parsed({"input": [user(), {"type": "function_call_output", "name": "clock", "output": "noon"}]})
        told = request.items[1]
        assert isinstance(told, Message)
        self.assertEqual([part.text for part in told.parts if isinstance(part, Text)], ["The tool clock says:", "noon"])
        self.assertEqual(notes, ["approximated /input/1"])

    def test_more_results(self) -> None:
        """A custom tool tells what it has to say in several items; elsewhere a call has one result."""
        found = items(PATCH, output("one", PATCH), output("two", PATCH))
        self.assertEqual([part.text for part in found[1].parts], ["one", "two"])
        self.assertEqual(len(items(PATCH, output("one", PATCH), output("one", PATCH))), 3)

    def test_provider_tools(self) -> None:
        """What OpenAI's own tools did is no call of the client's."""
        search = {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}
        code = {"type": "code_interpreter_call", "id": "ci_1", "status": "completed", "code": "1+1", "container_id": "c"}
        found = items(search, {**code, "outputs": [{"type": "logs", "logs": "2"}]})
        self.assertEqual([type(item) for item in found], [ServerCall, ServerCall, ServerResult])
        self.assertEqual((found[0].family, found[0].args_text, found[0].raw), ("web_search", '{"query":"q"}', search))
        self.assertEqual((found[2].call_id, found[2].text), ("ci_1", "2"))

    def test_unknown(self) -> None:
        """Items and parts that nobody knows are kept, members are noted."""
        ring = {"type": "mood_ring", "color": "blue"}
        hologram = {"type": "input_hologram", "angle": 30}
        request, notes = parsed({"input": [{**user(hologram), "x": 1}, ring], "y": {"z": [1]}})
        said, carried = request.items
        assert isinstance(said, Message)
        self.assertEqual(said.parts, (OpaquePart("input_hologram", hologram, "openai-responses", "/input/0/content/0"),))
        self.assertEqual(carried, OpaqueItem("mood_ring", ring, "openai-responses", 1, "/input/1"))
        self.assertEqual(notes, ["dropped /input/0/x", "dropped /y/z/0"])

    def test_kept_by_openai(self) -> None:
        """What only OpenAI has cannot be sent elsewhere; whoever answers himself goes on without it."""
        cases: list[tuple[dict[str, Any], str]] = [
            ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "/input/0"),
            ({"input": [{"id": "msg_1"}]}, "/input/0"),
            ({"input": [{"type": "compaction", "encrypted_content": "x"}]}, "/input/0"),
            ({"input": "x", "previous_response_id": "resp_1"}, "/previous_response_id"),
            ({"input": "x", "conversation": "conv_1"}, "/conversation"),
            ({"input": "x", "prompt": {"id": "p"}}, "/prompt"),
            ({"input": "x", "background": True}, "/background"),
            ({"input": "x", "access_programs": {"cyber": "daybreak_red"}}, "/access_programs/cyber"),
            ({"input": "x", "access_programs": {"cyber": "standard", "bio": "x"}}, "/access_programs/bio"),
        ]
        for doc, pointer in cases:
            fault = self.assertRaises(Fault, parse, doc, exchange(doc))
            self.assertEqual((fault.param, fault.code), (pointer, "llmux_untranslatable"))
            self.assertTrue(parse(doc, tellings.context(doc)).items)

    def test_defaults_are_not_noted(self) -> None:
        """What a request says that goes without saying."""
        doc = {
            "input": "x",
            "background": False,
            "truncation": "disabled",
            "service_tier": None,
            "store": False,
            "stream_options": {},
        }
        self.assertEqual(parsed(doc)[1], [])

    def test_refused(self) -> None:
        """What cannot be read is refused by its pointer."""
        cases: list[tuple[dict[str, Any], str]] = [
            ({}, "/input"),
            ({"input": []}, "/input"),
            ({"input": 7}, "/input"),
            ({"input": [{"role": "robot"}]}, "/input/0/role"),
            ({"input": [{"type": ["x"]}]}, "/input/0/type"),
            ({"input": [{"type": "function_call", "call_id": 1}]}, "/input/0/call_id"),
            ({"input": [{"type": "function_call", "call_id": "c", "arguments": "{}"}]}, "/input/0/name"),
            ({"input": [user({"type": "input_image"})]}, "/input/0/content/0"),
            ({"input": "x", "temperature": "hot"}, "/temperature"),
            ({"input": "x", "reasoning": {"effort": "huge"}}, "/reasoning/effort"),
            ({"input": "x", "text": {"format": {"type": "xml"}}}, "/text/format/type"),
            ({"input": "x", "include": "all"}, "/include"),
        ]
        for doc, pointer in cases:
            fault = self.assertRaises(Fault, parse, doc, exchange(doc))
            self.assertEqual((fault.kind, fault.param), ("invalid", pointer))


class PartTests(SynchronousTestCase):
    """What messages hold."""

    def parts(self, *nodes: dict[str, Any]) -> tuple[Any, ...]:
        message = items(user(*nodes))[0]
        assert isinstance(message, Message)
        return message.parts

    def test_images(self) -> None:
        """By URL, by bytes, by id, with how closely to look; a PDF in an image's place is a file."""
        at = "/input/0/content"
        self.assertEqual(
            self.parts(
                {"type": "input_image", "image_url": "https://x/y.png", "detail": "low"},
                {"type": "input_image", "image_url": "data:image/jpeg;base64,AAAA"},
                {"type": "input_image", "file_id": "file-1", "detail": "auto"},
                {"type": "input_image", "image_url": "data:application/pdf;base64,JVBERi"},
            ),
            (
                Media("image", Link("https://x/y.png"), detail="low", at=f"{at}/0"),
                Media("image", Inline("AAAA"), "image/jpeg", at=f"{at}/1"),
                Media("image", FileId("openai", "file-1"), detail="auto", at=f"{at}/2"),
                Media("file", Inline("JVBERi"), "application/pdf", at=f"{at}/3"),
            ),
        )

    def test_files(self) -> None:
        """Bytes may be bare or a data URL; what nobody named may be known by its first bytes."""
        found = self.parts(
            {"type": "input_file", "file_data": "data:text/plain;base64,SGk=", "filename": "a.txt"},
            {"type": "input_file", "file_data": "JVBERi0x"},
            {"type": "input_file", "file_url": "https://x/y"},
            {"type": "input_file", "file_id": "file-1"},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}},
        )
        self.assertEqual([(part.mime, part.name) for part in found[:2]], [("text/plain", "a.txt"), ("application/pdf", "")])
        self.assertEqual([part.source for part in found[2:4]], [Link("https://x/y"), FileId("openai", "file-1")])
        self.assertEqual((found[4].kind, found[4].mime), ("audio", "audio/mpeg"))

    def test_marks(self) -> None:
        """Where the prompt is cached."""
        (part,) = self.parts({"type": "input_text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit", "ttl": "30m"}})
        self.assertEqual(part.mark, Mark("30m", "/input/0/content/0/prompt_cache_breakpoint"))

    def test_citations(self) -> None:
        """The model's own citations come back with its text."""
        cited = {"type": "url_citation", "url": "https://x", "title": "X", "start_index": 1, "end_index": 3}
        said = {"role": "assistant", "content": [{"type": "output_text", "text": "abcd", "annotations": [cited]}]}
        (annotation,) = items(said)[0].parts[0].annotations
        self.assertEqual((annotation.url, annotation.start, annotation.end, annotation.raw), ("https://x", 1, 3, cited))


class SealTests(SynchronousTestCase):
    """Seals travel in reasoning items, whoever made them."""

    def test_own(self) -> None:
        """OpenAI's own are as they came; a summary and the model's words are segments of their kind."""
        node = {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "s"}],
            "content": [{"type": "reasoning_text", "text": "f"}, {"type": "encrypted_content", "encrypted_content": "x"}],
            "encrypted_content": "gAAA",
        }
        request, notes = parsed({"input": [node]})
        seal = Seal("openai", "encrypted", "gAAA", "/input/0")
        self.assertEqual(request.items, (Reasoning((Segment("summary", "s"), Segment("full", "f")), (seal,), at="/input/0"),))
        self.assertEqual(notes, ["dropped /input/0/content/1/type", "dropped /input/0/content/1/encrypted_content"])
        self.assertEqual(items({"type": "reasoning", "summary": [], "encrypted_content": None}, user())[0].role, "user")

    def sealed(self, seal: Seal, text: str = "") -> dict[str, Any]:
        value = exchange().seal_out(seal, "openai", text)
        summary = [{"type": "summary_text", "text": text}] if text else []
        return {"type": "reasoning", "summary": summary, "encrypted_content": value}

    def test_others(self) -> None:
        """Anthropic's are opened if the text is still the one that was sealed."""
        seal = Seal("anthropic", "signature", "SIG")
        node = self.sealed(seal, "thought")
        self.assertEqual(items(node)[0].seals, (Seal("anthropic", "signature", "SIG", "/input/0"),))
        node["summary"] = [{"type": "summary_text", "text": "other"}]
        request, notes = parsed({"input": [node]})
        self.assertEqual([item.seals for item in request.items if isinstance(item, Reasoning)], [()])
        self.assertEqual(notes, ["dropped /input/0/encrypted_content"])

    def test_gemini(self) -> None:
        """Its seals are of the call that follows, else of the text before them; a lonely one is kept."""
        node = self.sealed(Seal("gemini", "thought_signature", "G"))
        said = {"role": "assistant", "content": "Hm."}
        found = items(user(), node, CALL, PATCH, output("r"), output("r", PATCH), said, node, user(), node, user())
        self.assertEqual([seal.payload for seal in found[1].seals], ["G"])
        self.assertEqual(found[2].seals, ())
        self.assertEqual([seal.at for seal in found[5].parts[0].seals], ["/input/7"])
        self.assertEqual((found[7].segments, found[7].seals[0].payload), ((), "G"))
        self.assertEqual(len(found), 9)


class SettingTests(SynchronousTestCase):
    """What a request says of the answer as a whole."""

    def test_slots(self) -> None:
        """Every setting with a slot, and where it stood."""
        doc = {
            "input": "x",
            "model": "m",
            "stream": True,
            "max_output_tokens": 5,
            "temperature": 0.5,
            "top_p": 0.9,
            "top_logprobs": 2,
            "include": ["reasoning.encrypted_content", "message.output_text.logprobs"],
            "reasoning": {"effort": "xhigh", "summary": "detailed"},
            "text": {
                "format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": True},
                "verbosity": "low",
            },
            "prompt_cache_key": "k",
            "prompt_cache_options": {"mode": "implicit", "ttl": "12h"},
            "service_tier": "flex",
            "safety_identifier": "u",
            "metadata": {"a": "b"},
            "store": True,
            "max_tool_calls": 3,
            "parallel_tool_calls": False,
        }
        request, notes = parsed(doc)
        self.assertEqual(notes, [])
        self.assertEqual((request.model, request.stream, request.display), ("m", True, "summary"))
        self.assertEqual(request.sampling, Sampling(5, 0.5, 0.9, logprobs=True, top_logprobs=2))
        self.assertEqual(request.reasoning, ReasoningPolicy(level="xhigh", show="summary", detail="detailed"))
        self.assertEqual(request.output, Output("schema", {"type": "object"}, "n", None, True, verbosity="low"))
        self.assertEqual(request.caching, Caching("k", Mark("12h", "/prompt_cache_options")))
        self.assertEqual((request.tier, request.user, request.metadata, request.store), ("flex", "u", {"a": "b"}, True))
        self.assertEqual((request.policy.max_calls, request.policy.parallel), (3, False))
        where = request.where
        self.assertEqual(
            (where["level"], where["show"], where["format"]), ("/reasoning/effort", "/reasoning/summary", "/text/format")
        )
        self.assertEqual(
            (where["logprobs"], where["verbosity"], where["user"]), ("/include/1", "/text/verbosity", "/safety_identifier")
        )

    def test_noted(self) -> None:
        """What others have no word for."""
        doc = {
            "input": "x",
            "truncation": "auto",
            "context_management": [{"type": "compaction"}],
            "include": ["file_search_call.results", "web_search_call.action.sources"],
            "reasoning": {"effort": None, "context": "all_turns", "mode": "pro"},
            "prompt_cache_options": {"ttl": "30m", "comparison_response_id": "resp_1"},
            "service_tier": "ultrafast",
            "client_metadata": {"x": "y"},
        }
        request, notes = parsed(doc)
        self.assertEqual(request.tier, "fast")
        self.assertEqual(
            sorted(notes),
            [
                "approximated /service_tier",
                "dropped /client_metadata",
                "dropped /context_management",
                "dropped /include/0",
                "dropped /prompt_cache_options/comparison_response_id",
                "dropped /reasoning/context",
                "dropped /reasoning/mode",
                "dropped /truncation",
            ],
        )

    def test_updates(self) -> None:
        """Settings that change inside the conversation: the last ones count."""
        update = {"type": "configuration_update", "reasoning": {"effort": "low"}, "text": {"format": {"type": "json_object"}}}
        doc = {
            "input": [user(), {**update, "reasoning": {"effort": "high"}}, update],
            "reasoning": {"effort": "none"},
            "text": {"verbosity": "low"},
        }
        request, notes = parsed(doc)
        self.assertEqual((request.reasoning.level, request.where["level"]), ("low", "/input/2/reasoning/effort"))
        self.assertEqual((request.output.format, request.output.verbosity), ("json", "low"))
        self.assertEqual(notes, ["approximated /input/1", "approximated /input/2"])
        _, notes = parsed({**doc, "input": [user(), {**update, "reasoning": {"effort": "low", "summary": "auto"}}]})
        self.assertIn("dropped /input/1/reasoning/summary", notes)
