"""Tries the cases: each cell is one entry of a file between one client and one provider.

A request is read in the client's dialect and must be written for the provider exactly as the case says it in the provider's. An
answer, whole or as a stream, must be told as the case says it in the client's. What the provider names as its model is what the
client is told, so the model of an expectation is always the one that the provider said.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import attrs

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.context import Context, Options, Target
from llmux.dialects.notes import Notes
from llmux.dialects.registry import DIALECTS
from llmux.dialects.seals import Seals
from llmux.dialects.translation import StreamTranslation, Translation
from llmux.errors import Fault
from llmux.web.refusals import refusal
from tests import grammars
from tests.golden import surfaces
from tests.golden.comparing import differences, merged
from tests.golden.files import ABSENT, NAMES, Case, Entry, Pair, Wanted
from tests.golden.judges import JUDGES
from tests.golden.words import expand
from tests.grammars import Record

JSON = dict[str, Any]

NOW = 1_700_000_000
KEY = b"golden" * 6
VERSION = "2026-10-21"

# What was asked where a case does not say.
_ASKED: dict[str, JSON] = {
    "openai-chat": {"max_completion_tokens": 256, "messages": [{"role": "user", "content": "Hi"}]},
    "openai-responses": {"max_output_tokens": 256, "input": [{"type": "message", "role": "user", "content": "Hi"}]},
    "anthropic": {"max_tokens": 256, "messages": [{"role": "user", "content": "Hi"}]},
    "gemini": {"generationConfig": {"maxOutputTokens": 256}, "contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
}
_NOBODY = Entry(
    kind="requests",
    name="",
    says=_ASKED,
    come={},
    raw={},
    told={},
    events={},
    cells={},
    models={},
    options={},
    version=None,
    request=None,
    actions={},
    paths={},
)


class Red(AssertionError):
    """A cell that is not as it must be; the message says where."""


@attrs.frozen(kw_only=True)
class Cell:
    """One entry between one client and one provider. `check` raises Red; `skip` says why there is nothing to check."""

    entry: Entry
    pair: Pair
    skip: str | None
    check: Callable[[], None]

    @property
    def name(self) -> str:
        return f"{self.entry.kind}, {self.entry.name}: {self.pair[0]} > {self.pair[1]}"

    def fault(self) -> str | None:
        """What is wrong; None: nothing, or nothing was checked."""
        if self.skip is not None:
            return None
        try:
            self.check()
        except Red as red:
            return str(red)
        except Fault as fault:
            return f"refused as {fault.kind}, {fault.param or fault.code}: {fault.message}"
        except Exception as error:  # whatever it is, the other cells are still to be tried
            return f"{type(error).__name__}: {_brief(error)}"
        return None


def cells(case: Case) -> Iterator[Cell]:
    """The cells of a case: every pair that can carry an entry."""
    for entry in case.entries:
        for client in NAMES:
            for provider in NAMES:
                pair = client, provider
                check = _check(case, entry, pair)
                if check is not None:
                    yield Cell(entry=entry, pair=pair, skip=entry.wanted(pair).skip, check=check)


def _check(case: Case, entry: Entry, pair: Pair) -> Callable[[], None] | None:
    """What tries a pair; None where the entry says nothing of it."""
    client, provider = pair
    wanted = entry.wanted(pair)
    if entry.kind.startswith(("counts/", "embeddings/")):
        return surfaces.check(case, entry, pair, _context)
    if entry.kind == "errors":
        return partial(_error, entry, pair) if provider in entry.come and client in entry.told else None
    if entry.kind == "requests":
        if entry.source(client) is ABSENT:
            return None
        if provider not in entry.says and wanted.refused is None and wanted.body is ABSENT and wanted.error is None:
            return None
        return partial(_request, entry, pair)
    asked = _NOBODY if entry.request is None else case.entry("requests", entry.request)
    if asked.source(client) is ABSENT:
        return None
    if entry.kind == "responses":
        told = client in entry.says or wanted.body is not ABSENT or wanted.error is not None
        return partial(_response, entry, asked, pair) if told and entry.source(provider) is not ABSENT else None
    if provider not in entry.come and provider not in entry.raw:
        return None
    told = client in entry.told or pair in entry.events or wanted.body is not ABSENT or wanted.error is not None
    return partial(_stream, entry, asked, pair) if told else None


# --- requests


def _context(entry: Entry, pair: Pair, *, stream: bool = False) -> Context:
    """The exchange in which an entry's request is sent."""
    client, provider = pair
    options = Options(**entry.options)
    model = entry.model(provider)
    context = Context(
        notes=Notes(strict=options.strict),
        seals=Seals([KEY]),
        target=Target.of(model, options),
        stream=stream,
        version=(entry.version or VERSION) if client == "anthropic" else None,
        now=NOW,
    )
    context.asked = _own(expand(entry.source(client), client, context))
    if client != "gemini":
        context.asked["model"] = entry.model(client)
    return context


def _streams(entry: Entry) -> bool:
    """Whether a stream is asked for; Gemini's body does not say it."""
    return any(body.get("stream") is True for body in (*entry.says.values(), *entry.come.values()))


