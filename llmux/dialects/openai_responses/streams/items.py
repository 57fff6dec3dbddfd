"""The items of an answer that is being read: opened by whatever is said of them first, closed by the last.

Items are told apart by their place in the output; ids are only asked where there is no place, because some servers give an item
another id in every event.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.events import PartKind
from llmux.dialects.neutral import OpaqueItem, Seal
from llmux.dialects.openai_responses import local_tools, servers
from llmux.dialects.openai_responses.streams import unknown
from llmux.dialects.openai_responses.streams.slots import Kind, Slot, settle, words
from llmux.dialects.telling import Growing, Teller

_KINDS: dict[str, Kind] = {
    "message": "message",
    "reasoning": "reasoning",
    "function_call": "call",
    "custom_tool_call": "call",
}
PARTS: dict[str, PartKind] = {
    "output_text": "text",
    "refusal": "refusal",
    "summary_text": "summary",
    "reasoning_text": "full",
    "text": "full",  # what some servers call the text of reasoning
}


class Items:
    """Tells `teller` of the items. `current` is the message or reasoning that is being told; `called`: the client's tools were
    called; `refused`: a refusal was told.
    """

    __slots__ = ("_context", "_slots", "called", "current", "refused", "teller")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._slots: dict[int, Slot] = {}
        self.current: Slot | None = None
        self.called = False
        self.refused = False
        self.teller = Teller(context)

    @property
    def nameless(self) -> bool:
        """Whether there is a call that nobody has named."""
        return any(slot.kind == "call" and slot.item is None for slot in self._slots.values())

    def added(self, item: dict[str, Any], index: object) -> None:
        """An item begins."""
        place = self._place(index, item.get("id"), is_new=True)
        if place in self._slots:
            return
        slot = self._slots[place] = Slot(_kind(item), item, place)
        if slot.kind in ("message", "reasoning"):
            self._open(slot)
        elif slot.kind == "call" and item.get("name"):
            self._open_call(slot, item)

    def done(self, item: dict[str, Any], index: object) -> None:
        """An item is told whole, whatever was told of it before."""
        self._whole(item, self._place(index, item.get("id"), is_new=True))

    def final(self, item: dict[str, Any], index: int, count: int) -> None:
        """One of the `count` items of the final response, which may not have been told before."""
        id_ = item.get("id")
        place = next((slot.index for slot in self._slots.values() if id_ and slot.id == id_), index)
        if place in self._slots or len(self._slots) < count:  # else they were told in other places than these
            self._whole(item, place)

    def slot(self, kind: Kind, index: object, id_: object) -> Slot:
        """The item that is spoken of, which may not have been opened."""
        place = self._place(index, id_)
        slot = self._slots.get(place)
        if slot is None:
            slot = self._slots[place] = Slot(kind, {"id": id_}, place)
        return slot

    def ensure(self, slot: Slot) -> Growing:
        """A message, or a piece of reasoning, is open to say more of it."""
        return self._open(slot) if slot.item is None or slot.left else slot.item

    def whole_part(self, slot: Slot, part: dict[str, Any], number: int, at: str | None = None) -> None:
        """A part is told whole. `at` is where it stands in the response, if it does."""
        kind = PARTS.get(str(part.get("type")))
        if at is not None:
            if kind is None:
                self._context.notes.drop(at, f"no counterpart for {part.get('type')}")
            else:
                unknown.note_rest(part, unknown.PART, at, self._context.notes)
        if kind is None:
            return
        place = (kind, number)
        self.refused = self.refused or kind == "refusal"
        if not slot.takes(place):
            return
        if slot.said_all(place, words(kind, part)):
            slot.end_part()
            return
        item = self.ensure(slot)
        slot.open_part(item, place, self.teller)
        slot.whole(item, part, self.teller, self._context)

    def _place(self, index: object, id_: object, *, is_new: bool = False) -> int:
        """The place of an item; behind the others, if nobody knows it and it `is_new`."""
        if isinstance(index, int):
            return index
        for slot in self._slots.values():
            if id_ and slot.id == id_:
                return slot.index
        last = max(self._slots, default=-1)
        return last + 1 if is_new or last < 0 else last

    def _whole(self, item: dict[str, Any], place: int) -> None:
        kind = _kind(item)
        slot = self._slots.get(place)
        if slot is None:
            slot = self._slots[place] = Slot(kind, item, place)
        if not slot.closed and slot.kind == kind:
            _WHOLE[kind](self, slot, item, f"/output/{place}")

    def _whole_message(self, slot: Slot, item: dict[str, Any], at: str) -> None:
        unknown.note_rest(item, unknown.MESSAGE, at, self._context.notes)
        for number, part in enumerate(_objects(item, "content")):
            self.whole_part(slot, part, number, f"{at}/content/{number}")
        if slot.item is None:
            self._open(slot)
        self._close(slot, item)

    def _whole_reasoning(self, slot: Slot, item: dict[str, Any], at: str) -> None:
        unknown.note_rest(item, unknown.REASONING, at, self._context.notes)
        for name in ("summary", "content"):
            for number, part in enumerate(_objects(item, name)):
                self.whole_part(slot, part, number, f"{at}/{name}/{number}")
        sealed = item.get("encrypted_content") or slot.sealed
        if isinstance(sealed, str) and sealed:
            self.teller.seal(self.ensure(slot), Seal("openai", "encrypted", sealed))
        if slot.item is None:
            self._open(slot)
        self._close(slot, item)

    def _whole_call(self, slot: Slot, item: dict[str, Any], at: str) -> None:
        if slot.item is None:
            if not item.get("name"):
                return  # the final response may know its name
            self._open_call(slot, item)
        unknown.note_rest(item, unknown.CALL, at, self._context.notes)
        assert slot.item is not None, "it was just opened"
        arguments = item.get("input" if item.get("type") == "custom_tool_call" else "arguments")
        if isinstance(arguments, str):
            settle(slot.item, arguments, self.teller, self._context)
        self._close(slot, item)

    def _whole_server(self, slot: Slot, item: dict[str, Any], at: str) -> None:
        slot.closed = True
        self._leave()
        local = local_tools.CALLS.get(str(item.get("type")))
        if local is not None and local_tools.is_of_client(item):
            self.called = True
            call = self.teller.open_call(str(item.get("call_id") or item.get("id") or ""), local.type, id=slot.id)
            self.teller.args(call, local_tools.read_call(local, item))
            self.teller.close(call, cut=item.get("status") == "incomplete")
            return
        for each in servers.read(item, at=at):
            if isinstance(each, OpaqueItem):
                self._context.notes.drop(at, f"no counterpart for {each.kind}")
            self.teller.whole(each)

    def _close(self, slot: Slot, item: dict[str, Any]) -> None:
        """An item is whole. What was left was closed by what followed it."""
        slot.closed = True
        if slot.item is not None and not slot.left:
            self.teller.close(slot.item, cut=item.get("status") == "incomplete")

    def _leave(self) -> None:
        """Something else begins, and the teller closes what was being told."""
        if self.current is not None:
            self.current.leave()
            self.current = None

    def _open(self, slot: Slot) -> Growing:
        self._leave()
        if slot.kind == "message":
            item = self.teller.open_message(id=slot.id, phase=slot.phase)
        else:
            item = self.teller.open_reasoning(id=slot.id)
        slot.opened(item, self.teller)
        self.current = slot
        return item

    def _open_call(self, slot: Slot, item: dict[str, Any]) -> None:
        self._leave()
        self.called = True
        slot.item = self.teller.open_call(
            str(item.get("call_id") or item.get("id") or ""),
            str(item["name"]),
            id=slot.id,
            custom=item.get("type") == "custom_tool_call",
            namespace=str(item.get("namespace") or ""),
        )
        self.teller.args(slot.item, slot.held)


_WHOLE: dict[Kind, Callable[[Items, Slot, dict[str, Any], str], None]] = {
    "message": Items._whole_message,
    "reasoning": Items._whole_reasoning,
    "call": Items._whole_call,
    "server": Items._whole_server,
}


def _kind(item: dict[str, Any]) -> Kind:
    return _KINDS.get(str(item.get("type")), "server")


def _objects(node: dict[str, Any], name: str) -> list[dict[str, Any]]:
    value = node.get(name)
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
