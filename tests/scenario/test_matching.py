"""Tests for finding the turn that answers a request."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.neutral import Item, Message, OpaqueItem, Reasoning, Request, Role, Text, Tool, ToolCall, ToolResult
from llmux.errors import Fault
from llmux.scenario.loader import load
from llmux.scenario.matching import Latest, choose, latest
from llmux.scenario.sessions import Session
from llmux.scenario.timeline import Script


def say(text: str, role: Role = "user", turn: int = 0) -> Message:
    return Message(role, (Text(text),), turn)


def result(text: str, call_id: str = "c", name: str | None = None, turn: int = 0) -> ToolResult:
    return ToolResult(call_id, name, (Text(text),), turn=turn)


class Play:
    """One session of a script, asked by words and results."""

    def __init__(self, timeline: str, server: str = "{}") -> None:
        self.script = Script.of(load(f"name: n\nserver: {server}\ntimeline:\n{timeline}", "x"))
        self.session = Session()

    def ask(self, *items: Item, tools: tuple[str, ...] = ()) -> int | None:
        return choose(self.session, self.script, Request(items, tuple(map(Tool, tools))))

    def say(self, text: str, *tools: str) -> int | None:
        return self.ask(say(text), tools=tools)


def reply(text: str) -> str:
    return f"  - llmResponse: [ {{ assistant: [ [0, {text}] ] }} ]\n"


def heard(*texts: str) -> str:
    entries = ", ".join(f'{{ relativeTime: 0, input: "{text}" }}' for text in texts)
    return f"  - userInputs: [ {entries} ]\n"


ERROR = "  - llmResponse: [ { error: { errorType: e, message: m, statusCode: 429 } } ]\n"


class LatestTests(SynchronousTestCase):
    """The end of a conversation."""

    def test_user(self) -> None:
        """What the last speaker said in its last message; instructions of the same turn are not that."""
        self.assertEqual(latest(Request((say("sys", "system"), say("a"), say("b")))), Latest("user", "a\nb"))
        self.assertEqual(latest(Request((say("a"), say("b", turn=1), OpaqueItem("x", {}, turn=2)))), Latest("user", "b"))

    def test_assistant(self) -> None:
        """Words, calls and reasoning of the model."""
        self.assertEqual(latest(Request((say("a"), say("b", "assistant", 1)))), Latest("assistant", "b"))
        self.assertEqual(latest(Request((say("a"), ToolCall("c", "t", "{}", 1), Reasoning((), turn=1)))).role, "assistant")

    def test_results(self) -> None:
        """All results at the end, with the names of their calls; also with words in the same message."""
        calls = (say("a"), ToolCall("c1", "one", "{}", 1), ToolCall("c2", "two", "{}", 1))
        told = latest(Request((*calls, result("x", "c1", turn=2), result("y", "c2", turn=3))))
        self.assertEqual((told.role, told.text), ("tool", "x\ny"))
        self.assertEqual([each.name for each in told.results], ["one", "two"])
        beside = latest(Request((*calls, result("x", "c1", turn=2), say("go on", turn=2))))
        self.assertEqual((beside.role, beside.text), ("tool", "x"))
        later = latest(Request((*calls, result("x", "c1", turn=2), say("go on", turn=3))))
        self.assertEqual((later.role, later.text), ("user", "go on"))

    def test_nothing(self) -> None:
        """A request may say nothing."""
        self.assertEqual(latest(Request((OpaqueItem("x", {}),))), Latest(None))


class TextTests(SynchronousTestCase):
    """Words that the script knows."""

    TIMELINE = reply("first") + heard("hello", "hi there") + reply("second") + heard("bye") + reply("third")

    def test_substring(self) -> None:
        """An input that the words contain decides, in any order and any number of times; case counts."""
        play = Play(self.TIMELINE)
        self.assertEqual([play.say("oh, bye now"), play.say("hello"), play.say("hi there"), play.say("bye")], [2, 1, 1, 2])
        self.assertEqual(play.say("HELLO"), 0)

    def test_cursor_stays(self) -> None:
        """An answer to known words does not move the order along."""
        play = Play(self.TIMELINE)
        self.assertEqual([play.say("what else"), play.say("bye"), play.say("what else")], [0, 2, 1])

    def test_error_happens_once(self) -> None:
        """Who asks again gets what comes after the error, unless that is for other words."""
        play = Play(heard("again") + ERROR + reply("ok") + heard("never") + ERROR + heard("other") + reply("x"))
        self.assertEqual([play.say("again"), play.say("again"), play.say("again")], [0, 1, 1])
        self.assertEqual([play.say("never"), play.say("never")], [2, 2])

    def test_offered(self) -> None:
        """A scenario may keep its calls to requests that offer the tool."""
        timeline = heard("rain") + "  - agentToolUse: { toolName: getWeather }\n" + heard("rain") + reply("cannot")
        play = Play(timeline, "{ tools: offered }")
        self.assertEqual([play.say("rain"), play.say("rain", "get_weather"), play.say("rain", "x")], [1, 0, 1])
        self.assertEqual(Play(timeline).say("rain"), 0)


class ResultTests(SynchronousTestCase):
    """Results of tools."""

    USE = "  - agentToolUse: { toolName: %s, result: %s }\n"

    def test_by_text(self) -> None:
        """The use that foresees the result decides."""
        play = Play(self.USE % ("t", "good") + reply("a") + self.USE % ("t", "bad") + reply("b"))
        self.assertEqual([play.ask(result("bad")), play.ask(result("good"))], [2, 1])

    def test_own_call_first(self) -> None:
        """Of two uses that foresee the same, the one that was made decides."""
        play = Play(self.USE % ("t", "ok") + reply("a") + self.USE % ("t", "ok") + reply("b"))
        play.session.remember("c", 1)
        self.assertEqual(play.ask(result("ok", "c")), 2)
        self.assertEqual(play.ask(result("ok", "other")), 1)

    def test_by_call(self) -> None:
        """An unforeseen result still belongs to its call: by what the session gave out, or by the scripted id."""
        play = Play(self.USE % ("t", "ok") + reply("a") + "  - agentToolUse: { toolName: t, toolCallId: mine }\n" + reply("b"))
        play.session.remember("given", 0)
        self.assertEqual([play.ask(result("?", "given")), play.ask(result("?", "mine"))], [1, 2])

    def test_by_name(self) -> None:
        """A session that does not know the call goes by the tool's name, however it is written."""
        play = Play(reply("x") + "  - agentToolUse: { toolName: readFile }\n" + reply("a"))
        self.assertEqual(play.ask(result("?", "lost", "read_file")), 1)

    def test_anonymous(self) -> None:
        """A result that nothing is known of fits a use that foresees nothing."""
        play = Play(reply("x") + "  - agentToolUse: { toolName: readFile }\n" + reply("a"))
        self.assertEqual(play.ask(result("?")), 1)

    def test_contained(self) -> None:
        """Of one tool's uses, the one whose result is part of what came."""
        play = Play(self.USE % ("t", "good") + reply("a") + self.USE % ("t", "bad") + reply("b"))
        self.assertEqual(play.ask(result("bad\n(exit 1)", name="t")), 2)

    def test_parallel(self) -> None:
        """Results of several calls of one response lead past all of them."""
        play = Play(reply("x") + self.USE % ("t", "1") + self.USE % ("t", "2") + reply("a"))
        self.assertEqual(play.ask(result("1"), result("2", turn=1)), 1)
        self.assertEqual(play.ask(result("1")), 1)

    def test_unknown(self) -> None:
        """What fits nothing is answered in order."""
        play = Play(reply("long enough") + self.USE % ("t", "ok") + reply("a"))
        self.assertEqual(play.ask(say("a question"), ToolCall("c", "u", "{}", 1), result("?", turn=2)), 0)

    def test_last_call(self) -> None:
        """After the last call there may be nothing left to say."""
        play = Play(reply("x") + self.USE % ("t", "ok"))
        self.assertEqual([play.say("a question"), play.ask(result("ok"))], [0, None])


