"""From a scenario's timeline to responses, and from a response to timed events.

One response is an `llmResponse` with the tool uses that follow it directly. Within an element the times of steps count from
where the element begins, and the clock stays where its last step left it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs
import msgspec

from llmux import jsonio
from llmux.dialects.events import (
    Delta,
    DeltaKind,
    Ended,
    Event,
    Finished,
    Fold,
    ItemClosed,
    ItemKind,
    ItemOpened,
    Metered,
    PartClosed,
    PartKind,
    PartOpened,
    Started,
)
from llmux.dialects.neutral import Finish, Message, Reasoning, Request, Segment, Text, ToolCall, Usage
from llmux.scenario.estimate import tokens, tokens_of
from llmux.scenario.model import Assistant, Complete, Element, ErrorElement, LlmResponse, Scenario, Step, Think, ToolUse

# A piece of streamed text: a word with the space before it, long words in slices.
_PIECES = re.compile(r"\s*\S{1,12}|\s+")


@attrs.frozen
class Turn:
    """One response of a script: where its events begin and end in the timeline, what is said, which tools are called."""

    start: int
    end: int
    elements: tuple[Element, ...] = ()
    calls: tuple[ToolUse, ...] = ()

    @property
    def error(self) -> ErrorElement | None:
        """The error that this response is, if it is one."""
        return next((element for element in self.elements if isinstance(element, ErrorElement)), None)


@attrs.frozen
class Script:
    """A scenario cut into its responses. `scripted` counts those that come in order, which end at `complete`."""

    scenario: Scenario
    turns: tuple[Turn, ...]
    scripted: int

    @classmethod
    def of(cls, scenario: Scenario) -> Script:
        """Cut a scenario."""
        turns = tuple(_turns(scenario))
        over = next(
            (index for index, event in enumerate(scenario.timeline) if isinstance(event, Complete)), len(scenario.timeline)
        )
        return cls(scenario, turns, sum(1 for turn in turns if turn.start < over))

    def after(self, index: int) -> int | None:
        """The number of the first turn that begins after an event of the timeline; None: there is none."""
        return next((number for number, turn in enumerate(self.turns) if turn.start > index), None)

    def holding(self, index: int) -> int:
        """The number of the turn that an event of the timeline belongs to."""
        return next(number for number, turn in enumerate(self.turns) if turn.start <= index < turn.end)


def _turns(scenario: Scenario) -> Iterator[Turn]:
    timeline = scenario.timeline
    index = 0
    while index < len(timeline):
        start, event = index, timeline[index]
        index += 1
        if isinstance(event, ToolUse):
            elements: tuple[Element, ...] = ()
        elif isinstance(event, LlmResponse):
            elements = event.elements
        else:
            continue
        calls = [event] if isinstance(event, ToolUse) else []
        while scenario.server.coalesce and index < len(timeline):
            follower = timeline[index]
            if not isinstance(follower, ToolUse):
                break
            calls.append(follower)
            index += 1
        yield Turn(start, index, elements, tuple(calls))


@attrs.frozen
class Head:
    """What every response begins with: `id` without any dialect's prefix, `created` in Unix seconds."""

    id: str
    model: str
    created: int


Timed = tuple[int, Event]  # milliseconds from the start of the response, and what happens then


def perform(turn: Turn, head: Head, request: Request) -> list[Timed]:
    """The events of a response. Reasoning that the request does not want to see is left out, and counted."""
    return _Performance(head, request).run(turn)


def minimal(head: Head, request: Request) -> list[Timed]:
    """The response to what the script does not answer. It counts no tokens."""
    performance = _Performance(head, msgspec.structs.replace(request, items=()))
    performance.speak((Step(0, "Initializing..."),))
    return performance.finish(Usage(), Finish("stop"))


