"""Pages that an answer cites: `url_citation`, the only annotation of this API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import Annotation, Text


def read(listed: object, at: str = "") -> Iterator[Annotation]:
    """The annotations of a message, which stand at `at` in an answer. The numbers stay as they came."""
    for node in listed if isinstance(listed, list) else ():
        if not isinstance(node, dict):
            continue
        inner = node.get("url_citation")
        if isinstance(inner, dict) and isinstance(inner.get("url"), str):
            title = inner.get("title")
            yield Annotation(
                "url",
                inner["url"],
                title if isinstance(title, str) else "",
                start=_index(inner.get("start_index")),
                end=_index(inner.get("end_index")),
                dialect="openai-chat",
                raw=node,
                at=at,
            )
        else:
            yield Annotation(str(node.get("type")), dialect="openai-chat", raw=node, at=at)


def write(annotations: tuple[Annotation, ...], text: str, offset: int, context: Context) -> Iterator[dict[str, Any]]:
    """The annotations of a text that begins at `offset` of the content."""
    for annotation in annotations:
        if annotation.kind != "url" or not annotation.url:
            if annotation.dialect == "openai-chat":
                yield dict(annotation.raw)
            else:
                context.notes.carry(annotation.at, f"a {annotation.kind} is no page on the web, and told to nobody but here")
            continue
        start = 0 if annotation.start is None else annotation.start
        end = len(text) if annotation.end is None else annotation.end
        span = {"start_index": offset + start, "end_index": offset + end}
        yield {"type": "url_citation", "url_citation": {**span, "title": annotation.title, "url": annotation.url}}


def of_text(part: Text, offset: int, context: Context) -> Iterator[dict[str, Any]]:
    """The annotations of a whole text."""
    return write(part.annotations, part.text, offset, context)


def _index(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