class OrderTests(SynchronousTestCase):
    """One after the other."""

    TWO = reply("a") + reply("b")

    def asks(self, play: Play, count: int) -> list[int | None]:
        return [play.say("a question") for _ in range(count)]

    def test_ends(self) -> None:
        """After the last comes what the scenario wants."""
        self.assertEqual(self.asks(Play(self.TWO), 4), [0, 1, None, None])
        self.assertEqual(self.asks(Play(self.TWO, "{ end: repeat }"), 5), [0, 1, 0, 1, 0])
        self.assertEqual(self.asks(Play(self.TWO, "{ end: repeat-last }"), 4), [0, 1, 1, 1])
        play = Play(self.TWO, "{ end: error }")
        self.asks(play, 2)
        fault = self.assertRaises(Fault, play.say, "a question")
        self.assertEqual((fault.kind, fault.message), ("conflict", "The scenario 'n' is over"))

    def test_complete(self) -> None:
        """`complete` ends the order, and known words are still answered."""
        play = Play(reply("a") + "  - complete: true\n" + heard("late") + reply("b"))
        self.assertEqual([*self.asks(play, 2), play.say("late")], [0, None, 1])

    def test_error_is_consumed(self) -> None:
        """An error happens once."""
        self.assertEqual(self.asks(Play(ERROR + reply("ok")), 2), [0, 1])

    def test_empty(self) -> None:
        """A script without responses says nothing, however it ends."""
        for end in ("minimal", "repeat", "repeat-last"):
            self.assertEqual(self.asks(Play(heard("x"), f"{{ end: {end} }}"), 1), [None])

    def test_start_gate(self) -> None:
        """A word of three characters does not begin a script, unless known or unless it repeats anyway."""
        play = Play(self.TWO + heard("yo") + reply("c"))
        self.assertEqual([play.say("abc"), play.say("yo"), play.say("abcd"), play.say("abc")], [None, 2, 0, 1])
        self.assertEqual(Play(self.TWO, "{ end: repeat }").say("abc"), 0)

    def test_whose_turn(self) -> None:
        """After the model's own words there is nothing to answer; a system message is answered; nothing at all is refused."""
        play = Play(self.TWO)
        self.assertIsNone(play.ask(say("a question"), say("an answer", "assistant", 1)))
        self.assertEqual(play.ask(say("a question"), say("be brief", "system", 1)), 0)
        self.assertRaises(Fault, play.ask)
