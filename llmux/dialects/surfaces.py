"""The small surfaces beside generation, of each dialect: counted tokens and embeddings."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable
from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.gemini import requests as gemini_requests
from llmux.dialects.neutral import Message, plain
from llmux.dialects.notes import Notes
from llmux.dialects.reading import get, invalid, objects
from llmux.dialects.seals import Seals

Embed = Callable[[str, int], list[float]]  # text and dimensions -> a unit vector

_DIMENSIONS_OPENAI = 1536
_DIMENSIONS_GEMINI = 768
_MOST_DIMENSIONS = 4096
# As the vendors' own limits: 2048 inputs of 3072 numbers are more than any of them answers in one piece.
_MOST_NUMBERS = 2_000_000


def counted(dialect: str, tokens: int) -> dict[str, Any]:
    """The answer to a request to count tokens."""
    if dialect == "gemini":
        return {"totalTokens": tokens}
    if dialect == "openai-responses":
        return {"object": "response.input_tokens", "input_tokens": tokens}
    return {"input_tokens": tokens}


def openai_embeddings(doc: dict[str, Any], model: str, embed: Embed, count: Callable[[str], int]) -> dict[str, Any]:
    """The answer to `/v1/embeddings`. Raises Fault."""
    texts = _inputs(doc.get("input"))
    dimensions = _dimensions(doc.get("dimensions"), "/dimensions", _DIMENSIONS_OPENAI)
    encoding = doc.get("encoding_format") or "float"
    if encoding not in ("float", "base64"):
        raise invalid("/encoding_format", "encoding_format must be float or base64")
    _bound(len(texts), dimensions, "/input")
    data = []
    for index, text in enumerate(texts):
        vector = embed(text, dimensions)
        data.append({"object": "embedding", "index": index, "embedding": vector if encoding == "float" else _base64(vector)})
    tokens = sum(map(count, texts))
    return {"object": "list", "data": data, "model": model, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}


def gemini_embedding(doc: dict[str, Any], embed: Embed) -> dict[str, Any]:
    """The answer to `:embedContent`. Raises Fault."""
    return {"embedding": _gemini_values(doc, "", embed)}


def gemini_embeddings(doc: dict[str, Any], embed: Embed) -> dict[str, Any]:
    """The answer to `:batchEmbedContents`. Raises Fault."""
    requests = list(objects(doc.get("requests"), "/requests"))
    _bound(len(requests), _MOST_DIMENSIONS, "/requests")
    return {"embeddings": [_gemini_values(node, path, embed) for path, node in requests]}


def _gemini_values(doc: dict[str, Any], where: str, embed: Embed) -> dict[str, Any]:
    content = doc.get("content")
    if not isinstance(content, dict):
        raise invalid(f"{where}/content", f"{where}/content must be an object")
    asked = get(doc, "outputDimensionality", "output_dimensionality")
    dimensions = _dimensions(asked, f"{where}/outputDimensionality", _DIMENSIONS_GEMINI)
    # Nothing is sent on, so nothing can be lost, and no proof has to be opened.
    context = Context(notes=Notes(lenient=True), seals=Seals((b"-",)))
    items = gemini_requests.parse({"contents": [{**content, "role": "user"}]}, context).items
    return {"values": embed("\n".join(plain(item.parts) for item in items if isinstance(item, Message)), dimensions)}


def _inputs(asked: object) -> list[str]:
    """A text, a list of tokens, or a list of either; tokens are taken for words."""
    if isinstance(asked, str):
        return [asked]
    if not isinstance(asked, list) or not asked:
        raise invalid("/input", "input must be a string or a list that is not empty")
    if all(isinstance(token, int) for token in asked):
        return [_words(asked)]
    if not all(isinstance(each, str | list) for each in asked):
        raise invalid("/input", "input must hold strings, or lists of tokens")
    return [each if isinstance(each, str) else _words(each) for each in asked]


def _bound(count: int, dimensions: int, param: str) -> None:
    if count * dimensions > _MOST_NUMBERS:
        raise invalid(param, f"{param} must not hold more than {_MOST_NUMBERS // dimensions} at this size")


def _words(tokens: list[Any]) -> str:
    return " ".join(map(str, tokens))


def _dimensions(asked: object, param: str, default: int) -> int:
    if asked is None:
        return default
    if isinstance(asked, bool) or not isinstance(asked, int) or not 1 <= asked <= _MOST_DIMENSIONS:
        raise invalid(param, f"{param} must be a number from 1 to {_MOST_DIMENSIONS}")
    return asked


def _base64(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")
