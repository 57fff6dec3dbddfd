"""Servers of tools (MCP) to which the provider connects, as this API says them: who they are, and beside that which tools of
theirs are offered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import Server
from llmux.dialects.notes import Notes

BETA = "mcp-client-2025-11-20"

_SERVER = frozenset({"type", "name", "url", "authorization_token", "tool_configuration"})
_OLDER = frozenset({"enabled", "allowed_tools"})
_TOOLSET = frozenset({"type", "mcp_server_name", "cache_control", "default_config", "configs"})
_CONFIG = frozenset({"enabled", "defer_loading"})


def without_toolset(doc: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The servers whose tools are offered all together, as the first version of this API has it; each with its toolset."""
    tools = doc.get("tools")
    named = {tool.get("mcp_server_name") for tool in tools if isinstance(tool, dict)} if isinstance(tools, list) else set()
    for at, node in reading.objects(doc.get("mcp_servers"), "/mcp_servers"):
        if node.get("name") not in named:
            yield at, {"type": "mcp_toolset", "mcp_server_name": node.get("name")}


def read(at: str, toolset: dict[str, Any], doc: Mapping[str, Any], notes: Notes) -> Server:
    """The server of a toolset at `at`."""
    name = reading.string(toolset.get("mcp_server_name"), f"{at}/mcp_server_name")
    found = (each for each in reading.objects(doc.get("mcp_servers"), "/mcp_servers") if each[1].get("name") == name)
    server_at, node = next(found, ("", {}))
    if not server_at:
        raise reading.invalid(f"{at}/mcp_server_name", f"MCP server '{name}' not found in mcp_servers")
    reading.rest(node, _SERVER, server_at, notes)
    reading.rest(toolset, _TOOLSET, at, notes)
    allowed, deferred, unsaid = _tools(at, toolset, notes)
    older_at = f"{server_at}/tool_configuration"
    older = reading.obj(node.get("tool_configuration"), older_at) or {}
    reading.rest(older, _OLDER, older_at, notes)
    if older.get("allowed_tools") is not None:
        names = reading.strings(older["allowed_tools"], f"{older_at}/allowed_tools")
        allowed = tuple(each for each in names if allowed is None or each in allowed)
    if older.get("enabled") is False:
        allowed = ()
    return Server(
        name,
        reading.string(node.get("url"), f"{server_at}/url"),
        reading.optional(node.get("authorization_token"), f"{server_at}/authorization_token"),
        allowed=allowed,
        deferred=deferred,
        unsaid=unsaid,
        at=server_at,
    )


def _tools(
    at: str, toolset: dict[str, Any], notes: Notes
) -> tuple[tuple[str, ...] | None, bool | None, tuple[tuple[str, str], ...]]:
    """Which tools are offered (None: all), whether they come late, and what of that no other API can be told."""
    default = reading.obj(toolset.get("default_config"), f"{at}/default_config") or {}
    reading.rest(default, _CONFIG, f"{at}/default_config", notes)
    deferred = reading.flag(default.get("defer_loading"), f"{at}/default_config/defer_loading")
    every = default.get("enabled") is not False
    allowed: list[str] = []
    unsaid: list[tuple[str, str]] = []
    for name, config in (reading.obj(toolset.get("configs"), f"{at}/configs") or {}).items():
        where = f"{at}/configs/{reading.token(name)}"
        config = reading.obj(config, where) or {}
        reading.rest(config, _CONFIG, where, notes)
        if config.get("defer_loading") not in (None, deferred):
            notes.approximate(f"{where}/defer_loading", "all tools of a server come at the same time")
        enabled = config.get("enabled")
        if enabled is True or (enabled is None and every):
            allowed.append(name)
        elif every:
            unsaid.append((f"{where}/enabled", "one tool of a server alone cannot be left out"))
    return None if every else tuple(allowed), deferred, tuple(unsaid)


def write(server: Server, deferring: bool, context: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """The server and its toolset."""
    for name in server.headers:
        context.notes.refuse(server.at, f"a server is shown a token and no other header: {name}")
    if BETA not in context.provider_betas:
        context.provider_betas.append(BETA)
    node = {"type": "url", "name": server.label, "url": server.url}
    if server.token is not None:
        node["authorization_token"] = server.token
    toolset: dict[str, Any] = {"type": "mcp_toolset", "mcp_server_name": server.label}
    default: dict[str, Any] = {}
    if server.allowed is not None:
        default["enabled"] = False
    if server.deferred and deferring:
        default["defer_loading"] = True
    elif server.deferred:
        context.notes.approximate(server.at, "its tools are there from the beginning")
    if default:
        toolset["default_config"] = default
    if server.allowed:
        toolset["configs"] = {name: {"enabled": True} for name in server.allowed}
    return node, toolset
