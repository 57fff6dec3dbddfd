"""Brings tool calls and their results together.

The API wants all results of a turn's calls in the very next message, ids that it can read, and neither a result without its
call nor a call without its result. What breaks the last two rules is refused, or repaired where the configuration says so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

import attrs
import msgspec

from llmux.dialects.context import Context
from llmux.dialects.neutral import (
    Item,
    Message,
    Reasoning,
    Request,
    ServerCall,
    ServerResult,
    Text,
    ToolCall,
    ToolResult,
)

_TO_PAIR = frozenset({ToolCall, ToolResult})
_LEGAL = re.compile(r"[a-zA-Z0-9_-]+")
# Ids of the provider's own tools: a client that sends one as its own call got it from a translation that confused the two.
_SERVERS = "srvtoolu_"


@attrs.define
class _Pair:
    """A call, and what it gave back."""

    call: ToolCall
    result: ToolResult | None = None
    order: int = 0


class _Break:
    """Where results stood: the calls before it do not belong to one turn with those behind."""


def paired(request: Request, context: Context) -> Sequence[Item]:
    """The items, every turn's results right behind it in their order. Raises Fault."""
    if _TO_PAIR.isdisjoint(map(type, request.items)):
        return request.items
    pairs: dict[str, _Pair] = {}
    taken: set[str] = set()
    line: list[Item | _Pair | _Break] = []
    for order, item in enumerate(request.items):
        if isinstance(item, ToolCall):
            if item.call_id.startswith(_SERVERS):
                line.append(_as_words(item, context))
                continue
            pair = _Pair(_named(item, pairs, taken))
            pairs[item.call_id] = pair
            line.append(pair)
        elif isinstance(item, ToolResult):
            pair_or_none = pairs.get(item.call_id)
            if pair_or_none is None:
                line.append(_orphan(item, context))
            elif pair_or_none.result is None:
                pair_or_none.result = msgspec.structs.replace(item, call_id=pair_or_none.call.call_id)
                pair_or_none.order = order
                line.append(_Break())
            else:
                _again(item, pair_or_none.result, context)
        else:
            line.append(item)
    return list(_settled(line, context))


def _settled(line: list[Item | _Pair | _Break], context: Context) -> Iterator[Item]:
    waiting: list[_Pair] = []
    ahead = 0  # results that are told before the place where they stood
    for each in line:
        if isinstance(each, _Pair):
            waiting.append(each)
            yield each.call
            continue
        if waiting and (isinstance(each, _Break) or not _is_assistant(each)):
            ahead += sum(pair.result is not None for pair in waiting)
            yield from _results(waiting, context)
            waiting = []
        if isinstance(each, _Break):
            ahead -= 1
            continue
        if ahead and isinstance(each, Message) and each.role in ("system", "developer"):
            context.notes.approximate(each.at, "told behind the results of the calls before it")
        yield each
    yield from _results(waiting, context)


def _results(pairs: list[_Pair], context: Context) -> Iterator[ToolResult]:
    """The results of a turn, those that were given in their order."""
    for pair in sorted(pairs, key=lambda pair: pair.order):
        if pair.result is not None:
            yield pair.result
    # What is made up comes in the turn of what was given.
    turns = [pair.result.turn for pair in pairs if pair.result is not None]
    for pair in pairs:
        if pair.result is None:
            yield _missing(pair.call, max(turns, default=pair.call.turn), context)


def _is_assistant(item: Item) -> bool:
    if isinstance(item, Message):
        return item.role == "assistant"
    return isinstance(item, Reasoning | ServerCall | ServerResult)


def _named(call: ToolCall, pairs: dict[str, _Pair], taken: set[str]) -> ToolCall:
    """The call with an id that the API takes and that no other has. Some servers count their calls anew in every turn."""
    id_ = call.call_id
    if _LEGAL.fullmatch(id_) is None:
        id_ = _digest(id_)
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
    if context.target.options.repair == "refuse" and not item.call_id.startswith(_SERVERS):
        context.notes.refuse(item.at, why)
    context.notes.approximate(item.at, f"told in words: {why}")
    label = "The result of a tool" if item.name is None else f"The result of {item.name}"
    return Message("user", (Text(f"{label}:", at=item.at), *item.parts), item.turn, at=item.at)


def _missing(call: ToolCall, turn: int, context: Context) -> ToolResult:
    why = f"the call {call.call_id} has no result"
    if context.target.options.repair == "refuse":
        context.notes.refuse(call.at, why)
    context.notes.approximate(call.at, f"answered with an error: {why}")
    return ToolResult(call.call_id, None, (Text("There is no result."),), True, turn, at=call.at)


def _as_words(call: ToolCall, context: Context) -> Message:
    context.notes.approximate(call.at, "a call of a provider's own tool is told in words")
    return Message("assistant", (Text(f"[{call.name} {call.args_text}]", at=call.at),), call.turn, at=call.at)
