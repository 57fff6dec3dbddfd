"""Sees that every result has its call, and every call its result.

The API refuses a conversation in which either is alone; it does not mind where a result stands. What breaks the rule is refused
here, where the client can be told which of its fields it is, or repaired where the configuration says so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator

import attrs
import msgspec

from llmux.dialects.context import Context
from llmux.dialects.neutral import Item, Message, Text, ToolCall, ToolResult

_LEGAL = re.compile(r"[A-Za-z0-9_-]{1,64}")


@attrs.define
class _Pair:
    """A call, and what it gave back."""

    call: ToolCall
    result: ToolResult | None = None


def paired(items: Iterable[Item], context: Context) -> list[Item]:
    """The items, with ids that the API takes. Raises Fault."""
    pairs: dict[str, _Pair] = {}
    taken: set[str] = set()
    line: list[Item | _Pair] = []
    for item in items:
        if isinstance(item, ToolCall):
            pair = _Pair(_named(item, taken))
            pairs[item.call_id] = pair  # some servers count their calls anew in every turn: the last one counts
            line.append(pair)
        elif isinstance(item, ToolResult):
            known = pairs.get(item.call_id)
            if known is None:
                line.append(_orphan(item, context))
            elif known.result is None:
                known.result = msgspec.structs.replace(item, call_id=known.call.call_id, kind=known.call.kind)
                line.append(known.result)
            else:
                _again(item, known.result, context)
        else:
            line.append(item)
    return list(_settled(line, context))


def _settled(line: list[Item | _Pair], context: Context) -> Iterator[Item]:
    """Results that are missing stand behind the others of their turn."""
    missing: list[ToolCall] = []
    for each in line:
        if isinstance(each, _Pair):
            yield each.call
            if each.result is None:
                missing.append(each.call)
            continue
        if missing and not _is_of_turn(each):
            yield from (_made_up(call, context) for call in missing)
            missing = []
        yield each
    yield from (_made_up(call, context) for call in missing)


def _is_of_turn(item: Item) -> bool:
    """Whether an item is the model's, or a result."""
    return not isinstance(item, Message) or item.role == "assistant"


def _named(call: ToolCall, taken: set[str]) -> ToolCall:
    """The call with an id that the API takes and that no other has."""
    id_ = call.call_id if _LEGAL.fullmatch(call.call_id) else _digest(call.call_id)
    number = 2
    while id_ in taken:
        id_ = _digest(f"{call.call_id}\0{number}")
        number += 1
    taken.add(id_)
    return call if id_ == call.call_id else msgspec.structs.replace(call, call_id=id_)


def _digest(id_: str) -> str:
    return f"call_{hashlib.sha256(id_.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


def _again(item: ToolResult, first: ToolResult, context: Context) -> None:
    if _said(item) == _said(first):
        context.notes.drop(item.at, "the same result was given before")
    else:
        context.notes.refuse(item.at, f"the call {item.call_id} has another result already")


def _said(result: ToolResult) -> tuple[object, ...]:
    """What a result says, whatever the pointers."""
    return result.is_error, tuple(part.text if isinstance(part, Text) else part for part in result.parts)


def _orphan(item: ToolResult, context: Context) -> Item:
    why = f"no call before it has the id {item.call_id!r}"
    if context.target.options.repair == "refuse":
        context.notes.refuse(item.at, why)
    context.notes.approximate(item.at, f"told in words: {why}")
    label = "The result of a tool" if item.name is None else f"The result of {item.name}"
    return Message("user", (Text(f"{label}:", at=item.at), *item.parts), item.turn, at=item.at)


def _made_up(call: ToolCall, context: Context) -> ToolResult:
    why = f"the call {call.call_id} has no result"
    if context.target.options.repair == "refuse":
        context.notes.refuse(call.at, why)
    context.notes.approximate(call.at, f"answered with an error: {why}")
    return ToolResult(call.call_id, None, (Text("There is no result."),), True, call.turn, kind=call.kind, at=call.at)
