"""Reads contents as items: runs of parts are messages, runs of thoughts are reasoning, calls and results stand alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec

from llmux import jsonio
from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.gemini import media, servers, signatures
from llmux.dialects.gemini.spelling import Node
from llmux.dialects.neutral import (
    Item,
    Media,
    Message,
    OpaquePart,
    Part,
    Reasoning,
    Role,
    Seal,
    Segment,
    Text,
    ToolCall,
    ToolResult,
)

# What a part may hold; one of them, by rights.
_DATA = ("functionCall", "functionResponse", "inlineData", "fileData", *servers.PARTS, "text")
_PART = frozenset({*_DATA, "thought", "thoughtSignature", "mediaResolution"})
_CALL = frozenset({"id", "name", "args"})
_RESPONSE = frozenset({"id", "name", "response", "parts"})
# The keys of a response to which the API gives a meaning, and the one that its SDKs write beside them.
_TEXT_KEYS = ("output", "result", "error")


class Contents:
    """Takes contents one by one. `detail` is how closely to look at media that do not say it themselves."""

    def __init__(self, context: Context, detail: str | None) -> None:
        self._context = context
        self._detail = detail
        self.items: list[Item] = []
        self.has_media = False
        self._role: Role = "user"
        self._turn = 0
        self._at = ""  # of the content, then of the first part of a run
        self._parts: list[Part] = []
        self._thoughts: list[str] = []
        self._thoughts_at = ""
        self._first = 0  # the first item of this content
        self._waiting: dict[str, deque[str]] = {}  # the ids of calls without a result, by name
        self._calls = 0
        self._server_id = "call"  # of the last call of a tool of the provider's own

    def read(self, role: Role, turn: int, content: Node) -> None:
        """The items of one content."""
        self._role, self._turn, self._first = role, turn, len(self.items)
        self._at = content.at
        raw_parts = content.get("parts")
        if raw_parts.__class__ is not list:
            if raw_parts is not None:
                raise content.wrong(content.where("parts"), "a list")
            raw_parts = []
        at = content.where("parts")
        for index, raw in enumerate(raw_parts):
            if not isinstance(raw, dict):
                raise content.wrong(f"{at}/{index}", "an object")
            text = raw.get("text")
            if text.__class__ is str and len(raw) == 1:
                if self._thoughts:
                    self._think()
                if text or len(raw_parts) == 1:  # clients keep the empty text that ends a stream
                    self._parts.append(Text(text, at=f"{at}/{index}"))
            else:
                self._part(Node(raw, f"{at}/{index}"))
        self._think()
        if self._parts or len(self.items) == self._first:
            self._flush()

    def _part(self, part: Node) -> None:
        notes = self._context.notes
        signature = part.text("thoughtSignature")
        found = [name for name in _DATA if part.get(name) is not None]
        if found or signature or part.get("thought") is not None:
            part.rest(_PART, notes)
        for name in found[1:]:
            notes.drop(part.where(name), f"a part that is a {found[0]} already")
        name = found[0] if found else ""
        if name not in media.MEMBERS:
            part.drop("mediaResolution", notes, "there is nothing to look at")
        if part.get("thought") is True and name in ("text", "", *media.MEMBERS):
            self._thought(part, name, signature)
            return
        self._think()
        reader = _READERS.get(name)
        if reader is None:
            self._say(part, name, signature)
        elif self._role == "system":
            notes.refuse(part.at, f"no {name} can stand in instructions")
        else:
            if self._parts:
                self._flush()
            reader(self, part, name, signature)

    def _flush(self) -> None:
        """The parts so far are a message."""
        only = len(self.items) == self._first
        at = self._at if only or not self._parts else self._parts[0].at
        self.items.append(Message(self._role, tuple(self._parts), self._turn, at=at))
        self._parts = []

    # texts and media

    def _say(self, part: Node, name: str, signature: str) -> None:
        notes = self._context.notes
        if name in media.MEMBERS:
            self.has_media = True
            self._parts.append(media.read(part, name, notes, self._detail))
            if signature:
                notes.drop(part.where("thoughtSignature"), "only texts and calls keep their signatures elsewhere")
        elif name == "text":
            text = part.text("text")
            seals = self._seals(part, signature)
            if text or not seals:
                self._parts.append(Text(text, seals=seals, at=part.at))
            else:
                self._seal_last(part, seals)
        elif signature:
            self._seal_last(part, self._seals(part, signature))
        elif part.raw:
            raw = {key: value for key, value in part.raw.items() if value is not None}
            self._parts.append(OpaquePart(next(iter(raw), ""), raw, "gemini", part.at))

    def _seals(self, part: Node, signature: str, text: str = "") -> tuple[Seal, ...]:
        if not signature:
            return ()
        return signatures.read(signature, text, self._context, part.where("thoughtSignature"))

    def _seal_last(self, part: Node, seals: tuple[Seal, ...]) -> None:
        """A signature without anything to sign belongs to what stands before it."""
        last: Any = self._parts[-1] if self._parts else self.items[-1] if len(self.items) > self._first else None
        moved = tuple(msgspec.structs.replace(seal, at=part.at) for seal in seals)
        if isinstance(last, Text):
            self._parts[-1] = msgspec.structs.replace(last, seals=(*last.seals, *moved))
        elif isinstance(last, Reasoning | ToolCall):
            self.items[-1] = msgspec.structs.replace(last, seals=(*last.seals, *moved))
        elif seals:
            self._parts.append(Text("", seals=seals, at=part.at))

    # thoughts

    def _thought(self, part: Node, name: str, signature: str) -> None:
        """A thought goes on until one is signed."""
        if name in media.MEMBERS:
            self._context.notes.drop(part.at, "a picture that the model only thought of")
            return
        if self._parts:
            self._flush()
        text = part.text("text")
        if not text and not signature:
            self._context.notes.drop(part.at, "a thought in which nothing stands")
            return
        if not self._thoughts:
            self._thoughts_at = part.at
        self._thoughts.append(text)
        if signature:
            self._think(self._seals(part, signature, "".join(self._thoughts)))

    def _think(self, seals: tuple[Seal, ...] = ()) -> None:
        if not self._thoughts:
            return
        text = "".join(self._thoughts)
        self._thoughts = []
        if text or seals:
            segments = (Segment("summary", text),) if text else ()
            self.items.append(Reasoning(segments, seals, self._turn, at=self._thoughts_at))

    # calls and results

    def _call(self, part: Node, name: str, signature: str) -> None:
        call = part.child(name)
        assert call is not None, "the member is there"
        call.rest(_CALL, self._context.notes)
        function = call.text("name")
        if not function:
            raise reading.invalid(call.where("name"), f"{call.where('name')} is required")
        call_id = call.text("id") or self._context.made_up_id(self._calls, function)
        self._calls += 1
        args = reading.obj(call.get("args"), call.where("args"))
        self._waiting.setdefault(function, deque()).append(call_id)
        text = jsonio.dumps(args).decode() if args else "{}"
        self.items.append(ToolCall(call_id, function, text, self._turn, seals=self._seals(part, signature), at=part.at))

    def _result(self, part: Node, name: str, signature: str) -> None:
        """What a function gave back. Without an id it answers the first call of its name that has no result."""
        node, notes = part.child(name), self._context.notes
        assert node is not None, "the member is there"
        node.rest(_RESPONSE, notes)
        if signature:
            notes.drop(part.where("thoughtSignature"), "nobody signs what a client says")
        function, call_id = node.text("name"), node.text("id")
        waiting = self._waiting.get(function, deque())
        if call_id and call_id in waiting:
            waiting.remove(call_id)
        elif not call_id:
            call_id = waiting.popleft() if waiting else self._context.made_up_id(self._calls, f"{function} unasked")
        response = node.get("response")
        text, is_error, form = _said(response)
        parts: list[Part] = [Text(text, at=node.where("response") if response is not None else part.at)]
        shown = list(self._shown(node))
        if shown:
            parts = [*(parts if text else []), *shown]
        result = ToolResult(
            call_id,
            function or None,
            tuple(parts),
            is_error,
            self._turn,
            form="parts" if shown and form == "string" else form,  # type: ignore[arg-type]  # one of its words
            at=part.at,
        )
        self.items.append(result)

    def _shown(self, node: Node) -> list[Media]:
        found = []
        for each in node.children("parts"):
            name = next((name for name in media.MEMBERS if each.get(name) is not None), None)
            if name is None:
                self._context.notes.drop(each.at, "it holds nothing that can be shown")
                continue
            each.rest(_SHOWN, self._context.notes)
            found.append(media.read(each, name, self._context.notes, self._detail))
        return found

    def _server(self, part: Node, name: str, signature: str) -> None:
        if signature:
            self._context.notes.drop(part.where("thoughtSignature"), "only texts and calls keep their signatures elsewhere")
        if servers.PARTS[name]:
            self._server_id = self._context.made_up_id(len(self.items), name)
        item = servers.read(part.raw, name, self._server_id, self._turn, part.at)
        self._server_id = item.call_id
        self.items.append(item)


_SHOWN = frozenset({*media.MEMBERS, "mediaResolution"})
_READERS: dict[str, Callable[[Contents, Node, str, str], None]] = {
    "functionCall": Contents._call,
    "functionResponse": Contents._result,
    **dict.fromkeys(servers.PARTS, Contents._server),
}


def _said(response: object) -> tuple[str, bool, str]:
    """The text of a response, whether it tells of an error, and in which form it came."""
    if response is None:
        return "", False, "string"
    if isinstance(response, dict):
        if len(response) == 1:
            key, value = next(iter(response.items()))
            if key in _TEXT_KEYS and isinstance(value, str):
                return value, key == "error", "string"
        return jsonio.dumps(response).decode(), response.get("error") is not None, "object"
    return jsonio.dumps(response).decode(), False, "string"
