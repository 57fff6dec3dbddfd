"""Writes parts: of what is asked all kinds, of what the model or a tool said texts alone."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import Blocks, FileId, Inline, Link, Media, OpaquePart, Part, PlainText, Refusal, SearchResult, Text
from llmux.dialects.openai_only import Marks

# Why a seal is not sent.
NOT_OURS = "a seal that only its own maker reads"

_PDF = "application/pdf"
_SOUNDS = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}
# how base64 begins -> what it is, for bytes of which nobody said the type
_MAGIC: tuple[tuple[str, str], ...] = (
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBERi", _PDF),
)
_DETAILS = ("low", "high", "original")  # `auto` is what is done anyway
# The API insists on a file's name.
_NAMES = {_PDF: "document.pdf", "text/plain": "document.txt"}
_NAME = "document"


class Content:
    """The writer of a request's parts."""

    __slots__ = ("_context", "_marks")

    def __init__(self, context: Context, marks: Marks) -> None:
        self._context = context
        self._marks = marks

    def parts(self, parts: Iterable[Part]) -> list[dict[str, Any]]:
        """What a user says; what cannot be said is noted or refused, and left out."""
        found: list[dict[str, Any]] = []
        for part in parts:
            if isinstance(part, Text):
                found.append(self.text(part))
            elif isinstance(part, Media):
                found += self._media(part)
            elif isinstance(part, Refusal):
                found.append(self._plain(part.text))
            elif isinstance(part, SearchResult):
                found += self._search_result(part)
            else:
                found += self._opaque(part)
        return found

    def texts(self, parts: Iterable[Part], whose: str) -> list[dict[str, Any]]:
        """What can hold texts only. `whose` says it in refusals."""
        found: list[dict[str, Any]] = []
        for part in parts:
            if isinstance(part, Media) and isinstance(part.source, PlainText):
                found.append(self.text(self._in_words(part, part.source)))
                continue
            for written in self.parts((part,)):
                if written["type"] == "text":
                    found.append(written)
                else:
                    self._context.notes.refuse(part.at, f"{whose} holds texts only")
        return found

    def text(self, part: Text) -> dict[str, Any]:
        """A text. Who was cited for it, and its seals, have no place here."""
        if part.annotations or part.logprobs or part.seals:
            self._note_unsaid(part)
        written = {"type": "text", "text": part.text}
        if part.mark is not None:
            self._marks.add(part.mark, written)
        return written

    def _note_unsaid(self, part: Text) -> None:
        if part.annotations:
            self._context.notes.drop(part.at, "what a text cites cannot be sent back")
        for seal in part.seals:
            self._context.notes.drop(seal.at or part.at, NOT_OURS)
        if part.logprobs:
            self._context.notes.drop(part.at, "how likely a text was cannot be told again")

    def _plain(self, text: str) -> dict[str, Any]:
        return {"type": "text", "text": text}

    def _marked(self, part: Media | SearchResult, written: dict[str, Any]) -> list[dict[str, Any]]:
        self._marks.add(part.mark, written)
        return [written]

    def _opaque(self, part: OpaquePart) -> list[dict[str, Any]]:
        if part.dialect == "openai-chat":
            return [dict(part.raw)]
        self._context.notes.drop(part.at, f"no counterpart for {part.kind}")
        return []

    def _search_result(self, part: SearchResult) -> list[dict[str, Any]]:
        """What the client found, under a head that says where."""
        self._context.notes.approximate(part.at, "a search result is told as text")
        inner = self.parts(part.parts)
        head = "\n".join(line for line in (part.title, part.source) if line)
        texts = [head, *(each["text"] for each in inner if each["type"] == "text")]
        written = self._plain("\n".join(text for text in texts if text))
        return [*self._marked(part, written), *(each for each in inner if each["type"] != "text")]

    # media

    def _media(self, media: Media) -> list[dict[str, Any]]:
        notes = self._context.notes
        source, mime = media.source, media.mime
        if isinstance(source, Inline) and not mime:
            mime = next((mime for start, mime in _MAGIC if source.data.startswith(start)), "")
        if isinstance(source, FileId) and source.family != "openai":
            notes.refuse(media.at, "a file belongs to the provider that keeps it")
            return []
        if media.kind == "video":
            notes.refuse(media.at, "the API takes no films")
            return []
        if media.kind == "audio":
            return self._audio(media, mime)
        is_image = (media.kind == "image" and mime != _PDF) or (media.kind == "file" and mime.startswith("image/"))
        return self._image(media, mime) if is_image else self._file(media, mime)

    def _image(self, media: Media, mime: str) -> list[dict[str, Any]]:
        notes = self._context.notes
        match media.source:
            case Inline(data):
                if not mime:
                    notes.refuse(media.at, "nobody said what kind of image it is")
                    return []
                url = f"data:{mime};base64,{data}"
            case Link(url) if url.startswith(("https://", "http://")):
                pass
            case _:
                notes.refuse(media.at, "images are sent as they are, or fetched from the web")
                return []
        image = {"url": url}
        if media.detail in _DETAILS:
            image["detail"] = media.detail
        return self._marked(media, {"type": "image_url", "image_url": image})

    def _audio(self, media: Media, mime: str) -> list[dict[str, Any]]:
        form = _SOUNDS.get(mime.partition(";")[0])
        if form is None or not isinstance(media.source, Inline):
            self._context.notes.refuse(media.at, "sounds are sent as they are, in wav or mp3")
            return []
        written = {"type": "input_audio", "input_audio": {"data": media.source.data, "format": form}}
        return self._marked(media, written)

    def _file(self, media: Media, mime: str) -> list[dict[str, Any]]:
        notes = self._context.notes
        if media.context is not None:
            notes.drop(f"{media.at}/context", "a document is told without what it is about")
        if media.citable is not None:
            notes.drop(f"{media.at}/citations", "whether a document is cited cannot be said")
        if media.detail not in (None, "auto"):
            notes.drop(f"{media.at}/detail", "how closely to look at a document cannot be said")
        match media.source:
            case FileId(_, id_):
                return self._marked(media, {"type": "file", "file": {"file_id": id_}})
            case Inline(data):
                return self._bytes(media, data, mime or "application/octet-stream")
            case PlainText(text):
                data = base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")
                return self._bytes(media, data, "text/plain")
            case Blocks(parts):
                notes.approximate(media.at, "what a document holds is told in its place")
                return self._blocks(media, parts)
        notes.refuse(media.at, "the API fetches no documents")
        return []

    def _bytes(self, media: Media, data: str, mime: str) -> list[dict[str, Any]]:
        name = media.name
        if not name:
            name = _NAMES.get(mime, _NAME)
            self._context.notes.invent("/messages", f"a file needs a name: {name}")
        file = {"file_data": f"data:{mime};base64,{data}", "filename": name}
        return self._marked(media, {"type": "file", "file": file})

    def _in_words(self, media: Media, source: PlainText) -> Text:
        """A document where only texts can stand."""
        self._context.notes.approximate(media.at, "a document of plain text is told as text")
        text = f"{media.name}\n{source.text}" if media.name else source.text
        return Text(text, mark=media.mark, at=media.at)

    def _blocks(self, media: Media, parts: tuple[Part, ...]) -> list[dict[str, Any]]:
        head = [self._plain(media.name)] if media.name else []
        found = [*head, *self.parts(parts)]
        if found:
            self._marks.add(media.mark, found[-1])
        return found


def simple(parts: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """Content as it is written: one text of which nothing else is said is a string, and so is nothing at all."""
    if not parts:
        return ""
    if len(parts) == 1 and len(parts[0]) == 2 and parts[0]["type"] == "text":
        text: str = parts[0]["text"]
        return text
    return parts
