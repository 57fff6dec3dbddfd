"""Reading a request: which model it asks for, and what the provider will be sent."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote, unquote

import attrs

from llmux import headers, jsonio
from llmux.amp.upstream_headers import strip_query
from llmux.errors import Fault
from llmux.net.request import ClientRequest
from llmux.routing.decision import Facts, Operation
from llmux.thinking import split_suffix
from llmux.web.routes import Route

_GEMINI_OPERATIONS: dict[str, Operation] = {
    "countTokens": "count_tokens",
    "embedContent": "embeddings",
    "batchEmbedContents": "embeddings",
}
# Characters that may stand in a path segment as they are; model names are written with them.
_SEGMENT_SAFE = "!$&'()*+,;=:@/-._~"


@attrs.frozen
class Errand:
    """The facts of a request, and its parts in the form that a provider of the same dialect takes.

    `path` is the raw path below the root that the dialect's SDKs call base URL.
    """

    facts: Facts
    path: bytes
    body: bytes

    def naming(self, model: str) -> tuple[bytes, bytes]:
        """Path and body for another model name; nothing else in them moves."""
        if model == self.facts.model:
            return self.path, self.body
        if self.facts.dialect == "gemini":
            root = self.path[: self.path.index(_MODELS) + len(_MODELS)]
            action = quote(self.facts.action, safe=_SEGMENT_SAFE)
            return root + f"{quote(model, safe=_SEGMENT_SAFE)}:{action}".encode(), self.body
        return self.path, jsonio.patch_model(self.body, self.facts.model, model)


_MODELS = b"/models/"


def provider_query(query: bytes, dialect: str, secrets: tuple[bytes, ...]) -> bytes:
    """The client's query for a provider: as it came, without what the client used as its key (`secrets`).

    In Gemini's API `key` is always a credential, so there it never travels.
    """
    if not query:
        return query
    query = strip_query(query, secrets)
    if dialect == "gemini":
        query = b"&".join(pair for pair in query.split(b"&") if unquote(pair.partition(b"=")[0].decode("latin-1")) != "key")
    return query


def read(route: Route, request: ClientRequest, alias: str | None) -> Errand:
    """Read a request on an inference route. Raises Fault `invalid` for what cannot be routed."""
    encoding = headers.first(request.headers, b"content-encoding")
    if encoding and encoding.strip().lower() != b"identity":
        raise Fault("unsupported_media", "send the request body without Content-Encoding")
    if route.dialect == "gemini":
        return _read_gemini(route, request, alias)
    return _read_openai_or_anthropic(route, request, alias)


def _read_openai_or_anthropic(route: Route, request: ClientRequest, alias: str | None) -> Errand:
    assert route.dialect is not None
    try:
        skim = jsonio.skim(request.body)
    except ValueError as error:
        message = str(error)
        raise Fault("invalid", message, param="model" if message.startswith("'model'") else None) from None
    if not skim.model:
        raise Fault("invalid", "you must provide a model parameter", param="model")
    base, suffix = split_suffix(skim.model)
    facts = Facts(
        dialect=route.dialect,
        operation=route.operation,
        model=skim.model,
        base=base,
        suffix=suffix,
        stream=skim.stream and route.operation in ("generate", "completions"),
        alias=alias,
        amp=route.amp,
    )
    return Errand(facts, _below_root(request.path, facts.dialect), request.body)


@lru_cache(maxsize=4096)
def _below_root(path: bytes, dialect: str) -> bytes:
    """The path below the SDK's base URL: OpenAI's has the version in it, Anthropic's has not."""
    parts = [part for part in path.split(b"/") if part]
    if parts[:2] == [b"api", b"provider"]:
        parts = parts[3:]
    if parts[0] == b"v1":
        parts = parts[1:]
    return (b"/v1/" if dialect == "anthropic" else b"/") + b"/".join(parts)


def _read_gemini(route: Route, request: ClientRequest, alias: str | None) -> Errand:
    at = request.path.find(_MODELS)
    version = b"/v1" if b"/v1/" in request.path[: at + 1] else b"/v1beta"
    tail = request.path[at + len(_MODELS) :].strip(b"/") if at >= 0 else b""
    model, _, method = unquote(tail.decode("latin-1")).rpartition(":")
    if not model or not method:
        raise Fault("invalid", "Invalid Gemini API path format")
    try:
        jsonio.check_object(request.body)
    except ValueError as error:
        raise Fault("invalid", str(error)) from None
    base, suffix = split_suffix(model)
    facts = Facts(
        dialect="gemini",
        operation=_GEMINI_OPERATIONS.get(method, "generate"),
        model=model,
        base=base,
        suffix=suffix,
        stream=method == "streamGenerateContent",
        alias=alias,
        amp=route.amp,
        action=method,
    )
    return Errand(facts, version + _MODELS + tail, request.body)
