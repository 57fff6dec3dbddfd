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
    """The arguments of one call, as far as they have come."""

    __slots__ = ("_growing", "_value")

    def __init__(self) -> None:
        self._value: dict[str, Any] = {}
        self._growing: tuple[str | int, ...] | None = None  # the path of the text that goes on

    @property
    def text(self) -> str:
        """The arguments as JSON text."""
        return jsonio.dumps(self._value).decode()

    def feed(self, raw: dict[str, Any]) -> None:
        """One more value. Raises ValueError for a path that leads nowhere."""
        piece = Node(raw, "")
        path = _path(piece.get("jsonPath"))
        name = next((name for name in _VALUES if piece.get(name) is not None), None)
        value = None if name is None or name == "nullValue" else piece.get(name)
        grows = path == self._growing and isinstance(value, str)
        self._growing = path if piece.get("willContinue") is True else None
        if name is None:
            return
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            value = int(value)  # this API writes all numbers as doubles
        _put(self._value, path, value, grows)


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


def _put(root: dict[str, Any], path: tuple[str | int, ...], value: Any, grows: bool) -> None:
    """Set, or lengthen, the value at a path; what leads there is made."""
    node: Any = root
    for step, following in zip(path, (*path[1:], None), strict=True):
        if isinstance(step, int):
            if not isinstance(node, list) or step > len(node):
                raise ValueError("a path leaves out an item")
            if step == len(node):
                node.append(None)
        elif not isinstance(node, dict):
            raise ValueError("a path leads through a value")
        old = node.get(step) if isinstance(step, str) else node[step]
        if following is None:
            node[step] = old + value if grows and isinstance(old, str) else value
        else:
            if old is None:
                old = node[step] = [] if isinstance(following, int) else {}
            node = old
