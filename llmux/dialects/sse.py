"""Server-sent events, as bytes."""

from __future__ import annotations

import re
from typing import Any

from llmux import jsonio

# A blank line ends an event; each of the three line ends that the standard allows may make one.
_BLANK_LINES = (b"\n\n", b"\r\n\r\n", b"\r\r")
_TAIL = 3


class Framer:
    """Cuts a byte stream after whole events, changing no byte.

    `feed` returns the bytes up to the last blank line seen so far (b"" if none) and keeps the rest. `rest` is what is
    still open. Raises ValueError when one event grows past `limit` bytes.
    """

    __slots__ = ("_limit", "_pieces", "_size", "_tail")

    def __init__(self, limit: int = 64 * 1024 * 1024) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._tail = b""
        self._limit = limit

    @property
    def rest(self) -> bytes:
        """The bytes after the last whole event."""
        return b"".join(self._pieces)

    def feed(self, data: bytes) -> bytes:
        """Take what arrived; return what is whole."""
        if not self._pieces and data.endswith(b"\n\n"):
            return data
        # A blank line may lie across the cut, but only the last bytes of what was kept can belong to it.
        probe = self._tail + data
        end = max(_after(probe, blank) for blank in _BLANK_LINES)
        if end < 0:
            self._keep(data, probe)
            return b""
        cut = end - len(self._tail)
        self._pieces.append(data[:cut])
        whole = b"".join(self._pieces)
        self._pieces = []
        self._size = 0
        self._tail = b""
        if cut < len(data):
            self._keep(data[cut:], data[cut:])
        return whole

    def _keep(self, data: bytes, probe: bytes) -> None:
        self._pieces.append(data)
        self._size += len(data)
        self._tail = probe[-_TAIL:]
        if self._size > self._limit:
            raise ValueError("an event is larger than the limit")


def _after(buffer: bytes, blank: bytes) -> int:
    at = buffer.rfind(blank)
    return at + len(blank) if at >= 0 else -1


def payloads(events: bytes) -> list[bytes]:
    """The data of whole events, one item an event that has any."""
    lines = events.split(b"\n")
    # nearly every read holds one event: a line of data, with or without a name before it
    match lines:
        case [line, b"", b""] if line.startswith(b"data: "):
            return [line[6:]]
        case [name, line, b"", b""] if line.startswith(b"data: ") and name.startswith(b"event:"):
            return [line[6:]]
    if events.startswith(_BOM) or b"\r" in events:
        lines = _LINE_END.split(events.removeprefix(_BOM))
    found: list[bytes] = []
    data: bytes | None = None
    for line in lines:
        if line.startswith(b"data:"):
            said = line[6:] if line.startswith(b" ", 5) else line[5:]
            data = said if data is None else b"%b\n%b" % (data, said)
        elif not line and data is not None:
            found.append(data)
            data = None
    if data is not None:  # the last event may lack its blank line
        found.append(data)
    return found


_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


def documents(events: bytes) -> list[dict[str, Any]]:
    """The JSON objects among the data of whole events; what is none is left out."""
    found = []
    for data in payloads(events):
        try:
            document = jsonio.loads(data)
        except ValueError:
            continue
        if isinstance(document, dict):
            found.append(document)
    return found


def event(data: bytes, name: bytes | None = None) -> bytes:
    """One event. `data` holds no line end, as compact JSON does not."""
    if name is None:
        return b"data: %b\n\n" % data
    return b"event: %b\ndata: %b\n\n" % (name, data)
