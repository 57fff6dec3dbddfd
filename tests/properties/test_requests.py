from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import TestCase

from llmux import jsonio
from llmux.dialects.neutral import Item, Message, Request, Text, ToolCall, ToolResult, plain
from llmux.dialects.registry import DIALECTS
from llmux.dialects.tools import Book
from llmux.dialects.translation import Translation
from tests.properties.generated import MODELS, context, requests

DIALECT = st.sampled_from(list(DIALECTS))


def written(dialect: str, request: Request) -> bytes:
    """The bytes of a request in a dialect."""
    made = context(dialect)
    made.book = Book(DIALECTS[dialect].names, request.tools, request.items)
    return jsonio.dumps(DIALECTS[dialect].rooms.write_request(request, made))


def parsed(dialect: str, body: bytes) -> Request:
    """The request in the bytes of a dialect's client."""
    doc = jsonio.loads(body)
    version = "2026-10-21" if dialect == "anthropic" else None
    made = context(dialect, doc)
    made.version = version
    request = DIALECTS[dialect].rooms.parse_request(doc, made)
    return msgspec.structs.replace(request, model=MODELS[dialect])


def core(request: Request) -> list[tuple[Any, ...]]:
    """What every dialect has words for: who says what, which tools are called with what, what they gave back; and the tools."""
    said: list[tuple[Any, ...]] = []
    for item in request.items:
        said += _core(item)
    merged: list[tuple[Any, ...]] = []
    for each in said:  # neighbours of one speaker are one turn for some, and several for others
        if merged and each[0] in ("user", "assistant", "system") and merged[-1][0] == each[0]:
            merged[-1] = (each[0], f"{merged[-1][1]}\n{each[1]}")
        else:
            merged.append(each)
    tools = [("tool", tool.name, tool.description, jsonio.dumps(tool.schema)) for tool in request.tools]
    return [*merged, *tools, ("choice", request.policy.mode, request.policy.names), ("most", request.sampling.max_out)]


def _core(item: Item) -> list[tuple[Any, ...]]:
    if isinstance(item, Message):
        role = "system" if item.role == "developer" else item.role
        return [(role, part.text if isinstance(part, Text) else "[picture]") for part in item.parts]
    if isinstance(item, ToolCall):
        return [("call", item.call_id, item.name, jsonio.loads((item.args_text or "{}").encode()))]
    if isinstance(item, ToolResult):
        return [("result", item.call_id, plain(item.parts), item.is_error)]
    return []


class RequestTests(TestCase):
    """Any conversation, any dialects."""

    @given(requests(), DIALECT)
    def test_canonical_form_is_stable(self, request: Request, dialect: str) -> None:
        """What a writer wrote, its own parser and writer give again."""
        body = written(dialect, request)
        self.assertEqual(written(dialect, parsed(dialect, body)), body)

    @given(requests(), DIALECT, DIALECT)
    def test_there_and_back(self, request: Request, client: str, provider: str) -> None:
        """Through another dialect and back, nothing is lost of what all of them can say."""
        first = parsed(client, written(client, request))
        second = parsed(provider, written(provider, first))
        third = parsed(client, written(client, second))
        sent = core(first)
        for told in (second, third):
            got = core(told)
            if first.sampling.max_out is None:  # some APIs insist on a number
                got[-1] = sent[-1]
            self.assertEqual(_comparable(got), _comparable(sent))

    @given(requests(), DIALECT, DIALECT)
    def test_same_request_same_bytes(self, request: Request, client: str, provider: str) -> None:
        """Twice, in two processes' worth of objects."""
        body = written(client, request)
        version = "2026-10-21" if client == "anthropic" else None
        twice = []
        for _ in range(2):
            made = context(provider, jsonio.loads(body))
            made.version = version
            translation = Translation(DIALECTS[client].rooms, DIALECTS[provider], made)
            twice.append((jsonio.dumps(translation.body), [str(note) for note in made.notes]))
        self.assertEqual(twice[0], twice[1])


def _comparable(told: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    # an unforced choice may be said or left unsaid
    return [("choice", None, ()) if row[0] == "choice" and row[1] == "auto" else row for row in told]
