"""A response as it arrives: the events that tell it, and what they come to.

Events come in an order on which writers may rely: `Started` first and once; parts open and close inside their item, deltas
inside their part (a tool call's inside its item, part 0); `ItemClosed` once for each `ItemOpened`; `Metered` any number of
times, cumulative; `Finished` once for each choice, before `Ended`; nothing after `Ended`. Items may overlap.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from llmux.dialects.neutral import (
    Annotation,
    CallKind,
    Choice,
    Finish,
    Message,
    OutputItem,
    Reasoning,
    Refusal,
    Response,
    Seal,
    Segment,
    Text,
    TokenProbability,
    ToolCall,
    Usage,
)
from llmux.errors import Fault

ItemKind = Literal["message", "reasoning", "tool_call", "server"]
PartKind = Literal["text", "refusal", "summary", "full"]
DeltaKind = Literal["text", "refusal", "summary", "full", "args"]


class Started(msgspec.Struct, frozen=True, gc=False):
    """A response begins. `usage` is what is known of it already."""

    id: str
    model: str
    created: int
    usage: Usage | None = None
    tier: str | None = None
    fingerprint: str | None = None


class ItemOpened(msgspec.Struct, frozen=True, gc=False):
    """An item begins. `item` rises and is never used again; `call_id`, `name`, `namespace` and `call_kind` are those of a tool
    call, and so are `seals`, as far as they are known when it begins. What opens as `server` (a provider's own call, its result,
    something opaque) has no deltas: it comes whole."""

    item: int
    kind: ItemKind
    id: str = ""
    call_id: str = ""
    name: str = ""
    namespace: str = ""
    call_kind: CallKind = "function"
    choice: int = 0
    phase: str = ""
    seals: tuple[Seal, ...] = ()


class PartOpened(msgspec.Struct, frozen=True, gc=False):
    """A part of a message or of reasoning begins."""

    item: int
    part: int
    kind: PartKind


class Delta(msgspec.Struct, frozen=True, gc=False):
    """A piece of a part or of a call's arguments (a custom tool's raw input). `logprobs` are those of its tokens."""

    item: int
    part: int
    kind: DeltaKind
    text: str
    logprobs: tuple[TokenProbability, ...] = ()


class Cited(msgspec.Struct, frozen=True, gc=False):
    """An open text part has a source."""

    item: int
    part: int
    annotation: Annotation


class Sealed(msgspec.Struct, frozen=True, gc=False):
    """An open item has a seal; a message's belongs to its open part. It may come before what it seals is whole."""

    item: int
    seal: Seal


class PartClosed(msgspec.Struct, frozen=True, gc=False):
    """A part is whole; `text` is all of it."""

    item: int
    part: int
    text: str


class ItemClosed(msgspec.Struct, frozen=True, gc=False):
    """An item is whole, and here it is."""

    item: int
    whole: OutputItem


class Metered(msgspec.Struct, frozen=True, gc=False):
    """Tokens so far."""

    usage: Usage


class Finished(msgspec.Struct, frozen=True, gc=False):
    """The model stopped."""

    finish: Finish
    choice: int = 0


class Ended(msgspec.Struct, frozen=True, gc=False):
    """Nothing follows."""

    response: Response


class Pinged(msgspec.Struct, frozen=True, gc=False):
    """The sender is alive."""


Event = Started | ItemOpened | PartOpened | Delta | Cited | Sealed | PartClosed | ItemClosed | Metered | Finished | Ended | Pinged


class Encoder(Protocol):
    """Writes a stream in one dialect. One for each exchange.

    `encode` gives the bytes of an event, b"" where the dialect has nothing to say; it raises Fault for what this dialect's
    clients have to be told as an error. `error` breaks the stream off in the dialect's own words, and nothing may follow it.
    """

    @property
    def content_type(self) -> bytes: ...

    def encode(self, event: Event) -> bytes: ...

    def error(self, fault: Fault) -> bytes: ...


class Decoder(Protocol):
    """Reads a provider's stream. One for each exchange.

    `feed` takes the data of server-sent events, one payload an event and in their order, and gives the events that they
    tell. It raises Fault for what cannot be read and for the errors that the stream itself tells. `close` says that the
    sender closed in order: it gives the last events, or raises Fault where the stream did not say its own end. A fault that comes
    behind events of the same feed is kept as `fault` instead, and nothing more is told.
    """

    @property
    def fault(self) -> Fault | None: ...

    def feed(self, payloads: list[bytes]) -> list[Event]: ...

    def close(self) -> list[Event]: ...


class _Growing:
    """An item on its way: its parts in order, each with its kind and the pieces so far."""

    __slots__ = ("opened", "parts", "seals", "whole")

    def __init__(self, opened: ItemOpened) -> None:
        self.opened = opened
        self.parts: dict[int, tuple[DeltaKind, list[str]]] = {}
        self.seals = list(opened.seals)
        self.whole: OutputItem | None = None


class Fold:
    """Takes events and knows the response that they have told so far."""

    def __init__(self) -> None:
        self._started: Started | None = None
        self._items: dict[int, _Growing] = {}
        self._usage: Usage | None = None
        self._finishes: dict[int, Finish] = {}

    def see(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case Delta(item, part, kind, text):
                self._items[item].parts.setdefault(part, (kind, []))[1].append(text)
            case Started():
                self._started = event
                self._usage = event.usage
            case ItemOpened(item):
                self._items[item] = _Growing(event)
            case PartOpened(item, part, kind):
                self._items[item].parts[part] = (kind, [])
            case Sealed(item, seal):
                self._items[item].seals.append(seal)
            case ItemClosed(item, whole):
                self._items[item].whole = whole
            case Metered(usage):
                self._usage = usage
            case Finished(finish, choice):
                self._finishes[choice] = finish

    def text(self, item: int, part: int = 0) -> str:
        """What a part, or a call's arguments, have come to."""
        return "".join(self._items[item].parts.get(part, ("text", []))[1])

    def item(self, item: int) -> OutputItem:
        """An item as far as it has come."""
        growing = self._items[item]
        if growing.whole is not None:
            return growing.whole
        opened, seals = growing.opened, tuple(growing.seals)
        texts = [(kind, "".join(pieces)) for kind, pieces in growing.parts.values()]
        if opened.kind == "tool_call":
            args = "".join(text for _, text in texts)
            return ToolCall(
                opened.call_id,
                opened.name,
                args,
                id=opened.id,
                kind=opened.call_kind,
                namespace=opened.namespace,
                seals=seals,
            )
        if opened.kind == "reasoning":
            segments = tuple(Segment("full" if kind == "full" else "summary", text) for kind, text in texts)
            return Reasoning(segments, seals, id=opened.id)
        parts = tuple(Refusal(text) if kind == "refusal" else Text(text) for kind, text in texts)
        return Message("assistant", parts, id=opened.id, phase=opened.phase)

    def response(self) -> Response:
        """The response so far. Raises ValueError before `Started`; without a finish reason it is taken for cut short."""
        started = self._started
        if started is None:
            raise ValueError("no response has started")
        items: dict[int, list[OutputItem]] = {0: []}
        for index in sorted(self._items):
            items.setdefault(self._items[index].opened.choice, []).append(self.item(index))
        choices = tuple(Choice(tuple(items[each]), self._finishes.get(each, Finish("length"))) for each in sorted(items))
        return Response(started.id, started.model, started.created, choices, self._usage, started.tier, started.fingerprint)
