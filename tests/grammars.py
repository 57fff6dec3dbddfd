"""The stream grammars of the four dialects, as small machines: they see what the SDKs let pass.

Each takes the records of a whole stream (`records` cuts them out of bytes) and raises `GrammarError` at the first that may
not stand where it stands.
"""

from __future__ import annotations

import json
from typing import Any

import attrs


class GrammarError(AssertionError):
    """A stream that its dialect does not allow."""


@attrs.frozen
class Record:
    """One server-sent event."""

    name: str | None
    data: Any  # parsed JSON; the text itself where it is none, as with `[DONE]`


def records(stream: bytes) -> list[Record]:
    """The events of a stream, which must consist of whole ones."""
    expect(stream == b"" or stream.endswith(b"\n\n"), "the stream stops inside an event")
    found = []
    for block in stream.decode("utf-8").split("\n\n")[:-1]:
        lines = block.split("\n")
        if all(line.startswith(":") for line in lines):
            continue
        fields = [line.partition(": ") for line in lines]
        names = [value for key, _, value in fields if key == "event"]
        data = [value for key, _, value in fields if key == "data"]
        expect(len(data) == 1 and len(names) <= 1, f"an event needs one data line and at most one name: {block!r}")
        found.append(Record(names[0] if names else None, data[0] if data[0] == "[DONE]" else json.loads(data[0])))
    return found


def expect(condition: bool, message: str) -> None:
    """Refuse the stream unless the condition holds."""
    if not condition:
        raise GrammarError(message)


def check_chat(stream: list[Record], include_usage: bool = False) -> None:
    """Chat Completions: role once, dense calls named once, one finish, usage only if asked for and last, `[DONE]`."""
    expect(all(record.name is None for record in stream), "chunks have no event names")
    expect(bool(stream) and stream[-1].data == "[DONE]", "the stream must end with [DONE]")
    chunks = [record.data for record in stream[:-1]]
    heads = {(chunk["id"], chunk["object"], chunk["created"], chunk["model"]) for chunk in chunks}
    expect(len(heads) == 1, "every chunk has the same head")
    last = chunks.pop() if include_usage else None
    expect(last is None or (last["choices"] == [] and bool(last["usage"])), "the usage chunk is last and has no choices")
    choices: dict[int, _ChatChoice] = {}
    for chunk in chunks:
        expect(chunk.get("usage") is None and ("usage" in chunk) == include_usage, "only the last chunk has usage")
        (choice,) = chunk["choices"]
        if choice["index"] not in choices:
            expect(choice["index"] == len(choices), "choices begin in their order")
            choices[choice["index"]] = _ChatChoice()
        choices[choice["index"]].step(choice)
    expect(bool(choices) and all(choice.finished for choice in choices.values()), "there must be a finish reason")


class _ChatChoice:
    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.lists: set[str] = set()
        self.begun = False
        self.finished = False

    def step(self, choice: dict[str, Any]) -> None:
        delta = choice["delta"]
        expect(not self.finished, "nothing follows the finish reason")
        expect((delta.get("role") == "assistant") == (not self.begun), "the role is said once, first")
        self.begun = True
        for call in delta.get("tool_calls", ()):
            self.call(call)
        for name in {"annotations", "thinking_blocks"} & delta.keys():
            expect(name not in self.lists, f"{name} come once, because they are not counted")
            self.lists.add(name)
        if choice["finish_reason"] is not None:
            expect(delta == {}, "the finish chunk says nothing else")
            self.finished = True

    def call(self, call: dict[str, Any]) -> None:
        texts = {"function": "arguments", "custom": "input"}
        if call["index"] < len(self.kinds):
            kind = self.kinds[call["index"]]
            expect(set(call) - {"extra_content"} <= {"index", kind}, "a call is named once")
            expect(set(call.get(kind, {texts[kind]: ""})) == {texts[kind]}, "a call is named once")
            return
        expect(call["index"] == len(self.kinds), "calls are counted without gaps")
        kind = str(call.get("type"))
        expect(bool(call.get("id")) and kind in texts and bool(call[kind].get("name")), "a call has a name")
        self.kinds.append(kind)


