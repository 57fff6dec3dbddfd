"""Envelopes in a request whose provider speaks the client's own dialect.

Such a request travels as it came. But a client whose last turns were answered by another provider gives back what was sealed for
that one, and this one would refuse it. Seals of its own family are unwrapped, others are taken out, and nothing else is touched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from llmux import jsonio
from llmux.dialects.neutral import Seal
from llmux.dialects.notes import Notes
from llmux.dialects.reading import token
from llmux.dialects.seals import Seals


@attrs.frozen
class Slot:
    """A place in an object of a request where a seal stands: `member` holds the `envelope`, or what is no envelope.

    `native` is the seal that belongs there, `text` what is visible beside it. A seal that goes takes the object with it, unless
    that is `worth` something without; `instead` is what stands for one that the object cannot be without.
    """

    member: str
    envelope: str
    native: Seal
    text: str = ""
    worth: bool = False
    instead: str | None = None


# Finds the slot of an object, if it has one.
Sealed = Callable[[dict[str, Any]], Slot | None]

_GONE = object()
_DEEPEST = 200  # as deep as any client nests
# What nothing is left of without.
_CONTENT = frozenset({"content", "parts"})


def unsealed(body: bytes, sealed: Sealed, mark: bytes, seals: Seals, notes: Notes) -> bytes:
    """The body as the provider may have it. `mark` is how envelopes begin in it. Raises Fault where strict notes let none go."""
    if mark not in body:
        return body
    document = jsonio.loads(body)
    if jsonio.deeper_than(document, _DEEPEST):
        return body
    walk = _Walk(sealed, seals, notes)
    walk.value(document, "")
    return jsonio.dumps(document) if walk.changed else body


class _Walk:
    """A walk over a request, which changes it in place."""

    def __init__(self, sealed: Sealed, seals: Seals, notes: Notes) -> None:
        self._sealed = sealed
        self._seals = seals
        self._notes = notes
        self.changed = False

    def value(self, value: Any, at: str) -> Any:
        """What stays of a value; `_GONE` where nothing does."""
        if isinstance(value, dict):
            return self._object(value, at)
        if isinstance(value, list):
            stays = [each for index, each in enumerate(value) if self.value(each, f"{at}/{index}") is not _GONE]
            if len(stays) != len(value):
                value[:] = stays
                return stays or _GONE
        return value

    def _object(self, node: dict[str, Any], at: str) -> Any:
        slot = self._sealed(node)
        if slot is not None and not self._settled(node, slot, at):
            return _GONE
        for name, each in list(node.items()):
            if self.value(each, f"{at}/{token(name)}") is _GONE:
                del node[name]
                if name in _CONTENT or not node:
                    return _GONE
        return node

    def _settled(self, node: dict[str, Any], slot: Slot, at: str) -> bool:
        """Unwrap what is in the slot, or take it out. Returns whether the object stays."""
        if not self._seals.ours(slot.envelope):
            return True
        self.changed = True
        found = self._seals.open(slot.envelope, slot.native, slot.text)
        if found is not None and (found.family, found.kind) == (slot.native.family, slot.native.kind):
            node[slot.member] = found.payload
            return True
        self._notes.drop(f"{at}/{slot.member}", "only its own maker reads what it sealed")
        if slot.instead is not None:
            node[slot.member] = slot.instead
            return True
        del node[slot.member]
        return slot.worth
