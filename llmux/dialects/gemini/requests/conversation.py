"""Writes the items of a conversation as contents: the user's and the model's, by turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from llmux import jsonio
from llmux.dialects.context import Context
from llmux.dialects.gemini import servers, signatures
from llmux.dialects.gemini.requests.parts import Parts, Written
from llmux.dialects.neutral import Item, Media, Message, Reasoning, Seal, ServerCall, ServerResult, Text, ToolCall, ToolResult
from llmux.dialects.tools import wrap_input

_SEE_BELOW = "[{kind}: see below]"


class Conversation:
    """The writer of a request's items. `system` holds the instructions, `contents` the turns."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.parts = Parts(context)
        self.system: list[Written] = []
        self.contents: list[dict[str, Any]] = []
        self._names: dict[str, str] = {}  # of the functions, by the ids of their calls
        self._below: list[Written] = []  # what the results of a turn show
        self._held: tuple[Seal, ...] = ()  # of hidden reasoning: they belong to what follows

    def write(self, items: Sequence[Item]) -> None:
        """Take all items, in their order. Raises Fault."""
        start = 0
        while start < len(items) and _is_system(items[start]):
            start += 1
        if start == len(items) and start:
            start -= 1  # somebody has to say something
            self._context.notes.approximate(items[start].at, "Gemini wants a user to speak")
            items = [*items[:start], msgspec.structs.replace(items[start], role="user")]
        for item in items[:start]:
            assert isinstance(item, Message), "only messages have that role"
            self._unsaid(item)
            self.system += self._instructions(item)
        for item in items[start:]:
            if self._below and not isinstance(item, ToolResult):
                self._show()
            self._item(item)
        self._show()
        self._release()
        if self.contents and self.contents[0]["role"] == "model":
            self._context.notes.approximate(items[start].at, "Gemini expects the user to speak first")
        if self._context.target.capabilities.levels is True:
            self._vouch()

    def _item(self, item: Item) -> None:
        notes = self._context.notes
        match item:
            case Message("system" | "developer"):
                self._reminder(item)
            case Message():
                self._message(item)
            case ToolCall():
                self._enter("model", [self._call(item)])
            case ToolResult():
                self._release()
                self._enter("user", [self._result(item)])
            case Reasoning():
                self._reasoning(item)
            case ServerCall() | ServerResult() if item.dialect == "gemini":
                self._enter("model", [dict(item.raw)])
            case ServerCall() | ServerResult():
                notes.approximate(item.at, "another provider's own tool is told in words")
                text = servers.in_words(item)
                self._enter("model", [{"text": text}] if text else [])
            case _ if item.dialect == "gemini":
                self._enter("model", [dict(item.raw)])
            case _:
                notes.drop(item.at, f"no counterpart for {item.kind}")

    def _enter(self, role: str, parts: list[Written]) -> None:
        """Neighbours of one role are one content."""
        if not parts:
            return
        if self.contents and self.contents[-1]["role"] == role:
            self.contents[-1]["parts"] += parts
        else:
            self.contents.append({"role": role, "parts": parts})

    # messages

    def _message(self, item: Message) -> None:
        self._unsaid(item)
        if item.role == "assistant":
            if self._held:
                item = self._sealed(item)
            parts = self.parts.write(item.parts)
            self._enter("model", parts)
        else:
            self._release()
            parts = self.parts.write(item.parts)
            self._enter("user", parts)
        if not parts and all(isinstance(part, Text) for part in item.parts):
            self._context.notes.drop(item.at, "a message in which nothing stands is left out")

    def _sealed(self, item: Message) -> Message:
        """The message with what seals the hidden reasoning before it."""
        at = next((index for index in range(len(item.parts) - 1, -1, -1) if isinstance(item.parts[index], Text)), None)
        last = None if at is None else item.parts[at]
        if not isinstance(last, Text) or at is None or any(seal.family == signatures.FAMILY for seal in last.seals):
            self._release()
            return item
        parts = list(item.parts)
        parts[at] = msgspec.structs.replace(last, seals=(*last.seals, *self._held))
        self._held = ()
        return msgspec.structs.replace(item, parts=tuple(parts))

    def _reminder(self, item: Message) -> None:
        """Instructions inside the conversation, in the user's name and in place, so that the prompt before stays as it was."""
        self._release()
        self._unsaid(item)
        self._context.notes.approximate(item.at, "instructions inside the conversation are told by the user")
        parts = self._instructions(item)
        for part in parts:
            part["text"] = f"<system-reminder>\n{part['text']}\n</system-reminder>"
        self._enter("user", parts)

    def _instructions(self, item: Message) -> list[Written]:
        texts = [part for part in item.parts if isinstance(part, Text)]
        for part in item.parts:
            if not isinstance(part, Text):
                self._context.notes.refuse(part.at, "instructions hold texts only")
        return self.parts.write(texts)

    def _unsaid(self, item: Message) -> None:
        if item.author:
            self._context.notes.drop(f"{item.at}/name", "speakers have no names")
        if item.phase:
            self._context.notes.approximate(f"{item.at}/phase", "what the model says is told in order, whatever its phase")

    # reasoning

    def _reasoning(self, item: Reasoning) -> None:
        signature = self.parts.signature(item.seals, item.at) if item.seals else None
        text = item.text
        if text:
            part: Written = {"text": text, "thought": True}
            if signature is not None:
                part["thoughtSignature"] = signature
            self._enter("model", [part])
        elif signature is not None:
            self._release()
            self._held = (signatures.native(signature),)
        elif not item.seals:
            self._context.notes.drop(item.at, "reasoning in which nothing stands is left out")

    def _release(self) -> None:
        """A seal of hidden reasoning behind which the model says nothing more belongs to the text before it; without one, to a
        hidden thought."""
        if not self._held:
            return
        payload, self._held = self._held[0].payload, ()
        last = self.contents[-1]["parts"][-1] if self.contents and self.contents[-1]["role"] == "model" else {}
        if last.keys() == {"text"}:
            last["thoughtSignature"] = payload
        else:
            self._enter("model", [{"text": "", "thought": True, "thoughtSignature": payload}])

    # calls and results

    def _call(self, item: ToolCall) -> Written:
        self.parts.unmarked(item.mark)
        name = self._names[item.call_id] = self._context.book.alias(item.name, item.namespace)
        named = {"id": item.call_id} if item.call_id else {}
        part: Written = {"functionCall": {**named, "name": name, "args": self._arguments(item)}}
        seals = item.seals
        if self._held and not any(seal.family == signatures.FAMILY for seal in seals):
            seals, self._held = (*seals, *self._held), ()
        signature = self.parts.signature(seals, item.at) if seals else None
        if signature is not None:
            part["thoughtSignature"] = signature
        return part

    def _arguments(self, item: ToolCall) -> jsonio.Verbatim:
        text = wrap_input(item.args_text) if item.kind == "custom" else item.args_text
        if not text.strip():
            if text:
                self._context.notes.approximate(item.at, "white space is no JSON: there are no arguments")
            return jsonio.Verbatim("{}")
        try:
            args = jsonio.loads(text.encode("utf-8", "surrogatepass"))
        except ValueError:
            self._context.notes.refuse(item.at, "the arguments of a call are no JSON")
            return jsonio.Verbatim("{}")
        if isinstance(args, dict):
            return jsonio.Verbatim(text)
        self._context.notes.approximate(item.at, "arguments are objects: another value stands inside of one")
        return jsonio.Verbatim(f'{{"value":{text}}}')

    def _result(self, item: ToolResult) -> Written:
        """What a function gave back. An object stays one only if this API said so, and holds nothing that it would take for a
        reference to a medium."""
        self.parts.unmarked(item.mark)
        notes = self._context.notes
        text, shown = self.parts.of_result(item.parts, item.at)
        named = {"id": item.call_id} if item.call_id else {}
        written: Written = {**named, "name": self._names[item.call_id]}
        response: object = None
        if item.form == "object":
            response = _object(text)
            if response is None:
                notes.approximate(item.at, "an object that would be taken for a reference is told as text")
        if shown and self._context.target.capabilities.result_media is not True:
            for part in item.parts:
                if isinstance(part, Media):
                    notes.approximate(part.at, "what a result shows stands behind the results")
            marks = [_SEE_BELOW.format(kind=_kind(part)) for part in shown]
            text = "\n".join([*([text] if text else []), *marks])
            self._below += shown
            shown = []
        written["response"] = response or {"error" if item.is_error else "output": text}
        if shown:
            written["parts"] = shown
        return {"functionResponse": written}

    def _show(self) -> None:
        if self._below:
            self._enter("user", self._below)
            self._below = []

    def _vouch(self) -> None:
        """The models that insist on a signature for the first call of a step take one word for those that are lost."""
        for index, content in enumerate(self.contents):
            if content["role"] != "model" or any("thoughtSignature" in part for part in content["parts"]):
                continue
            for place, part in enumerate(content["parts"]):
                if "functionCall" in part:
                    part["thoughtSignature"] = signatures.BYPASS
                    at = f"/contents/{index}/parts/{place}/thoughtSignature"
                    self._context.notes.invent(at, "the call was signed by nobody whom the model knows")
                    break


def _object(text: str) -> jsonio.Verbatim | None:
    try:
        value = jsonio.loads(text.encode("utf-8", "surrogatepass"))
    except ValueError:
        return None
    return jsonio.Verbatim(text) if isinstance(value, dict) and '"$ref"' not in text else None


def _kind(part: Written) -> str:
    mime = str(next(iter(part.values())).get("mimeType", ""))
    return mime.partition("/")[0] if mime.startswith(("image/", "audio/", "video/")) else "file"


def _is_system(item: Item) -> bool:
    return isinstance(item, Message) and item.role in ("system", "developer")
