"""Reads a scenario out of its YAML text.

Unknown keys are ignored, at the top and beside an event, so that a file may serve several runners. An item of the
timeline must have one event key that the format knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NoReturn, get_args

import attrs
import yaml

from llmux.scenario.model import (
    Advance,
    Assistant,
    AtEnd,
    Complete,
    Element,
    ErrorElement,
    LlmResponse,
    Scenario,
    ScenarioError,
    Server,
    SessionStart,
    Skipped,
    Step,
    Think,
    TimelineEvent,
    ToolUse,
    UserInputs,
)
from llmux.scenario.rules import Symbol, resolve

# The text of these content blocks is what a model or a user says; the others are seen and not heard.
_TEXT_BLOCKS = ("text", "resource")
_BLOCKS = ("text", "resource", "image", "audio", "resource_link", "resourceLink", "diff", "plan")

# Short for an agentToolUse of that name, with the payload as its arguments.
_SHORTHANDS = (
    "runCmd grep readFile listDir find sed editFile writeFile task webFetch webSearch todoWrite notebookEdit "
    "exitPlanMode bashOutput killShell slashCommand"
).split()

# Events that are performed by other runners, or that say nothing to a client of the API.
_SKIPPED = (
    "agentPlan setMode setModel agentFileReads agentPermissionRequest userEdits userCommand userCancelSession initialize "
    "status log assert screenshot merge applyPatch assertGit"
).split()

_WRAPPERS = ("agentActions", "userActions")


def load(text: str, source: str, symbols: dict[str, Symbol] | None = None) -> Scenario:
    """The scenario in `text`; `source` names it in errors, `symbols` decide its rules. Raises ScenarioError."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ScenarioError(f"Scenario parse error: {source}: {error}") from None
    return _Loader(source).scenario(resolve(document, symbols or {}))


