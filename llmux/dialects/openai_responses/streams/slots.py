"""One item of the output while it is read.

Every text is told up to four times: in deltas, whole, in its part, in its item. What came first is told on; the later ones may
only add to it, or, if they differ, count at the end.
"""

from __future__ import annotations

from typing import Any, Literal

from llmux.dialects.context import Context
from llmux.dialects.events import PartKind
from llmux.dialects.openai_responses import citations, probabilities
from llmux.dialects.telling import Growing, Teller

Kind = Literal["message", "reasoning", "call", "server"]
Place = tuple[PartKind, int]  # the kind of a part, and its index among its like

_PHASES = ("commentary", "final_answer")


class Slot:
    """What is known of one item, at its place in the output. `item` is what is told of it, None before it can be opened.

    `left`: something else began, so that it counts as whole; if more of it comes, that is a new item, and `before` is what was
    said of the open part in the old one.
    """

    __slots__ = (
        "before",
        "cited",
        "closed",
        "held",
        "id",
        "index",
        "item",
        "kind",
        "left",
        "part",
        "phase",
        "sealed",
        "settled",
        "tokens",
        "told",
    )

    def __init__(self, kind: Kind, node: dict[str, Any], index: int) -> None:
        self.kind = kind
        self.index = index
        self.id = _text(node.get("id"))
        self.sealed = _text(node.get("encrypted_content"))  # the seal as it was first told
        self.phase = _text(node.get("phase")) if node.get("phase") in _PHASES else ""
        self.item: Growing | None = None
        self.left = False
        self.closed = False
        self.held = ""  # arguments that came before the name
        self.told: set[Place] = set()  # the parts that are whole
        self.part: Place | None = None  # the open one
        self.before = ""
        self.settled = False  # it was told whole
        self.cited = 0  # its annotations so far
        self.tokens = False  # its tokens were told

    def takes(self, place: Place) -> bool:
        """Whether more can be said of a part."""
        fits = self.kind == "message" if place[0] in ("text", "refusal") else self.kind == "reasoning"
        return fits and not self.closed and place not in self.told

    def leave(self) -> None:
        """Something else begins; the teller closes the item."""
        self.left = True
        if self.part is not None and self.item is not None:
            self.before += self.item.text

    def opened(self, item: Growing, teller: Teller) -> None:
        """It is told, in a new item if it was left."""
        self.item = item
        self.left = False
        if self.part is not None:
            teller.open_part(item, self.part[0])

    def open_part(self, item: Growing, place: Place, teller: Teller) -> None:
        """A part begins, unless it has already."""
        if self.part != place:
            self.end_part()
            teller.open_part(item, place[0])
            self.part = place

    def end_part(self) -> None:
        """The open part is whole."""
        if self.part is not None:
            self.told.add(self.part)
        self.part = None
        self.before = ""
        self.settled = self.tokens = False
        self.cited = 0

    def said_all(self, place: Place, text: object) -> bool:
        """Whether all of a part was said before something else began."""
        return self.left and self.part == place and (not isinstance(text, str) or text == self.before)

    def settle(self, item: Growing, text: object, teller: Teller, context: Context) -> None:
        """The open part is told whole; its annotations may still follow."""
        if isinstance(text, str) and not self.settled:
            settle(item, text, teller, context, self.before)
            self.settled = True

    def whole(self, item: Growing, node: dict[str, Any], teller: Teller, context: Context) -> None:
        """The open part is told whole, with all that goes with it."""
        assert self.part is not None, "what is told whole was opened"
        kind = self.part[0]
        self.settle(item, words(kind, node), teller, context)
        annotations = node.get("annotations")
        for annotation in annotations[self.cited :] if isinstance(annotations, list) else ():
            if isinstance(annotation, dict):
                self.cite(item, annotation, teller)
        tokens = probabilities.read(node.get("logprobs"))
        if tokens and not self.tokens:
            teller.say(item, kind, "", tokens)
        teller.close_part(item)
        self.end_part()

    def cite(self, item: Growing, node: dict[str, Any], teller: Teller) -> None:
        """The open text has a source."""
        self.cited += 1
        number = 0 if self.part is None else self.part[1]
        teller.cite(item, citations.read(node, f"/output/{self.index}/content/{number}/annotations"))


def words(kind: PartKind, node: dict[str, Any]) -> object:
    """The text of a part, or of an event that tells it whole."""
    return node.get("refusal" if kind == "refusal" else "text")


def settle(item: Growing, text: str, teller: Teller, context: Context, before: str = "") -> None:
    """The open part, or a call's arguments, are told whole: what was missing is said, and where it is another text, it counts."""
    said = before + item.text
    if text == said:
        return
    if text.startswith(said):
        rest = text[len(said) :]
        if item.part is None:
            teller.args(item, rest)
        else:
            teller.say(item, item.part.kind, rest)
        return
    context.notes.approximate("/output", "the provider told a text in pieces that do not come to it")
    if not before:
        pieces = item.pieces if item.part is None else item.part.pieces
        pieces[:] = [text]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
