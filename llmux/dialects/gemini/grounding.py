"""Where a text got what it says: this API tells it beside the text, in pages and in spans of bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from llmux import jsonio
from llmux.dialects.gemini.spelling import Node
from llmux.dialects.neutral import (
    Annotation,
    Media,
    Message,
    OutputItem,
    Reasoning,
    Refusal,
    ServerCall,
    ServerResult,
    Text,
    ToolCall,
)

_SOURCES = ("web", "maps", "retrievedContext", "image")
_WEB = ("https://", "http://")


class Bytes:
    """A text whose places are told in bytes of its UTF-8."""

    __slots__ = ("_data", "_plain", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._plain = text.isascii()
        self._data = b"" if self._plain else text.encode("utf-8", "surrogatepass")

    def place(self, offset: object, default: int | None) -> int | None:
        """The code points before a byte, no more than there are."""
        if not isinstance(offset, int) or isinstance(offset, bool) or offset < 0:
            return default
        if self._plain:
            return min(offset, len(self.text))
        return len(self._data[:offset].decode("utf-8", "ignore"))


def read(metadata: Node, text: str, part: int, *, only: bool) -> Iterator[Annotation]:
    """What `groundingMetadata` says of a text: the part of that number, and the only text if `only`."""
    chunks = [_source(Node(raw, "")) if isinstance(raw, dict) else None for raw in _list(metadata, "groundingChunks")]
    supports = [Node(raw, "") for raw in _list(metadata, "groundingSupports") if isinstance(raw, dict)]
    if not supports:
        at = metadata.where("groundingChunks")
        yield from (_own(chunk, at) for chunk in chunks if chunk is not None)
        return
    at = metadata.where("groundingSupports")
    places = Bytes(text)
    for support in supports:
        spanned = support.get("segment")
        segment = Node(spanned if isinstance(spanned, dict) else {}, "")
        if not only and (segment.get("partIndex") or 0) != part:
            continue
        start, end = places.place(segment.get("startIndex"), 0), places.place(segment.get("endIndex"), None)
        for index in _list(support, "groundingChunkIndices"):
            chunk = chunks[index] if isinstance(index, int) and 0 <= index < len(chunks) else None
            if chunk is not None:
                yield _own(chunk, at, start, end)


def citations(metadata: Node, text: str) -> Iterator[Annotation]:
    """What `citationMetadata` says of a text: where it repeats something that has an address."""
    places = Bytes(text)
    for raw in _list(metadata, "citations") or _list(metadata, "citationSources"):
        if not isinstance(raw, dict):
            continue
        node = Node(raw, "")
        uri, title = node.get("uri"), node.get("title")
        if isinstance(uri, str) and uri.startswith(_WEB):
            start, end = places.place(node.get("startIndex"), 0), places.place(node.get("endIndex"), None)
            yield Annotation("url", uri, title if isinstance(title, str) else "", "", start, end, at=metadata.at)


def write(items: Iterable[OutputItem]) -> dict[str, Any] | None:
    """The `groundingMetadata` of an answer; None: it names no pages. Neighbouring texts are one part unless one is signed."""
    queries: list[str] = []
    chunks: dict[tuple[str, str], int] = {}
    supports: list[dict[str, Any]] = []
    part, offset, before = -1, 0, ""
    for item in items:
        for kind, text, sources in _told(item, queries, chunks):
            if kind != "text" or before != "text":
                part, offset, before = part + 1, 0, kind
            supports += (_support(each, text, part, offset, chunks) for each in sources if each.kind == "url")
            offset += len(text.encode("utf-8", "surrogatepass"))
    if not chunks and not queries:
        return None
    metadata: dict[str, Any] = {}
    if queries:
        metadata["webSearchQueries"] = queries
    if chunks:
        metadata["groundingChunks"] = [{"web": {"uri": uri, "title": title} if title else {"uri": uri}} for uri, title in chunks]
    if supports:
        metadata["groundingSupports"] = supports
    return metadata


def _told(
    item: OutputItem, queries: list[str], chunks: dict[tuple[str, str], int]
) -> Iterator[tuple[str, str, tuple[Annotation, ...]]]:
    """The parts that an item becomes: of what kind, their text and its sources."""
    match item:
        case Message(_, parts):
            for part in parts:
                if isinstance(part, Text) and (part.text or part.seals):
                    yield "signed" if part.seals else "text", part.text, part.annotations
                elif isinstance(part, Refusal) and part.text:
                    yield "text", part.text, ()
                elif isinstance(part, Media):
                    yield "other", "", ()
        case Reasoning() if item.segments or item.seals:
            yield "thought", "", ()
        case ToolCall(cut=False):
            yield "other", "", ()
        case ServerCall() | ServerResult() if item.family == "code" or item.dialect == "gemini":
            yield "other", "", ()
        case ServerCall(family="web_search", args_text=args):
            query = _query(args)
            if query and query not in queries:
                queries.append(query)
        case ServerResult(family="web_search", hits=hits):
            for hit in hits:
                chunks.setdefault((hit.url, hit.title), len(chunks))


def _support(annotation: Annotation, text: str, part: int, offset: int, chunks: dict[tuple[str, str], int]) -> dict[str, Any]:
    start = 0 if annotation.start is None else annotation.start
    end = len(text) if annotation.end is None else annotation.end
    spans = [offset + len(text[:place].encode("utf-8", "surrogatepass")) for place in (start, end)]
    segment = {"startIndex": spans[0], "endIndex": spans[1], "partIndex": part, "text": text[start:end]}
    index = chunks.setdefault((annotation.url, annotation.title), len(chunks))
    return {"segment": segment, "groundingChunkIndices": [index]}


_Chunk = tuple[str, str, str, Any]  # kind, url, title, and the whole where only the API knows its kind


def _source(chunk: Node) -> _Chunk | None:
    for name in _SOURCES:
        inner = chunk.get(name)
        if isinstance(inner, dict):
            node = Node(inner, "")
            uri, title = node.get("uri") or node.get("sourceUri"), node.get("title")
            title = title if isinstance(title, str) else ""
            if isinstance(uri, str) and uri.startswith(_WEB):
                return "url", uri, title, None
            return name, uri if isinstance(uri, str) else "", title, chunk.raw
    return None


def _own(chunk: _Chunk, at: str, start: int | None = None, end: int | None = None) -> Annotation:
    kind, url, title, raw = chunk
    return Annotation(kind, url, title, "", start, end, "gemini" if raw is not None else "", raw, at)


def _query(args_text: str) -> str:
    try:
        args = jsonio.loads((args_text or "{}").encode("utf-8", "surrogatepass"))
    except ValueError:
        return ""
    query = args.get("query") if isinstance(args, dict) else None
    return query if isinstance(query, str) else ""


def _list(node: Node, name: str) -> list[Any]:
    value = node.get(name)
    return value if isinstance(value, list) else []
