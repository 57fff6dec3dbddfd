"""Telling a response as events.

A decoder says what it reads to a `Teller`, which keeps the promises of `llmux.dialects.events` whatever the provider does: what
is said is opened first, what is open is closed, tools get the client's names back, calls without an id get one, and the reason of
the end agrees with what was said. `tell` does the same for a response that came whole.
"""

from __future__ import annotations

from typing import Literal

from llmux import jsonio
from llmux.dialects.context import Context
from llmux.dialects.events import (
    Cited,
    Delta,
    Ended,
    Event,
    Finished,
    ItemClosed,
    ItemKind,
    ItemOpened,
    Metered,
    PartClosed,
    PartKind,
    PartOpened,
    Pinged,
    Sealed,
    Started,
)
from llmux.dialects.neutral import (
    Annotation,
    Choice,
    Finish,
    Media,
    Message,
    OutputItem,
    Reasoning,
    Refusal,
    Response,
    Seal,
    Segment,
    Text,
    TokenProbability,
    ToolCall,
    Usage,
)
from llmux.dialects.tools import Unwrapper, unwrap_input
from llmux.errors import Fault

# Reasons for which what is being said breaks off. A refusal that is explained says all that it wants to.
_CUT = ("length", "context_full", "filter", "refusal", "continuation")


class _Part:
    """A part that is open."""

    __slots__ = ("annotations", "index", "kind", "logprobs", "pieces", "seals")

    def __init__(self, index: int, kind: PartKind) -> None:
        self.index = index
        self.kind = kind
        self.pieces: list[str] = []
        self.annotations: list[Annotation] = []
        self.logprobs: list[TokenProbability] = []
        self.seals: list[Seal] = []


class Growing:
    """An item that is open. What it is made of is the Teller's business; decoders keep it to say more of it."""

    __slots__ = ("opened", "part", "parts", "pieces", "seals", "unwrapper")

    def __init__(self, opened: ItemOpened, unwrapper: Unwrapper | None = None) -> None:
        self.opened = opened
        self.unwrapper = unwrapper
        self.part: _Part | None = None
        self.parts: list[Text | Refusal | Segment | Media] = []
        self.pieces: list[str] = []  # of a call's arguments, as the provider wrote them
        self.seals = list(opened.seals)

    @property
    def text(self) -> str:
        """What the open part, or a call's arguments, have come to."""
        return "".join(self.pieces if self.part is None else self.part.pieces)


class Teller:
    """Gathers the events of one response; `take` hands out those since the last time.

    A decoder may use items by hand (`open_*`, `say`, `close`), several at once, or let `text`, `refusal` and `think` find the
    item that is being told in a choice.
    """

    __slots__ = ("_closed", "_context", "_current", "_events", "_finishes", "_items", "_open", "_started", "ended", "usage")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._events: list[Event] = []
        self._items = 0
        self._open: dict[int, Growing] = {}
        self._current: dict[int, Growing] = {}
        self._closed: dict[int, tuple[int, OutputItem]] = {}
        self._finishes: dict[int, Finish] = {}
        self._started: Started | None = None
        self.usage: Usage | None = None
        self.ended = False

    def take(self) -> list[Event]:
        """The events since the last time."""
        events = self._events
        self._events = []
        return events

    @property
    def started(self) -> bool:
        """Whether the response has begun."""
        return self._started is not None

    @property
    def said(self) -> bool:
        """Whether anything was said yet."""
        return self._items > 0

    @property
    def finished(self) -> bool:
        """Whether a reason for the end was given."""
        return bool(self._finishes)

    def start(
        self,
        id: str,
        model: str,
        created: int | None = None,
        usage: Usage | None = None,
        tier: str | None = None,
        fingerprint: str | None = None,
    ) -> None:
        """The response begins. What the provider does not say of itself is filled in. A second start says nothing."""
        if self._started is not None:
            return
        context = self._context
        self.usage = usage
        self._started = Started(
            id or context.made_up_id(-1, model).removeprefix("call_"),
            model or context.target.model,
            context.now if created is None else created,
            usage,
            tier,
            fingerprint,
        )
        self._events.append(self._started)

    def ping(self) -> None:
        """The provider is alive."""
        if self._started is not None:
            self._events.append(Pinged())

    # items by hand

    def open_message(self, choice: int = 0, id: str = "", phase: str = "") -> Growing:
        """A message begins."""
        return self._begin("message", choice, id=id, phase=phase)

    def open_reasoning(self, choice: int = 0, id: str = "") -> Growing:
        """A piece of reasoning begins."""
        return self._begin("reasoning", choice, id=id)

    def open_call(
        self,
        call_id: str,
        name: str,
        choice: int = 0,
        *,
        id: str = "",
        custom: bool = False,
        namespace: str = "",
        seals: tuple[Seal, ...] = (),
    ) -> Growing:
        """A tool call begins. `custom` and `namespace` are as the provider said them; the book knows the client's words. `seals`
        are those that come with it.
        """
        original = self._context.book.original(name, namespace)
        call_id = call_id or self._context.made_up_id(self._items, name)
        self._leave(choice)
        if original is None:
            kind: Literal["custom", "function"] = "custom" if custom else "function"
            opened = ItemOpened(self._items, "tool_call", id, call_id, name, namespace, kind, choice, seals=seals)
        else:
            opened = ItemOpened(
                self._items,
                "tool_call",
                id,
                call_id,
                original.name,
                original.namespace or namespace,
                "custom" if custom else original.kind,
                choice,
                seals=seals,
            )
        wrapped = original is not None and original.wrapped and not custom
        return self._enter(opened, Unwrapper() if wrapped else None)

    def say(self, item: Growing, kind: PartKind, text: str, logprobs: tuple[TokenProbability, ...] = ()) -> None:
        """Text of a message or of reasoning. Another kind than before begins a new part."""
        part = item.part
        if part is None or part.kind != kind:
            part = self.open_part(item, kind)
        if not text and not logprobs:
            return
        part.pieces.append(text)
        if logprobs:
            part.logprobs += logprobs
        self._events.append(Delta(item.opened.item, part.index, kind, text, logprobs))

    def open_part(self, item: Growing, kind: PartKind) -> _Part:
        """A part begins; the one before it is whole."""
        self.close_part(item)
        part = item.part = _Part(len(item.parts), kind)
        self._events.append(PartOpened(item.opened.item, part.index, kind))
        return part

    def cite(self, item: Growing, annotation: Annotation) -> None:
        """The open text has a source."""
        part = item.part
        if part is None or part.kind != "text":
            part = self.open_part(item, "text")
        part.annotations.append(annotation)
        self._events.append(Cited(item.opened.item, part.index, annotation))

    def seal(self, item: Growing, seal: Seal) -> None:
        """A seal of the item, or of a message's open text."""
        if item.opened.kind == "message":
            part = item.part
            if part is None or part.kind != "text":
                part = self.open_part(item, "text")
            part.seals.append(seal)
        else:
            item.seals.append(seal)
        self._events.append(Sealed(item.opened.item, seal))

    def args(self, item: Growing, text: str) -> None:
        """A piece of a call's arguments, as the provider writes them."""
        if not text:
            return
        item.pieces.append(text)
        if item.unwrapper is not None:
            text = item.unwrapper.feed(text)
            if not text:
                return
        self._events.append(Delta(item.opened.item, 0, "args", text))

    def close_part(self, item: Growing) -> None:
        """The open part, if any, is whole."""
        part = item.part
        if part is None:
            return
        item.part = None
        text = "".join(part.pieces)
        if part.kind == "text":
            item.parts.append(Text(text, tuple(part.annotations), tuple(part.logprobs), tuple(part.seals)))
        elif part.kind == "refusal":
            item.parts.append(Refusal(text))
        else:
            item.parts.append(Segment(part.kind, text))
        self._events.append(PartClosed(item.opened.item, part.index, text))

    def close(self, item: Growing, *, cut: bool = False) -> None:
        """The item is whole, or broke off. Closing it again says nothing."""
        opened = item.opened
        if self._open.pop(opened.item, None) is None:
            return
        if self._current.get(opened.choice) is item:
            del self._current[opened.choice]
        self.close_part(item)
        whole: OutputItem
        if opened.kind == "tool_call":
            args = self._arguments(item, cut)
            whole = ToolCall(
                opened.call_id,
                opened.name,
                args,
                id=opened.id,
                kind=opened.call_kind,
                namespace=opened.namespace,
                seals=tuple(item.seals),
                cut=cut,
            )
        elif opened.kind == "reasoning":
            segments = tuple(part for part in item.parts if isinstance(part, Segment))
            whole = Reasoning(segments, tuple(item.seals), id=opened.id)
        else:
            parts = tuple(part for part in item.parts if not isinstance(part, Segment))
            whole = Message("assistant", parts, id=opened.id, phase=opened.phase, cut=cut)
        self._closed[opened.item] = (opened.choice, whole)
        self._events.append(ItemClosed(opened.item, whole))

    def close_call(self, item: Growing) -> None:
        """A call's arguments are over. Where they are none, they may have been cut off: only the reason of the end can tell."""
        if _complete(item):
            self.close(item)

    def media(self, media: Media, choice: int = 0) -> None:
        """A picture or the like that the model made: a message of its own, without deltas."""
        item = self.open_message(choice)
        item.parts.append(media)
        self.close(item)

    def whole(self, item: OutputItem, choice: int = 0) -> None:
        """An item that comes in one piece and has no deltas: a provider's own call or result, or something opaque."""
        self._leave(choice)
        if self._started is None:
            self.start("", "")
        opened = ItemOpened(self._items, "server", choice=choice)
        self._items += 1
        self._closed[opened.item] = (choice, item)
        self._events += (opened, ItemClosed(opened.item, item))

    # items by what is said

    def text(self, text: str, choice: int = 0, logprobs: tuple[TokenProbability, ...] = ()) -> None:
        """Text to be read, in the message that is being told."""
        item = self._current.get(choice)
        if item is None or item.opened.kind != "message":
            item = self.open_message(choice)
        # the hot path: the part is open, and this is one more piece
        part = item.part
        if part is not None and part.kind == "text" and text and not logprobs:
            part.pieces.append(text)
            self._events.append(Delta(item.opened.item, part.index, "text", text))
        else:
            self.say(item, "text", text, logprobs)

    def refusal(self, text: str, choice: int = 0, logprobs: tuple[TokenProbability, ...] = ()) -> None:
        """The model's words for why it does not answer."""
        item = self._current.get(choice)
        if item is None or item.opened.kind != "message":
            item = self.open_message(choice)
        self.say(item, "refusal", text, logprobs)

    def think(self, kind: Literal["summary", "full"], text: str, choice: int = 0) -> None:
        """Reasoning, in the piece that is being told."""
        item = self.reasoning(choice)
        self.say(item, kind, text)

    def reasoning(self, choice: int = 0) -> Growing:
        """The piece of reasoning that is being told, a new one if there is none."""
        item = self._current.get(choice)
        return item if item is not None and item.opened.kind == "reasoning" else self.open_reasoning(choice)

    def message(self, choice: int = 0) -> Growing:
        """The message that is being told, a new one if there is none."""
        item = self._current.get(choice)
        return item if item is not None and item.opened.kind == "message" else self.open_message(choice)

    def current(self, choice: int = 0) -> Growing | None:
        """The message or reasoning that is being told."""
        return self._current.get(choice)

    # the end

    def meter(self, usage: Usage) -> None:
        """Tokens so far."""
        self.usage = usage
        if self._started is not None:
            self._events.append(Metered(usage))

    def finish(self, finish: Finish, choice: int = 0) -> None:
        """The model stopped. What is open in this choice is closed; the reason is made to agree with what was said."""
        if choice in self._finishes or self._started is None:
            return
        cuts = finish.reason in _CUT
        explained = finish.reason == "refusal" and bool(finish.message)
        for item in list(self._open.values()):
            if item.opened.choice != choice:
                continue
            is_call = item.opened.kind == "tool_call"
            self.close(item, cut=cuts and (not _complete(item) if is_call else not explained))
        calls = any(where == choice and isinstance(item, ToolCall) and not item.cut for where, item in self._closed.values())
        if calls and finish.reason in ("stop", "stop_sequence", "unknown"):
            if finish.reason == "unknown":
                self._context.notes.approximate(finish.at, f"the provider's reason {finish.raw!r} is not known")
            finish = Finish("tool_calls", raw=finish.raw, at=finish.at)
        elif finish.reason == "tool_calls" and not calls:
            finish = Finish("stop", raw=finish.raw, at=finish.at)
        self._finishes[choice] = finish
        self._events.append(Finished(finish, choice))

    def end(self) -> None:
        """Nothing follows. Without a reason for its end, a choice has just stopped. Raises Fault for what never began."""
        if self.ended:
            return
        if self._started is None:
            raise Fault("bad_gateway", "the provider ended an answer that never began", code="upstream_invalid")
        for choice in sorted({item.opened.choice for item in self._open.values()} or ({0} - self._finishes.keys())):
            self.finish(Finish("stop"), choice)
        self.ended = True
        self._events.append(Ended(self.response()))

    def response(self) -> Response:
        """What was told, of the items that are closed."""
        started = self._started
        assert started is not None, "the first event starts the response"
        items: dict[int, list[OutputItem]] = {choice: [] for choice in self._finishes} or {0: []}
        for index in sorted(self._closed):
            choice, item = self._closed[index]
            items.setdefault(choice, []).append(item)
        choices = tuple(Choice(tuple(items[each]), self._finishes.get(each, Finish("length"))) for each in sorted(items))
        return Response(started.id, started.model, started.created, choices, self.usage, started.tier, started.fingerprint)

    def _begin(self, kind: ItemKind, choice: int, id: str = "", phase: str = "") -> Growing:
        self._leave(choice)
        item = self._enter(ItemOpened(self._items, kind, id, choice=choice, phase=phase))
        self._current[choice] = item
        return item

    def _leave(self, choice: int) -> None:
        """What was being told in this choice is whole when something else begins."""
        current = self._current.get(choice)
        if current is not None:
            self.close(current)

    def _enter(self, opened: ItemOpened, unwrapper: Unwrapper | None = None) -> Growing:
        if self._started is None:
            self.start("", "")
        self._items += 1
        item = self._open[opened.item] = Growing(opened, unwrapper)
        self._events.append(opened)
        return item

    def _arguments(self, item: Growing, cut: bool) -> str:
        written = "".join(item.pieces)
        if item.unwrapper is None:
            return written
        raw = unwrap_input(written)
        if raw is not None:
            return raw
        if not cut:
            # Arguments in another form than was asked for: all of them are the input.
            self._context.notes.approximate("/tool_calls", "a custom tool's input came in another form than asked for")
            self._events.append(Delta(item.opened.item, 0, "args", written))
            return written
        return Unwrapper().feed(written)


