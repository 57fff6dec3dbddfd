"""Writes where prompts are cached. The API takes four marks, on the parts of messages."""

from __future__ import annotations

from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import Mark

_MOST = 4
# what others say -> what this API says, which is the least time that a prompt is kept
_TTLS: dict[str, str] = {"5m": "30m", "30m": "30m", "1h": "30m", "12h": "12h"}
_SHORTENED = frozenset({"1h"})
_OF_REQUEST = frozenset({"30m"})


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

    def lose(self, mark: Mark | None, why: str) -> None:
        """A mark where the API takes none."""
        if mark is not None:
            self._context.notes.drop(mark.at, why)

    def settle(self) -> None:
        """Write the last marks into their parts, and note the others."""
        surplus = max(len(self._found) - _MOST, 0)
        for mark, _ in self._found[:surplus]:
            self._context.notes.drop(mark.at, f"the API keeps {_MOST} cache marks, and these are the last")
        for mark, part in self._found[surplus:]:
            written: dict[str, Any] = {"mode": "explicit"}
            ttl = self._ttl(mark)
            if ttl is not None:
                written["ttl"] = ttl
            part["prompt_cache_breakpoint"] = written

    def options(self, automatic: Mark) -> dict[str, Any]:
        """The request's own mark, which leaves the place to the provider."""
        ttl = self._ttl(automatic)
        return {"mode": "implicit"} if ttl not in _OF_REQUEST else {"mode": "implicit", "ttl": ttl}

    def _ttl(self, mark: Mark) -> str | None:
        if mark.ttl is None:
            return None
        ttl = _TTLS.get(mark.ttl)
        if ttl is None:
            self._context.notes.drop(f"{mark.at}/ttl", f"the API keeps nothing for {mark.ttl}")
        elif mark.ttl in _SHORTENED:
            self._context.notes.approximate(f"{mark.at}/ttl", f"kept for at least {ttl}")
        return ttl
