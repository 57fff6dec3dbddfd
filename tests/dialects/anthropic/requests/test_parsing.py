"""Tests for the Messages reader."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.anthropic import custody
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
    Output,
    PlainText,
    Reasoning,
    ReasoningPolicy,
    Sampling,
    Seal,
    SearchResult,
    Segment,
    Server,
    ServerCall,
    ServerResult,
    Text,
    Tool,
    ToolCall,
    ToolPolicy,
    ToolResult,
)
from llmux.errors import Fault
from tests.dialects.anthropic.exchanges import context, noted, read

USER = {"role": "user", "content": "x"}
SAID = Message("user", (Text("x", at="/messages/0/content"),), at="/messages/0")
IMAGE = {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}
PAGE = {"type": "web_search_result", "url": "https://a", "title": "A", "encrypted_content": "zz"}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [PAGE]}


def ask(**more: Any) -> dict[str, Any]:
    return {"model": "m", "max_tokens": 9, "messages": [USER], **more}


def said(*blocks: dict[str, Any], role: str = "user") -> dict[str, Any]:
    return ask(messages=[{"role": role, "content": list(blocks)}])


class ConversationTests(SynchronousTestCase):
    """Messages as items."""

    def test_conversation(self) -> None:
        """Blocks keep their order and their turn; text between calls and results is a message of its own."""
        messages = [
            {"role": "user", "content": [{"type": "text", "text": "Look"}, IMAGE]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "s"},
                    {"type": "redacted_thinking", "data": "zzz"},
                    {"type": "text", "text": "Now:"},
                    {"type": "tool_use", "id": "c1", "name": "look", "input": {"a": 1}, "caller": {"type": "direct"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "c1", "content": "grey", "is_error": True},
                    {"type": "text", "text": "Well?"},
                ],
            },
            {"role": "system", "content": "Be kind."},
            {"role": "assistant", "content": []},
        ]
        exchange = context()
        request = read(ask(system=[{"type": "text", "text": "Be brief."}], messages=messages), exchange)
        self.assertEqual(
            request.items,
            (
                Message("system", (Text("Be brief.", at="/system/0"),), at="/system"),
                Message(
                    "user",
                    (
                        Text("Look", at="/messages/0/content/0"),
                        Media("image", Link("https://x/y.png"), at="/messages/0/content/1"),
                    ),
                    0,
                    at="/messages/0",
                ),
                Reasoning((Segment("summary", "Hm."),), (Seal("anthropic", "signature", "s"),), 1, at="/messages/1/content/0"),
                Reasoning((), (Seal("anthropic", "redacted", "zzz"),), 1, at="/messages/1/content/1"),
                Message("assistant", (Text("Now:", at="/messages/1/content/2"),), 1, at="/messages/1"),
                ToolCall("c1", "look", '{"a":1}', 1, at="/messages/1/content/3"),
                ToolResult("c1", None, (Text("grey", at="/messages/2/content/0/content"),), True, 2, at="/messages/2/content/0"),
                Message("user", (Text("Well?", at="/messages/2/content/1"),), 2, at="/messages/2"),
                Message("system", (Text("Be kind.", at="/messages/3/content"),), 3, at="/messages/3"),
                Message("assistant", (), 4, at="/messages/4"),
            ),
        )
        self.assertEqual(noted(exchange), [])

    def test_signed_without_text(self) -> None:
        """Thinking may be omitted and signed all the same; without a signature nothing seals it."""
        empty, unsigned = (
            read(said({"type": "thinking", "thinking": text, "signature": seal}, role="assistant")).items[0]
            for text, seal in (("", "s"), ("t", ""))
        )
        assert isinstance(empty, Reasoning) and isinstance(unsigned, Reasoning)
        self.assertEqual((empty.segments, empty.seals), ((), (Seal("anthropic", "signature", "s"),)))
        self.assertEqual((unsigned.text, unsigned.seals), ("t", ()))

    def test_seals_of_others(self) -> None:
        """What seals the call behind it, or the text before it, tells where it stood."""
        exchange = context()
        ahead, behind = Seal("gemini", "thought_signature", "g"), Seal("gemini", "thought_signature", "h")
        blocks = [
            {"type": "text", "text": "a"},
            custody.block(behind, exchange, "behind"),
            custody.block(ahead, exchange, "ahead"),
            {"type": "tool_use", "id": "c", "name": "t", "input": {}},
        ]
        message, call = read({"messages": [{"role": "assistant", "content": blocks}]}, exchange).items
        assert isinstance(message, Message) and isinstance(message.parts[0], Text) and isinstance(call, ToolCall)
        self.assertEqual([(seal.payload, seal.at) for seal in message.parts[0].seals], [("h", "/messages/0/content/1")])
        self.assertEqual([(seal.payload, seal.at) for seal in call.seals], [("g", "/messages/0/content/2")])

    def test_media(self) -> None:
        """Images and documents say where their bytes are."""
        sources: list[tuple[dict[str, Any], Any, str]] = [
            ({"type": "base64", "media_type": "image/png", "data": "AA"}, Inline("AA"), "image/png"),
            ({"type": "url", "url": "https://x"}, Link("https://x"), ""),
            ({"type": "file", "file_id": "f"}, FileId("anthropic", "f"), ""),
        ]
        for source, expected, mime in sources:
            (item,) = read(said({"type": "image", "source": source})).items
            assert isinstance(item, Message)
            self.assertEqual(item.parts, (Media("image", expected, mime, at="/messages/0/content/0"),))
        documents: list[tuple[dict[str, Any], Any, str]] = [
            ({"type": "base64", "media_type": "application/pdf", "data": "AA"}, Inline("AA"), "application/pdf"),
            ({"type": "url", "url": "https://x"}, Link("https://x"), "application/pdf"),
            ({"type": "text", "media_type": "text/plain", "data": "t"}, PlainText("t"), "text/plain"),
            (
                {"type": "content", "content": "t"},
                Blocks((Text("t", at="/messages/0/content/0/source/content"),)),
                "",
            ),
        ]
        for source, expected, mime in documents:
            block = {"type": "document", "source": source, "title": "T", "context": "C", "citations": {"enabled": True}}
            (item,) = read(said(block)).items
            assert isinstance(item, Message)
            part = Media("file", expected, mime, "T", context="C", citable=True, at="/messages/0/content/0")
            self.assertEqual(item.parts, (part,))

    def test_search_result(self) -> None:
        """What a client found by itself is a part of its own."""
        block = {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "x"}]}
        (item,) = read(said({"type": "tool_result", "tool_use_id": "c", "content": [block]})).items
        assert isinstance(item, ToolResult)
        at = "/messages/0/content/0/content/0"
        self.assertEqual(item.parts, (SearchResult("s", "t", (Text("x", at=f"{at}/content/0"),), at=at),))
        self.assertEqual(item.form, "parts")

    def test_server_tools(self) -> None:
        """What the provider did itself stays apart from what the client has to do."""
        call, result = read(said(SEARCH, FOUND, role="assistant")).items
        assert isinstance(call, ServerCall) and isinstance(result, ServerResult)
        self.assertEqual((call.family, call.args_text, call.raw), ("web_search", '{"query":"q"}', SEARCH))
        hit = Annotation("url", "https://a", "A", dialect="anthropic", raw=PAGE)
        self.assertEqual((result.family, result.call_id, result.hits), ("web_search", "srvtoolu_1", (hit,)))

    def test_results_of_programs(self) -> None:
        """What can be read of other tools' results, errors among them."""
        outputs: list[tuple[str, Any, str, str, bool]] = [
            ("bash_code_execution", {"type": "bash_code_execution_result", "stdout": "1", "stderr": "e"}, "code", "1\ne", False),
            ("web_fetch", {"type": "web_fetch_tool_result_error", "error_code": "unavailable"}, "web_fetch", "unavailable", True),
            ("mcp", [{"type": "text", "text": "hi"}], "mcp", "hi", False),
            ("tool_search", {"type": "x", "tool_references": [{"tool_name": "T"}]}, "tool_search", "T", False),
        ]
        for name, content, family, text, failed in outputs:
            block = {"type": f"{name}_tool_result", "tool_use_id": "s", "content": content}
            (item,) = read(said(block, role="assistant")).items
            assert isinstance(item, ServerResult)
            self.assertEqual((item.family, item.text, item.is_error), (family, text, failed))

    def test_citations(self) -> None:
        """The model's citations are annotations; a client's are none."""
        web = {"type": "web_search_result_location", "url": "https://a", "title": "A", "cited_text": "c", "encrypted_index": "z"}
        text = {"type": "text", "text": "t", "citations": [web]}
        exchange = context()
        said_both = [{"role": "assistant", "content": [text]}, {"role": "user", "content": [text]}]
        items = read(ask(messages=said_both), exchange).items
        assert isinstance(items[0], Message) and isinstance(items[1], Message)
        cited = Annotation("url", "https://a", "A", "c", dialect="anthropic", raw=web)
        self.assertEqual(items[0].parts[0].annotations, (cited,))  # type: ignore[union-attr]
        self.assertEqual(items[1].parts[0].annotations, ())  # type: ignore[union-attr]
        self.assertEqual(noted(exchange), [("/messages/1/content/0/citations", "dropped")])

    def test_unknown_block(self) -> None:
        """A block of tomorrow is kept as it is."""
        block = {"type": "hologram", "x": 1}
        (item,) = read(said(block)).items
        assert isinstance(item, Message)
        self.assertEqual(item.parts, (OpaquePart("hologram", block, "anthropic", "/messages/0/content/0"),))

    def test_compaction(self) -> None:
        """A summary that can be read is told; one that cannot is refused."""
        (item,) = read(said({"type": "compaction", "content": "so far"}, role="assistant")).items
        assert isinstance(item, Message)
        self.assertEqual(item.parts, (Text("so far", at="/messages/0/content/0"),))
        fault = self.assertRaises(Fault, read, said({"type": "compaction", "encrypted_content": "z"}, role="assistant"))
        self.assertEqual(fault.param, "/messages/0/content/0")

    def test_attribution(self) -> None:
        """Claude Code's line for Anthropic's accounts changes each time and would spoil every cache."""
        exchange = context()
        system = [{"type": "text", "text": "x-anthropic-billing-header: a=1"}, {"type": "text", "text": "You are"}]
        first = read(ask(system=system), exchange).items[0]
        self.assertEqual(first, Message("system", (Text("You are", at="/system/1"),), at="/system"))
        self.assertEqual(noted(exchange), [("/system/0", "dropped")])


