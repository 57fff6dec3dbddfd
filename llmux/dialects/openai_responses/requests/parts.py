"""Reads the parts of messages and of tools' outputs: texts, images, files."""

from __future__ import annotations

import base64
import urllib.parse
from typing import Any

import msgspec

from llmux import jsonio
from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import FileId, Inline, Link, Mark, Media, OpaquePart, Part, Refusal, Source, Text
from llmux.dialects.openai_responses import citations
from llmux.dialects.openai_responses.citations import DIALECT
from llmux.dialects.reading import get, invalid, objects, string

_TEXTS = frozenset({"input_text", "output_text", "text", "summary_text", "reasoning_text"})
_TEXT = frozenset({"type", "text", "annotations", "logprobs", "prompt_cache_breakpoint"})
_IMAGE = frozenset({"type", "image_url", "file_id", "detail", "prompt_cache_breakpoint"})
_FILE = frozenset({"type", "file_data", "file_id", "file_url", "filename", "detail", "prompt_cache_breakpoint"})
_AUDIO = frozenset({"type", "input_audio"})
_REFUSAL = frozenset({"type", "refusal"})
_MARK = frozenset({"mode", "ttl"})

_FORMATS = {"mp3": "audio/mpeg", "wav": "audio/wav"}
_PDF = "application/pdf"
# How every PDF begins, in base64.
_PDF_MAGIC = "JVBERi"
# What a tool's output holds that fails; writers for OpenAI's dialects put it there, because these have no other place for it.
FAILED = "[tool error] "


