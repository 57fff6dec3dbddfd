"""Tests for the writer of conversations."""

from __future__ import annotations

import base64
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
    OpaqueItem,
    OpaquePart,
    PlainText,
    Reasoning,
    Refusal,
    Request,
    Role,
    Seal,
    SearchResult,
    Segment,
    ServerCall,
    ServerResult,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from llmux.errors import Fault
from tests.dialects.anthropic.exchanges import ASK, BUDGET, LIMIT, NEW, context, messages, noted, refusal, written


def say(role: Role, text: str, turn: int) -> Message:
    return Message(role, (Text(text, at=f"/m/{turn}/content"),), turn, at=f"/m/{turn}")


def call(id_: str, turn: int, args: str = "{}") -> ToolCall:
    return ToolCall(id_, "t", args, turn, at=f"/m/{turn}/calls/{id_}")


def result(id_: str, turn: int, text: str = "r", **more: Any) -> ToolResult:
    return ToolResult(id_, None, (Text(text),), turn=turn, at=f"/m/{turn}/results/{id_}", **more)


class TurnTests(SynchronousTestCase):
    """Who speaks when."""

    def test_plain(self) -> None:
        """One text is a string; turns of one role stay apart."""
        self.assertEqual(
            messages(say("user", "a", 0), say("user", "b", 1), say("assistant", "c", 2), ASK),
            [
                {"role": "user", "content": "a"},
                {"role": "user", "content": "b"},
                {"role": "assistant", "content": "c"},
                {"role": "user", "content": "Hello"},
            ],
        )

    def test_several_texts(self) -> None:
        """Several texts stay several, empty ones are left out."""
        item = Message("user", (Text("a"), Text(""), Text("b")))
        self.assertEqual(messages(item)[0]["content"], [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])

    def test_silence(self) -> None:
        """A message in which nothing stands is left out; beside a call nobody misses its text."""
        exchange = context()
        empty = say("assistant", "", 1)
        self.assertEqual(
            messages(say("user", "a", 0), empty, say("user", "b", 2), exchange=exchange),
            [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}],
        )
        self.assertEqual(noted(exchange), [("/m/1", "dropped")])
        exchange = context()
        found = messages(ASK, empty, call("c1", 1), result("c1", 2), exchange=exchange)
        self.assertEqual(found[1]["content"], [{"type": "tool_use", "id": "c1", "name": "t", "input": {}}])
        self.assertEqual(noted(exchange), [])
        self.assertEqual(refusal(Request((empty,))).kind, "invalid")

    def test_model_turn_stays_whole(self) -> None:
        """Thinking, texts and calls of one turn are one message, even where the client's dialect has an item for each."""
        thought = Reasoning((Segment("summary", "Hm."),), (Seal("anthropic", "signature", "s"),), 1)
        found = messages(ASK, thought, say("assistant", "Now", 2), call("c1", 3), call("c2", 4), result("c1", 5), result("c2", 6))
        self.assertEqual([each["role"] for each in found], ["user", "assistant", "user"])
        self.assertEqual([block["type"] for block in found[1]["content"]], ["thinking", "text", "tool_use", "tool_use"])
        self.assertEqual([block["tool_use_id"] for block in found[2]["content"]], ["c1", "c2"])

    def test_results_first(self) -> None:
        """Results stand first, right behind their calls, wherever the client put them."""
        text = Message("user", (Text("and?"),), 2)
        first = messages(ASK, call("c1", 1), text, result("c1", 2))
        self.assertEqual([block["type"] for block in first[2]["content"]], ["tool_result", "text"])
        late = messages(ASK, call("c1", 1), say("user", "wait", 2), result("c1", 3), say("user", "well?", 4))
        self.assertEqual(
            [each["content"] if isinstance(each["content"], str) else each["content"][0]["type"] for each in late[2:]],
            ["tool_result", "wait", "well?"],
        )

    def test_calls_one_after_the_other(self) -> None:
        """Calls with results between them stay apart."""
        found = messages(ASK, call("a", 1), result("a", 2), call("b", 3), result("b", 4))
        self.assertEqual([each["role"] for each in found], ["user", "assistant", "user", "assistant", "user"])

    def test_result_forms(self) -> None:
        """A text is a string, other content blocks; errors are marked, empty results have no content."""
        image = Media("image", Link("https://x/y.png"))
        found = messages(
            ASK,
            *(call(id_, 1) for id_ in "abcd"),
            result("a", 2, "grey", is_error=True),
            result("b", 2, ""),
            ToolResult("c", None, (Text("see"), image), turn=2),
            ToolResult("d", None, (Text('{"x":1}'),), turn=2, form="object"),
        )
        self.assertEqual(
            found[2]["content"],
            [
                {"type": "tool_result", "tool_use_id": "a", "content": "grey", "is_error": True},
                {"type": "tool_result", "tool_use_id": "b"},
                {
                    "type": "tool_result",
                    "tool_use_id": "c",
                    "content": [
                        {"type": "text", "text": "see"},
                        {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
                    ],
                },
                {"type": "tool_result", "tool_use_id": "d", "content": '{"x":1}'},
            ],
        )


class SystemTests(SynchronousTestCase):
    """Instructions, before the conversation and in it."""

    def test_leading(self) -> None:
        """Before the conversation they are the system prompt, in their order."""
        body = written(Request((say("system", "a", 0), ASK)))
        self.assertEqual(body["system"], "a")
        body = written(Request((say("system", "a", 0), say("developer", "b", 1), ASK)))
        self.assertEqual(body["system"], [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])

    def test_in_place(self) -> None:
        """A model that knows them gets them where they stand, several as one."""
        exchange = context(NEW)
        items = (ASK, say("system", "a", 1), say("system", "b", 2), say("assistant", "c", 3), say("user", "d", 4))
        found = messages(*items, exchange=exchange)
        self.assertEqual([each["role"] for each in found], ["user", "system", "assistant", "user"])
        self.assertEqual(found[1]["content"], [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])
        self.assertEqual(noted(exchange), [])

    def test_misplaced(self) -> None:
        """Behind the model, or before a user, they may not stand; the user tells them instead."""
        for items in (
            (ASK, say("assistant", "b", 1), say("system", "a", 2), say("user", "c", 3)),
            (ASK, say("system", "a", 2), say("user", "c", 3)),
        ):
            exchange = context(NEW)
            found = messages(*items, exchange=exchange)
            told = {"role": "user", "content": "<system-reminder>\na\n</system-reminder>"}
            self.assertIn(told, found)
            self.assertEqual(noted(exchange), [("/m/2", "approximated")])

    def test_unable(self) -> None:
        """Other models get them from the user, in place, so that what stands before is found in the cache."""
        exchange = context(BUDGET)
        found = messages(ASK, say("system", "a", 1), say("assistant", "b", 2), say("user", "c", 3), exchange=exchange)
        self.assertEqual(found[1], {"role": "user", "content": "<system-reminder>\na\n</system-reminder>"})
        self.assertEqual([each["role"] for each in found], ["user", "user", "assistant", "user"])

    def test_between_call_and_result(self) -> None:
        """A call's results come first."""
        exchange = context()
        items = (ASK, call("c1", 1), say("system", "a", 2), result("c1", 3), say("assistant", "b", 4), ASK)
        found = messages(*items, exchange=exchange)
        self.assertEqual(noted(exchange), [("/m/2", "approximated")])
        self.assertEqual([each["role"] for each in found], ["user", "assistant", "user", "system", "assistant", "user"])

    def test_alone(self) -> None:
        """Somebody has to speak."""
        exchange = context()
        body = written(Request((say("system", "a", 0), say("system", "b", 1))), exchange)
        self.assertEqual((body["system"], body["messages"]), ("a", [{"role": "user", "content": "b"}]))
        self.assertEqual(noted(exchange)[0], ("/m/1", "approximated"))


class PrefillTests(SynchronousTestCase):
    """A conversation that ends with the model's own words."""

    def test_prefill(self) -> None:
        """Models that go on from there must not find white space at the end; others refuse."""
        exchange = context(BUDGET)
        found = messages(ASK, say("assistant", "It is ", 1), exchange=exchange)
        self.assertEqual(found[1]["content"], "It is")
        self.assertEqual(noted(exchange)[0], ("/m/1", "approximated"))
        fault = refusal(Request((ASK, say("assistant", "It is", 1))), context(NEW))
        self.assertEqual(fault.param, "/m/1")
        self.assertIn("does not support assistant message prefill", fault.message)


class PairingTests(SynchronousTestCase):
    """Calls and their results."""

    def test_orphan(self) -> None:
        """A result without a call is refused, or told by the user."""
        items = (ASK, result("x", 1))
        fault = refusal(Request(items))
        self.assertEqual((fault.code, fault.param), ("llmux_untranslatable", "/m/1/results/x"))
        exchange = context(repair="textify")
        found = messages(*items, exchange=exchange)
        self.assertEqual(found[1]["role"], "user")
        self.assertEqual([block["text"] for block in found[1]["content"]], ["The result of a tool:", "r"])

    def test_unanswered(self) -> None:
        """A call without a result is refused by its id, or answered with an error."""
        items = (ASK, call("c1", 1), say("user", "go on", 2))
        self.assertIn("c1", refusal(Request(items)).message)
        found = messages(*items, exchange=context(repair="textify"))
        self.assertEqual(found[2]["content"][0]["is_error"], True)
        self.assertEqual(found[3], {"role": "user", "content": "go on"})
        # of two, one: what the user said in the turn of the other stays in it
        several = (ASK, call("c1", 1), call("c2", 1), result("c1", 2), say("user", "go on", 2))
        (_, _, told) = messages(*several, exchange=context(repair="textify"))
        self.assertEqual([block["type"] for block in told["content"]], ["tool_result", "tool_result", "text"])
        self.assertEqual([block.get("is_error") for block in told["content"]], [None, True, None])

    def test_twice(self) -> None:
        """The same result twice is one; another is a contradiction."""
        exchange = context()
        found = messages(ASK, call("c1", 1), result("c1", 2), result("c1", 3), exchange=exchange)
        self.assertEqual(len(found[2]["content"]), 1)
        self.assertEqual(noted(exchange)[0], ("/m/3/results/c1", "dropped"))
        self.assertEqual(
            refusal(Request((ASK, call("c1", 1), result("c1", 2), result("c1", 3, "other")))).param, "/m/3/results/c1"
        )

    def test_ids(self) -> None:
        """Ids that the API cannot read get another, the same for call and result; ids that are used again as well."""
        found = messages(
            ASK, call("c:1", 1), result("c:1", 2), call("c2", 3), result("c2", 4), call("c2", 5), result("c2", 6, "again")
        )
        ids = [each["content"][0].get("id", each["content"][0].get("tool_use_id")) for each in found[1:]]
        self.assertEqual(ids[0], ids[1])
        self.assertRegex(ids[0], "^call_[0-9a-f]{24}$")
        self.assertEqual(ids[2:4], ["c2", "c2"])
        self.assertEqual(ids[4], ids[5])
        self.assertNotEqual(ids[4], "c2")

    def test_confused(self) -> None:
        """A call of the provider's own tool that a client took for its own does not become one."""
        exchange = context()
        found = messages(ASK, call("srvtoolu_1", 1, '{"q":1}'), result("srvtoolu_1", 2), exchange=exchange)
        self.assertEqual(found[1], {"role": "assistant", "content": '[t {"q":1}]'})
        self.assertEqual(found[2]["role"], "user")


class ArgumentTests(SynchronousTestCase):
    """The arguments of calls, which must be objects."""

    def test_texts(self) -> None:
        """They are sent as they were written; what is no object goes into one; what is no JSON is refused."""
        cases = [("", {}), ('{"a": 1, "b": 1.50}', {"a": 1, "b": 1.5}), ("[1]", {"value": [1]}), ("null", {"value": None})]
        for args, expected in cases:
            self.assertEqual(messages(ASK, call("c", 1, args), result("c", 2))[1]["content"][0]["input"], expected)
        self.assertEqual(refusal(Request((ASK, call("c", 1, "{"), result("c", 2)))).param, "/m/1/calls/c")
        exchange = context()
        blank = messages(ASK, call("c", 1, " \n"), result("c", 2), exchange=exchange)
        self.assertEqual((blank[1]["content"][0]["input"], noted(exchange)), ({}, [("/m/1/calls/c", "approximated")]))

    def test_custom(self) -> None:
        """Raw input is the one parameter of a function."""
        item = ToolCall("c", "t", 'a "b"', 1, kind="custom")
        self.assertEqual(messages(ASK, item, result("c", 2))[1]["content"][0]["input"], {"input": 'a "b"'})


class ReasoningTests(SynchronousTestCase):
    """Thinking that comes back."""

    def test_own(self) -> None:
        """Only what Anthropic signed goes back, the text of it omitted or not."""
        signed, redacted = Seal("anthropic", "signature", "s"), Seal("anthropic", "redacted", "s")
        cases: list[tuple[Reasoning, dict[str, Any]]] = [
            (Reasoning((Segment("summary", "t"),), (signed,), 1), {"type": "thinking", "thinking": "t", "signature": "s"}),
            (Reasoning((), (signed,), 1), {"type": "thinking", "thinking": "", "signature": "s"}),
            (Reasoning((), (redacted,), 1), {"type": "redacted_thinking", "data": "s"}),
        ]
        for item, block in cases:
            found = messages(ASK, item, say("assistant", "a", 1), say("user", "b", 2))
            self.assertEqual(found[1]["content"], [block, {"type": "text", "text": "a"}])

    def test_foreign(self) -> None:
        """Unsigned thinking and other providers' seals stay behind, with a note."""
        for seals in ((), (Seal("openai", "encrypted", "e"),)):
            exchange = context()
            item = Reasoning((Segment("summary", "t"),), seals, 1, at="/m/1")
            found = messages(ASK, item, say("assistant", "a", 1), say("user", "b", 2), exchange=exchange)
            self.assertEqual(found[1]["content"], "a")
            self.assertEqual(noted(exchange)[0], ("/m/1", "dropped"))

    def test_gemini(self) -> None:
        """A seal on a call or a text is Gemini's alone. The note says where it stood, which may be elsewhere."""
        exchange = context()
        near, far = Seal("gemini", "thought_signature", "g"), Seal("gemini", "thought_signature", "h", "/m/0")
        for seal, pointer in ((near, "/m/1"), (far, "/m/0")):
            for item in (
                ToolCall("c", "t", "{}", 1, seals=(seal,), at="/m/1"),
                Message("assistant", (Text("a", seals=(seal,), at="/m/1"),), 1),
                Reasoning((), (seal,), 1, at="/m/1"),
            ):
                exchange = context()
                answer = result("c", 2) if isinstance(item, ToolCall) else say("user", "b", 2)
                messages(ASK, item, answer, exchange=exchange)
                self.assertEqual(noted(exchange)[0], (pointer, "dropped"))


class PartTests(SynchronousTestCase):
    """Parts as blocks."""

    def block(self, part: Any) -> Any:
        return messages(ASK, Message("user", (Text("x"), part), 2))[1]["content"][1]

    def test_media(self) -> None:
        """Images and documents, from wherever their bytes are."""
        pdf = base64.b64encode(b"%PDF-1.7").decode()
        text = base64.b64encode("Grüezi".encode()).decode()
        png = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
        cases: list[tuple[Any, dict[str, Any]]] = [
            (
                Media("image", Inline(png)),
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png}},
            ),
            (
                Media("image", Inline("AA"), "image/jpg"),
                {"type": "image", "source": {"type": "base64", "media_type": "image/jpeg", "data": "AA"}},
            ),
            (Media("image", FileId("anthropic", "f")), {"type": "image", "source": {"type": "file", "file_id": "f"}}),
            (
                Media("image", Inline(pdf), "application/pdf"),
                {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": pdf}},
            ),
            (
                Media("file", Inline(pdf), name="a.pdf"),
                {
                    "type": "document",
                    "source": {"type": "base64", "media_type": "application/pdf", "data": pdf},
                    "title": "a.pdf",
                },
            ),
            (
                Media("file", Inline(text), "text/markdown"),
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Grüezi"}},
            ),
            (
                Media("file", PlainText("t"), context="c", citable=True),
                {
                    "type": "document",
                    "source": {"type": "text", "media_type": "text/plain", "data": "t"},
                    "context": "c",
                    "citations": {"enabled": True},
                },
            ),
            (
                Media("file", Blocks((Text("t"),))),
                {"type": "document", "source": {"type": "content", "content": [{"type": "text", "text": "t"}]}},
            ),
            (Media("file", Link("https://x/a.pdf")), {"type": "document", "source": {"type": "url", "url": "https://x/a.pdf"}}),
            (
                SearchResult("s", "t", (Text("x"),), True),
                {
                    "type": "search_result",
                    "source": "s",
                    "title": "t",
                    "content": [{"type": "text", "text": "x"}],
                    "citations": {"enabled": True},
                },
            ),
            (Refusal("no"), {"type": "text", "text": "no"}),
        ]
        for part, expected in cases:
            self.assertEqual(self.block(part), expected)

    def test_refused(self) -> None:
        """What the API does not take is refused, by its place."""
        cases: list[tuple[Any, Role]] = [
            (Media("audio", Inline("AA"), "audio/wav", at="/p"), "user"),
            (Media("video", Link("https://x"), at="/p"), "user"),
            (Media("image", Inline("AA"), "image/tiff", at="/p"), "user"),
            (Media("image", Link("gs://x"), at="/p"), "user"),
            (Media("file", FileId("openai", "f"), at="/p"), "user"),
            (Media("file", Inline("AA"), "application/zip", at="/p"), "user"),
            (Media("file", PlainText("t"), at="/p"), "assistant"),
        ]
        for part, role in cases:
            fault = self.assertRaises(Fault, messages, ASK, Message(role, (part,), 1), ASK)
            self.assertEqual((fault.code, fault.param), ("llmux_untranslatable", "/p"))

    def test_noted(self) -> None:
        """What only others know is left out with a note: annotations, how closely to look, parts and items of tomorrow."""
        exchange = context()
        cited = Text("t", (Annotation("url", "https://a"),), at="/cited")
        items = (
            Message("user", (Media("image", Link("https://x"), detail="low", at="/image"),), 0, author="Ann", at="/m"),
            Message("assistant", (cited, OpaquePart("x", {}, "gemini", "/part")), 1, phase="commentary", at="/n"),
            OpaqueItem("y", {}, "openai-responses", 1, "/item"),
            ASK,
        )
        messages(*items, exchange=exchange)
        self.assertEqual(
            noted(exchange),
            [
                ("/m/name", "dropped"),
                ("/image", "dropped"),
                ("/n/phase", "approximated"),
                ("/cited", "dropped"),
                ("/part", "dropped"),
                ("/item", "dropped"),
            ],
        )

    def test_own_citations(self) -> None:
        """The API's own citations go back on what the model said."""
        raw = {"type": "char_location", "cited_text": "c", "document_index": 0, "document_title": None}
        raw |= {"start_char_index": 0, "end_char_index": 1}
        cited = Text("t", (Annotation("char_location", dialect="anthropic", raw=raw),))
        found = messages(ASK, Message("assistant", (cited,), 1), ASK)
        self.assertEqual(found[1]["content"], [{"type": "text", "text": "t", "citations": [raw]}])

    def test_server_tools(self) -> None:
        """Anthropic's own tools go back as they came, in a pair; those of others are told in words."""
        search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}
        pages = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
        own = (
            ServerCall("web_search", "srvtoolu_1", "web_search", "{}", "anthropic", search, turn=1),
            ServerResult("web_search", "srvtoolu_1", (), "", "anthropic", pages, turn=1),
        )
        found = messages(ASK, *own, say("assistant", "a", 1), ASK)
        self.assertEqual(found[1]["content"], [search, pages, {"type": "text", "text": "a"}])
        others = (
            ServerCall("web_search", "ws_1", "web_search", '{"query":"q"}', "openai-responses", {}, turn=1, at="/c"),
            ServerResult("web_search", "ws_1", (Annotation("url", "https://a", "A"),), "", "openai-responses", {}, turn=1),
        )
        found = messages(ASK, *others, say("assistant", "a", 2), ASK)
        texts = [block["text"] for block in found[1]["content"]]
        self.assertEqual(texts, ['[web_search {"query":"q"}]', "A https://a", "a"])


