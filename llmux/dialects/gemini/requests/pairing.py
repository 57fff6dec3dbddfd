"""Brings calls and their results together.

The API wants the results of a turn's calls in the very next content, as many as there were calls. They are put there in the order
of the calls, wherever the client said them. A result without its call and a call without its result are refused, or mended where
the configuration says so.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from llmux.dialects.context import Context
from llmux.dialects.neutral import Item, Message, Reasoning, Request, ServerCall, ServerResult, Text, ToolCall, ToolResult


@attrs.define(eq=False)
class _Pair:
    """A call, and what it gave back."""

    call: ToolCall
    result: ToolResult | None = None


class _Answered:
    """Where a result stood: what the model says behind it is another turn."""


def arranged(request: Request, context: Context) -> list[Item]:
    """The items, the results of every turn right behind it. Raises Fault."""
    pairs: dict[str, _Pair] = {}  # the last call of each id: some servers count their calls anew in every turn
    line: list[Item | _Pair | _Answered] = []
    for item in request.items:
        if isinstance(item, ToolCall):
            pair = pairs[item.call_id] = _Pair(item)
            line.append(pair)
        elif isinstance(item, ToolResult):
            found = pairs.get(item.call_id)
            if found is None:
                line.append(_orphan(item, context))
            elif found.result is None:
                found.result = item
                line.append(_Answered())
            else:
                _again(item, found.result, context)
        else:
            line.append(item)
    return list(_settled(line, context))


def _settled(line: list[Item | _Pair | _Answered], context: Context) -> Iterator[Item]:
    waiting: list[_Pair] = []
    answered = False
    for each in line:
        if isinstance(each, _Answered):
            answered = True
            continue
        if waiting and (answered or not _is_model(each)):
            yield from (pair.result for pair in waiting if pair.result is not None)
            waiting = []
        answered = False
        if not isinstance(each, _Pair):
            yield each
        else:
            each.result = each.result or _missing(each.call, context)
            waiting.append(each)
            yield each.call
    yield from (pair.result for pair in waiting if pair.result is not None)


def _is_model(item: Item | _Pair) -> bool:
    """Whether the model itself goes on."""
    if isinstance(item, Message):
        return item.role == "assistant"
    return isinstance(item, _Pair | Reasoning | ServerCall | ServerResult)


def _again(item: ToolResult, first: ToolResult, context: Context) -> None:
    if _said(item) == _said(first):
        context.notes.drop(item.at, "the same result was given before")
    else:
        context.notes.refuse(item.at, f"the call {item.call_id} has another result already")


def _said(result: ToolResult) -> tuple[object, ...]:
    """What a result says, whatever the pointers."""
    return result.is_error, tuple(part.text if isinstance(part, Text) else part for part in result.parts)


def _orphan(item: ToolResult, context: Context) -> Message:
    why = f"no call before it has the id {item.call_id!r}"
    if context.target.options.repair == "refuse":
        context.notes.refuse(item.at, why)
    context.notes.approximate(item.at, f"told in words: {why}")
    label = "The result of a tool" if item.name is None else f"The result of {item.name}"
    return Message("user", (Text(f"{label}:", at=item.at), *item.parts), item.turn, at=item.at)


def _missing(call: ToolCall, context: Context) -> ToolResult:
    why = f"the call {call.call_id} has no result"
    if context.target.options.repair == "refuse":
        context.notes.refuse(call.at, why)
    context.notes.approximate(call.at, f"answered with an error: {why}")
    return ToolResult(call.call_id, None, (Text("There is no result."),), True, call.turn, at=call.at)
