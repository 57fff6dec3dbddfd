"""Servers of tools (MCP): the provider connects to them, whichever it is."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.context import Context, Options, Target
from llmux.dialects.registry import DIALECTS
from llmux.dialects.seals import Seals
from llmux.dialects.translation import Translation
from tests.dialects.test_hosted import AN, ASKED, CH, GE, MODELS, RE, refused, told


class ServerTests(SynchronousTestCase):
    """Servers of tools that a provider connects to."""

    URL = "https://mcp.example/sse"
    THEIRS: ClassVar[dict[str, Any]] = {"type": "mcp", "server_label": "s", "server_url": URL, "require_approval": "never"}
    TOOLSET: ClassVar[dict[str, Any]] = {"type": "mcp_toolset", "mcp_server_name": "s"}
    SERVER: ClassVar[dict[str, Any]] = {"type": "url", "name": "s", "url": URL}

    def google(self, **more: Any) -> dict[str, Any]:
        return {"mcpServers": [{"name": "s", "streamableHttpTransport": {"url": self.URL, **more}}]}

    def test_told(self) -> None:
        """Address and token, in each API's words."""
        shown = {"headers": {"Authorization": "Bearer t"}}
        asked: list[tuple[str, Any, dict[str, Any]]] = [
            (RE, {**self.THEIRS, "authorization": "t"}, {}),
            (AN, self.TOOLSET, {"mcp_servers": [{**self.SERVER, "authorization_token": "t"}]}),
            (GE, self.google(**shown), {}),
        ]
        expected: dict[str, Any] = {
            RE: ([{**self.THEIRS, "authorization": "t"}], None),
            AN: ([self.TOOLSET], [{**self.SERVER, "authorization_token": "t"}]),
            GE: ([self.google(**shown)], None),
        }
        for client, tool, more in asked:
            for provider in expected:
                if client != provider:
                    body, _ = told(client, provider, [tool], **more)
                    self.assertEqual((body["tools"], body.get("mcp_servers")), expected[provider], (client, provider))
                    self.assertIsNotNone(refused(client, provider, [tool], "refuse", **more))
            self.assertIsNotNone(refused(client, CH, [tool], **more))
            self.assertEqual(told(client, CH, [tool], "drop", **more)[0].get("tools"), None)

    def test_beta(self) -> None:
        """Anthropic is told which beta the request needs."""
        for tools, expected in (([self.THEIRS], b"mcp-client-2025-11-20"), ([], None)):
            asked = {**ASKED[RE], "tools": tools}
            context = Context(seals=Seals((b"k",)), target=Target.of(MODELS[AN], Options(hosted_tools="map")), asked=asked)
            fields = dict(Translation(DIALECTS[RE].rooms, DIALECTS[AN], context).fields)
            self.assertEqual(fields.get(b"anthropic-beta"), expected)

    def test_without_toolset(self) -> None:
        """As the API first had it: a server alone, with what may be used of it."""
        server = {**self.SERVER, "tool_configuration": {"allowed_tools": ["a"]}}
        body, _ = told(AN, RE, [], mcp_servers=[server])
        self.assertEqual(body["tools"], [{**self.THEIRS, "allowed_tools": ["a"]}])
        function = {"name": "f", "input_schema": {"type": "object", "properties": {}}}
        self.assertEqual(refused(AN, RE, [function], "refuse", mcp_servers=[server]), "/mcp_servers/0")

    def test_which_tools(self) -> None:
        """Which of a server's tools may be used is told, or the request is refused."""
        only = {**self.TOOLSET, "default_config": {"enabled": False}, "configs": {"a": {"enabled": True}}}
        body, _ = told(AN, RE, [only], mcp_servers=[self.SERVER])
        self.assertEqual(body["tools"], [{**self.THEIRS, "allowed_tools": ["a"]}])
        for allowed in (["a"], {"tool_names": ["a"]}):
            body, _ = told(RE, AN, [{**self.THEIRS, "allowed_tools": allowed}])
            self.assertEqual(body["tools"], [only])
            self.assertEqual(refused(RE, GE, [{**self.THEIRS, "allowed_tools": allowed}]), "/tools/0")
        but = {**self.TOOLSET, "configs": {"a/b": {"enabled": False}}}
        self.assertEqual(refused(AN, RE, [but], mcp_servers=[self.SERVER]), "/tools/0/configs/a~1b/enabled")
        reads = {**self.THEIRS, "allowed_tools": {"read_only": True}}
        self.assertEqual(refused(RE, AN, [reads]), "/tools/0/allowed_tools/read_only")

    def test_only_there(self) -> None:
        """Who asks before calls has to be asked; other ways to a server are one provider's."""
        cases: tuple[tuple[dict[str, Any], str], ...] = (
            ({"require_approval": "always"}, "require_approval"),
            ({"require_approval": None}, "require_approval"),
            ({"require_approval": {"never": {"tool_names": ["a"]}}}, "require_approval"),
            ({"connector_id": "connector_gmail"}, "connector_id"),
            ({"allowed_callers": ["programmatic"]}, "allowed_callers"),
        )
        for provider in (AN, GE):
            for more, name in cases:
                self.assertEqual(refused(RE, provider, [{**self.THEIRS, **more}]), f"/tools/0/{name}")
        twice = {**self.THEIRS, "authorization": "t", "headers": {"Authorization": "Bearer u"}}
        body, notes = told(RE, AN, [twice])
        self.assertEqual(body["mcp_servers"], [{**self.SERVER, "authorization_token": "t"}])
        self.assertIn("dropped /tools/0/headers", notes)
        headers = {**self.THEIRS, "headers": {"X-Key": "k"}}
        self.assertEqual(told(RE, GE, [headers])[0]["tools"], [self.google(headers={"X-Key": "k"})])
        self.assertEqual(refused(RE, AN, [headers]), "/tools/0")
        self.assertEqual(refused(AN, RE, [self.TOOLSET]), "/tools/0/mcp_server_name")
        choice = {"type": "mcp", "server_label": "s"}
        self.assertEqual(refused(RE, AN, [self.THEIRS], tool_choice=choice), "/tool_choice")

    def test_late(self) -> None:
        """A server's tools are looked for where the provider can."""
        late = {**self.TOOLSET, "default_config": {"defer_loading": True}}
        finder = {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"}
        body, _ = told(AN, RE, [late, finder], mcp_servers=[self.SERVER])
        self.assertEqual(body["tools"], [{**self.THEIRS, "defer_loading": True}, {"type": "tool_search"}])
        body, _ = told(RE, AN, [{**self.THEIRS, "defer_loading": True}, {"type": "tool_search"}])
        self.assertEqual(body["tools"], [late, finder])
        body, _ = told(AN, RE, [late], mcp_servers=[self.SERVER])
        self.assertEqual(body["tools"], [self.THEIRS])