def check_responses(stream: list[Record]) -> None:
    """Responses: numbered without gaps, every state opened and closed, every text told whole, a final response that agrees."""
    _ResponsesMachine().run(stream)


class _ResponsesMachine:
    _DELTAS = ("output_text", "refusal", "reasoning_summary_text", "reasoning_text")
    _ARGUMENTS = {"function_call_arguments": "function_call", "custom_tool_call_input": "custom_tool_call"}
    # what a provider's own tool tells while it runs -> the type of its item
    _STEPS = {
        "web_search_call": "web_search_call",
        "code_interpreter_call": "code_interpreter_call",
        "code_interpreter_call_code": "code_interpreter_call",
        "mcp_call": "mcp_call",
        "mcp_call_arguments": "mcp_call",
    }

    def __init__(self) -> None:
        self.items: dict[int, dict[str, Any]] = {}
        self.open: set[int] = set()
        self.parts: dict[tuple[Any, ...], bool] = {}
        self.texts: dict[tuple[Any, ...], str] = {}
        self.annotations: dict[tuple[Any, ...], list[Any]] = {}

    def run(self, stream: list[Record]) -> None:
        for number, record in enumerate(stream):
            expect(record.name == record.data["type"], "the event's name is its type")
            expect(record.data["sequence_number"] == number, f"sequence number {number} is missing")
        names = [record.data["type"] for record in stream]
        expect(names[:2] == ["response.created", "response.in_progress"], "a stream begins with created and in_progress")
        expect(names[-1] in ("response.completed", "response.incomplete", "response.failed"), "a stream ends with its response")
        ids = {record.data["response"]["id"] for record in stream if "response" in record.data}
        expect(len(ids) == 1, "the response's id does not change")
        for record in stream[2:-1]:
            self.step(record.data)
        self.end(stream[-1].data)

    def step(self, event: dict[str, Any]) -> None:
        name, index = event["type"], event["output_index"]
        if name == "response.output_item.added":
            expect(index == len(self.items), "output indices are allocated in order")
            self.items[index] = event["item"]
            self.open.add(index)
            return
        expect(index in self.open, f"{name} for an item that is not open")
        item = self.items[index]
        if name == "response.output_item.done":
            expect(not any(still for key, still in self.parts.items() if key[0] == index), "an item closes after its parts")
            for member in ("id", "type", "call_id"):
                expect(event["item"].get(member) == item.get(member), f"{member} changed")
            broke_off = event["item"].get("status") == "incomplete"
            expect(broke_off or event["item"].get("arguments") != "", "a whole call without arguments has an empty object")
            self.open.discard(index)
            self.items[index] = event["item"]
            return
        expect(event["item_id"] == item["id"], "an event names its item")
        place = (index, event.get("summary_index", event.get("content_index")), "summary_index" in event)
        stem, _, verb = name.removeprefix("response.").rpartition(".")
        if stem in ("content_part", "reasoning_summary_part"):
            self.part(place, verb, event)
        elif stem in self._STEPS:
            expect(item["type"] == self._STEPS[stem], f"{name} for a {item['type']}")
        elif stem == "output_text.annotation":
            expect(self.parts.get(place, False), f"{name} outside a part")
            told = self.annotations.setdefault(place, [])
            expect(event["annotation_index"] == len(told), "annotations are counted without gaps")
            told.append(event["annotation"])
        else:
            expect(stem in self._DELTAS or stem in self._ARGUMENTS, f"unknown event {name}")
            if stem in self._ARGUMENTS:
                expect(item["type"] == self._ARGUMENTS[stem], f"{name} for a {item['type']}")
            else:
                expect(self.parts.get(place, False), f"{name} outside a part")
            if verb == "delta":
                self.texts[place] = self.texts.get(place, "") + event["delta"]
            else:
                whole = next(event[key] for key in ("text", "refusal", "arguments", "input") if key in event)
                so_far = self.texts.get(place, "")
                expect(whole == so_far or (not so_far and event.get("arguments") == "{}"), "done tells another text")
                self.texts[place] = whole

    def part(self, place: tuple[Any, ...], verb: str, event: dict[str, Any]) -> None:
        if verb == "added":
            earlier = sum(1 for key in self.parts if key[0] == place[0] and key[2] == place[2])
            expect(place[1] == earlier, "part indices are counted without gaps")
            self.parts[place] = True
            return
        expect(self.parts.get(place, False), "a part closes once, after it opened")
        text = event["part"].get("text", event["part"].get("refusal"))
        expect(text == self.texts.get(place, ""), "the part tells another text")
        expect(event["part"].get("annotations", []) == self.annotations.get(place, []), "the part has other annotations")
        self.parts[place] = False

    def end(self, event: dict[str, Any]) -> None:
        response = event["response"]
        if event["type"] != "response.failed":
            expect(not self.open, "an item is still open")
            expect(response["output"] == [self.items[index] for index in sorted(self.items)], "the output is other than told")
        expect(event["type"] == f"response.{response['status']}", "the status is the event's")


