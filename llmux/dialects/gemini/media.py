"""Pictures, sounds, films and documents: bytes in the body, or files that the provider can reach."""

from __future__ import annotations

import re
from typing import Any, Literal

from llmux.dialects.gemini.spelling import Node
from llmux.dialects.neutral import FileId, Inline, Link, Media, Source
from llmux.dialects.notes import Notes

MEMBERS = ("inlineData", "fileData")

_INLINE = frozenset({"mimeType", "data", "displayName"})
_FILE = frozenset({"mimeType", "fileUri", "displayName"})
_RESOLUTION = frozenset({"level"})
# Files that the API keeps, each with its own owner.
_KEPT = re.compile(r"https://generativelanguage\.googleapis\.com/|files/")
# What the provider reaches by itself beside those.
_REACHED = re.compile(r"gs://|https?://(www\.|m\.)?(youtube\.com|youtu\.be)/")
_YOUTUBE = re.compile(r"https?://(www\.|m\.)?(youtube\.com|youtu\.be)/")

# level of the API -> how closely to look
DETAILS = {
    "MEDIA_RESOLUTION_LOW": "low",
    "MEDIA_RESOLUTION_MEDIUM": "auto",
    "MEDIA_RESOLUTION_HIGH": "high",
    "MEDIA_RESOLUTION_ULTRA_HIGH": "original",
}


def read(part: Node, name: str, notes: Notes, detail: str | None = None) -> Media:
    """The medium of a part that holds a member of `MEMBERS`. `detail` is what holds for all that say nothing themselves."""
    inner = part.child(name)
    assert inner is not None, "the member is there"
    mime = inner.text("mimeType")
    source: Source
    if name == "inlineData":
        inner.rest(_INLINE, notes)
        source = Inline(standard(inner.text("data")))
    else:
        inner.rest(_FILE, notes)
        uri = inner.text("fileUri")
        source = FileId("gemini", uri) if _KEPT.match(uri) else Link(uri)
    kind: Literal["image", "audio", "video", "file"]
    main = mime.partition("/")[0].lower()
    if main in ("image", "audio", "video"):
        kind = main  # type: ignore[assignment]  # one of the three
    else:
        kind = "video" if isinstance(source, Link) and not mime and _YOUTUBE.match(source.url) else "file"
    return Media(kind, source, mime, inner.text("displayName"), _detail(part, notes) or detail, at=part.at)


def detail_of(level: str | None, at: str, notes: Notes) -> str | None:
    """How closely to look, by the API's word for it."""
    if level == "MEDIA_RESOLUTION_MEDIUM":
        notes.approximate(at, "there is nothing between low and high elsewhere")
    return None if level is None else DETAILS.get(level)


def _detail(part: Node, notes: Notes) -> str | None:
    resolution = part.child("mediaResolution")
    if resolution is None:
        return None
    resolution.rest(_RESOLUTION, notes)
    return detail_of(resolution.word("level"), resolution.where("level"), notes)


def standard(data: str) -> str:
    """Base64 in the alphabet that everybody reads: the API's own SDK writes the other one."""
    if "-" in data or "_" in data:
        data = data.replace("-", "+").replace("_", "/")
    return data if len(data) % 4 == 0 else data + "=" * (-len(data) % 4)


def reached(url: str) -> bool:
    """Whether the provider fetches what is there."""
    return _KEPT.match(url) is not None or _REACHED.match(url) is not None


def write(media: Media, mime: str) -> dict[str, Any] | None:
    """The part of a medium, whose source must be bytes or a file that the provider reaches; None: it is neither."""
    typed = {"mimeType": mime} if mime else {}
    named = {"displayName": media.name} if media.name else {}
    match media.source:
        case Inline(data):
            return {"inlineData": {**typed, "data": data, **named}}
        case Link(url):
            return {"fileData": {**typed, "fileUri": url, **named}}
        case FileId("gemini", id_):
            return {"fileData": {**typed, "fileUri": id_, **named}}
    return None
