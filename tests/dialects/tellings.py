"""Responses, and the events by which they are told: what every writer is tried with."""

from __future__ import annotations

from collections.abc import Callable

from llmux.dialects.neutral import (
    Delta,
    Encoder,
    Ended,
    Event,
    Finish,
    Finished,
    ItemClosed,
    ItemKind,
    ItemOpened,
    Message,
    Metered,
    OpaquePart,
    OutputItem,
    PartClosed,
    PartKind,
    PartOpened,
    Pinged,
    Reason,
    Reasoning,
    Refusal,
    Response,
    Segment,
    Started,
    Text,
    ToolCall,
    Usage,
)

USAGE = Usage(in_total=50, in_cached=20, in_written=10, out_total=30, out_reasoning=12)

THOUGHT = Reasoning((Segment("summary", "A question about the weather."),))
WORDS = Message("assistant", (Text('Let me look: "☂" or 😀?\n'),))
CALL = ToolCall("call_1", "get_weather", '{"city":"Zürich"}')
OTHER_CALL = ToolCall("call_2", "get_time", '{"zone":"CET"}')
BARE_CALL = ToolCall("call_3", "now", "")
REFUSAL = Message("assistant", (Refusal("I will not do that."),))


def response(*items: OutputItem, reason: Reason = "stop") -> Response:
    """A whole response of some items."""
    return Response("abc", "model-1", 1_700_000_000, items, USAGE, Finish(reason))


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
            opened = ItemOpened(index, "tool_call", call_id=call_id, name=name)
            return [opened, *(Delta(index, 0, "args", piece) for piece in _pieces(args)), ItemClosed(index, item)]
        case Message(_, parts):
            said: list[tuple[PartKind, str]] = [
                ("refusal" if isinstance(part, Refusal) else "text", part.text)
                for part in parts
                if not isinstance(part, OpaquePart)
            ]
            return _tell_parts(index, "message", said, item)
        case Reasoning(segments):
            return _tell_parts(index, "reasoning", [(segment.kind, segment.text) for segment in segments], item)


def _tell_parts(index: int, kind: ItemKind, parts: list[tuple[PartKind, str]], item: OutputItem) -> list[Event]:
    events: list[Event] = [ItemOpened(index, kind)]
    for number, (part, text) in enumerate(parts):
        events.append(PartOpened(index, number, part))
        events += (Delta(index, number, part, piece) for piece in _pieces(text))
        events.append(PartClosed(index, number))
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
