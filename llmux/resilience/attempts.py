"""The walk over a decision's candidates.

An attempt that never reached its provider (refused, unresolved, too slow to connect) moves on to the next candidate:
nothing was served, nothing was charged, and the client has seen nothing. An answer, whatever its status, ends the walk.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import attrs

from llmux.errors import Fault
from llmux.net.answer import Answer
from llmux.routing.decision import Candidate


@attrs.define
class Attempts:
    """The walk of one exchange; `count` is how many attempts it took so far, `last` who was asked last."""

    count: int = 0
    last: Candidate | None = None

    async def walk(self, candidates: Iterable[Candidate], perform: Callable[[Candidate], Awaitable[Answer]]) -> Answer:
        """Perform attempts until one brings an answer. Raises the last Fault when none does."""
        fault: Fault | None = None
        unreachable: set[str] = set()
        for candidate in candidates:
            if candidate.provider in unreachable:
                continue  # another key of the same provider meets the same closed door
            self.count += 1
            self.last = candidate
            try:
                return await perform(candidate)
            except Unreached as error:
                fault = error.fault
                unreachable.add(candidate.provider)
        raise fault or Fault("no_provider", "there is nobody to ask")


class Unreached(Exception):
    """The provider was not reached; asking somebody else is safe."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault
