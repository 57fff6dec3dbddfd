"""Seals for clients that lose them.

Most clients send back what they know and strip the rest, so a provider's proof that travelled in an extension is gone when the
turn comes back. The vault remembers the turns that had seals: by the ids of their calls, and by what was visible of them. It is
bounded, forgets after a day, and never gives one client what another was told.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

import attrs
import msgspec

from llmux import jsonio
from llmux.dialects.neutral import Item, Message, OutputItem, Reasoning, Request, Response, Seal, Text, ToolCall

_MOST_TURNS = 20_000
_MOST_CHARACTERS = 64_000_000
_SECONDS = 24 * 3600.0


@attrs.frozen
class _Turn:
    """One answer as the client was told it, and until when it is remembered."""

    items: tuple[OutputItem, ...]
    until: float
    size: int


class Vault:
    """The memory of one process. `seconds` tells the time."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._turns: OrderedDict[tuple[bytes, str], _Turn] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return len(self._turns)

    def shelf(self, owner: bytes) -> Shelf:
        """What belongs to one client."""
        return Shelf(self, owner)

    def put(self, owner: bytes, names: Iterator[str], items: tuple[OutputItem, ...]) -> None:
        """Remember a turn under several names."""
        size = sum(map(_size, items))
        turn = _Turn(items, self._seconds() + _SECONDS, size)
        for name in names:
            self._drop((owner, name))
            self._turns[owner, name] = turn
            self._size += size
        while self._turns and (len(self._turns) > _MOST_TURNS or self._size > _MOST_CHARACTERS):
            self._drop(next(iter(self._turns)))

    def get(self, owner: bytes, name: str) -> tuple[OutputItem, ...] | None:
        """The turn of that name, unless it is forgotten."""
        turn = self._turns.get((owner, name))
        if turn is None:
            return None
        if turn.until < self._seconds():
            self._drop((owner, name))
            return None
        return turn.items

    def _drop(self, key: tuple[bytes, str]) -> None:
        turn = self._turns.pop(key, None)
        if turn is not None:
            self._size -= turn.size


@attrs.frozen
class Shelf:
    """One client's share of the vault."""

    _vault: Vault
    _owner: bytes = attrs.field(repr=False)

    def keep(self, response: Response) -> None:
        """Remember the turns of an answer that have seals."""
        for choice in response.choices:
            if any(_seals(item) for item in choice.items):
                self._vault.put(self._owner, _names(choice.items), choice.items)

    def restore(self, request: Request, family: str) -> Request:
        """The request with the seals of `family` that the client has lost."""
        if not len(self._vault):
            return request
        items: list[Item] = []
        run: list[OutputItem] = []
        changed = False
        for item in (*request.items, None):
            if (isinstance(item, Message) and item.role == "assistant") or isinstance(item, Reasoning | ToolCall):
                run.append(item)
                continue
            if run:
                restored = self._restored(run, family)
                changed = changed or restored is not run
                items += restored
                run = []
            if item is not None:
                items.append(item)
        return msgspec.structs.replace(request, items=tuple(items)) if changed else request

    def _restored(self, run: list[OutputItem], family: str) -> Sequence[OutputItem]:
        if any(_seals(item) for item in run):
            return run
        for name in _names(run):
            kept = self._vault.get(self._owner, name)
            if kept is not None and any(seal.family == family for item in kept for seal in _seals(item)):
                return _merged(run, kept)
        return run


def _merged(run: list[OutputItem], kept: tuple[OutputItem, ...]) -> list[OutputItem]:
    """What the client sent, with the reasoning and the seals of what it was told.

    Where both say the same, the order is that of what was told; ids are the client's, which may have made others.
    """
    turn = run[0].turn
    if _visible(run) == _visible(kept):
        calls = iter([item for item in run if isinstance(item, ToolCall)])
        at = run[0].at
        merged: list[OutputItem] = []
        for item in kept:
            if isinstance(item, ToolCall):
                mine = next(calls)
                merged.append(msgspec.structs.replace(mine, seals=item.seals))
            elif isinstance(item, Message | Reasoning):
                merged.append(msgspec.structs.replace(item, turn=turn, at=at))
        return merged
    told = {item.call_id: item for item in kept if isinstance(item, ToolCall)}
    thoughts = [msgspec.structs.replace(item, turn=turn, at=run[0].at) for item in kept if isinstance(item, Reasoning)]
    rest: list[OutputItem] = []
    for item in run:
        if isinstance(item, ToolCall) and item.call_id in told:
            rest.append(msgspec.structs.replace(item, seals=told[item.call_id].seals))
        elif not isinstance(item, Reasoning):
            rest.append(item)
    return [*thoughts, *rest]


def _seals(item: OutputItem) -> tuple[Seal, ...]:
    if isinstance(item, Reasoning | ToolCall):
        return item.seals
    if isinstance(item, Message):
        return tuple(seal for part in item.parts if isinstance(part, Text) for seal in part.seals)
    return ()


def _names(items: Sequence[OutputItem]) -> Iterator[str]:
    """What a turn can be found by: the ids of its calls, and what is visible of it."""
    for item in items:
        if isinstance(item, ToolCall):
            yield f"call {item.call_id}"
    visible = _visible(items)
    if visible is not None:
        yield f"turn {visible}"


def _visible(items: Sequence[OutputItem]) -> str | None:
    """A digest of the texts and calls, without ids; None where nothing is visible."""
    texts: list[str] = []
    calls: list[tuple[str, str]] = []
    for item in items:
        if isinstance(item, Message):
            texts += [part.text for part in item.parts if isinstance(part, Text)]
        elif isinstance(item, ToolCall):
            calls.append((item.name, _canonical(item.args_text)))
    text = "".join(texts)
    if not text and not calls:
        return None
    return hashlib.sha256(json.dumps([text, calls]).encode("utf-8", "surrogatepass")).hexdigest()


def _canonical(args_text: str) -> str:
    try:
        return json.dumps(jsonio.loads((args_text or "{}").encode("utf-8", "surrogatepass")), sort_keys=True)
    except ValueError:
        return args_text


def _size(item: OutputItem) -> int:
    if isinstance(item, Message):
        return sum(len(part.text) for part in item.parts if isinstance(part, Text))
    if isinstance(item, Reasoning):
        return len(item.text) + sum(len(seal.payload) for seal in item.seals)
    if isinstance(item, ToolCall):
        return len(item.args_text) + sum(len(seal.payload) for seal in item.seals)
    return 0
