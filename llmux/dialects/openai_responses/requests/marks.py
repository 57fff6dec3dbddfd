"""Writes where prompts are cached. The API takes four marks, on what the client says."""

from __future__ import annotations

from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import Mark

_MOST = 4
# what others say -> the least time that this API keeps a prefix
_TTLS = {"5m": "30m", "30m": "30m", "1h": "30m", "12h": "12h"}


class Marks:
    """Gathers the marks of a request with the parts that they end, in the order of the prompt."""

    __slots__ = ("_context", "_found")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._found: list[tuple[Mark, dict[str, Any]]] = []

    def add(self, mark: Mark | None, part: dict[str, Any]) -> None:
        """A part that ends a prefix, unless it has no mark."""
        if mark is not None:
            self._found.append((mark, part))

    def settle(self) -> None:
        """Write the last marks into their parts and note the others."""
        surplus = max(len(self._found) - _MOST, 0)
        for mark, _ in self._found[:surplus]:
            self._context.notes.drop(mark.at, f"OpenAI keeps {_MOST} cache marks, and these are the last")
        for mark, part in self._found[surplus:]:
            part["prompt_cache_breakpoint"] = {"mode": "explicit"} | self.lifetime(mark)

    def lifetime(self, mark: Mark) -> dict[str, str]:
        """For how long, if the mark says so."""
        if mark.ttl is None:
            return {}
        if mark.ttl not in _TTLS:
            self._context.notes.drop(f"{mark.at}/ttl", f"OpenAI keeps nothing for {mark.ttl}")
            return {}
        if mark.ttl == "1h":
            self._context.notes.approximate(f"{mark.at}/ttl", "kept for 30 minutes at least")
        return {"ttl": _TTLS[mark.ttl]}
