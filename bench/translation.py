#!/usr/bin/env python3
"""What a translation costs: CPU microseconds on one core, the median of many rounds.

    python bench/translation.py [--rounds N]

The three figures that count: a Messages request of 1 KB to Chat Completions and its reply of 1 KB back; one streamed event, from
the provider's bytes to the client's; and a request of 2 MB in 400 messages. The pairs below them show where the others stand.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from llmux import jsonio
from llmux.dialects.context import Context, Target
from llmux.dialects.registry import DIALECTS
from llmux.dialects.seals import Seals
from llmux.dialects.translation import Translation

SEALS = Seals((b"bench",))
MODELS = {
    "openai-chat": "gpt-5.1",
    "openai-responses": "gpt-5.1",
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-3-pro-preview",
}
VERSION = "2023-06-01"  # every client of Anthropic's names one
WORDS = "The quick brown fox jumps over the lazy dog and runs away. "
SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}, "line": {"type": "integer"}}, "required": ["path"]}
TOOLS: dict[str, list[dict[str, Any]]] = {
    "openai-chat": [{"type": "function", "function": {"name": "read", "description": "Reads.", "parameters": SCHEMA}}],
    "anthropic": [{"name": "read", "description": "Reads.", "input_schema": SCHEMA}],
}

REQUESTS: dict[str, dict[str, Any]] = {
    "openai-chat": {
        "messages": [{"role": "system", "content": WORDS * 4}, {"role": "user", "content": WORDS * 8}],
        "max_completion_tokens": 1024,
    },
    "openai-responses": {
        "instructions": WORDS * 4,
        "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": WORDS * 8}]}],
        "max_output_tokens": 1024,
    },
    "anthropic": {
        "system": [{"type": "text", "text": WORDS * 4}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": WORDS * 8}]}],
        "max_tokens": 1024,
    },
    "gemini": {
        "systemInstruction": {"parts": [{"text": WORDS * 4}]},
        "contents": [{"role": "user", "parts": [{"text": WORDS * 8}]}],
        "generationConfig": {"maxOutputTokens": 1024},
    },
}

REPLIES: dict[str, dict[str, Any]] = {
    "openai-chat": {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1700000000,
        "model": "gpt-5.1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": WORDS * 12}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 200, "completion_tokens": 180, "total_tokens": 380},
    },
    "anthropic": {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": WORDS * 12}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 200, "output_tokens": 180},
    },
    "gemini": {
        "responseId": "1",
        "modelVersion": "gemini-3-pro-preview",
        "candidates": [{"content": {"role": "model", "parts": [{"text": WORDS * 12}]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 200, "candidatesTokenCount": 180, "totalTokenCount": 380},
    },
    "openai-responses": {
        "id": "resp_1",
        "object": "response",
        "created_at": 1700000000,
        "status": "completed",
        "model": "gpt-5.1",
        "output": [
            {
                "id": "msg_1",
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [{"type": "output_text", "text": WORDS * 12, "annotations": [], "logprobs": []}],
            }
        ],
        "usage": {
            "input_tokens": 200,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 180,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 380,
        },
    },
}


def _chat(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "gpt-5.1"}
    return b"data: %b\n\n" % jsonio.dumps({**head, "choices": [choice]})


def _named(event: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), jsonio.dumps(event))


def _gemini(text: str) -> bytes:
    candidate = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    record = {"candidates": [candidate], "usageMetadata": {"promptTokenCount": 9}, "modelVersion": "gemini-3", "responseId": "1"}
    return b"data: %b\n\n" % jsonio.dumps(record)


# provider -> how a stream begins, and one event in the middle of it
STREAMS: dict[str, tuple[bytes, bytes]] = {
    "openai-chat": (_chat({"role": "assistant", "content": ""}) + _chat({"content": "a"}), _chat({"content": " token"})),
    "anthropic": (
        _named({"type": "message_start", "message": {**REPLIES["anthropic"], "content": [], "stop_reason": None}})
        + _named({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
        + _named({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}}),
        _named({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " token"}}),
    ),
    "openai-responses": (
        _named({"type": "response.created", "sequence_number": 0, "response": {**REPLIES["openai-responses"], "output": []}})
        + _named(
            {
                "type": "response.output_item.added",
                "sequence_number": 1,
                "output_index": 0,
                "item": {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []},
            }
        )
        + _named(
            {
                "type": "response.content_part.added",
                "sequence_number": 2,
                "item_id": "msg_1",
                "output_index": 0,
                "content_index": 0,
                "part": {"type": "output_text", "text": "", "annotations": [], "logprobs": []},
            }
        ),
        _named(
            {
                "type": "response.output_text.delta",
                "sequence_number": 3,
                "item_id": "msg_1",
                "output_index": 0,
                "content_index": 0,
                "delta": " token",
                "logprobs": [],
            }
        ),
    ),
    "gemini": (_gemini("a"), _gemini(" token")),
}


def translation(client: str, provider: str, body: bytes, stream: bool = False) -> Translation:
    """A client's request, read and written for a provider."""
    dialect = DIALECTS[client]
    context = Context(seals=SEALS, target=Target.of(MODELS[provider]), asked=dialect.loads(body), stream=stream, version=VERSION)
    return Translation(dialect.rooms, DIALECTS[provider], context)


