"""Which turn of a script answers a request: by what it says where that matches, else the next in order."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import msgspec

from llmux.dialects.neutral import Item, Message, Request, Role, Text, ToolCall, ToolResult, plain
from llmux.errors import Fault
from llmux.scenario.model import ToolUse, UserInputs
from llmux.scenario.sessions import Session
from llmux.scenario.timeline import Script, offered_name, same_tool

# Fewer characters than this begin no script: some clients probe with a word before they work.
_MEANINGFUL = 3


@attrs.frozen
class Latest:
    """The end of a request's conversation: who spoke last, what was said, and which results were brought."""

    role: Role | None
    text: str = ""
    results: tuple[ToolResult, ...] = ()


def latest(request: Request) -> Latest:
    """What a request wants answered. Results of tools count before the words beside them."""
    items = [item for item in request.items if _speaker(item) is not None]
    if not items:
        return Latest(None)
    results = tuple(_trailing_results(items))
    if results:
        return Latest("tool", "\n".join(plain(result.parts) for result in results), results)
    role, turn = _speaker(items[-1]), items[-1].turn
    said = [plain(item.parts) for item in items if isinstance(item, Message) and (item.role, item.turn) == (role, turn)]
    return Latest(role, "\n".join(text for text in said if text))


def asked(request: Request) -> str:
    """The words of the last user message that has any, whatever came after it."""
    for item in reversed(request.items):
        if isinstance(item, Message) and item.role == "user" and (text := plain(item.parts)):
            return text
    return latest(request).text


def _speaker(item: Item) -> Role | None:
    if isinstance(item, Message):
        return item.role
    if isinstance(item, ToolResult):
        return "tool"
    return "assistant" if isinstance(item, ToolCall) else None


def _trailing_results(items: list[Item]) -> Iterator[ToolResult]:
    """The results at the end of the conversation, with the names that their calls have. User words may follow them."""
    names = {item.call_id: item.name for item in items if isinstance(item, ToolCall)}
    start = len(items)
    while start and isinstance(items[start - 1], ToolResult):
        start -= 1
    if start == len(items):  # words in the same message as the results
        while start and items[start - 1].turn == items[-1].turn and _speaker(items[start - 1]) in ("user", "tool"):
            start -= 1
    for item in items[start:]:
        if isinstance(item, ToolResult):
            yield msgspec.structs.replace(item, name=item.name or names.get(item.call_id))


def choose(session: Session, script: Script, request: Request) -> int | None:
    """The number of the turn that answers a request; None where the script has nothing to say to it.

    Moves the session on. Raises Fault where the request has no conversation, or the script is over and says so.
    """
    said = latest(request)
    if said.role is None:
        raise Fault("invalid", "No messages found in request payload")
    if said.role == "assistant":
        return None
    number = _by_result(session, script, said) if said.role == "tool" else _by_text(script, request, said.text)
    if number is not None:
        number = _unspent(session, script, number)
    else:
        number = _in_order(session, script, request)
    if number is not None:
        session.started = True
        if script.turns[number].error is not None:
            session.spent.add(number)
    return number


def _by_text(script: Script, request: Request, text: str) -> int | None:
    """The turn after the first user input that the text contains."""
    for index, event in enumerate(script.scenario.timeline):
        if isinstance(event, UserInputs) and any(entry.text and entry.text in text for entry in event.entries):
            number = script.after(index)
            if number is not None and _playable(script, number, request):
                return number
    return None


def _by_result(session: Session, script: Script, said: Latest) -> int | None:
    """The turn after the tool use that the last result fits best. Results of parallel calls lead past all of them."""
    result = said.results[-1]
    text = plain(result.parts)
    given = session.calls.get(result.call_id)

    def fit(index: int, use: ToolUse) -> int:
        mine = given == script.holding(index) or (use.call_id is not None and use.call_id == result.call_id)
        foreseen = use.result if isinstance(use.result, str) else None
        if foreseen is not None and foreseen == text:
            return 5 if mine else 4
        if mine:
            return 3
        if result.name is not None and not same_tool(result.name, use.name):
            return 0
        return 1 if foreseen is None else 2 if foreseen in text else 0

    uses = [(fit(index, event), index) for index, event in enumerate(script.scenario.timeline) if isinstance(event, ToolUse)]
    best, index = max(uses, key=lambda each: each[0], default=(0, 0))
    return script.after(script.turns[script.holding(index)].end - 1) if best else None


def _in_order(session: Session, script: Script, request: Request) -> int | None:
    """The next turn, and after the last what the scenario wants there."""
    end = script.scenario.server.end
    if end != "repeat" and not session.started and not _meaningful(request):
        return None
    for _ in range(2):
        while session.cursor < script.scripted:
            number = session.cursor
            session.cursor += 1
            if _playable(script, number, request):
                return number
        if end != "repeat":
            break
        session.cursor = 0
        session.spent.clear()
    if end == "error":
        raise Fault("conflict", f"The scenario '{script.scenario.name}' is over", should_retry=False)
    return script.scripted - 1 if end == "repeat-last" and script.scripted else None


def _meaningful(request: Request) -> bool:
    texts = [part.text for item in request.items if isinstance(item, Message) and item.role != "system" for part in _texts(item)]
    return any(len(text) > _MEANINGFUL for text in texts)


def _texts(item: Message) -> list[Text]:
    return [part for part in item.parts if isinstance(part, Text)]


def _unspent(session: Session, script: Script, number: int) -> int:
    """An error happens once: who asks again gets what the script has next for the same words."""
    follower = number + 1
    if number not in session.spent or follower >= len(script.turns):
        return number
    between = script.scenario.timeline[script.turns[number].end : script.turns[follower].start]
    return number if any(isinstance(event, UserInputs) for event in between) else _unspent(session, script, follower)


def _playable(script: Script, number: int, request: Request) -> bool:
    """Some scenarios call only tools that the request offers."""
    calls = script.turns[number].calls
    return script.scenario.server.tools == "scripted" or all(offered_name(use.name, request) for use in calls)
