"""Tries the cases: each cell is one entry of a file between one client and one provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import attrs

from llmux.errors import Fault
from tests.golden import asking, failing, surfaces, telling
from tests.golden.exchange import NOBODY, Red, brief, context_of
from tests.golden.files import ABSENT, NAMES, Case, Entry, Pair


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
            return f"{type(error).__name__}: {brief(error)}"
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
        return surfaces.check(case, entry, pair, context_of)
    if entry.kind == "errors":
        return partial(failing.error, entry, pair) if provider in entry.come and client in entry.told else None
    if entry.kind == "requests":
        if entry.source(client) is ABSENT:
            return None
        if provider not in entry.says and wanted.refused is None and wanted.body is ABSENT and wanted.error is None:
            return None
        return partial(asking.request, entry, pair)
    asked = NOBODY if entry.request is None else case.entry("requests", entry.request)
    if asked.source(client) is ABSENT:
        return None
    if entry.kind == "responses":
        told = client in entry.says or wanted.body is not ABSENT or wanted.error is not None
        return partial(telling.response, entry, asked, pair) if told and entry.source(provider) is not ABSENT else None
    if provider not in entry.come and provider not in entry.raw:
        return None
    told = client in entry.told or pair in entry.events or wanted.body is not ABSENT or wanted.error is not None
    return partial(telling.stream, entry, asked, pair) if told else None
