"""Reads the parts of a message: texts, refusals, images, sounds, films and files."""

from __future__ import annotations

import base64
import re
import urllib.parse
from collections.abc import Callable
from typing import Any

from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import FileId, Inline, Link, Mark, Media, OpaquePart, Part, Refusal, Source, Text
from llmux.dialects.reading import invalid, string

_MARKS = frozenset({"prompt_cache_breakpoint", "cache_control"})
_TEXT = _MARKS | {"type", "text"}
_REFUSAL = _MARKS | {"type", "refusal"}
_IMAGE = _MARKS | {"type", "image_url"}
_IMAGE_URL = frozenset({"url", "detail"})
_AUDIO = _MARKS | {"type", "input_audio"}
_INPUT_AUDIO = frozenset({"data", "format"})
_VIDEO = _MARKS | {"type", "video_url"}
_VIDEO_URL = frozenset({"url"})
_FILE = _MARKS | {"type", "file"}
_FILE_BODY = frozenset({"file_data", "file_id", "filename"})
_BREAKPOINT = frozenset({"mode", "ttl"})
_CACHE_CONTROL = frozenset({"type", "ttl"})

_SOUNDS = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_DATA_URL = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),", re.IGNORECASE)
_PDF = "application/pdf"
# How base64 of a PDF begins, for files of which nobody said the type.
_PDF_BEGINS = "JVBERi"


def part(at: str, node: dict[str, Any], context: Context) -> Part:
    """A part of a message. One that nobody knows is kept as it is."""
    if node.get("type") == "text":  # most are
        return _text(at, node, context)
    reader = _READERS.get(string(node.get("type"), f"{at}/type"))
    if reader is not None:
        return reader(at, node, context)
    return OpaquePart(str(node.get("type")), node, "openai-chat", at)


def read_mark(node: dict[str, Any], at: str, context: Context) -> Mark | None:
    """The end of a prefix that is to be cached: this API's own mark, or Anthropic's, which many clients and servers take over."""
    name, known = "prompt_cache_breakpoint", _BREAKPOINT
    if node.get(name) is None:
        name, known = "cache_control", _CACHE_CONTROL
        if node.get(name) is None:
            return None
    where = f"{at}/{name}"
    mark = reading.obj(node[name], where)
    assert mark is not None, "it is there"
    reading.rest(mark, known, where, context.notes)
    return Mark(reading.optional(mark.get("ttl"), f"{where}/ttl"), where)


def _text(at: str, node: dict[str, Any], context: Context) -> Text:
    text = node.get("text")
    if not isinstance(text, str):
        raise invalid(f"{at}/text", f"{at}/text must be a string")
    if len(node) == 2:
        return Text(text, at=at)
    reading.rest(node, _TEXT, at, context.notes)
    return Text(text, mark=read_mark(node, at, context), at=at)


def _refusal(at: str, node: dict[str, Any], context: Context) -> Refusal:
    reading.rest(node, _REFUSAL, at, context.notes)
    return Refusal(string(node.get("refusal"), f"{at}/refusal"), at)


def _image(at: str, node: dict[str, Any], context: Context) -> Media:
    reading.rest(node, _IMAGE, at, context.notes)
    where = f"{at}/image_url"
    body = node.get("image_url")
    if isinstance(body, str):  # as older servers have it
        body = {"url": body}
    inner = _required(body, where)
    reading.rest(inner, _IMAGE_URL, where, context.notes)
    source, mime = _source(_text_of(inner, "url", where))
    detail = reading.optional(inner.get("detail"), f"{where}/detail")
    mark = read_mark(node, at, context)
    return Media("file" if mime == _PDF else "image", source, mime, detail=detail, mark=mark, at=at)


def _audio(at: str, node: dict[str, Any], context: Context) -> Media:
    reading.rest(node, _AUDIO, at, context.notes)
    where = f"{at}/input_audio"
    inner = _required(node.get("input_audio"), where)
    reading.rest(inner, _INPUT_AUDIO, where, context.notes)
    form = string(inner.get("format"), f"{where}/format")
    source, mime = _source(_text_of(inner, "data", where), inline=True)
    return Media("audio", source, mime or _SOUNDS.get(form, f"audio/{form}"), mark=read_mark(node, at, context), at=at)


def _video(at: str, node: dict[str, Any], context: Context) -> Media:
    """A film, as compatible servers take it."""
    reading.rest(node, _VIDEO, at, context.notes)
    where = f"{at}/video_url"
    inner = _required(node.get("video_url"), where)
    reading.rest(inner, _VIDEO_URL, where, context.notes)
    source, mime = _source(_text_of(inner, "url", where))
    return Media("video", source, mime, mark=read_mark(node, at, context), at=at)


def _file(at: str, node: dict[str, Any], context: Context) -> Media:
    reading.rest(node, _FILE, at, context.notes)
    where = f"{at}/file"
    inner = _required(node.get("file"), where)
    reading.rest(inner, _FILE_BODY, where, context.notes)
    name = string(inner.get("filename"), f"{where}/filename")
    mark = read_mark(node, at, context)
    if inner.get("file_data") is None:
        return Media("file", FileId("openai", _text_of(inner, "file_id", where)), name=name, mark=mark, at=at)
    source, mime = _source(_text_of(inner, "file_data", where), inline=True)
    if not mime and isinstance(source, Inline) and (source.data.startswith(_PDF_BEGINS) or name.lower().endswith(".pdf")):
        mime = _PDF
    return Media("file", source, mime, name, mark=mark, at=at)


def _source(url: str, *, inline: bool = False) -> tuple[Source, str]:
    """Where the bytes are, and their type as far as it is known. `inline`: what is no data URL is base64 already."""
    head = _DATA_URL.match(url) if url[:5].lower() == "data:" else None
    if head is None:
        return (Inline(url) if inline else Link(url)), ""
    data = url[head.end() :]
    if ";base64" not in head[2].lower():
        data = base64.b64encode(urllib.parse.unquote_to_bytes(data)).decode("ascii")
    return Inline(data), head[1].lower()


def _required(value: object, at: str) -> dict[str, Any]:
    found = reading.obj(value, at)
    if found is None:
        raise invalid(at, f"{at} must be an object")
    return found


def _text_of(node: dict[str, Any], name: str, at: str) -> str:
    value = node.get(name)
    if not isinstance(value, str) or not value:
        raise invalid(f"{at}/{name}", f"{at}/{name} must be a string that is not empty")
    return value


_READERS: dict[str, Callable[[str, dict[str, Any], Context], Part]] = {
    "text": _text,
    "refusal": _refusal,
    "image_url": _image,
    "input_audio": _audio,
    "video_url": _video,
    "file": _file,
}
