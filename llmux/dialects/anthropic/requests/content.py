"""Writes parts as blocks."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from llmux.dialects.anthropic.requests.marks import Marks
from llmux.dialects.context import Context
from llmux.dialects.neutral import (
    Blocks,
    FileId,
    Inline,
    Link,
    Media,
    OpaquePart,
    Part,
    PlainText,
    Refusal,
    SearchResult,
    Text,
)

_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_MIMES = {"image/jpg": "image/jpeg", "application/x-pdf": "application/pdf"}
_PDF = "application/pdf"
# Texts whose type does not say so.
_TEXTS = ("application/json", "application/xml", "application/yaml", "application/x-yaml", "application/javascript")
# how base64 begins -> what it is, for bytes of which nobody said the type
_MAGIC: tuple[tuple[str, str], ...] = (
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBERi", _PDF),
)


class Content:
    """The writer of a request's parts."""

    __slots__ = ("_context", "_marks")

    def __init__(self, context: Context, marks: Marks) -> None:
        self._context = context
        self._marks = marks

    def blocks(self, parts: Iterable[Part], *, assistant: bool = False) -> list[dict[str, Any]]:
        """The blocks of some parts; what cannot be said is noted or refused, and left out."""
        written = []
        for part in parts:
            block = self._text(part, assistant) if isinstance(part, Text) else self._block(part, assistant)
            if block is not None:
                written.append(block)
        return written

    def _block(self, part: Refusal | Media | SearchResult | OpaquePart, assistant: bool) -> dict[str, Any] | None:
        context = self._context
        block: dict[str, Any] | None
        match part:
            case Refusal(text, at):
                if not text or text.isspace():
                    return None
                context.notes.approximate(at, "a refusal is a text like any other")
                return {"type": "text", "text": text}
            case Media():
                block = self._media(part, assistant)
            case SearchResult(source, title, parts, citable):
                block = {"type": "search_result", "source": source, "title": title, "content": self.blocks(parts)}
                if citable is not None:
                    block["citations"] = {"enabled": citable}
            case _ if part.dialect == "anthropic":
                return dict(part.raw)
            case _:
                context.notes.drop(part.at, f"no counterpart for {part.kind}")
                return None
        if block is not None:
            self._marks.add(part.mark, block)
        return block

    def _text(self, part: Text, assistant: bool) -> dict[str, Any] | None:
        """A text. The API refuses those in which nothing stands."""
        text = part.text
        notes = self._context.notes
        for seal in part.seals:
            notes.drop(seal.at or part.at, "a seal that only its own maker reads")
        if part.logprobs:
            notes.drop(part.at, "how likely a text was cannot be told again")
        if not text or text.isspace():
            if part.mark is not None:
                notes.drop(part.mark.at, "an empty text cannot be marked")
            return None
        block: dict[str, Any] = {"type": "text", "text": text}
        if part.annotations:
            own = [annotation.raw for annotation in part.annotations if annotation.dialect == "anthropic"]
            if own and assistant:
                block["citations"] = own
            if len(own) < len(part.annotations):
                notes.drop(part.at, "the API takes its own citations only")
        if part.mark is not None:
            self._marks.add(part.mark, block)
        return block

    def _media(self, media: Media, assistant: bool) -> dict[str, Any] | None:
        notes = self._context.notes
        if media.detail not in (None, "auto"):
            notes.drop(media.at, "how closely to look cannot be said")
        if media.kind in ("audio", "video"):
            notes.refuse(media.at, f"Anthropic takes no {media.kind}")
            return None
        source, mime = media.source, _MIMES.get(media.mime, media.mime)
        if isinstance(source, Inline) and not mime:
            mime = next((mime for start, mime in _MAGIC if source.data.startswith(start)), "")
        if isinstance(source, FileId) and source.family != "anthropic":
            notes.refuse(media.at, "a file belongs to the provider that keeps it")
            return None
        if isinstance(source, Link) and not source.url.startswith(("https://", "http://")):
            notes.refuse(media.at, "Anthropic fetches from the web only")
            return None
        is_image = (media.kind == "image" and mime != _PDF) or mime in _IMAGES
        return self._image(media, mime) if is_image else self._document(media, mime, assistant)

    def _image(self, media: Media, mime: str) -> dict[str, Any] | None:
        match media.source:
            case Inline(data):
                if mime not in _IMAGES:
                    self._context.notes.refuse(media.at, f"Anthropic takes no images of type {mime or 'unknown'}")
                    return None
                return {"type": "image", "source": {"type": "base64", "media_type": mime, "data": data}}
            case Link(url):
                return {"type": "image", "source": {"type": "url", "url": url}}
            case FileId(_, id_):
                return {"type": "image", "source": {"type": "file", "file_id": id_}}
        self._context.notes.refuse(media.at, "an image is no text")
        return None

    def _document(self, media: Media, mime: str, assistant: bool) -> dict[str, Any] | None:
        if assistant:
            self._context.notes.refuse(media.at, "Anthropic takes no documents in assistant messages")
            return None
        source = self._document_source(media, mime)
        if source is None:
            return None
        block: dict[str, Any] = {"type": "document", "source": source}
        if media.name:
            block["title"] = media.name
        if media.context is not None:
            block["context"] = media.context
        if media.citable is not None:
            block["citations"] = {"enabled": media.citable}
        return block

    def _document_source(self, media: Media, mime: str) -> dict[str, Any] | None:
        match media.source:
            case PlainText(text):
                return {"type": "text", "media_type": "text/plain", "data": text}
            case Blocks(parts):
                return {"type": "content", "content": self.blocks(parts)}
            case Link(url):
                return {"type": "url", "url": url}
            case FileId(_, id_):
                return {"type": "file", "file_id": id_}
            case Inline(data):
                if mime == _PDF or (not mime and media.name.lower().endswith(".pdf")):
                    return {"type": "base64", "media_type": _PDF, "data": data}
                readable = not mime or mime.startswith("text/") or mime in _TEXTS
                decoded = _decoded(data) if readable else None
                if decoded is not None:
                    return {"type": "text", "media_type": "text/plain", "data": decoded}
        self._context.notes.refuse(media.at, f"Anthropic takes PDF and plain text, no {mime or 'unknown'} files")
        return None


def simple(blocks: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Content as it is written: one text of which nothing but its type is said is a string."""
    if len(blocks) == 1 and len(blocks[0]) == 2 and blocks[0]["type"] == "text":
        text: str = blocks[0]["text"]
        return text
    return blocks


def _decoded(data: str) -> str | None:
    """The text that base64 holds, if it is one."""
    try:
        return base64.b64decode(data, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
