"""Tests for the reader of tools and of the choice among them, and for what Codex sends."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.neutral import Message, Text, Tool, ToolCall, ToolPolicy, ToolResult
from llmux.dialects.openai_responses.requests import parse
from llmux.errors import Fault
from tests.dialects.openai_responses.saying import exchange, parsed

F = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": False}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}


class ToolTests(SynchronousTestCase):
    """What a request offers."""

    def test_kinds(self) -> None:
        """Functions, custom tools, those inside namespaces, and what OpenAI runs itself."""
        doc = {
            "input": "x",
            "tools": [
                {**F, "description": "d", "output_schema": {"type": "string"}},
                {"type": "custom", "name": "patch", "format": GRAMMAR},
                {"type": "custom", "name": "free", "format": {"type": "text"}},
                {"type": "namespace", "name": "ns", "description": "About.", "tools": [F, {**F, "name": "g"}]},
                {"type": "web_search", "external_web_access": True},
            ],
        }
        request, notes = parsed(doc)
        schema: dict[str, Any] = {"type": "object"}
        self.assertEqual(
            request.tools,
            (
                Tool("f", description="d", schema=schema, strict=False, output_schema={"type": "string"}, at="/tools/0"),
                Tool("patch", "custom", grammar=GRAMMAR, at="/tools/1"),
                Tool("free", "custom", at="/tools/2"),
                Tool("f", namespace="ns", description="About.", schema=schema, strict=False, at="/tools/3/tools/0"),
                Tool("g", namespace="ns", schema=schema, strict=False, at="/tools/3/tools/1"),
                Tool("web_search", "hosted", family="web_search", dialect="openai-responses", raw=doc["tools"][4], at="/tools/4"),
            ),
        )
        self.assertEqual(notes, ["approximated /tools/3/description"])

    def test_noted(self) -> None:
        """Late loading without a search of OpenAI's, other callers, running beside."""
        tools = [{**F, "defer_loading": True, "async": True, "allowed_callers": ["direct", "programmatic"], "x": 1}]
        request, notes = parsed({"input": "x", "tools": tools})
        self.assertIsNone(request.tools[0].deferred)
        self.assertEqual(
            sorted(notes),
            [
                "approximated /tools/0/defer_loading",
                "dropped /tools/0/allowed_callers",
                "dropped /tools/0/async",
                "dropped /tools/0/x",
            ],
        )
        searched = [{**F, "defer_loading": True}, {"type": "tool_search"}]
        self.assertIs(parsed({"input": "x", "tools": searched})[0].tools[0].deferred, True)
        only = {"input": "x", "tools": [{**F, "allowed_callers": ["programmatic"]}]}
        self.assertEqual(self.assertRaises(Fault, parse, only, exchange()).param, "/tools/0/allowed_callers")

    def test_brought_later(self) -> None:
        """Tools that come in the conversation are there from the beginning, once."""
        more = {"type": "additional_tools", "role": "developer", "tools": [F, {**F, "name": "g"}]}
        request, notes = parsed({"input": [more, {"role": "user", "content": "x"}, more], "tools": [F]})
        self.assertEqual([(tool.name, tool.at) for tool in request.tools], [("f", "/tools/0"), ("g", "/input/0/tools/1")])
        self.assertEqual(notes, ["approximated /input/0", "approximated /input/2"])

    def test_refused(self) -> None:
        """Tools without a name, and what are none."""
        for tools, pointer in (({}, "/tools"), ([{"type": "function"}], "/tools/0/name"), ([7], "/tools/0")):
            doc: dict[str, Any] = {"input": "x", "tools": tools}
            self.assertEqual(self.assertRaises(Fault, parse, doc, exchange()).param, pointer)


