"""Tests for the Chat Completions reader of answers: a whole body, and the same as a stream, come to the same."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux import jsonio
from llmux.dialects.context import Context
from llmux.dialects.events import Ended, Event
from llmux.dialects.neutral import (
    Annotation,
    Choice,
    Finish,
    Message,
    OutputItem,
    Reasoning,
    Refusal,
    Response,
    Seal,
    Segment,
    Text,
    TokenProbability,
    Tool,
    ToolCall,
    Usage,
)
from llmux.dialects.openai_chat import OPENAI_CHAT
from llmux.dialects.openai_chat.responses import parse
from llmux.dialects.openai_chat.streams import decoder
from llmux.dialects.tools import Book
from llmux.errors import Fault
from tests.dialects.tellings import context

HEAD: dict[str, Any] = {"id": "chatcmpl-abc", "created": 1_700_000_000, "model": "gpt-5.2-2026-01-01"}
USAGE = {
    "prompt_tokens": 50,
    "completion_tokens": 30,
    "total_tokens": 80,
    "prompt_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 10, "audio_tokens": 5},
    "completion_tokens_details": {"reasoning_tokens": 12},
}
CALL = {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}}
OTHER = {"id": "call_2", "type": "function", "function": {"name": "look", "arguments": '{"a":2}'}}
AT = "/choices/0/finish_reason"
DONE = b"[DONE]"


def body(message: dict[str, Any], finish: str | None = "stop", usage: Any = None, **more: Any) -> dict[str, Any]:
    """A whole completion."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish, **more}
    return {**HEAD, "object": "chat.completion", "choices": [choice], "usage": usage}


def chunk(delta: dict[str, Any], finish: str | None = None, index: int = 0, **more: Any) -> bytes:
    """A record of a stream."""
    choice = {"index": index, "delta": delta, "finish_reason": finish, **more}
    return jsonio.dumps({**HEAD, "object": "chat.completion.chunk", "choices": [choice]})


def streamed(doc: dict[str, Any], context: Context) -> Response:
    """The same answer as a stream: texts in pieces of three characters, calls announced and then argued."""
    payloads = [chunk({"role": "assistant", "content": ""})]
    for choice in doc["choices"]:
        message, index = dict(choice["message"]), choice["index"]
        logprobs = choice.get("logprobs")
        for name in ("reasoning_content", "content", "refusal"):
            text = message.pop(name, None)
            if name == "content" and logprobs:
                payloads.append(chunk({name: text}, None, index, logprobs=logprobs))
            elif isinstance(text, str):
                payloads += (chunk({name: text[at : at + 3]}, None, index) for at in range(0, len(text), 3))
        for number, call in enumerate(message.pop("tool_calls", None) or ()):
            kind = call["type"]
            member = "arguments" if kind == "function" else "input"
            said = call[kind][member]
            opened = {**call, "index": number, kind: {**call[kind], member: ""}}
            payloads.append(chunk({"tool_calls": [opened]}, None, index))
            payloads += (
                chunk({"tool_calls": [{"index": number, kind: {member: piece}}]}, None, index)
                for piece in (said[at : at + 3] for at in range(0, len(said), 3))
            )
        payloads += (chunk({name: value}, None, index) for name, value in message.items() if name != "role")
        payloads.append(chunk({}, choice["finish_reason"], index))
    if doc.get("usage") is not None:
        payloads.append(jsonio.dumps({**HEAD, "choices": [], "usage": doc["usage"]}))
    reader = decoder(context)
    events: list[Event] = []
    for payload in [*payloads, DONE]:
        events += reader.feed([payload])
    last = events[-1]
    assert isinstance(last, Ended)
    return last.response


