"""A provider's own tool stands for another's where that is wanted, and what a client forbids stays forbidden."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.context import Context, Options, Target
from llmux.dialects.notes import Notes
from llmux.dialects.registry import DIALECTS
from llmux.dialects.seals import Seals
from llmux.dialects.translation import Translation
from llmux.errors import Fault

CH, RE, AN, GE = "openai-chat", "openai-responses", "anthropic", "gemini"
ASKED: dict[str, dict[str, Any]] = {
    CH: {"model": "m", "messages": [{"role": "user", "content": "x"}]},
    RE: {"model": "m", "input": "x"},
    AN: {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]},
    GE: {"contents": [{"parts": [{"text": "x"}]}]},
}
MODELS = {CH: "gpt-5.1", RE: "gpt-5.1", AN: "claude-sonnet-4-5", GE: "gemini-3-pro-preview"}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
FETCH = {"type": "web_fetch_20250910", "name": "web_fetch"}
RUN = {"type": "code_execution_20250825", "name": "code_execution"}


def told(client: str, provider: str, tools: Any, hosted_tools: Any = "map", **more: Any) -> tuple[dict[str, Any], list[str]]:
    """What a provider gets of a request that offers tools, and the notes on these."""
    notes = Notes()
    target = Target.of(MODELS[provider], Options(hosted_tools=hosted_tools))
    asked = {**ASKED[client], **({"web_search_options": tools} if client == CH else {"tools": tools}), **more}
    context = Context(notes=notes, seals=Seals((b"k",)), target=target, asked=asked, version="2023-06-01")
    body = Translation(DIALECTS[client].rooms, DIALECTS[provider], context).body
    return body, [f"{note.action} {note.pointer}" for note in notes if "tool" in note.pointer or "search" in note.pointer]


def refused(client: str, provider: str, tools: Any, hosted_tools: Any = "map", **more: Any) -> str | None:
    """The field for which a request is refused."""
    try:
        body, _ = told(client, provider, tools, hosted_tools, **more)
    except Fault as fault:
        return fault.param
    raise AssertionError(f"{client} > {provider}: {body}")


class HostedTests(SynchronousTestCase):
    def test_families(self) -> None:
        """Each family that both sides have; whatever the other side has not is refused."""
        cases: list[tuple[str, Any, dict[str, Any]]] = [
            (AN, SEARCH, {CH: {}, RE: {"type": "web_search"}, GE: {"googleSearch": {}}}),
            (AN, FETCH, {RE: {"type": "web_search"}, GE: {"urlContext": {}}}),
            (AN, RUN, {RE: {"type": "code_interpreter", "container": {"type": "auto"}}, GE: {"codeExecution": {}}}),
            (RE, {"type": "web_search"}, {CH: {}, AN: SEARCH, GE: {"googleSearch": {}}}),
            (RE, {"type": "code_interpreter", "container": {"type": "auto"}}, {AN: RUN, GE: {"codeExecution": {}}}),
            (GE, {"googleSearch": {}}, {CH: {}, RE: {"type": "web_search"}, AN: SEARCH}),
            (GE, {"urlContext": {}}, {RE: {"type": "web_search"}, AN: FETCH}),
            (GE, {"codeExecution": {}}, {RE: {"type": "code_interpreter", "container": {"type": "auto"}}, AN: RUN}),
            (CH, {}, {RE: {"type": "web_search"}, AN: SEARCH, GE: {"googleSearch": {}}}),
        ]
        for client, tool, expected in cases:
            offered = tool if client == CH else [tool]
            for provider in MODELS:
                if provider == client:
                    continue
                self.assertIsNotNone(refused(client, provider, offered, "refuse"))
                if provider not in expected:
                    self.assertIsNotNone(refused(client, provider, offered), (client, tool, provider))
                    continue
                body, notes = told(client, provider, offered)
                found = body["web_search_options"] if provider == CH else body["tools"][0]
                self.assertEqual(found, expected[provider], (client, tool, provider))
                self.assertEqual([note.split()[0] for note in notes], ["approximated"], (client, tool, provider))

    def test_sites(self) -> None:
        """Which sites may be read is said, or the request is refused."""
        allowed, blocked = {**SEARCH, "allowed_domains": ["a.org"]}, {**SEARCH, "blocked_domains": ["b.org"]}
        body, _ = told(AN, RE, [allowed])
        self.assertEqual(body["tools"], [{"type": "web_search", "filters": {"allowed_domains": ["a.org"]}}])
        body, _ = told(AN, RE, [{**FETCH, "allowed_domains": ["a.org"]}])
        self.assertEqual(body["tools"], [{"type": "web_search", "filters": {"allowed_domains": ["a.org"]}}])
        body, _ = told(RE, AN, [{"type": "web_search", "filters": {"allowed_domains": ["a.org"]}}])
        self.assertEqual(body["tools"], [allowed])
        self.assertEqual(told(AN, GE, [blocked])[0]["tools"], [{"googleSearch": {"excludeDomains": ["b.org"]}}])
        google = [{"googleSearch": {"excludeDomains": ["b.org"]}}]
        self.assertEqual(told(GE, AN, google)[0]["tools"], [blocked])
        for provider in (CH, RE):
            self.assertEqual(refused(GE, provider, google), "/tools/0/googleSearch/excludeDomains")
            self.assertEqual(refused(AN, provider, [blocked]), "/tools/0/blocked_domains")
        for provider in (CH, GE):
            self.assertEqual(refused(AN, provider, [allowed]), "/tools/0/allowed_domains")
            filtered = [{"type": "web_search", "filters": {"allowed_domains": ["a.org"]}}]
            self.assertEqual(refused(RE, provider, filtered), "/tools/0/filters/allowed_domains")
        self.assertEqual(refused(AN, GE, [{**FETCH, "blocked_domains": ["b.org"]}]), "/tools/0/blocked_domains")

    def test_one_counterpart_for_two(self) -> None:
        """Two tools that become one are one if both may do the same, and are refused if not."""
        near = {"user_location": {"type": "approximate", "city": "Oslo"}}
        body, _ = told(AN, RE, [{**SEARCH, **near, "allowed_domains": ["a.org"]}, {**FETCH, "allowed_domains": ["a.org"]}])
        self.assertEqual(body["tools"], [{"type": "web_search", **near, "filters": {"allowed_domains": ["a.org"]}}])
        self.assertEqual(refused(AN, RE, [{**SEARCH, "allowed_domains": ["a.org"]}, FETCH]), "/tools/1")
        two: list[dict[str, Any]] = [{"googleSearch": {}}, {"enterpriseWebSearch": {}}]
        self.assertEqual(told(GE, AN, two)[0]["tools"], [SEARCH])
        self.assertEqual(told(GE, CH, two)[0]["web_search_options"], {})
        two[1] = {"enterpriseWebSearch": {"excludeDomains": ["b.org"]}}
        self.assertEqual(refused(GE, AN, two), "/tools/1/enterpriseWebSearch")
        own = [{"googleSearch": {}}, {"functionDeclarations": [{"name": "web_search"}]}]
        self.assertEqual(refused(GE, AN, own), "/tools/1/functionDeclarations/0")

    def test_place(self) -> None:
        """Where the user is, and how much to read."""
        near = {"city": "Oslo", "country": "NO"}
        here = {"type": "approximate", **near}
        body, _ = told(AN, CH, [{**SEARCH, "user_location": here}])
        self.assertEqual(body["web_search_options"], {"user_location": {"type": "approximate", "approximate": near}})
        options = {"user_location": {"type": "approximate", "approximate": near}, "search_context_size": "low"}
        body, _ = told(CH, RE, options)
        self.assertEqual(body["tools"], [{"type": "web_search", "user_location": here, "search_context_size": "low"}])
        body, notes = told(CH, AN, options)
        self.assertEqual(body["tools"], [{**SEARCH, "user_location": here}])
        self.assertIn("dropped /web_search_options/search_context_size", notes)
        _, notes = told(RE, GE, [{"type": "web_search", "user_location": here}])
        self.assertIn("dropped /tools/0/user_location", notes)

    def test_other_limits(self) -> None:
        """What only one API knows is noted; what changes who may do what is refused."""
        _, notes = told(AN, RE, [{**SEARCH, "max_uses": 3, "allowed_callers": ["direct"]}])
        self.assertEqual(notes, ["approximated /tools/0", "dropped /tools/0/max_uses"])
        _, notes = told(GE, AN, [{"googleSearch": {"timeRangeFilter": {"startTime": "2026-01-01T00:00:00Z"}}}])
        self.assertIn("dropped /tools/0/googleSearch/timeRangeFilter/startTime", notes)
        fetch = {**FETCH, "url_sources": {"user_input": {"type": "all"}, "client_tool_results": {"type": "none"}}}
        self.assertEqual(refused(AN, RE, [fetch]), "/tools/0/url_sources/client_tool_results")
        odd = {**SEARCH, "user_location": {"type": "approximate", "city": "Oslo", "street": "Karl Johans gate"}}
        for provider in (CH, RE):
            self.assertIn("dropped /tools/0/user_location/street", told(AN, provider, [odd])[1])
        self.assertIn(
            "dropped /tools/0/search_context_size", told(RE, CH, [{"type": "web_search", "search_context_size": "x"}])[1]
        )
        called = {**SEARCH, "allowed_callers": ["code_execution_20250825"]}
        self.assertEqual(refused(AN, RE, [called]), "/tools/0/allowed_callers")
        for container, at in (("cntr_1", ""), ({"type": "auto", "file_ids": ["f"]}, "/file_ids")):
            for provider in (AN, GE):
                code = [{"type": "code_interpreter", "container": container}]
                self.assertEqual(refused(RE, provider, code), f"/tools/0/container{at}")
        _, notes = told(RE, GE, [{"type": "code_interpreter", "container": {"type": "auto", "memory_limit": "4g"}}])
        self.assertIn("dropped /tools/0/container/memory_limit", notes)

    def test_forced(self) -> None:
        """Who has to search has to search elsewhere too, where that can be said."""
        choice = {"type": "tool", "name": "web_search"}
        body, _ = told(AN, RE, [SEARCH], tool_choice=choice)
        only = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]}
        self.assertEqual(body["tool_choice"], only)
        for kind, name in (("web_search", "web_search"), ("code_interpreter", "code_execution")):
            tool: dict[str, Any] = {"type": kind} | ({"container": {"type": "auto"}} if kind == "code_interpreter" else {})
            body, _ = told(RE, AN, [tool], tool_choice={"type": kind})
            self.assertEqual(body["tool_choice"], {"type": "tool", "name": name})
        for provider in (CH, GE):
            self.assertEqual(refused(AN, provider, [SEARCH], tool_choice=choice), "/tool_choice")
        body, _ = told(RE, AN, [{"type": "web_search"}], tool_choice={"type": "web_search_preview"})
        self.assertEqual(body["tool_choice"], choice)

    def test_allowed(self) -> None:
        """What may be used: among all tools at Responses and Anthropic, among functions alone elsewhere."""
        functions = [{"type": "function", "name": name, "parameters": {"type": "object", "properties": {}}} for name in "fg"]
        offered, f, search = [*functions, {"type": "web_search"}], {"type": "function", "name": "f"}, {"type": "web_search"}

        def allowed(provider: str, mode: str, *tools: Any) -> dict[str, Any]:
            choice = {"type": "allowed_tools", "mode": mode, "tools": list(tools)}
            return told(RE, provider, offered, tool_choice=choice)[0]

        body = allowed(CH, "auto", f)
        self.assertNotIn("web_search_options", body)
        self.assertEqual(body["tool_choice"]["allowed_tools"]["tools"], [{"type": "function", "function": {"name": "f"}}])
        body = allowed(CH, "auto", search)
        self.assertEqual((body["web_search_options"], body["tool_choice"]), ({}, "none"))
        body = allowed(GE, "auto", f)
        self.assertEqual([list(tool) for tool in body["tools"]], [["functionDeclarations"]])
        body = allowed(GE, "auto", search)
        self.assertEqual(body["toolConfig"]["functionCallingConfig"], {"mode": "NONE"})
        self.assertEqual(body["tools"][1:], [{"googleSearch": {}}])
        self.assertEqual([tool["name"] for tool in allowed(AN, "auto", f)["tools"]], ["f"])
        body = allowed(AN, "required", search)
        self.assertEqual((body["tools"], body["tool_choice"]), ([SEARCH], {"type": "any"}))
        for provider in (CH, GE):
            only = {"type": "allowed_tools", "mode": "required", "tools": [search]}
            self.assertEqual(refused(RE, provider, offered, tool_choice=only), "/tool_choice")
            body, notes = told(RE, provider, [search], tool_choice="none")
            self.assertNotIn("earch", "".join(body))
            self.assertNotIn("tools", body)
            self.assertEqual(notes, ["approximated /tools/0"])

    def test_mixed(self) -> None:
        """Gemini is told that functions and tools of its own are both meant; it knows no AUTO then."""
        function = {"name": "f", "input_schema": {"type": "object", "properties": {}}}
        both = {"includeServerSideToolInvocations": True}
        self.assertEqual(told(AN, GE, [function, SEARCH])[0]["toolConfig"], both)
        body, _ = told(AN, GE, [function, SEARCH], tool_choice={"type": "auto"})
        self.assertEqual(body["toolConfig"], {"functionCallingConfig": {"mode": "VALIDATED"}, **both})
        for tools in ([function], [SEARCH]):
            self.assertNotIn("toolConfig", told(AN, GE, tools)[0])

    def test_required(self) -> None:
        """Where a function has to be called, a search is no call: that is noted."""
        offered = [{"name": "f", "input_schema": {"type": "object", "properties": {}}}, SEARCH]
        for provider, expected in ((CH, True), (GE, True), (RE, False)):
            _, notes = told(AN, provider, offered, tool_choice={"type": "any"})
            self.assertEqual("approximated /tool_choice" in notes, expected)

    def test_allowed_among_functions(self) -> None:
        """Where the choice is among functions alone, the search stays allowed elsewhere too."""
        offered = [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}, {"googleSearch": {}}]

        def configured(mode: str, *names: str) -> dict[str, Any]:
            return {"functionCallingConfig": {"mode": mode, **({"allowedFunctionNames": list(names)} if names else {})}}

        body, _ = told(GE, AN, offered, toolConfig=configured("AUTO", "f"))
        self.assertEqual([tool["name"] for tool in body["tools"]], ["f", "web_search"])
        body, _ = told(GE, AN, offered, toolConfig=configured("NONE"))
        self.assertEqual((body["tools"], body["tool_choice"]), ([SEARCH], {"type": "auto"}))
        body, _ = told(GE, RE, offered, toolConfig=configured("NONE"))
        only = {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "web_search"}]}
        self.assertEqual(body["tool_choice"], only)
        body, _ = told(GE, RE, offered, toolConfig=configured("AUTO", "f"))
        self.assertEqual(body["tool_choice"]["tools"], [{"type": "function", "name": "f"}, {"type": "web_search"}])
        body, _ = told(GE, CH, offered, toolConfig=configured("NONE"))
        self.assertEqual((body["tool_choice"], body["web_search_options"]), ("none", {}))
        for provider in (CH, RE, AN):  # a search that nobody can run takes no choice with it
            body, _ = told(GE, provider, offered, "drop", toolConfig=configured("NONE"))
            self.assertIn(body["tool_choice"], ("none", {"type": "none"}))

    def test_tools_found_late(self) -> None:
        """Tools that are looked for stay where they were, if the provider has such a search."""
        schema = {"type": "object", "properties": {}}
        late = {"name": "f", "input_schema": schema, "defer_loading": True}
        finder = {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}
        body, _ = told(AN, RE, [late, finder])
        self.assertEqual((body["tools"][0]["defer_loading"], body["tools"][1]), (True, {"type": "tool_search"}))
        function = {"type": "function", "name": "f", "parameters": schema, "strict": False, "defer_loading": True}
        for hosted_tools in ("refuse", "map"):  # whatever is found was offered by the client
            body, _ = told(RE, AN, [function, {"type": "tool_search"}], hosted_tools)
            self.assertEqual(body["tools"], [late, finder])
            for provider in (CH, GE):
                body, notes = told(RE, provider, [function, {"type": "tool_search"}], hosted_tools)
                self.assertEqual(len(body["tools"]), 1)
                self.assertEqual(sorted(notes), ["approximated /tools/0", "dropped /tools/1"])
