from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from twisted.trial.unittest import TestCase

from llmux.cli import main

REQUEST = {"model": "gpt-5", "seed": 7, "messages": [{"role": "user", "content": "hi é \ud83d"}]}
ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 2},
}
STREAM = (
    'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"m",'
    '"content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":3,"output_tokens":1}}}\n\n'
    'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n'
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hel"}}\n\n'
)


class TranslateTests(TestCase):
    """`llmux translate`, as it is typed."""

    def run_it(self, content: str, *words: str) -> tuple[int, str, str]:
        """Exit status, standard output and standard error."""
        path = Path(self.mktemp())
        path.write_bytes(content.encode("utf-8", "surrogatepass"))
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            ended = self.assertRaises(SystemExit, main, ["translate", *words, str(path)])
        return int(str(ended.code)), out.getvalue(), err.getvalue()

    def test_request(self) -> None:
        status, out, err = self.run_it(
            json.dumps(REQUEST), "--from", "openai-chat", "--to", "anthropic", "--model", "claude-sonnet-4-5"
        )
        body = json.loads(out)
        self.assertEqual((status, body["messages"]), (0, [{"role": "user", "content": "hi é \ud83d"}]))
        self.assertIn("/seed dropped: ", err)
        self.assertIn("/max_tokens invented: ", err)

    def test_strict(self) -> None:
        status, out, err = self.run_it(json.dumps(REQUEST), "--from", "openai-chat", "--to", "anthropic", "--strict")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("/seed", err)

    def test_response(self) -> None:
        status, out, _ = self.run_it(json.dumps(ANSWER), "--from", "anthropic", "--to", "openai-chat", "--response")
        self.assertEqual((status, json.loads(out)["choices"][0]["message"]["content"]), (0, "hello"))

    def test_stream(self) -> None:
        """One that breaks off, too."""
        end = (
            'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},'
            '"usage":{"output_tokens":2}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'
        )
        status, out, _ = self.run_it(STREAM + end, "--from", "anthropic", "--to", "openai-chat", "--stream")
        self.assertEqual(status, 0)
        self.assertIn('"content":"hel"', out)
        self.assertTrue(out.endswith("data: [DONE]\n"))
        status, out, _ = self.run_it(STREAM, "--from", "anthropic", "--to", "openai-chat", "--stream")
        self.assertEqual(status, 0)
        self.assertIn('data: {"error":', out)
        self.assertNotIn("[DONE]", out)

    def test_what_cannot_be_read(self) -> None:
        for content in ("{", "[]", '{"model":"m","messages":7}'):
            status, out, err = self.run_it(content, "--from", "openai-chat", "--to", "anthropic")
            self.assertEqual((status, out), (1, ""), content)
            self.assertTrue(err.startswith("llmux: "), err)

    def test_words(self) -> None:
        for words in (("--from", "klingon", "--to", "anthropic"), ("--to", "anthropic"), ()):
            self.assertEqual(self.run_it("{}", *words)[0], 2, words)
        both = ("--from", "anthropic", "--to", "gemini", "--response", "--stream")
        self.assertEqual(self.run_it("{}", *both)[0], 2)
