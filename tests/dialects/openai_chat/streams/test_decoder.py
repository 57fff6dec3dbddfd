"""Tests for the Chat Completions reader of streams: what OpenAI sends, and what others do."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux import jsonio
from llmux.dialects.context import Context
from llmux.dialects.events import Delta, Ended, Event, Finished, ItemClosed, ItemOpened, Metered, Started
from llmux.dialects.neutral import (
    Finish,
    Message,
    OutputItem,
    Reasoning,
    Refusal,
    Response,
    Seal,
    Segment,
    Text,
    ToolCall,
    Usage,
)
from llmux.dialects.openai_chat.streams import decoder
from llmux.errors import Fault
from tests.dialects.openai_chat.responses.test_parsing import DONE, HEAD, USAGE, chunk
from tests.dialects.tellings import context

FIRST = chunk({"role": "assistant", "content": ""})
STOP = chunk({}, "stop")
CALLS = chunk({}, "tool_calls")


def fragment(index: int | None, id_: str | None = None, name: str | None = None, args: str | None = None, **more: Any) -> bytes:
    """A piece of a call."""
    call: dict[str, Any] = {**more}
    if index is not None:
        call["index"] = index
    if id_ is not None:
        call["id"] = id_
    call["function"] = {key: value for key, value in (("name", name), ("arguments", args)) if value is not None}
    return chunk({"tool_calls": [call]})


class DecoderTests(SynchronousTestCase):
    """A stream as events."""

    def setUp(self) -> None:
        self.context: Context = context()

    def events(self, *payloads: bytes) -> list[Event]:
        """The events of a stream, one record at a time."""
        reader = decoder(self.context)
        events = [event for payload in payloads for event in reader.feed([payload])]
        if reader.fault is not None:
            raise reader.fault
        return events + reader.close()

    def response(self, *payloads: bytes) -> Response:
        last = self.events(*payloads)[-1]
        assert isinstance(last, Ended)
        return last.response

    def items(self, *payloads: bytes) -> tuple[OutputItem, ...]:
        return self.response(*payloads).items

    def calls(self, *fragments: bytes) -> list[tuple[str, str, str]]:
        items = self.items(FIRST, *fragments, CALLS, DONE)
        return [(item.call_id, item.name, item.args_text) for item in items if isinstance(item, ToolCall)]

    def noted(self) -> list[str]:
        return [f"{note.action} {note.pointer}" for note in self.context.notes]

    # texts

    def test_words(self) -> None:
        """Texts are told as they come, whatever else each chunk repeats."""
        full: dict[str, Any] = {"role": "assistant", "content": "b", "reasoning_content": None, "tool_calls": [], "refusal": None}
        events = self.events(FIRST, chunk({"content": "a"}), chunk(full), chunk({"content": ""}), STOP, DONE)
        self.assertEqual([event.text for event in events if isinstance(event, Delta)], ["a", "b"])
        self.assertIsInstance(events[0], Started)
        self.assertEqual(len([event for event in events if isinstance(event, ItemOpened)]), 1)

    def test_one_by_one(self) -> None:
        """It makes no difference how many records come at once."""
        payloads = [
            FIRST,
            chunk({"reasoning_content": "Hm"}),
            chunk({"reasoning_content": "."}),
            chunk({"content": "So"}),
            fragment(0, "c", "f", '{"a"'),
            fragment(0, args=":1}"),
            CALLS,
            jsonio.dumps({**HEAD, "choices": [], "usage": USAGE}),
            DONE,
        ]
        together = decoder(self.context).feed(payloads)
        self.assertEqual(together, self.events(*payloads))

    def test_reasoning(self) -> None:
        """The members in which servers tell of reasoning; what two of them say is told once."""
        thought = (Reasoning((Segment("summary", "Hm."),)), Message("assistant", (Text("x"),)))
        for deltas in (
            [{"reasoning_content": "Hm"}, {"reasoning_content": "."}],
            [{"reasoning": "Hm"}, {"reasoning": "."}],
            [{"reasoning": "Hm", "reasoning_content": "Hm"}, {"reasoning": ".", "reasoning_content": "."}],
        ):
            self.assertEqual(self.items(FIRST, *map(chunk, deltas), chunk({"content": "x"}), STOP, DONE), thought)

    def test_sealed_reasoning(self) -> None:
        """A signature ends a piece of thinking."""
        deltas: list[dict[str, Any]] = [
            {"thinking_blocks": [{"type": "thinking", "thinking": "One", "signature": None}], "reasoning_content": "One"},
            {"thinking_blocks": [{"type": "thinking", "thinking": ".", "signature": ""}], "reasoning_content": "."},
            {"thinking_blocks": [{"type": "thinking", "thinking": "", "signature": "s"}], "reasoning_content": ""},
            {"thinking_blocks": [{"type": "redacted_thinking", "data": "r"}]},
            {"reasoning_details": [{"type": "reasoning.summary", "summary": "Two."}]},
            {"reasoning_details": [{"type": "reasoning.encrypted", "data": "e", "format": "openai-responses-v1"}]},
        ]
        self.assertEqual(
            self.items(FIRST, *map(chunk, deltas), chunk({"content": "x"}), STOP, DONE)[:-1],
            (
                Reasoning((Segment("summary", "One."),), (Seal("anthropic", "signature", "s"),)),
                Reasoning((), (Seal("anthropic", "redacted", "r"),)),
                Reasoning((Segment("summary", "Two."),), (Seal("openai", "encrypted", "e"),)),
            ),
        )

    def test_refusal(self) -> None:
        """A refusal in pieces."""
        response = self.response(FIRST, chunk({"refusal": "I "}), chunk({"refusal": "won't."}), STOP, DONE)
        self.assertEqual(response.items, (Message("assistant", (Refusal("I won't."),)),))
        self.assertEqual(response.finish.reason, "refusal")

    def test_finish_beside_content(self) -> None:
        """The last piece may stand beside the reason."""
        response = self.response(FIRST, chunk({"content": "a"}), chunk({"content": "b"}, "length"), DONE)
        self.assertEqual(response.items, (Message("assistant", (Text("ab"),), cut=True),))
        self.assertEqual(response.finish, Finish("length", raw="length", at="/choices/0/finish_reason"))

    def test_text_behind_a_call(self) -> None:
        """Text after a call is another message; a call whose arguments are whole is over by then."""
        events = self.events(FIRST, chunk({"content": "a"}), fragment(0, "c", "f", "{}"), chunk({"content": "b"}), CALLS, DONE)
        order = [event.whole for event in events if isinstance(event, ItemClosed)]
        self.assertEqual(
            order,
            [
                Message("assistant", (Text("a"),)),
                ToolCall("c", "f", "{}"),
                Message("assistant", (Text("b"),)),
            ],
        )

    # calls

    def test_calls(self) -> None:
        """OpenAI's own form, one call after the other and in turns."""
        first = [fragment(0, "c1", "f", ""), fragment(0, args='{"a"'), fragment(0, args=":1}")]
        second = [fragment(1, "c2", "g", ""), fragment(1, args='{"b"'), fragment(1, args=":2}")]
        expected = [("c1", "f", '{"a":1}'), ("c2", "g", '{"b":2}')]
        self.assertEqual(self.calls(*first, *second), expected)
        mixed = [piece for pair in zip(first, second, strict=True) for piece in pair]
        self.assertEqual(self.calls(*mixed), expected)

    def test_live(self) -> None:
        """A call whose arguments are whole is closed when the next one begins."""
        reader = decoder(self.context)
        reader.feed([FIRST, fragment(0, "c1", "f", '{"a":1}')])
        events = reader.feed([fragment(1, "c2", "g", "")])
        self.assertIsInstance(events[0], ItemClosed)

    def test_whole_at_once(self) -> None:
        """Calls that come whole, in one chunk, with arguments as an object too."""
        calls = [
            {"index": 0, "id": "c1", "function": {"name": "f", "arguments": '{"a":1}'}},
            {"index": 1, "id": "c2", "function": {"name": "f", "arguments": {"a": 2}}},
        ]
        self.assertEqual(self.calls(chunk({"tool_calls": calls})), [("c1", "f", '{"a":1}'), ("c2", "f", '{"a":2}')])

    def test_late_name(self) -> None:
        """Nothing is told before the name is known."""
        reader = decoder(self.context)
        events = reader.feed([FIRST, fragment(0, "c1", "", ""), fragment(0, args='{"a"')])
        self.assertEqual([type(event) for event in events], [Started])
        self.assertEqual(
            self.calls(fragment(0, "c1", "", ""), fragment(0, args='{"a"'), fragment(0, name="f"), fragment(0, args=":1}")),
            [("c1", "f", '{"a":1}')],
        )

    def test_no_name(self) -> None:
        """A call without a name cannot be carried out, and is no ordinary end."""
        response = self.response(FIRST, fragment(0, "c1", None, "{}"), CALLS, DONE)
        self.assertEqual((response.items, response.finish.reason), ((), "malformed"))
        self.assertEqual(self.noted(), ["dropped /choices/0/message/tool_calls"])

    def test_repeated(self) -> None:
        """Id and name in every fragment are one call."""
        self.assertEqual(
            self.calls(fragment(0, "c1", "f", '{"a"'), fragment(0, "c1", "f", ":1}"), fragment(0, "c1", "f", "")),
            [("c1", "f", '{"a":1}')],
        )

    def test_same_number(self) -> None:
        """Another id under the same number is another call."""
        for index in (0, -1, None):
            self.assertEqual(
                self.calls(
                    fragment(index, "c1", "f", '{"a"'),
                    fragment(index, args=":1}"),
                    fragment(index, "c2", "f", '{"a"'),
                    fragment(index, args=":2}"),
                ),
                [("c1", "f", '{"a":1}'), ("c2", "f", '{"a":2}')],
            )

    def test_by_id_alone(self) -> None:
        """Without numbers, fragments find their call by its id."""
        self.assertEqual(
            self.calls(
                fragment(None, "c1", "f", '{"a"'),
                fragment(None, "c2", "g", '{"b"'),
                fragment(None, "c1", None, ":1}"),
                fragment(None, "c2", None, ":2}"),
            ),
            [("c1", "f", '{"a":1}'), ("c2", "g", '{"b":2}')],
        )

    def test_no_ids(self) -> None:
        """Calls without ids get some, the same every time; one that is whole ends where the next one's name stands."""
        fragments = [fragment(0, None, "f", '{"a":1}'), fragment(0, None, "f", '{"a":2}'), fragment(0, None, "g", "{}")]
        told = self.calls(*fragments)
        self.assertEqual([call[1:] for call in told], [("f", '{"a":1}'), ("f", '{"a":2}'), ("g", "{}")])
        self.assertEqual(len({call[0] for call in told}), 3)
        self.assertEqual(told, self.calls(*fragments))

    def test_late_id(self) -> None:
        """An id that comes late changes nothing that was told."""
        ((call_id, name, args),) = self.calls(fragment(0, None, "f", '{"a"'), fragment(0, "c1", None, ":1}"))
        self.assertRegex(call_id, "^call_[0-9a-f]{24}$")
        self.assertEqual((name, args), ("f", '{"a":1}'))

    def test_empty_lists(self) -> None:
        """Empty and null lists of calls say nothing."""
        items = self.items(
            FIRST, chunk({"content": "a", "tool_calls": []}), chunk({"content": "b", "tool_calls": None}), STOP, DONE
        )
        self.assertEqual(items, (Message("assistant", (Text("ab"),)),))

    def test_legacy(self) -> None:
        """The call of the older API."""
        ((call_id, name, args),) = self.calls(
            chunk({"function_call": {"name": "f", "arguments": ""}}), chunk({"function_call": {"arguments": '{"a":1}'}})
        )
        self.assertTrue(call_id)
        self.assertEqual((name, args), ("f", '{"a":1}'))

    def test_custom(self) -> None:
        """A custom tool's input is raw text."""
        items = self.items(
            FIRST,
            chunk({"tool_calls": [{"index": 0, "id": "c", "type": "custom", "custom": {"name": "sh", "input": ""}}]}),
            chunk({"tool_calls": [{"index": 0, "custom": {"input": "ls "}}]}),
            chunk({"tool_calls": [{"index": 0, "custom": {"input": "-l"}}]}),
            CALLS,
            DONE,
        )
        self.assertEqual(items, (ToolCall("c", "sh", "ls -l", kind="custom"),))

    def test_filtered_call(self) -> None:
        """A call that the filter cut off is not whole."""
        response = self.response(FIRST, fragment(0, "c", "f", '{"a'), chunk({}, "content_filter"), DONE)
        self.assertEqual(response.items, (ToolCall("c", "f", '{"a', cut=True),))
        self.assertEqual(response.finish.reason, "filter")

    def test_sealed_calls(self) -> None:
        """Google's seal stands on the fragment, or comes before its call."""
        extra = {"google": {"thought_signature": "c2ln"}}
        seal = Seal("gemini", "thought_signature", "c2ln")
        (call,) = self.items(FIRST, fragment(0, "c", "f", "{}", extra_content=extra), CALLS, DONE)
        self.assertEqual(call, ToolCall("c", "f", "{}", seals=(seal,)))
        detail = {"type": "reasoning.encrypted", "data": "c2ln", "format": "google-gemini-v1"}
        (call,) = self.items(FIRST, chunk({"reasoning_details": [detail]}), fragment(0, "c", "f", "{}"), CALLS, DONE)
        self.assertEqual(call, ToolCall("c", "f", "{}", seals=(seal,)))

    # usage, and what surrounds it

    def test_usage(self) -> None:
        """Counts stand on a chunk of their own, on the last one, on every one, or where Groq puts them."""
        base = {**HEAD, "object": "chat.completion.chunk"}
        stop = {"index": 0, "delta": {}, "finish_reason": "stop"}
        text = jsonio.dumps(
            {**base, "choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": None}], "usage": {"prompt_tokens": 50}}
        )
        alone = jsonio.dumps({**base, "choices": [], "usage": USAGE})
        beside = jsonio.dumps({**base, "choices": [stop], "usage": USAGE})
        groq = jsonio.dumps({**base, "choices": [stop], "x_groq": {"usage": USAGE}})
        counted = Usage(50, 20, 10, 30, 12, modalities=(("in_audio", 5),))
        for ending in ([STOP, alone], [beside], [groq], [alone, STOP]):
            self.assertEqual(self.response(FIRST, chunk({"content": "a"}), *ending, DONE).usage, counted)
        events = self.events(FIRST, text, text, beside, DONE)
        self.assertEqual([event.usage for event in events if isinstance(event, Metered)], [Usage(50), counted])

    def test_azure(self) -> None:
        """Azure begins with a chunk that has neither an id nor a choice."""
        prompt = {"id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": [{}]}
        events = self.events(jsonio.dumps(prompt), FIRST, chunk({"content": "a"}), STOP, DONE)
        self.assertEqual(events[0], Started("abc", HEAD["model"], HEAD["created"]))

    def test_envelope(self) -> None:
        """What the server does not say of itself is filled in."""
        bare = {"choices": [{"delta": {"content": "a"}, "finish_reason": "stop"}]}
        response = self.response(jsonio.dumps(bare), DONE)
        self.assertTrue(response.id)
        self.assertEqual(response.created, 1_700_000_000)

    def test_moderation(self) -> None:
        """What only OpenAI tells is noted."""
        moderation = jsonio.dumps({**HEAD, "choices": [], "moderation": {"input": {"flagged": False}}})
        self.events(FIRST, chunk({"content": "a"}), moderation, STOP, DONE)
        self.assertEqual(self.noted(), ["dropped /moderation/input/flagged"])

    def test_choices(self) -> None:
        """Several answers in turns."""
        response = self.response(
            FIRST,
            chunk({"content": "a"}),
            chunk({"content": "x"}, None, 1),
            chunk({"content": "b"}),
            chunk({"content": "y"}, "length", 1),
            STOP,
            DONE,
        )
        self.assertEqual(
            [choice.items for choice in response.choices],
            [(Message("assistant", (Text("ab"),)),), (Message("assistant", (Text("xy"),), cut=True),)],
        )
        self.assertEqual([choice.finish.reason for choice in response.choices], ["stop", "length"])

    # the end

    def test_behind_the_end(self) -> None:
        """Nothing counts behind `[DONE]`, nor of a choice behind its reason."""
        late = chunk({"content": "late"})
        events = self.events(FIRST, chunk({"content": "a"}), STOP, late, DONE, late, b"{", STOP)
        self.assertEqual([event.text for event in events if isinstance(event, Delta)], ["a"])
        self.assertEqual(len([event for event in events if isinstance(event, Finished | Ended)]), 2)

    def test_without_done(self) -> None:
        """Who told a reason may just close."""
        self.assertEqual(self.response(FIRST, chunk({"content": "a"}), STOP).finish.reason, "stop")

    def test_without_reason(self) -> None:
        """`[DONE]` is an end, where something was said; the reason is then taken for a stop."""
        response = self.response(FIRST, chunk({"content": "a"}), DONE)
        self.assertEqual(response.finish.reason, "stop")
        self.assertEqual(self.noted(), ["invented /choices/0/finish_reason"])

    def test_truncated(self) -> None:
        """Everything else is broken off, and never an empty success."""
        cases: list[list[bytes]] = [
            [],
            [DONE],
            [FIRST, DONE],
            [FIRST, chunk({"reasoning_content": "Hm."}), DONE],
            [FIRST, chunk({"content": "a"})],
            [FIRST, fragment(0, "c", "f", '{"a"')],
            [FIRST, chunk({"content": "a"}), chunk({"content": "b"}, "stop", 1)],
        ]
        for payloads in cases:
            fault = self.assertRaises(Fault, self.events, *payloads)
            self.assertEqual((fault.kind, fault.code), ("bad_gateway", "stream_truncated"))

    # faults

    def test_errors(self) -> None:
        """Errors inside the stream, as each server words them."""
        cases: list[tuple[Any, str]] = [
            ({"error": {"message": "m", "type": "server_error", "code": "overloaded"}}, "overloaded"),
            ({"error": {"message": "m", "type": "BadRequestError", "code": 400}}, "invalid"),
            ({"error": {"message": "m", "code": 502}}, "bad_gateway"),
            ({"error": {"message": "m", "type": "invalid_request_error", "code": None}}, "invalid"),
            ({"error": "m"}, "server"),
            ({"object": "error", "message": "m", "code": 429}, "rate_limit"),
            ([{"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}}], "overloaded"),
        ]
        for document, kind in cases:
            fault = self.assertRaises(Fault, decoder(self.context).feed, [jsonio.dumps(document)])
            self.assertEqual((fault.kind, fault.message), (kind, "m"))

    def test_error_behind_events(self) -> None:
        """What was told before a fault is not lost, and nothing follows it."""
        reader = decoder(self.context)
        events = reader.feed([FIRST, chunk({"content": "a"}), b'{"error":{"message":"m"}}', chunk({"content": "b"})])
        self.assertEqual([event.text for event in events if isinstance(event, Delta)], ["a"])
        assert reader.fault is not None
        self.assertEqual(reader.fault.message, "m")
        self.assertEqual((reader.feed([STOP, DONE]), reader.close()), ([], []))

    def test_too_many_choices(self) -> None:
        """A choice is told after all before it, so its number has a limit."""
        for index in (128, 10**30):
            reader = decoder(self.context)
            reader.feed([chunk({"content": "a"}), jsonio.dumps({"choices": [{"index": index, "delta": {"content": "b"}}]})])
            assert reader.fault is not None
            self.assertEqual((reader.fault.kind, reader.fault.code), ("bad_gateway", "upstream_invalid"))

    def test_unreadable(self) -> None:
        """What is no chunk is a defect of the provider."""
        for payload in (b"{", b"<html>", b"1", b'{"choices":[1]}', b'{"choices":[{"delta":1}]'):
            fault = self.assertRaises(Fault, decoder(self.context).feed, [payload])
            self.assertEqual((fault.kind, fault.code), ("bad_gateway", "upstream_invalid"))
