"""Where the log goes, and in which form: readable text, or one JSON object a line."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import IO, Any, cast

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

LEVELS = ("debug", "info", "warn", "warning", "error", "critical")
FORMATS = ("text", "json")

# Names that logging itself puts into an event; what else is there was put in by whoever logged.
_ENVELOPE = frozenset(
    {"log_logger", "log_source", "log_format", "log_trace", "log_level", "log_namespace", "log_time", "log_failure", "time"}
    | {"log_system", "system", "isError", "why", "failure", "message", "format", "log_text"}
)


def observer(format_: str, level: str, out: IO[str]) -> ILogObserver:
    """An observer that writes events of `level` and above to `out`."""
    writer = textFileLogObserver(out) if format_ == "text" else json_observer(out)
    threshold = LogLevelFilterPredicate(defaultLogLevel=LogLevel.levelWithName(level))
    filtered: ILogObserver = FilteringLogObserver(writer, [threshold])
    return filtered


def json_observer(out: IO[str]) -> ILogObserver:
    """An observer that writes one JSON object a line."""
    writer: ILogObserver = FileLogObserver(out, json_line)
    return writer


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
