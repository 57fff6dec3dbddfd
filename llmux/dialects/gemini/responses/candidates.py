"""One candidate of an answer on its way."""

from __future__ import annotations

from typing import Any, Literal

from llmux.dialects.gemini.partial import PartialArguments
from llmux.dialects.gemini.spelling import Node
from llmux.dialects.notes import Notes
from llmux.dialects.telling import Growing
from llmux.errors import Fault


def unreadable() -> Fault:
    """The provider's answer is not what this API answers."""
    return Fault("bad_gateway", "the provider's answer cannot be read", code="upstream_invalid")


class Told(Node):
    """An object of a provider's."""

    __slots__ = ()

    def wrong(self, at: str, shape: str) -> Fault:
        """See `Node`."""
        return unreadable()

    def rest(self, known: frozenset[str], notes: Notes, why: str = "no counterpart") -> None:
        """See `Node`. What is empty is no loss to the client."""
        if not self.raw.keys() <= known:
            full = {name: _full(value) for name, value in self.raw.items()}
            Node({name: value for name, value in full.items() if not _is_empty(value)}, self.at).rest(known, notes, why)


def _full(value: Any) -> Any:
    """A value without what is empty in it; the places in lists stay."""
    if isinstance(value, dict):
        return {name: each for name, each in ((name, _full(each)) for name, each in value.items()) if not _is_empty(each)}
    return value


def _is_empty(value: object) -> bool:
    return value is None or value == "" or value == [] or value == {}


class Candidate:
    """One candidate on its way.

    `call` is the last call, open still because its signature may stand in the next part; `pieces` are its arguments where they
    come one by one. `part` counts parts as clients join them; `kind` is that of the last, a text that is signed not being mixed
    with what follows. `server` is the last call of a tool of the provider's own.
    """

    __slots__ = ("call", "citations", "ended", "grounding", "kind", "part", "pieces", "server", "texts")

    def __init__(self) -> None:
        self.call: Growing | None = None
        self.pieces: PartialArguments | None = None
        self.kind: Literal["", "text", "signed", "thought", "other"] = ""
        self.part = -1
        self.texts = 0
        self.server = ""
        self.grounding: Told | None = None
        self.citations: Told | None = None
        self.ended = False

    def enter(self, kind: Literal["text", "thought", "other"]) -> None:
        """A part comes, which clients join to the one before if both are texts, or thoughts."""
        if kind != self.kind or kind == "other":
            self.kind = kind
            self.part += 1
            self.texts += kind == "text"