class ChoiceTests(SynchronousTestCase):
    """Which tools may be called."""

    def policy(self, choice: Any) -> ToolPolicy:
        tools = [F, {"type": "custom", "name": "patch"}, {"type": "web_search"}, {"type": "local_shell"}]
        return parsed({"input": "x", "tools": tools, "tool_choice": choice})[0].policy

    def test_modes(self) -> None:
        """By a word, by a name, by a list of names."""
        for word in ("auto", "none", "required"):
            self.assertEqual(self.policy(word).mode, word)
        self.assertEqual(self.policy({"type": "function", "name": "f"}), ToolPolicy("one", ("f",), ("function",)))
        self.assertEqual(self.policy({"type": "custom", "name": "patch"}), ToolPolicy("one", ("patch",), ("custom",)))
        self.assertEqual(self.policy({"type": "local_shell"}), ToolPolicy("one", ("local_shell",), ("function",)))
        for kind in ("web_search", "web_search_preview"):
            hosted = {"type": kind}
            self.assertEqual(self.policy(hosted), ToolPolicy("hosted", ("web_search",), ("hosted",), raw=hosted))
        names = [{"type": "function", "name": "f"}, {"type": "custom", "name": "patch"}, {"type": "web_search"}]
        self.assertEqual(
            self.policy({"type": "allowed_tools", "mode": "required", "tools": names}),
            ToolPolicy("subset_required", ("f", "patch", "web_search"), ("function", "custom", "hosted")),
        )
        alone = self.policy({"type": "allowed_tools", "mode": "auto", "tools": [hosted]})
        self.assertEqual(alone, ToolPolicy("subset_auto", ("web_search",), ("hosted",)))
        self.assertEqual(self.policy({"type": "allowed_tools", "mode": "auto", "tools": []}), ToolPolicy("none"))

    def test_namespaces(self) -> None:
        """A choice tells no namespace: it means the tool outside of them all, or the only one of that name."""
        inside = [{"type": "namespace", "name": name, "tools": [F]} for name in ("one", "two")]
        choice = {"type": "function", "name": "f"}
        for tools in (inside[:1], [inside[0], F]):
            request, _ = parsed({"input": "x", "tools": tools, "tool_choice": choice})
            self.assertEqual(request.policy, ToolPolicy("one", ("f",), ("function",)))
        fault = self.assertRaises(Fault, parsed, {"input": "x", "tools": inside, "tool_choice": choice})
        self.assertEqual(fault.param, "/tool_choice/name")

    def test_refused(self) -> None:
        """Names that were not offered, and words that are none."""
        for choice in (
            "always",
            {"type": "function", "name": "g"},
            {"type": "custom", "name": "f"},
            {"type": "mcp", "server_label": "s"},
        ):
            fault = self.assertRaises(Fault, self.policy, choice)
            self.assertEqual((fault.kind, fault.param), ("invalid", "/tool_choice"))


class LocalToolTests(SynchronousTestCase):
    """Tools of OpenAI's design that the client runs: functions to everybody else."""

    def test_offered(self) -> None:
        """With the arguments that their calls hold, unless the client has a function of that name."""
        tools = [
            {"type": "local_shell"},
            {"type": "apply_patch"},
            {"type": "shell"},
            {"type": "shell", "environment": {"type": "container_auto"}},
        ]
        request, notes = parsed({"input": "x", "tools": tools})
        self.assertEqual(
            [(tool.name, tool.kind) for tool in request.tools[:3]],
            [(name, "function") for name in ("local_shell", "apply_patch", "shell")],
        )
        self.assertEqual(request.tools[3].kind, "hosted")
        self.assertEqual(notes, ["approximated /tools/0", "approximated /tools/1", "approximated /tools/2"])
        both = parsed({"input": "x", "tools": [{"type": "apply_patch"}, {"type": "custom", "name": "apply_patch"}]})[0].tools
        self.assertEqual([tool.kind for tool in both], ["hosted", "custom"])

    def test_history(self) -> None:
        """Their calls and outputs are calls and results."""
        nodes = [
            {
                "type": "local_shell_call",
                "id": "lsh_1",
                "call_id": "c1",
                "status": "completed",
                "action": {"type": "exec", "command": ["ls"], "env": {}, "timeout_ms": 5},
            },
            {"type": "local_shell_call_output", "id": "lsh_1", "output": "a"},
            {"type": "shell_call", "call_id": "c2", "action": {"commands": ["ls"]}},
            {
                "type": "shell_call_output",
                "call_id": "c2",
                "output": [{"stdout": "a", "stderr": "", "outcome": {"type": "timeout"}}],
            },
            {
                "type": "apply_patch_call",
                "call_id": "c3",
                "operation": {"type": "delete_file", "path": "x"},
                "status": "completed",
            },
            {"type": "apply_patch_call_output", "call_id": "c3", "status": "failed", "output": "no such file"},
        ]
        request, notes = parsed({"input": nodes})
        calls = [item for item in request.items if isinstance(item, ToolCall)]
        self.assertEqual(
            [(call.call_id, call.name, call.args_text) for call in calls],
            [
                ("c1", "local_shell", '{"command":["ls"],"timeout_ms":5}'),
                ("c2", "shell", '{"commands":["ls"]}'),
                ("c3", "apply_patch", '{"type":"delete_file","path":"x"}'),
            ],
        )
        results = [item for item in request.items if isinstance(item, ToolResult)]
        self.assertEqual([(result.call_id, result.is_error) for result in results], [("c1", False), ("c2", False), ("c3", True)])
        self.assertEqual(notes, [])


