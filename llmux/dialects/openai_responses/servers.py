"""The tools that the provider runs itself: what the model asks of them, and what they gave back.

This API tells both in one item. What other providers' tools did is told as the item that comes nearest; a search is finished only
when its result is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmux import jsonio
from llmux.dialects.context import Context
from llmux.dialects.neutral import Annotation, OpaqueItem, ServerCall, ServerFamily, ServerResult
from llmux.dialects.openai_responses.citations import DIALECT

Told = ServerCall | ServerResult | OpaqueItem

# how the `type` of an offered tool begins -> family
_TYPES: tuple[tuple[str, ServerFamily], ...] = (
    ("web_search", "web_search"),
    ("code_interpreter", "code"),
    ("file_search", "file_search"),
    ("image_generation", "image_gen"),
    ("mcp", "mcp"),
    ("tool_search", "tool_search"),
)


def family_of_type(kind: str) -> ServerFamily:
    """The family of an offered tool."""
    return next((family for start, family in _TYPES if kind.startswith(start)), "other")


# --- reading


def read(item: dict[str, Any], turn: int = 0, at: str = "") -> tuple[Told, ...]:
    """A call, with what it gave back as far as it is told; what is neither is carried as it is."""
    kind = _text(item.get("type"))
    reader = _READERS.get(kind)
    if reader is None:
        return (OpaqueItem(kind, item, DIALECT, turn, at),)
    family, name, args, told = reader(item)
    call_id = _text(item.get("id") or item.get("call_id"))
    args_text = args if isinstance(args, str) else jsonio.dumps(args).decode()
    status = _text(item.get("status")) or "completed"
    call = ServerCall(family, call_id, name, args_text, DIALECT, item, status, turn, _text(item.get("id")), at)
    failed = status == "failed" or bool(item.get("error"))
    if told is None and not failed:
        return (call,)
    hits, text = told or ((), "")
    # The call has all of the item; without one of its own the result is not told a second time in this dialect.
    return (call, ServerResult(family, call_id, hits, text, DIALECT, None, failed, turn, at=at))


_Found = tuple[ServerFamily, str, Any, tuple[tuple[Annotation, ...], str] | None]


def _web_search(item: dict[str, Any]) -> _Found:
    action = _object(item, "action")
    hits = tuple(_hit(each, "url") for each in _objects(action, "sources"))
    if action.get("type") in ("open_page", "find_in_page"):
        args = {name: action[name] for name in ("url", "pattern") if action.get(name) is not None}
        return "web_fetch", "web_fetch", args, None
    queries = [each for each in action.get("queries") or () if isinstance(each, str)]
    args = {"query": _text(action.get("query")) or next(iter(queries), "")}
    if len(queries) > 1:
        args["queries"] = queries
    return "web_search", "web_search", args, (hits, "") if hits else None


def _file_search(item: dict[str, Any]) -> _Found:
    results = _objects(item, "results")
    hits = tuple(_hit(each, "file_id") for each in results)
    text = "\n".join(_text(each.get("text")) for each in results)
    return "file_search", "file_search", {"queries": item.get("queries") or []}, (hits, text) if results else None


def _code(item: dict[str, Any]) -> _Found:
    outputs = _objects(item, "outputs")
    text = "\n".join(_text(each.get("logs") or each.get("url")) for each in outputs)
    return "code", "code_interpreter", {"code": _text(item.get("code"))}, ((), text) if outputs else None


def _image(item: dict[str, Any]) -> _Found:
    return "image_gen", "image_generation", {"prompt": _text(item.get("revised_prompt"))}, None


def _mcp(item: dict[str, Any]) -> _Found:
    error = item.get("error")
    text = _text(item.get("output")) or _text(error) or _text(_object(item, "error").get("message"))
    return "mcp", _text(item.get("name")), _text(item.get("arguments")) or "{}", ((), text) if text else None


def _tool_search(item: dict[str, Any]) -> _Found:
    return "tool_search", "tool_search", item.get("arguments") or {}, None


_READERS: dict[str, Callable[[dict[str, Any]], _Found]] = {
    "web_search_call": _web_search,
    "file_search_call": _file_search,
    "code_interpreter_call": _code,
    "image_generation_call": _image,
    "mcp_call": _mcp,
    "tool_search_call": _tool_search,
}


def _hit(node: dict[str, Any], name: str) -> Annotation:
    kind = "url" if name == "url" else "file_citation"
    return Annotation(kind, _text(node.get("url")), _text(node.get("title") or node.get("filename")), dialect=DIALECT, raw=node)


# --- writing


def item_type(call: ServerCall) -> str | None:
    """The type of item that tells another provider's call; None: there is none."""
    return _WRITTEN.get(call.family)


