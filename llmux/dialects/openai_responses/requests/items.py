"""Reads the items of a request's input.

What a model said, one item after the other, is one turn; so are the results that follow it. Some items are no part of the
conversation: they add tools, or change the settings from there on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from llmux import jsonio
from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import (
    Item,
    Message,
    OpaqueItem,
    Part,
    Reasoning,
    Role,
    Seal,
    Segment,
    Text,
    Tool,
    ToolCall,
    ToolResult,
    plain,
)
from llmux.dialects.openai_responses import custody, local_tools, servers
from llmux.dialects.openai_responses.citations import DIALECT
from llmux.dialects.openai_responses.requests import offers
from llmux.dialects.openai_responses.requests.parts import Parts
from llmux.dialects.reading import invalid, objects, role, string

_ROLES: dict[str, Role] = {"system": "system", "developer": "developer", "user": "user", "assistant": "assistant"}
_PHASES = ("commentary", "final_answer")

_MESSAGE = frozenset({"type", "role", "content", "id", "status", "phase"})
_CALL = frozenset({"type", "id", "call_id", "name", "namespace", "arguments", "input", "status", "caller", "async"})
_OUTPUT = frozenset({"type", "id", "call_id", "name", "namespace", "output", "status", "caller", "created_by"})
_LOCAL_CALL = frozenset({"type", "id", "call_id", "status", "caller", "environment", "created_by", "execution"})
_LOCAL_OUTPUT = _OUTPUT | {"max_output_length", "execution", "tools"}
_REASONING = frozenset({"type", "id", "summary", "content", "encrypted_content", "status"})

_SIDE = Literal["", "model", "results"]
# Items that may follow a seal and have a say in whose it is.
_SEALED = frozenset({"reasoning", "function_call", "custom_tool_call", *local_tools.CALLS})


class Items:
    """The reader of a conversation. `tools` are those that came in its course, `update` the settings that count at its end."""

    __slots__ = (
        "_ahead",
        "_context",
        "_customs",
        "_ids",
        "_items",
        "_parts",
        "_side",
        "_turn",
        "_waiting",
        "tools",
        "update",
        "update_at",
    )

    def __init__(self, context: Context) -> None:
        self._context = context
        self._parts = Parts(context)
        self._items: list[Item] = []
        self._side: _SIDE = ""
        self._turn = -1
        self._waiting: list[ToolCall] = []
        self._ahead: list[Reasoning] = []  # seals that belong to the call behind them, or else to what stands before them
        self._ids: dict[str, str] = {}
        self._customs: dict[str, int] = {}  # where the results of custom tools are
        self.tools: list[Tool] = []
        self.update: dict[str, Any] = {}
        self.update_at: dict[str, str] = {}

    def read(self, asked: object) -> list[Item]:
        """The items of `input`, which may be what the user says."""
        if isinstance(asked, str):
            return [Message("user", (Text(asked, at="/input"),), at="/input")]
        for at, node in objects(asked, "/input"):
            if self._ahead and str(node.get("type")) not in _SEALED:
                self._settle_seals()
            self._item(at, node)
        self._settle_seals()
        return self._items

    def _item(self, at: str, node: dict[str, Any]) -> None:
        kind = node.get("type")
        if kind == "message" or (kind is None and "role" in node):
            self._message(at, node)
            return
        kind = "item_reference" if kind is None else string(kind, f"{at}/type")
        reader = _READERS.get(kind)
        if reader is not None:
            reader(self, at, node)
        elif kind in local_tools.CALLS and local_tools.is_of_client(node):
            self._local_call(at, node)
        elif kind in local_tools.OUTPUTS and local_tools.is_of_client(node):
            self._local_output(at, node)
        else:
            self._items += servers.read(node, self._said("model"), at)

    def _said(self, side: _SIDE) -> int:
        """The turn of whoever speaks now. Each message of the client's is a turn of its own."""
        if not side or side != self._side:
            self._turn += 1
            self._side = side
        return self._turn

    def _message(self, at: str, node: dict[str, Any]) -> None:
        speaker = role(node.get("role"), f"{at}/role", _ROLES)
        if not node.keys() <= _MESSAGE:
            reading.rest(node, _MESSAGE, at, self._context.notes)
        parts = self._parts.of_message(node.get("content"), f"{at}/content")
        if speaker != "assistant":
            self._items.append(Message(speaker, parts, self._said(""), at=at))
            return
        if self._items and isinstance(self._items[-1], Message):
            self._side = ""  # two messages of the model's are two turns
        phase = node.get("phase")
        message = Message(
            speaker,
            parts,
            self._said("model"),
            string(node.get("id"), f"{at}/id"),
            phase=phase if phase in _PHASES else "",
            cut=node.get("status") == "incomplete",
            at=at,
        )
        self._items.append(message)

    # calls and their results

    def _call(self, at: str, node: dict[str, Any]) -> None:
        reading.rest(node, _CALL, at, self._context.notes)
        self._caller(at, node)
        custom = node["type"] == "custom_tool_call"
        member = "input" if custom else "arguments"
        value = node.get(member)
        args = jsonio.dumps(value).decode() if isinstance(value, dict) else string(value, f"{at}/{member}")
        call = ToolCall(
            string(node.get("call_id"), f"{at}/call_id"),
            string(node.get("name"), f"{at}/name"),
            args,
            self._said("model"),
            string(node.get("id"), f"{at}/id"),
            "custom" if custom else "function",
            string(node.get("namespace"), f"{at}/namespace"),
            cut=node.get("status") == "incomplete",
            at=at,
        )
        self._called(call, at)

    def _local_call(self, at: str, node: dict[str, Any]) -> None:
        local = local_tools.CALLS[node["type"]]
        reading.rest(node, _LOCAL_CALL | {local.holder}, at, self._context.notes)
        self._caller(at, node)
        id_ = string(node.get("id"), f"{at}/id")
        call_id = string(node.get("call_id"), f"{at}/call_id") or id_
        call = ToolCall(call_id, local.type, local_tools.read_call(local, node), self._said("model"), id_, at=at)
        self._called(call, at)

    def _called(self, call: ToolCall, at: str) -> None:
        if not call.call_id:
            raise invalid(f"{at}/call_id", f"Missing required parameter: '{at}/call_id'.")
        if not call.name:
            raise invalid(f"{at}/name", f"Missing required parameter: '{at}/name'.")
        if self._ahead:
            call = msgspec.structs.replace(call, seals=tuple(seal for item in self._ahead for seal in item.seals))
            self._ahead = []
        if call.id:
            self._ids[call.id] = call.call_id
        self._waiting.append(call)
        self._items.append(call)

    def _output(self, at: str, node: dict[str, Any]) -> None:
        reading.rest(node, _OUTPUT, at, self._context.notes)
        self._caller(at, node)
        parts, failed = self._parts.of_output(node.get("output"), f"{at}/output")
        name = reading.optional(node.get("name"), f"{at}/name")
        call_id = string(node.get("call_id"), f"{at}/call_id") or self._answered(name)
        if not call_id:
            self._standalone(at, name, parts)
            return
        self._result(at, call_id, name, parts, failed, "string" if isinstance(node.get("output"), str) else "parts")

    def _local_output(self, at: str, node: dict[str, Any]) -> None:
        local = local_tools.OUTPUTS[node["type"]]
        reading.rest(node, _LOCAL_OUTPUT, at, self._context.notes)
        self._caller(at, node)
        id_ = string(node.get("call_id"), f"{at}/call_id") or string(node.get("id"), f"{at}/id")
        call_id = self._ids.get(id_, id_) or self._answered(local.type)
        if local.type == "tool_search":
            found = self._added(at, node)
            names = "\n".join(f"{tool.namespace}__{tool.name}" if tool.namespace else tool.name for tool in found)
            self._result(at, call_id, local.type, (Text(f"Tools that were found:\n{names}", at=f"{at}/tools"),), False, "string")
            return
        output = node.get("output")
        if isinstance(output, list):
            output = jsonio.dumps(output).decode()
        parts, failed = self._parts.of_output(output, f"{at}/output")
        failed = failed or node.get("status") == "failed"
        self._result(at, call_id, local.type, parts, failed, "string")

    def _result(
        self, at: str, call_id: str, name: str | None, parts: tuple[Part, ...], failed: bool, form: Literal["string", "parts"]
    ) -> None:
        call = next((call for call in self._waiting if call.call_id == call_id), None)
        if call is not None:
            self._waiting.remove(call)
        elif self._told_more(at, call_id, parts, failed):
            return
        kind = "function" if call is None else call.kind
        result = ToolResult(call_id, name, parts, failed, self._said("results"), kind=kind, form=form, at=at)
        if kind == "custom":
            self._customs[call_id] = len(self._items)
        self._items.append(result)

    def _told_more(self, at: str, call_id: str, parts: tuple[Part, ...], failed: bool) -> bool:
        """A custom tool may give back more while it runs, each time in an item; elsewhere a call has one result."""
        place = self._customs.get(call_id)
        first = None if place is None else self._items[place]
        if place is None or not isinstance(first, ToolResult) or plain(first.parts) == plain(parts):
            return False
        self._context.notes.approximate(at, "told with what the call gave back before")
        whole = msgspec.structs.replace(first, parts=(*first.parts, *parts), is_error=first.is_error or failed, form="parts")
        self._items[place] = whole
        return True

    def _answered(self, name: str | None) -> str:
        """The call that a result without an id belongs to: the first that still waits for one. "": there is none."""
        return next((call.call_id for call in self._waiting if name in (None, call.name)), "")

    def _standalone(self, at: str, name: str | None, parts: tuple[Part, ...]) -> None:
        """What a tool tells of its own accord."""
        if name is None:
            raise invalid(f"{at}/call_id", f"Missing required parameter: '{at}/call_id'.")
        self._context.notes.approximate(at, "what a tool tells without being called is a message elsewhere")
        self._items.append(Message("user", (Text(f"The tool {name} says:", at=at), *parts), self._said(""), at=at))

    def _caller(self, at: str, node: dict[str, Any]) -> None:
        caller = reading.obj(node.get("caller"), f"{at}/caller")
        if caller is not None and caller.get("type") != "direct":
            self._context.notes.drop(f"{at}/caller", "no counterpart")
        if node.get("async"):
            self._context.notes.drop(f"{at}/async", "no counterpart")

    # what the model thought

    def _reasoning(self, at: str, node: dict[str, Any]) -> None:
        context = self._context
        reading.rest(node, _REASONING, at, context.notes)
        segments = (*self._segments(at, node, "summary"), *self._segments(at, node, "content"))
        value = string(node.get("encrypted_content"), f"{at}/encrypted_content")
        item = Reasoning(segments, (), id=string(node.get("id"), f"{at}/id"), at=at)
        seal, late = custody.opened(value, item, context, f"{at}/encrypted_content")
        if seal is None and not segments:
            return
        if seal is not None:
            seal = msgspec.structs.replace(seal, at=at)
            item = msgspec.structs.replace(item, seals=(seal,))
        if seal is None or segments or seal.kind != "thought_signature":
            self._settle_seals()
            self._items.append(msgspec.structs.replace(item, turn=self._said("model")))
        elif not late or self._side != "model" or not self._seal_last(seal):
            self._ahead.append(item)

    def _segments(self, at: str, node: dict[str, Any], member: Literal["summary", "content"]) -> list[Segment]:
        found = []
        for where, each in objects(node.get(member), f"{at}/{member}"):
            if isinstance(each.get("text"), str):
                found.append(Segment("summary" if member == "summary" else "full", each["text"]))
            else:
                reading.drop(each, where, self._context.notes, "no counterpart")
        return found

    def _settle_seals(self) -> None:
        """No call follows: the seals belong to what stands before them, or to nothing that can be seen."""
        for item in self._ahead:
            if self._side != "model" or not self._seal_last(item.seals[0]):
                self._items.append(msgspec.structs.replace(item, turn=self._said("model")))
        self._ahead = []

    def _seal_last(self, seal: Seal) -> bool:
        """Give what was said last a seal."""
        last = self._items[-1] if self._items else None
        if isinstance(last, ToolCall | Reasoning):
            sealed = msgspec.structs.replace(last, seals=(*last.seals, seal))
            self._waiting = [sealed if call is last else call for call in self._waiting]  # type: ignore[misc]
            self._items[-1] = sealed
            return True
        if isinstance(last, Message) and last.parts and isinstance(last.parts[-1], Text):
            text = last.parts[-1]
            parts = (*last.parts[:-1], msgspec.structs.replace(text, seals=(*text.seals, seal)))
            self._items[-1] = msgspec.structs.replace(last, parts=parts)
            return True
        return False

    # what is no part of the conversation

    def _more_tools(self, at: str, node: dict[str, Any]) -> None:
        self._context.notes.approximate(at, "the tools are there from the beginning")
        self._added(at, node)

    def _added(self, at: str, node: dict[str, Any]) -> list[Tool]:
        """Tools that the conversation brought. The same ones are often told again."""
        found = list(offers.read(node.get("tools"), f"{at}/tools", self._context))
        known = {(tool.name, tool.namespace) for tool in self.tools}
        self.tools += [tool for tool in found if (tool.name, tool.namespace) not in known]
        return found

    def _update(self, at: str, node: dict[str, Any]) -> None:
        """Settings that change here. The answer is under the last ones."""
        reading.rest(node, frozenset({"type", "id", "reasoning", "text"}), at, self._context.notes)
        self._context.notes.approximate(at, "the settings that count at the end are those of the whole request")
        for name in ("reasoning", "text"):
            value = reading.obj(node.get(name), f"{at}/{name}")
            if value is not None:
                self.update[name] = value
                self.update_at[name] = f"{at}/{name}"

    def _reference(self, at: str, node: dict[str, Any]) -> None:
        self._context.notes.refuse(at, "the item is kept by OpenAI")
        self._items.append(OpaqueItem("item_reference", node, DIALECT, self._said("model"), at))

    def _compacted(self, at: str, node: dict[str, Any]) -> None:
        self._context.notes.refuse(at, "only OpenAI can read what it compacted, and compact more")
        self._items.append(OpaqueItem(str(node.get("type")), node, DIALECT, self._said("model"), at))


_READERS: dict[str, Callable[[Items, str, dict[str, Any]], None]] = {
    "function_call": Items._call,
    "custom_tool_call": Items._call,
    "function_call_output": Items._output,
    "custom_tool_call_output": Items._output,
    "reasoning": Items._reasoning,
    "additional_tools": Items._more_tools,
    "configuration_update": Items._update,
    "item_reference": Items._reference,
    "compaction": Items._compacted,
    "compaction_summary": Items._compacted,
    "compaction_trigger": Items._compacted,
}
