"""Where a text got what it says: this API's annotations, and those of others as far as they name a page on the web."""

from __future__ import annotations

from typing import Any

from llmux.dialects.neutral import Annotation

DIALECT = "openai-responses"
_URL = "url_citation"


def read(node: dict[str, Any], at: str = "") -> Annotation:
    """An annotation in the list at `at` of an answer. The numbers of a span are taken as they are."""
    kind = str(node.get("type"))
    if kind != _URL:
        return Annotation(kind, dialect=DIALECT, raw=node, at=at)
    start, end = node.get("start_index"), node.get("end_index")
    return Annotation(
        "url",
        _text(node.get("url")),
        _text(node.get("title")),
        start=start if isinstance(start, int) else None,
        end=end if isinstance(end, int) else None,
        dialect=DIALECT,
        raw=node,
        at=at,
    )


def write(annotation: Annotation, length: int) -> dict[str, Any] | None:
    """An annotation of a text of `length` code points; None: only its own dialect knows what it says."""
    if annotation.dialect == DIALECT:
        return dict(annotation.raw)
    if annotation.kind != "url":
        return None
    return {
        "type": _URL,
        "url": annotation.url,
        "title": annotation.title,
        "start_index": annotation.start or 0,
        "end_index": length if annotation.end is None else annotation.end,
    }


def spans_all(annotation: Annotation) -> bool:
    """Whether it is about the whole text, so that its end is known only when the text is."""
    return annotation.dialect != DIALECT and annotation.end is None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
