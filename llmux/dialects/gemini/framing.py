"""Reads a stream that is one JSON array: what the API sends where nobody asked for server-sent events."""

from __future__ import annotations

import re

# All that matters outside of texts, and what ends a text. Escapes are two characters, so that an escaped quote ends nothing.
_MARKS = re.compile(rb'[{}\[\]"]')
_IN_TEXT = re.compile(rb'\\.|"', re.DOTALL)
_OPENING = b"{["


class ArraySplitter:
    """Cuts `[{...},{...}]` into its members, as they arrive. Objects that follow one another without an array are members too.

    `feed` gives the members that are whole; `rest` is what is open still. Raises ValueError for what is no such stream, and when
    one member grows past `limit` bytes.
    """

    __slots__ = ("_array", "_depth", "_limit", "_over", "_pieces", "_size", "_text", "_torn")

    def __init__(self, limit: int = 64 * 1024 * 1024) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []  # of the member that is open
        self._size = 0
        self._depth = 0  # inside the member
        self._text = False
        self._torn = b""  # a backslash whose other half has not come
        self._array = False
        self._over = False

    @property
    def rest(self) -> bytes:
        """The bytes of the member that is open."""
        return b"".join(self._pieces)

    @property
    def whole(self) -> bool:
        """Whether the sender may stop here: the array is closed, or there is none, and no member is open."""
        return not self._pieces and (self._over or not self._array)

    def feed(self, data: bytes) -> list[bytes]:
        """Take what arrived."""
        if self._torn:
            data, self._torn = self._torn + data, b""
        members: list[bytes] = []
        start, at = 0, 0
        while True:
            found = (_IN_TEXT if self._text else _MARKS).search(data, at)
            if found is None:
                break
            at = found.end()
            mark = found[0]
            if mark == b'"':
                if not self._depth:
                    raise ValueError("a text stands between the members")
                self._text = not self._text
            elif self._text:
                continue
            elif not self._depth and mark != b"{":
                self._outside(mark)
            elif mark in _OPENING:
                if not self._depth:
                    self._check_gap(data[start : at - 1])
                    start = at - 1
                self._depth += 1
            else:
                self._depth -= 1
                if not self._depth:
                    self._pieces.append(data[start:at])
                    members.append(b"".join(self._pieces))
                    self._pieces, self._size, start = [], 0, at
        self._keep(data[start:])
        return members

    def _outside(self, mark: bytes) -> None:
        if mark == b"[" and not self._array and not self._over:
            self._array = True
        elif mark == b"]" and self._array and not self._over:
            self._over = True
        else:
            raise ValueError("this is no array of objects")

    def _check_gap(self, gap: bytes) -> None:
        if self._over or gap.strip(b" \t\r\n,[\xef\xbb\xbf"):
            raise ValueError("this is no array of objects")

    def _keep(self, left: bytes) -> None:
        if not self._depth:
            return
        if self._text and left.endswith(b"\\") and (len(left) - len(left.rstrip(b"\\"))) % 2:
            left, self._torn = left[:-1], b"\\"
        self._pieces.append(left)
        self._size += len(left)
        if self._size > self._limit:
            raise ValueError("a member is larger than the limit")
