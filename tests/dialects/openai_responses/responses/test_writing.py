"""Tests for the writer of response objects."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from llmux import jsonio
from llmux.dialects.neutral import (
    Annotation,
    Choice,
    Finish,
    Inline,
    Media,
    Message,
    OpaqueItem,
    OutputItem,
    Reason,
    Reasoning,
    Refusal,
    Response,
    Seal,
    Segment,
    ServerCall,
    ServerResult,
    Text,
    TokenProbability,
    ToolCall,
    Usage,
)
from llmux.dialects.openai_responses.responses import write
from tests import oracles
from tests.dialects.openai_responses.saying import exchange, noted
from tests.dialects.tellings import RESPONSES, context, response

HIT = Annotation("url", "https://x", "X", dialect="anthropic", raw={})


def body(*items: OutputItem, asked: dict[str, Any] | None = None, reason: Reason = "stop") -> dict[str, Any]:
    """The body of some items, which the SDK takes."""
    written = write(response(*items, reason=reason), context(asked))
    oracles.response(jsonio.loads(jsonio.dumps(written)))
    return written


def output(*items: OutputItem, asked: dict[str, Any] | None = None) -> list[Any]:
    """The output of some items."""
    found: list[Any] = body(*items, asked=asked)["output"]
    return found


class WriteTests(SynchronousTestCase):
    """A whole body."""

    def test_strict(self) -> None:
        """The SDK's strict types take every response, and know every member."""
        for whole in RESPONSES.values():
            oracles.response(write(whole, context()))

    def test_echoes(self) -> None:
        """What was asked is repeated, and what was not has its default; readers insist on a function's two members."""
        asked = {
            "instructions": "Be brief.",
            "parallel_tool_calls": False,
            "temperature": None,
            "tools": [
                {"type": "function", "name": "f", "strict": True},
                {"type": "namespace", "name": "ns", "tools": [{"type": "function", "name": "g"}]},
                {"type": "local_shell"},
                {"type": "mcp", "server_label": "l", "server_url": "https://x", "authorization": "secret", "headers": {"a": "b"}},
            ],
            "service_tier": "auto",
            "text": {"verbosity": "low", "format": None},
            "reasoning": {"effort": "high"},
            "prompt_cache_options": {"mode": "explicit", "prewarm": False},
            "prompt_cache_retention": "24h",
        }
        written = body(asked=asked)
        self.assertEqual(
            (written["instructions"], written["parallel_tool_calls"], written["temperature"]), ("Be brief.", False, 1.0)
        )
        self.assertEqual((written["service_tier"], written["tool_choice"]), ("default", "auto"))
        self.assertEqual(written["text"], {"format": {"type": "text"}, "verbosity": "low"})
        self.assertEqual(written["reasoning"], {"effort": "high", "summary": None})
        self.assertEqual(written["prompt_cache_options"], {"mode": "explicit", "ttl": "30m"})
        self.assertEqual(written["tools"][0], {"parameters": None, "strict": True, "type": "function", "name": "f"})
        self.assertEqual(written["tools"][1]["description"], "")
        self.assertEqual(written["tools"][3], {"type": "mcp", "server_label": "l", "server_url": "https://x"})

    def test_reasoning(self) -> None:
        """Summaries and the model's own text have lists of their own; a seal goes with them."""
        own = Seal("openai", "encrypted", "gAAA")
        (item,) = output(Reasoning((Segment("summary", "s"), Segment("full", "f")), (own,)))
        self.assertEqual(
            item,
            {
                "id": "rs_abc_0",
                "type": "reasoning",
                "summary": [{"type": "summary_text", "text": "s"}],
                "content": [{"type": "reasoning_text", "text": "f"}],
                "encrypted_content": "gAAA",
            },
        )

    def test_seals(self) -> None:
        """A call's stands before it, a text's behind, a second one in an item of its own."""
        seal = Seal("gemini", "thought_signature", "G")
        thought = Reasoning((), (Seal("anthropic", "redacted", "A"), Seal("anthropic", "redacted", "B")))
        items = output(thought, ToolCall("c1", "f", "{}", seals=(seal,)), Message("assistant", (Text("t", seals=(seal,)),)))
        self.assertEqual(
            [item["id"] for item in items], ["rs_abc_0", "rs_abc_1", "rs_abc_2", "fc_abc_3", "msg_abc_4", "rs_abc_5"]
        )
        payloads = [context().seals.open(item["encrypted_content"], seal) for item in items if "encrypted_content" in item]
        self.assertEqual([found.payload for found in payloads if found is not None], ["A", "B", "G", "G"])

    def test_calls(self) -> None:
        """Custom tools, namespaces, and tools of OpenAI's design that the client offered."""
        asked = {
            "tools": [{"type": "local_shell"}, {"type": "apply_patch"}],
            "input": [{"type": "additional_tools", "tools": [{"type": "shell"}]}],
        }
        custom, spaced, shell, patch, more, other = output(
            ToolCall("c1", "patch", "raw", kind="custom", namespace="ns"),
            ToolCall("c2", "f", "", namespace="ns"),
            ToolCall("c3", "local_shell", '{"command":"ls","timeout_ms":5}'),
            ToolCall("c4", "apply_patch", '{"type":"delete_file","path":"x"}'),
            ToolCall("c5", "shell", '{"commands":["ls"]}'),
            ToolCall("c6", "tool_search", '{"query":"q"}'),
            asked=asked,
        )
        self.assertEqual(
            custom,
            {"id": "ctc_abc_0", "type": "custom_tool_call", "call_id": "c1", "name": "patch", "input": "raw", "namespace": "ns"},
        )
        self.assertEqual((spaced["arguments"], spaced["namespace"]), ("{}", "ns"))
        self.assertEqual(
            shell,
            {
                "id": "lsh_abc_2",
                "type": "local_shell_call",
                "call_id": "c3",
                "status": "completed",
                "action": {"type": "exec", "command": ["bash", "-lc", "ls"], "env": {}, "timeout_ms": 5},
            },
        )
        self.assertEqual((patch["type"], patch["operation"]), ("apply_patch_call", {"type": "delete_file", "path": "x"}))
        self.assertEqual((more["type"], more["action"]), ("shell_call", {"commands": ["ls"]}))
        self.assertEqual(other["type"], "function_call")
        (broken,) = output(ToolCall("c3", "local_shell", "{"), asked=asked)
        self.assertEqual(broken["action"]["command"], [])

    def test_texts(self) -> None:
        """Probabilities with bytes, citations with spans; what is no citation here is carried by a note."""
        tokens = (TokenProbability("é", -0.5, None, (TokenProbability("e", -1.0, (101,)),)),)
        cited = (HIT, Annotation("char_location", dialect="anthropic", raw={}, at="/content/0/citations"))
        exchanged = context()
        written = write(response(Message("assistant", (Text("é", cited, tokens),))), exchanged)
        (part,) = written["output"][0]["content"]
        oracles.response(written)
        self.assertEqual(
            part["annotations"], [{"type": "url_citation", "url": "https://x", "title": "X", "start_index": 0, "end_index": 1}]
        )
        top = {"token": "e", "logprob": -1.0, "bytes": [101]}
        self.assertEqual(part["logprobs"], [{"token": "é", "logprob": -0.5, "bytes": [195, 169], "top_logprobs": [top]}])
        self.assertEqual(noted(exchanged), ["carried /content/0/citations"])

    def test_phases(self) -> None:
        """What is said on the way, and what is the answer."""
        (item,) = output(Message("assistant", (Text("Hm."),), phase="commentary"))
        self.assertEqual(item["phase"], "commentary")

    def test_pictures(self) -> None:
        """What the model drew is what the API's own tool would have drawn."""
        (item,) = output(Message("assistant", (Media("image", Inline("AAAA"), "image/png"),)))
        self.assertEqual(
            item,
            {"id": "ig_abc_0", "type": "image_generation_call", "status": "completed", "result": "AAAA", "output_format": "png"},
        )

    def test_usage(self) -> None:
        """Counts are inclusive, with every detail; null where nobody counted; searches have a place of their own."""
        written = body()
        self.assertEqual(
            written["usage"],
            {
                "input_tokens": 50,
                "input_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 10},
                "output_tokens": 30,
                "output_tokens_details": {"reasoning_tokens": 12},
                "total_tokens": 80,
            },
        )
        self.assertIsNone(write(msgspec.structs.replace(response(), usage=None), context())["usage"])
        counted = write(msgspec.structs.replace(response(), usage=Usage(searches=2, tier="priority")), context())
        oracles.response(counted)
        self.assertEqual((counted["tool_usage"]["web_search"], counted["service_tier"]), ({"num_requests": 2}, "priority"))


