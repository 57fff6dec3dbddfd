"""What a translation could not carry over unchanged, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from llmux.errors import Fault

Action = Literal[
    "approximated",  # the nearest that the other dialect has; narrower or wider
    "carried",  # kept in an extension or an opaque field, so that the client can give it back
    "invented",  # the other dialect insists on a value that nobody gave
    "dropped",  # left out; the answer is as good without it
    "refused",  # leaving it out would change what is asked for
]


class Note(msgspec.Struct, frozen=True, gc=False):
    """One field: its JSON pointer, what became of it and why."""

    pointer: str
    action: Action
    why: str

    def __str__(self) -> str:
        return f"{self.pointer or '/'} {self.action}: {self.why}"


class Notes:
    """The notes of one exchange, each field once.

    `strict` refuses what would be dropped. `lenient` notes even what would be refused: for whoever reads a request to
    answer it himself, as playback does.
    """

    __slots__ = ("_lenient", "_seen", "_strict")

    def __init__(self, *, strict: bool = False, lenient: bool = False) -> None:
        self._seen: dict[tuple[str, Action], Note] = {}
        self._strict = strict
        self._lenient = lenient

    def __iter__(self) -> Iterator[Note]:
        return iter(self._seen.values())

    def __len__(self) -> int:
        return len(self._seen)

    def approximate(self, pointer: str, why: str) -> None:
        """The nearest was taken."""
        self._add(pointer, "approximated", why)

    def carry(self, pointer: str, why: str) -> None:
        """It travels where only the client, or its own maker, can read it."""
        self._add(pointer, "carried", why)

    def invent(self, pointer: str, why: str) -> None:
        """A value was made up. `pointer` is that of the target's field."""
        self._add(pointer, "invented", why)

    def drop(self, pointer: str, why: str) -> None:
        """It was left out; a Fault where that is forbidden."""
        if self._strict:
            raise untranslatable(pointer, f"{pointer or '/'} cannot be translated, and this route is strict: {why}")
        self._add(pointer, "dropped", why)

    def refuse(self, pointer: str, why: str) -> None:
        """It cannot be left out. Raises Fault, unless the notes are lenient."""
        if not self._lenient:
            raise untranslatable(pointer, f"{pointer or '/'} cannot be translated: {why}")
        self._add(pointer, "refused", why)

    def relax(self) -> None:
        """The request is on its way. An answer is told as well as it can be, so that nothing is refused any more."""
        self._strict, self._lenient = False, True

    def _add(self, pointer: str, action: Action, why: str) -> None:
        known = self._seen.get((pointer, action))
        if known is None:
            self._seen[pointer, action] = Note(pointer, action, why)
        elif why not in known.why:
            self._seen[pointer, action] = Note(pointer, action, f"{known.why}; {why}")


# The code of such a refusal, in the dialects that have codes.
UNTRANSLATABLE = "llmux_untranslatable"


def untranslatable(pointer: str, message: str) -> Fault:
    """The refusal of a request that the chosen provider's dialect cannot say."""
    return Fault("invalid", message, code=UNTRANSLATABLE, param=pointer, should_retry=False)