class SettingsTests(SynchronousTestCase):
    """What is said of the answer as a whole."""

    def test_all(self) -> None:
        """Every setting has its slot, and its pointer."""
        exchange = context()
        doc = ask(
            stream=True,
            temperature=0.5,
            top_p=0.9,
            top_k=4,
            stop_sequences=["END"],
            metadata={"user_id": "u"},
            thinking={"type": "enabled", "budget_tokens": 2000, "display": "omitted"},
            output_config={"effort": "high", "format": {"type": "json_schema", "schema": {"type": "object"}}},
            cache_control={"type": "ephemeral", "ttl": "1h"},
            speed="fast",
        )
        request = read(doc, exchange)
        self.assertEqual(request.sampling, Sampling(9, 0.5, 0.9, 4, stop=("END",)))
        self.assertEqual(request.reasoning, ReasoningPolicy("yes", "high", 2000, "none"))
        self.assertEqual(request.output, Output("schema", {"type": "object"}))
        self.assertEqual(request.caching, Caching(automatic=Mark("1h", "/cache_control")))
        self.assertEqual((request.tier, request.user, request.stream, request.model), ("fast", "u", True, "m"))
        self.assertEqual(
            (request.where["top_k"], request.where["budget"], request.where["level"], request.where["user"]),
            ("/top_k", "/thinking/budget_tokens", "/output_config/effort", "/metadata/user_id"),
        )
        self.assertEqual(noted(exchange), [])

    def test_the_form_as_betas_said_it(self) -> None:
        """`output_format` is read where `output_config` has no format."""
        form, other = ({"type": "json_schema", "schema": {"type": "object", "title": title}} for title in "ab")
        exchange = context()
        request = read(ask(output_format=form), exchange)
        self.assertEqual((request.output, request.where["schema"]), (Output("schema", form["schema"]), "/output_format/schema"))
        self.assertEqual(noted(exchange), [])
        request = read(ask(output_format=form, output_config={"format": other}), exchange)
        self.assertEqual(request.output.schema, other["schema"])
        self.assertEqual({action for _, action in noted(exchange)}, {"dropped"})

    def test_thinking(self) -> None:
        """Thinking is shown in full unless the request says otherwise."""
        kinds: list[tuple[dict[str, Any], ReasoningPolicy, str]] = [
            ({"type": "disabled"}, ReasoningPolicy("no"), "none"),
            ({"type": "adaptive"}, ReasoningPolicy("auto", show="full"), "full"),
            ({"type": "between_tools"}, ReasoningPolicy("between_tools"), "full"),
            ({"type": "adaptive", "display": "summarized"}, ReasoningPolicy("auto", show="summary"), "full"),
        ]
        for thinking, policy, display in kinds:
            request = read(ask(thinking=thinking))
            self.assertEqual((request.reasoning, request.display), (policy, display))
        exchange = context()
        read(ask(thinking={"type": "between_tools", "display": "omitted", "budget_tokens": 2000}), exchange)
        self.assertEqual(noted(exchange), [("/thinking/display", "dropped"), ("/thinking/budget_tokens", "dropped")])

    def test_claude_code(self) -> None:
        """What Claude Code sends passes: what has no counterpart is noted, late loading is no loss."""
        exchange = context()
        tool = {"name": "Read", "input_schema": {"type": "object"}, "defer_loading": True, "eager_input_streaming": True}
        edits = {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}
        found = {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "tool_reference", "tool_name": "Read"}]}
        request = read({**said(found), "tools": [tool], "context_management": edits}, exchange)
        self.assertEqual(request.tools, (Tool("Read", schema={"type": "object"}, at="/tools/0"),))
        (item,) = request.items
        assert isinstance(item, ToolResult)
        self.assertEqual(item.parts, (Text("The tool Read is available.", at="/messages/0/content/0/content/0"),))
        self.assertEqual(
            noted(exchange),
            [
                ("/messages/0/content/0/content/0", "approximated"),
                ("/tools/0/eager_input_streaming", "approximated"),
                ("/tools/0/defer_loading", "approximated"),
                ("/context_management/edits/0/type", "dropped"),
                ("/context_management/edits/0/keep", "dropped"),
            ],
        )

    def test_nothing_vanishes(self) -> None:
        """Members that nobody knows are noted, wherever they stand."""
        exchange = context()
        doc = ask(
            messages=[{"role": "user", "content": [{"type": "text", "text": "x", "a~b": 1}], "b": {"c": 2}}],
            tools=[{"name": "t", "input_schema": {}, "d": None}],
            thinking={"type": "adaptive", "e": 3},
            future=[{"f": 4}, 5],
        )
        read(doc, exchange)
        self.assertEqual(
            [pointer for pointer, _ in noted(exchange)],
            ["/messages/0/content/0/a~0b", "/messages/0/b/c", "/tools/0/d", "/thinking/e", "/future/0/f", "/future/1"],
        )

    def test_another_effort_from_here_on(self) -> None:
        """What a system message says of it is an item of its own, which Responses knows too."""
        exchange = context()
        said: dict[str, Any] = {"role": "system", "content": "Be brief.", "clear_at": None}
        said["output_config"] = {"effort": "low", "x": 1}
        items = read(ask(messages=[USER, said]), exchange).items
        at = "/messages/1/output_config/effort"
        update = {"type": "configuration_update", "reasoning": {"effort": "low"}}
        self.assertEqual(items[2:], (OpaqueItem("configuration_update", update, "openai-responses", 1, at),))
        self.assertEqual(noted(exchange), [("/messages/1/output_config/x", "dropped")])
        said["output_config"] = {"effort": "some"}
        self.assertEqual(self.assertRaises(Fault, read, ask(messages=[USER, said]), context()).param, at)


