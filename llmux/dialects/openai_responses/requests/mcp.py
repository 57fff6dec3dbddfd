"""Servers of tools (MCP) to which the provider connects, as this API says them."""

from __future__ import annotations

from typing import Any

from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.hosted import bearer
from llmux.dialects.neutral import Server

_KNOWN = frozenset({"type", "server_label", "server_url", "authorization", "headers", "allowed_tools", "require_approval"})
_KNOWN |= {"connector_id", "tunnel_id", "allowed_callers", "defer_loading"}
_FILTER = frozenset({"tool_names", "read_only"})


def read(at: str, node: dict[str, Any], context: Context) -> Server:
    """The server of a tool `mcp`."""
    reading.rest(node, _KNOWN, at, context.notes)
    label = reading.string(node.get("server_label"), f"{at}/server_label")
    if not label:
        raise reading.invalid(f"{at}/server_label", f"Missing required parameter: '{at}/server_label'.")
    ways = [name for name in ("connector_id", "tunnel_id") if node.get(name)]
    unsaid = [(f"{at}/{name}", "only OpenAI knows this way to a server") for name in ways]
    if node.get("require_approval") != "never":
        unsaid.append((f"{at}/require_approval", "other providers ask nobody before they call"))
    if node.get("allowed_callers") not in (None, ["direct"]):
        unsaid.append((f"{at}/allowed_callers", "only the model itself can call it elsewhere"))
    allowed = node.get("allowed_tools")
    if isinstance(allowed, dict):
        reading.rest(allowed, _FILTER, f"{at}/allowed_tools", context.notes)
        if allowed.get("read_only") is not None:
            unsaid.append((f"{at}/allowed_tools/read_only", "which tools only read is not known elsewhere"))
        allowed = allowed.get("tool_names")
    headers = reading.obj(node.get("headers"), f"{at}/headers") or {}
    token, others = bearer(headers)
    said = reading.optional(node.get("authorization"), f"{at}/authorization")
    if said and token is not None:
        context.notes.drop(f"{at}/headers", "the token is given twice")
    return Server(
        label,
        reading.string(node.get("server_url"), f"{at}/server_url"),
        said or token,
        others,
        None if allowed is None else tuple(reading.strings(allowed, f"{at}/allowed_tools")),
        reading.flag(node.get("defer_loading"), f"{at}/defer_loading"),
        tuple(unsaid),
        at,
    )


def write(server: Server, deferring: bool, context: Context) -> dict[str, Any]:
    """Such a tool. Nobody else asks before calls, so nobody is asked here."""
    node: dict[str, Any] = {"type": "mcp", "server_label": server.label, "server_url": server.url, "require_approval": "never"}
    if server.token is not None:
        node["authorization"] = server.token
    if server.headers:
        node["headers"] = dict(server.headers)
    if server.allowed is not None:
        node["allowed_tools"] = list(server.allowed)
    if server.deferred and deferring:
        node["defer_loading"] = True
    elif server.deferred:
        context.notes.approximate(server.at, "its tools are there from the beginning")
    return node
