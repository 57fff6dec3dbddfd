"""Reads the blocks that are content: texts, images, documents, results of the client's own searches."""

from __future__ import annotations

from typing import Any

from llmux.dialects import reading
from llmux.dialects.anthropic import citations, versions
from llmux.dialects.context import Context
from llmux.dialects.neutral import (
    Annotation,
    Blocks,
    FileId,
    Inline,
    Link,
    Mark,
    Media,
    OpaquePart,
    Part,
    PlainText,
    SearchResult,
    Source,
    Text,
)
from llmux.dialects.reading import invalid, objects, string

_TEXT = frozenset({"type", "text", "citations", "cache_control"})
_IMAGE = frozenset({"type", "source", "cache_control"})
_DOCUMENT = frozenset({"type", "source", "title", "context", "citations", "cache_control"})
_SEARCH_RESULT = frozenset({"type", "source", "title", "content", "citations", "cache_control"})
_SOURCE = frozenset({"type", "media_type", "data", "url", "file_id", "content"})
_MARK = frozenset({"type", "ttl"})
_CITATIONS = frozenset({"enabled"})


def listed(value: object, at: str) -> list[Any]:
    """A list; null is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise invalid(at, f"{at} must be a list")
    return value


def read_mark(value: object, at: str, context: Context) -> Mark | None:
    """The `cache_control` of the block, the tool or the whole request at `at`."""
    if value is None:
        return None
    at = f"{at}/cache_control"
    mark = reading.obj(value, at) or {}
    reading.rest(mark, _MARK, at, context.notes)
    return Mark(reading.optional(mark.get("ttl"), f"{at}/ttl"), at)


class Parts:
    """The reader of a request's parts, for the version that the client speaks."""

    __slots__ = ("_version", "context")

    def __init__(self, context: Context, version: str) -> None:
        self.context = context
        self._version = version

    def text(self, block: dict[str, Any], at: str, *, cited: bool) -> Text:
        """A text block. `cited`: its citations are the model's own; a client's say nothing, and newer versions refuse them."""
        text = block.get("text")
        if not isinstance(text, str):
            raise invalid(f"{at}/text", f"{at}/text must be a string")
        if len(block) == 2:
            return Text(text, at=at)  # nothing but its type is said of it
        reading.rest(block, _TEXT, at, self.context.notes)
        annotations: tuple[Annotation, ...] = ()
        if block.get("citations"):
            if cited:
                found = objects(block["citations"], f"{at}/citations")
                annotations = tuple(citations.read(citation, self.context) for _, citation in found)
            else:
                self.context.notes.drop(f"{at}/citations", "only what the model says has citations")
        return Text(text, annotations, mark=self.mark(block, at), at=at)

    def part(self, block: dict[str, Any], at: str, *, in_assistant: bool = False) -> Part:
        """A block of a message, a result or a document. An unknown one is kept as it is."""
        match block.get("type"):
            case "text":
                return self.text(block, at, cited=False)
            case "image":
                return self._image(block, at)
            case "document":
                if in_assistant and self._version == versions.NEWER:
                    raise invalid(at, f"{at}: document blocks are not permitted in assistant messages")
                return self._document(block, at)
            case "search_result":
                return self._search_result(block, at)
            case "tool_reference":
                # Tools whose definitions are loaded late are all there from the beginning elsewhere.
                name = string(block.get("tool_name"), f"{at}/tool_name")
                self.context.notes.approximate(at, "a tool that was found is named in words")
                return Text(f"The tool {name} is available.", mark=self.mark(block, at), at=at)
            case kind:
                return OpaquePart(str(kind), block, "anthropic", at)

    def of_result(self, content: object, at: str) -> tuple[Part, ...]:
        """What a tool gave back."""
        return reading.parts(content, at, lambda where, block: self.part(block, where))

    def mark(self, block: dict[str, Any], at: str) -> Mark | None:
        """The end of a prefix that is to be cached."""
        return read_mark(block.get("cache_control"), at, self.context)

    def _image(self, block: dict[str, Any], at: str) -> Part:
        reading.rest(block, _IMAGE, at, self.context.notes)
        source, mime = self._source(block, at)
        return Media("image", source, mime, mark=self.mark(block, at), at=at)

    def _document(self, block: dict[str, Any], at: str) -> Part:
        reading.rest(block, _DOCUMENT, at, self.context.notes)
        source, mime = self._source(block, at)
        return Media(
            "file",
            source,
            mime,
            string(block.get("title"), f"{at}/title"),
            context=reading.optional(block.get("context"), f"{at}/context"),
            citable=self._citable(block, at),
            mark=self.mark(block, at),
            at=at,
        )

    def _search_result(self, block: dict[str, Any], at: str) -> Part:
        reading.rest(block, _SEARCH_RESULT, at, self.context.notes)
        found = objects(block.get("content"), f"{at}/content")
        return SearchResult(
            string(block.get("source"), f"{at}/source"),
            string(block.get("title"), f"{at}/title"),
            tuple(self.part(each, where) for where, each in found),
            self._citable(block, at),
            self.mark(block, at),
            at,
        )

    def _citable(self, block: dict[str, Any], at: str) -> bool | None:
        node = reading.obj(block.get("citations"), f"{at}/citations")
        if node is None:
            return None
        reading.rest(node, _CITATIONS, f"{at}/citations", self.context.notes)
        return reading.flag(node.get("enabled"), f"{at}/citations/enabled")

    def _source(self, block: dict[str, Any], at: str) -> tuple[Source, str]:
        """Where the bytes are, and their type as far as it is known."""
        at = f"{at}/source"
        node = reading.obj(block.get("source"), at)
        if node is None:
            raise invalid(at, f"{at} must be an object")
        reading.rest(node, _SOURCE, at, self.context.notes)
        mime = string(node.get("media_type"), f"{at}/media_type")
        match node.get("type"):
            case "base64":
                return Inline(string(node.get("data"), f"{at}/data")), mime
            case "url":
                is_document = block.get("type") == "document"
                return Link(string(node.get("url"), f"{at}/url")), mime or ("application/pdf" if is_document else "")
            case "file":
                return FileId("anthropic", string(node.get("file_id"), f"{at}/file_id")), mime
            case "text":
                return PlainText(string(node.get("data"), f"{at}/data")), mime or "text/plain"
            case "content":
                parts = reading.parts(node.get("content"), f"{at}/content", lambda where, each: self.part(each, where))
                return Blocks(parts), mime
            case kind:
                raise invalid(f"{at}/type", f"{at}/type: {kind!r} is no type of source")