@attrs.frozen
class _Loader:
    """Reads one document. What is wrong with it is said with the name of its source."""

    source: str

    def invalid(self, what: str) -> NoReturn:
        raise ScenarioError(f'Scenario validation error: Scenario "{self.source}" {what}')

    def unparsed(self, what: str) -> NoReturn:
        raise ScenarioError(f"Scenario parse error: {self.source}: {what}")

    def scenario(self, document: object) -> Scenario:
        if not isinstance(document, dict):
            self.unparsed("expected a mapping")
        if "events" in document or "assertions" in document:
            self.invalid("uses legacy keys 'events'/'assertions'; only 'timeline' is supported")
        raw = document.get("timeline")
        items = [] if raw is None else raw
        if not isinstance(items, list):
            self.invalid("has non-sequence timeline; expected list of events")
        timeline = tuple(event for index, item in enumerate(items) for event in self.event(index, item))
        name = document.get("name")
        if not isinstance(name, str) or not name.strip():
            self.invalid("is missing 'name'")
        self.meta(document)
        self.check(timeline)
        tags = document.get("tags") or []
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            self.unparsed("tags: expected a list of strings")
        prompt = document.get("initialPrompt")
        return Scenario(
            name=name,
            source=self.source,
            timeline=timeline,
            description=str(document.get("description") or ""),
            tags=tuple(tags),
            initial_prompt=None if prompt is None else self.string(prompt, "initialPrompt"),
            server=self.server(document.get("server")),
        )

    def check(self, timeline: tuple[TimelineEvent, ...]) -> None:
        """The rules that join events: the clock of the user runs forward, and thoughts lead to something."""
        clock = 0
        for index, event in enumerate(timeline):
            if isinstance(event, Advance):
                clock += event.by
            elif isinstance(event, UserInputs):
                for entry in event.entries:
                    if entry.at < clock:
                        self.invalid(f"has userInputs relativeTime {entry.at} earlier than current timeline {clock}")
                    clock = entry.at
            elif isinstance(event, LlmResponse):
                kinds = {type(element) for element in event.elements}
                calls = index + 1 < len(timeline) and isinstance(timeline[index + 1], ToolUse)
                if kinds == {Think} and not calls:
                    self.invalid("llmResponse contains thinking blocks but no assistant responses")

    def server(self, raw: object) -> Server:
        if raw is None:
            return Server()
        node = self.mapping(raw, "server")
        coalesce = node.get("coalesceThinkingWithToolUse", True)
        if not isinstance(coalesce, bool):
            self.unparsed("server.coalesceThinkingWithToolUse: expected true or false")
        end: AtEnd = self.word(node.get("end", "minimal"), "server.end", get_args(AtEnd))
        tools: Literal["scripted", "offered"] = self.word(node.get("tools", "scripted"), "server.tools", ("scripted", "offered"))
        return Server(coalesce, end, tools)

    def event(self, index: int, item: object) -> Iterator[TimelineEvent]:
        """The event of a timeline item; a wrapper holds several."""
        if not isinstance(item, dict):
            self.invalid(f"timeline item {index} is not a mapping; legacy shapes are unsupported")
        self.meta(item)
        where = f"timeline item {index}"
        for wrapper in _WRAPPERS:
            if wrapper in item:
                inner = item[wrapper]
                for each in inner if isinstance(inner, list) else [inner]:
                    yield from self.event(index, each)
                return
        for key, read in self.readers().items():
            if key in item:
                yield read(item[key], f"{where}: {key}")
                return
        for key in _SHORTHANDS:
            if key in item:
                yield ToolUse(key, self.mapping(item[key] or {}, f"{where}: {key}"))
                return
        for key in _SKIPPED:
            if key in item:
                yield Skipped(key, item[key])
                return
        self.unparsed(f"{where} has no known event, only {', '.join(map(repr, item)) or 'nothing'}")

    def readers(self) -> dict[str, Callable[[Any, str], TimelineEvent]]:
        """The events that are played, and who reads each."""
        return {
            "llmResponse": self.llm_response,
            "agentToolUse": self.tool_use,
            "agentEdits": self.edits,
            "userInputs": self.user_inputs,
            "baseTimeDelta": lambda raw, where: Advance(self.count(raw, where)),
            "advanceMs": lambda raw, where: Advance(self.count(raw, where)),
            "sessionStart": lambda raw, where: SessionStart(),
            "complete": lambda raw, where: Complete(),
        }

    def llm_response(self, raw: Any, where: str) -> LlmResponse:
        return LlmResponse(tuple(each for node in self.sequence(raw, where) for each in self.element(node, where)))

    def element(self, raw: object, where: str) -> Iterator[Element]:
        node = self.mapping(raw, where)
        if "think" in node:
            yield Think(self.steps(node["think"], "think", where))
        elif "assistant" in node:
            yield Assistant(self.steps(node["assistant"], "assistant", where))
        elif "error" in node:
            yield self.error(self.mapping(node["error"], where), f"{where}: error")
        elif "agentPlan" not in node and "toolResult" not in node:
            self.unparsed(f"{where}: no known element, only {', '.join(map(repr, node)) or 'nothing'}")

    def error(self, node: dict[str, Any], where: str) -> ErrorElement:
        status, retry_after = node.get("statusCode", 400), node.get("retryAfterSeconds")
        if not isinstance(status, int) or not 400 <= status <= 599:
            self.unparsed(f"{where}: statusCode must be from 400 to 599")
        if retry_after is not None and (
            isinstance(retry_after, bool) or not isinstance(retry_after, int | float) or retry_after < 0
        ):
            self.unparsed(f"{where}: retryAfterSeconds must be a number of seconds")
        return ErrorElement(
            type=self.string(node.get("errorType"), f"{where}: errorType"),
            message=self.string(node.get("message"), f"{where}: message"),
            status=status,
            details=node.get("details"),
            retry_after=retry_after,
        )

    def tool_use(self, raw: Any, where: str) -> ToolUse:
        node = self.mapping(raw, where)
        if node.get("progress") is not None:
            self.steps(node["progress"], "progress", where)
        call_id, result = node.get("toolCallId"), node.get("result")
        numeric = isinstance(result, int | float) and not isinstance(result, bool)
        return ToolUse(
            name=self.string(node.get("toolName"), f"{where}: toolName"),
            args=self.mapping(node.get("args") or {}, f"{where}: args"),
            call_id=None if call_id is None else self.string(call_id, f"{where}: toolCallId"),
            result=str(result) if numeric else result,
        )

    def edits(self, raw: Any, where: str) -> ToolUse:
        """Edits are told to the client as the call of an editing tool."""
        node = self.mapping(raw, where)
        path = self.string(node.get("path"), f"{where}: path")
        counts = {key: self.count(node.get(key), f"{where}: {key}") for key in ("linesAdded", "linesRemoved")}
        return ToolUse("edit_file", {"path": path, **counts})

    def user_inputs(self, raw: Any, where: str) -> UserInputs:
        return UserInputs(self.steps(raw, "userInputs", where))

    def steps(self, raw: Any, block: str, where: str) -> tuple[Step, ...]:
        """Timed texts: `{relativeTime, content}` as times from the start, `[ms, text]` as time since the step before."""
        steps: list[Step] = []
        clock = 0
        for each in self.sequence(raw, where):
            if isinstance(each, list) and len(each) == 2:
                clock += self.count(each[0], where)
                steps.append(Step(clock, self.content(each[1], where)))
                continue
            node = self.mapping(each, where)
            self.meta(node)
            at = self.count(next((node[key] for key in ("relativeTime", "timestamp") if key in node), 0), where)
            if at < clock:
                self.invalid(f"has non-monotonic {block} relativeTime ({at} < {clock})")
            clock = at
            content = next((node[key] for key in ("content", "text", "input", "message") if key in node), None)
            steps.append(Step(at, self.content(content, where)))
        return tuple(steps)

    def content(self, raw: object, where: str) -> str:
        """The text of a content: a string, a typed block, or a list of blocks of which the first with text counts."""
        if isinstance(raw, list):
            return next(filter(None, (self.content(each, where) for each in raw)), "")
        if not isinstance(raw, dict):
            return self.string(raw, where)
        kind = raw.get("type")
        if kind not in _BLOCKS:
            self.unparsed(f"{where}: unknown content block {kind!r}")
        return self.string(raw.get("text", ""), f"{where}: text") if kind in _TEXT_BLOCKS else ""

    def meta(self, node: dict[str, Any]) -> None:
        if node.get("_meta") is not None and not isinstance(node["_meta"], dict):
            self.invalid("_meta field must be a mapping/object")

    def mapping(self, raw: object, where: str) -> dict[str, Any]:
        if not isinstance(raw, dict):
            self.unparsed(f"{where}: expected a mapping")
        return raw

    def sequence(self, raw: object, where: str) -> list[Any]:
        if not isinstance(raw, list):
            self.unparsed(f"{where}: expected a list")
        return raw

    def string(self, raw: object, where: str) -> str:
        if not isinstance(raw, str):
            self.unparsed(f"{where}: expected a string")
        return raw

    def count(self, raw: object, where: str) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int) or raw < 0:
            self.unparsed(f"{where}: expected a number from 0")
        return raw

    def word(self, raw: object, where: str, words: tuple[Any, ...]) -> Any:
        if raw not in words:
            self.unparsed(f"{where}: expected one of {', '.join(words)}")
        return raw
