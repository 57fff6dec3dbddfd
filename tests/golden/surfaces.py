"""The cells of the two small surfaces: counted tokens and embeddings."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from llmux import jsonio
from llmux.dialects.context import Context
from llmux.dialects.registry import DIALECTS
from llmux.errors import Fault
from tests.golden.comparing import differences, merged
from tests.golden.files import ABSENT, Case, Entry, Pair

MakeContext = Callable[[Entry, Pair], Context]
Asking = Callable[[], tuple[Any, Context]]


def check(case: Case, entry: Entry, pair: Pair, context: MakeContext) -> Callable[[], None] | None:
    """What tries a pair; None where the entry says nothing of it."""
    client, provider = pair
    surface, _, section = entry.kind.partition("/")
    wanted = entry.wanted(pair)
    special = wanted.refused is not None or wanted.error is not None or wanted.body is not ABSENT
    if section == "requests":
        if entry.source(client) is ABSENT or (provider not in entry.says and not special):
            return None
        return partial(_request, entry, pair, partial(_ask, surface, entry, pair, context))
    if entry.source(provider) is ABSENT or (client not in entry.says and not special):
        return None
    requests = [each for each in case.entries if each.kind == f"{surface}/requests"]
    asked = next((each for each in requests if each.name == entry.request), requests[0])
    if asked.source(client) is ABSENT or provider not in asked.says:
        return None
    return partial(_response, entry, pair, partial(_ask, surface, asked, pair, context))


def _ask(surface: str, entry: Entry, pair: Pair, context: MakeContext) -> tuple[Any, Context]:
    client, provider = pair
    exchange = context(entry, pair)
    if surface == "counts":
        from llmux.dialects import counting

        return counting.translate(DIALECTS[client], DIALECTS[provider], exchange), exchange
    from llmux.dialects import embedding

    action = entry.actions[client]
    return embedding.translate(action, DIALECTS[client], DIALECTS[provider], exchange), exchange


def _request(entry: Entry, pair: Pair, ask: Asking) -> None:
    _, provider = pair
    wanted = entry.wanted(pair)
    try:
        asked, context = ask()
    except Fault as fault:
        if wanted.refused is not None:
            assert (fault.kind, fault.param) == ("invalid", wanted.refused), f"refused as {fault.kind} at {fault.param}: {fault}"
            return
        if wanted.error is None:
            raise
        _same(wanted.error, {"kind": fault.kind, "code": fault.code, "message": fault.message}, stated=True)
        return
    assert wanted.refused is None and wanted.error is None, "neither refused nor failed"
    said = entry.says[provider] if wanted.body is ABSENT else wanted.body
    expected = said if wanted.change is ABSENT else merged(said, wanted.change)
    if provider != "gemini":
        expected = {**expected, "model": entry.model(provider)}
    lines = differences(expected, json.loads(jsonio.dumps(asked.body)))
    notes = [f"{note.action} {note.pointer}" for note in context.notes]
    if sorted(notes) != sorted(wanted.notes):
        lines.append(f"notes {notes}, expected {list(wanted.notes)}")
    if provider in entry.paths and asked.path.decode() != entry.paths[provider]:
        lines.append(f"asked at {asked.path.decode()}, expected {entry.paths[provider]}")
    assert not lines, "\n".join(lines)


def _response(entry: Entry, pair: Pair, ask: Asking) -> None:
    client, provider = pair
    wanted = entry.wanted(pair)
    asked, context = ask()
    before = len(context.notes)
    try:
        told = asked.read(json.loads(json.dumps(entry.source(provider))))
    except Fault as fault:
        if wanted.error is None:
            raise
        _same(wanted.error, {"kind": fault.kind, "code": fault.code, "message": fault.message}, stated=True)
        return
    assert wanted.error is None, "no error"
    said = entry.says[client] if wanted.body is ABSENT else wanted.body
    expected = said if wanted.change is ABSENT else merged(said, wanted.change)
    if "model" in expected:
        expected = {**expected, "model": entry.source(provider).get("model", context.target.model)}
    lines = differences(expected, json.loads(jsonio.dumps(told)))
    notes = [f"{note.action} {note.pointer}" for note in list(context.notes)[before:]]
    if sorted(notes) != sorted(wanted.notes):
        lines.append(f"notes {notes}, expected {list(wanted.notes)}")
    assert not lines, "\n".join(lines)


def _same(expected: Any, told: Any, *, stated: bool) -> None:
    lines = differences(expected, told, stated=stated)
    assert not lines, "\n".join(lines)
