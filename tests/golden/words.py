"""The words that stand in the case files for what only the runner can compute.

`SEALED(family, kind, payload, text)` is a seal in an envelope, bound to a text, `ID(ordinal, name)` a made-up call id,
`ALIAS(name)` or `ALIAS(namespace/name)` what the provider calls a tool, and `HOLDS(one … other)` any text in which these pieces
stand in this order.
"""

from __future__ import annotations

import base64
import re
from typing import Any

import attrs

from llmux.dialects.context import Context
from llmux.dialects.neutral import Seal

_WORD = re.compile(r"(SEALED|ID|ALIAS|HOLDS)\((.*)\)", re.DOTALL)


@attrs.frozen
class Holds:
    """Any text in which these pieces stand in this order."""

    pieces: tuple[str, ...]

    def within(self, value: Any) -> bool:
        """Whether this is such a text."""
        at = 0
        for piece in self.pieces:
            at = value.find(piece, at) if isinstance(value, str) and at >= 0 else -1
            at = at if at < 0 else at + len(piece)
        return at >= 0


def expand(value: Any, dialect: str, context: Context) -> Any:
    """The value with the words replaced, as a new one. `dialect` is the one in which it is said."""
    if isinstance(value, dict):
        return {name: expand(each, dialect, context) for name, each in value.items()}
    if isinstance(value, list):
        return [expand(each, dialect, context) for each in value]
    found = _WORD.fullmatch(value) if isinstance(value, str) else None
    return value if found is None else _word(found[1], found[2], dialect, context)


def _word(word: str, inside: str, dialect: str, context: Context) -> Any:
    match word:
        case "SEALED":
            family, kind, payload, text = inside.split(", ", 3)
            seal: Any = Seal(family, kind, payload)  # type: ignore[arg-type]  # a file's words are checked where they are used
            envelope = context.seals.wrap(seal, text)
            # Gemini's slot holds bytes, as base64
            return base64.b64encode(envelope.encode()).decode() if dialect == "gemini" else envelope
        case "ID":
            ordinal, _, name = inside.partition(", ")
            return context.made_up_id(int(ordinal), name)
        case "ALIAS":
            namespace, _, name = inside.rpartition("/")
            return context.book.alias(name, namespace)
        case _:
            return Holds(tuple(inside.split(" … ")))
