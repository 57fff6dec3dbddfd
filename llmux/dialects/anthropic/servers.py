"""The tools that the provider runs itself: what the model asks of them, and what they gave back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmux import jsonio
from llmux.dialects.neutral import Annotation, ServerCall, ServerFamily, ServerResult

CALLS = frozenset({"server_tool_use", "mcp_tool_use"})

# the name by which the model calls a tool -> family
_NAMES: dict[str, ServerFamily] = {
    "web_search": "web_search",
    "web_fetch": "web_fetch",
    "code_execution": "code",
    "bash_code_execution": "code",
    "text_editor_code_execution": "code",
    "tool_search_tool_regex": "tool_search",
    "tool_search_tool_bm25": "tool_search",
}

# how the `type` of an offered tool begins -> family; what a client runs itself after Anthropic's own schema is `other`
_TYPES: tuple[tuple[str, ServerFamily], ...] = (
    ("web_search_", "web_search"),
    ("web_fetch_", "web_fetch"),
    ("code_execution_", "code"),
    ("tool_search_tool_", "tool_search"),
    ("mcp_toolset", "mcp"),
)


def family_of_type(type_: str) -> ServerFamily:
    """The family of an offered tool."""
    return next((family for start, family in _TYPES if type_.startswith(start)), "other")


def is_result(kind: str) -> bool:
    """Whether a block of this type is what such a tool gave back."""
    return kind.endswith("_tool_result")


def read_call(block: dict[str, Any], args_text: str, turn: int = 0, at: str = "") -> ServerCall:
    """A call. `args_text` is its input."""
    name = _text(block.get("name"))
    family = "mcp" if block.get("type") == "mcp_tool_use" else _NAMES.get(name, "other")
    return ServerCall(family, _text(block.get("id")), name, args_text, "anthropic", block, turn=turn, at=at)


def read_result(block: dict[str, Any], turn: int = 0, at: str = "") -> ServerResult:
    """What a tool gave back, as far as it can be read."""
    kind = _text(block.get("type"))
    content = block.get("content")
    name = kind.removesuffix("_tool_result")
    family = "mcp" if name == "mcp" else "tool_search" if name == "tool_search" else _NAMES.get(name, "other")
    failed = block.get("is_error") is True or (isinstance(content, dict) and _text(content.get("type")).endswith("_error"))
    hits = tuple(_hits(content)) if family in ("web_search", "web_fetch") else ()
    text = "\n".join(_readable(content))
    return ServerResult(family, _text(block.get("tool_use_id")), hits, text, "anthropic", block, failed, turn, at=at)


def _hits(content: object) -> Iterator[Annotation]:
    for page in content if isinstance(content, list) else [content]:
        if isinstance(page, dict) and isinstance(page.get("url"), str):
            yield Annotation("url", page["url"], _text(page.get("title")), dialect="anthropic", raw=page)


def _readable(content: object) -> Iterator[str]:
    """The texts of a result: errors, output of programs, fetched documents, names of tools that were found."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        for each in content:
            yield from _readable(each)
    elif isinstance(content, dict):
        for name in ("error_code", "error_message", "stdout", "stderr", "text", "tool_name"):
            if content.get(name):
                yield str(content[name])
        source = content.get("source")
        if isinstance(source, dict) and source.get("type") == "text":
            yield _text(source.get("data"))
        for name in ("content", "tool_references"):
            yield from _readable(content.get(name))


class Pages:
    """Writes what another provider's tools did, in an answer. Only web searches have a counterpart here.

    A call needs a result behind it, or the next request would be refused; where the provider tells none, an empty one is made.
    """

    __slots__ = ("_pending",)

    def __init__(self) -> None:
        self._pending = ""

    def due(self) -> list[dict[str, Any]]:
        """The result that is still owed when something else follows."""
        if not self._pending:
            return []
        block = {"type": "web_search_tool_result", "tool_use_id": self._pending, "content": []}
        self._pending = ""
        return [block]

    def write(self, item: ServerCall | ServerResult) -> list[dict[str, Any]] | None:
        """The blocks of an item; None: it has no counterpart."""
        if item.dialect == "anthropic":
            return [*self.due(), {name: value for name, value in item.raw.items() if name != "cache_control"}]
        if item.family != "web_search":
            return None
        id_ = server_id(item.call_id or item.id)
        if isinstance(item, ServerCall):
            owed = self.due()
            self._pending = id_
            return [*owed, {"type": "server_tool_use", "id": id_, "name": "web_search", "input": _input(item.args_text)}]
        if self._pending != id_:
            call = {"type": "server_tool_use", "id": id_, "name": "web_search", "input": {}}
            blocks = [*self.due(), call]
        else:
            blocks = []
        self._pending = ""
        return [*blocks, {"type": "web_search_tool_result", "tool_use_id": id_, "content": _pages(item)}]


def server_id(id_: str) -> str:
    """An id as this API's own tools have them."""
    return id_ if id_.startswith("srvtoolu_") else f"srvtoolu_{id_}"


def _pages(item: ServerResult) -> list[dict[str, Any]] | dict[str, Any]:
    if item.is_error:
        return {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    return [{"type": "web_search_result", "url": hit.url, "title": hit.title, "encrypted_content": ""} for hit in item.hits]


def _input(args_text: str) -> dict[str, Any]:
    try:
        args = jsonio.loads((args_text or "{}").encode("utf-8", "surrogatepass"))
    except ValueError:
        return {"value": args_text}
    return args if isinstance(args, dict) else {"value": args}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
