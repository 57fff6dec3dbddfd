"""Writes where prompts are cached. The API takes four marks, and longer ones only before shorter ones."""

from __future__ import annotations

from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import Mark

_MOST = 4
# what others say -> what this API says; OpenAI's are the least that is kept, so the longer one stands for them
_TTLS: dict[str, str] = {"5m": "5m", "1h": "1h", "30m": "1h", "12h": "1h"}
_SHORTER = frozenset({"12h"})


class Marks:
    """Gathers the marks of a request with the blocks that they end, in the order of the prompt: tools, system, messages."""

    __slots__ = ("_context", "_found")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._found: list[tuple[Mark, dict[str, Any]]] = []

    def add(self, mark: Mark | None, block: dict[str, Any]) -> None:
        """A block that ends a prefix, unless it has no mark."""
        if mark is not None:
            self._found.append((mark, block))

    def settle(self, automatic: Mark | None) -> dict[str, Any] | None:
        """Write the last marks into their blocks and note the others. Returns the request's own mark, which takes one place."""
        if automatic is None and not self._found:
            return None
        notes = self._context.notes
        most = _MOST - (automatic is not None)
        surplus = len(self._found) - most
        for mark, _ in self._found[: max(surplus, 0)]:
            notes.drop(mark.at, f"Anthropic keeps {_MOST} cache marks, and these are the last")
        kept = self._found[max(surplus, 0) :]
        own = None if automatic is None else self._control(automatic)
        long = own is not None and own.get("ttl") == "1h"
        for mark, block in reversed(kept):
            control = self._control(mark)
            if control.get("ttl") == "1h":
                long = True
            elif long:
                notes.approximate(_lifetime(mark), "kept for an hour, as what is marked behind it")
                control["ttl"] = "1h"
            block["cache_control"] = control
        return own

    def _control(self, mark: Mark) -> dict[str, Any]:
        control: dict[str, Any] = {"type": "ephemeral"}
        if mark.ttl is None:
            return control
        ttl = _TTLS.get(mark.ttl)
        if ttl is None:
            self._context.notes.drop(_lifetime(mark), f"Anthropic keeps nothing for {mark.ttl}")
            return control
        if mark.ttl in _SHORTER:
            self._context.notes.approximate(_lifetime(mark), f"kept for {ttl}, which is the longest")
        control["ttl"] = ttl
        return control


def _lifetime(mark: Mark) -> str:
    """The pointer of how long a mark is kept, or of the mark where it does not say."""
    return mark.at if mark.ttl is None else f"{mark.at}/ttl"
