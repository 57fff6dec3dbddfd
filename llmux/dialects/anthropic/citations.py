"""Where a text got what it says: this API's citations, and the annotations that others have.

A page on the web is cited by a proof that only the API can make, `encrypted_index`. An annotation of another provider travels
there in an envelope of ours, which shows the client the page, and is an annotation again when it comes back.
"""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects.context import Context
from llmux.dialects.neutral import Annotation, Seal
from llmux.dialects.seals import PREFIX

_WEB = "web_search_result_location"
# Of nobody: such an envelope holds a span, and no proof.
_FAMILY = "llmux"


def read(citation: dict[str, Any], context: Context, at: str = "") -> Annotation:
    """An annotation. The API cites for whole blocks, so there is no span, unless we put one there."""
    kind = str(citation.get("type"))
    cited = _text(citation.get("cited_text"))
    if kind != _WEB:
        title = _text(citation.get("document_title") or citation.get("title"))
        return Annotation(kind, _text(citation.get("source")), title, cited, dialect="anthropic", raw=citation, at=at)
    url, title = _text(citation.get("url")), _text(citation.get("title"))
    proof = _text(citation.get("encrypted_index"))
    if proof.startswith(PREFIX):
        seal = context.seals.open(proof, Seal("anthropic", "encrypted", proof), url)
        if seal is not None and seal.family == _FAMILY:
            start, end = jsonio.loads(seal.payload.encode())
            return Annotation("url", url, title, cited, start, end, at=at)
    return Annotation("url", url, title, cited, dialect="anthropic", raw=citation, at=at)


def write(annotation: Annotation, context: Context) -> dict[str, Any] | None:
    """A citation in an answer; None, with a note: only its own dialect knows what it says."""
    if annotation.dialect == "anthropic":
        return dict(annotation.raw)
    if annotation.kind != "url":
        context.notes.drop(annotation.at, f"a {annotation.kind} is no citation in this dialect")
        return None
    context.notes.carry(annotation.at, "a page that another provider cites, where the API has its own proof")
    span = jsonio.dumps([annotation.start, annotation.end]).decode()
    return {
        "type": _WEB,
        "cited_text": annotation.cited,
        "url": annotation.url,
        "title": annotation.title or None,
        "encrypted_index": context.seals.wrap(Seal(_FAMILY, "encrypted", span), annotation.url),
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
