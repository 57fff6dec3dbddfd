"""The tool calls of one choice, put together from fragments.

OpenAI numbers its calls and says id and name once. Compatible servers leave the number out, repeat it for every call or set it to
-1; they tell the name late, repeat it with each fragment, or have no ids. A fragment belongs to the call with its
number, unless it names another id.
"""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects.neutral import Seal
from llmux.dialects.openai_chat.custody import signature
from llmux.dialects.telling import Growing, Teller


class _Call:
    """A call on its way. Until its name is known, what it says waits."""

    __slots__ = ("closed", "custom", "held", "id", "item", "name", "seals")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.custom = False
        self.item: Growing | None = None
        self.closed = False
        self.held: list[str] = []
        self.seals: list[Seal] = []


class Calls:
    """The calls of one choice."""

    __slots__ = ("_ahead", "_by_number", "_calls", "_choice", "_teller")

    def __init__(self, choice: int, teller: Teller) -> None:
        self._choice = choice
        self._teller = teller
        self._calls: list[_Call] = []
        self._by_number: dict[int, _Call] = {}
        self._ahead: list[tuple[str, Seal]] = []  # seals that came before their call, with its id

    def see(self, fragment: dict[str, Any]) -> None:
        """A fragment of a call, or all of it."""
        custom = fragment.get("type") == "custom" or isinstance(fragment.get("custom"), dict)
        body = fragment.get("custom" if custom else "function")
        if not isinstance(body, dict):
            body = {}
        id_, name = _text(fragment.get("id")), _text(body.get("name"))
        args = body.get("input" if custom else "arguments")
        if isinstance(args, dict):
            args = jsonio.dumps(args).decode()  # some servers send the object itself
        args = _text(args)
        call = self._find(fragment.get("index"), id_, name, args)
        call.custom = call.custom or custom
        call.id = call.id or id_
        if given := signature(fragment):
            self._seal(call, Seal("gemini", "thought_signature", given))
        if name and not call.name:
            call.name = name
            self._open(call)
        if not args or call.closed:
            return
        if call.item is None:
            call.held.append(args)
        else:
            self._teller.args(call.item, args)

    def settle(self) -> None:
        """Something else is said: calls whose arguments are whole are over, so that readers need not wait."""
        for call in self._calls:
            if call.item is not None and not call.closed and not call.custom and _whole(call):
                call.closed = True
                self._teller.close(call.item)

    def seal(self, call_id: str, seal: Seal) -> None:
        """A seal of the call with that id, which may be still to come; of the next one, if there is no id."""
        call = next((call for call in self._calls if call_id and call.id == call_id), None)
        if call is None:
            self._ahead.append((call_id, seal))
        else:
            self._seal(call, seal)

    def unclaimed(self) -> list[Seal]:
        """Seals whose call never came."""
        return [seal for _, seal in self._ahead]

    def unnamed(self) -> bool:
        """Whether there is a call of which nobody knows the name."""
        return any(call.item is None and (call.id or call.held) for call in self._calls)

    def _find(self, number: object, id_: str, name: str, args: str) -> _Call:
        place = number if isinstance(number, int) and number >= 0 else None
        call = None if place is None else self._by_number.get(place)
        if id_ and (call is None or (call.id and call.id != id_)):
            # The number is missing, or it is the same for all.
            call = next((each for each in self._calls if each.id == id_), None)
        elif call is None and place is None and not id_ and self._calls:
            call = self._calls[-1]
        if call is not None and name and call.name and not (id_ and call.id) and _begins_anew(call, name, args):
            call = None
        if call is None:
            self.settle()
            call = _Call()
            self._calls.append(call)
        if place is not None:
            self._by_number[place] = call
        return call

    def _open(self, call: _Call) -> None:
        teller = self._teller
        mine = [seal for id_, seal in self._ahead if id_ in ("", call.id)]
        self._ahead = [(id_, seal) for id_, seal in self._ahead if id_ not in ("", call.id)]
        seals = (*mine, *call.seals)
        call.item = teller.open_call(call.id, call.name, self._choice, custom=call.custom, seals=seals)
        for args in call.held:
            teller.args(call.item, args)

    def _seal(self, call: _Call, seal: Seal) -> None:
        if call.item is None:
            call.seals.append(seal)
        elif not call.closed:
            self._teller.seal(call.item, seal)


def _begins_anew(call: _Call, name: str, args: str) -> bool:
    """Whether a fragment without an id names another call than the one that has its number."""
    return call.item is not None and _whole(call) and (name != call.name or bool(args))


def _whole(call: _Call) -> bool:
    """Whether a call's arguments are all there: a JSON object that is closed."""
    pieces = [] if call.item is None else call.item.pieces
    if not pieces or not pieces[-1].rstrip().endswith("}"):
        return False
    try:
        jsonio.loads("".join(pieces).encode("utf-8", "surrogatepass"))
    except ValueError:
        return False
    return True


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
