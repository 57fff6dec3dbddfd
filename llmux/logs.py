"""Where the log goes, and in which form: readable text, or one JSON object a line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import IO, Any, cast

from twisted.internet.interfaces import IReactorTime
from twisted.logger import (
    FileLogObserver,
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    eventAsText,
    textFileLogObserver,
)
from twisted.python.logfile import LogFile
from zope.interface import implementer

from llmux.accesslog import WrittenLines
from llmux.config.schema import Log as Settings

LEVELS = ("debug", "info", "warn", "warning", "error", "critical")
FORMATS = ("text", "json")

# Names that logging itself puts into an event; what else is there was put in by whoever logged.
_ENVELOPE = frozenset(
    {"log_logger", "log_source", "log_format", "log_trace", "log_level", "log_namespace", "log_time", "log_failure", "time"}
    | {"log_system", "system", "isError", "why", "failure", "message", "format", "log_text"}
)


@implementer(ILogObserver)
class Log:
    """The log of the daemon: its events and its access lines. All of it may change while it is written.

    `stream` takes what no file is named for. Raises OSError where the file cannot be opened.
    """

    def __init__(self, settings: Settings, stream: IO[str], clock: IReactorTime) -> None:
        self._stream = self._out = stream
        self._journal = is_journal(stream)
        self._path: str | None = None
        self._lost = False
        self.lines = WrittenLines(cast(IO[str], self), settings.format, clock)
        self.change(settings)()

    def __call__(self, event: LogEvent) -> None:
        """Take an event."""
        self._observe(event)

    def change(self, settings: Settings) -> Callable[[], None]:
        """Do all that may fail of a change (OSError), and return what makes it."""
        path = settings.file and os.path.abspath(settings.file)
        opened = self._stream if path is None else None if path == self._path else _append(path)
        form = "journal" if path is None and self._journal and settings.format == "text" else settings.format

        def make() -> None:
            self._switch(opened or self._out)  # None: the file that is open, which may be another one by now (`reopen`)
            self._path = path
            self._observe = observer(form, settings.level, cast(IO[str], self))
            self.lines.change(form, settings.level in ("debug", "info"))

        return make

    def reopen(self) -> None:
        """Open the file by its name again: it was moved away. Raises OSError; then the old one stays."""
        if self._path is not None:
            self._switch(_append(self._path))
        elif isinstance(self._out, LogFile):
            self._out.reopen()

    def write(self, text: str) -> None:
        """Text to wherever the log goes. Where that takes nothing (a full disk), the text is lost, and nothing else."""
        try:
            self._out.write(text)
        except OSError as error:
            self._losing(error)

    def flush(self) -> None:
        """See `write`."""
        try:
            self._out.flush()
            self._lost = False
        except OSError as error:
            self._losing(error)

    def _losing(self, error: OSError) -> None:
        """Tell whoever reads standard error, once for each time that it begins."""
        if not self._lost and sys.__stderr__ is not None:
            with suppress(OSError):
                print(f"llmux: the log cannot be written: {error}", file=sys.__stderr__, flush=True)
        self._lost = True

    def _switch(self, out: IO[str]) -> None:
        if out is not self._out:
            self.lines.flush()
            before, self._out = self._out, out
            if before is not self._stream:
                with suppress(OSError):  # what it could not take is lost; it is closed all the same
                    before.close()


def _append(path: str) -> IO[str]:
    # Readable for the group, which is who looks after logs; what holds no key needs no more. A pipe that nobody reads is an
    # error, and nothing to wait for.
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, 0o640)
    os.set_blocking(descriptor, True)
    return open(descriptor, "a", encoding="utf-8", errors="backslashreplace")


def observer(format_: str, level: str, out: IO[str]) -> ILogObserver:
    """An observer that writes events of `level` and above to `out`."""
    writer = _OBSERVERS[format_](out)
    threshold = LogLevelFilterPredicate(defaultLogLevel=LogLevel.levelWithName(level))
    filtered: ILogObserver = FilteringLogObserver(writer, [threshold])
    return filtered


def json_observer(out: IO[str]) -> ILogObserver:
    """An observer that writes one JSON object a line."""
    writer: ILogObserver = FileLogObserver(out, json_line)
    return writer


def journal_observer(out: IO[str]) -> ILogObserver:
    """An observer that writes lines for systemd's journal."""
    writer: ILogObserver = FileLogObserver(out, journal_line)
    return writer


_OBSERVERS: dict[str, Callable[[IO[str]], ILogObserver]] = {
    "text": textFileLogObserver,
    "json": json_observer,
    "journal": journal_observer,
}

# sd-daemon(3), for the levels that Twisted has.
_PRIORITIES = {"debug": 7, "info": 6, "warn": 4, "error": 3, "critical": 2}


def is_journal(stream: IO[str]) -> bool:
    """Whether a stream leads to systemd's journal (JOURNAL_STREAM, systemd.exec(5))."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return False  # no file at all, or Twisted's own kind
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def journal_line(event: LogEvent) -> str:
    """One event, each of its lines with its priority in front. The journal knows the time itself."""
    level = getattr(event.get("log_level"), "name", "info")
    text = eventAsText(event, includeTimestamp=False)
    return "".join(f"<{_PRIORITIES.get(level, 6)}>{line}\n" for line in text.splitlines())


def json_line(event: LogEvent) -> str:
    """One event as one line: time, level, logger, message, and the fields that it was logged with."""
    line: dict[str, Any] = {
        "time": datetime.fromtimestamp(event.get("log_time") or 0.0, UTC).isoformat(timespec="milliseconds"),
        "level": getattr(event.get("log_level"), "name", "info"),
        "logger": event.get("log_namespace", "-"),
        "message": eventAsText(event, includeTimestamp=False, includeSystem=False),
    }
    for name, value in event.items():
        if name not in _ENVELOPE and name not in line:
            line[name] = value if isinstance(value, str | int | float | bool | None) else str(value)
    return json.dumps(line, ensure_ascii=False, default=str) + "\n"


def destination(twistd: dict[str, Any]) -> IO[str] | None:
    """Where twistd would write its log, by twistd's own options; None where that is not a file (syslog, its own logger)."""
    if twistd.get("syslog") or twistd.get("logger"):
        return None
    name = twistd.get("logfile")
    if name == "-" or (not name and twistd.get("nodaemon")):
        return sys.stdout
    return cast(IO[str], LogFile.fromFullPath(name or "twistd.log"))
