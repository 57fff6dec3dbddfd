"""Tests for the responses of a script, and their timed events."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.events import (
    Delta,
    Ended,
    Fold,
    Started,
)
from llmux.dialects.neutral import (
    Message,
    Reasoning,
    Request,
    Response,
    Segment,
    Text,
    Tool,
    ToolCall,
    Usage,
)
from llmux.scenario.loader import load
from llmux.scenario.timeline import Head, Script, Timed, minimal, offered_name, perform

HEAD = Head("abc", "model-1", 7)
ASKED = Request((Message("user", (Text("four"),)),), (Tool("run_cmd"),), "full")

SCENARIO = """
name: n
timeline:
  - userInputs: [ { relativeTime: 0, input: a } ]
  - llmResponse:
      - think: [ { relativeTime: 100, content: "first thought" }, { relativeTime: 300, content: "second" } ]
      - assistant: [ { relativeTime: 50, content: "one two" }, { relativeTime: 150, content: "three" } ]
  - agentToolUse: { toolName: runCmd, args: { cmd: ls } }
  - agentEdits: { path: a, linesAdded: 1, linesRemoved: 0 }
  - baseTimeDelta: 5
  - agentToolUse: { toolName: later, toolCallId: mine }
  - complete: true
  - llmResponse: [ { error: { errorType: e, message: m } } ]
"""


def script(text: str = SCENARIO) -> Script:
    return Script.of(load(text, "x"))


def response(events: list[Timed]) -> Response:
    last = events[-1][1]
    assert isinstance(last, Ended)
    return last.response


class ScriptTests(SynchronousTestCase):
    """A timeline cut into responses."""

    def test_coalesced(self) -> None:
        """Tool uses that follow directly are in the response before; what comes after `complete` is not in order."""
        cut = script()
        self.assertEqual([(turn.start, turn.end) for turn in cut.turns], [(1, 4), (5, 6), (7, 8)])
        self.assertEqual([call.name for call in cut.turns[0].calls], ["runCmd", "edit_file"])
        self.assertEqual(cut.scripted, 2)
        self.assertEqual((cut.after(0), cut.after(1), cut.after(7)), (0, 1, None))
        self.assertEqual((cut.holding(2), cut.holding(5)), (0, 1))

    def test_apart(self) -> None:
        """A scenario may want each event as a response of its own."""
        cut = script(SCENARIO + "server: { coalesceThinkingWithToolUse: false }\n")
        self.assertEqual([(turn.start, turn.end) for turn in cut.turns], [(1, 2), (2, 3), (3, 4), (5, 6), (7, 8)])

    def test_error(self) -> None:
        """An error is the whole response."""
        turns = script().turns
        self.assertIsNone(turns[0].error)
        self.assertEqual(getattr(turns[2].error, "message", None), "m")


class PerformTests(SynchronousTestCase):
    """A response as timed events."""

    def test_response(self) -> None:
        """A thought for each step, lines of one message, and the calls under the names that the client offers."""
        args = '{"path":"a","linesAdded":1,"linesRemoved":0}'
        whole = response(perform(script().turns[0], HEAD, ASKED))
        self.assertEqual(
            whole.items,
            (
                Reasoning((Segment("full", "first thought"),)),
                Reasoning((Segment("full", "second"),)),
                Message("assistant", (Text("one two\nthree"),)),
                ToolCall("call_abc_3", "run_cmd", '{"cmd":"ls"}'),
                ToolCall("call_abc_4", "edit_file", args),
            ),
        )
        self.assertEqual((whole.id, whole.model, whole.created, whole.finish.reason), ("abc", "model-1", 7, "tool_calls"))
        self.assertEqual(whole.usage, Usage(in_total=1, out_total=29, out_reasoning=6))

    def test_two_elements(self) -> None:
        """What is said in two elements is two lines of one answer."""
        text = "name: n\ntimeline:\n  - llmResponse:\n"
        text += "".join(f"      - assistant: [ {{ relativeTime: 0, content: {word} }} ]\n" for word in ("x", "y"))
        cut = script(text)
        said = response(perform(cut.turns[0], HEAD, ASKED)).items
        texts = [part.text for item in said if isinstance(item, Message) for part in item.parts if isinstance(part, Text)]
        self.assertEqual("".join(texts), "x\ny")

    def test_folds(self) -> None:
        """The events tell the response that they end with, in the order of time."""
        for turn in script().turns[:2]:
            events = perform(turn, HEAD, ASKED)
            fold = Fold()
            for _, event in events:
                fold.see(event)
            self.assertEqual(fold.response(), response(events))
            self.assertEqual([at for at, _ in events], sorted(at for at, _ in events))

    def test_times(self) -> None:
        """Steps count from their element's start; a step is spread over the time until the next of its element."""
        told = [(at, event.text) for at, event in perform(script().turns[0], HEAD, ASKED) if isinstance(event, Delta)]
        self.assertEqual(
            told[:7],
            [
                (100, "first"),
                (200, " thought"),
                (300, "second"),
                (350, "one"),
                (400, " two"),
                (450, "\nthree"),
                (450, '{"cmd":"ls"}'),
            ],
        )

    def test_hidden(self) -> None:
        """Reasoning that nobody wants to see is not told, takes its time, and is counted."""
        events = perform(script().turns[0], HEAD, Request(ASKED.items))
        whole = response(events)
        self.assertEqual([type(item) for item in whole.items], [Message, ToolCall, ToolCall])
        self.assertEqual(getattr(whole.usage, "out_reasoning", None), 6)
        self.assertEqual(next(at for at, event in events if isinstance(event, Delta)), 350)

    def test_scripted_call(self) -> None:
        """A call may bring its id; a tool that is not offered keeps its name."""
        self.assertEqual(response(perform(script().turns[1], HEAD, ASKED)).items, (ToolCall("mine", "later", "{}"),))

    def test_pieces(self) -> None:
        """Text is told in words, and comes out whole: spaces, long words and all."""
        text = "  a \\n\\nverylongwordindeed 😀 "
        told = perform(
            script(f'name: n\ntimeline: [ {{ llmResponse: [ {{ assistant: [ [0, "{text}"] ] }} ] }} ]').turns[0], HEAD, ASKED
        )
        pieces = [event.text for _, event in told if isinstance(event, Delta)]
        self.assertEqual(pieces, ["  a", " \n\nverylongword", "indeed", " 😀", " "])

    def test_minimal(self) -> None:
        """What the script does not answer is answered all the same, for nothing."""
        events = minimal(HEAD, ASKED)
        self.assertIsInstance(events[0][1], Started)
        whole = response(events)
        self.assertEqual(whole.items, (Message("assistant", (Text("Initializing..."),)),))
        self.assertEqual((whole.usage, whole.finish.reason), (Usage(), "stop"))


class OfferedNameTests(SynchronousTestCase):
    """The client's name of a tool."""

    def test_names(self) -> None:
        """An exact name before a like one; no other."""
        request = Request((), (Tool("READ-FILE"), Tool("readFile"), Tool("x")))
        self.assertEqual(offered_name("readFile", request), "readFile")
        self.assertEqual(offered_name("read_file", request), "READ-FILE")
        self.assertIsNone(offered_name("write", request))
