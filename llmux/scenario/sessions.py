"""Who is how far in which script. Memory only, and bounded: the session that was idle longest is forgotten first."""

from __future__ import annotations

from collections import OrderedDict

import attrs

from llmux.scenario.timeline import Script

# Call ids that a session remembers; a client answers the calls of its latest response.
_CALLS = 256


@attrs.define
class Session:
    """One performance: the script that it stays with, and the number of the turn that comes next in order."""

    script: Script | None = None
    cursor: int = 0
    started: bool = False
    spent: set[int] = attrs.Factory(set)  # turns that are errors, and have happened
    calls: OrderedDict[str, int] = attrs.Factory(OrderedDict)  # the turns that gave call ids out

    def remember(self, call_id: str, turn: int) -> None:
        """A call was made in a turn."""
        self.calls[call_id] = turn
        self.calls.move_to_end(call_id)
        while len(self.calls) > _CALLS:
            self.calls.popitem(last=False)


class Sessions:
    """The sessions by name, at most `limit` of them."""

    def __init__(self, limit: int = 10_000) -> None:
        self._limit = limit
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def get(self, name: str) -> Session:
        """The session of that name, a new one if there is none."""
        session = self._sessions.get(name)
        if session is None:
            session = self._sessions[name] = Session()
            while len(self._sessions) > self._limit:
                self._sessions.popitem(last=False)
        self._sessions.move_to_end(name)
        return session