class ToolTests(SynchronousTestCase):
    """Tools, and which may be called."""

    def test_kinds(self) -> None:
        """Functions have a schema; what Anthropic runs, or wrote the schema of, is hosted."""
        function = {
            "type": "custom",
            "name": "t",
            "description": "d",
            "input_schema": {"type": "object"},
            "strict": True,
            "input_examples": [{"a": 1}],
            "defer_loading": True,
            "cache_control": {"type": "ephemeral"},
        }
        search = {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"}
        bash = {"type": "bash_20250124", "name": "bash"}
        mcp = {"type": "mcp_toolset", "mcp_server_name": "s"}
        server = {"type": "url", "name": "s", "url": "https://s.example", "authorization_token": "k"}
        other = {**server, "name": "o", "tool_configuration": {"allowed_tools": ["a"]}}
        tools = read(ask(tools=[function, search, bash, mcp], mcp_servers=[server, other])).tools
        self.assertEqual(
            tools[0],
            Tool(
                "t",
                description="d",
                schema={"type": "object"},
                strict=True,
                examples=({"a": 1},),
                deferred=True,
                mark=Mark(None, "/tools/0/cache_control"),
                at="/tools/0",
            ),
        )
        self.assertEqual(
            [(tool.name, tool.kind, tool.family) for tool in tools[1:]],
            [
                ("tool_search_tool_regex", "hosted", "tool_search"),
                ("bash", "hosted", "other"),
                ("s", "hosted", "mcp"),
                ("o", "hosted", "mcp"),
            ],
        )
        self.assertEqual(tools[3].server, Server("s", "https://s.example", "k", at="/mcp_servers/0"))
        self.assertEqual(tools[4].server, Server("o", "https://s.example", "k", allowed=("a",), at="/mcp_servers/1"))

    def test_choice(self) -> None:
        """Each choice, and that calls come one at a time."""
        tools = [{"name": "t", "input_schema": {}}, {"type": "web_search_20250305", "name": "web_search"}]
        choices: list[tuple[dict[str, Any], ToolPolicy]] = [
            ({"type": "auto", "disable_parallel_tool_use": True}, ToolPolicy("auto", parallel=False)),
            ({"type": "any", "disable_parallel_tool_use": False}, ToolPolicy("required", parallel=True)),
            ({"type": "none"}, ToolPolicy("none")),
            ({"type": "tool", "name": "t"}, ToolPolicy("one", ("t",), ("function",))),
        ]
        for choice, policy in choices:
            self.assertEqual(read(ask(tools=tools, tool_choice=choice)).policy, policy)
        hosted = {"type": "tool", "name": "web_search"}
        self.assertEqual(read(ask(tools=tools, tool_choice=hosted)).policy, ToolPolicy("hosted", ("web_search",), raw=hosted))

    def test_callers(self) -> None:
        """A tool that programs call as well loses that; one that only they call cannot be offered."""
        tool = {"name": "t", "input_schema": {}}
        exchange = context()
        read(ask(tools=[{**tool, "allowed_callers": ["direct", "code_execution_20250825"]}]), exchange)
        self.assertEqual(noted(exchange), [("/tools/0/allowed_callers", "dropped")])
        fault = self.assertRaises(Fault, read, ask(tools=[{**tool, "allowed_callers": ["code_execution_20250825"]}]))
        self.assertEqual((fault.code, fault.param), ("llmux_untranslatable", "/tools/0/allowed_callers"))


class RefusedTests(SynchronousTestCase):
    """What cannot be read, or has no meaning elsewhere."""

    def test_malformed(self) -> None:
        """The field at fault is named."""
        cases: list[tuple[dict[str, Any], str]] = [
            ({}, "/messages"),
            ({"messages": []}, "/messages"),
            ({"messages": [{"role": "tool"}]}, "/messages/0/role"),
            ({"messages": [{"role": "user", "content": 3}]}, "/messages/0/content"),
            (said({"type": "tool_use", "id": 3}), "/messages/0/content/0/id"),
            (said({"type": "tool_use", "id": "a", "name": "b", "input": "c"}), "/messages/0/content/0/input"),
            (said({"type": "text"}), "/messages/0/content/0/text"),
            (said({"type": "image"}), "/messages/0/content/0/source"),
            (said({"type": "image", "source": {"type": "x"}}), "/messages/0/content/0/source/type"),
            (ask(system=[3]), "/system/0"),
            (ask(max_tokens="9"), "/max_tokens"),
            (ask(stop_sequences="END"), "/stop_sequences"),
            (ask(thinking={"type": "enabled"}), "/thinking/budget_tokens"),
            (ask(thinking={"type": "much"}), "/thinking/type"),
            (ask(output_config={"effort": "huge"}), "/output_config/effort"),
            (ask(output_config={"format": {"type": "xml"}}), "/output_config/format/type"),
            (ask(tools=[{"input_schema": {}}]), "/tools/0/name"),
            (ask(tool_choice={"type": "tool", "name": "nobody"}), "/tool_choice/name"),
            (ask(service_tier="gold"), "/service_tier"),
        ]
        for doc, param in cases:
            fault = self.assertRaises(Fault, read, doc)
            self.assertEqual((fault.kind, fault.param), ("invalid", param))

    def test_only_here(self) -> None:
        """What changes the meaning and nobody else knows is refused, unless the request is answered here."""
        cases: list[tuple[dict[str, Any], str]] = [
            (ask(container="c"), "/container"),
            (ask(compaction={"type": "summarize"}), "/compaction"),
            (ask(thread={"type": "continue", "previous_message_id": "m"}), "/thread"),
            (ask(max_tokens=0), "/max_tokens"),
            (said({"type": "container_upload", "file_id": "f"}), "/messages/0/content/0"),
            (said({"type": "tool_addition", "tool": {}}, role="system"), "/messages/0/content/0"),
        ]
        for doc, param in cases:
            fault = self.assertRaises(Fault, read, doc)
            self.assertEqual((fault.code, fault.param), ("llmux_untranslatable", param))
            read(doc, context(lenient=True))

    def test_versions(self) -> None:
        """Each version refuses what it refuses itself; there are two."""
        document = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "t"}}
        for doc, param in (
            (ask(temperature=1), "/temperature"),
            (ask(top_p=1), "/top_p"),
            (ask(top_k=1), "/top_k"),
            (said(document, role="assistant"), "/messages/0/content/0"),
        ):
            read(doc, context(version="2023-06-01"))
            fault = self.assertRaises(Fault, read, doc, context(version="2026-10-21"))
            self.assertEqual((fault.kind, fault.param), ("invalid", param))
        self.assertEqual(self.assertRaises(Fault, read, ask(), context(version="2024-01-01")).param, "anthropic-version")
        exchange = context(version=None)
        read(ask(temperature=1), exchange)
        self.assertEqual(noted(exchange), [("anthropic-version", "invented")])