def write(call: ServerCall, result: ServerResult | None, id: str, status: str, context: Context) -> dict[str, Any]:
    """The item of such a call, with its result when it is known."""
    args = _args(call.args_text)
    item: dict[str, Any] = {"id": id, "type": _WRITTEN[call.family], "status": status}
    if call.family == "mcp":
        text = "" if result is None else result.text
        failed = result is not None and result.is_error
        item |= {"arguments": call.args_text, "name": call.name, "server_label": _label(call)}
        item |= {"output": None if failed else text, "error": _tool_error(text) if failed else None}
    elif call.family == "code":
        # The API insists on the name of a container, and other providers name none.
        context.notes.invent("/output/container_id", "a container that nobody named")
        outputs = [{"type": "logs", "logs": result.text}] if result is not None and result.text else None
        item |= {"code": _text(args.get("code") or args.get("command")), "container_id": "", "outputs": outputs}
    elif call.family == "web_search":
        item["action"] = {"type": "search", "query": _text(args.get("query"))}
        if result is not None and result.hits and tells_sources(context):
            item["action"]["sources"] = [{"type": "url", "url": hit.url} for hit in result.hits]
    else:
        urls = args.get("urls")
        item["action"] = {"type": "open_page", "url": args.get("url") or (urls[0] if isinstance(urls, list) and urls else None)}
    return item


def tells_sources(context: Context) -> bool:
    """Whether the client wants to know where a search looked."""
    return "web_search_call.action.sources" in (context.asked.get("include") or ())


def status_of(call: ServerCall, result: ServerResult | None) -> str:
    """How it ended."""
    failed = call.status == "failed" or (result is not None and result.is_error)
    return "failed" if failed else "completed"


_WRITTEN: dict[ServerFamily, str] = {
    "web_search": "web_search_call",
    "web_fetch": "web_search_call",
    "url_context": "web_search_call",
    "code": "code_interpreter_call",
    "mcp": "mcp_call",
}

# type of item -> the events while it runs, each with the members that it takes from the item; and the last one
STEPS: dict[str, tuple[tuple[str, str | None], ...]] = {
    "web_search_call": (("web_search_call.in_progress", None), ("web_search_call.searching", None)),
    "code_interpreter_call": (
        ("code_interpreter_call.in_progress", None),
        ("code_interpreter_call_code.done", "code"),
        ("code_interpreter_call.interpreting", None),
    ),
    "mcp_call": (("mcp_call.in_progress", None), ("mcp_call_arguments.done", "arguments")),
}
_FAILS = frozenset({"mcp_call"})


def last_step(type_: str, status: str) -> str | None:
    """The event at the end of such an item; only some can tell a failure."""
    if status != "failed":
        return f"{type_}.completed"
    return f"{type_}.failed" if type_ in _FAILS else None


def _label(call: ServerCall) -> str:
    raw = call.raw if isinstance(call.raw, dict) else {}
    return _text(raw.get("server_name") or raw.get("server_label"))


def _tool_error(text: str) -> dict[str, Any]:
    return {"type": "mcp_tool_execution_error", "content": [{"type": "text", "text": text}]}


def _args(args_text: str) -> dict[str, Any]:
    try:
        args = jsonio.loads((args_text or "{}").encode("utf-8", "surrogatepass"))
    except ValueError:
        return {}
    return args if isinstance(args, dict) else {}


def _object(node: dict[str, Any], name: str) -> dict[str, Any]:
    value = node.get(name)
    return value if isinstance(value, dict) else {}


def _objects(node: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = node.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
