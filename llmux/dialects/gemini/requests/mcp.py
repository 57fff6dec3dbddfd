"""Servers of tools (MCP) to which the provider connects, as this API says them."""

from __future__ import annotations

from typing import Any

from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.gemini.spelling import Node
from llmux.dialects.hosted import bearer
from llmux.dialects.neutral import Server, Tool

_KNOWN = frozenset({"name", "streamableHttpTransport"})
_TRANSPORT = frozenset({"url", "headers"})


def read(node: Node, context: Context) -> Tool:
    """One of `mcpServers`."""
    node.rest(_KNOWN, context.notes)
    way = node.child("streamableHttpTransport") or Node({}, node.where("streamableHttpTransport"))
    way.rest(_TRANSPORT, context.notes)
    token, others = bearer(reading.obj(way.get("headers"), way.where("headers")) or {})
    server = Server(node.text("name"), way.text("url"), token, others, at=node.at)
    raw = {"mcpServers": [node.raw]}
    return Tool(server.label, "hosted", family="mcp", dialect="gemini", raw=raw, server=server, at=node.at)


def write(server: Server, context: Context) -> dict[str, Any]:
    """Such a server."""
    if server.allowed is not None:
        context.notes.refuse(server.at, "which of a server's tools may be used cannot be said")
    if server.deferred:
        context.notes.approximate(server.at, "its tools are there from the beginning")
    headers = dict(server.headers) | ({} if server.token is None else {"Authorization": f"Bearer {server.token}"})
    way: dict[str, Any] = {"url": server.url} | ({"headers": headers} if headers else {})
    return {"name": server.label, "streamableHttpTransport": way}
