"""Writes parts: those of messages, and those of what tools gave back."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import (
    Blocks,
    FileId,
    Inline,
    Link,
    Media,
    Part,
    PlainText,
    Refusal,
    SearchResult,
    Text,
    plain,
)
from llmux.dialects.openai_only import Marks
from llmux.dialects.openai_responses import citations
from llmux.dialects.openai_responses.citations import DIALECT

_DETAILS = ("low", "high", "auto", "original")
_PDF = "application/pdf"
# What else may be said of a text.
_MORE = ("annotations", "prompt_cache_breakpoint")
# What a file is called that nobody named; the API goes by the ending.
_NAMES = {_PDF: "document.pdf", "text/plain": "document.txt", "text/markdown": "document.md", "text/html": "document.html"}
_NAMES |= {"text/csv": "document.csv", "application/json": "document.json"}


class Content:
    """The writer of a request's parts."""

    __slots__ = ("_context", "_marks")

    def __init__(self, context: Context, marks: Marks) -> None:
        self._context = context
        self._marks = marks

    def said(self, parts: Iterable[Part]) -> list[dict[str, Any]]:
        """What the model said before: texts and refusals."""
        found = []
        for part in parts:
            if isinstance(part, Text):
                self._unused(part)
                if part.mark is not None:
                    self._context.notes.drop(part.mark.at, "OpenAI takes cache marks on what the client says only")
                found.append({"type": "output_text", "text": part.text, "annotations": self._annotations(part)})
            elif isinstance(part, Refusal):
                found.append({"type": "refusal", "refusal": part.text})
            elif isinstance(part, SearchResult):
                found.append({"type": "output_text", "text": self._told(part), "annotations": []})
            elif isinstance(part, Media):
                self._context.notes.refuse(part.at, f"the model's messages hold no {part.kind} at OpenAI")
            else:
                self._context.notes.drop(part.at, f"no counterpart for {part.kind}")
        return found

    def given(self, parts: Iterable[Part]) -> list[dict[str, Any]]:
        """What the client says, or a tool gave back."""
        found: list[dict[str, Any]] = []
        for part in parts:
            if isinstance(part, Media) and isinstance(part.source, Blocks):
                found += self._document(part, part.source)
            elif (node := self._part(part)) is not None:
                found.append(node)
        return found

    def _document(self, media: Media, source: Blocks) -> list[dict[str, Any]]:
        """What a document of parts holds, in its place."""
        self._context.notes.approximate(media.at, "what a document holds is told in its place")
        self._cited(media)
        head = [{"type": "input_text", "text": media.name}] if media.name else []
        found = [*head, *self.given(source.parts)]
        if found:
            self._marks.add(media.mark, found[-1])
        return found

    def _cited(self, media: Media) -> None:
        notes = self._context.notes
        if media.context is not None:
            notes.drop(f"{media.at}/context", "a document is told without what it is about")
        if media.citable is not None:
            notes.drop(f"{media.at}/citations", "whether a document is cited cannot be said")

    def _part(self, part: Part) -> dict[str, Any] | None:
        node: dict[str, Any] | None
        match part:
            case Text(text):
                self._unused(part)
                if part.annotations:
                    self._context.notes.drop(part.at, "only what the model says has citations")
                node = {"type": "input_text", "text": text}
            case Media():
                node = self._media(part)
            case SearchResult():
                node = {"type": "input_text", "text": self._told(part)}
            case Refusal(text, at):
                self._context.notes.approximate(at, "a refusal is a text like any other")
                return {"type": "input_text", "text": text}
            case _ if part.dialect == DIALECT:
                return dict(part.raw)
            case _:
                self._context.notes.drop(part.at, f"no counterpart for {part.kind}")
                return None
        if node is not None:
            self._marks.add(part.mark, node)
        return node

    def _unused(self, part: Text) -> None:
        for seal in part.seals:
            self._context.notes.drop(seal.at or part.at, "only its own maker reads what a text is sealed with")

    def _annotations(self, part: Text) -> list[dict[str, Any]]:
        written = [citations.write(each, len(part.text)) for each in part.annotations]
        if None in written:
            self._context.notes.drop(part.at, "a citation that only its own maker reads")
        return [each for each in written if each is not None]

    def _told(self, result: SearchResult) -> str:
        """A search result in words."""
        self._context.notes.approximate(result.at, "a search result is told in words")
        return "\n".join(filter(None, (result.title, result.source, plain(result.parts))))

    def _media(self, media: Media) -> dict[str, Any] | None:
        notes = self._context.notes
        if media.kind in ("audio", "video"):
            notes.refuse(media.at, f"OpenAI's Responses take no {media.kind}")
            return None
        self._cited(media)
        source = media.source
        if isinstance(source, FileId) and source.family != "openai":
            notes.refuse(media.at, "a file belongs to the provider that keeps it")
            return None
        if isinstance(source, Link) and not source.url.startswith(("https://", "http://")):
            notes.refuse(media.at, "OpenAI fetches from the web only")
            return None
        return self._image(media) if media.kind == "image" and media.mime != _PDF else self._file(media)

    def _image(self, media: Media) -> dict[str, Any] | None:
        node: dict[str, Any] = {"type": "input_image", "detail": media.detail if media.detail in _DETAILS else "auto"}
        match media.source:
            case Inline(data):
                node["image_url"] = f"data:{media.mime or 'image/png'};base64,{data}"
            case Link(url):
                node["image_url"] = url
            case FileId(_, id_):
                node["file_id"] = id_
            case _:
                self._context.notes.refuse(media.at, "an image is no text")
                return None
        return node

    def _file(self, media: Media) -> dict[str, Any] | None:
        node: dict[str, Any] = {"type": "input_file"}
        mime = media.mime
        match media.source:
            case Inline(data):
                mime = mime or _PDF
                node["file_data"] = f"data:{mime};base64,{data}"
            case PlainText(text):
                mime = mime or "text/plain"
                encoded = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")
                node["file_data"] = f"data:{mime};base64,{encoded}"
            case Link(url):
                node["file_url"] = url
                return node
            case FileId(_, id_):
                node["file_id"] = id_
                return node
            case Blocks():
                raise AssertionError("told part by part")
        name = media.name
        if not name:
            name = _NAMES.get(mime, "document")
            self._context.notes.invent("/input", f"a file needs a name: {name}")
        node["filename"] = name
        if media.detail in ("low", "high", "auto"):
            node["detail"] = media.detail
        return node


def simple(parts: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Content as it is written: one text of which nothing else is said is a string."""
    if len(parts) == 1 and "text" in parts[0] and not any(parts[0].get(name) for name in _MORE):
        text: str = parts[0]["text"]
        return text
    return parts