class Parts:
    """The reader of a request's parts."""

    __slots__ = ("_context",)

    def __init__(self, context: Context) -> None:
        self._context = context

    def of_message(self, content: object, at: str) -> tuple[Part, ...]:
        """What a message holds."""
        return reading.parts(content, at, self.part)

    def part(self, at: str, node: dict[str, Any]) -> Part:
        """A part. An unknown one is kept as it is."""
        kind = string(node.get("type"), f"{at}/type")
        if kind in _TEXTS:
            return self._text(at, node)
        match kind:
            case "input_image":
                return self._image(at, node)
            case "input_file":
                return self._file(at, node)
            case "input_audio":
                return self._audio(at, node)
            case "refusal":
                reading.rest(node, _REFUSAL, at, self._context.notes)
                return Refusal(string(node.get("refusal"), f"{at}/refusal"), at)
        return OpaquePart(kind, node, DIALECT, at)

    def of_output(self, output: object, at: str) -> tuple[tuple[Part, ...], bool]:
        """What a tool gave back, and whether it failed.

        An output is a text or a list of parts. Clients also send bare objects, lists of anything, and images inside a text, which
        no model can see and which cost more tokens than it can read.
        """
        parts: tuple[Part, ...]
        if isinstance(output, str):
            pictured = self._pictured(output, at)
            parts = (Text(output, at=at),) if pictured is None else pictured
        elif isinstance(output, list) and all(isinstance(each, dict) and isinstance(each.get("type"), str) for each in output):
            parts = reading.parts(output, at, self.part)
        elif output is None:
            parts = ()
        else:
            parts = (Text(jsonio.dumps(output).decode(), at=at),)
        first = parts[0] if parts else None
        if not isinstance(first, Text) or not first.text.startswith(FAILED):
            return parts, False
        rest = first.text.removeprefix(FAILED)
        alone = not rest and len(parts) > 1
        return (parts[1:] if alone else (msgspec.structs.replace(first, text=rest), *parts[1:])), True

    def _pictured(self, text: str, at: str) -> tuple[Part, ...] | None:
        """The parts of a text that is the JSON of some, with an image among them."""
        if not text.startswith(("[", "{")) or ('"image' not in text and '"input_image"' not in text):
            return None
        try:
            found = jsonio.loads(text.encode("utf-8", "surrogatepass"))
        except ValueError:
            return None
        if isinstance(found, dict):  # the result of an MCP server
            found = found.get("content")
        if not isinstance(found, list):
            return None
        parts = tuple(_loose(each, at) for each in found)
        if None in parts or not any(isinstance(part, Media) for part in parts):
            return None
        self._context.notes.approximate(at, "images that stood in a text as JSON are told as images")
        return tuple(part for part in parts if part is not None)

    def mark(self, node: dict[str, Any], at: str) -> Mark | None:
        """The end of a prefix that is to be cached."""
        at = f"{at}/prompt_cache_breakpoint"
        mark = reading.obj(node.get("prompt_cache_breakpoint"), at)
        if mark is None:
            return None
        reading.rest(mark, _MARK, at, self._context.notes)
        return Mark(reading.optional(mark.get("ttl"), f"{at}/ttl"), at)

    def _text(self, at: str, node: dict[str, Any]) -> Text:
        if not node.keys() <= _TEXT:
            reading.rest(node, _TEXT, at, self._context.notes)
        text = node.get("text")
        if text.__class__ is not str:
            text = string(text, f"{at}/text")
        if len(node) == 2:  # nearly every text is nothing else
            return Text(text, at=at)
        cited = tuple(citations.read(each) for _, each in objects(node.get("annotations"), f"{at}/annotations"))
        if node.get("logprobs"):
            self._context.notes.drop(f"{at}/logprobs", "how likely the model's words were tells it nothing")
        return Text(text, cited, mark=self.mark(node, at), at=at)

    def _image(self, at: str, node: dict[str, Any]) -> Media:
        reading.rest(node, _IMAGE, at, self._context.notes)
        url = node.get("image_url")
        if isinstance(url, dict):  # as Chat Completions has it
            url = url.get("url")
        detail = reading.optional(node.get("detail"), f"{at}/detail")
        mark = self.mark(node, at)
        if url is None:
            file_id = string(node.get("file_id"), f"{at}/file_id")
            if not file_id:
                raise invalid(at, f"{at} must have an image_url or a file_id")
            return Media("image", FileId("openai", file_id), detail=detail, mark=mark, at=at)
        source, mime = located(string(url, f"{at}/image_url"))
        return Media("file" if mime == _PDF else "image", source, mime, detail=detail, mark=mark, at=at)

    def _file(self, at: str, node: dict[str, Any]) -> Media:
        reading.rest(node, _FILE, at, self._context.notes)
        name = string(node.get("filename"), f"{at}/filename")
        source: Source
        mime = ""
        held = [each for each in ("file_data", "file_url", "file_id") if node.get(each)]
        if not held:
            raise invalid(at, f"{at} must have a file_data, a file_url or a file_id")
        value = string(node[held[0]], f"{at}/{held[0]}")
        if held[0] == "file_id":
            source = FileId("openai", value)
        elif held[0] == "file_data" and not value.startswith("data:"):
            source = Inline(value)
        else:
            source, mime = located(value)
        for other in held[1:]:
            self._context.notes.drop(f"{at}/{other}", f"the {held[0]} is the same file")
        if not mime and (name.lower().endswith(".pdf") or (isinstance(source, Inline) and source.data.startswith(_PDF_MAGIC))):
            mime = _PDF
        detail = reading.optional(node.get("detail"), f"{at}/detail")
        return Media("file", source, mime, name, detail, mark=self.mark(node, at), at=at)

    def _audio(self, at: str, node: dict[str, Any]) -> Media:
        reading.rest(node, _AUDIO, at, self._context.notes)
        audio = reading.obj(node.get("input_audio"), f"{at}/input_audio") or {}
        format_ = string(audio.get("format"), f"{at}/input_audio/format")
        data = string(audio.get("data"), f"{at}/input_audio/data")
        return Media("audio", Inline(data), _FORMATS.get(format_, f"audio/{format_}"), at=at)


def located(url: str) -> tuple[Source, str]:
    """Where a URL leads: to the bytes that a `data:` URL holds, with their type, or to wherever it says."""
    if not url.startswith("data:"):
        return Link(url), ""
    head, _, data = url.partition(",")
    mime, *parameters = head[5:].split(";")
    if "base64" not in parameters:
        data = base64.b64encode(urllib.parse.unquote_to_bytes(data)).decode("ascii")
    return Inline(data), mime.strip().lower()


def _loose(node: object, at: str) -> Part | None:
    """A part in any of the shapes in which tools put it into a text; None for what is none."""
    if not isinstance(node, dict):
        return None
    kind = str(node.get("type"))
    if kind in _TEXTS and isinstance(node.get("text"), str):
        return Text(node["text"], at=at)
    data = node.get("data")
    if kind == "image" and isinstance(data, str):  # the Model Context Protocol
        return Media("image", Inline(data), str(get(node, "mimeType", "mime_type") or ""), at=at)
    url = node.get("image_url")
    if kind in ("input_image", "image_url"):
        url = url.get("url") if isinstance(url, dict) else url
        if isinstance(url, str):
            source, mime = located(url)
            return Media("image", source, mime, at=at)
    return None
