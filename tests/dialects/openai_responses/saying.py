"""How the tests of this package speak: exchanges with strict notes, streams of a provider, what an answer comes to."""

from __future__ import annotations

import json
from typing import Any

from llmux.dialects.context import Context, Options, Target
from llmux.dialects.events import Ended, Event
from llmux.dialects.neutral import Request, Response
from llmux.dialects.notes import Notes
from llmux.dialects.openai_responses import OPENAI_RESPONSES
from llmux.dialects.seals import Seals
from llmux.dialects.tools import Book
from llmux.errors import Fault

ROOMS = OPENAI_RESPONSES.rooms


def exchange(asked: dict[str, Any] | None = None, model: str = "gpt-5.1", **options: Any) -> Context:
    """An exchange in which what cannot be said is refused."""
    target = Target.of(model, Options(**options))
    return Context(notes=Notes(), seals=Seals((b"tests",)), target=target, asked=asked or {}, now=1_700_000_000)


def noted(context: Context) -> list[str]:
    """The notes in their order, as `action pointer`."""
    return [f"{note.action} {note.pointer}" for note in context.notes]


def parsed(doc: dict[str, Any], **options: Any) -> tuple[Request, list[str]]:
    """A request, and what is noted of it."""
    context = exchange(doc, **options)
    return ROOMS.parse_request(doc, context), noted(context)


def written(request: Request, model: str = "gpt-5.1", **options: Any) -> tuple[dict[str, Any], list[str]]:
    """The body for a provider, and what is noted."""
    context = exchange(model=model, **options)
    context.book = Book(OPENAI_RESPONSES.names, request.tools, request.items)
    return ROOMS.write_request(request, context), noted(context)


def created(**members: Any) -> dict[str, Any]:
    """The first event of a stream."""
    response = {"id": "resp_r1", "object": "response", "created_at": 1_700_000_000, "model": "gpt-5.1", "output": [], **members}
    return {"type": "response.created", "response": response}


def completed(*output: dict[str, Any], **members: Any) -> dict[str, Any]:
    """The last event of a stream."""
    response = created(**{"status": "completed", **members})["response"]
    return {"type": "response.completed", "response": {**response, "output": list(output)}}


def payloads(*events: dict[str, Any]) -> list[bytes]:
    """The data of events."""
    return [json.dumps(event).encode() for event in events]


class Told:
    """What a provider's stream tells: `events`, the `response` if it ended, the `fault` if it broke off, and `notes`."""

    def __init__(self, *events: dict[str, Any], context: Context | None = None) -> None:
        context = context or exchange()
        decoder = ROOMS.decoder(context)
        self.events: list[Event] = []
        self.fault: Fault | None = None
        try:
            for payload in payloads(*events):
                self.events += decoder.feed([payload])
            self.events += decoder.close()
        except Fault as fault:
            self.fault = fault
        self.notes = noted(context)
        last = self.events[-1] if self.events else None
        self.ended: Response | None = last.response if isinstance(last, Ended) else None

    @property
    def response(self) -> Response:
        """The response of a stream that is whole."""
        assert self.ended is not None, self.fault
        return self.ended

    @property
    def items(self) -> list[Any]:
        """What it says."""
        return list(self.response.items)
