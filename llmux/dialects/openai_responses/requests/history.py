"""Writes a conversation as items."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from llmux.dialects.context import Context
from llmux.dialects.neutral import (
    Item,
    Message,
    OpaqueItem,
    Reasoning,
    Request,
    ServerCall,
    ServerResult,
    Text,
    ToolCall,
    ToolResult,
)
from llmux.dialects.openai_only import Marks
from llmux.dialects.openai_responses.citations import DIALECT
from llmux.dialects.openai_responses.requests.content import Content, simple
from llmux.dialects.openai_responses.requests.parts import FAILED
from llmux.dialects.pairing import Rule, paired

_RESULTS = Rule(ids=re.compile(r"[A-Za-z0-9_-]{1,64}"), results="anywhere")
_PHASES = ("commentary", "final_answer")


class History:
    """The writer of a request's items."""

    __slots__ = ("_content", "_context", "_items", "_marks", "_thoughts")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._marks = Marks(context)
        self._content = Content(context, self._marks)
        self._items: list[dict[str, Any]] = []
        self._thoughts: list[Reasoning] = []  # those that were written

    def write(self, request: Request) -> tuple[str | None, list[dict[str, Any]]]:
        """The instructions, and the items of `input`."""
        items = paired(request.items, _RESULTS, self._context)
        instructions = _instructions(items)
        for item in items if instructions is None else items[1:]:
            self._item(item)
        last = items[-1] if items else None
        if isinstance(last, Message) and last.role == "assistant" and last.parts:
            self._context.notes.approximate(last.at, "the model answers anew instead of going on with its last words")
        self._drop_dangling()
        self._marks.settle()
        return instructions, self._items

    def _item(self, item: Item) -> None:
        match item:
            case Message("assistant"):
                self._said(item)
            case Message():
                self._given(item)
            case ToolCall():
                self._call(item)
            case ToolResult():
                self._result(item)
            case Reasoning():
                self._reasoning(item)
            case ServerCall() | ServerResult() | OpaqueItem() if item.dialect == DIALECT:
                if item.raw is not None:
                    self._items.append(dict(item.raw))
            case ServerCall(family, _, name, args_text):
                self._in_words(item, f"[{name or family} {args_text}]")
            case ServerResult():
                pages = [f"{hit.title} {hit.url}".strip() for hit in item.hits]
                self._in_words(item, "\n".join([*pages, item.text]).strip())
            case _:
                self._context.notes.drop(item.at, f"no counterpart for {item.kind}")

    def _said(self, item: Message) -> None:
        self._unnamed(item)
        parts = self._content.said(item.parts)
        if not parts:
            return
        content = simple(parts)
        node: dict[str, Any] = {"type": "message", "role": "assistant", "content": content}
        if content is parts:  # more than a text is told as the API tells it, with what it insists on there
            node |= {"id": f"msg_{len(self._items)}", "status": "completed"}
        if item.phase in _PHASES:
            node["phase"] = item.phase
        self._items.append(node)

    def _given(self, item: Message) -> None:
        self._unnamed(item)
        parts = self._content.given(item.parts)
        if not parts and item.parts:
            return  # nothing of it can be said here
        role: str = item.role
        if role == "system":
            if not any(part["type"] != "input_text" or part["text"] for part in parts):
                return
            # A prompt at the head that is no plain text cannot be instructions; the API's own word for it is developer.
            plain = len(item.parts) == 1 and not _marked(item.parts[0])
            role = "system" if plain or self._items else "developer"
        content = parts if any(_marked(part) for part in item.parts) else simple(parts)
        self._items.append({"type": "message", "role": role, "content": content or ""})

    def _unnamed(self, item: Message) -> None:
        if item.author:
            self._context.notes.drop(f"{item.at}/name", "a message has no name here")

    def _call(self, item: ToolCall) -> None:
        for seal in item.seals:
            self._context.notes.drop(seal.at or item.at, "only its own maker reads what a call is sealed with")
        if item.mark is not None:
            self._context.notes.drop(item.mark.at, "OpenAI takes cache marks on what the client says only")
        book = self._context.book
        node: dict[str, Any] = {"type": "function_call", "call_id": item.call_id}
        if item.namespace:
            node["namespace"] = item.namespace
        node["name"] = book.alias(item.name, item.namespace)
        if item.kind == "custom":
            node["type"] = "custom_tool_call"
            node["input"] = item.args_text
        else:
            node["arguments"] = item.args_text or "{}"
        self._items.append(node)

    def _result(self, item: ToolResult) -> None:
        parts = item.parts
        if item.is_error:
            self._context.notes.approximate(item.at, f"that it failed is told by {FAILED.strip()!r}")
            first = parts[0] if parts else None
            if isinstance(first, Text):
                parts = (msgspec.structs.replace(first, text=FAILED + first.text), *parts[1:])
            else:
                parts = (Text(FAILED), *parts)
        written = self._content.given(parts)
        output: str | list[dict[str, Any]] = simple(written) or ""
        if item.mark is not None and not written:
            self._context.notes.drop(item.mark.at, "what is empty cannot be marked")
        elif item.mark is not None:
            self._marks.add(item.mark, written[-1])
        if item.mark is not None or any(_marked(part) for part in parts):
            output = written or ""
        kind = "custom_tool_call_output" if item.kind == "custom" else "function_call_output"
        self._items.append({"type": kind, "call_id": item.call_id, "output": output})

    def _reasoning(self, item: Reasoning) -> None:
        """Reasoning with OpenAI's seal, or without one, which the API takes for a summary."""
        own = [seal for seal in item.seals if seal.family == "openai"]
        for seal in item.seals:
            if seal.family != "openai":
                self._context.notes.drop(seal.at or item.at, "OpenAI reads only what it sealed itself")
        if not own and not item.segments:
            return
        self._thoughts.append(item)
        node: dict[str, Any] = {"type": "reasoning"}
        node["summary"] = [{"type": "summary_text", "text": each.text} for each in item.segments]
        if own:
            node["encrypted_content"] = own[0].payload
        self._items.append(node)

    def _in_words(self, item: ServerCall | ServerResult, text: str) -> None:
        self._context.notes.approximate(item.at, "what a provider's own tool did is told in words")
        if text:
            self._items.append({"type": "message", "role": "assistant", "content": text})

    def _drop_dangling(self) -> None:
        """Reasoning must stand before what it led to; the API refuses it alone."""
        if not self._thoughts:
            return
        kept: list[dict[str, Any]] = []
        followed = False
        for node in reversed(self._items):
            thought = self._thoughts.pop() if node["type"] == "reasoning" else None
            if thought is not None and not followed:
                self._context.notes.drop(thought.at, "OpenAI takes reasoning only before what it led to")
                continue
            if thought is not None and not thought.seals:
                self._context.notes.approximate(thought.at, "reasoning that nobody sealed is told as a summary")
            followed = thought is not None or node["type"] in _LED_TO or node.get("role") == "assistant"
            kept.append(node)
        self._items = kept[::-1]


_LED_TO = frozenset({"function_call", "custom_tool_call", "web_search_call", "file_search_call", "code_interpreter_call"})
_LED_TO |= {"image_generation_call", "mcp_call", "local_shell_call", "shell_call", "apply_patch_call", "computer_call"}


def _marked(part: object) -> bool:
    return getattr(part, "mark", None) is not None


def _instructions(items: Sequence[Item]) -> str | None:
    """The prompt that leads, if it is one plain text."""
    first = items[0] if items else None
    if not isinstance(first, Message) or first.role != "system" or len(first.parts) != 1:
        return None
    part = first.parts[0]
    return part.text if isinstance(part, Text) and part.mark is None and part.text and not first.author else None