class MarkTests(SynchronousTestCase):
    """Where prompts are cached."""

    def marks(self, *ttls: str | None, automatic: Mark | None = None) -> tuple[list[Any], list[tuple[str, str]]]:
        exchange = context()
        parts = tuple(Text(str(index), mark=Mark(ttl, f"/{index}")) for index, ttl in enumerate(ttls))
        body = written(Request((Message("user", parts),), sampling=LIMIT, caching=Caching(automatic=automatic)), exchange)
        blocks = body["messages"][0]["content"]
        return [block.get("cache_control") for block in blocks], noted(exchange)

    def test_last_four(self) -> None:
        """The last four are kept, one fewer beside the API's own."""
        mark = {"type": "ephemeral"}
        self.assertEqual(self.marks(*[None] * 5), ([None, mark, mark, mark, mark], [("/0", "dropped")]))
        found, notes = self.marks(*[None] * 4, automatic=Mark())
        self.assertEqual((found, notes), ([None, mark, mark, mark], [("/0", "dropped")]))

    def test_lifetimes(self) -> None:
        """Lifetimes of others become the nearest; a longer one may not stand behind a shorter one."""
        hour = {"type": "ephemeral", "ttl": "1h"}
        self.assertEqual(
            self.marks("30m", "12h", "5m", None),
            ([hour, hour, {"type": "ephemeral", "ttl": "5m"}, {"type": "ephemeral"}], [("/1/ttl", "approximated")]),
        )
        self.assertEqual(self.marks("5m", "1h"), ([hour, hour], [("/0/ttl", "approximated")]))
        self.assertEqual(self.marks(None, "1h"), ([hour, hour], [("/0", "approximated")]))

    def test_everywhere(self) -> None:
        """Tools, instructions, results and calls can be marked; a marked text is no string."""
        items = (
            Message("system", (Text("s", mark=Mark()),)),
            ASK,
            ToolCall("c", "t", "{}", 1),
            ToolResult("c", None, (Text("r"),), turn=2, mark=Mark()),
            Message("user", (Text("u", mark=Mark()),), 3),
        )
        body = written(Request(items, (Tool("t", mark=Mark()),)))
        mark = {"cache_control": {"type": "ephemeral"}}
        self.assertEqual(body["tools"][0], {"name": "t", "input_schema": {"type": "object", "properties": {}}, **mark})
        self.assertEqual(body["system"], [{"type": "text", "text": "s", **mark}])
        self.assertEqual(
            body["messages"][2:],
            [
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "r", **mark}]},
                {"role": "user", "content": [{"type": "text", "text": "u", **mark}]},
            ],
        )