def _request(entry: Entry, pair: Pair) -> None:
    client, provider = pair
    wanted = entry.wanted(pair)

    def translation() -> Translation:
        context = _context(entry, pair, stream=_streams(entry))
        return Translation(DIALECTS[client].rooms, DIALECTS[provider], context)

    if wanted.refused is not None:
        _refused(translation, wanted.refused)
        return
    if wanted.error is not None:
        _fails(translation, wanted.error, client)
        return
    found = translation()
    body = _own(found.body)
    expected = expand(_stated(entry, wanted, provider), provider, attrs.evolve(found.context, turns=0))
    if provider != "gemini":
        expected["model"] = entry.model(provider)
    lines = differences(expected, body)
    lines += _notes(wanted, found.context)
    if wanted.version is not None and found.context.provider_version != wanted.version:
        lines.append(f"sent as version {found.context.provider_version}, expected {wanted.version}")
    if jsonio.dumps(translation().body) != jsonio.dumps(found.body):
        lines.append("the same request gave other bytes the second time")
    lines += _judged(JUDGES[provider].request, body)
    _settle(lines)


def _stated(entry: Entry, wanted: Wanted, dialect: str) -> Any:
    """What a dialect says, with what is different for the pair."""
    if wanted.body is not ABSENT:
        return wanted.body
    said = entry.told if entry.kind == "streams" else entry.says
    return said[dialect] if wanted.change is ABSENT else merged(said[dialect], wanted.change)


def _refused(act: Callable[[], object], pointer: str) -> None:
    try:
        act()
    except Fault as fault:
        if (fault.kind, fault.param) != ("invalid", pointer):
            raise Red(f"refused as {fault.kind} at {fault.param}, expected so at {pointer}: {fault}") from None
    else:
        raise Red(f"not refused, expected so at {pointer}")


def _fails(act: Callable[[], object], error: JSON, client: str) -> None:
    try:
        act()
    except Fault as fault:
        _settle(_faulty(fault, error, client))
    else:
        raise Red(f"no error, expected {error}")


def _faulty(fault: Fault, error: JSON, client: str) -> list[str]:
    """Where a fault is other than expected."""
    status, body = DIALECTS[client].error_body(fault, "req_golden")
    inner = json.loads(body)["error"]
    told = {
        "kind": fault.kind,
        "code": fault.code,
        "param": fault.param,
        "message": fault.message,
        "status": status,
        "type": inner.get("status" if client == "gemini" else "type"),
    }
    return differences(error, told, "error", stated=True)


# --- answers


def _begun(asked: Entry, pair: Pair, *, stream: bool) -> tuple[Translation, int]:
    """The exchange that is answered, and how many notes there are of its request."""
    client, provider = pair
    context = _context(asked, pair, stream=stream)
    if client != "gemini":
        context.asked.pop("stream", None)
    if stream and client != "gemini":
        context.asked["stream"] = True
        if asked is _NOBODY and client == "openai-chat":
            context.asked["stream_options"] = {"include_usage": True}
    translation = Translation(DIALECTS[client].rooms, DIALECTS[provider], context)
    return translation, len(context.notes)


def _response(entry: Entry, asked: Entry, pair: Pair) -> None:
    client, provider = pair
    wanted = entry.wanted(pair)
    translation, before = _begun(asked, pair, stream=False)
    source = expand(entry.source(provider), provider, translation.context)
    answer = partial(translation.answer, _bytes(source))
    if wanted.error is not None:
        _fails(answer, wanted.error, client)
        return
    told = json.loads(answer())
    expected = expand(_stated(entry, wanted, client), client, translation.context)
    lines = _unlike(expected, told, client, _model([source], asked.model(provider)))
    lines += _notes(wanted, translation.context, before)
    lines += _judged(JUDGES[client].whole, told)
    _settle(lines)


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


# --- streams


@attrs.frozen
class _Told:
    """What a client was sent, what broke it off, and the exchange."""

    sent: bytes
    fault: Fault | None
    context: Context


def _stream(entry: Entry, asked: Entry, pair: Pair) -> None:
    client, provider = pair
    wanted = entry.wanted(pair)
    _, before = _begun(asked, pair, stream=True)
    source = _source(entry, pair, asked)
    whole, pieces = _sent(asked, pair, [source]), _sent(asked, pair, _pieces(source, bytewise=provider in entry.raw))
    lines: list[str] = []
    if wanted.error is None and pieces.fault is not None:
        raise Red(f"broke off with {pieces.fault.kind}, {pieces.fault.code}: {pieces.fault}")
    if wanted.error is not None:
        if pieces.fault is None:
            raise Red(f"no error, expected {wanted.error}")
        lines += _faulty(pieces.fault, wanted.error, client)
        lines += [f"sent whole it failed as {whole.fault!r}"] if repr(whole.fault) != repr(pieces.fault) else []
    records = grammars.records(pieces.sent)
    if wanted.error is not None and JUDGES[client].ended(records):
        lines.append("the client takes it for whole")
    model = _model(_documents(source), asked.model(provider))
    if client in entry.told or wanted.body is not ABSENT:
        expected = expand(_stated(entry, wanted, client), client, pieces.context)
        lines += _accumulated(expected, records, client, pieces.context.asked, model)
        lines += [f"sent whole: {line}" for line in _accumulated(expected, grammars.records(whole.sent), client, {}, model)]
    if pair in entry.events:
        lines += _recorded(expand(entry.events[pair], client, pieces.context), records, model)
    lines += _notes(wanted, pieces.context, before)
    _settle(lines)


