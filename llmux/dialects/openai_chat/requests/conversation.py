"""Writes the items of a conversation as messages: one of the assistant holds what it said, then all its calls."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any

import attrs

from llmux.dialects.context import Context
from llmux.dialects.neutral import (
    Blocks,
    Item,
    Media,
    Message,
    Part,
    PlainText,
    Reasoning,
    Refusal,
    Seal,
    ServerCall,
    ServerResult,
    Text,
    ToolCall,
    ToolResult,
)
from llmux.dialects.openai_chat.requests.content import NOT_OURS, Content, simple
from llmux.dialects.openai_chat.requests.messages import ERROR_PREFIX
from llmux.dialects.openai_only import Marks
from llmux.dialects.tools import wrap_input

_NO_MARK = "calls cannot be marked"


@attrs.define
class Spoken:
    """One message. `parts` are its content, `turn` is that of its last item; `at` is for notes.

    `lost`: something stood there that cannot be said. The rest is the assistant's: its `refusal`, what it thought, and its
    `calls`.
    """

    role: str
    turn: int
    at: str
    name: str = ""
    call_id: str = ""
    lost: bool = False
    parts: list[dict[str, Any]] = attrs.Factory(list)
    refusal: str = ""
    thoughts: list[str] = attrs.Factory(list)
    blocks: list[dict[str, Any]] = attrs.Factory(list)
    extra: dict[str, Any] | None = None
    calls: list[dict[str, Any]] = attrs.Factory(list)

    @property
    def joins(self) -> bool:
        """Whether the assistant's next words belong to this message, because it thought or called."""
        return bool(self.thoughts or self.blocks or self.calls)

    def written(self) -> dict[str, Any]:
        """The message as it is sent, once its marks are written."""
        message: dict[str, Any] = {"role": self.role}
        if self.call_id:
            message["tool_call_id"] = self.call_id
        if self.name:
            message["name"] = self.name
        if self.refusal and not self.parts:
            message["content"] = [{"type": "refusal", "refusal": self.refusal}]
        else:
            message["content"] = None if self.calls and not self.parts else simple(self.parts)
            if self.refusal:
                message["refusal"] = self.refusal
        if self.thoughts:
            message["reasoning_content"] = "\n\n".join(self.thoughts)
        if self.blocks:
            message["thinking_blocks"] = self.blocks
        if self.extra is not None:
            message["extra_content"] = self.extra
        if self.calls:
            message["tool_calls"] = self.calls
        return message


def plain(items: tuple[Item, ...], context: Context) -> list[dict[str, Any]] | None:
    """The messages of a conversation in which each turn is one text and nothing else, None for any other.

    What `Conversation` gives for it too: nothing is joined, lost or marked, and there is nothing to pair.
    """
    messages: list[dict[str, Any]] = []
    last: Message | None = None
    for item in items:
        if type(item) is not Message or len(item.parts) != 1 or item.author or item.phase:
            return None
        part = item.parts[0]
        if type(part) is not Text or part.annotations or part.logprobs or part.seals or part.mark is not None:
            return None
        if last is not None and last.turn == item.turn and last.role == item.role:
            return None  # they may be one message
        messages.append({"role": item.role, "content": part.text})
        last = item
    if last is None:
        return None
    if last.role == "assistant":
        _note_last(last.at, context)
    return messages


def _note_last(at: str, context: Context) -> None:
    context.notes.approximate(at, "the model answers anew instead of going on from its last words")


