"""The response object around its output: who answers, and what it repeats of the request."""

from __future__ import annotations

from typing import Any

from llmux.dialects.neutral import Response, Usage

# What the response repeats of the request, with what stands there when the request does not say.
_ECHOES: dict[str, Any] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
# Of what a request may leave out of these, readers insist on some.
_INNER: dict[str, dict[str, Any]] = {
    "function": {"parameters": None, "strict": None},
    "namespace": {"description": ""},
}
_CACHE = {"mode": "implicit", "ttl": "30m"}
_SECRETS = ("authorization", "headers")

_TIERS = frozenset({"default", "flex", "scale", "priority", "fast", "ultrafast"})


def envelope(id: str, model: str, created: int, asked: dict[str, Any]) -> dict[str, Any]:
    """The response before it has said anything."""
    echoes = {name: default if asked.get(name) is None else asked[name] for name, default in _ECHOES.items()}
    echoes["tools"] = [_tool(tool) for tool in echoes["tools"] if isinstance(tool, dict)]
    for name in ("reasoning", "text"):
        given = {member: value for member, value in echoes[name].items() if value is not None}
        echoes[name] = _ECHOES[name] | given
    if echoes["service_tier"] == "auto":
        echoes["service_tier"] = "default"
    options = asked.get("prompt_cache_options")
    if isinstance(options, dict):
        told = ("mode", "ttl", "comparison_response_id")
        echoes["prompt_cache_options"] = _CACHE | {name: options[name] for name in told if options.get(name) is not None}
    if asked.get("prompt_cache_retention") is not None:
        echoes["prompt_cache_retention"] = asked["prompt_cache_retention"]
    return {
        "id": f"resp_{id}",
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": [],
        **echoes,
        "usage": None,
    }


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    """A tool as the answer repeats it. What opens a server's doors is not told again."""
    insisted = _INNER.get(str(tool.get("type")))
    if insisted is not None:
        return insisted | {name: value for name, value in tool.items() if name not in insisted or value is not None}
    if tool.get("type") == "mcp":
        return {name: value for name, value in tool.items() if name not in _SECRETS}
    return tool


def enter_tier(body: dict[str, Any], response: Response) -> None:
    """How urgently it was answered, if the provider says."""
    usage = response.usage or Usage()
    tier = response.tier or usage.tier
    if tier is not None and tier != "auto":
        body["service_tier"] = tier if tier in _TIERS else "default"
