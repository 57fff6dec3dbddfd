"""Tests for the reader of scenarios."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from llmux.scenario.loader import load
from llmux.scenario.model import (
    Advance,
    Assistant,
    Complete,
    ErrorElement,
    LlmResponse,
    Scenario,
    ScenarioError,
    Server,
    SessionStart,
    Skipped,
    Step,
    Think,
    ToolUse,
    UserInputs,
)

WHOLE = """
name: greet_then_list
description: A greeting
tags: [llm-api, demo]
unknown: {kept: not}
server: { mode: mock, llmApiStyle: openai, coalesceThinkingWithToolUse: false, end: repeat, tools: offered }
timeline:
  - userInputs:
      - { relativeTime: 0, input: "greet me", target: cli }
    target: tui
  - llmResponse:
      - think: [ { relativeTime: 20, content: "A greeting" }, { timestamp: 30, text: "is wanted" } ]
      - assistant: [ [10, "Good"], [5, "day."] ]
      - agentPlan: { entries: [] }
      - toolResult: { toolCallId: x, content: y }
  - baseTimeDelta: 100
  - advanceMs: 50
  - userInputs:
      - { relativeTime: 500, input: [ { type: image, path: x.png }, { type: text, text: "what is this" } ] }
  - agentToolUse:
      toolName: runCmd
      toolCallId: run-1
      args: { cmd: "ls" }
      progress: [ { relativeTime: 50, message: "building" } ]
      result: "a.txt"
  - agentEdits: { path: notes.md, linesAdded: 1, linesRemoved: 2 }
  - readFile: { path: a.txt }
  - agentActions:
      - agentToolUse: { toolName: grep }
  - llmResponse:
      - error: { errorType: rate_limit_exceeded, statusCode: 429, message: "slow down", details: {a: 1}, retryAfterSeconds: 2 }
  - sessionStart: {}
  - screenshot: after
  - assert: { fs: { exists: [notes.md] } }
  - complete: true
