"""Arguments that arrive in pieces: Vertex tells the value at a path, or a piece of a text there, one after the other."""

from __future__ import annotations

import re
from typing import Any

from llmux import jsonio
from llmux.dialects.gemini.spelling import Node

# The steps of a JSON path: `.name`, `[0]`, `['name']`.
_STEP = re.compile(r"""\.([^.\[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]""")
_VALUES = ("stringValue", "numberValue", "boolValue", "nullValue")


class PartialArguments:
    """The arguments of one call, told as JSON text while they come. They come in the order in which the model writes them, so
    whoever goes back to what is closed already says nothing that could be read.
    """

    __slots__ = ("_keys", "_last", "_open")

    def __init__(self) -> None:
        self._last: tuple[str | int, ...] = ()  # the path of the last value
        self._open = False  # that value is a text which goes on
        self._keys: list[set[str]] = [set()]  # the members of each object around it, the outermost first; none of a list

    def feed(self, raw: dict[str, Any]) -> str:
        """One more value: the text that it adds. Raises ValueError for a path that leads nowhere."""
        piece = Node(raw, "")
        path = _path(piece.get("jsonPath"))
        name = next((name for name in _VALUES if piece.get(name) is not None), None)
        value = None if name is None or name == "nullValue" else piece.get(name)
        goes_on = piece.get("willContinue") is True
        if self._open and path == self._last and (name is None or isinstance(value, str)):
            self._open = goes_on
            return jsonio.dumps(value or "").decode()[1:-1] + ("" if goes_on else '"')
        if name is None:
            return ""
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            value = int(value)  # this API writes all numbers as doubles
        written = self._step(path) + jsonio.dumps(value).decode()
        self._last, self._open = path, goes_on and isinstance(value, str)
        return written.removesuffix('"') if self._open else written

    def end(self) -> str:
        """What closes all of it."""
        return self._closed(0) + "}" if self._last else "{}"

    def _step(self, path: tuple[str | int, ...]) -> str:
        """What stands between the last value and the one at `path`."""
        last, common = self._last, 0
        while common < min(len(path), len(last)) - 1 and path[common] == last[common]:
            common += 1
        if last and path[common] == last[common]:
            raise ValueError("a path leads through a value, or to one that was told")
        told = self._closed(common) + "," if last else "{"
        for depth in range(common, len(path)):
            step, fresh = path[depth], depth > common or not last
            if isinstance(step, int):
                before = -1 if fresh else last[depth]
                if not isinstance(before, int) or step != before + 1:
                    raise ValueError("a path leaves out an item")
            else:
                if (not fresh and isinstance(last[depth], int)) or step in self._keys[depth]:
                    raise ValueError("a path leads through a value, or to one that was told")
                self._keys[depth].add(step)
                told += jsonio.dumps(step).decode() + ":"
            if depth + 1 < len(path):
                told += "[" if isinstance(path[depth + 1], int) else "{"
                self._keys.append(set())
        return told

    def _closed(self, depth: int) -> str:
        """What closes the text that is open, and all that is open below the container at `depth`."""
        told = '"' if self._open else ""
        self._open = False
        for step in reversed(self._last[depth + 1 :]):
            told += "]" if isinstance(step, int) else "}"
            self._keys.pop()
        return told


def _path(text: object) -> tuple[str | int, ...]:
    if not isinstance(text, str) or not text.startswith("$"):
        raise ValueError(f"{text!r} is no path")
    steps: list[str | int] = []
    at = 1
    while at < len(text):
        step = _STEP.match(text, at)
        if step is None:
            raise ValueError(f"{text!r} is no path")
        name, index, single, double = step.groups()
        if index is not None:
            steps.append(int(index))
        else:
            steps.append(name if name is not None else re.sub(r"\\(.)", r"\1", single if single is not None else double))
        at = step.end()
    if not steps or isinstance(steps[0], int):
        raise ValueError(f"{text!r} leads into no argument")
    return tuple(steps)
