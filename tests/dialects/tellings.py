"""Responses, and the events by which they are told: what every writer is tried with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.events import (
    Cited,
    Delta,
    Encoder,
    Ended,
    Event,
    Finished,
    ItemClosed,
    ItemKind,
    ItemOpened,
    Metered,
    PartClosed,
    PartKind,
    PartOpened,
    Pinged,
    Sealed,
    Started,
)
from llmux.dialects.neutral import (
    Choice,
    Finish,
    Message,
    OutputItem,
    Reason,
    Reasoning,
    Refusal,
    Response,
    Segment,
    Text,
    ToolCall,
    Usage,
)
from llmux.dialects.notes import Notes
from llmux.dialects.seals import Seals

USAGE = Usage(in_total=50, in_cached=20, in_written=10, out_total=30, out_reasoning=12)

THOUGHT = Reasoning((Segment("summary", "A question about the weather."),))
WORDS = Message("assistant", (Text('Let me look: "☂" or 😀?\n'),))
CALL = ToolCall("call_1", "get_weather", '{"city":"Zürich"}')
OTHER_CALL = ToolCall("call_2", "get_time", '{"zone":"CET"}')
BARE_CALL = ToolCall("call_3", "now", "")
REFUSAL = Message("assistant", (Refusal("I will not do that."),))


def context(asked: dict[str, Any] | None = None, **more: Any) -> Context:
    """An exchange that is answered here: nothing in the request can be lost."""
    return Context(notes=Notes(lenient=True), seals=Seals((b"tests",)), asked=asked or {}, now=1_700_000_000, **more)


def response(*items: OutputItem, reason: Reason = "stop") -> Response:
    """A whole response of some items."""
    return Response("abc", "model-1", 1_700_000_000, (Choice(items, Finish(reason)),), USAGE)


RESPONSES: dict[str, Response] = {
    "words": response(WORDS),
    "thought and words": response(THOUGHT, WORDS),
    "two thoughts": response(THOUGHT, Reasoning((Segment("summary", "And another."),)), WORDS),
    "a call alone": response(CALL, reason="tool_calls"),
    "thought, words, two calls": response(THOUGHT, WORDS, CALL, OTHER_CALL, reason="tool_calls"),
    "a call without arguments": response(BARE_CALL, reason="tool_calls"),
    "words between calls": response(CALL, WORDS, OTHER_CALL, reason="tool_calls"),
    "cut short": response(WORDS, reason="length"),
    "a refusal": response(REFUSAL, reason="refusal"),
    "full reasoning": response(Reasoning((Segment("full", "Hm."),)), WORDS),
    "nothing": response(),
}


def tell(whole: Response) -> list[Event]:
    """The events of a response, its items one after the other and its texts in pieces of three characters."""
    events: list[Event] = [Started(whole.id, whole.model, whole.created, Usage(in_total=50, in_cached=20, in_written=10))]
    for index, item in enumerate(whole.items):
        events += tell_item(index, item)
    return events + end(whole)


def end(whole: Response) -> list[Event]:
    """The last events of a response."""
    metered: list[Event] = [Metered(whole.usage)] if whole.usage is not None else []
    return [*metered, Finished(whole.finish), Ended(whole)]


def tell_item(index: int, item: OutputItem) -> list[Event]:
    """The events of an item."""
    match item:
        case ToolCall(call_id, name, args):
            named = {"call_id": call_id, "name": name, "call_kind": item.kind, "namespace": item.namespace}
            opened = ItemOpened(index, "tool_call", seals=item.seals, **named)  # type: ignore[arg-type]  # each is what it should be
            return [opened, *(Delta(index, 0, "args", piece) for piece in _pieces(args)), ItemClosed(index, item)]
        case Message(_, parts):
            said: list[tuple[PartKind, Text | Refusal]] = [
                ("refusal" if isinstance(part, Refusal) else "text", part) for part in parts if isinstance(part, Text | Refusal)
            ]
            return _tell_parts(index, "message", said, item)
        case Reasoning(segments, sealed):
            events = _tell_parts(index, "reasoning", [(each.kind, Text(each.text)) for each in segments], item)
            return [*events[:-1], *(Sealed(index, seal) for seal in sealed), events[-1]]
    return [ItemOpened(index, "server"), ItemClosed(index, item)]


def _tell_parts(index: int, kind: ItemKind, parts: list[tuple[PartKind, Text | Refusal]], item: OutputItem) -> list[Event]:
    events: list[Event] = [ItemOpened(index, kind)]
    for number, (part, said) in enumerate(parts):
        events.append(PartOpened(index, number, part))
        events += (Delta(index, number, part, piece) for piece in _pieces(said.text))
        if isinstance(said, Text):
            events += (Cited(index, number, annotation) for annotation in said.annotations)
            events += (Sealed(index, seal) for seal in said.seals)
        events.append(PartClosed(index, number, said.text))
    return [*events, ItemClosed(index, item)]


def _pieces(text: str) -> list[str]:
    return [text[at : at + 3] for at in range(0, len(text), 3)]


def interleaved() -> list[Event]:
    """Two calls whose arguments arrive in turns, as Chat Completions allows, and a ping between."""
    whole = response(CALL, OTHER_CALL, reason="tool_calls")
    first, second = (tell_item(index, item) for index, item in enumerate((CALL, OTHER_CALL)))
    mixed: list[Event] = [event for pair in zip(first[:-1], second[:-1], strict=False) for event in pair]
    rest: list[Event] = [*first[len(second) - 1 : -1], second[-1], Pinged(), first[-1]]
    return [tell(whole)[0], *mixed, *rest, *end(whole)]


def write(encoder: Encoder, events: list[Event]) -> bytes:
    """The bytes of a stream."""
    encode: Callable[[Event], bytes] = encoder.encode
    return b"".join(map(encode, events))