def check_messages(stream: list[Record]) -> None:
    """Anthropic Messages: named events, dense blocks of which one is open, deltas of the block's kind, one signature, last."""
    allowed = {
        "text": ("text_delta", "citations_delta"),
        "thinking": ("thinking_delta", "signature_delta"),
        "tool_use": ("input_json_delta",),
        "server_tool_use": ("input_json_delta",),
    }  # what else there is comes complete in its start
    expect(all(record.name == record.data["type"] for record in stream), "the event's name is its type")
    events = [record.data for record in stream if record.data["type"] != "ping"]
    expect(events[0]["type"] == "message_start" and events[0]["message"]["content"] == [], "message_start comes first, empty")
    expect(
        [event["type"] for event in events[-2:]] == ["message_delta", "message_stop"], "the end is message_delta, message_stop"
    )
    expect(isinstance(events[-2]["usage"]["output_tokens"], int), "output tokens are counted")
    kind: str | None = None
    index = -1
    signed = False
    for event in events[1:-2]:
        match event["type"]:
            case "content_block_start":
                expect(kind is None, "one block is open at a time")
                index += 1
                kind, signed = event["content_block"]["type"], False
                expect(event["content_block"].get("input", {}) == {}, "arguments come as deltas")
            case "content_block_delta":
                delta = event["delta"]["type"]
                expect(delta in allowed.get(kind or "", ()), f"{delta} in a {kind} block")
                expect(not signed, "nothing follows the signature")
                signed = delta == "signature_delta"
            case "content_block_stop":
                expect(kind is not None, "only an open block can stop")
                expect(kind != "thinking" or signed, "thinking is signed")
                kind = None
            case other:
                raise GrammarError(f"{other} may not stand here")
        expect(event["index"] == index, "blocks are counted without gaps")
    expect(kind is None, "a block is still open")


_PART_DATA = {
    *("text", "functionCall", "inlineData", "fileData"),
    *("executableCode", "codeExecutionResult", "toolCall", "toolResponse"),
}


def check_gemini(stream: list[dict[str, Any]]) -> None:
    """Gemini: every record a candidate of the model, calls whole, the finish reason and the usage on the last alone."""
    expect(bool(stream), "a stream has a record")
    expect(len({(record["responseId"], record["modelVersion"]) for record in stream}) == 1, "every record has the same head")
    for number, record in enumerate(stream):
        (candidate,) = record["candidates"]
        last = number == len(stream) - 1
        expect(("finishReason" in candidate) == last, "the last record, and no other, has a finish reason")
        expect(last == ("usageMetadata" in record), "the last record has the usage")
        expect(candidate["index"] == 0 and candidate["content"]["role"] == "model", "the model speaks")
        for part in candidate["content"]["parts"]:
            expect(len(_PART_DATA & part.keys()) == 1, "a part is one thing")
            says = part.get("text") != "" or "thoughtSignature" in part
            expect(last or says, "only the last text, or a signed one, may be empty")