def _complete(item: Growing) -> bool:
    """Whether a call's arguments are all there."""
    try:
        jsonio.loads("".join(item.pieces).encode("utf-8", "surrogatepass"))
    except ValueError:
        return False
    return True


class Breaking:
    """What every decoder does when its stream breaks off. `_over`: nothing that follows is read.

    `begins`: the API says itself that an answer begins. Where it does not, a beginning alone is nothing that was told.
    """

    __slots__ = ("_begins", "_over", "_teller", "fault")

    def __init__(self, teller: Teller, *, begins: bool = True) -> None:
        self._begins = begins
        self._teller = teller
        self._over = False
        self.fault: Fault | None = None

    def _broken(self, fault: Fault) -> list[Event]:
        """What was told until then; raises the fault where that is nothing."""
        self._over = True
        events = self._teller.take()
        if not events or not (self._begins or any(type(event) is not Started for event in events)):
            raise fault
        self.fault = fault
        return events


def tell(response: Response) -> list[Event]:
    """The events of a response that came whole. Names and reasons in it are the client's already."""
    started = Started(response.id, response.model, response.created, response.usage, response.tier, response.fingerprint)
    events: list[Event] = [started]
    index = 0
    for number, choice in enumerate(response.choices):
        for item in choice.items:
            events += _tell_item(index, number, item)
            index += 1
        events.append(Finished(choice.finish, number))
    if response.usage is not None:
        events.append(Metered(response.usage))
    events.append(Ended(response))
    return events