def _source(entry: Entry, pair: Pair, asked: Entry) -> bytes:
    """The provider's stream."""
    _, provider = pair
    if provider in entry.raw:
        return entry.raw[provider].encode("utf-8", "surrogatepass")
    translation, _ = _begun(asked, pair, stream=True)
    events = []
    for number, record in enumerate(expand(entry.come[provider], provider, translation.context)):
        name = None
        if provider == "openai-responses":
            record = {"sequence_number": number, **record}
        if provider in ("openai-responses", "anthropic"):
            name = record["type"].encode()
        data = record.encode() if isinstance(record, str) else _bytes(record)
        events.append(sse.event(data, name))
    return b"".join(events)


def _pieces(source: bytes, *, bytewise: bool) -> list[bytes]:
    if bytewise:
        return [source[at : at + 1] for at in range(len(source))]
    return [piece + b"\n\n" for piece in source.split(b"\n\n")[:-1]]


def _sent(asked: Entry, pair: Pair, pieces: list[bytes]) -> _Told:
    """Feed a stream as it arrives, as the relay does."""
    translation, _ = _begun(asked, pair, stream=True)
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
        if any(sent):
            sent.append(stream.error(fault))
    return _Told(b"".join(sent), fault, translation.context)


def _feed(stream: StreamTranslation, events: bytes, sent: list[bytes]) -> None:
    if events:
        sent.append(stream.feed(events))
        if stream.fault is not None:
            raise stream.fault


def _documents(source: bytes) -> list[JSON]:
    return sse.documents(source)


def _accumulated(expected: JSON, records: list[Record], client: str, asked: JSON, model: str) -> list[str]:
    """Where the answer that a client puts together is other than expected. `asked` is {} where its grammar is judged already."""
    if not records:
        return ["the client was told nothing"]
    usage = client == "openai-chat" and any(isinstance(record.data, dict) and "usage" in record.data for record in records)
    try:
        told = JUDGES[client].stream(records, asked or {"stream_options": {"include_usage": usage}})
    except Exception as error:
        return [f"{client} cannot read it: {type(error).__name__}: {_brief(error)}"]
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


# --- errors


def _error(entry: Entry, pair: Pair) -> None:
    client, provider = pair
    answer = entry.come[provider]
    fields = [(name.lower().encode(), str(value).encode()) for name, value in answer.get("headers", {}).items()]
    body = answer["text"].encode() if "text" in answer else _bytes(answer["body"])
    fault = DIALECTS[provider].read_error(answer["status"], fields, body)
    status, headers, told = refusal(client, fault, "req_golden")
    expected, change = entry.told[client], entry.wanted(pair).change
    if change is not ABSENT:
        expected = merged(expected, change)
    lines = differences(expected["status"], status, "status")
    said = json.loads(told)
    if "request_id" in said and "request_id" not in expected["body"]:
        del said["request_id"]  # ours
    lines += differences(_unlisted(expected["body"]), _unlisted(said))
    named = {name.decode(): value.decode() for name, value in headers}
    for name, value in expected.get("headers", {}).items():
        if name != "request-id":  # ours again
            lines += differences(value, named.get(name), name) if value is not None else [f"{name} is there"] * (name in named)
    _settle(lines)


def _unlisted(body: JSON) -> JSON:
    """An error of whose details nothing is said: an empty list is as good as none."""
    error = body.get("error")
    if isinstance(error, dict) and error.get("details") == []:
        return {**body, "error": {name: value for name, value in error.items() if name != "details"}}
    return body


# --- common


def _own(value: Any) -> Any:
    """A copy, as JSON."""
    return json.loads(jsonio.dumps(value))


def _bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _notes(wanted: Wanted, context: Context, before: int = 0) -> list[str]:
    """Where the notes are other than expected, beside those of the request."""
    told = {f"{note.action} {note.pointer}": note.why for note in list(context.notes)[before:]}
    missing = [f"no note: {note}" for note in wanted.notes if note not in told]
    return missing + [f"unexpected note: {note} ({why})" for note, why in told.items() if note not in wanted.notes]


def _judged(judge: Callable[[JSON], object], body: JSON) -> list[str]:
    try:
        judge(body)
    except Exception as error:
        return [f"the SDK does not take it: {type(error).__name__}: {_brief(error)}"]
    return []


def _brief(error: Exception) -> str:
    text = str(error)
    return text if len(text) <= 600 else f"{text[:600]}…"


def _settle(lines: list[str]) -> None:
    if lines:
        raise Red("\n".join(lines))
