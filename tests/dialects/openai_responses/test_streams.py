"""Tests for the Responses writer of streams."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.neutral import Delta, Event, ItemOpened, PartOpened, Started
from llmux.dialects.openai_responses.responses import write as write_body
from llmux.dialects.openai_responses.streams import encoder
from llmux.errors import Fault
from tests import oracles
from tests.dialects.tellings import CALL, OTHER_CALL, RESPONSES, interleaved, tell, tell_item, write
from tests.grammars import check_responses, records

ASKED = {"tools": [{"type": "function", "name": "get_weather"}], "instructions": "Be brief.", "service_tier": "auto"}


class StreamTests(SynchronousTestCase):
    """What the SDK makes of a stream is what a whole body says."""

    def test_same_as_whole(self) -> None:
        """Every telling keeps the grammar, and comes to the body of the same response."""
        for name, response in RESPONSES.items():
            stream = records(write(encoder(ASKED), tell(response)))
            check_responses(stream)
            told = oracles.plain(oracles.response_stream(stream))
            whole = oracles.plain(oracles.response(write_body(response, ASKED)))
            self.assertEqual(_without_parsed(told), whole, name)

    def test_interleaved(self) -> None:
        """Items may overlap in this dialect."""
        stream = records(write(encoder({}), interleaved()))
        check_responses(stream)
        output = oracles.plain(oracles.response_stream(stream))["output"]
        self.assertEqual([item["arguments"] for item in output], [CALL.args_text, OTHER_CALL.args_text])

    def test_incomplete(self) -> None:
        """A response that is cut short ends as incomplete."""
        stream = records(write(encoder({}), tell(RESPONSES["cut short"])))
        self.assertEqual(stream[-1].data["response"]["incomplete_details"], {"reason": "max_output_tokens"})

    def test_failed(self) -> None:
        """A stream that breaks off fails with what was said: whole items whole, the open ones incomplete."""
        writer = encoder({})
        events: list[Event] = [
            Started("a", "m", 0),
            *tell_item(0, CALL),
            ItemOpened(1, "message"),
            PartOpened(1, 0, "text"),
            Delta(1, 0, "text", "Half a"),
        ]
        stream = records(write(writer, events) + writer.error(Fault("bad_gateway", "gone")))
        check_responses(stream)
        failed = oracles.response(stream[-1].data["response"])
        assert failed.error is not None
        self.assertEqual((failed.status, failed.error.code, failed.error.message), ("failed", "server_error", "gone"))
        output = oracles.plain(failed)["output"]
        self.assertEqual([item["status"] for item in output], ["completed", "incomplete"])
        self.assertEqual(output[1]["content"][0]["text"], "Half a")

    def test_error_before_start(self) -> None:
        """Before there is a response, only the error itself can be told."""
        (record,) = records(encoder({}).error(Fault("invalid", "no", param="input")))
        self.assertEqual(
            record.data,
            {"type": "error", "sequence_number": 0, "code": "invalid_prompt", "message": "no", "param": "input"},
        )


def _without_parsed(node: object) -> object:
    """The SDK adds a member of its own to arguments that it has parsed."""
    if isinstance(node, dict):
        return {key: _without_parsed(value) for key, value in node.items() if key not in ("parsed", "parsed_arguments")}
    return [_without_parsed(each) for each in node] if isinstance(node, list) else node
