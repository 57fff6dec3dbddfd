"""Reads reasoning, and the seals that travel as reasoning which shows nothing."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import Reasoning, Seal, Segment
from llmux.dialects.openai_responses import custody
from llmux.dialects.openai_responses.requests.line import Line
from llmux.dialects.reading import objects, string

_REASONING = frozenset({"type", "id", "summary", "content", "encrypted_content", "status"})


class Thoughts:
    """The reader of reasoning. A seal of Gemini's belongs to the call behind it, or else to what stands before it: it waits."""

    __slots__ = ("_context", "_line", "_waiting")

    def __init__(self, line: Line, context: Context) -> None:
        self._line = line
        self._context = context
        self._waiting: list[Reasoning] = []

    def read(self, at: str, node: dict[str, Any]) -> None:
        """A reasoning item."""
        context, line = self._context, self._line
        reading.rest(node, _REASONING, at, context.notes)
        segments = (*self._segments(at, node, "summary"), *self._segments(at, node, "content"))
        value = string(node.get("encrypted_content"), f"{at}/encrypted_content")
        item = Reasoning(segments, (), id=string(node.get("id"), f"{at}/id"), at=at)
        seal, late = custody.opened(value, item, context, f"{at}/encrypted_content")
        if seal is None and not segments:
            return
        if seal is not None:
            seal = msgspec.structs.replace(seal, at=at)
            item = msgspec.structs.replace(item, seals=(seal,))
        if seal is None or segments or seal.kind != "thought_signature":
            self.settle()
            line.items.append(msgspec.structs.replace(item, turn=line.turn("model")))
        elif not late or not line.seal_last(seal):
            self._waiting.append(item)

    def ahead(self) -> tuple[Seal, ...]:
        """The seals of the call that stands here."""
        seals = tuple(seal for item in self._waiting for seal in item.seals)
        self._waiting = []
        return seals

    def settle(self) -> None:
        """No call stands here: what waits belongs to what stands before it, or to nothing that can be seen."""
        for item in self._waiting:
            if not self._line.seal_last(item.seals[0]):
                self._line.items.append(msgspec.structs.replace(item, turn=self._line.turn("model")))
        self._waiting = []

    def _segments(self, at: str, node: dict[str, Any], member: Literal["summary", "content"]) -> list[Segment]:
        found = []
        for where, each in objects(node.get(member), f"{at}/{member}"):
            if isinstance(each.get("text"), str):
                found.append(Segment("summary" if member == "summary" else "full", each["text"]))
            else:
                reading.drop(each, where, self._context.notes, "no counterpart")
        return found
