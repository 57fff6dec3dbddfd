"""What an exchange says, in no dialect's words.

The spine is a flat list of items, the finest grain that all four dialects embed into: a message, a piece of reasoning, a
tool call, a tool result. Roles and turns are attributes, so that every writer can regroup. A stream tells the same things as
events; `Fold` turns events into the response that they tell. Token counts are inclusive: `in_total` holds the cached ones,
`out_total` the reasoning.

Events come in an order on which writers may rely: `Started` first and once; parts open and close inside their item, deltas
inside their part (a tool call's inside its item, part 0); `ItemClosed` once for each `ItemOpened`; `Metered` any number of
times, cumulative; `Finished` before `Ended`; nothing after `Ended`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Protocol

import attrs

from llmux.errors import Fault

Role = Literal["system", "developer", "user", "assistant", "tool"]


# --- what items are made of


@attrs.frozen
class Text:
    """Text that is to be read."""

    text: str


@attrs.frozen
class Refusal:
    """The model's own words for why it does not answer."""

    text: str


@attrs.frozen
class OpaquePart:
    """A part of a message that is carried as it came: media, a document, a kind that is not known here."""

    kind: str
    raw: Any


Part = Text | Refusal | OpaquePart


@attrs.frozen
class Segment:
    """Reasoning text: the model's own (`full`) or a summary of it."""

    kind: Literal["summary", "full"]
    text: str


# --- items


@attrs.frozen
class Message:
    """Somebody says something. `turn` counts the wire messages from which items came; `id` is "" until a dialect gives one."""

    role: Role
    parts: tuple[Part, ...]
    turn: int = 0
    id: str = ""


@attrs.frozen
class Reasoning:
    """One unit of thinking. `seal` is the opaque proof that its maker wants back, "" where there is none."""

    segments: tuple[Segment, ...]
    seal: str = ""
    turn: int = 0
    id: str = ""


@attrs.frozen
class ToolCall:
    """The model asks for a tool. `args_text` is JSON text and is authoritative: it may be empty, or no JSON at all."""

    call_id: str
    name: str
    args_text: str
    turn: int = 0
    id: str = ""


@attrs.frozen
class ToolResult:
    """What a tool gave back. `name` is None where the dialect does not repeat it."""

    call_id: str
    name: str | None
    parts: tuple[Part, ...]
    is_error: bool = False
    turn: int = 0
    id: str = ""


@attrs.frozen
class OpaqueItem:
    """An item that is carried as it came."""

    kind: str
    raw: Any
    turn: int = 0


OutputItem = Message | Reasoning | ToolCall  # what a model says
Item = OutputItem | ToolResult | OpaqueItem
ItemKind = Literal["message", "reasoning", "tool_call"]
PartKind = Literal["text", "refusal", "summary", "full"]
DeltaKind = Literal["text", "refusal", "summary", "full", "args", "seal"]


def plain(parts: Iterable[Part]) -> str:
    """The text of some parts, one below the other."""
    return "\n".join(part.text for part in parts if isinstance(part, Text))


# --- a request


@attrs.frozen
class Tool:
    """A tool that the client offers."""

    name: str


@attrs.frozen
class Request:
    """What a client asks for. `show` is how much of the reasoning it wants to see."""

    items: tuple[Item, ...]
    tools: tuple[Tool, ...] = ()
    show: Literal["none", "summary", "full"] = "none"


# --- a response


@attrs.frozen
class Usage:
    """Tokens, inclusive."""

    in_total: int = 0
    in_cached: int = 0
    in_written: int = 0
    out_total: int = 0
    out_reasoning: int = 0


Reason = Literal["stop", "stop_sequence", "length", "tool_calls", "refusal", "filter"]


@attrs.frozen
class Finish:
    """Why the model stopped. `stop_sequence` is the sequence that stopped it, where that is the reason."""

    reason: Reason
    stop_sequence: str | None = None


@attrs.frozen
class Response:
    """A whole response. `id` is without any dialect's prefix, `created` in Unix seconds, `usage` None where nobody counted."""

    id: str
    model: str
    created: int
    items: tuple[OutputItem, ...]
    usage: Usage | None
    finish: Finish


# --- events. A delta is made for every few characters, and setting a slot of a frozen class costs three times as much.


