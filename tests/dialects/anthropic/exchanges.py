"""Exchanges to try the rooms with."""

from __future__ import annotations

import json
from typing import Any

from llmux import jsonio
from llmux.dialects.anthropic import ANTHROPIC
from llmux.dialects.anthropic.requests import parse, write
from llmux.dialects.context import Context, Options, Target
from llmux.dialects.neutral import Item, Message, Request, Sampling, Text, Tool
from llmux.dialects.notes import Notes
from llmux.dialects.seals import Seals
from llmux.dialects.tools import Book
from llmux.errors import Fault
from tests import oracles

# One model of each sort: thinks by effort alone and knows system messages anywhere; by both; by budget; is old.
NEW, BOTH, BUDGET, OLD = "claude-opus-5", "claude-opus-4-6", "claude-sonnet-4-5", "claude-3-5-haiku"

ASK = Message("user", (Text("Hello", at="/m/0"),), 0, at="/m/0")
LIMIT = Sampling(max_out=4000)
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
WEATHER = Tool("weather", description="Tells it.", schema=SCHEMA, at="/tools/0")


def context(model: str = NEW, *, strict: bool = False, lenient: bool = False, **options: Any) -> Context:
    """An exchange with a model."""
    version = options.pop("version", "2023-06-01")
    return Context(
        notes=Notes(strict=strict, lenient=lenient),
        seals=Seals((b"tests",)),
        target=Target.of(model, Options(strict=strict, **options)),
        version=version,
        now=1_700_000_000,
    )


def read(doc: dict[str, Any], exchange: Context | None = None) -> Request:
    """A client's request."""
    return parse(doc, exchange or context())


def written(request: Request, exchange: Context | None = None) -> dict[str, Any]:
    """What a provider is sent, as it reads it; the SDK's types take it."""
    exchange = exchange or context()
    exchange.book = Book(ANTHROPIC.names, request.tools, request.items)
    body: dict[str, Any] = json.loads(jsonio.dumps(write(request, exchange)))
    judged = {name: value for name, value in body.items() if name not in ("stream", "temperature", "top_p", "top_k")}
    oracles.message_request(judged)
    return body


def messages(*items: Item, exchange: Context | None = None) -> list[dict[str, Any]]:
    """The messages that some items become."""
    found: list[dict[str, Any]] = written(Request(items, sampling=LIMIT), exchange)["messages"]
    return found


def noted(exchange: Context) -> list[tuple[str, str]]:
    """The pointers and actions of the notes."""
    return [(note.pointer, note.action) for note in exchange.notes]


def refusal(request: Request, exchange: Context | None = None) -> Fault:
    """The fault of a request that cannot be written."""
    try:
        written(request, exchange)
    except Fault as fault:
        return fault
    raise AssertionError("the request was written")