class Conversation:
    """The writer of a request's items. What tools gave back and only a user can say waits in `_shown` for the last result."""

    def __init__(self, context: Context, marks: Marks) -> None:
        self._context = context
        self._notes = context.notes
        self._marks = marks
        self._content = Content(context, marks)
        self._shown: list[Part] = []
        self._shown_at = ""
        self._spoken: list[Spoken] = []
        model = context.target.model.lower()
        # Whose seals the provider can read. Through this API speak Claude's and Gemini's servers too.
        self._family = "anthropic" if "claude" in model else "gemini" if "gemini" in model else ""
        self._thinks_on = context.target.capabilities.reasoning_back is not False

    def write(self, items: Iterable[Item]) -> None:
        """Take all items, in their order. Raises Fault."""
        for item in items:
            if self._shown and not isinstance(item, ToolResult):
                self._show()
            self._item(item)
        if self._shown:
            self._show()
        self._spoken = [each for each in self._spoken if self._says(each)]
        last = self._spoken[-1] if self._spoken else None
        if last is not None and last.role == "assistant" and not last.calls:
            _note_last(last.at, self._context)

    def messages(self) -> list[dict[str, Any]]:
        """The messages as they are sent, once their marks are written."""
        return [each.written() for each in self._spoken]

    def _item(self, item: Item) -> None:
        match item:
            case Message(role):
                if item.phase:
                    self._notes.approximate(f"{item.at}/phase", "what the model says is told in order, whatever its phase")
                if role == "assistant":
                    self._says_assistant(item)
                elif role == "user":
                    spoken = self._enter("user", item, item.author)
                    written = self._content.parts(item.parts)
                    spoken.parts += written
                    spoken.lost = bool(item.parts) and not written
                else:
                    spoken = self._enter(role, item, item.author)
                    spoken.parts += self._content.texts(item.parts, "a system prompt")
            case ToolCall():
                self._call(item)
            case ToolResult():
                self._result(item)
            case Reasoning():
                self._reasoning(item)
            case ServerCall() | ServerResult():
                self._in_words(item)
            case _ if item.dialect == "openai-chat":
                self._notes.refuse(item.at, f"{item.kind} is no message")
            case _:
                self._notes.drop(item.at, f"no counterpart for {item.kind}")

    def _enter(self, role: str, item: Item, name: str = "", joins: bool = False) -> Spoken:
        """The message that an item belongs to: the last one if both came in one turn, or if the assistant thought or called."""
        last = self._spoken[-1] if self._spoken else None
        if last is not None and last.role == role and last.name == name and role in ("user", "assistant"):
            if last.turn == item.turn or (role == "assistant" and (joins or last.joins)):
                last.turn = item.turn
                return last
        spoken = Spoken(role, item.turn, item.at, name)
        self._spoken.append(spoken)
        return spoken

    def _says(self, spoken: Spoken) -> bool:
        """Whether a message says anything. What the model merely thought says nothing."""
        if spoken.parts or spoken.calls or spoken.refusal:
            return True
        if spoken.role != "assistant" or spoken.lost:
            return not spoken.lost
        self._notes.drop(spoken.at, "a message in which nothing stands is left out")
        return False

    # the assistant

    def _says_assistant(self, item: Message) -> None:
        spoken = self._enter("assistant", item, item.author)
        if spoken.calls:
            self._notes.approximate(item.at, "what the model says stands before its calls")
        for part in item.parts:
            if isinstance(part, Refusal):
                spoken.refusal += part.text
            elif isinstance(part, Text) and part.seals and self._family == "gemini":
                sealed = [seal for seal in part.seals if seal.family == "gemini"]
                if sealed:
                    spoken.extra = _extra(sealed[-1])
                if part.text or part.mark is not None:
                    spoken.parts.append(self._content.text(Text(part.text, part.annotations, mark=part.mark, at=part.at)))
            elif isinstance(part, Text) and not part.text and part.seals:
                self._unsealed(part.seals, (), part.at)
            else:
                written = self._content.texts((part,), "what the model said")
                spoken.parts += written
                spoken.lost = spoken.lost or not written

    def _reasoning(self, item: Reasoning) -> None:
        spoken = self._enter("assistant", item, joins=True)
        own = [seal for seal in item.seals if seal.family == self._family == "anthropic"]
        spoken.blocks += _blocks(item.text, own)
        self._unsealed(item.seals, own, item.at)
        if item.text and not own:
            if self._thinks_on:
                spoken.thoughts.append(item.text)
            else:
                self._notes.drop(item.at, "the model takes no reasoning back")

    def _call(self, item: ToolCall) -> None:
        context = self._context
        spoken = self._enter("assistant", item, joins=True)
        name = context.book.alias(item.name, item.namespace)
        call: dict[str, Any] = {"id": item.call_id, "type": item.kind}
        if item.kind != "custom":
            call["function"] = {"name": name, "arguments": item.args_text or "{}"}
        elif not context.target.options.compatible:
            call["custom"] = {"name": name, "input": item.args_text}
        else:
            call |= {"type": "function", "function": {"name": name, "arguments": wrap_input(item.args_text)}}
        own = [seal for seal in item.seals if seal.family == self._family == "gemini"]
        if own:
            call["extra_content"] = _extra(own[-1])
        self._unsealed(item.seals, own, item.at)
        self._marks.lose(item.mark, _NO_MARK)
        spoken.calls.append(call)

    def _unsealed(self, seals: Iterable[Seal], own: Container[Seal], at: str) -> None:
        """Note what is not sent of the seals of what stands at `at`."""
        for seal in seals:
            if seal not in own:
                self._notes.drop(seal.at or at, NOT_OURS)

    def _in_words(self, item: ServerCall | ServerResult) -> None:
        """What a provider's own tools did, for the model to read."""
        if isinstance(item, ServerCall):
            text = f"[{item.name or item.family} {item.args_text}]"
        else:
            pages = [f"{hit.title} {hit.url}".strip() for hit in item.hits]
            text = "\n".join([*pages, item.text]).strip()
        self._notes.approximate(item.at, "a provider's own tool is told in words")
        if text:
            self._enter("assistant", item).parts.append({"type": "text", "text": text})

    # results

    def _result(self, item: ToolResult) -> None:
        """A message for each result. Media are for the user to show, behind all results."""
        told: list[Part] = []
        for part in item.parts:
            if isinstance(part, Media) and not isinstance(part.source, PlainText | Blocks):
                told.append(Text(f"[{part.kind}: see the next user message]", at=part.at))
                self._notes.approximate(part.at, "what a tool shows is shown by the user")
                self._shown.append(part)
                self._shown_at = item.at
            else:
                told.append(part)
        parts = self._content.texts(told, "what a tool gave back")
        if item.is_error:
            self._notes.approximate(item.at, "an error is told in words")
            if parts:
                parts[0]["text"] = ERROR_PREFIX + parts[0]["text"]
            else:
                parts.append({"type": "text", "text": ERROR_PREFIX})
        self._marks.lose(item.mark, "results of tools cannot be marked")
        self._spoken.append(Spoken("tool", item.turn, item.at, call_id=item.call_id, parts=parts))

    def _show(self) -> None:
        parts, self._shown = self._shown, []
        # A turn of its own: what the user says next is another message.
        self._spoken.append(Spoken("user", -1, self._shown_at, parts=self._content.parts(parts)))


def _extra(seal: Seal) -> dict[str, Any]:
    return {"google": {"thought_signature": seal.payload}}


def _blocks(text: str, seals: list[Seal]) -> list[dict[str, Any]]:
    """Thinking that Anthropic signed, as servers for its models take it."""
    blocks: list[dict[str, Any]] = []
    for seal in seals:
        if seal.kind == "redacted":
            blocks.append({"type": "redacted_thinking", "data": seal.payload})
        else:
            blocks.append({"type": "thinking", "thinking": text, "signature": seal.payload})
    return blocks