@attrs.frozen
class Started:
    """A response begins. `usage` is what is known of it already."""

    id: str
    model: str
    created: int
    usage: Usage | None = None


@attrs.frozen
class ItemOpened:
    """An item begins. `item` rises and is never used again; `call_id` and `name` are those of a tool call."""

    item: int
    kind: ItemKind
    id: str = ""
    call_id: str = ""
    name: str = ""


@attrs.frozen
class PartOpened:
    """A part of a message or of reasoning begins."""

    item: int
    part: int
    kind: PartKind


@attrs.define
class Delta:
    """A piece of a part, of a call's arguments or of a seal."""

    item: int
    part: int
    kind: DeltaKind
    text: str


@attrs.frozen
class PartClosed:
    """A part is whole."""

    item: int
    part: int


@attrs.frozen
class ItemClosed:
    """An item is whole, and here it is."""

    item: int
    whole: OutputItem


@attrs.frozen
class Metered:
    """Tokens so far."""

    usage: Usage


@attrs.frozen
class Finished:
    """The model stopped."""

    finish: Finish


@attrs.frozen
class Ended:
    """Nothing follows."""

    response: Response


@attrs.frozen
class Pinged:
    """The sender is alive."""


Event = Started | ItemOpened | PartOpened | Delta | PartClosed | ItemClosed | Metered | Finished | Ended | Pinged


class Encoder(Protocol):
    """Writes a stream in one dialect. One for each exchange.

    `encode` gives the bytes of an event, b"" where the dialect has nothing to say; `error` breaks the stream off in the
    dialect's own words, and nothing may follow it.
    """

    @property
    def content_type(self) -> bytes: ...

    def encode(self, event: Event) -> bytes: ...

    def error(self, fault: Fault) -> bytes: ...


@attrs.define
class _Growing:
    """An item on its way: its parts in order, each with its kind and the pieces so far."""

    opened: ItemOpened
    parts: dict[int, tuple[DeltaKind, list[str]]] = attrs.Factory(dict)
    seal: str = ""
    whole: OutputItem | None = None


class Fold:
    """Takes events and knows the response that they have told so far."""

    def __init__(self) -> None:
        self._started: Started | None = None
        self._items: dict[int, _Growing] = {}
        self._usage: Usage | None = None
        self._finish: Finish | None = None

    def see(self, event: Event) -> None:
        """Take the next event."""
        match event:
            case Delta(item, part, kind, text):
                growing = self._items[item]
                if kind == "seal":
                    growing.seal += text
                else:
                    growing.parts.setdefault(part, (kind, []))[1].append(text)
            case Started():
                self._started = event
                self._usage = event.usage
            case ItemOpened(item):
                self._items[item] = _Growing(event)
            case PartOpened(item, part, kind):
                self._items[item].parts[part] = (kind, [])
            case ItemClosed(item, whole):
                self._items[item].whole = whole
            case Metered(usage):
                self._usage = usage
            case Finished(finish):
                self._finish = finish

    def text(self, item: int, part: int = 0) -> str:
        """What a part, or a call's arguments, have come to."""
        return "".join(self._items[item].parts.get(part, ("text", []))[1])

    def item(self, item: int) -> OutputItem:
        """An item as far as it has come."""
        growing = self._items[item]
        if growing.whole is not None:
            return growing.whole
        opened = growing.opened
        texts = [(kind, "".join(pieces)) for kind, pieces in growing.parts.values()]
        if opened.kind == "tool_call":
            return ToolCall(opened.call_id, opened.name, "".join(text for _, text in texts), id=opened.id)
        if opened.kind == "reasoning":
            segments = tuple(Segment("full" if kind == "full" else "summary", text) for kind, text in texts)
            return Reasoning(segments, growing.seal, id=opened.id)
        parts = tuple(Refusal(text) if kind == "refusal" else Text(text) for kind, text in texts)
        return Message("assistant", parts, id=opened.id)

    def response(self) -> Response:
        """The response so far. Raises ValueError before `Started`; without a finish reason it is taken for cut short."""
        if self._started is None:
            raise ValueError("no response has started")
        return Response(
            id=self._started.id,
            model=self._started.model,
            created=self._started.created,
            items=tuple(self.item(index) for index in sorted(self._items)),
            usage=self._usage,
            finish=self._finish or Finish("length"),
        )
