"""Tries a request: read in the client's dialect, it must be written for the provider as the case says it in the provider's."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from llmux import jsonio
from llmux.dialects.registry import DIALECTS
from llmux.dialects.translation import Translation
from llmux.errors import Fault
from tests.golden.comparing import differences
from tests.golden.exchange import Red, context_of, fails, judged, own, settle, stated, unlike_notes
from tests.golden.files import Entry, Pair
from tests.golden.judges import JUDGES
from tests.golden.words import expand


def request(entry: Entry, pair: Pair) -> None:
    client, provider = pair
    wanted = entry.wanted(pair)

    def translation() -> Translation:
        context = context_of(entry, pair, stream=_streams(entry))
        return Translation(DIALECTS[client].rooms, DIALECTS[provider], context)

    if wanted.refused is not None:
        _refused(translation, wanted.refused)
        return
    if wanted.error is not None:
        fails(translation, wanted.error, client)
        return
    found = translation()
    body = own(found.body)
    expected = expand(stated(entry, wanted, provider), provider, attrs.evolve(found.context, turns=0))
    if provider != "gemini":
        expected["model"] = entry.model(provider)
    lines = differences(expected, body)
    lines += unlike_notes(wanted, found.context)
    if wanted.version is not None and found.context.provider_version != wanted.version:
        lines.append(f"sent as version {found.context.provider_version}, expected {wanted.version}")
    if jsonio.dumps(translation().body) != jsonio.dumps(found.body):
        lines.append("the same request gave other bytes the second time")
    lines += judged(JUDGES[provider].request, body)
    settle(lines)


def _refused(act: Callable[[], object], pointer: str) -> None:
    try:
        act()
    except Fault as fault:
        if (fault.kind, fault.param) != ("invalid", pointer):
            raise Red(f"refused as {fault.kind} at {fault.param}, expected so at {pointer}: {fault}") from None
    else:
        raise Red(f"not refused, expected so at {pointer}")


def _streams(entry: Entry) -> bool:
    """Whether a stream is asked for; Gemini's body does not say it."""
    return any(body.get("stream") is True for body in (*entry.says.values(), *entry.come.values()))
