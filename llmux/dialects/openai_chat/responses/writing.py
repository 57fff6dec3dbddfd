"""Writes a whole answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import (
    Choice,
    Message,
    OpaqueItem,
    Reasoning,
    Refusal,
    Response,
    ServerCall,
    ServerResult,
    Text,
    TokenProbability,
    ToolCall,
)
from llmux.dialects.openai_chat import citations, custody, probabilities, reasons, usage
from llmux.dialects.openai_chat.requests.offers import is_legacy

# neutral -> here; what is not among them is nobody's word but its own provider's
_TIERS = {"standard": "default", **{same: same for same in ("auto", "default", "flex", "scale", "priority", "fast")}}
MESSAGE = "/choices/0/message"


def write(response: Response, context: Context) -> dict[str, Any]:
    """The body of `chat.completion`. Raises Fault for the reasons that this API answers by an error."""
    body = envelope("chat.completion", response.id, response.created, response.model, response.tier, response.fingerprint)
    body["choices"] = [_choice(index, choice, context) for index, choice in enumerate(response.choices)]
    if response.usage is not None:
        body["usage"] = usage.write(response.usage)
    return body


def envelope(kind: str, id: str, created: int, model: str, tier: str | None, fingerprint: str | None) -> dict[str, Any]:
    """The members that a completion and each of its chunks begin with."""
    head: dict[str, Any] = {"id": f"chatcmpl-{id}", "object": kind, "created": created, "model": model}
    if tier in _TIERS:
        head["service_tier"] = _TIERS[tier]
    if fingerprint is not None:
        head["system_fingerprint"] = fingerprint
    return head


def _choice(index: int, choice: Choice, context: Context) -> dict[str, Any]:
    plain = _plain(choice)
    if plain is not None:
        return {
            "index": index,
            "message": {"role": "assistant", "content": plain, "refusal": None},
            "logprobs": None,
            "finish_reason": choice.finish.reason,
        }
    said = _Said(context)
    for item in choice.items:
        if isinstance(item, Message):
            said.message(item)
        elif isinstance(item, Reasoning):
            said.thoughts += (segment.text for segment in item.segments)
            said.blocks += custody.blocks(item, context)
        elif isinstance(item, ToolCall):
            said.call(item)
        else:
            note_unsaid(item, context)
    legacy = is_legacy(context.asked)
    finish = choice.finish
    said.refusal = said.refusal or reasons.refusal(finish)
    written: dict[str, Any] = {
        "index": index,
        "message": said.written(legacy, silent=finish.reason != "stop"),
        "logprobs": {"content": probabilities.write(said.logprobs), "refusal": None} if said.logprobs else None,
        "finish_reason": reasons.write(finish, context, refused=bool(said.refusal), legacy=legacy and bool(said.calls)),
    }
    if finish.stop_sequence is not None:
        written["matched_stop"] = finish.stop_sequence
    return written


def _plain(choice: Choice) -> str | None:
    """The text of a choice that is one text with an ordinary end, None for any other. There is nothing else to say or to note."""
    finish = choice.finish
    if len(choice.items) != 1 or (finish.reason != "stop" and finish.reason != "length") or finish.stop_sequence is not None:
        return None
    item = choice.items[0]
    if type(item) is not Message or len(item.parts) != 1 or item.phase:
        return None
    part = item.parts[0]
    if type(part) is not Text or part.annotations or part.logprobs or part.seals or not part.text:
        return None
    return part.text


class _Said:
    """What a choice comes to: all its texts are one here, and so is all its reasoning."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._citations: list[dict[str, Any]] = []
        self.content = ""
        self.refusal = ""
        self.logprobs: list[TokenProbability] = []
        self.thoughts: list[str] = []
        self.blocks: list[dict[str, Any]] = []
        self.calls: list[dict[str, Any]] = []

    def message(self, item: Message) -> None:
        for part in item.parts:
            if isinstance(part, Text):
                self._citations += citations.of_text(part, len(self.content), self._context)
                self.content += part.text
                self.logprobs += part.logprobs
                self.blocks += (custody.hidden(seal, self._context) for seal in part.seals)
            elif isinstance(part, Refusal):
                self.refusal += part.text
            else:
                self._context.notes.drop(MESSAGE, "the model answers in text")

    def call(self, item: ToolCall) -> None:
        if item.cut:
            self._context.notes.drop(f"{MESSAGE}/tool_calls", f"the call {item.name} broke off")
            return
        self.calls.append(tool_call(item, self._context))

    def written(self, legacy: bool, *, silent: bool) -> dict[str, Any]:
        """The message. `silent`: where nothing is said, there is no text at all, instead of an empty one."""
        empty = None if self.calls or self.refusal or silent else ""
        message: dict[str, Any] = {"role": "assistant", "content": self.content or empty, "refusal": self.refusal or None}
        if self._citations:
            message["annotations"] = self._citations
        if self.thoughts:
            message["reasoning_content"] = "\n\n".join(self.thoughts)
        if self.blocks:
            message["thinking_blocks"] = self.blocks
        if self.calls and legacy:
            message["function_call"] = self.calls[0]["function"]
            note_surplus(self.calls[1:], self._context)
        elif self.calls:
            message["tool_calls"] = self.calls
        return message


def tool_call(item: ToolCall, context: Context) -> dict[str, Any]:
    """A call, with the seal that Gemini puts on it. Arguments must be JSON, so none at all is an empty object."""
    call: dict[str, Any] = {"id": item.call_id, "type": item.kind}
    if item.kind == "custom":
        call["custom"] = {"name": item.name, "input": item.args_text}
    else:
        call["function"] = {"name": item.name, "arguments": item.args_text if item.args_text.strip() else "{}"}
    if item.seals:
        call["extra_content"] = custody.extra(item.seals[-1], context)
    return call


def note_surplus(calls: Sequence[object], context: Context) -> None:
    """The older API has one call in an answer."""
    if calls:
        context.notes.drop(f"{MESSAGE}/tool_calls", "a client that knows functions only takes one call at a time")


def note_unsaid(item: ServerCall | ServerResult | OpaqueItem, context: Context) -> None:
    """What the provider's own tools did, and what only its own dialect knows."""
    context.notes.drop(item.at or MESSAGE, "what the provider's own tools did has no counterpart")