"""


def broken(timeline: str) -> str:
    return f"name: n\ntimeline:\n{timeline}"


class LoadTests(SynchronousTestCase):
    """A scenario out of its text."""

    def test_whole(self) -> None:
        """Every event and element that is played, and those that are not."""
        scenario = load(WHOLE, "x.yaml")
        self.assertEqual(
            scenario,
            Scenario(
                name="greet_then_list",
                source="x.yaml",
                description="A greeting",
                tags=("llm-api", "demo"),
                server=Server(coalesce=False, end="repeat", tools="offered"),
                timeline=(
                    UserInputs((Step(0, "greet me"),)),
                    LlmResponse(
                        (
                            Think((Step(20, "A greeting"), Step(30, "is wanted"))),
                            Assistant((Step(10, "Good"), Step(15, "day."))),
                        )
                    ),
                    Advance(100),
                    Advance(50),
                    UserInputs((Step(500, "what is this"),)),
                    ToolUse("runCmd", {"cmd": "ls"}, "run-1", "a.txt"),
                    ToolUse("edit_file", {"path": "notes.md", "linesAdded": 1, "linesRemoved": 2}),
                    ToolUse("readFile", {"path": "a.txt"}),
                    ToolUse("grep", {}),
                    LlmResponse((ErrorElement("rate_limit_exceeded", "slow down", 429, {"a": 1}, 2),)),
                    SessionStart(),
                    Skipped("screenshot", "after"),
                    Skipped("assert", {"fs": {"exists": ["notes.md"]}}),
                    Complete(),
                ),
            ),
        )

    def test_least(self) -> None:
        """A name is enough."""
        self.assertEqual(load("name: n", "x.yaml"), Scenario("n", "x.yaml"))

    def test_rules(self) -> None:
        """Rules are decided before anything is read."""
        text = 'name: n\nserver:\n  rules: [{when: "$loud", config: {end: error}}]\n'
        self.assertEqual(load(text, "x").server.end, "minimal")
        self.assertEqual(load(text, "x", {"loud": True}).server.end, "error")

    def test_messages(self) -> None:
        """What is wrong is said, with the name of the file."""
        prefix = 'Scenario validation error: Scenario "x.yaml" '
        cases = {
            "timeline: []": prefix + "is missing 'name'",
            "name: ' '": prefix + "is missing 'name'",
            "name: n\nevents: []": prefix + "uses legacy keys 'events'/'assertions'; only 'timeline' is supported",
            broken("  - hello"): prefix + "timeline item 0 is not a mapping; legacy shapes are unsupported",
            "name: n\ntimeline: {}": prefix + "has non-sequence timeline; expected list of events",
            broken("  - llmResponse: [{assistant: [{relativeTime: 5, content: a}, {relativeTime: 4, content: b}]}]"): prefix
            + "has non-monotonic assistant relativeTime (4 < 5)",
            broken("  - baseTimeDelta: 10\n  - userInputs: [{relativeTime: 5, input: a}]"): prefix
            + "has userInputs relativeTime 5 earlier than current timeline 10",
            broken("  - llmResponse: [{think: [{relativeTime: 5, content: a}]}]"): prefix
            + "llmResponse contains thinking blocks but no assistant responses",
            "name: n\n_meta: 3": prefix + "_meta field must be a mapping/object",
            "[]": "Scenario parse error: x.yaml: expected a mapping",
            "name: n\ntags: x": "Scenario parse error: x.yaml: tags: expected a list of strings",
            broken("  - assistant: hi"): "Scenario parse error: x.yaml: timeline item 0 has no known event, only 'assistant'",
            broken("  - llmResponse: [{agentToolUse: {}}]"): "Scenario parse error: x.yaml: timeline item 0: llmResponse: "
            "no known element, only 'agentToolUse'",
            broken("  - llmResponse: [{assistant: [{content: {type: smell}}]}]"): "Scenario parse error: x.yaml: "
            "timeline item 0: llmResponse: unknown content block 'smell'",
            broken("  - llmResponse: [{error: {errorType: e, message: m, statusCode: 200}}]"): "Scenario parse error: x.yaml: "
            "timeline item 0: llmResponse: error: statusCode must be from 400 to 599",
            broken("  - agentToolUse: {args: {}}"): "Scenario parse error: x.yaml: timeline item 0: agentToolUse: toolName: "
            "expected a string",
            broken(
                "  - baseTimeDelta: -1"
            ): "Scenario parse error: x.yaml: timeline item 0: baseTimeDelta: expected a number from 0",
            "name: n\nserver: {end: never}": "Scenario parse error: x.yaml: server.end: expected one of minimal, repeat-last, "
            "repeat, error",
        }
        for text, message in cases.items():
            self.assertEqual(str(self.assertRaises(ScenarioError, load, text, "x.yaml")), message)
        self.assertTrue(str(self.assertRaises(ScenarioError, load, "a: [", "x")).startswith("Scenario parse error: x: "))

    def test_thoughts_before_a_call(self) -> None:
        """Thoughts that lead to a tool use need no words."""
        load(broken("  - llmResponse: [{think: [{relativeTime: 5, content: a}]}]\n  - agentToolUse: {toolName: t}"), "x")


class PromptTests(SynchronousTestCase):
    """The effective initial prompt."""

    def test_prompt(self) -> None:
        """Live input counts before history, history before the legacy key."""
        history, live = UserInputs((Step(0, ""), Step(0, "before"))), UserInputs((Step(0, "after"),))
        cases: list[tuple[tuple[UserInputs | SessionStart, ...], str | None]] = [
            ((history, SessionStart(), live), "after"),
            ((history, live), "before"),
            ((history, SessionStart()), "before"),
            ((), "legacy"),
        ]
        for timeline, prompt in cases:
            self.assertEqual(Scenario("n", "x", timeline, initial_prompt="legacy").prompt, prompt)
        self.assertIsNone(Scenario("n", "x").prompt)