def _tell_item(index: int, choice: int, item: OutputItem) -> list[Event]:
    events: list[Event]
    if isinstance(item, ToolCall):
        named = (item.id, item.call_id, item.name, item.namespace, item.kind)
        events = [ItemOpened(index, "tool_call", *named, choice, seals=item.seals)]
        if item.args_text:
            events.append(Delta(index, 0, "args", item.args_text))
    elif isinstance(item, Message):
        events = [ItemOpened(index, "message", item.id, choice=choice, phase=item.phase)]
        for number, part in enumerate(item.parts):
            if isinstance(part, Text):
                events.append(PartOpened(index, number, "text"))
                if part.text or part.logprobs:
                    events.append(Delta(index, number, "text", part.text, part.logprobs))
                events += (Cited(index, number, annotation) for annotation in part.annotations)
                events += (Sealed(index, seal) for seal in part.seals)
                events.append(PartClosed(index, number, part.text))
            elif isinstance(part, Refusal):
                events += (PartOpened(index, number, "refusal"), Delta(index, number, "refusal", part.text))
                events.append(PartClosed(index, number, part.text))
    elif isinstance(item, Reasoning):
        events = [ItemOpened(index, "reasoning", item.id, choice=choice)]
        for number, segment in enumerate(item.segments):
            events += (PartOpened(index, number, segment.kind), Delta(index, number, segment.kind, segment.text))
            events.append(PartClosed(index, number, segment.text))
        events += (Sealed(index, seal) for seal in item.seals)
    else:
        events = [ItemOpened(index, "server", choice=choice)]
    events.append(ItemClosed(index, item))
    return events
