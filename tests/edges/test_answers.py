"""Edge cases 100 to 135: answers, whole and as streams: calls, items, bytes, usage, reasons, citations."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from llmux.dialects import sse
from tests import grammars
from tests.edges import wire
from tests.edges.bodies import (
    AN,
    CH,
    CHAT_USAGE,
    GE,
    GEMINI_USAGE,
    OSLO,
    OSLO_TEXT,
    RE,
    RESPONSES_USAGE,
    Body,
    chat_call,
    completion,
    function_call,
    generated,
    greeting,
    message,
    output_text,
    question,
    response,
    said_back,
    text_of,
    tool_use,
    tools,
)
from tests.edges.case import ALL, EdgeCase, Exchange, others, pairs

HEAD = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "answering"}
COUNT = {**HEAD, "choices": [], "usage": CHAT_USAGE}
CALL = {"id": "call_1", "name": "weather", "args": OSLO}
COUNTED: Body = {"stream_options": {"include_usage": True}}
WEIRD = "é漢😀"


def chunk(delta: Body, finish: str | None = None, **more: Any) -> Body:
    """A chunk of a chat completion."""
    return {**HEAD, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}


def piece(index: int, arguments: str | None = None, **call: Any) -> Body:
    """A chunk with a piece of a call; `name` and `id` begin it."""
    function = {name: value for name, value in (("name", call.pop("name", None)), ("arguments", arguments)) if value is not None}
    return chunk({"tool_calls": [{"index": index, **call, "function": function}]})


def started(index: int, call_id: str, name: str = "weather", arguments: str = "") -> Body:
    """The chunk that begins a call."""
    return piece(index, arguments, id=call_id, type="function", name=name)


def offered(client: str, *names: str, **more: Any) -> Body:
    """A question with tools."""
    return question(client, **tools(client, *(names or ("weather",))), **more)


def text_in(client: str, answer: Body) -> str:
    """All the text that an answer says."""
    match client:
        case "openai-chat":
            return answer["choices"][0]["message"].get("content") or ""
        case "openai-responses":
            parts = [part for item in answer["output"] if item["type"] == "message" for part in item["content"]]
            return "".join(part["text"] for part in parts if part["type"] == "output_text")
        case "anthropic":
            return "".join(block["text"] for block in answer["content"] if block["type"] == "text")
    parts = parts_of(answer)
    return "".join(part["text"] for part in parts if "text" in part and not part.get("thought"))


def parts_of(answer: Body) -> list[Body]:
    """The parts of Gemini's only candidate."""
    found: list[Body] = answer["candidates"][0].get("content", {}).get("parts", [])
    return found