class CodexTests(SynchronousTestCase):
    """What Codex sends to a provider of the configuration's, shortened; recorded from 0.169."""

    REQUEST: dict[str, Any] = {
        "model": "gpt-5.5",
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"effort": "high", "summary": "auto"},
        "store": False,
        "stream": True,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "01a21d72",
        "text": {"verbosity": "low"},
        "client_metadata": {"turn_id": "01a21d72"},
    }
    EXEC = {"type": "function", "name": "exec_command", "description": "Runs.", "strict": False, "parameters": {"type": "object"}}

    def test_functions(self) -> None:
        """A model with functions, a patch tool and a search for tools."""
        found = {
            "type": "namespace",
            "name": "agents",
            "description": "",
            "tools": [{**self.EXEC, "name": "spawn", "defer_loading": True}],
        }
        nodes = [
            {
                "type": "message",
                "id": "msg_1",
                "role": "developer",
                "content": [{"type": "input_text", "text": "You are Codex."}],
            },
            {"type": "message", "id": "msg_2", "role": "user", "content": [{"type": "input_text", "text": "Say hello"}]},
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "s"}],
                "content": None,
                "encrypted_content": "g",
            },
            {
                "type": "message",
                "status": "completed",
                "id": "msg_3",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "Let me see.", "annotations": [], "logprobs": []}],
                "phase": "commentary",
            },
            {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c1", "name": "apply_patch", "input": "*** Begin Patch"},
            {"type": "custom_tool_call_output", "id": "ctco_1", "call_id": "c1", "output": "Exit code: 0"},
            {
                "type": "tool_search_call",
                "id": "tsc_1",
                "call_id": "c2",
                "status": "completed",
                "execution": "client",
                "arguments": {"query": "q"},
            },
            {"type": "tool_search_output", "call_id": "c2", "status": "completed", "execution": "client", "tools": [found]},
        ]
        tools = [
            self.EXEC,
            {"type": "custom", "name": "apply_patch", "description": "Edits.", "format": GRAMMAR},
            {"type": "tool_search", "execution": "client", "description": "Finds.", "parameters": {"type": "object"}},
        ]
        request, notes = parsed({**self.REQUEST, "input": nodes, "tools": tools})
        self.assertEqual(
            [(tool.kind, tool.namespace, tool.name) for tool in request.tools],
            [
                ("function", "", "exec_command"),
                ("custom", "", "apply_patch"),
                ("function", "", "tool_search"),
                ("function", "agents", "spawn"),
            ],
        )
        self.assertEqual((request.store, request.caching.key, request.display), (False, "01a21d72", "summary"))
        result = request.items[-1]
        assert isinstance(result, ToolResult)
        self.assertEqual(result.parts, (Text("Tools that were found:\nagents__spawn", at="/input/7/tools"),))
        self.assertEqual(
            sorted(notes),
            ["approximated /input/7/tools/0/tools/0/defer_loading", "approximated /tools/2", "dropped /client_metadata"],
        )

    def test_namespaces(self) -> None:
        """A newer model: no tools but those that the conversation brings, and code instead of calls."""
        more = {
            "type": "additional_tools",
            "id": "at_1",
            "role": "developer",
            "tools": [
                {
                    "type": "namespace",
                    "name": "functions",
                    "description": "",
                    "tools": [{"type": "custom", "name": "exec", "description": "Run JavaScript.", "format": GRAMMAR}],
                }
            ],
        }
        said = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Say hello"}]}
        call = {"type": "custom_tool_call", "call_id": "c1", "name": "exec", "namespace": "functions", "input": "text(1)"}
        outputs = [
            {"type": "custom_tool_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "1"}]},
            {"type": "custom_tool_call_output", "call_id": "c1", "output": "a notice"},
        ]
        doc = {**self.REQUEST, "reasoning": {"effort": "high", "context": "all_turns"}, "input": [more, said, call, *outputs]}
        request, notes = parsed(doc)
        self.assertEqual([(tool.kind, tool.namespace, tool.name) for tool in request.tools], [("custom", "functions", "exec")])
        self.assertEqual([type(item) for item in request.items], [Message, ToolCall, ToolResult])
        self.assertEqual(
            sorted(notes),
            ["approximated /input/0", "approximated /input/4", "dropped /client_metadata", "dropped /reasoning/context"],
        )
