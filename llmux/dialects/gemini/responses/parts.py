"""The parts in which an answer is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from llmux import jsonio
from llmux.dialects.context import Context
from llmux.dialects.gemini import media, servers, signatures
from llmux.dialects.neutral import (
    Media,
    Message,
    OpaqueItem,
    OutputItem,
    Reasoning,
    Refusal,
    Seal,
    ServerCall,
    ServerResult,
    Text,
    ToolCall,
)
from llmux.dialects.tools import wrap_input

Part = dict[str, Any]


class Malformed(ValueError):
    """A call whose arguments are no JSON; the message holds their text, for the reader."""


def parts(item: OutputItem, context: Context) -> list[Part]:
    """The parts of an item, with its seals. Raises Malformed."""
    match item:
        case Message():
            return list(_message(item, context))
        case Reasoning():
            return thoughts(item, context)
        case ToolCall():
            return call(item, context)
        case ServerCall() | ServerResult():
            return server(item, context)
        case OpaqueItem():
            # whoever read one of another API has noted it
            return [dict(item.raw)] if item.dialect == "gemini" else []


def _message(item: Message, context: Context) -> Iterator[Part]:
    for each in item.parts:
        if isinstance(each, Text):
            written: Part = {"text": each.text}
            if each.seals:
                written["thoughtSignature"] = signatures.write(each.seals[0], "", context)
            if each.text or each.seals:
                yield written
            yield from sealed(each.seals[1:], "", context)
        elif isinstance(each, Refusal):
            if each.text:
                yield {"text": each.text}
        elif isinstance(each, Media):
            yield from medium(each, context)
        else:
            context.notes.drop("/candidates", "a part that only another API knows")


def medium(item: Media, context: Context) -> list[Part]:
    """The part of a picture or the like."""
    written = media.write(item, item.mime)
    if written is None:
        context.notes.drop("/candidates", f"the {item.kind} is kept by another provider")
        return []
    return [written]


def thoughts(item: Reasoning, context: Context) -> list[Part]:
    """A thought, signed by its first seal; what is hidden is an empty one."""
    text = item.text
    written: list[Part] = [{"text": text, "thought": True}] if text or item.seals else []
    if item.seals:
        written[0]["thoughtSignature"] = signatures.write(item.seals[0], text, context)
    return written + [{**each, "thought": True} for each in sealed(item.seals[1:], "", context)]


def sealed(seals: Iterable[Seal], text: str, context: Context) -> list[Part]:
    """Parts that hold nothing but seals, each of what stands before it."""
    return [{"text": "", "thoughtSignature": signatures.write(seal, text, context)} for seal in seals]


def call(item: ToolCall, context: Context) -> list[Part]:
    """A call, unless it broke off: then the reason of the end says so. Raises Malformed."""
    if item.cut:
        return []
    named = {"id": item.call_id} if item.call_id else {}
    written: Part = {"functionCall": {**named, "name": item.name, "args": arguments(item, context)}}
    if item.seals:
        written["thoughtSignature"] = signatures.write(item.seals[0], "", context)
    return [written]


def arguments(item: ToolCall, context: Context) -> jsonio.Verbatim:
    """The arguments as an object. Raises Malformed for what is no JSON."""
    text = wrap_input(item.args_text) if item.kind == "custom" else item.args_text or "{}"
    try:
        args = jsonio.loads(text.encode("utf-8", "surrogatepass"))
    except ValueError:
        raise Malformed(f"Malformed function call: {item.name}({item.args_text})") from None
    if isinstance(args, dict):
        return jsonio.Verbatim(text)
    context.notes.approximate(item.at or "/candidates", "arguments are objects: another value stands inside of one")
    return jsonio.Verbatim(f'{{"value":{text}}}')


def server(item: ServerCall | ServerResult, context: Context) -> list[Part]:
    """What the provider's own tool did. Web searches are told beside the text instead."""
    written = servers.write(item)
    if written is None:
        if item.family != "web_search":
            context.notes.drop(item.at or "/candidates", f"what the provider's own {item.family} did")
        return []
    return [written]