def calls_in(client: str, answer: Body) -> list[tuple[str, str, Any]]:
    """Id, name and arguments of the calls in an answer."""
    match client:
        case "openai-chat":
            calls = answer["choices"][0]["message"].get("tool_calls") or ()
            return [(call["id"], call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls]
        case "openai-responses":
            items = [item for item in answer["output"] if item["type"] == "function_call"]
            return [(item["call_id"], item["name"], json.loads(item["arguments"])) for item in items]
        case "anthropic":
            blocks = [block for block in answer["content"] if block["type"] == "tool_use"]
            return [(block["id"], block["name"], block["input"]) for block in blocks]
    made = [part["functionCall"] for part in parts_of(answer) if "functionCall" in part]
    return [(call["id"], call["name"], call["args"]) for call in made]


def reason_in(client: str, answer: Body) -> str:
    """Why an answer ended, in the client's word; for RE its status, with the reason where it is incomplete."""
    match client:
        case "openai-chat":
            return str(answer["choices"][0]["finish_reason"])
        case "openai-responses":
            details = answer.get("incomplete_details")
            return f"{answer['status']} {details['reason']}" if details else str(answer["status"])
        case "anthropic":
            return str(answer["stop_reason"])
    return str(answer["candidates"][0]["finishReason"])


CALLED = {CH: "tool_calls", RE: "completed", AN: "tool_use", GE: "STOP"}
STOPPED = {CH: "stop", RE: "completed", AN: "end_turn", GE: "STOP"}
FILTERED = {CH: "content_filter", RE: "incomplete content_filter", AN: "refusal", GE: "SAFETY"}
CUT = {CH: "length", RE: "incomplete max_output_tokens", AN: "max_tokens", GE: "MAX_TOKENS"}


def calling(provider: str, *ids: str) -> Body:
    """An answer that calls the tool."""
    match provider:
        case "openai-chat":
            return completion({"content": None, "tool_calls": [chat_call(each) for each in ids]}, "tool_calls")
        case "openai-responses":
            return response(*(function_call(each, id=f"fc_{number}") for number, each in enumerate(ids)))
        case "anthropic":
            return message(*(tool_use(each) for each in ids), stop="tool_use")
    return generated(*({"functionCall": {"id": each, "name": "weather", "args": OSLO}} for each in ids))


def speaking(provider: str, text: str) -> Body:
    """An answer of one text."""
    match provider:
        case "openai-chat":
            return completion({"content": text})
        case "openai-responses":
            return response(output_text(text))
        case "anthropic":
            return message({"type": "text", "text": text})
    return generated({"text": text})


class AnswerCase(EdgeCase):
    """Reads answers."""

    def gathered(self, client: str, provider: str, sent: list[Body] | bytes, asked: Body | None = None) -> Body:
        """What a client makes of a stream."""
        return wire.gathered(client, self.stream(client, provider, sent, asked or offered(client)))

    def raw(self, made: Exchange, data: bytes) -> bytes:
        """What a client reads of a stream that is cut as a network cuts it, one byte at a time."""
        stream, framer = made.translation.stream(), sse.Framer()
        told = b"".join(stream.feed(framer.feed(data[at : at + 1])) for at in range(len(data)))
        told += stream.feed(framer.rest) + stream.close()
        self.assertIsNone(stream.fault)
        return told


class CallTests(AnswerCase):
    """Calls on their way."""

    def test_100_no_calls_in_every_chunk(self) -> None:
        """`tool_calls: []`, or `null`, in every chunk -> text alone; no call, no piece of arguments, no other block."""
        nothings: tuple[Body, ...] = ({"tool_calls": []}, {"tool_calls": None, "refusal": None, "function_call": None})
        for nothing in nothings:
            deltas = [{"role": "assistant", "content": ""}, {"content": "Hel"}, {"content": "lo"}]
            sent = [*(chunk({**delta, **nothing}) for delta in deltas), chunk({"content": "", **nothing}, "stop"), COUNT]
            for client in others(CH):
                told = self.stream(client, CH, sent, offered(client))
                heard = wire.gathered(client, told)
                self.assertEqual((text_in(client, heard), reason_in(client, heard)), ("Hello", STOPPED[client]))
                self.assertEqual(len(said_back(client, heard)), 1)
                for word in ("input_json_delta", "function_call", "functionCall", "tool_use"):
                    self.assertNotIn(word, text_of([{**record, "response": {}} for record in told]))

    def test_101_arguments_that_come_at_once(self) -> None:
        """RE arguments, or text, only in a `done` event -> delivered to everybody."""
        events = wire.streamed(RE, calling(RE, "call_1"))
        for last in ("function_call_arguments.done", "output_item.done", "completed"):
            sent = [event for event in events if "arguments.delta" not in event["type"]]
            if last != "function_call_arguments.done":
                sent = [event for event in sent if "arguments" not in event["type"]]
            if last == "completed":
                sent = [event for event in sent if "output_item" not in event["type"]]
            for client in others(RE):
                heard = self.gathered(client, RE, sent)
                self.assertEqual(calls_in(client, heard), [("call_1", "weather", OSLO)], last)
                self.assertEqual(reason_in(client, heard), CALLED[client])
        events = wire.streamed(RE, response(output_text("Hello")))
        for gone in (["output_text.delta"], ["output_text", "content_part"], ["output_text", "content_part", "output_item"]):
            sent = [event for event in events if not any(name in event["type"] for name in gone)]
            for client in others(RE):
                self.assertEqual(text_in(client, self.gathered(client, RE, sent)), "Hello")

    def test_102_a_whole_call_in_a_stream(self) -> None:
        """GE call with all its arguments -> AN one `input_json_delta`, and `input: {}` in its start; CH and RE the call."""
        sent = wire.streamed(GE, generated({"text": "I look."}, {"functionCall": CALL}))
        told = self.stream(AN, GE, sent, offered(AN))
        (start,) = (event for event in told if event["type"] == "content_block_start" and event["index"] == 1)
        self.assertEqual(start["content_block"]["input"], {})
        deltas = [event["delta"] for event in told if event["type"] == "content_block_delta" and event["index"] == 1]
        self.assertEqual([delta["type"] for delta in deltas], ["input_json_delta"])
        self.assertEqual(json.loads(deltas[0]["partial_json"]), OSLO)
        for client in others(GE):
            self.assertEqual(calls_in(client, self.gathered(client, GE, sent)), [("call_1", "weather", OSLO)])

    def test_103_calls_are_counted_by_themselves(self) -> None:
        """AN calls in blocks 2 and 3, RE calls behind other items, GE calls behind parts -> CH indices 0 and 1."""
        thought = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
        text = {"type": "text", "text": "I look."}
        reasoning = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}]}
        sources: dict[str, Body] = {
            AN: message(thought, text, tool_use("call_1"), tool_use("call_2"), stop="tool_use"),
            RE: response(reasoning, output_text("I look."), *calling(RE, "call_1", "call_2")["output"]),
            GE: generated({"text": "Hm.", "thought": True}, {"text": "I look."}, *parts_of(calling(GE, "call_1", "call_2"))),
        }
        for provider, answer in sources.items():
            told = self.stream(CH, provider, wire.streamed(provider, answer), offered(CH))
            deltas = [choice["delta"] for each in told[:-1] for choice in each["choices"]]
            indices = [call["index"] for delta in deltas for call in delta.get("tool_calls", ())]
            self.assertEqual(sorted(set(indices)), [0, 1])
            self.assertEqual(indices, sorted(indices))
            heard = wire.gathered(CH, told)
            self.assertEqual([call[0] for call in calls_in(CH, heard)], ["call_1", "call_2"])

    INTERLEAVED = (
        *(started(0, "call_1"), started(1, "call_2", "time")),
        *(piece(0, '{"ci'), piece(1, '{"zone'), piece(0, 'ty":"Oslo"}'), piece(1, '":"CET"}')),
        *(chunk({}, "tool_calls"), COUNT),
    )
    BOTH = [("call_1", "weather", OSLO), ("call_2", "time", {"zone": "CET"})]

    def test_104_calls_that_interleave_one_after_the_other(self) -> None:
        """CH pieces of calls 0, 1, 0, 1 -> AN two blocks, each whole before the next begins; GE two parts."""
        told = self.stream(AN, CH, list(self.INTERLEAVED), offered(AN, "weather", "time"))
        heard = wire.gathered(AN, told)
        self.assertEqual((calls_in(AN, heard), reason_in(AN, heard)), (self.BOTH, "tool_use"))
        marks = [(event["type"], event["index"]) for event in told if "index" in event]
        self.assertEqual([index for _, index in marks], sorted(index for _, index in marks))
        self.assertEqual(sum(kind == "content_block_stop" for kind, _ in marks), 2)
        # the first is told as it comes
        self.assertGreater(sum(mark == ("content_block_delta", 0) for mark in marks), 1)
        heard = self.gathered(GE, CH, list(self.INTERLEAVED), offered(GE, "weather", "time"))
        self.assertEqual(calls_in(GE, heard), self.BOTH)

    def test_105_calls_that_interleave_side_by_side(self) -> None:
        """The same -> RE items that overlap, every event with the index of its own."""
        told = self.stream(RE, CH, list(self.INTERLEAVED), offered(RE, "weather", "time"))
        deltas = [event for event in told if event["type"] == "response.function_call_arguments.delta"]
        self.assertEqual([event["output_index"] for event in deltas], [0, 1, 0, 1])
        for index, (_, _, args) in enumerate(self.BOTH):
            own = "".join(event["delta"] for event in deltas if event["output_index"] == index)
            self.assertEqual(json.loads(own), args)
        names = {event["item"]["name"]: event["output_index"] for event in told if event["type"].endswith("item.added")}
        self.assertEqual(names, {"weather": 0, "time": 1})
        self.assertEqual(calls_in(RE, told[-1]["response"]), self.BOTH)

    def test_106_items_have_their_own_indices(self) -> None:
        """Reasoning, then a call -> RE 0 and 1; text, reasoning and a call -> RE 0, 1, 2."""
        thought = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
        hm, say = chunk({"reasoning_content": "Hm."}), chunk({"content": "I look."})
        call = started(0, "call_1", arguments=OSLO_TEXT)
        end = [chunk({}, "tool_calls"), COUNT]
        text = {"type": "text", "text": "I look."}
        part, word = {"text": "Hm.", "thought": True}, {"text": "I look."}
        two = ["reasoning", "function_call"]
        three = ["message", *two]
        cases: list[tuple[str, list[Body], list[str]]] = [
            (CH, [hm, call, *end], two),
            (CH, [say, hm, call, *end], three),
            (AN, wire.streamed(AN, message(thought, tool_use("call_1"), stop="tool_use")), two),
            (AN, wire.streamed(AN, message(text, thought, tool_use("call_1"), stop="tool_use")), three),
            (GE, wire.streamed(GE, generated(part, {"functionCall": CALL})), two),
            (GE, wire.streamed(GE, generated(word, part, {"functionCall": CALL})), three),
        ]
        for provider, sent, expected in cases:
            told = self.stream(RE, provider, sent, offered(RE))
            added = [(event["output_index"], event["item"]["type"]) for event in told if event["type"].endswith("item.added")]
            self.assertEqual(added, list(enumerate(expected)))
            self.assertEqual([item["type"] for item in told[-1]["response"]["output"]], expected)
            for event in told:
                if "function_call_arguments" in event["type"]:
                    self.assertEqual(event["output_index"], len(expected) - 1)

    def test_107_reasoning_comes_first(self) -> None:
        """CH `reasoning_content`, or `reasoning`, in the first chunk -> AN a thinking block that opens before its delta."""
        for name in ("reasoning_content", "reasoning"):
            for first in ({"role": "assistant", "content": None, name: "Hm"}, {name: "Hm"}):
                sent = [chunk(first), chunk({name: "m."}), chunk({"content": "Hello"}), chunk({}, "stop"), COUNT]
                told = self.stream(AN, CH, sent)
                kinds = [event.get("delta", event.get("content_block", event)).get("type", event["type"]) for event in told]
                blocks = ["thinking", "thinking_delta", "thinking_delta", "signature_delta", "content_block_stop"]
                self.assertEqual(kinds[:6], ["message_start", *blocks])
                self.assertEqual(kinds[6:9], ["text", "text_delta", "content_block_stop"])
                first_block = wire.gathered(AN, told)["content"][0]
                self.assertEqual(first_block["thinking"], "Hmm.")
                summary = self.gathered(RE, CH, sent)["output"][0]["summary"]
                self.assertEqual(summary, [{"type": "summary_text", "text": "Hmm."}])
                thoughts = [part["text"] for part in parts_of(self.gathered(GE, CH, sent)) if part.get("thought")]
                self.assertEqual("".join(thoughts), "Hmm.")

    def test_108_a_stream_begins_once(self) -> None:
        """A role in every chunk, two events before the first item, an id in every record -> one `message_start`, one role."""
        sent = [chunk({"role": "assistant", "content": each}) for each in ("", "Hel", "lo")]
        streams = {provider: wire.streamed(provider, greeting(provider)) for provider in ALL}
        streams[CH] = [*sent, chunk({"role": "assistant", "content": None}, "stop"), COUNT]
        for client, provider in pairs():
            told = self.stream(client, provider, streams[provider])
            if client == CH:
                self.assertEqual(sum("role" in choice["delta"] for each in told[:-1] for choice in each["choices"]), 1)
            elif client != GE:
                begin = "message_start" if client == AN else "response.created"
                self.assertEqual(sum(each["type"] == begin for each in told), 1)
            self.assertEqual(text_in(client, wire.gathered(client, told)), "Hello")

    def test_109_a_call_without_a_word(self) -> None:
        """An empty text before a call -> AN no text block, `tool_use` as the reason, even where the provider says `stop`."""
        empty = {"role": "assistant", "content": ""}
        call = started(0, "call_1", arguments=OSLO_TEXT)
        item = {**output_text(""), "content": [{"type": "output_text", "text": "", "annotations": [], "logprobs": []}]}
        streams: list[tuple[str, list[Body]]] = [
            *((CH, [chunk(empty), call, chunk({}, reason), COUNT]) for reason in ("tool_calls", "stop")),
            (CH, [chunk(empty), chunk({"content": ""}), call, chunk({"content": ""}, "tool_calls"), COUNT]),
            (RE, wire.streamed(RE, response(item, function_call("call_1")))),
            (GE, [{**generated({"text": ""}), "candidates": [{"content": {"role": "model", "parts": [{"text": ""}]}}]}]),
        ]
        streams[-1][1].append(generated({"functionCall": CALL}))
        for provider, sent in streams:
            heard = self.gathered(AN, provider, sent)
            self.assertEqual([block["type"] for block in heard["content"]], ["tool_use"])
            self.assertEqual(heard["stop_reason"], "tool_use")
        whole = completion({"content": "", "tool_calls": [chat_call("call_1")]}, "stop")
        for provider, answer in ((CH, whole), (RE, response(item, function_call("call_1")))):
            heard = self.reply(AN, provider, answer, offered(AN))
            self.assertEqual((heard["content"], heard["stop_reason"]), ([tool_use("call_1")], "tool_use"))

    def test_110_the_end_says_something(self) -> None:
        """Content, or arguments, in the chunk with the reason -> not lost."""
        sent = [chunk({"role": "assistant", "content": "Hel"}), chunk({"content": "lo"}, "stop"), COUNT]
        single = [chunk({"role": "assistant", "content": "Hello"}, "stop", usage=CHAT_USAGE)]
        call = started(0, "call_1", arguments='{"city":')
        last = piece(0, '"Oslo"}')
        last["choices"][0]["finish_reason"] = "tool_calls"
        for client in others(CH):
            for given in (sent, single):
                heard = self.gathered(client, CH, given)
                self.assertEqual((text_in(client, heard), reason_in(client, heard)), ("Hello", STOPPED[client]))
            heard = self.gathered(client, CH, [call, last, COUNT])
            self.assertEqual(calls_in(client, heard), [("call_1", "weather", OSLO)])
            self.assertEqual(reason_in(client, heard), CALLED[client])

    def test_111_a_name_that_comes_late(self) -> None:
        """CH call without a name, then arguments, then the name -> it begins with its name, and nothing is lost."""
        end = [chunk({}, "tool_calls"), COUNT]
        for first in ({"name": ""}, {}):
            sent = [piece(0, "", id="call_1", type="function", **first), piece(0, '{"ci'), piece(0, None, name="weather")]
            sent += [piece(0, 'ty":"Oslo"}'), *end]
            for client in others(CH):
                told = self.stream(client, CH, sent, offered(client))
                self.assertEqual(calls_in(client, wire.gathered(client, told)), [("call_1", "weather", OSLO)])
                if client == AN:
                    (start,) = (event["content_block"] for event in told if event["type"] == "content_block_start")
                    self.assertEqual((start["id"], start["name"]), ("call_1", "weather"))

    def test_112_a_call_without_an_id(self) -> None:
        """A call without an id -> one that is made up, the same in every event of it and whenever it is told again."""
        end = [chunk({}, "tool_calls"), COUNT]
        bare = {"name": "weather", "args": OSLO}
        streams: list[tuple[str, list[Body]]] = [
            (CH, [piece(0, OSLO_TEXT, type="function", name="weather", **given), *end])
            for given in ({}, {"id": None}, {"id": ""})
        ]
        streams.append((GE, wire.streamed(GE, generated({"functionCall": bare}))))
        for provider, sent in streams:
            for client in others(provider):
                told = self.stream(client, provider, sent, offered(client))
                ((call_id, name, args),) = calls_in(client, wire.gathered(client, told))
                self.assertTrue(re.fullmatch("[A-Za-z0-9_-]{8,64}", call_id), call_id)
                self.assertEqual((name, args), ("weather", OSLO))
                again = calls_in(client, wire.gathered(client, self.stream(client, provider, sent, offered(client))))
                self.assertEqual(again[0][0], call_id)
                if client == RE:
                    items = [event["item"] for event in told if "item" in event] + told[-1]["response"]["output"]
                    self.assertEqual([item["call_id"] for item in items], [call_id] * 3)
                    self.assertEqual(len({item["id"] for item in items}), 1)

    def test_113_done_tells_the_text_of_its_part(self) -> None:
        """Texts with a call between them -> every RE `done` event has the text of its own part, not of the whole message."""
        text, more = {"type": "text", "text": "I look."}, {"type": "text", "text": "Cold."}
        streams: dict[str, list[Body]] = {
            AN: wire.streamed(AN, message(text, tool_use("call_1"), more, stop="tool_use")),
            GE: wire.streamed(GE, generated({"text": "I look."}, {"functionCall": CALL}, {"text": "Cold."})),
            CH: [
                *(chunk({"content": "I l"}), chunk({"content": "ook."}), started(0, "call_1", arguments=OSLO_TEXT)),
                *(chunk({"content": "Cold."}), chunk({}, "tool_calls"), COUNT),
            ],
        }
        for provider, sent in streams.items():
            told = self.stream(RE, provider, sent, offered(RE))
            texts = [event["text"] for event in told if event["type"] == "response.output_text.done"]
            parts = [event["part"]["text"] for event in told if event["type"] == "response.content_part.done"]
            args = [json.loads(event["arguments"]) for event in told if event["type"].endswith("arguments.done")]
            self.assertEqual((texts, parts, args), (["I look.", "Cold."], ["I look.", "Cold."], [OSLO]))
        # neighbours are parts of one item
        told = self.stream(RE, AN, wire.streamed(AN, message(text, more)))
        done = [event for event in told if event["type"] == "response.output_text.done"]
        places = [(event["output_index"], event["content_index"], event["text"]) for event in done]
        self.assertEqual(places, [(0, 0, "I look."), (0, 1, "Cold.")])

    def test_114_the_last_event_has_all(self) -> None:
        """`response.completed` -> the complete output, every item as it was in its own `done`, with the same ids."""
        thought = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
        text = {"type": "text", "text": "I look."}
        answers: dict[str, Body] = {
            AN: message(thought, text, tool_use("call_1"), tool_use("call_2"), stop="tool_use"),
            CH: completion(
                {"reasoning_content": "Hm.", "content": "I look.", "tool_calls": [chat_call("call_1"), chat_call("call_2")]},
                "tool_calls",
            ),
            GE: generated({"text": "Hm.", "thought": True}, {"text": "I look."}, *parts_of(calling(GE, "call_1", "call_2"))),
        }
        for provider, answer in answers.items():
            told = self.stream(RE, provider, wire.streamed(provider, answer), offered(RE))
            done = [event["item"] for event in told if event["type"] == "response.output_item.done"]
            added = [event["item"] for event in told if event["type"] == "response.output_item.added"]
            output = told[-1]["response"]["output"]
            self.assertEqual(output, done)
            self.assertEqual([item["type"] for item in output], ["reasoning", "message", "function_call", "function_call"])
            self.assertEqual([item["id"] for item in output], [item["id"] for item in added])
            self.assertEqual(len({item["id"] for item in output}), 4)
            self.assertEqual([item["call_id"] for item in output[2:]], ["call_1", "call_2"])
            whole = self.reply(RE, provider, answer, offered(RE))
            self.assertEqual([item["type"] for item in whole["output"]], [item["type"] for item in output])


