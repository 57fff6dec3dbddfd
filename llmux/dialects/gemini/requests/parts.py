"""Writes the parts of messages and of results."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.gemini import media, signatures
from llmux.dialects.neutral import (
    Blocks,
    FileId,
    Inline,
    Link,
    Mark,
    Media,
    Part,
    PlainText,
    Refusal,
    Seal,
    SearchResult,
    Text,
)

Written = dict[str, Any]

# how base64 begins -> what it is, for bytes of which nobody said the type
_MAGIC: tuple[tuple[str, str], ...] = (
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "image/webp"),
    ("JVBERi", "application/pdf"),
)
_PDF = "application/pdf"
# how closely to look -> the API's word for it; what is `auto` is left to the API
_LEVELS = {"low": "LOW", "high": "HIGH", "original": "ULTRA_HIGH"}


class Parts:
    """The writer of a request's parts."""

    __slots__ = ("_context", "_details", "_each", "_media")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._each = context.target.capabilities.levels is True  # such models are told how closely to look part by part
        self._details: list[tuple[str, str]] = []  # for the others: level and pointer
        self._media = 0

    def write(self, parts: Iterable[Part]) -> list[Written]:
        """The parts; what cannot be said is noted or refused, and left out."""
        written: list[Written] = []
        for part in parts:
            if isinstance(part, Text):
                self._text(part, written)
            else:
                written += self._other(part)
        return written

    def _text(self, part: Text, written: list[Written]) -> None:
        """A text. The API refuses those in which nothing stands, unless they are signed."""
        if part.mark is not None:
            self.unmarked(part.mark)
        signature = self.signature(part.seals, part.at) if part.seals else None
        if part.annotations:
            self._context.notes.drop(part.at, "where a text got what it says is not told again")
        if part.logprobs:
            self._context.notes.drop(part.at, "how likely a text was is not told again")
        if signature is not None:
            written.append({"text": part.text, "thoughtSignature": signature})
        elif part.text:
            written.append({"text": part.text})

    def signature(self, seals: tuple[Seal, ...], at: str) -> str | None:
        """The signature among some seals. Only those that Gemini made can be sent."""
        own = [seal for seal in seals if seal.family == signatures.FAMILY]
        for seal in seals:
            if seal.family != signatures.FAMILY:
                self._context.notes.drop(seal.at or at, "only its own maker reads another provider's proof")
        for seal in own[1:]:
            self._context.notes.drop(seal.at or at, "there is room for one signature")
        return own[0].payload if own else None

    def unmarked(self, mark: Mark | None) -> None:
        """What the API's cache holds cannot be marked."""
        if mark is not None:
            self._context.notes.drop(mark.at, "the provider decides what it caches")

    def _other(self, part: Part) -> list[Written]:
        notes = self._context.notes
        match part:
            case Refusal(text, at):
                if not text:
                    return []
                notes.approximate(at, "a refusal is a text like any other")
                return [{"text": text}]
            case Media():
                self.unmarked(part.mark)
                return self._medium(part)
            case SearchResult(source, title, parts):
                self.unmarked(part.mark)
                notes.approximate(part.at, "what was found is told as text")
                return [{"text": f"{title}\n{source}".strip()}, *self.write(parts)]
            case Text():  # pragma: no cover  # written before
                return []
        if part.dialect == "gemini":
            return [dict(part.raw)]
        notes.drop(part.at, f"no counterpart for {part.kind}")
        return []

    # media

    def _medium(self, item: Media) -> list[Written]:
        notes = self._context.notes
        if item.context is not None:
            notes.drop(f"{item.at}/context", "a document is told without what it is about")
        if item.citable is not None:
            notes.drop(f"{item.at}/citations", "whether a document is cited cannot be said")
        mime = item.mime
        match item.source:
            case PlainText(text):
                data = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
                return self._seen(item, media.write(_inline(item, data), "text/plain"))
            case Blocks(parts):
                notes.approximate(item.at, "a document of parts is told part by part")
                return [*([{"text": item.name}] if item.name else []), *self.write(parts)]
            case Inline(data):
                mime = mime or next((each for start, each in _MAGIC if data.startswith(start)), "")
                if not mime:
                    notes.refuse(item.at, "Gemini wants to know of what type a file is")
                    return []
            case Link(url) if item.kind != "file" and not media.reached(url):
                notes.refuse(item.at, "Gemini fetches media from nowhere but its own files, Cloud Storage and YouTube")
                return []
            case Link(url) if not mime and url.lower().endswith(".pdf"):
                mime = _PDF
            case FileId(family) if family != "gemini":
                notes.refuse(item.at, "a file belongs to the provider that keeps it")
                return []
        return self._seen(item, media.write(item, mime))

    def _seen(self, item: Media, written: Written | None) -> list[Written]:
        """The medium with how closely to look at it."""
        assert written is not None, "other sources were refused"
        self._media += 1
        level = _LEVELS.get(item.detail or "")
        if level is None:
            return [written]
        if self._each:
            if level == "ULTRA_HIGH":
                self._context.notes.approximate(item.at, "ultra high is the most")
            written["mediaResolution"] = {"level": f"MEDIA_RESOLUTION_{level}"}
        else:
            self._details.append((level, item.at))
        return [written]

    def resolution(self) -> str | None:
        """How closely to look at all media, for models that are told once."""
        notes, details = self._context.notes, self._details
        if not details:
            return None
        level = details[0][0]
        if any(other != level for other, _ in details):
            for _, at in details:
                notes.drop(at, "all media are looked at alike")
            return None
        if level == "ULTRA_HIGH":
            for _, at in details:
                notes.approximate(at, "high is the most")
            level = "HIGH"
        elif self._media > len(details):
            notes.approximate(details[0][1], "all media are looked at alike")
        return f"MEDIA_RESOLUTION_{level}"

    # results

    def of_result(self, parts: Iterable[Part], at: str) -> tuple[str, list[Written]]:
        """The text of a result, and its media."""
        texts: list[str] = []
        shown: list[Written] = []
        told = False
        for each in self._readable(parts):
            if isinstance(each, Text):
                self.unmarked(each.mark)
                texts.append(each.text)
            else:
                told = told or not isinstance(each, Media)
                written = self._other(each)
                texts += [part["text"] for part in written if "text" in part]
                shown += [part for part in written if "text" not in part]
        if len(texts) > 1 and not told:
            self._context.notes.approximate(at, "the texts of a result are one")
        return "\n".join(texts), shown

    def _readable(self, parts: Iterable[Part]) -> Iterator[Part]:
        for each in parts:
            if isinstance(each, Media) and isinstance(each.source, PlainText):
                self._context.notes.approximate(each.at, "a document of text is told as text")
                yield Text(each.source.text, mark=each.mark, at=each.at)
            else:
                yield each


def _inline(item: Media, data: str) -> Media:
    return Media(item.kind, Inline(data), "text/plain", item.name, item.detail, at=item.at)
