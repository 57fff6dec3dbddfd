"""One line an exchange: who asked for what, who answered, how long it took. Never a key, never a body.

A line through the general log costs as much as relaying the request. So lines are written here, in the form of the log
that they go to, and leave a tick at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import IO, Protocol

import attrs
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger, formatTime

from llmux import jsonio
from llmux.headers import printable

_log = Logger("llmux.access")

# Seconds for which lines may wait for others.
_WAIT = 0.1


@attrs.frozen
class Line:
    """An exchange that is over. Times in seconds, `sent` in bytes of body; `why` says what went wrong ("": nothing).

    `spoken` is the dialect in which a provider was asked where that is not the client's, `notes` what its translation lost.
    """

    time: float
    method: str
    path: str
    peer: str
    client: str
    request_id: str
    status: int
    outcome: str
    seconds: float
    first: float | None
    sent: int
    decision: str
    provider: str
    model: str
    requested: str
    attempts: int
    dialect: str
    why: str
    spoken: str = "-"
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The readable form."""
        return (
            f"{self.status} {self.method} {self.path} {self.decision} {self.provider} {self.model} "
            f"{self.seconds * 1000:.1f} ms {self.outcome}{': ' if self.why else ''}{self.why}"
            f"{f' ({self.dialect} in {self.spoken})' if self.spoken != '-' else ''}{''.join(f'; {note}' for note in self.notes)}"
        )

    @property
    def fields(self) -> dict[str, object]:
        """The structured form."""
        return {
            "method": self.method,
            "path": self.path,
            "peer": self.peer,
            "client": self.client,
            "request_id": self.request_id,
            "status": self.status,
            "outcome": self.outcome,
            "duration_ms": round(self.seconds * 1000, 1),
            "first_byte_ms": None if self.first is None else round(self.first * 1000, 1),
            "sent_bytes": self.sent,
            "decision": self.decision,
            "provider": self.provider,
            "model": self.model,
            "requested_model": self.requested,
            "attempts": self.attempts,
            "dialect": self.dialect,
            "why": self.why,
            "provider_dialect": self.spoken,
            "notes": list(self.notes),
        }


class AccessLog(Protocol):
    """Takes lines."""

    def write(self, line: Line) -> None: ...

    def close(self) -> None:
        """Nothing more comes; what waits leaves."""


class LoggedLines:
    """Access lines through twisted's logging, for observers that somebody else has chosen."""

    def write(self, line: Line) -> None:
        """See `AccessLog`."""
        _log.info("{text}", text=line.text, **line.fields)

    def close(self) -> None:
        """See `AccessLog`."""


class WrittenLines:
    """Access lines straight to the log's file, as text or JSON; or none, for a log that wants none of this level."""

    def __init__(self, out: IO[str], format_: str, clock: IReactorTime) -> None:
        self._out = out
        self._clock = clock
        self._lines: list[str] = []
        self._leaving: IDelayedCall | None = None
        self._render: Callable[[Line], str] | None
        self.change(format_, True)

    def change(self, format_: str, wanted: bool) -> None:
        """From now on in this form, if at all."""
        self._render = _FORMS[format_] if wanted else None

    def write(self, line: Line) -> None:
        """See `AccessLog`."""
        if self._render is None:
            return
        self._lines.append(self._render(line))
        if self._leaving is None:
            self._leaving = self._clock.callLater(_WAIT, self._leave)

    def flush(self) -> None:
        """What waits leaves now."""
        if self._leaving is not None:
            self._leaving.cancel()
            self._leave()

    close = flush

    def _leave(self) -> None:
        self._leaving = None
        lines, self._lines = self._lines, []
        text = "".join(lines)
        try:
            self._out.write(text)
        except UnicodeEncodeError:  # a terminal or file that takes less than Unicode
            self._out.write(text.encode("ascii", "backslashreplace").decode("ascii"))
        self._out.flush()


def _text(line: Line) -> str:
    # The text log's own form: time, source and level, words.
    return f"{_second(int(line.time))} [llmux.access#info] {printable(line.text)}\n"


@lru_cache(maxsize=4)
def _second(time: int) -> str:
    return formatTime(time)


def _json(line: Line) -> str:
    time = datetime.fromtimestamp(line.time, UTC).isoformat(timespec="milliseconds")
    head = {"time": time, "level": "info", "logger": "llmux.access", "message": line.text}
    return jsonio.dumps({**head, **line.fields}).decode() + "\n"


def _journal(line: Line) -> str:
    # With its priority for systemd's journal, which knows the time itself.
    return f"<6>[llmux.access#info] {printable(line.text)}\n"


_FORMS = {"text": _text, "json": _json, "journal": _journal}