class ByteTests(AnswerCase):
    """Characters and records that arrive in pieces."""

    def test_116_arguments_that_break_inside_a_character(self) -> None:
        """Arguments cut anywhere, inside an escape and between the halves of a pair -> every character as it was."""
        said = {"city": 'Oslo 😀 "né" \\ \n'}
        written = json.dumps(said)
        self.assertIn("\\ud83d\\ude00", written)
        for at in range(1, len(written)):
            halves = (written[:at], written[at:])
            chat = [started(0, "call_1"), *(piece(0, half) for half in halves), chunk({}, "tool_calls"), COUNT]
            records = wire.streamed(AN, message(tool_use("call_1"), stop="tool_use"))
            deltas = [{"type": "input_json_delta", "partial_json": half} for half in halves]
            blocks = [{"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas]
            for provider, sent in ((CH, chat), (AN, [*records[:2], *blocks, *records[-3:]])):
                for client in others(provider):
                    heard = self.gathered(client, provider, sent)
                    self.assertEqual(calls_in(client, heard), [("call_1", "weather", said)])

    def test_117_a_network_that_cuts_inside_a_character(self) -> None:
        """A stream that arrives byte by byte -> the same bytes as if it came at once, and no character is replaced."""
        for client, provider in pairs():
            records = wire.streamed(provider, speaking(provider, WEIRD * 5))
            sent = wire.framed(provider, records).decode().encode()
            for record in records:  # as it stands, not escaped
                sent = sent.replace(json.dumps(record).encode(), json.dumps(record, ensure_ascii=False).encode())
            self.assertIn(WEIRD[1].encode(), sent)
            made = self.exchange(client, provider, question(client), stream=True)
            torn = self.raw(made, sent)
            self.assertNotIn("\ufffd", torn.decode())
            found = [record.data for record in grammars.records(torn)]
            self.assertEqual(text_in(client, wire.gathered(client, found)), WEIRD * 5)
            self.assertEqual(found, self.stream(client, provider, sent))

    def test_118_every_form_of_events(self) -> None:
        """Any line end, comments, unknown fields, data over several lines, no last line end -> the same answer."""
        for client, provider in pairs():
            records = wire.streamed(provider, greeting(provider))
            plain = wire.framed(provider, records)
            expected = self.stream(client, provider, plain)
            spread = plain.decode()
            for record in records:
                lines = json.dumps(record, indent=1).split("\n")
                spread = spread.replace(f"data: {json.dumps(record)}", "\n".join(f"data: {line}" for line in lines))
            for form in (
                plain.replace(b"\n", b"\r\n"),
                plain.replace(b"\n", b"\r"),
                b": welcome\n\n" + plain.replace(b"data: ", b": still here\nretry: 10\ndata:"),
                spread.encode(),
                spread.replace("\n", "\r\n").encode(),
                plain.rstrip(b"\n"),
                b"\xef\xbb\xbf" + plain,
            ):
                made = self.exchange(client, provider, question(client), stream=True)
                torn = self.raw(made, form)
                self.assertEqual([record.data for record in grammars.records(torn)], expected, form[:80])

    def test_119_a_ping(self) -> None:
        """AN `ping` before the first block -> CH and RE a comment, no chunk and no event; GE nothing."""
        for client in others(AN):
            records = wire.streamed(AN, greeting(AN))
            expected = self.stream(client, AN, records)
            stream = self.exchange(client, AN, question(client), stream=True).translation.stream()
            stream.feed(wire.framed(AN, records[:1]))
            told = stream.feed(wire.framed(AN, [{"type": "ping"}]))
            if client == GE:
                self.assertEqual(told, b"")
            else:
                self.assertTrue(re.fullmatch(rb": [a-z-]+\n\n", told), told)
            pinged = [records[0], {"type": "ping"}, *records[1:3], {"type": "ping"}, *records[3:]]
            self.assertEqual(self.stream(client, AN, pinged), expected)


class UsageTests(AnswerCase):
    """Tokens, which everybody counts otherwise."""

    def test_115_details_are_always_there(self) -> None:
        """A provider that tells no details -> RE has all three, as zeros; one that does not count -> RE `null`."""
        zeros = {"input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0}}
        reasoned = {"output_tokens_details": {"reasoning_tokens": 0}}
        expected = {"input_tokens": 9, "output_tokens": 5, "total_tokens": 14, **zeros, **reasoned}
        for provider in others(RE):
            for heard in self.heard(RE, provider, greeting(provider)):
                self.assertEqual(heard["usage"], expected)
        uncounted = completion({"content": "Hello"})
        del uncounted["usage"]
        self.assertIsNone(self.reply(RE, CH, uncounted)["usage"])
        self.assertNotIn("usageMetadata", self.reply(GE, CH, uncounted))
        usage = self.reply(AN, CH, uncounted)["usage"]
        self.assertEqual((usage["input_tokens"], usage["output_tokens"]), (0, 0))
        self.assertEqual(self.last.noted, ["invented /usage"])

    def test_120_usage_is_the_last_chunk(self) -> None:
        """CH usage that was asked for -> a chunk of its own with `choices: []`, right before `[DONE]`, from every provider."""
        for provider in others(CH):
            told = self.stream(CH, provider, wire.streamed(provider, greeting(provider)), question(CH, **COUNTED))
            self.assertEqual((told[-1], told[-2]["choices"]), ("[DONE]", []))
            usage = told[-2]["usage"]
            self.assertEqual((usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]), (9, 5, 14))
            self.assertEqual([each["usage"] for each in told[:-2]], [None] * (len(told) - 2))

    def test_121_usage_beside_the_reason(self) -> None:
        """Usage in the chunk of the reason, in an earlier one, or in its own -> CH a chunk of its own; others the numbers."""
        text = chunk({"role": "assistant", "content": "Hello"})
        for sent in (
            [text, chunk({}, "stop", usage=CHAT_USAGE)],
            [text, chunk({}, "stop"), COUNT],
            [text, chunk({}, "stop"), chunk({"content": ""}, usage=CHAT_USAGE)],
            [{**text, "usage": {**CHAT_USAGE, "completion_tokens": 1}}, chunk({}, "stop", usage=CHAT_USAGE)],
        ):
            told = self.stream(CH, CH, sent, question(CH, **COUNTED))
            self.assertEqual((told[-2]["choices"], told[-2]["usage"]["completion_tokens"]), ([], 5))
            self.assertEqual(self.gathered(RE, CH, sent)["usage"]["output_tokens"], 5)
            usage = self.gathered(AN, CH, sent)["usage"]
            self.assertEqual((usage["input_tokens"], usage["output_tokens"]), (9, 5))
            metadata = self.gathered(GE, CH, sent)["usageMetadata"]
            self.assertEqual((metadata["promptTokenCount"], metadata["candidatesTokenCount"]), (9, 5))

    def test_122_usage_that_nobody_asked_for(self) -> None:
        """CH client that does not ask for usage -> gets none; a CH provider is asked all the same, for everybody."""
        for asked in (question(CH), question(CH, stream_options={"include_usage": False}), question(CH, stream_options=None)):
            for provider in others(CH):
                told = self.stream(CH, provider, wire.streamed(provider, greeting(provider)), asked)
                self.assertNotIn('"usage"', text_of(told))
        for client in ALL:
            made = self.exchange(client, CH, question(client), stream=True)
            self.assertIs(made.body["stream_options"]["include_usage"], True)
            self.assertIs(made.body["stream"], True)
            made = self.exchange(client, CH, question(client))
            self.assertNotIn("stream_options", made.body)

    def test_123_tokens_that_are_known_at_the_end(self) -> None:
        """A start that counts nothing -> AN the input and the cache in `message_delta`; from AN itself the later numbers."""
        into = {"prompt_tokens_details": {"cached_tokens": 4}}
        details = {"input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0}}
        answers: dict[str, Body] = {
            CH: {**greeting(CH), "usage": {**CHAT_USAGE, **into}},
            RE: {**greeting(RE), "usage": {**RESPONSES_USAGE, **details}},
            GE: {**speaking(GE, "Hello to all."), "usageMetadata": {**GEMINI_USAGE, "cachedContentTokenCount": 4}},
        }
        for provider, answer in answers.items():
            told = self.stream(AN, provider, wire.streamed(provider, answer))
            self.assertEqual(told[0]["message"]["usage"]["input_tokens"], 0)
            usage = told[-2]["usage"]
            self.assertEqual((usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]), (5, 4, 5))
        records = wire.streamed(AN, message({"type": "text", "text": "Hello"}))
        records[0]["message"]["usage"] = {"input_tokens": 0, "output_tokens": 0}
        records[-2]["usage"] = {"input_tokens": 5, "cache_read_input_tokens": 4, "output_tokens": 5}
        self.assertEqual(self.gathered(RE, AN, records)["usage"]["input_tokens"], 9)
        usage = self.gathered(CH, AN, records, question(CH, **COUNTED))["usage"]
        self.assertEqual((usage["prompt_tokens"], usage["prompt_tokens_details"]["cached_tokens"]), (9, 4))
        self.assertEqual(self.gathered(GE, AN, records)["usageMetadata"]["promptTokenCount"], 9)

    def test_124_cached_tokens_are_not_counted_twice(self) -> None:
        """CH, RE or GE 9888 tokens of which 6752 were cached -> AN `input_tokens` 3136 and 6752 read from the cache."""
        counts = {"prompt_tokens": 9888, "completion_tokens": 5, "total_tokens": 9893}
        details = {"cached_tokens": 6752, "cache_write_tokens": 0}
        answers: dict[str, Body] = {
            CH: {**greeting(CH), "usage": {**counts, "prompt_tokens_details": {"cached_tokens": 6752}}},
            RE: {**greeting(RE), "usage": {**RESPONSES_USAGE, "input_tokens": 9888, "input_tokens_details": details}},
            GE: {**greeting(GE), "usageMetadata": {**GEMINI_USAGE, "promptTokenCount": 9888, "cachedContentTokenCount": 6752}},
        }
        for provider, answer in answers.items():
            for heard in self.heard(AN, provider, answer):
                usage = heard["usage"]
                self.assertEqual((usage["input_tokens"], usage["cache_read_input_tokens"]), (3136, 6752))
                self.assertEqual((usage["cache_creation_input_tokens"], usage["output_tokens"]), (0, 5))

    def test_125_anthropic_counts_the_cache_beside_the_input(self) -> None:
        """AN 100, 2000 read and 300 written -> CH prompt 2400, cached 2000, written 300; RE and GE the same sum."""
        usage = {"input_tokens": 100, "cache_read_input_tokens": 2000, "cache_creation_input_tokens": 300, "output_tokens": 5}
        answer = {**greeting(AN), "usage": usage}
        for heard in self.heard(CH, AN, answer, question(CH, **COUNTED)):
            counts = heard["usage"]
            self.assertEqual((counts["prompt_tokens"], counts["completion_tokens"], counts["total_tokens"]), (2400, 5, 2405))
            details = counts["prompt_tokens_details"]
            self.assertEqual((details["cached_tokens"], details["cache_write_tokens"]), (2000, 300))
        for heard in self.heard(RE, AN, answer):
            counts = heard["usage"]
            self.assertEqual((counts["input_tokens"], counts["total_tokens"]), (2400, 2405))
            self.assertEqual(counts["input_tokens_details"], {"cached_tokens": 2000, "cache_write_tokens": 300})
        for heard in self.heard(GE, AN, answer):
            counts = heard["usageMetadata"]
            self.assertEqual((counts["promptTokenCount"], counts["cachedContentTokenCount"]), (2400, 2000))
            self.assertEqual(counts["totalTokenCount"], 2405)

    def test_126_gemini_counts_thoughts_beside_the_answer(self) -> None:
        """GE 50 of thoughts and 20 of the candidate -> CH and RE 70 of which 50 are reasoning, AN 70; and back."""
        counts = {"promptTokenCount": 9, "candidatesTokenCount": 20, "thoughtsTokenCount": 50, "totalTokenCount": 79}
        answer = {**greeting(GE), "usageMetadata": counts}
        for heard in self.heard(CH, GE, answer, question(CH, **COUNTED)):
            usage = heard["usage"]
            self.assertEqual((usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]), (9, 70, 79))
            self.assertEqual(usage["completion_tokens_details"]["reasoning_tokens"], 50)
        for heard in self.heard(RE, GE, answer):
            usage = heard["usage"]
            self.assertEqual((usage["output_tokens"], usage["output_tokens_details"]["reasoning_tokens"]), (70, 50))
        for heard in self.heard(AN, GE, answer):
            usage = heard["usage"]
            self.assertEqual((usage["output_tokens"], usage["output_tokens_details"]["thinking_tokens"]), (70, 50))
        told = {"completion_tokens": 70, "total_tokens": 79, "completion_tokens_details": {"reasoning_tokens": 50}}
        for heard in self.heard(GE, CH, {**greeting(CH), "usage": {**CHAT_USAGE, **told}}):
            usage = heard["usageMetadata"]
            self.assertEqual({name: usage[name] for name in counts}, counts)


class EndTests(AnswerCase):
    """Why the model stopped."""

    def test_127_a_call_and_stop(self) -> None:
        """GE `STOP` beside a call -> CH `tool_calls`, AN `tool_use`, RE completed with the call; whole and as a stream."""
        for answer in (generated({"functionCall": CALL}), generated({"text": "I look."}, {"functionCall": CALL})):
            for client in others(GE):
                for heard in self.heard(client, GE, answer, offered(client)):
                    self.assertEqual(reason_in(client, heard), CALLED[client])
                    self.assertEqual(calls_in(client, heard), [("call_1", "weather", OSLO)])

    def test_128_a_candidate_without_content(self) -> None:
        """GE candidate of nothing but `MAX_TOKENS` -> one answer that is cut short; `NO_IMAGE` is an answer too, and noted."""
        empty = generated(finish="MAX_TOKENS")
        del empty["candidates"][0]["content"]
        none = {**empty, "candidates": [{"finishReason": "NO_IMAGE", "index": 0}]}
        for client in others(GE):
            for heard in (self.reply(client, GE, empty), self.gathered(client, GE, [empty])):
                self.assertEqual((text_in(client, heard), reason_in(client, heard)), ("", CUT[client]))
            for heard in (self.reply(client, GE, none), self.gathered(client, GE, [none])):
                self.assertEqual((text_in(client, heard), reason_in(client, heard)), ("", STOPPED[client]))
                self.assertEqual(self.last.noted, ["approximated /candidates/0/finishReason"])
        heard = self.reply(CH, GE, empty)
        self.assertEqual((len(heard["choices"]), heard["choices"][0]["message"]["content"]), (1, None))
        self.assertEqual(self.reply(RE, GE, empty)["output"], [])
        self.assertEqual(self.reply(AN, GE, empty)["content"], [])

    def test_129_a_prompt_that_is_not_answered(self) -> None:
        """GE `promptFeedback` alone -> CH one choice of no content, `content_filter`, and usage; RE incomplete; AN refusal."""
        counts = {"promptTokenCount": 9, "totalTokenCount": 9}
        blocked = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": counts, "modelVersion": "m", "responseId": "1"}
        for client in others(GE):
            asked = question(client, **(COUNTED if client == CH else {}))
            for heard in (self.reply(client, GE, blocked, asked), self.gathered(client, GE, [blocked], asked)):
                self.assertEqual((text_in(client, heard), reason_in(client, heard)), ("", FILTERED[client]))
                usage = heard["usage"]
                self.assertEqual(usage["prompt_tokens" if client == CH else "input_tokens"], 9)
        told = self.stream(CH, GE, [blocked], question(CH, **COUNTED))
        self.assertEqual(told[-3]["choices"], [{"index": 0, "delta": {}, "finish_reason": "content_filter"}])
        self.assertEqual(told[-2]["usage"]["prompt_tokens"], 9)
        self.assertIsNone(self.reply(CH, GE, blocked)["choices"][0]["message"]["content"])
        self.assertEqual(self.reply(RE, GE, blocked)["output"], [])
        self.assertEqual(self.reply(AN, GE, blocked)["content"], [])

    def test_130_a_refusal(self) -> None:
        """AN `refusal` -> never an ordinary end of nothing: its words as a refusal, without words what was filtered."""
        details = {"type": "refusal", "category": "cyber", "explanation": "I cannot help with that."}
        silent = message(stop="refusal")
        for client in others(AN):
            for heard in self.heard(client, AN, silent):
                self.assertEqual((text_in(client, heard), reason_in(client, heard)), ("", FILTERED[client]))
            for heard in self.heard(client, AN, message({"type": "text", "text": "I wi"}, stop="refusal")):
                self.assertEqual((text_in(client, heard), reason_in(client, heard)), ("I wi", FILTERED[client]))
        explained = {**silent, "stop_details": details}
        records = wire.streamed(AN, silent)
        records[-2]["delta"]["stop_details"] = details
        for client in others(AN):
            for heard in (self.reply(client, AN, explained), self.gathered(client, AN, records)):
                if client == CH:
                    self.assertEqual(heard["choices"][0]["message"]["refusal"], "I cannot help with that.")
                    self.assertEqual(reason_in(client, heard), "stop")
                elif client == RE:
                    (item,) = heard["output"]
                    self.assertEqual(item["content"], [{"type": "refusal", "refusal": "I cannot help with that."}])
                    self.assertEqual(reason_in(client, heard), "completed")
                else:
                    self.assertEqual(heard["candidates"][0]["finishMessage"], "I cannot help with that.")
                    self.assertEqual(reason_in(client, heard), "SAFETY")

    def test_131_reasons_of_anthropic_alone(self) -> None:
        """AN `model_context_window_exceeded` -> cut short, noted; `pause_turn` -> stopped, noted, GE `TOO_MANY_TOOL_CALLS`."""
        text = {"type": "text", "text": "Hel"}
        for client in others(AN):
            for heard in self.heard(client, AN, message(text, stop="model_context_window_exceeded")):
                self.assertEqual((text_in(client, heard), reason_in(client, heard)), ("Hel", CUT[client]))
                self.assertEqual(self.last.noted, ["approximated /stop_reason"])
            for heard in self.heard(client, AN, message(text, stop="pause_turn")):
                expected = "TOO_MANY_TOOL_CALLS" if client == GE else STOPPED[client]
                self.assertEqual((text_in(client, heard), reason_in(client, heard)), ("Hel", expected))
                self.assertEqual(self.last.noted, [] if client == GE else ["approximated /stop_reason"])

    def test_132_a_call_and_a_reason_that_nobody_knows(self) -> None:
        """A call, and a reason from the future -> the client is told of calls all the same, and it is noted."""
        answers: list[tuple[str, Body, str]] = [
            (AN, message(tool_use("call_1"), stop="brand_new"), "/stop_reason"),
            (CH, completion({"content": None, "tool_calls": [chat_call("call_1")]}, "brand_new"), "/choices/0/finish_reason"),
            (GE, generated({"functionCall": CALL}, finish="BRAND_NEW"), "/candidates/0/finishReason"),
        ]
        for provider, answer, at in answers:
            for client in others(provider):
                for heard in self.heard(client, provider, answer, offered(client)):
                    self.assertEqual(reason_in(client, heard), CALLED[client])
                    self.assertEqual(calls_in(client, heard), [("call_1", "weather", OSLO)])
                    self.assertEqual(self.last.noted, [f"approximated {at}"])

    def test_133_a_filter_in_the_middle_of_a_call(self) -> None:
        """CH `content_filter`, AN `refusal`, GE `SAFETY` while arguments come -> nobody is told of a whole call."""
        for reason, ends in (("content_filter", FILTERED), ("length", CUT)):
            sent = [chunk({"content": "I look."}), started(0, "call_1"), piece(0, '{"ci'), chunk({}, reason), COUNT]
            partial = chat_call("call_1", arguments='{"ci')
            whole = completion({"content": "I look.", "tool_calls": [partial]}, reason)
            for client in others(CH):
                heard = self.reply(client, CH, whole, offered(client))
                self.assertEqual((text_in(client, heard), reason_in(client, heard)), ("I look.", ends[client]))
                if client == RE:
                    states = [item["status"] for item in heard["output"] if item["type"] == "function_call"]
                    self.assertEqual(states, ["incomplete"])
                else:
                    self.assertEqual(calls_in(client, heard), [])
                told = self.stream(client, CH, sent, offered(client))
                if client == RE:
                    self.assert_cut(told, '{"ci')
                elif client == AN:
                    self.assertEqual(told[-2]["delta"]["stop_reason"], ends[AN])
                    given = [event["delta"]["partial_json"] for event in told if "partial_json" in event.get("delta", {})]
                    self.assertEqual("".join(given), '{"ci')  # which no client can take for arguments
                else:
                    heard = wire.gathered(client, told)
                    self.assertEqual((calls_in(client, heard), reason_in(client, heard)), ([], ends[client]))
        for reason, ends in (("refusal", FILTERED), ("max_tokens", CUT)):
            records = wire.streamed(AN, message(tool_use("call_1"), stop=reason))
            sent = [*records[:3], *records[-3:]]  # of the arguments the first piece alone
            self.assert_cut(self.stream(RE, AN, sent, offered(RE)), json.dumps(OSLO)[:7])
            heard = self.gathered(GE, AN, sent)
            self.assertEqual((calls_in(GE, heard), reason_in(GE, heard)), ([], ends[GE]))
            self.assertEqual(reason_in(CH, self.gathered(CH, AN, sent)), ends[CH])
        call = {"name": "weather", "id": "call_1", "willContinue": True}
        text = {"jsonPath": "$.city", "stringValue": "Os", "willContinue": True}
        pieces = [{"functionCall": call}, {"functionCall": {"partialArgs": [text], "willContinue": True}}]
        for reason, ends in (("SAFETY", FILTERED), ("MAX_TOKENS", CUT)):
            sent = wire.streamed(GE, generated(*pieces, finish=reason))
            told = self.stream(RE, GE, sent, offered(RE))
            self.assert_cut(told, '{"city":"Os')
            self.assertEqual(reason_in(CH, self.gathered(CH, GE, sent)), ends[CH])
            self.assertEqual(self.stream(AN, GE, sent, offered(AN))[-2]["delta"]["stop_reason"], ends[AN])

    def assert_cut(self, told: list[Body], arguments: str) -> None:
        """A stream of RE in which a call broke off, and is never said to be whole."""
        self.assertEqual(told[-1]["type"], "response.incomplete")
        items = [each["item"] for each in told if each["type"] == "response.output_item.done"]
        for each in (items, told[-1]["response"]["output"]):
            (item,) = (item for item in each if item["type"] == "function_call")
            self.assertEqual((item["status"], item["arguments"]), ("incomplete", arguments))


class CitationTests(AnswerCase):
    """Where a text got what it says."""

    URL, TITLE = "https://example.org/oslo", "Oslo today"
    CITED: Body = {
        "type": "web_search_result_location",
        "url": URL,
        "title": TITLE,
        "encrypted_index": "cHJvb2Y=",
        "cited_text": "4 degrees",
    }

    def cited(self, client: str, answer: Body) -> Iterator[tuple[str, str, str]]:
        """The text, URL and title of each citation in an answer."""
        if client == CH:
            told = answer["choices"][0]["message"]
            for each in told["annotations"]:
                self.assertEqual(each["type"], "url_citation")
                one = each["url_citation"]
                yield told["content"][one["start_index"] : one["end_index"]], one["url"], one["title"]
        elif client == RE:
            for item in answer["output"]:
                for part in item.get("content", ()):
                    for one in part["annotations"]:
                        self.assertEqual(one["type"], "url_citation")
                        yield part["text"][one["start_index"] : one["end_index"]], one["url"], one["title"]
        else:
            metadata = answer["candidates"][0]["groundingMetadata"]
            for support in metadata["groundingSupports"]:
                segment = support["segment"]
                self.assertEqual(segment.get("partIndex", 0), 0)
                data = text_in(GE, answer).encode()
                for index in support["groundingChunkIndices"]:
                    web = metadata["groundingChunks"][index]["web"]
                    yield data[segment.get("startIndex", 0) : segment["endIndex"]].decode(), web["uri"], web["title"]

    def test_134_a_page_that_was_found(self) -> None:
        """AN citation of a web search -> CH and RE `url_citation` with URL and title over its block, GE its chunk and support."""
        plain = {"type": "text", "text": f"{WEIRD} It is "}
        cited = {"type": "text", "text": "4 degrées.", "citations": [self.CITED]}
        answer = message(plain, cited, {"type": "text", "text": " Cold."})
        for client in others(AN):
            for heard in self.heard(client, AN, answer):
                self.assertEqual(text_in(client, heard), f"{WEIRD} It is 4 degrées. Cold.")
                self.assertEqual(list(self.cited(client, heard)), [("4 degrées.", self.URL, self.TITLE)])

    def test_135_bytes_and_characters(self) -> None:
        """GE spans in bytes of `é漢😀 …` -> CH and RE in characters of the same words; and back in bytes."""
        text = f"{WEIRD} says: 4 degrees, {WEIRD}."
        for words in ("4 degrees", WEIRD, f"says: 4 degrees, {WEIRD}", text):
            start = text.encode().index(words.encode())
            end = start + len(words.encode())
            segment = {"startIndex": start, "endIndex": end, "text": words} if start else {"endIndex": end, "text": words}
            pages = [{"uri": "https://example.org", "title": "No"}, {"uri": self.URL, "title": self.TITLE}]
            grounding = {
                "groundingChunks": [{"web": page} for page in pages],
                "groundingSupports": [{"segment": segment, "groundingChunkIndices": [1]}],
            }
            answer = generated({"text": text})
            answer["candidates"][0]["groundingMetadata"] = grounding
            for client in (CH, RE):
                for heard in self.heard(client, GE, answer):
                    self.assertEqual(list(self.cited(client, heard)), [(words, self.URL, self.TITLE)])
            at = text.index(words)
            one = {"url": self.URL, "title": self.TITLE, "start_index": at, "end_index": at + len(words)}
            told = completion({"content": text, "annotations": [{"type": "url_citation", "url_citation": one}]})
            for heard in self.heard(GE, CH, told):
                self.assertEqual(list(self.cited(GE, heard)), [(words, self.URL, self.TITLE)])
                found = heard["candidates"][0]["groundingMetadata"]["groundingSupports"][0]["segment"]
                self.assertEqual((found.get("startIndex", 0), found["endIndex"]), (start, end))
