"""Tries an answer, whole or as a stream: it must be told as the case says it in the client's dialect.

What the provider names as its model is what the client is told, so the model of an expectation is always the one that the
provider said.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import attrs

from llmux.dialects import sse
from llmux.dialects.context import Context
from llmux.dialects.registry import DIALECTS
from llmux.dialects.translation import StreamTranslation, Translation
from llmux.errors import Fault
from tests import grammars
from tests.golden.comparing import differences
from tests.golden.exchange import NOBODY, Red, as_bytes, brief, context_of, fails, faulty, judged, settle, stated, unlike_notes
from tests.golden.files import ABSENT, Entry, Pair
from tests.golden.judges import JUDGES
from tests.golden.words import expand
from tests.grammars import Record

JSON = dict[str, Any]
Begin = Callable[[], tuple[Translation, int]]


def begun(asked: Entry, pair: Pair, *, stream: bool, counted: bool = False) -> tuple[Translation, int]:
    """The exchange that is answered, and how many notes there are of its request."""
    client, provider = pair
    context = context_of(asked, pair, stream=stream)
    if client != "gemini":
        context.asked.pop("stream", None)
    if stream and client != "gemini":
        context.asked["stream"] = True
        if asked is NOBODY and client == "openai-chat" and counted:
            context.asked["stream_options"] = {"include_usage": True}
    translation = Translation(DIALECTS[client].rooms, DIALECTS[provider], context)
    return translation, len(context.notes)


def response(entry: Entry, asked: Entry, pair: Pair) -> None:
    client, provider = pair
    wanted = entry.wanted(pair)
    translation, before = begun(asked, pair, stream=False)
    source = expand(entry.source(provider), provider, translation.context)
    answer = partial(translation.answer, as_bytes(source))
    if wanted.error is not None:
        fails(answer, wanted.error, client)
        return
    told = json.loads(answer())
    expected = expand(stated(entry, wanted, client), client, translation.context)
    lines = _unlike(expected, told, client, _model([source], asked.model(provider)))
    lines += unlike_notes(wanted, translation.context, before)
    lines += judged(JUDGES[client].whole, told)
    settle(lines)


def _unlike(expected: JSON, told: JSON, client: str, model: str) -> list[str]:
    """Where an answer is other than expected. Of a Responses object only the members that are stated count, of tokens too."""
    expected = _named(expected, model)
    if client == "openai-responses":
        told = {name: value for name, value in told.items() if name in expected}
    told = {name: value for name, value in told.items() if name in expected or name not in ("usage", "usageMetadata")}
    return differences(expected, told, answer=True)


def _named(expected: JSON, model: str) -> JSON:
    """The expectation with the model that the provider named."""
    names: JSON = {name: model for name in ("model", "modelVersion") if name in expected}
    inner = {name: _named(expected[name], model) for name in ("message", "response") if isinstance(expected.get(name), dict)}
    return {**expected, **names, **inner}


def _model(records: list[Any], asked: str) -> str:
    for record in records:
        if isinstance(record, dict):
            for node in (record, record.get("message"), record.get("response")):
                named = (node.get("model") or node.get("modelVersion")) if isinstance(node, dict) else None
                if named:
                    return str(named)
    return asked


@attrs.frozen
class _Told:
    """What a client was sent, what broke it off, and the exchange."""

    sent: bytes
    fault: Fault | None
    context: Context


def stream(entry: Entry, asked: Entry, pair: Pair) -> None:
    client, provider = pair
    wanted = entry.wanted(pair)
    begin = partial(begun, asked, pair, stream=True, counted=_counted(entry, pair))
    source = _source(entry, provider, begin)
    whole, pieces = _sent(begin, [source]), _sent(begin, _pieces(source, bytewise=provider in entry.raw))
    lines: list[str] = []
    if wanted.error is None and pieces.fault is not None:
        raise Red(f"broke off with {pieces.fault.kind}, {pieces.fault.code}: {pieces.fault}")
    if wanted.error is not None:
        if pieces.fault is None:
            raise Red(f"no error, expected {wanted.error}")
        lines += faulty(pieces.fault, wanted.error, client)
        lines += [f"sent whole it failed as {whole.fault!r}"] if repr(whole.fault) != repr(pieces.fault) else []
    records = grammars.records(pieces.sent)
    if wanted.error is not None and JUDGES[client].ended(records):
        lines.append("the client takes it for whole")
    model = _model(sse.documents(source), asked.model(provider))
    if client in entry.told or wanted.body is not ABSENT:
        expected = expand(stated(entry, wanted, client), client, pieces.context)
        lines += _accumulated(expected, records, client, pieces.context.asked, model)
        lines += [f"sent whole: {line}" for line in _accumulated(expected, grammars.records(whole.sent), client, {}, model)]
    if pair in entry.events:
        lines += _recorded(expand(entry.events[pair], client, pieces.context), records, model)
    lines += unlike_notes(wanted, pieces.context, begin()[1])
    settle(lines)


def _counted(entry: Entry, pair: Pair) -> bool:
    """Whether a client of Chat Completions that asked nothing in particular is told its tokens: if the case tells them."""
    told = [entry.told.get("openai-chat"), *entry.events.get(pair, ())]
    return any(isinstance(each, dict) and bool(each.get("usage")) for each in told)


def _source(entry: Entry, provider: str, begin: Begin) -> bytes:
    """The provider's stream."""
    if provider in entry.raw:
        return entry.raw[provider].encode("utf-8", "surrogatepass")
    events = []
    for number, record in enumerate(expand(entry.come[provider], provider, begin()[0].context)):
        name = None
        if provider == "openai-responses":
            record = {"sequence_number": number, **record}
        if provider in ("openai-responses", "anthropic"):
            name = record["type"].encode()
        data = record.encode() if isinstance(record, str) else as_bytes(record)
        events.append(sse.event(data, name))
    return b"".join(events)


