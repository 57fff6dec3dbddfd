"""Every path that llmux answers, as one table. Klein is built from it, and so is the decision who may call.

A path is a Klein (werkzeug) pattern: `<name>` is one segment, `<path:name>` the rest. Exact segments win over parameters,
and parameters over the rest. `methods` None means any.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import attrs

from llmux.routing.decision import Operation

# client: a key where keys are configured. open: anybody. metrics: anybody on this host, else a key.
Access = Literal["client", "open", "metrics"]
Handler = Literal[
    "exchange",
    "bridge",
    "models",
    "model",
    "catalogue",
    "no_websocket",
    "control_plane",
    "browser_page",
    "actors",
    "unknown_provider_path",
    "hello",
    "health",
    "metrics",
]

ALL_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


@attrs.frozen
class Route:
    """One row. `dialect` shapes the refusals (None: plain JSON); `amp` marks Amp's own routes, the only ones that may be
    answered by the Amp upstream; `private` rows never speak CORS and may be restricted to this host."""

    path: str
    methods: tuple[str, ...] | None
    handler: Handler
    dialect: str | None = None
    operation: Operation = "generate"
    access: Access = "client"
    amp: bool = False
    private: bool = False


def _post(path: str, dialect: str, operation: Operation = "generate", handler: Handler = "exchange") -> Route:
    return Route(path, ("POST",), handler, dialect, operation)


def _get(path: str, handler: Handler, dialect: str | None = None) -> Route:
    return Route(path, ("GET",), handler, dialect)


# Paths below a root: "" for the native routes, "/api/provider/<provider>" for Amp's aliases.
_API: tuple[Route, ...] = (
    _post("/v1/chat/completions", "openai-chat"),
    _post("/v1/completions", "openai-chat", "completions"),
    _post("/v1/embeddings", "openai-chat", "embeddings"),
    _post("/v1/responses", "openai-responses"),
    _post("/v1/responses/input_tokens", "openai-responses", "count_tokens"),
    _get("/v1/responses", "no_websocket", "openai-responses"),
    _post("/v1/messages", "anthropic"),
    _post("/v1/messages/count_tokens", "anthropic", "count_tokens"),
    _post("/v1beta/models/<path:model>", "gemini"),
    _post("/v1/models/<path:model>", "gemini"),
    _post("/v1beta1/publishers/google/models/<path:model>", "gemini"),
    _get("/v1/models", "models"),
    _get("/v1/models/<path:model>", "model"),
    _get("/v1beta/models", "models", "gemini"),
    _get("/v1beta/models/<path:model>", "model", "gemini"),
)

# Amp calls some of them without the version.
_UNVERSIONED = ("chat/completions", "completions", "embeddings", "responses", "messages", "messages/count_tokens", "models")


def _aliases() -> Iterator[Route]:
    root = "/api/provider/<provider>"
    for route in _API:
        yield attrs.evolve(route, path=root + route.path, amp=True)
        short = route.path.removeprefix("/v1/")
        if short in _UNVERSIONED:
            yield attrs.evolve(route, path=f"{root}/{short}", amp=True)
    bridge = f"{root}/v1beta1/<path:rest>"
    yield Route(bridge, ("POST",), "bridge", "gemini", amp=True)
    yield Route(bridge, tuple(m for m in ALL_METHODS if m != "POST"), "unknown_provider_path", "gemini", amp=True)
    for path in ("/api/provider", root, f"{root}/<path:rest>"):
        yield Route(path, None, "unknown_provider_path", amp=True)


# Amp's control plane below /api: these and everything below them; then the exact ones.
_CONTROL_TREES = ("internal", "user", "auth", "meta", "telemetry", "threads", "otel", "tab")
_CONTROL_EXACT = ("ads", "thread-actors")
_PAGES = ("threads", "docs", "settings")


def _control_plane() -> Iterator[Route]:
    def row(path: str, methods: tuple[str, ...] | None = None, handler: Handler = "control_plane") -> Route:
        return Route(path, methods, handler, amp=True, private=True)

    for name in _CONTROL_TREES:
        yield row(f"/api/{name}")
        yield row(f"/api/{name}/<path:rest>")
    for name in _CONTROL_EXACT:
        yield row(f"/api/{name}")
    yield row("/api/<path:rest>")
    for feed in ("/threads.rss", "/news.rss"):
        yield row(feed, ("GET",))
    for page in _PAGES:
        for path in (f"/{page}", f"/{page}/<path:rest>"):
            yield attrs.evolve(row(path, ("GET",), "browser_page"), access="open")
    for path in ("/auth", "/auth/<path:rest>"):
        yield attrs.evolve(row(path, None, "browser_page"), access="open")
    # Amp's thread actors bring a credential of their own, which passes untouched.
    yield attrs.evolve(row("/actors/<path:rest>", None, "actors"), access="open")


ROUTES: tuple[Route, ...] = (
    *_API,
    *_aliases(),
    *_control_plane(),
    # Claude Code says hello without a key, below Amp's prefix; it is no business of the Amp upstream.
    Route("/api/hello", ("GET", "HEAD"), "hello", access="open"),
    _get("/models", "catalogue"),
    Route("/health", ("GET",), "health", access="open"),
    Route("/metrics", ("GET",), "metrics", access="metrics"),
)


def dialect_of(path: bytes) -> str | None:
    """The dialect in which to refuse a path that is no route, by what its users would have spoken."""
    parts = [part for part in path.split(b"/") if part]
    if parts[:2] == [b"api", b"provider"]:
        if len(parts) < 3:
            return None
        family = {b"anthropic": "anthropic", b"google": "gemini", b"gemini": "gemini"}.get(parts[2].lower())
        return family or _version_dialect(parts[3:]) or "openai-chat"
    return _version_dialect(parts)


def _version_dialect(parts: list[bytes]) -> str | None:
    head = parts[0] if parts else b""
    if head in (b"v1beta", b"v1beta1"):
        return "gemini"
    if head != b"v1":
        return None
    if parts[1:2] == [b"messages"]:
        return "anthropic"
    if parts[1:2] == [b"models"] and (b":" in parts[-1] or b"%3a" in parts[-1].lower()):
        return "gemini"
    return "openai-responses" if parts[1:2] == [b"responses"] else "openai-chat"
