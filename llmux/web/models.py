"""Model lists, in the shape that the caller knows."""

from __future__ import annotations

from urllib.parse import parse_qsl

from llmux import headers
from llmux.net.request import ClientRequest
from llmux.net.responder import send
from llmux.routing.table import RouteTable
from llmux.web.context import Context
from llmux.web.routes import Route

_JSON = [(b"content-type", b"application/json")]
_FAMILIES = {"anthropic": "anthropic", "google": "gemini", "gemini": "gemini"}


async def models(context: Context) -> None:
    """The list of models."""
    query = dict(parse_qsl(context.request.query.decode("latin-1")))
    dialect, alias = _shape(context), context.params.get("provider")
    send(context.responder, 200, _JSON, context.runtime.catalogue.render(dialect, alias, query))


async def model(context: Context) -> None:
    """One model."""
    table, dialect, alias = context.runtime.table, _shape(context), context.params.get("provider")
    name = context.params["model"].removeprefix("models/")
    takers = table.serving(name, dialect, table.named(alias))
    body = context.runtime.catalogue.render_one(dialect, alias, name, takers[0].name if takers else None)
    send(context.responder, 200, _JSON, body)


async def catalogue(context: Context) -> None:
    """Models, providers and mappings in one."""
    send(context.responder, 200, _JSON, context.runtime.catalogue.render_unified())


def _shape(context: Context) -> str:
    return shape(context.runtime.table, context.route, context.params, context.request)


def shape(table: RouteTable, route: Route, params: dict[str, str], request: ClientRequest) -> str:
    """The dialect of a list: the path's, else the alias's, else what the caller's headers give away.

    Three vendors serve a list at `/v1/models`, each in a shape of its own.
    """
    if route.dialect is not None:
        return route.dialect
    alias = params.get("provider")
    if alias is not None:
        return _alias_shape(table, alias)
    fields = request.headers
    if headers.first(fields, b"anthropic-version") is not None or headers.first(fields, b"x-api-key") is not None:
        return "anthropic"
    if headers.first(fields, b"x-goog-api-key") is not None or any(
        pair.startswith(b"key=") for pair in request.query.split(b"&")
    ):
        return "gemini"
    return "openai-chat"


def _alias_shape(table: RouteTable, alias: str) -> str:
    family = _FAMILIES.get(alias.lower())
    if family is not None:
        return family
    entry = table.named(alias)
    if entry is not None and "openai-chat" not in entry.dialects:
        return next((dialect for dialect in ("anthropic", "gemini") if dialect in entry.dialects), "openai-chat")
    return "openai-chat"
