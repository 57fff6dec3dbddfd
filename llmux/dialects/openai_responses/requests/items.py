"""Reads the items of a request's input.

Some are no part of the conversation: they add tools, or change the settings from there on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from llmux import jsonio
from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import Item, Message, OpaqueItem, Part, Role, Text, Tool, ToolCall, ToolResult, plain
from llmux.dialects.openai_responses import local_tools, servers
from llmux.dialects.openai_responses.citations import DIALECT
from llmux.dialects.openai_responses.requests import offers
from llmux.dialects.openai_responses.requests.line import Line
from llmux.dialects.openai_responses.requests.parts import Parts
from llmux.dialects.openai_responses.requests.thoughts import Thoughts
from llmux.dialects.reading import invalid, objects, role, string

_ROLES: dict[str, Role] = {"system": "system", "developer": "developer", "user": "user", "assistant": "assistant"}
_PHASES = ("commentary", "final_answer")

_MESSAGE = frozenset({"type", "role", "content", "id", "status", "phase"})
_CALL = frozenset({"type", "id", "call_id", "name", "namespace", "arguments", "input", "status", "caller", "async"})
_OUTPUT = frozenset({"type", "id", "call_id", "name", "namespace", "output", "status", "caller", "created_by"})
_LOCAL_CALL = frozenset({"type", "id", "call_id", "status", "caller", "environment", "created_by", "execution"})
_LOCAL_OUTPUT = _OUTPUT | {"max_output_length", "execution", "tools"}
_UPDATE = frozenset({"type", "id", "reasoning", "text"})


class Items:
    """The reader of a conversation. `tools` are those that came in its course, `update` the settings that count at its end."""

    __slots__ = ("_context", "_customs", "_ids", "_line", "_parts", "_thoughts", "tools", "update", "update_at")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._parts = Parts(context)
        self._line = Line()
        self._thoughts = Thoughts(self._line, context)
        self._ids: dict[str, str] = {}  # an item's id -> its call's
        self._customs: dict[str, int] = {}  # a custom tool's call -> the place of its result
        self.tools: list[Tool] = []
        self.update: dict[str, Any] = {}
        self.update_at: dict[str, str] = {}

    def read(self, asked: object) -> list[Item]:
        """The items of `input`, which may be what the user says."""
        if isinstance(asked, str):
            return [Message("user", (Text(asked, at="/input"),), at="/input")]
        for at, node in objects(asked, "/input"):
            self._item(at, node)
        self._thoughts.settle()
        return self._line.items

    def _item(self, at: str, node: dict[str, Any]) -> None:
        kind = node.get("type")
        if kind == "message" or (kind is None and "role" in node):
            self._thoughts.settle()
            self._message(at, node)
            return
        kind = "item_reference" if kind is None else string(kind, f"{at}/type")
        if kind == "reasoning":
            self._thoughts.read(at, node)
        elif kind in ("function_call", "custom_tool_call"):
            self._call(at, node)
        elif kind in local_tools.CALLS and local_tools.is_of_client(node):
            self._local_call(at, node)
        else:
            self._thoughts.settle()
            self._other(at, node, kind)

    def _other(self, at: str, node: dict[str, Any], kind: str) -> None:
        reader = _READERS.get(kind)
        if reader is not None:
            reader(self, at, node)
        elif kind in local_tools.OUTPUTS and local_tools.is_of_client(node):
            self._local_output(at, node)
        else:
            self._line.items += servers.read(node, self._line.turn("model"), at)

    def _message(self, at: str, node: dict[str, Any]) -> None:
        speaker = role(node.get("role"), f"{at}/role", _ROLES)
        if not node.keys() <= _MESSAGE:
            reading.rest(node, _MESSAGE, at, self._context.notes)
        parts = self._parts.of_message(node.get("content"), f"{at}/content")
        line = self._line
        if speaker != "assistant":
            line.items.append(Message(speaker, parts, line.turn(""), at=at))
            return
        if isinstance(line.last, Message):
            line.side = ""  # two messages of the model's are two turns
        phase = node.get("phase")
        message = Message(
            speaker,
            parts,
            line.turn("model"),
            string(node.get("id"), f"{at}/id"),
            phase=phase if phase in _PHASES else "",
            cut=node.get("status") == "incomplete",
            at=at,
        )
        line.items.append(message)

    # calls

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
            self._line.turn("model"),
            string(node.get("id"), f"{at}/id"),
            "custom" if custom else "function",
            string(node.get("namespace"), f"{at}/namespace"),
            self._thoughts.ahead(),
            cut=node.get("status") == "incomplete",
            at=at,
        )
        self._called(call)

    def _local_call(self, at: str, node: dict[str, Any]) -> None:
        local = local_tools.CALLS[node["type"]]
        reading.rest(node, _LOCAL_CALL | {local.holder}, at, self._context.notes)
        self._caller(at, node)
        id_ = string(node.get("id"), f"{at}/id")
        call_id = string(node.get("call_id"), f"{at}/call_id") or id_
        args, turn = local_tools.read_call(local, node), self._line.turn("model")
        self._called(ToolCall(call_id, local.type, args, turn, id_, seals=self._thoughts.ahead(), at=at))

    def _called(self, call: ToolCall) -> None:
        for name, value in (("call_id", call.call_id), ("name", call.name)):
            if not value:
                raise invalid(f"{call.at}/{name}", f"Missing required parameter: '{call.at}/{name}'.")
        if call.id:
            self._ids[call.id] = call.call_id
        self._line.waiting.append(call)
        self._line.items.append(call)

    def _caller(self, at: str, node: dict[str, Any]) -> None:
        caller = reading.obj(node.get("caller"), f"{at}/caller")
        if caller is not None and caller.get("type") != "direct":
            self._context.notes.drop(f"{at}/caller", "no counterpart")
        if node.get("async"):
            self._context.notes.drop(f"{at}/async", "no counterpart")

    # results

    def _output(self, at: str, node: dict[str, Any]) -> None:
        reading.rest(node, _OUTPUT, at, self._context.notes)
        self._caller(at, node)
        parts, failed = self._parts.of_output(node.get("output"), f"{at}/output")
        name = reading.optional(node.get("name"), f"{at}/name")
        call_id = string(node.get("call_id"), f"{at}/call_id") or self._line.first_waiting(name)
        if not call_id:
            self._standalone(at, name, parts)
            return
        self._result(at, call_id, name, parts, failed, "string" if isinstance(node.get("output"), str) else "parts")

    def _local_output(self, at: str, node: dict[str, Any]) -> None:
        local = local_tools.OUTPUTS[node["type"]]
        reading.rest(node, _LOCAL_OUTPUT, at, self._context.notes)
        self._caller(at, node)
        id_ = string(node.get("call_id"), f"{at}/call_id") or string(node.get("id"), f"{at}/id")
        call_id = self._ids.get(id_, id_) or self._line.first_waiting(local.type)
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
        line = self._line
        call = line.answered(call_id)
        if call is None and self._told_more(at, call_id, parts, failed):
            return
        kind = "function" if call is None else call.kind
        result = ToolResult(call_id, name, parts, failed, line.turn("results"), kind=kind, form=form, at=at)
        if kind == "custom":
            self._customs[call_id] = len(line.items)
        line.items.append(result)

    def _told_more(self, at: str, call_id: str, parts: tuple[Part, ...], failed: bool) -> bool:
        """A custom tool may give back more while it runs, each time in an item; elsewhere a call has one result."""
        place = self._customs.get(call_id)
        first = None if place is None else self._line.items[place]
        if place is None or not isinstance(first, ToolResult) or plain(first.parts) == plain(parts):
            return False
        self._context.notes.approximate(at, "told with what the call gave back before")
        whole = msgspec.structs.replace(first, parts=(*first.parts, *parts), is_error=first.is_error or failed, form="parts")
        self._line.items[place] = whole
        return True

    def _standalone(self, at: str, name: str | None, parts: tuple[Part, ...]) -> None:
        """What a tool tells of its own accord."""
        if name is None:
            raise invalid(f"{at}/call_id", f"Missing required parameter: '{at}/call_id'.")
        self._context.notes.approximate(at, "what a tool tells without being called is a message elsewhere")
        told = (Text(f"The tool {name} says:", at=at), *parts)
        self._line.items.append(Message("user", told, self._line.turn(""), at=at))

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
        reading.rest(node, _UPDATE, at, self._context.notes)
        self._context.notes.approximate(at, "the settings that count at the end are those of the whole request")
        for name in ("reasoning", "text"):
            value = reading.obj(node.get(name), f"{at}/{name}")
            if value is not None:
                self.update[name] = value
                self.update_at[name] = f"{at}/{name}"

    def _kept(self, at: str, node: dict[str, Any]) -> None:
        """What stands for something that only OpenAI has, or can read."""
        self._context.notes.refuse(at, "what it stands for is kept by OpenAI")
        kind = str(node.get("type") or "item_reference")
        self._line.items.append(OpaqueItem(kind, node, DIALECT, self._line.turn("model"), at))


_READERS: dict[str, Callable[[Items, str, dict[str, Any]], None]] = {
    "function_call_output": Items._output,
    "custom_tool_call_output": Items._output,
    "additional_tools": Items._more_tools,
    "configuration_update": Items._update,
    "item_reference": Items._kept,
    "compaction": Items._kept,
    "compaction_summary": Items._kept,
    "compaction_trigger": Items._kept,
}
