"""What the tests of this package share: exchanges, and the two ways of a request."""

from __future__ import annotations

import json
from typing import Any

from llmux import jsonio
from llmux.dialects.context import Context, Options, Target
from llmux.dialects.gemini import GEMINI
from llmux.dialects.neutral import Item, Message, Request, Text
from llmux.dialects.notes import Notes
from llmux.dialects.seals import Seals
from llmux.dialects.tools import Book
from tests import oracles

SEALS = Seals((b"tests",))
GEMINI_3 = "gemini-3-pro-preview"
GEMINI_2 = "gemini-2.5-flash"
USER = Message("user", (Text("hi", at="/m/0"),), at="/m/0")


def exchange(model: str = GEMINI_3, options: Options | None = None, **more: Any) -> Context:
    """An exchange with a model of Gemini's."""
    more.setdefault("notes", Notes())
    return Context(seals=SEALS, target=Target.of(model, options), now=1_700_000_000, **more)


def asked(*parts: dict[str, Any], role: str = "user", **more: Any) -> dict[str, Any]:
    """A request of one content."""
    return {"contents": [{"role": role, "parts": list(parts)}], **more}


def read(doc: dict[str, Any], context: Context | None = None) -> Request:
    """A client's request."""
    return GEMINI.rooms.parse_request(doc, exchange() if context is None else context)


def written(request: Request, context: Context | None = None) -> dict[str, Any]:
    """A request as the provider gets it, which the SDK's types take."""
    context = exchange() if context is None else context
    context.book = Book(GEMINI.names, request.tools, request.items)
    body = GEMINI.rooms.write_request(request, context)
    oracles.generate_request(body)
    plain: dict[str, Any] = json.loads(jsonio.dumps(body))
    return plain


def contents(*items: Item, context: Context | None = None) -> list[dict[str, Any]]:
    """The contents that items become."""
    found: list[dict[str, Any]] = written(Request(items), context)["contents"]
    return found


def noted(context: Context) -> list[str]:
    """The notes as `action pointer`."""
    return [f"{note.action} {note.pointer}" for note in context.notes]
