"""What makes a stream whole, and what does not."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.registry import DIALECTS
from llmux.errors import Fault

_FORGED = json.dumps('"finish_reason":"stop" "type":"message_stop" "type":"response.completed" "finishReason":"STOP"')

# dialect -> events that end it, and events that do not
_ROWS: dict[str, tuple[list[str], list[str]]] = {
    "openai-chat": (
        ["data: [DONE]", "data:[DONE]", 'data: {"choices":[{"finish_reason": "stop"}]}', 'data: {"error":{"message":"x"}}'],
        [
            'data: {"choices":[{"finish_reason":null}]}',
            'data: {"choices":[],"error":null}',
            f"data: {_FORGED}",
            ": [DONE]",
            'data: {"choices":[{"content_filter_results":{"error":{"code":"content_filter_error"}}}]}',
            'data: {"choices":[{"delta":{"x":{"finish_reason":"stop"}}}]}',
        ],
    ),
    "openai-responses": (
        [f'data: {{"type":"{kind}"}}' for kind in ("response.completed", "response.failed", "response.incomplete", "error")],
        [
            'data: {"type":"response.created","response":{"metadata":{"type":"error"}}}',
            'data: {"type":"response.output_text.done"}',
            f"data: {_FORGED}",
        ],
    ),
    "anthropic": (
        ['event: message_stop\ndata: {"type":"message_stop"}', 'data: {"type": "error","error":{}}'],
        [
            'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}',
            f"data: {_FORGED}",
            'data: {"type":"ping"}',
            'data: {"type":"content_block_start","content_block":{"input":{"type":"error"}}}',
        ],
    ),
    "gemini": (
        [
            'data: {"candidates":[{"finishReason":"STOP"}]}',
            'data: {"promptFeedback":{"blockReason":"SAFETY"}}',
            'data: {"error":{"code":1}}',
        ],
        [
            'data: {"candidates":[{"content":{}}]}',
            f"data: {_FORGED}",
            'data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"error":{"code":1}}}}]}}]}',
            'data: {"candidates":[{"content":{"parts":[{"functionCall":{"args":{"finishReason":"STOP"}}}]}}]}',
        ],
    ),
}


class WatchTests(SynchronousTestCase):
    """Each dialect's own end."""

    def test_ends(self) -> None:
        """Only the dialect's own last words end a stream; text cannot forge them."""
        for dialect, (ends, others) in _ROWS.items():
            for event in ends:
                watch = DIALECTS[dialect].watch()
                watch.see(event.encode() + b"\n\n")
                self.assertTrue(watch.whole, event)
            for event in others:
                watch = DIALECTS[dialect].watch()
                watch.see(event.encode() + b"\n\n")
                self.assertFalse(watch.whole or watch.ended, event)

    def test_finish_reason_is_not_the_last_word(self) -> None:
        """A chat stream may end after it, but usage may still be to come: a reset there takes something away."""
        watch = DIALECTS["openai-chat"].watch()
        watch.see(b'data: {"choices":[{"finish_reason":"stop"}]}\n\n')
        self.assertEqual((watch.whole, watch.ended), (True, False))
        watch.see(b"data: [DONE]\n\n")
        self.assertTrue(watch.ended)

    def test_error_events(self) -> None:
        """Each is one whole event, and ends the stream for its own dialect."""
        for name, dialect in DIALECTS.items():
            event = dialect.watch().error(Fault("timeout", 'say "x"\nline'))
            self.assertTrue(event.endswith(b"\n\n"), name)
            self.assertEqual(event.count(b"\n\n"), 1, name)
            other = dialect.watch()
            other.see(event)
            self.assertTrue(other.whole, name)

    def test_responses_failure_goes_on_counting(self) -> None:
        """`response.failed` carries the response that began, and the next sequence number."""
        watch = DIALECTS["openai-responses"].watch()
        watch.see(b'data: {"type":"response.created","sequence_number":0,"response":{"id":"r","output":[]}}\n\n')
        watch.see(b'data: {"type":"x","sequence_number":41}\n\ndata: {"type":"x","sequence_number":42}\n\n')
        name, _, data = watch.error(Fault("rate_limit", "slow down")).partition(b"\n")
        document = json.loads(data.removeprefix(b"data: "))
        self.assertEqual(name, b"event: response.failed")
        self.assertEqual(document["sequence_number"], 43)
        self.assertEqual(document["response"]["error"], {"code": "rate_limit_exceeded", "message": "slow down"})
        self.assertEqual((document["response"]["id"], document["response"]["status"]), ("r", "failed"))

    def test_responses_failure_without_a_response(self) -> None:
        """A plain error event where no response is known."""
        watch = DIALECTS["openai-responses"].watch()
        watch.see(b"data: nonsense\n\n")
        self.assertTrue(watch.error(Fault("server", "x")).startswith(b'event: error\ndata: {"type":"error","sequence_number":0'))


class ErrorBodyTests(SynchronousTestCase):
    """Refusals."""

    def test_statuses(self) -> None:
        """Where the vendors differ."""
        rows = {
            "overloaded": (503, 503, 529, 503),
            "billing": (429, 429, 402, 429),
            "auth": (401, 401, 401, 401),
            "no_provider": (503, 503, 503, 503),
            "too_large": (413, 413, 413, 413),
            "unimplemented": (501, 501, 501, 501),
        }
        for kind, statuses in rows.items():
            fault = Fault(kind, "words")  # type: ignore[arg-type]
            answers = [dialect.error_body(fault, "req_1") for dialect in DIALECTS.values()]
            self.assertEqual(tuple(status for status, _ in answers), statuses)
            for _, body in answers:
                self.assertEqual(json.loads(body)["error"]["message"], "words")

    def test_no_provider(self) -> None:
        """The refusal that clients of each dialect are promised."""
        fault = Fault("no_provider", "No provider available for model: x", code="no_provider", param="model")
        bodies = {name: json.loads(dialect.error_body(fault, "req_1")[1]) for name, dialect in DIALECTS.items()}
        expected = {"message": fault.message, "type": "server_error", "param": "model", "code": "no_provider"}
        self.assertEqual(bodies["openai-chat"]["error"], expected)
        self.assertEqual(bodies["openai-responses"]["error"], expected)
        self.assertEqual(bodies["anthropic"]["error"]["type"], "api_error")
        self.assertEqual(bodies["anthropic"]["request_id"], "req_1")
        self.assertEqual((bodies["gemini"]["error"]["code"], bodies["gemini"]["error"]["status"]), (503, "UNAVAILABLE"))

    def test_retry_info(self) -> None:
        """Gemini tells the delay in its own details."""
        error = json.loads(DIALECTS["gemini"].error_body(Fault("rate_limit", "x", retry_after=1.5), "")[1])["error"]
        self.assertEqual(error["details"][0]["retryDelay"], "1.5s")