class ServerToolTests(SynchronousTestCase):
    """What other providers' own tools did."""

    def call(self, family: Any, name: str, args: str, **more: Any) -> ServerCall:
        return ServerCall(family, "s1", name, args, "anthropic", more.pop("raw", {}), **more)

    def result(self, family: Any, *hits: Annotation, text: str = "", failed: bool = False, at: str = "") -> ServerResult:
        return ServerResult(family, "s1", hits, text, "anthropic", {}, failed, at=at)

    def test_search(self) -> None:
        """A search with its query; its sources for whom asks for them, else a note."""
        items = (self.call("web_search", "web_search", '{"query":"q"}'), self.result("web_search", HIT, at="/content/1"))
        include = {"include": ["web_search_call.action.sources"]}
        action = {"type": "search", "query": "q"}
        self.assertEqual(output(*items), [{"id": "ws_abc_0", "type": "web_search_call", "status": "completed", "action": action}])
        self.assertEqual(output(*items, asked=include)[0]["action"]["sources"], [{"type": "url", "url": "https://x"}])
        exchanged = exchange()
        write(response(*items), exchanged)
        self.assertEqual(noted(exchanged), ["dropped /content/1"])

    def test_others(self) -> None:
        """Pages, programs, servers of tools; a failure is one."""
        (page,) = output(self.call("web_fetch", "web_fetch", '{"url":"https://x"}'))
        self.assertEqual(page["action"], {"type": "open_page", "url": "https://x"})
        (code,) = output(self.call("code", "code_execution", '{"code":"1+1"}'), self.result("code", text="2"))
        self.assertEqual((code["code"], code["outputs"]), ("1+1", [{"type": "logs", "logs": "2"}]))
        called = self.call("mcp", "find", "{}", raw={"server_name": "l"})
        (told,) = output(called, self.result("mcp", text="found"))
        self.assertEqual((told["server_label"], told["output"], told["status"]), ("l", "found", "completed"))
        (failed,) = output(called, self.result("mcp", text="gone", failed=True))
        self.assertEqual(
            (failed["output"], failed["status"], failed["error"]["type"]), (None, "failed", "mcp_tool_execution_error")
        )

    def test_unsayable(self) -> None:
        """What has no counterpart is noted where it stood; what this dialect said is as it was."""
        exchanged = exchange()
        opaque = OpaqueItem("hologram", {}, "gemini", at="/candidates/0/content/parts/1")
        own = OpaqueItem("compaction", {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"}, "openai-responses")
        written = write(response(opaque, self.call("file_search", "find", "{}"), own), exchanged)
        self.assertEqual(written["output"], [own.raw])
        self.assertEqual(noted(exchanged), ["dropped /candidates/0/content/parts/1", "dropped /output"])


class EndingTests(SynchronousTestCase):
    """Why the model stopped."""

    def ended(self, finish: Finish, *items: OutputItem) -> tuple[dict[str, Any], list[str]]:
        exchanged = exchange()
        written = write(Response("abc", "m", 0, (Choice(items, finish),), None), exchanged)
        oracles.response(written)
        return written, noted(exchanged)

    def test_states(self) -> None:
        """Completed, incomplete for a reason, failed with an error."""
        cases: list[tuple[Finish, str, str | None, str | None, list[str]]] = [
            (Finish("stop"), "completed", None, None, []),
            (Finish("tool_calls"), "completed", None, None, []),
            (Finish("stop_sequence", "###", sequence_at="/seq"), "completed", None, None, ["dropped /seq"]),
            (Finish("length"), "incomplete", "max_output_tokens", None, []),
            (Finish("context_full", at="/why"), "incomplete", "max_output_tokens", None, ["approximated /why"]),
            (Finish("continuation"), "incomplete", "max_output_tokens", None, []),
            (Finish("filter"), "incomplete", "content_filter", None, []),
            (Finish("blocked"), "incomplete", "content_filter", None, []),
            (Finish("refusal"), "incomplete", "content_filter", None, []),
            (Finish("paused", at="/why"), "completed", None, None, ["approximated /why"]),
            (Finish("unknown", raw="lunch", at="/why"), "completed", None, None, ["approximated /why"]),
            (Finish("malformed", message="f(("), "failed", None, "server_error", []),
            (Finish("unsealed"), "failed", None, "invalid_prompt", []),
            (Finish("disabled"), "failed", None, "server_error", []),
        ]
        for finish, status, why, code, notes in cases:
            written, told = self.ended(finish)
            self.assertEqual((written["status"], told), (status, notes), finish)
            self.assertEqual(written["incomplete_details"], {"reason": why} if why else None, finish)
            self.assertEqual(written["error"] and written["error"]["code"], code, finish)

    def test_refusals(self) -> None:
        """With words it is an answer, whether the model said them or the provider."""
        said, _ = self.ended(Finish("refusal"), Message("assistant", (Refusal("No."),), cut=True))
        told, notes = self.ended(Finish("refusal", message="No.", category="cyber"))
        for written in (said, told):
            self.assertEqual((written["status"], written["output"][0]["status"]), ("completed", "completed"))
            self.assertEqual(written["output"][0]["content"], [{"type": "refusal", "refusal": "No."}])
        self.assertEqual(notes, ["dropped /stop_details/category"])

    def test_broken_items(self) -> None:
        """What broke off is incomplete: nobody shall carry it out."""
        written, _ = self.ended(
            Finish("length"), Message("assistant", (Text("a"),), cut=True), ToolCall("c1", "f", "{", cut=True)
        )
        self.assertEqual([item["status"] for item in written["output"]], ["incomplete", "incomplete"])
        self.assertEqual(written["output"][1]["arguments"], "{")
