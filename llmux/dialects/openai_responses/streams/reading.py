"""Reads the events of a Responses stream, whatever a provider leaves out of them.

What is told whole counts more than its pieces, and what was not told before is told by the final response at the latest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.events import PartKind
from llmux.dialects.openai_responses import finishes, probabilities, usage
from llmux.dialects.openai_responses.errors import told
from llmux.dialects.openai_responses.streams import unknown
from llmux.dialects.openai_responses.streams.items import PARTS, Items
from llmux.dialects.openai_responses.streams.slots import Kind, Place, Slot, settle, words
from llmux.errors import Fault


class Reader:
    """Tells `teller` what the events say. `ended`: the last one was seen."""

    __slots__ = ("_context", "_items", "ended", "teller")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._items = Items(context)
        self.teller = self._items.teller
        self.ended = False

    def read(self, event: dict[str, Any]) -> None:
        """The next event. Raises Fault for a failure that it tells."""
        kind = event.get("type")
        if kind == "response.output_text.delta":
            # the hot path: one more piece of the text that is being told
            slot = self._items.current
            if (
                slot is not None
                and slot.item is not None
                and slot.part == ("text", event.get("content_index"))
                and slot.index == event.get("output_index")
                and not event.get("logprobs")
            ):
                text = event.get("delta")
                if text.__class__ is str:
                    self.teller.say(slot.item, "text", text)
                    return
        reader = _READERS.get(kind) if isinstance(kind, str) else None
        if reader is not None:
            reader(self, event)
        elif kind is None and event.get("error"):
            raise told(event)
        else:
            unknown.note_event(kind, self._context.notes)
            self.teller.ping()

    # the response

    def _created(self, event: dict[str, Any]) -> None:
        self._start(_object(event, "response"))

    def _start(self, response: dict[str, Any]) -> None:
        id_, model, tier = response.get("id"), response.get("model"), response.get("service_tier")
        self.teller.start(
            id_.removeprefix("resp_") if isinstance(id_, str) else "",
            model if isinstance(model, str) else "",
            _seconds(response.get("created_at")),
            tier=tier if isinstance(tier, str) and tier != "auto" else None,
        )

    def _begun(self) -> None:
        """Some servers begin with what they have to say."""
        if not self.teller.started:
            self.teller.start("", "")

    def _failed(self, event: dict[str, Any]) -> None:
        self.ended = True
        response = event.get("response")
        raise told(response.get("error") if isinstance(response, dict) else event)

    def _ended(self, event: dict[str, Any]) -> None:
        response = _object(event, "response")
        if response.get("error"):
            raise told(response["error"])
        self.ended = True
        self._start(response)
        items = self._items
        output = response.get("output")
        for index, item in enumerate(output if isinstance(output, list) else ()):
            if isinstance(item, dict):
                items.final(item, index, len(output or ()))
        if items.nameless:
            # It must not be lost in what looks like a success.
            raise Fault("bad_gateway", "the provider called a tool without naming it")
        unknown.note_rest(response, unknown.RESPONSE, "", self._context.notes)
        tokens = usage.read(response)
        if tokens is not None:
            self.teller.meter(tokens)
        if event["type"] == "response.incomplete":
            response = {**response, "status": "incomplete"}
        self.teller.finish(finishes.read(response, refused=items.refused, called=items.called, context=self._context))
        self.teller.end()

    # items, parts and pieces

    def _item_added(self, event: dict[str, Any]) -> None:
        self._begun()
        self._items.added(_object(event, "item"), event.get("output_index"))

    def _item_done(self, event: dict[str, Any]) -> None:
        self._begun()
        self._items.done(_object(event, "item"), event.get("output_index"))

    def _place(self, event: dict[str, Any], kind: PartKind) -> tuple[Slot, Place]:
        """The part that an event is about, and its item."""
        self._begun()
        holder: Kind = "message" if kind in ("text", "refusal") else "reasoning"
        slot = self._items.slot(holder, event.get("output_index"), event.get("item_id"))
        number = event.get("summary_index" if kind == "summary" else "content_index")
        return slot, (kind, number if isinstance(number, int) else 0)

    def _part_added(self, event: dict[str, Any]) -> None:
        kind = PARTS.get(str(_object(event, "part").get("type")))
        if kind is not None:
            slot, place = self._place(event, kind)
            if slot.takes(place):
                slot.open_part(self._items.ensure(slot), place, self.teller)

    def _part_done(self, event: dict[str, Any]) -> None:
        part = _object(event, "part")
        kind = PARTS.get(str(part.get("type")))
        if kind is not None:
            slot, place = self._place(event, kind)
            self._items.whole_part(slot, part, place[1])

    def _delta(self, event: dict[str, Any], kind: PartKind) -> None:
        slot, place = self._place(event, kind)
        text = event.get("delta")
        if slot.takes(place) and isinstance(text, str):
            self._items.refused = self._items.refused or kind == "refusal"
            item = self._items.ensure(slot)
            slot.open_part(item, place, self.teller)
            tokens = probabilities.read(event.get("logprobs"))
            slot.tokens = slot.tokens or bool(tokens)
            self.teller.say(item, kind, text, tokens)

    def _text_done(self, event: dict[str, Any], kind: PartKind) -> None:
        slot, place = self._place(event, kind)
        text = words(kind, event)
        if slot.takes(place) and not slot.said_all(place, text):
            item = self._items.ensure(slot)
            slot.open_part(item, place, self.teller)
            slot.settle(item, text, self.teller, self._context)

    def _cited(self, event: dict[str, Any]) -> None:
        slot, place = self._place(event, "text")
        if slot.takes(place):
            item = self._items.ensure(slot)
            slot.open_part(item, place, self.teller)
            slot.cite(item, _object(event, "annotation"), self.teller)

    def _call(self, event: dict[str, Any]) -> Slot | None:
        """The call that an event is about, unless it is whole."""
        self._begun()
        slot = self._items.slot("call", event.get("output_index"), event.get("item_id"))
        return None if slot.closed or slot.kind != "call" else slot

    def _args_delta(self, event: dict[str, Any]) -> None:
        slot, text = self._call(event), event.get("delta")
        if slot is None or not isinstance(text, str):
            return
        if slot.item is None:
            slot.held += text
        else:
            self.teller.args(slot.item, text)

    def _args_done(self, event: dict[str, Any]) -> None:
        slot, text = self._call(event), event.get("arguments", event.get("input"))
        if slot is None or not isinstance(text, str):
            return
        if slot.item is None:
            slot.held = text
        else:
            settle(slot.item, text, self.teller, self._context)


_READERS: dict[str, Callable[[Reader, dict[str, Any]], None]] = {
    "response.created": Reader._created,
    "response.in_progress": Reader._created,
    "response.queued": Reader._created,
    "response.output_item.added": Reader._item_added,
    "response.output_item.done": Reader._item_done,
    "response.content_part.added": Reader._part_added,
    "response.content_part.done": Reader._part_done,
    "response.reasoning_summary_part.added": Reader._part_added,
    "response.reasoning_summary_part.done": Reader._part_done,
    "response.output_text.delta": lambda self, event: self._delta(event, "text"),
    "response.output_text.done": lambda self, event: self._text_done(event, "text"),
    "response.output_text.annotation.added": Reader._cited,
    "response.refusal.delta": lambda self, event: self._delta(event, "refusal"),
    "response.refusal.done": lambda self, event: self._text_done(event, "refusal"),
    "response.reasoning_summary_text.delta": lambda self, event: self._delta(event, "summary"),
    "response.reasoning_summary_text.done": lambda self, event: self._text_done(event, "summary"),
    "response.reasoning_text.delta": lambda self, event: self._delta(event, "full"),
    "response.reasoning_text.done": lambda self, event: self._text_done(event, "full"),
    "response.function_call_arguments.delta": Reader._args_delta,
    "response.function_call_arguments.done": Reader._args_done,
    "response.custom_tool_call_input.delta": Reader._args_delta,
    "response.custom_tool_call_input.done": Reader._args_done,
    "response.completed": Reader._ended,
    "response.incomplete": Reader._ended,
    "response.failed": Reader._failed,
    "response.cancelled": Reader._failed,
    "error": Reader._failed,
}


def _object(node: dict[str, Any], name: str) -> dict[str, Any]:
    value = node.get(name)
    return value if isinstance(value, dict) else {}


def _seconds(value: object) -> int | None:
    try:
        return int(value) if isinstance(value, int | float) else None
    except (ValueError, OverflowError):
        return None