def exchange(client: str, provider: str) -> Callable[[], object]:
    """A request there and its reply back, as bytes."""
    body, reply = jsonio.dumps({"model": "m", **REQUESTS[client]}), jsonio.dumps(REPLIES[provider])

    def run() -> None:
        made = translation(client, provider, body)
        jsonio.dumps(made.body)
        made.answer(reply)

    return run


def large(client: str, provider: str) -> Callable[[], object]:
    """A request of 2 MB in 400 messages, tool calls and results among them."""
    text = WORDS * 120
    if client == "anthropic":
        messages: list[dict[str, Any]] = []
        for turn in range(100):
            call = {"type": "tool_use", "id": f"toolu_{turn}", "name": "read", "input": {"path": "a.py", "line": turn}}
            result = {"type": "tool_result", "tool_use_id": f"toolu_{turn}", "content": text}
            messages += (
                {"role": "user", "content": [{"type": "text", "text": text}]},
                {"role": "assistant", "content": [{"type": "text", "text": WORDS}, call]},
                {"role": "user", "content": [result]},
                {"role": "assistant", "content": [{"type": "text", "text": text}]},
            )
        messages.append({"role": "user", "content": "go on"})
    else:
        messages = []
        for turn in range(100):
            function = {"name": "read", "arguments": '{"path":"a.py"}'}
            messages += (
                {"role": "user", "content": text},
                {
                    "role": "assistant",
                    "content": WORDS,
                    "tool_calls": [{"id": f"call_{turn}", "type": "function", "function": function}],
                },
                {"role": "tool", "tool_call_id": f"call_{turn}", "content": text},
                {"role": "assistant", "content": text},
            )
        messages.append({"role": "user", "content": "go on"})
    body = jsonio.dumps({"model": "m", **REQUESTS[client], "tools": TOOLS[client], "messages": messages})
    return lambda: jsonio.dumps(translation(client, provider, body).body)


def event(client: str, provider: str) -> Callable[[], object]:
    """One event in the middle of a stream, alone in its read."""
    begin, middle = STREAMS[provider]
    body = jsonio.dumps({"model": "m", "stream": True, **REQUESTS[client]})
    stream = translation(client, provider, body, stream=True).stream()
    stream.feed(begin)
    assert b" token" in stream.feed(middle)
    return lambda: stream.feed(middle)


def cost(run: Callable[[], object], rounds: int, times: int) -> float:
    """CPU microseconds of one run: the median of some rounds."""
    figures = []
    for _ in range(rounds):
        begin = time.process_time_ns()
        for _ in range(times):
            run()
        figures.append((time.process_time_ns() - begin) / times / 1000)
    return statistics.median(figures)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    gc.freeze()
    rows = [
        ("1 KB request and reply", exchange, 2000, 1.0, "µs", 40.0),
        ("one streamed event", event, 20000, 1.0, "µs", 5.0),
        ("2 MB request, 400 messages", large, 5, 1000.0, "ms", 12.0),
    ]
    for title, make, times, unit, word, wanted in rows:
        figure = cost(make("anthropic", "openai-chat"), rounds, times) / unit
        print(f"{title:28} anthropic client, openai-chat provider   {figure:7.2f} {word}  (at most {wanted:g})")
    print()
    for title, make, times in (("request and reply, µs", exchange, 500), ("event, µs", event, 5000)):
        print(f"{title:24}" + "".join(f"{provider:>18}" for provider in DIALECTS))
        for client in DIALECTS:
            figures = [cost(make(client, provider), 5, times) if client != provider else None for provider in DIALECTS]
            print(f"{client:24}" + "".join(f"{'-' if each is None else f'{each:.1f}':>18}" for each in figures))


if __name__ == "__main__":
    main()
