"""A request on its way: what the readers of its members have found so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmux.dialects.anthropic.requests.parts import Parts
from llmux.dialects.context import Context
from llmux.dialects.neutral import Item, Message, ReasoningPolicy, Request, Sampling


class Draft:
    """The slots of a request, by name; those that nobody asks for keep the values of the neutral model.

    `parts` reads for the version that the client speaks. `choice` is what the request says of the tools that may be called; it is
    read when all of them are known. `where` gets the pointer of each scalar.
    """

    __slots__ = ("choice", "context", "doc", "items", "parts", "reasoning", "sampling", "slots", "system", "version", "where")

    def __init__(self, doc: dict[str, Any], context: Context, version: str) -> None:
        self.doc = doc
        self.context = context
        self.version = version
        self.parts = Parts(context, version)
        self.system: Message | None = None
        self.items: list[Item] = []
        self.choice: dict[str, Any] | None = None
        self.slots: dict[str, Any] = {"display": "full"}
        self.sampling: dict[str, Any] = {}
        self.reasoning: dict[str, Any] = {}
        self.where: dict[str, str] = {}

    def request(self) -> Request:
        """All of it."""
        slots = self.slots
        if self.sampling:
            slots["sampling"] = Sampling(**self.sampling)
        if self.reasoning:
            slots["reasoning"] = ReasoningPolicy(**self.reasoning)
        items = self.items if self.system is None else [self.system, *self.items]
        return Request(tuple(items), where=self.where, **slots)


# Reads the value of one member, which is not null, into the draft. Raises Fault.
Reader = Callable[[Any, Draft], None]
