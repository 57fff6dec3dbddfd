"""The shapes of a scenario, as its file gives them. Times are in milliseconds."""

from __future__ import annotations

from typing import Any, Literal

import attrs


class ScenarioError(Exception):
    """A scenario that cannot be loaded or played. Its text is complete."""


@attrs.frozen
class Step:
    """A piece of text. `at` counts from the start of its element, and never decreases within one."""

    at: int
    text: str


@attrs.frozen
class Think:
    """The model thinks, each step a thought of its own."""

    steps: tuple[Step, ...]


@attrs.frozen
class Assistant:
    """The model speaks, each step a line."""

    steps: tuple[Step, ...]


@attrs.frozen
class ErrorElement:
    """The whole response is this HTTP error. `retry_after` is in seconds."""

    type: str
    message: str
    status: int = 400
    details: Any = None
    retry_after: float | None = None


Element = Think | Assistant | ErrorElement


@attrs.frozen
class LlmResponse:
    """What the model answers."""

    elements: tuple[Element, ...]


@attrs.frozen
class ToolUse:
    """The model calls a tool. `result` is what the tool is expected to give back, None where anything will do."""

    name: str
    args: dict[str, Any]
    call_id: str | None = None
    result: Any = None


@attrs.frozen
class UserInputs:
    """What the user says, in one or several wordings. `at` of each is absolute."""

    entries: tuple[Step, ...]


@attrs.frozen
class Advance:
    """The clock moves on."""

    by: int


@attrs.frozen
class SessionStart:
    """What comes before is history, what comes after is live."""


@attrs.frozen
class Complete:
    """The conversation is over."""


@attrs.frozen
class Skipped:
    """An event for other runners: user edits, assertions, screenshots and the like."""

    key: str
    payload: Any


TimelineEvent = LlmResponse | ToolUse | UserInputs | Advance | SessionStart | Complete | Skipped

AtEnd = Literal["minimal", "repeat-last", "repeat", "error"]


@attrs.frozen
class Server:
    """How the scenario wants to be served.

    `coalesce`: a tool use goes into the same response as the words before it. `end`: what follows the last response,
    or `complete`. `tools`: whether calls are made as scripted, or only where the request offers the tool.
    """

    coalesce: bool = True
    end: AtEnd = "minimal"
    tools: Literal["scripted", "offered"] = "scripted"


@attrs.frozen
class Scenario:
    """A scripted conversation. `source` names where it came from."""

    name: str
    source: str
    timeline: tuple[TimelineEvent, ...] = ()
    description: str = ""
    tags: tuple[str, ...] = ()
    initial_prompt: str | None = None
    server: Server = Server()

    @property
    def prompt(self) -> str | None:
        """The effective initial prompt: the first thing the user says, live if there is a live part."""
        live, first = None, None
        started = False
        for event in self.timeline:
            if isinstance(event, SessionStart):
                started = True
            elif isinstance(event, UserInputs):
                text = next((entry.text for entry in event.entries if entry.text), None)
                if started and live is None:
                    live = text
                first = text if first is None else first
        return next((text for text in (live, first, self.initial_prompt) if text is not None), None)
