"""What the provider's own tools did: parts that the API writes and clients send back as they are."""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects.gemini.spelling import Node
from llmux.dialects.neutral import ServerCall, ServerFamily, ServerResult

# member of a part -> whether it is a call
PARTS = {"executableCode": True, "toolCall": True, "codeExecutionResult": False, "toolResponse": False}
# member of an offered tool -> family
FAMILIES: dict[str, ServerFamily] = {
    "googleSearch": "web_search",
    "googleSearchRetrieval": "web_search",
    "enterpriseWebSearch": "web_search",
    "exaAiSearch": "web_search",
    "parallelAiSearch": "web_search",
    "urlContext": "web_fetch",
    "codeExecution": "code",
    "fileSearch": "file_search",
    "retrieval": "file_search",
    "googleMaps": "maps",
    "mcpServers": "mcp",
}
_TYPES: dict[str, ServerFamily] = {
    "GOOGLE_SEARCH_WEB": "web_search",
    "GOOGLE_SEARCH_IMAGE": "web_search",
    "URL_CONTEXT": "web_fetch",
    "GOOGLE_MAPS": "maps",
    "FILE_SEARCH": "file_search",
}
_FAILED = ("OUTCOME_FAILED", "OUTCOME_DEADLINE_EXCEEDED")


def read(part: dict[str, Any], name: str, call_id: str, turn: int = 0, at: str = "") -> ServerCall | ServerResult:
    """The item of a part that holds a member of `PARTS`. `call_id` is for those that have none."""
    told = Node(part, at).get(name)
    inner = Node(told if isinstance(told, dict) else {}, at)
    id_ = inner.get("id")
    call_id = id_ if isinstance(id_, str) and id_ else call_id
    if name == "executableCode":
        code = {"code": inner.get("code") or "", "language": str(inner.get("language") or "PYTHON").lower()}
        return ServerCall("code", call_id, "code_execution", _json(code), "gemini", part, turn=turn, at=at)
    if name == "codeExecutionResult":
        failed = inner.get("outcome") in _FAILED
        return ServerResult("code", call_id, (), str(inner.get("output") or ""), "gemini", part, failed, turn, at=at)
    kind = str(inner.get("toolType") or "")
    family = _TYPES.get(kind, "other")
    if name == "toolCall":
        return ServerCall(family, call_id, kind.lower(), _json(inner.get("args") or {}), "gemini", part, turn=turn, at=at)
    response = inner.get("response")
    failed = isinstance(response, dict) and "error" in response
    return ServerResult(family, call_id, (), "" if response is None else _json(response), "gemini", part, failed, turn, at=at)


def write(item: ServerCall | ServerResult) -> dict[str, Any] | None:
    """The part of an item in an answer; None: it has no counterpart. Code that ran is told by any provider alike."""
    if item.dialect == "gemini":
        return dict(item.raw)
    if item.family != "code":
        return None
    if isinstance(item, ServerCall):
        code = _code(item.args_text)
        return {"executableCode": {"id": item.call_id, "code": code, "language": "PYTHON"}} if code else None
    outcome = "OUTCOME_FAILED" if item.is_error else "OUTCOME_OK"
    return {"codeExecutionResult": {"id": item.call_id, "outcome": outcome, "output": item.text}}


def in_words(item: ServerCall | ServerResult) -> str:
    """What another provider's own tools did, for the model to read."""
    if isinstance(item, ServerCall):
        return f"[{item.name or item.family} {item.args_text}]"
    return "\n".join([*(f"{hit.title} {hit.url}".strip() for hit in item.hits), item.text]).strip()


def _code(args_text: str) -> str:
    """The program in a call's arguments, whatever the tool names it."""
    try:
        args = jsonio.loads((args_text or "{}").encode("utf-8", "surrogatepass"))
    except ValueError:
        return ""
    if not isinstance(args, dict):
        return ""
    return next((args[name] for name in ("code", "command", "input") if isinstance(args.get(name), str)), "")


def _json(value: object) -> str:
    return jsonio.dumps(value).decode()
