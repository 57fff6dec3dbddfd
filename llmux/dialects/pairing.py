"""Brings tool calls and their results together, as a provider's API wants them.

No API takes a result without its call or a call without its result: either is refused, where the client can be told which of its
fields it is, or mended where the configuration says so.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from math import inf
from typing import Literal

import attrs
import msgspec

from llmux.dialects.context import Context
from llmux.dialects.neutral import Item, Message, Reasoning, ServerCall, ServerResult, Text, ToolCall, ToolResult


@attrs.frozen
class Rule:
    """What an API asks for.

    `ids` is what its ids look like, None where it has none. `results` says where it wants them: right behind their turn in the
    order in which they were `given` or in that of the `calls`, or `anywhere` behind their call.
    """

    ids: re.Pattern[str] | None
    results: Literal["given", "calls", "anywhere"]


@attrs.define(eq=False)
class _Pair:
    """A call, and what it gave back. `order` is where that stood in the request."""

    call: ToolCall
    result: ToolResult | None = None
    order: int = 0


# A result stands in the line where the client said it.
_Line = list[Item | _Pair]

_OF_TOOLS = frozenset({ToolCall, ToolResult})
_OF_MODEL = (Reasoning, ServerCall, ServerResult)
# Ids of Anthropic's own tools: a client that sends one as its own call got it from a translation that confused the two.
_SERVERS = "srvtoolu_"


def paired(items: Sequence[Item], rule: Rule, context: Context) -> Sequence[Item]:
    """The items with every result where the API wants it, and ids that it takes. Raises Fault."""
    if _OF_TOOLS.isdisjoint(map(type, items)):
        return items
    pairs: dict[str, _Pair] = {}  # the last call of each id: some servers count their calls anew in every turn
    taken: set[str] = set()
    line: _Line = []
    for order, item in enumerate(items):
        if isinstance(item, ToolCall):
            if item.call_id.startswith(_SERVERS):
                line.append(_in_words(item, context))
                continue
            pairs[item.call_id] = pair = _Pair(item if rule.ids is None else _named(item, rule.ids, taken))
            line.append(pair)
        elif isinstance(item, ToolResult):
            found = pairs.get(item.call_id)
            if found is None:
                line.append(_orphan(item, context))
            elif found.result is None:
                found.result = msgspec.structs.replace(item, call_id=found.call.call_id, kind=found.call.kind)
                found.order = order
                line.append(found.result)
            else:
                _again(item, found.result, context)
        else:
            line.append(item)
    settled = _in_place(line, context) if rule.results == "anywhere" else _gathered(line, rule.results == "given", context)
    return list(settled)


def _in_place(line: _Line, context: Context) -> Iterator[Item]:
    """Results that are missing stand behind the others of their turn."""
    missing: list[_Pair] = []
    for each in line:
        if isinstance(each, _Pair):
            yield each.call
            if each.result is None:
                missing.append(each)
            continue
        if missing and not (isinstance(each, ToolResult) or _is_model(each)):
            yield from _results(missing, context)
            missing = []
        yield each
    yield from _results(missing, context)


def _gathered(line: _Line, as_given: bool, context: Context) -> Iterator[Item]:
    """A result ends its turn: the calls before it do not belong to one with those behind."""
    waiting: list[_Pair] = []
    ahead = 0  # results that are told before the place where they stood
    for each in line:
        if isinstance(each, _Pair):
            waiting.append(each)
            yield each.call
            continue
        is_result = isinstance(each, ToolResult)
        if waiting and (is_result or not _is_model(each)):
            ahead += sum(pair.result is not None for pair in waiting)
            yield from _results(sorted(waiting, key=_order) if as_given else waiting, context)
            waiting = []
        if is_result:
            ahead -= 1
            continue
        if ahead and isinstance(each, Message) and each.role in ("system", "developer"):
            context.notes.approximate(each.at, "told behind the results of the calls before it")
        yield each
    yield from _results(sorted(waiting, key=_order) if as_given else waiting, context)


def _order(pair: _Pair) -> float:
    """Where its result stood; one that is missing comes behind what was given."""
    return inf if pair.result is None else pair.order


def _is_model(item: Item) -> bool:
    """Whether the model itself goes on."""
    return item.role == "assistant" if isinstance(item, Message) else isinstance(item, _OF_MODEL)


def _named(call: ToolCall, legal: re.Pattern[str], taken: set[str]) -> ToolCall:
    """The call with an id that the API takes and that no other has."""
    id_ = call.call_id if legal.fullmatch(call.call_id) else _digest(call.call_id)
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


def _results(pairs: list[_Pair], context: Context) -> Iterator[ToolResult]:
    """The results of some calls; those that are missing are made up, in the turn of what was given."""
    turn = max((pair.result.turn for pair in pairs if pair.result is not None), default=None)
    for pair in pairs:
        yield _missing(pair.call, turn, context) if pair.result is None else pair.result


def _missing(call: ToolCall, turn: int | None, context: Context) -> ToolResult:
    why = f"the call {call.call_id} has no result"
    if context.target.options.repair == "refuse":
        context.notes.refuse(call.at, why)
    context.notes.approximate(call.at, f"answered with an error: {why}")
    turn = call.turn if turn is None else turn
    return ToolResult(call.call_id, None, (Text("There is no result."),), True, turn, kind=call.kind, at=call.at)


def _in_words(call: ToolCall, context: Context) -> Message:
    context.notes.approximate(call.at, "a call of a provider's own tool is told in words")
    return Message("assistant", (Text(f"[{call.name} {call.args_text}]", at=call.at),), call.turn, at=call.at)
