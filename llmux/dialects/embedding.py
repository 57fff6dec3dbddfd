"""Embeddings between dialects: OpenAI's `/embeddings`, and Gemini's `:embedContent` for one text, `:batchEmbedContents` for many.

Texts go in and vectors come out; what a vector shall be used for is said by Gemini alone. Anthropic has no embeddings.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Callable
from typing import Any

import attrs

from llmux.dialects import reading
from llmux.dialects.base import Dialect
from llmux.dialects.context import Context
from llmux.dialects.notes import Notes
from llmux.dialects.reading import invalid
from llmux.errors import Fault

Answer = Callable[[dict[str, Any]], dict[str, Any]]

_OPENAI = ("openai-chat", "openai-responses")
_ACTIONS = ("embedContent", "batchEmbedContents")

_KNOWN_OPENAI = frozenset({"model", "input", "dimensions", "encoding_format", "user"})
_CONFIGS = ("embedContentConfig", "embed_content_config")
_DIMENSIONS = ("outputDimensionality", "output_dimensionality")
_KNOWN_GEMINI = frozenset({"model", "content", *_CONFIGS, *_DIMENSIONS})
# What a vector is for has no counterpart, and changes it a little.
_PURPOSE = "only Gemini knows what a vector is for"
_CONTENT = frozenset({"role", "parts"})
_PART = frozenset({"text"})


@attrs.frozen
class Asked:
    """What a provider is asked: the path below its base URL and the body; `read` makes the client's answer of the provider's."""

    path: bytes
    body: dict[str, Any]
    read: Answer


@attrs.frozen
class _Vectors:
    """What was computed. `tokens` is None where nobody counted."""

    values: list[list[float]]
    tokens: int | None


@attrs.frozen
class _Texts:
    """What is to be embedded. `many`: the client gave a list, and gets one; `compact`: it wants vectors as base64."""

    texts: list[str]
    dimensions: int | None
    many: bool
    compact: bool = False


def translate(action: str, client: Dialect, provider: Dialect, context: Context) -> Asked:
    """The client's request, said to a provider. Raises Fault where it cannot be read or said, or where nobody embeds.

    `action` is the client's: `embeddings`, `embedContent` or `batchEmbedContents`.
    """
    asks_openai = action == "embeddings"
    if not (asks_openai or action in _ACTIONS):
        raise _absent(client)
    if provider.name not in _OPENAI and provider.name != "gemini":
        raise _absent(provider)
    asked, model = context.asked, context.target.model
    wanted = _read_openai(asked, context.notes) if asks_openai else _read_gemini(action, asked, context.notes)
    count = len(wanted.texts)
    if provider.name == "gemini":
        path, body = _ask_gemini(wanted, provider, model)
        answered = _gemini_vectors
    else:
        path, body = b"/embeddings", _ask_openai(wanted, model)
        answered = _openai_vectors
    context.notes.relax()

    def read(answer: dict[str, Any]) -> dict[str, Any]:
        vectors = answered(answer)
        if len(vectors.values) != count:
            raise Fault("bad_gateway", f"{len(vectors.values)} vectors for {count} texts", code="upstream_invalid")
        if asks_openai:
            return _tell_openai(vectors, wanted.compact, model, context.notes)
        return _tell_gemini(vectors, wanted.many)

    return Asked(path, body, read)


def _absent(dialect: Dialect) -> Fault:
    return Fault("not_found", f"The {dialect.name} API has no embeddings", code="no_such_surface", should_retry=False)


# --- what the client asks


def _read_openai(doc: dict[str, Any], notes: Notes) -> _Texts:
    form = doc.get("encoding_format") or "float"
    if form not in ("float", "base64"):
        raise invalid("/encoding_format", "encoding_format must be float or base64")
    reading.rest(doc, _KNOWN_OPENAI, "", notes)
    if doc.get("user") is not None:
        notes.drop("/user", "whose request it is cannot be said")
    asked = doc.get("input")
    many = False
    if isinstance(asked, list) and not (asked and _is_token(asked[0])):
        many = True
        texts = [_text(each, f"/input/{index}", notes) for index, each in enumerate(asked)]
    else:
        texts = [_text(asked, "/input", notes)]
    if not texts:
        raise invalid("/input", "input must not be empty")
    return _Texts(texts, _dimensions(doc.get("dimensions"), "/dimensions"), many, form == "base64")


def _text(value: object, at: str, notes: Notes) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(_is_token(each) for each in value):
        notes.refuse("/input", "only the model's own maker knows what these tokens mean")
        return " ".join(map(str, value))
    raise invalid(at, f"{at} must be a string")


def _is_token(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _read_gemini(action: str, doc: dict[str, Any], notes: Notes) -> _Texts:
    if action == "embedContent":
        text, dimensions = _read_content(doc, "", notes)
        return _Texts([text], dimensions, many=False)
    reading.rest(doc, frozenset({"requests", "model"}), "", notes)
    texts: list[str] = []
    sizes: list[int | None] = []
    for at, node in reading.objects(doc.get("requests"), "/requests"):
        text, size = _read_content(node, at, notes)
        if sizes and size != sizes[0]:
            notes.refuse(f"{at}/outputDimensionality", "all vectors of a request have one size")
        texts.append(text)
        sizes.append(size)
    if not texts:
        raise invalid("/requests", "/requests must not be empty")
    return _Texts(texts, sizes[0], many=True)


def _read_content(node: dict[str, Any], at: str, notes: Notes) -> tuple[str, int | None]:
    """The text of a request, and the size of its vector. Several texts are one, below the other."""
    reading.rest(node, _KNOWN_GEMINI, at, notes, _PURPOSE)
    size = reading.get(node, *_DIMENSIONS)
    for name in _CONFIGS:
        config = reading.obj(node.get(name), f"{at}/{name}")
        if config is not None:
            reading.rest(config, frozenset(_DIMENSIONS), f"{at}/{name}", notes, _PURPOSE)
            size = reading.get(config, *_DIMENSIONS) if size is None else size
    content = reading.obj(node.get("content"), f"{at}/content")
    if content is None:
        raise invalid(f"{at}/content", f"{at}/content must be an object")
    reading.rest(content, _CONTENT, f"{at}/content", notes)
    texts = []
    for where, part in reading.objects(content.get("parts"), f"{at}/content/parts"):
        if "text" not in part:
            notes.refuse(where, "elsewhere only texts are embedded")
            continue
        reading.rest(part, _PART, where, notes)
        texts.append(reading.string(part["text"], f"{where}/text"))
    if len(texts) > 1:
        notes.approximate(f"{at}/content/parts", "several parts are one text")
    return "\n".join(texts), _dimensions(size, f"{at}/outputDimensionality")


def _dimensions(value: object, at: str) -> int | None:
    found = reading.integer(value, at)
    if found is not None and found < 1:
        raise invalid(at, f"{at} must be at least 1")
    return found


# --- what the provider is asked


def _ask_openai(wanted: _Texts, model: str) -> dict[str, Any]:
    body: dict[str, Any] = {"model": model, "input": wanted.texts if wanted.many else wanted.texts[0]}
    if wanted.dimensions is not None:
        body["dimensions"] = wanted.dimensions
    return body


def _ask_gemini(wanted: _Texts, provider: Dialect, model: str) -> tuple[bytes, dict[str, Any]]:
    place = provider.address(model, False)[0].rpartition(b":")[0]
    name = f"models/{model.removeprefix('models/')}"
    requests = []
    for text in wanted.texts:
        request: dict[str, Any] = {"content": {"parts": [{"text": text}]}}
        if wanted.dimensions is not None:
            request["outputDimensionality"] = wanted.dimensions
        requests.append(request)
    if len(requests) == 1:
        return place + b":embedContent", requests[0]
    return place + b":batchEmbedContents", {"requests": [{"model": name, **request} for request in requests]}


# --- what the provider answers


def _openai_vectors(answer: dict[str, Any]) -> _Vectors:
    found: list[tuple[int, list[float]]] = []
    listed = answer.get("data")
    for place, node in enumerate(listed if isinstance(listed, list) else ()):
        vector = node.get("embedding") if isinstance(node, dict) else None
        index = node.get("index") if isinstance(node, dict) else None
        if isinstance(vector, str):
            vector = _unpacked(vector)
        if not isinstance(vector, list):
            raise _unreadable()
        found.append((index if isinstance(index, int) else place, vector))
    found.sort(key=lambda pair: pair[0])
    counts = answer.get("usage")
    tokens = counts.get("prompt_tokens") if isinstance(counts, dict) else None
    return _Vectors([vector for _, vector in found], tokens if isinstance(tokens, int) else None)


def _gemini_vectors(answer: dict[str, Any]) -> _Vectors:
    listed = answer.get("embeddings")
    if not isinstance(listed, list):
        listed = [answer.get("embedding")]
    values = [node.get("values") if isinstance(node, dict) else None for node in listed]
    if not all(isinstance(vector, list) for vector in values):
        raise _unreadable()
    counts = answer.get("usageMetadata")
    tokens = counts.get("promptTokenCount") if isinstance(counts, dict) else None
    return _Vectors([vector for vector in values if vector is not None], tokens if isinstance(tokens, int) else None)


def _unreadable() -> Fault:
    return Fault("bad_gateway", "the provider's answer holds no vectors", code="upstream_invalid")


# --- what the client is told


def _tell_openai(vectors: _Vectors, compact: bool, model: str, notes: Notes) -> dict[str, Any]:
    if vectors.tokens is None:
        notes.invent("/usage", "nobody counted the tokens, and there must be numbers")
    tokens = vectors.tokens or 0
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(vector) if compact else vector}
        for index, vector in enumerate(vectors.values)
    ]
    return {"object": "list", "data": data, "model": model, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}


def _tell_gemini(vectors: _Vectors, many: bool) -> dict[str, Any]:
    told = [{"values": vector} for vector in vectors.values]
    answer: dict[str, Any] = {"embeddings": told} if many else {"embedding": told[0]}
    if vectors.tokens is not None:
        answer["usageMetadata"] = {"promptTokenCount": vectors.tokens, "totalTokenCount": vectors.tokens}
    return answer


def _packed(vector: list[float]) -> str:
    """A vector as base64 of 32-bit floats, the lowest byte first."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode("ascii")


def _unpacked(text: str) -> list[float]:
    try:
        raw = base64.b64decode(text, validate=True)
        return list(struct.unpack(f"<{len(raw) // 4}f", raw))
    except (binascii.Error, struct.error, ValueError):
        raise _unreadable() from None