class _Performance:
    """One response on its way: a clock, the events so far, and the response that they come to."""

    def __init__(self, head: Head, request: Request) -> None:
        self._head = head
        self._request = request
        self._clock = 0
        self._events: list[Timed] = []
        self._fold = Fold()
        self._item = -1
        self._see(0, Started(head.id, head.model, head.created, Usage(in_total=tokens_of(request))))

    def run(self, turn: Turn) -> list[Timed]:
        """Play a turn to its end."""
        spoken = thought = 0
        for element in turn.elements:
            if isinstance(element, Think):
                thought += self._think(element.steps)
            elif isinstance(element, Assistant):
                spoken += self.speak(element.steps, more=bool(spoken))
        for use in turn.calls:
            spoken += self._call(use)
        usage = Usage(in_total=tokens_of(self._request), out_total=spoken + thought, out_reasoning=thought)
        return self.finish(usage, Finish("tool_calls" if turn.calls else "stop"))

    def finish(self, usage: Usage, finish: Finish) -> list[Timed]:
        """Say the end, and give everything that was said."""
        self._see(self._clock, Metered(usage))
        self._see(self._clock, Finished(finish))
        self._see(self._clock, Ended(self._fold.response()))
        return self._events

    def speak(self, steps: tuple[Step, ...], more: bool = False) -> int:
        """The steps are the lines of one message; `more` goes on below what was said before. Returns its tokens."""
        lines: list[str] = [""] if more else []
        opened = False
        for at, until, text in self._times(steps):
            if not opened:
                opened = True
                self._open(at, "message", "text")
            lines.append(text)
            self._say(at, until, "text", text if len(lines) == 1 else f"\n{text}")
        whole = "\n".join(lines)
        if opened:
            self._see(self._clock, PartClosed(self._item, 0, whole))
            self._see(self._clock, ItemClosed(self._item, Message("assistant", (Text(whole),))))
        return tokens(whole)

    def _think(self, steps: tuple[Step, ...]) -> int:
        """Each step is a thought of its own. Returns their tokens, also of what the client does not want to see."""
        show = self._request.display
        for at, until, text in self._times(steps):
            if show != "none":
                self._open(at, "reasoning", show)
                self._say(at, until, show, text)
                last = self._events[-1][0]
                self._see(last, PartClosed(self._item, 0, text))
                self._see(last, ItemClosed(self._item, Reasoning((Segment(show, text),))))
        return sum(tokens(step.text) for step in steps)

    def _call(self, use: ToolUse) -> int:
        """A tool call, under the name by which the client offers the tool. Returns its tokens."""
        name = offered_name(use.name, self._request) or use.name
        args = jsonio.dumps(use.args).decode()
        self._item += 1
        call_id = use.call_id or f"call_{self._head.id}_{self._item}"
        self._see(self._clock, ItemOpened(self._item, "tool_call", call_id=call_id, name=name))
        self._say(self._clock, self._clock, "args", args)
        self._see(self._clock, ItemClosed(self._item, ToolCall(call_id, name, args)))
        return tokens(name) + tokens(args)

    def _times(self, steps: tuple[Step, ...]) -> Iterator[tuple[int, int, str]]:
        """Each step's own time, the time of the next, and its text; moves the clock along."""
        base = self._clock
        for number, step in enumerate(steps):
            self._clock = base + step.at
            yield self._clock, base + steps[min(number + 1, len(steps) - 1)].at, step.text

    def _open(self, at: int, kind: ItemKind, part: PartKind) -> None:
        self._item += 1
        self._see(at, ItemOpened(self._item, kind))
        self._see(at, PartOpened(self._item, 0, part))

    def _say(self, at: int, until: int, kind: DeltaKind, text: str) -> None:
        """The text in small pieces, the first one now, the others spread over the time until the next step."""
        pieces = _PIECES.findall(text)
        for number, piece in enumerate(pieces):
            self._see(at + (until - at) * number // len(pieces), Delta(self._item, 0, kind, piece))

    def _see(self, at: int, event: Event) -> None:
        self._fold.see(event)
        self._events.append((at, event))


def offered_name(name: str, request: Request) -> str | None:
    """The name by which a request offers a tool; None: it does not."""
    names = [tool.name for tool in request.tools]
    if name in names:
        return name
    return next((each for each in names if same_tool(each, name)), None)


def same_tool(one: str, other: str) -> bool:
    """Whether two names are one tool's: `read_file`, `readFile` and `Read-File` are."""
    return _bare(one) == _bare(other)


def _bare(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "")