class ParseTests(SynchronousTestCase):
    """An answer as items, whole and streamed."""

    def read(self, doc: dict[str, Any], book: Book | None = None) -> Response:
        """What a body says, which is also what the same stream says."""
        whole = parse(doc, context(book=book or Book()))
        self.assertEqual(streamed(doc, context(book=book or Book())), whole)
        return whole

    def items(self, message: dict[str, Any], finish: str = "stop") -> tuple[OutputItem, ...]:
        return self.read(body(message, finish)).items

    def test_words(self) -> None:
        """A text, with what surrounds it."""
        response = self.read(body({"content": "Hello there"}, usage=USAGE))
        usage = Usage(50, 20, 10, 30, 12, modalities=(("in_audio", 5),))
        choice = Choice((Message("assistant", (Text("Hello there"),)),), Finish("stop", raw="stop", at=AT))
        self.assertEqual(response, Response("abc", HEAD["model"], HEAD["created"], (choice,), usage))

    def test_envelope(self) -> None:
        """Tier and fingerprint."""
        doc = {**body({"content": "x"}), "service_tier": "default", "system_fingerprint": "fp"}
        response = parse(doc, context())
        self.assertEqual((response.tier, response.fingerprint), ("standard", "fp"))

    def test_reasoning(self) -> None:
        """Reasoning stands before the text, whatever the order of the members."""
        self.assertEqual(
            self.items({"content": "Yes.", "reasoning_content": "Hm, so."}),
            (Reasoning((Segment("summary", "Hm, so."),)), Message("assistant", (Text("Yes."),))),
        )

    def test_sealed_reasoning(self) -> None:
        """Blocks of thinking, each with its seal, and hidden ones."""
        blocks = [
            {"type": "thinking", "thinking": "One.", "signature": "s1"},
            {"type": "redacted_thinking", "data": "r"},
            {"type": "thinking", "thinking": "", "signature": "s2"},
        ]
        response = parse(body({"content": "x", "thinking_blocks": blocks, "reasoning_content": "One."}), context())
        self.assertEqual(
            response.items[:-1],
            (
                Reasoning((Segment("summary", "One."),), (Seal("anthropic", "signature", "s1"),)),
                Reasoning((), (Seal("anthropic", "redacted", "r"),)),
                Reasoning((), (Seal("anthropic", "signature", "s2"),)),
            ),
        )

    def test_calls(self) -> None:
        """Calls, the reason that goes with them, and arguments as they were written."""
        response = self.read(body({"content": None, "tool_calls": [CALL, OTHER]}, "tool_calls"))
        self.assertEqual(response.items, (ToolCall("call_1", "look", '{"a":1}'), ToolCall("call_2", "look", '{"a":2}')))
        self.assertEqual(response.finish, Finish("tool_calls", raw="tool_calls", at=AT))

    def test_calls_outweigh_the_reason(self) -> None:
        """Whoever calls a tool has not just stopped, and whoever calls none did not call."""
        self.assertEqual(self.read(body({"tool_calls": [CALL]}, "stop")).finish.reason, "tool_calls")
        self.assertEqual(self.read(body({"content": "x"}, "tool_calls")).finish.reason, "stop")

    def test_names(self) -> None:
        """Calls come back under the client's names, a wrapped tool with its raw input; custom ones stay."""
        book = Book(OPENAI_CHAT.names, [Tool("a.b"), Tool("sh", "custom")])
        doc = body(
            {
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": book.alias("a.b"), "arguments": "{}"}},
                    {"id": "c2", "type": "custom", "custom": {"name": "sh", "input": "ls -l"}},
                ]
            },
            "tool_calls",
        )
        self.assertEqual(self.read(doc, book).items, (ToolCall("c1", "a.b", "{}"), ToolCall("c2", "sh", "ls -l", kind="custom")))

    def test_sealed_calls(self) -> None:
        """Google's seal of a call."""
        call = {**CALL, "extra_content": {"google": {"thought_signature": "c2ln"}}}
        (item,) = self.items({"tool_calls": [call]}, "tool_calls")
        assert isinstance(item, ToolCall)
        self.assertEqual(item.seals, (Seal("gemini", "thought_signature", "c2ln"),))
        (said,) = self.items({"content": "x", "extra_content": {"google": {"thought_signature": "c2ln"}}})
        self.assertEqual(said, Message("assistant", (Text("x", seals=(Seal("gemini", "thought_signature", "c2ln"),)),)))

    def test_seals_that_name_their_call(self) -> None:
        """A router tells of the seal beside the call."""
        detail = {"type": "reasoning.encrypted", "data": "c2ln", "format": "google-gemini-v1", "id": "call_2"}
        doc = body({"tool_calls": [CALL, OTHER], "reasoning_details": [detail]}, "tool_calls")
        told = parse(doc, context()).items
        self.assertEqual([len(item.seals) for item in told if isinstance(item, ToolCall)], [0, 1])

    def test_legacy_call(self) -> None:
        """A function call of the older API gets an id."""
        call = {"name": "look", "arguments": '{"a":1}'}
        (item,) = self.items({"content": None, "function_call": call}, "function_call")
        assert isinstance(item, ToolCall)
        self.assertRegex(item.call_id, "^call_[0-9a-f]{24}$")
        self.assertEqual((item.name, item.args_text), ("look", '{"a":1}'))

    def test_refusal(self) -> None:
        """A refusal is another reason than a stop."""
        response = self.read(body({"content": None, "refusal": "I will not."}))
        self.assertEqual(response.items, (Message("assistant", (Refusal("I will not."),)),))
        self.assertEqual(response.finish, Finish("refusal", raw="stop", at=AT))

    def test_reasons(self) -> None:
        """Each reason, with the words of other servers."""
        cases: dict[str, str] = {"length": "length", "content_filter": "filter", "model_length": "length", "eos": "unknown"}
        for raw, reason in cases.items():
            finish = self.read(body({"content": "x"}, raw)).finish
            self.assertEqual(finish, Finish(reason, raw=raw, at=AT))  # type: ignore[arg-type]
        for name in ("stop_reason", "matched_stop"):
            finish = parse(body({"content": "x"}, "stop", **{name: "END"}), context()).finish
            self.assertEqual(finish, Finish("stop_sequence", "END", raw="stop", at=AT, sequence_at=f"/choices/0/{name}"))

    def test_broken_off(self) -> None:
        """A call that the limit cut off must not be carried out."""
        call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": '{"a":'}}
        for raw in ("length", "content_filter"):
            response = self.read(body({"tool_calls": [CALL, call]}, raw))
            self.assertEqual([item.cut for item in response.items if isinstance(item, ToolCall)], [False, True])

    def test_annotations(self) -> None:
        """Pages that are cited keep their numbers."""
        cited = {"type": "url_citation", "url_citation": {"url": "https://x", "title": "X", "start_index": 1, "end_index": 3}}
        (item,) = self.items({"content": "abc", "annotations": [cited]})
        at = "/choices/0/message/annotations"
        annotation = Annotation("url", "https://x", "X", start=1, end=3, dialect="openai-chat", raw=cited, at=at)
        self.assertEqual(item, Message("assistant", (Text("abc", (annotation,)),)))

    def test_probabilities(self) -> None:
        """Those of the tokens of a text."""
        top = {"token": "Yo", "logprob": -2.0, "bytes": None}
        token = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": [top]}
        response = self.read(body({"content": "Hi"}, logprobs={"content": [token], "refusal": None}))
        probability = TokenProbability("Hi", -0.5, (72, 105), (TokenProbability("Yo", -2.0),))
        self.assertEqual(response.items, (Message("assistant", (Text("Hi", logprobs=(probability,)),)),))

    def test_several_choices(self) -> None:
        """Each of several answers has its own items and reason."""
        first, second = body({"content": "one"})["choices"][0], body({"tool_calls": [CALL]}, "tool_calls")["choices"][0]
        response = self.read({**HEAD, "choices": [first, {**second, "index": 1}]})
        self.assertEqual(
            response.choices,
            (
                Choice((Message("assistant", (Text("one"),)),), Finish("stop", raw="stop", at=AT)),
                Choice(
                    (ToolCall("call_1", "look", '{"a":1}'),),
                    Finish("tool_calls", raw="tool_calls", at="/choices/1/finish_reason"),
                ),
            ),
        )

    def test_content_in_parts(self) -> None:
        """Mistral's models think inside the content."""
        content = [
            {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
            {"type": "text", "text": "Yes."},
        ]
        self.assertEqual(
            parse(body({"content": content}), context()).items,
            (Reasoning((Segment("summary", "Hm."),)), Message("assistant", (Text("Yes."),))),
        )

    def test_other_counts(self) -> None:
        """DeepSeek's word for what was cached, and servers that count reasoning beside the completion."""
        deepseek = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11, "prompt_cache_hit_tokens": 4}
        beside = {
            "prompt_tokens": 9,
            "completion_tokens": 2,
            "total_tokens": 31,
            "completion_tokens_details": {"reasoning_tokens": 20},
        }
        self.assertEqual(self.read(body({"content": "x"}, usage=deepseek)).usage, Usage(9, 4, 0, 2))
        self.assertEqual(self.read(body({"content": "x"}, usage=beside)).usage, Usage(9, 0, 0, 22, 20))
        self.assertIsNone(self.read(body({"content": "x"})).usage)

    def test_unsaid(self) -> None:
        """What has no slot is noted, leaf by leaf, unless it is empty, or a server's own business."""
        exchange = context()
        doc = body({"content": "x", "audio": {"id": "a"}, "tone": "warm", "mood": ""}, rank=1, content_filter_results={"x": 1})
        parse({**doc, "future": {"marks": [7], "rest": {}}, "provider": "p"}, exchange)
        self.assertEqual(
            sorted(note.pointer for note in exchange.notes),
            ["/choices/0/message/audio", "/choices/0/message/tone", "/choices/0/rank", "/future/marks/0"],
        )

    def test_faults(self) -> None:
        """An error with status 200, and what is no completion."""
        error = {"error": {"message": "too much", "type": "server_error", "code": "overloaded"}}
        cases: list[tuple[dict[str, Any], str]] = [
            (error, "overloaded"),
            ({"choices": []}, "bad_gateway"),
            ({"object": "list"}, "bad_gateway"),
            ({**HEAD, "choices": [1]}, "bad_gateway"),
            (body({"content": None}, None), "bad_gateway"),
        ]
        for doc, kind in cases:
            fault = self.assertRaises(Fault, parse, doc, context())
            self.assertEqual(fault.kind, kind)
