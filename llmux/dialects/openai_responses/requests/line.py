"""A conversation as it is read: its items so far, whose turn it is, and which calls still wait for a result."""

from __future__ import annotations

from typing import Literal

import msgspec

from llmux.dialects.neutral import Item, Message, Reasoning, Seal, Text, ToolCall

Side = Literal["", "model", "results"]


class Line:
    """The items in their order. What a model said, one item after the other, is one turn; so are the results that follow it."""

    __slots__ = ("_turn", "items", "side", "waiting")

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.side: Side = ""
        self.waiting: list[ToolCall] = []
        self._turn = -1

    @property
    def last(self) -> Item | None:
        """What was said last."""
        return self.items[-1] if self.items else None

    def turn(self, side: Side) -> int:
        """The turn of whoever speaks now. Each message of the client's, which has no side, is a turn of its own."""
        if not side or side != self.side:
            self._turn += 1
            self.side = side
        return self._turn

    def answered(self, call_id: str) -> ToolCall | None:
        """The call that gets its result now, if it waited for one."""
        for index, call in enumerate(self.waiting):
            if call.call_id == call_id:
                return self.waiting.pop(index)
        return None

    def first_waiting(self, name: str | None) -> str:
        """The call that a result without an id belongs to: the first of that name that still waits. "": there is none."""
        return next((call.call_id for call in self.waiting if name in (None, call.name)), "")

    def seal_last(self, seal: Seal) -> bool:
        """Give what the model said last a seal. False: it said nothing that could have one."""
        last = self.last if self.side == "model" else None
        if isinstance(last, ToolCall | Reasoning):
            self.items[-1] = msgspec.structs.replace(last, seals=(*last.seals, seal))
            return True
        if isinstance(last, Message) and last.parts and isinstance(last.parts[-1], Text):
            text = last.parts[-1]
            parts = (*last.parts[:-1], msgspec.structs.replace(text, seals=(*text.seals, seal)))
            self.items[-1] = msgspec.structs.replace(last, parts=parts)
            return True
        return False
