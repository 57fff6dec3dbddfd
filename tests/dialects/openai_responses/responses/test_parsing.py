"""Tests for the reader of response objects."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.neutral import Message, Reasoning, Refusal, Response, Text, ToolCall, Usage
from llmux.dialects.openai_responses.responses import parse
from llmux.errors import Fault
from tests.dialects.openai_responses.saying import Told, completed, created, exchange, noted

SAID: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "status": "completed",
    "role": "assistant",
    "phase": "final_answer",
    "content": [{"type": "output_text", "text": "Hello.", "annotations": [], "logprobs": []}],
}
CALL = {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": "c1", "name": "f", "arguments": "{}"}


def read(*output: dict[str, Any], **members: Any) -> Response:
    """The response of a body."""
    return parse(completed(*output, **members)["response"], exchange())


def items(response: Response) -> list[Any]:
    """What it says."""
    return list(response.items)


class ParseTests(SynchronousTestCase):
    """A whole body."""

    def test_whole(self) -> None:
        """Who answers, what is said, what it cost."""
        usage = {
            "input_tokens": 10,
            "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
            "output_tokens": 5,
            "output_tokens_details": {"reasoning_tokens": 3},
            "total_tokens": 15,
        }
        searched = {"tool_usage": {"web_search": {"num_requests": 2}}}
        thought = {
            "id": "rs_1",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "s"}],
            "encrypted_content": "g",
        }
        response = read(thought, SAID, CALL, usage=usage, service_tier="priority", **searched)
        self.assertEqual(
            (response.id, response.model, response.created, response.tier), ("r1", "gpt-5.1", 1_700_000_000, "priority")
        )
        self.assertEqual([type(item) for item in response.items], [Reasoning, Message, ToolCall])
        self.assertEqual((items(response)[0].seals[0].payload, items(response)[1].phase), ("g", "final_answer"))
        self.assertEqual(response.usage, Usage(10, 4, 2, 5, 3, searches=2, tier="priority"))
        self.assertEqual(response.finish.reason, "tool_calls")

    def test_as_a_stream(self) -> None:
        """The same as the end of a stream in which nothing else was told."""
        self.assertEqual(read(SAID, CALL), Told(created(), completed(SAID, CALL)).response)

    def test_ends(self) -> None:
        """Why it ended: by itself, at a limit, filtered, refused."""
        cases: list[tuple[dict[str, Any], str]] = [
            ({}, "stop"),
            ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length"),
            ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "filter"),
            ({"status": "incomplete", "incomplete_details": None}, "length"),
            ({"status": "incomplete", "incomplete_details": {"reason": "steered"}}, "stop"),
        ]
        for members, reason in cases:
            self.assertEqual(read(SAID, **members).finish.reason, reason, members)
        refused = {**SAID, "content": [{"type": "refusal", "refusal": "No."}]}
        self.assertEqual(read(refused).finish.reason, "refusal")
        self.assertEqual(items(read(refused))[0].parts, (Refusal("No."),))
        self.assertEqual(read(refused, CALL).finish.reason, "tool_calls")

    def test_failures(self) -> None:
        """A failure with status 200 is a failure, and so is what is no answer yet."""
        failed = created(status="failed", error={"code": "rate_limit_exceeded", "message": "Slow down."})["response"]
        fault = self.assertRaises(Fault, parse, failed, exchange())
        self.assertEqual((fault.kind, fault.message), ("rate_limit", "Slow down."))
        for status in ("in_progress", "queued", "cancelled", 7):
            self.assertEqual(self.assertRaises(Fault, read, status=status).kind, "bad_gateway")
        for doc in ({}, {"output": "x"}):
            self.assertEqual(self.assertRaises(Fault, parse, doc, exchange()).kind, "bad_gateway")

    def test_servers_of_others(self) -> None:
        """No status, no ids, no lists beside a text."""
        doc = {"output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hi"}]}]}
        response = parse(doc, exchange())
        self.assertEqual(response.items, (Message("assistant", (Text("Hi"),)),))
        self.assertEqual((response.created, response.usage, response.finish.reason), (1_700_000_000, None, "stop"))

    def test_noted(self) -> None:
        """What nobody reads, by its place; what is empty says nothing."""
        context = exchange()
        part = {**SAID["content"][0], "tone": "warm"}
        output = [{**SAID, "rank": 1, "content": [part, {"type": "hologram"}]}, {**CALL, "x": ""}, {"type": "ring", "id": "r"}]
        parse(completed(*output, moderation={"flagged": True}, future={"a": [1, None, ""]})["response"], context)
        self.assertEqual(
            noted(context),
            [
                "dropped /output/0/rank",
                "dropped /output/0/content/0/tone",
                "dropped /output/0/content/1",
                "dropped /output/2",
                "dropped /moderation/flagged",
                "dropped /future/a/0",
            ],
        )