def _pieces(source: bytes, *, bytewise: bool) -> list[bytes]:
    if bytewise:
        return [source[at : at + 1] for at in range(len(source))]
    return [piece + b"\n\n" for piece in source.split(b"\n\n")[:-1]]


def _sent(begin: Begin, pieces: list[bytes]) -> _Told:
    """Feed a stream as it arrives, as the relay does."""
    translation, _ = begin()
    stream = translation.stream()
    sent: list[bytes] = []
    fault: Fault | None = None
    try:
        framer = sse.Framer()
        for piece in pieces:
            _feed(stream, framer.feed(piece), sent)
        _feed(stream, framer.rest, sent)
        sent.append(stream.close())
        if stream.fault is not None:
            raise stream.fault
    except Fault as broken:
        fault = broken
        sent.append(stream.error(fault))
    return _Told(b"".join(sent), fault, translation.context)


def _feed(stream: StreamTranslation, events: bytes, sent: list[bytes]) -> None:
    if events:
        sent.append(stream.feed(events))
        if stream.fault is not None:
            raise stream.fault


def _accumulated(expected: JSON, records: list[Record], client: str, asked: JSON, model: str) -> list[str]:
    """Where the answer that a client puts together is other than expected. `asked` is {} where its grammar is judged already."""
    if not records:
        return ["the client was told nothing"]
    usage = client == "openai-chat" and any(isinstance(record.data, dict) and "usage" in record.data for record in records)
    try:
        told = JUDGES[client].stream(records, asked or {"stream_options": {"include_usage": usage}})
    except Exception as error:
        return [f"{client} cannot read it: {type(error).__name__}: {brief(error)}"]
    if client == "openai-chat":
        expected, told = _silent(expected), _silent(told)
    return _unlike(expected, told, client, model)


def _silent(completion: JSON) -> JSON:
    """A completion in which a message without content is like one whose content is empty: a stream cannot tell them apart."""
    choices = [
        {**choice, "message": {**choice["message"], "content": choice["message"].get("content") or None}}
        for choice in completion["choices"]
    ]
    return {**completion, "choices": choices}


def _recorded(expected: list[Any], records: list[Record], model: str) -> list[str]:
    """Where the records are other than expected. Of the objects inside only the members that are stated count."""
    told = [record.data for record in records]
    if len(told) != len(expected):
        said = [f"  {json.dumps(each, ensure_ascii=False)}" for each in told]
        return [f"expected {len(expected)} records, got {len(told)}:", *said]
    lines = []
    for number, (want, have) in enumerate(zip(expected, told, strict=True)):
        if isinstance(want, dict) and isinstance(have, dict):
            want = _named(want, model)
            if isinstance(want.get("response"), dict) and isinstance(have.get("response"), dict):
                have = {**have, "response": {name: each for name, each in have["response"].items() if name in want["response"]}}
            have = {name: each for name, each in have.items() if name in want or name not in ("usage", "usageMetadata")}
        lines += differences(want, have, f"events/{number}", answer=True)
    return lines
