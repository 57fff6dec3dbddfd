"""Writes the items of `output`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from llmux.dialects.context import Context
from llmux.dialects.neutral import (
    Annotation,
    CallKind,
    Finish,
    Inline,
    Media,
    Message,
    OpaqueItem,
    OutputItem,
    Reasoning,
    Refusal,
    Seal,
    Segment,
    ServerCall,
    ServerResult,
    Text,
    ToolCall,
)
from llmux.dialects.openai_responses import citations, custody, local_tools, probabilities, servers
from llmux.dialects.openai_responses.citations import DIALECT

Status = Literal["in_progress", "completed", "incomplete"]

_PREFIXES = {
    "message": "msg",
    "reasoning": "rs",
    "function_call": "fc",
    "custom_tool_call": "ctc",
    "web_search_call": "ws",
    "code_interpreter_call": "ci",
    "mcp_call": "mcp",
    "image_generation_call": "ig",
}
_PHASES = ("commentary", "final_answer")
_FORMATS = ("png", "webp", "jpeg", "gif")


class Outputs:
    """The writer of one response's items. Their ids are made of the response's and their place in the output."""

    __slots__ = ("_context", "_id", "_local")

    def __init__(self, response_id: str, context: Context) -> None:
        self._id = response_id
        self._context = context
        self._local = local_tools.offered(context.asked)

    def item_id(self, type_: str, index: int) -> str:
        """The id of an item."""
        local = local_tools.CALLS.get(type_)
        return f"{_PREFIXES[type_] if local is None else local.prefix}_{self._id}_{index}"

    def type_of_call(self, name: str, namespace: str, kind: CallKind) -> str:
        """The type of a call's item: that of the client's own shell, say, where it offers one."""
        if kind == "custom":
            return "custom_tool_call"
        local = None if namespace else self._local.get(name)
        return "function_call" if local is None else local.call

    def all(self, items: Sequence[OutputItem]) -> list[dict[str, Any]]:
        """The items of a whole response."""
        results = {item.call_id: item for item in items if isinstance(item, ServerResult)}
        calls = {item.call_id for item in items if isinstance(item, ServerCall) and servers.item_type(item) is not None}
        found: list[dict[str, Any]] = []
        for item in items:
            if isinstance(item, ServerCall | ServerResult | OpaqueItem):
                if isinstance(item, ServerCall) and item.dialect != DIALECT and servers.item_type(item) is not None:
                    found.append(self.server(item, results.get(item.call_id), len(found)))
                elif not isinstance(item, ServerResult) or item.dialect == DIALECT or item.call_id not in calls:
                    found += self.carried(item)
                continue
            if isinstance(item, ToolCall):
                found += self.carriers(item.seals, len(found))
            if not isinstance(item, Message) or not is_shown(item):
                found.append(self.body(item, len(found), status_of(item)))
            found += self.pictures(item, len(found))
            found += self.carriers(custody.behind(item), len(found))
        return found

    def body(self, item: Message | Reasoning | ToolCall, index: int, status: Status) -> dict[str, Any]:
        """An item that the model itself says."""
        if isinstance(item, Message):
            return self._message(item, index, status)
        if isinstance(item, Reasoning):
            return self._reasoning(item, index)
        return self._call(item, index, status)

    def carriers(self, seals: Sequence[Seal], index: int, *, late: bool = False) -> list[dict[str, Any]]:
        """The items that carry seals; `index` is that of the first."""
        return [
            {"id": self.item_id("reasoning", index + number), **custody.carrier(seal, self._context, late=late)}
            for number, seal in enumerate(seals)
        ]

    def pictures(self, item: OutputItem, index: int) -> list[dict[str, Any]]:
        """The pictures that the model itself made; `index` is that of the first. This API knows them from a tool of its own."""
        found: list[dict[str, Any]] = []
        for part in item.parts if isinstance(item, Message) else ():
            if not isinstance(part, Media):
                continue
            if part.kind != "image" or not isinstance(part.source, Inline):
                self._context.notes.drop("/output", f"no counterpart for {part.kind} in an answer")
                continue
            id_ = self.item_id("image_generation_call", index + len(found))
            body = {"id": id_, "type": "image_generation_call", "status": "completed", "result": part.source.data}
            format_ = part.mime.removeprefix("image/")
            found.append(body | ({"output_format": format_} if format_ in _FORMATS else {}))
        return found

    def server(self, call: ServerCall, result: ServerResult | None, index: int, status: str | None = None) -> dict[str, Any]:
        """What another provider's own tool did. `status` overrides that of its end."""
        id_ = self.item_id(servers.item_type(call) or "", index)
        if result is not None and result.hits and not servers.tells_sources(self._context):
            self._context.notes.drop(result.at or "/output", "what a search found is told only to whom asks for its sources")
        return servers.write(call, result, id_, status or servers.status_of(call, result), self._context)

    def carried(self, item: ServerCall | ServerResult | OpaqueItem) -> list[dict[str, Any]]:
        """An item of this dialect as it came; of another's nothing but a note."""
        if item.dialect == DIALECT:
            return [] if item.raw is None else [dict(item.raw)]
        if isinstance(item, OpaqueItem):  # whoever read it has noted it, because only he can say what it was
            if item.at:
                self._context.notes.drop(item.at, f"no counterpart for {item.kind}")
        else:
            self._context.notes.drop(item.at or "/output", f"no counterpart for {item.family}")
        return []

    def part(self, part: Text | Refusal | Segment) -> dict[str, Any]:
        """A part of a message, or of reasoning."""
        match part:
            case Text(text, annotations, logprobs):
                written = [self.annotation(each, len(text)) for each in annotations]
                return {
                    "type": "output_text",
                    "text": text,
                    "annotations": [each for each in written if each is not None],
                    "logprobs": probabilities.write(logprobs, whole=True),
                }
            case Refusal(text):
                return {"type": "refusal", "refusal": text}
            case Segment(kind, text):
                return {"type": "summary_text" if kind == "summary" else "reasoning_text", "text": text}

    def annotation(self, annotation: Annotation, length: int) -> dict[str, Any] | None:
        """An annotation of a text of `length` code points, if this API has one for it."""
        written = citations.write(annotation, length)
        if written is None:
            self._context.notes.carry(annotation.at, f"a {annotation.kind} is no citation in this dialect")
        return written

    def _message(self, item: Message, index: int, status: Status) -> dict[str, Any]:
        content = [self.part(part) for part in item.parts if isinstance(part, Text | Refusal)]
        body = {"id": self.item_id("message", index), "type": "message", "status": status}
        if item.phase in _PHASES:
            body["phase"] = item.phase
        return body | {"role": "assistant", "content": content}

    def _reasoning(self, item: Reasoning, index: int) -> dict[str, Any]:
        body: dict[str, Any] = {"id": self.item_id("reasoning", index), "type": "reasoning"}
        body["summary"] = [self.part(each) for each in item.segments if each.kind == "summary"]
        if any(each.kind == "full" for each in item.segments):
            body["content"] = [self.part(each) for each in item.segments if each.kind == "full"]
        sealed = custody.encrypted(item, self._context)
        if sealed is not None:
            body["encrypted_content"] = sealed
        return body

    def _call(self, item: ToolCall, index: int, status: Status) -> dict[str, Any]:
        type_ = self.type_of_call(item.name, item.namespace, item.kind)
        body: dict[str, Any] = {"id": self.item_id(type_, index), "type": type_, "call_id": item.call_id}
        local = local_tools.CALLS.get(type_)
        if local is not None:
            # a patch knows no other state before it is whole
            body["status"] = "in_progress" if type_ == "apply_patch_call" and status == "incomplete" else status
            return body | local_tools.write_call(local, item.args_text)
        if type_ == "custom_tool_call":
            body |= {"name": item.name, "input": item.args_text}
        else:
            arguments = item.args_text or ("{}" if status == "completed" else "")
            body |= {"status": status, "name": item.name, "arguments": arguments}
        if item.namespace:
            body["namespace"] = item.namespace
        return body


def status_of(item: OutputItem) -> Status:
    """The state in which an item ended. A refusal is whole, though the answer that was asked for is not."""
    return "incomplete" if isinstance(item, Message | ToolCall) and item.cut and not is_refusal(item) else "completed"


def last_word(finish: Finish, *, refused: bool) -> Message | None:
    """The message of a refusal that was told in the reason alone. `refused`: the answer holds one already."""
    if finish.reason != "refusal" or refused or not finish.message:
        return None
    return Message("assistant", (Refusal(finish.message),))


def is_shown(item: Message) -> bool:
    """Whether a message holds nothing but pictures and the like."""
    return bool(item.parts) and all(isinstance(part, Media) for part in item.parts)


def is_refusal(item: OutputItem) -> bool:
    """Whether an item holds a refusal."""
    return isinstance(item, Message) and any(isinstance(part, Refusal) for part in item.parts)
