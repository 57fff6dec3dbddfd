"""Writes the items of a conversation as messages: who speaks when, and what the API wants to stand where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any

import msgspec

from llmux import jsonio
from llmux.dialects.anthropic import emulation
from llmux.dialects.anthropic.requests.content import Content, simple
from llmux.dialects.anthropic.requests.marks import Marks
from llmux.dialects.context import Context
from llmux.dialects.neutral import (
    Item,
    Message,
    Part,
    Reasoning,
    Seal,
    ServerCall,
    ServerResult,
    Text,
    ToolCall,
    ToolResult,
)
from llmux.dialects.tools import wrap_input

Block = dict[str, Any]


class Spoken(msgspec.Struct):
    """One message. `turn` is that of its last item, `joins`: more of the assistant's may follow in it. `at` is for notes."""

    role: str
    blocks: list[Block]
    turn: int
    at: str
    joins: bool = False


class Conversation:
    """The writer of a request's items. `system` holds the instructions, `spoken` the messages."""

    __slots__ = ("_content", "_context", "_heard", "_interrupted", "_marks", "_silent", "spoken", "system")

    def __init__(self, context: Context, marks: Marks) -> None:
        self._context = context
        self._marks = marks
        self._content = Content(context, marks)
        self._silent: list[tuple[str, Message]] = []
        self._heard: set[tuple[str, int]] = set()
        self._interrupted = False  # whether instructions stand inside the conversation
        self.system: list[Block] = []
        self.spoken: list[Spoken] = []

    def write(self, items: Sequence[Item]) -> None:
        """Take all items, in their order. Raises Fault."""
        ahead = list(takewhile(_is_system, items))
        last = ahead.pop() if ahead and len(ahead) == len(items) else None
        for item in ahead:
            assert isinstance(item, Message), "only messages have that role"
            self._not_phased(item)
            self.system += self._instructions(item)
        if isinstance(last, Message):
            self._context.notes.approximate(last.at, "Anthropic wants a user to speak")
            self._enter("user", self._content.blocks(last.parts), last)
            return
        for item in items[len(ahead) :]:
            self._item(item)
        for role, message in self._silent:
            if (role, message.turn) not in self._heard:
                self._context.notes.drop(message.at, "a message in which nothing stands is left out")
        if self._interrupted:
            self.spoken = self._placed([each for each in self.spoken if each.blocks])
        self._check_end()

    def _item(self, item: Item) -> None:
        match item:
            case Message():
                self._message(item)
            case ToolCall():
                self._enter("assistant", [self._call(item)], item, joins=True)
            case Reasoning():
                self._enter("assistant", self._thinking(item), item, joins=True)
            case ToolResult():
                self._enter("user", [self._result(item)], item)
            case ServerCall() | ServerResult() if item.dialect == "anthropic":
                self._enter("assistant", [dict(item.raw)], item, joins=True)
            case ServerCall() | ServerResult():
                self._enter("assistant", self._in_words(item), item, joins=True)
            case _ if item.dialect == "anthropic":
                self._enter("assistant", [dict(item.raw)], item, joins=True)
            case _:
                self._context.notes.drop(item.at, f"no counterpart for {item.kind}")

    def _message(self, item: Message) -> None:
        self._not_phased(item)
        if item.role in ("system", "developer"):
            self._interrupted = True
            self.spoken.append(Spoken("system", self._instructions(item), item.turn, item.at))
            return
        speaker = "assistant" if item.role == "assistant" else "user"
        blocks = self._content.blocks(item.parts, assistant=speaker == "assistant")
        if not blocks:
            if all(isinstance(part, Text) for part in item.parts):  # what else was lost is noted by itself
                self._silent.append((speaker, item))
        elif len(blocks) < len(item.parts):
            self._note_blanks(item.parts)
        self._enter(speaker, blocks, item)

    def _enter(self, role: str, blocks: list[Block], item: Item, joins: bool = False) -> None:
        """Blocks go on in the message before if they came in one turn, or if the API wants them there: all results of a turn's
        calls in one message, and a turn of the model's whole if it thought or called.
        """
        if not blocks:
            return
        self._heard.add((role, item.turn))
        last = self.spoken[-1] if self.spoken else None
        if last is not None and last.role == role:
            same = last.turn == item.turn or (isinstance(item, ToolResult) and _is_result(last.blocks))
            if same or (role == "assistant" and (joins or last.joins)):
                last.blocks += blocks
                last.turn = item.turn
                last.joins = last.joins or joins
                return
        self.spoken.append(Spoken(role, blocks, item.turn, item.at, joins))

    def _note_blanks(self, parts: Iterable[Part]) -> None:
        for part in parts:
            if isinstance(part, Text) and part.text.isspace():
                self._context.notes.approximate(part.at, "a text in which nothing stands is left out")

    def _not_phased(self, item: Message) -> None:
        if item.author:
            self._context.notes.drop(f"{item.at}/name", "speakers have no names")
        if item.phase:
            self._context.notes.approximate(f"{item.at}/phase", "what the model says is told in order, whatever its phase")

    def _instructions(self, item: Message) -> list[Block]:
        texts: list[Part] = []
        for part in item.parts:
            if isinstance(part, Text):
                texts.append(part)
            else:
                self._context.notes.refuse(part.at, "a system prompt holds texts only")
        return self._content.blocks(texts)

    def _call(self, item: ToolCall) -> Block:
        context = self._context
        name = context.book.alias(item.name, item.namespace)
        args_text = wrap_input(item.args_text) if item.kind == "custom" else item.args_text
        for seal in item.seals:
            context.notes.drop(seal.at or item.at, "a seal that only its own maker reads")
        block = {"type": "tool_use", "id": item.call_id, "name": name, "input": self._input(item, args_text, name)}
        self._marks.add(item.mark, block)
        return block

    def _input(self, item: ToolCall, args_text: str, name: str) -> jsonio.Verbatim | dict[str, Any]:
        """The arguments, as they were written."""
        if not args_text.strip():
            if args_text:
                self._context.notes.approximate(item.at, "white space is no JSON: there are no arguments")
            return {}
        try:
            args = jsonio.loads(args_text.encode("utf-8", "surrogatepass"))
        except ValueError:
            self._context.notes.refuse(item.at, f"the arguments of the call {item.call_id} are no JSON")
            return {}
        if name in self._context.nested:
            return jsonio.Verbatim(emulation.nest(args_text))
        if isinstance(args, dict):
            return jsonio.Verbatim(args_text)
        self._context.notes.approximate(item.at, "arguments must be an object")
        return jsonio.Verbatim(emulation.nest(args_text))

    def _result(self, item: ToolResult) -> Block:
        block: Block = {"type": "tool_result", "tool_use_id": item.call_id}
        only = item.parts[0] if len(item.parts) == 1 else None
        content: str | list[Block]
        if isinstance(only, Text) and only.mark is None and not only.annotations:
            content = only.text
        else:
            content = self._content.blocks(item.parts)
        if content:
            block["content"] = content
        if item.is_error:
            block["is_error"] = True
        self._marks.add(item.mark, block)
        return block

    def _thinking(self, item: Reasoning) -> list[Block]:
        """Only thinking that Anthropic signed can be sent back."""
        own: list[Seal] = [seal for seal in item.seals if seal.family == "anthropic"]
        for seal in item.seals:
            if seal.family != "anthropic":
                self._context.notes.drop(seal.at or item.at, "thinking cannot be sent back: another provider's proof")
        if not own and (item.segments or not item.seals):
            self._context.notes.drop(item.at, "thinking cannot be sent back: nobody signed it")
        blocks: list[Block] = []
        for seal in own:
            if seal.kind == "redacted":
                blocks.append({"type": "redacted_thinking", "data": seal.payload})
            else:
                blocks.append({"type": "thinking", "thinking": item.text, "signature": seal.payload})
        return blocks

    def _in_words(self, item: ServerCall | ServerResult) -> list[Block]:
        """What another provider's own tools did, for the model to read."""
        if isinstance(item, ServerCall):
            text = f"[{item.name or item.family} {item.args_text}]"
        else:
            pages = [f"{hit.title} {hit.url}".strip() for hit in item.hits]
            text = "\n".join([*pages, item.text]).strip()
        self._context.notes.approximate(item.at, "another provider's own tool is told in words")
        return [{"type": "text", "text": text}] if text and not text.isspace() else []

    def _placed(self, spoken: list[Spoken]) -> list[Spoken]:
        """System messages where they may stand: behind a user's turn, or the provider's own tools, and before the model's or
        last; and only for models that know them. Elsewhere the user says them, in place, so that the prompt before stays as it
        was.
        """
        able = self._context.target.capabilities.mid_system is True
        placed: list[Spoken] = []
        for index, each in enumerate(spoken):
            if each.role != "system":
                placed.append(each)
                continue
            following = next((other for other in spoken[index + 1 :] if other.role != "system"), None)
            before = placed[-1] if placed else None
            if able and before is not None and before.role == "system":
                before.blocks += each.blocks
            elif able and _may_follow(before) and (following is None or following.role == "assistant"):
                placed.append(each)
            else:
                self._context.notes.approximate(each.at, "instructions inside the conversation are told by the user")
                for block in each.blocks:
                    block["text"] = f"<system-reminder>\n{block['text']}\n</system-reminder>"
                placed.append(Spoken("user", each.blocks, each.turn, each.at))
        return placed

    def _check_end(self) -> None:
        """A last word of the model's own is one to go on from."""
        last = self.spoken[-1] if self.spoken else None
        if last is None or last.role != "assistant":
            return
        notes = self._context.notes
        if self._context.target.capabilities.prefill is False:
            notes.refuse(
                last.at,
                "This model does not support assistant message prefill. The conversation must end with a user message.",
            )
        block = last.blocks[-1]
        text = block.get("text")
        if block["type"] == "text" and isinstance(text, str) and text != text.rstrip():
            notes.approximate(last.at, "the last message must not end in white space")
            block["text"] = text.rstrip()

    def messages(self) -> list[dict[str, Any]]:
        """The messages as they are sent, once their marks are written."""
        return [{"role": each.role, "content": simple(each.blocks)} for each in self.spoken]

    def unthinking(self) -> bool:
        """Whether the model is in the middle of calling tools and its thinking before the first of them is lost.

        With a budget the API then refuses to think on: what began a turn has to be there until the turn is over.
        """
        began: Spoken | None = None
        index = len(self.spoken) - 1
        while index >= 0:
            resulted = False
            while index >= 0 and self.spoken[index].role != "assistant":
                resulted = resulted or _is_result(self.spoken[index].blocks)
                index -= 1
            if not resulted:
                break
            while index >= 0 and self.spoken[index].role == "assistant":
                began = self.spoken[index]
                index -= 1
        return began is not None and began.blocks[0]["type"] not in ("thinking", "redacted_thinking")


def _is_system(item: Item) -> bool:
    return isinstance(item, Message) and item.role in ("system", "developer")


def _is_result(blocks: list[Block]) -> bool:
    return bool(blocks) and blocks[0]["type"] == "tool_result"


def _may_follow(before: Spoken | None) -> bool:
    if before is None:
        return False
    kind = before.blocks[-1]["type"]
    return before.role == "user" or kind == "server_tool_use" or kind.endswith("_tool_result")
