"""Tests for the writer of streams."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux import jsonio
from llmux.dialects.context import Context
from llmux.dialects.events import (
    Cited,
    Delta,
    Event,
    Finished,
    ItemClosed,
    ItemOpened,
    PartClosed,
    PartOpened,
    Pinged,
    Sealed,
    Started,
)
from llmux.dialects.neutral import (
    Annotation,
    Choice,
    Finish,
    Inline,
    Media,
    Message,
    Reasoning,
    Response,
    Seal,
    Segment,
    ServerCall,
    ServerResult,
    Text,
    TokenProbability,
    ToolCall,
)
from llmux.dialects.openai_responses.responses import write as write_body
from llmux.dialects.openai_responses.streams import encoder
from llmux.dialects.telling import tell as tell_whole
from llmux.errors import Fault
from tests import oracles
from tests.dialects.tellings import CALL, OTHER_CALL, RESPONSES, context, interleaved, response, tell, tell_item, write
from tests.grammars import Record, check_responses, records

ASKED: dict[str, Any] = {
    "tools": [{"type": "function", "name": "get_weather"}, {"type": "local_shell"}],
    "instructions": "Be brief.",
    "service_tier": "auto",
}
SEAL = Seal("gemini", "thought_signature", "G")
HIT = Annotation("url", "https://x", "X")
MORE: dict[str, Response] = {
    "a custom tool": response(ToolCall("c1", "patch", "*** Begin\n", kind="custom", namespace="ns"), reason="tool_calls"),
    "the client's shell": response(ToolCall("c1", "local_shell", '{"command":["ls"]}'), reason="tool_calls"),
    "citations": response(
        Message(
            "assistant",
            (Text("abc", (Annotation("url", "https://y", start=0, end=1), HIT, Annotation("url", "https://z", start=1, end=2))),),
        )
    ),
    "probabilities": response(Message("assistant", (Text("abc", (), (TokenProbability("abc", -0.5),)),))),
    "phases": response(Message("assistant", (Text("Hm."),), phase="commentary"), CALL, reason="tool_calls"),
    "seals": response(Reasoning((Segment("summary", "s"),), (SEAL, SEAL)), ToolCall("c1", "f", "{}", seals=(SEAL,))),
    "a sealed text": response(Message("assistant", (Text("abc", seals=(SEAL,)),))),
    "a picture": response(Message("assistant", (Media("image", Inline("AAAA"), "image/png"),))),
    "a search": response(
        ServerCall("web_search", "s1", "web_search", '{"query":"q"}', "anthropic", {}),
        ServerResult("web_search", "s1", (HIT,), "", "anthropic", {}),
        Message("assistant", (Text("Found."),)),
    ),
    "a search without a result": response(ServerCall("web_search", "s1", "web_search", "{}", "gemini", {})),
    "a program": response(
        ServerCall("code", "s1", "code_execution", '{"code":"1"}', "anthropic", {}),
        ServerResult("code", "s1", (), "1", "anthropic", {}),
    ),
    "a failure": response(reason="malformed"),
    "a silent refusal": Response("abc", "m", 0, (Choice((), Finish("refusal", message="No.")),), None),
}


def stream(events: list[Event], exchanged: Context | None = None) -> list[Record]:
    """The records of a stream that keeps the grammar and that the SDK takes."""
    told = records(write(encoder(exchanged or context(ASKED)), events))
    check_responses(told)
    oracles.response_stream(told)
    return told


class StreamTests(SynchronousTestCase):
    """What the SDK makes of a stream is what a whole body says."""

    def test_same_as_whole(self) -> None:
        """Every telling keeps the grammar, and comes to the body of the same response."""
        for name, whole in (RESPONSES | MORE).items():
            body = write_body(whole, context(ASKED))
            plain = oracles.plain(oracles.response(jsonio.loads(jsonio.dumps(body))))
            for events in (tell(whole), tell_whole(whole)):
                told = stream(events)
                self.assertEqual(_without_parsed(oracles.plain(oracles.response_stream(told))), plain, name)
                self.assertEqual(told[-1].data["response"], jsonio.loads(jsonio.dumps(body)), name)

    def test_interleaved(self) -> None:
        """Items may overlap in this dialect."""
        told = stream(interleaved())
        output = told[-1].data["response"]["output"]
        self.assertEqual([item["arguments"] for item in output], [CALL.args_text, OTHER_CALL.args_text])

    def test_custom_input(self) -> None:
        """The raw input comes in pieces, and then whole."""
        told = [record.data for record in stream(tell(MORE["a custom tool"]))]
        deltas = [event["delta"] for event in told if event["type"] == "response.custom_tool_call_input.delta"]
        done = next(event for event in told if event["type"] == "response.custom_tool_call_input.done")
        self.assertEqual(("".join(deltas), done["input"]), ("*** Begin\n", "*** Begin\n"))

    def test_incomplete(self) -> None:
        """A response that is cut short ends as incomplete, and so do the items that were."""
        whole = response(Message("assistant", (Text("Half a"),), cut=True), ToolCall("c1", "f", '{"a', cut=True), reason="length")
        last = stream(tell_whole(whole))[-1].data
        self.assertEqual(
            (last["type"], last["response"]["incomplete_details"]), ("response.incomplete", {"reason": "max_output_tokens"})
        )
        self.assertEqual([item["status"] for item in last["response"]["output"]], ["incomplete", "incomplete"])

    def test_pings(self) -> None:
        """A comment, which counts no number."""
        writer = encoder(context())
        self.assertEqual(writer.encode(Pinged()), b": keep-alive\n\n")

    def test_late_seals(self) -> None:
        """A seal that comes when its call has been told stands behind it, and says so."""
        call = ToolCall("c1", "f", "{}", seals=(SEAL,))
        events: list[Event] = [
            Started("abc", "m", 0),
            ItemOpened(0, "tool_call", call_id="c1", name="f"),
            Delta(0, 0, "args", "{}"),
            Sealed(0, SEAL),
            ItemClosed(0, call),
        ]
        told = records(write(encoder(context()), events))
        added = [record.data["item"]["type"] for record in told if record.data["type"] == "response.output_item.added"]
        self.assertEqual(added, ["function_call", "reasoning"])

    def test_waiting_citations(self) -> None:
        """What is cited for all of a text is told when the text is whole, behind it what came later."""
        events: list[Event] = [
            Started("abc", "m", 0),
            ItemOpened(0, "message"),
            PartOpened(0, 0, "text"),
            Cited(0, 0, HIT),
            Delta(0, 0, "text", "abc"),
            PartClosed(0, 0, "abc"),
        ]
        told = [record.data for record in records(write(encoder(context()), events))]
        (cited,) = [event for event in told if event["type"] == "response.output_text.annotation.added"]
        self.assertEqual((cited["annotation"]["end_index"], cited["annotation_index"]), (3, 0))
        self.assertEqual(told[-1]["part"]["annotations"], [cited["annotation"]])


class FailureTests(SynchronousTestCase):
    """Streams that break off."""

    def test_failed(self) -> None:
        """The response fails with what was said: whole items whole, the open ones incomplete."""
        writer = encoder(context())
        search = ServerCall("web_search", "s1", "web_search", "{}", "anthropic", {})
        events: list[Event] = [
            Started("a", "m", 0),
            *tell_item(0, CALL),
            ItemOpened(1, "server"),
            ItemClosed(1, search),
            ItemOpened(2, "message"),
            PartOpened(2, 0, "text"),
            Delta(2, 0, "text", "Half a"),
            ItemOpened(3, "message"),
        ]
        told = records(write(writer, events) + writer.error(Fault("bad_gateway", "gone")))
        check_responses(told)
        failed = oracles.response(told[-1].data["response"])
        assert failed.error is not None
        self.assertEqual((failed.status, failed.error.code, failed.error.message), ("failed", "server_error", "gone"))
        output = oracles.plain(failed)["output"]
        self.assertEqual([item["status"] for item in output], ["completed", "failed", "incomplete"])
        self.assertEqual(output[2]["content"][0]["text"], "Half a")

    def test_before_the_start(self) -> None:
        """Before there is a response, only the error itself can be told."""
        (record,) = records(encoder(context()).error(Fault("invalid", "no", param="input")))
        self.assertEqual(
            record.data,
            {"type": "error", "sequence_number": 0, "code": "invalid_prompt", "message": "no", "param": "input"},
        )

    def test_words_for_codex(self) -> None:
        """The codes by which it decides whether to try again."""
        for kind, code in (
            ("too_long", "context_length_exceeded"),
            ("billing", "insufficient_quota"),
            ("rate_limit", "rate_limit_exceeded"),
        ):
            writer = encoder(context())
            writer.encode(Started("a", "m", 0))
            (record,) = records(writer.error(Fault(kind, "no")))  # type: ignore[arg-type]  # they are kinds
            self.assertEqual(record.data["response"]["error"]["code"], code)

    def test_failed_end(self) -> None:
        """An answer that failed without an error of the stream."""
        events: list[Event] = [Started("a", "m", 0), Finished(Finish("malformed"))]
        last = stream([*events, *tell(MORE["a failure"])[-1:]])[-1].data
        self.assertEqual((last["type"], last["response"]["error"]["code"]), ("response.failed", "server_error"))


def _without_parsed(node: object) -> object:
    """The SDK adds a member of its own to arguments that it has parsed."""
    if isinstance(node, dict):
        return {key: _without_parsed(value) for key, value in node.items() if key not in ("parsed", "parsed_arguments")}
    return [_without_parsed(each) for each in node] if isinstance(node, list) else node
