"""What an answer's blocks are made of, whole or as they arrive."""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects.anthropic import citations, custody, emulation
from llmux.dialects.context import Context
from llmux.dialects.neutral import Text, ToolCall
from llmux.dialects.tools import wrap_input
from llmux.errors import Fault


def text_blocks(part: Text, context: Context) -> list[dict[str, Any]]:
    """A text with its citations, and the seals that belong to it behind it. An empty one would be refused when it comes back."""
    block: dict[str, Any] = {"type": "text", "text": part.text, "citations": None}
    blocks = [block] if part.text else []
    if part.annotations:
        cited = [citations.write(each, context) for each in part.annotations]
        block["citations"] = [citation for citation in cited if citation is not None] or None
    if part.seals:
        blocks += [custody.block(seal, context, "behind") for seal in part.seals]
    return blocks


def call_input(call: ToolCall, context: Context) -> str:
    """The arguments of a call as the text of a JSON object. Raises Fault where no client could read them."""
    if call.kind == "custom":
        return wrap_input(call.args_text)
    if not call.args_text.strip():
        return "{}"
    if isinstance(arguments(call), dict):
        return call.args_text
    context.notes.approximate("/content", "arguments must be an object")
    return emulation.nest(call.args_text)


def arguments(call: ToolCall) -> Any:
    """What a call's arguments say. Raises Fault for what is no JSON: a tool must not be called with what nobody said."""
    try:
        return jsonio.loads(call.args_text.encode("utf-8", "surrogatepass"))
    except ValueError:
        message = f"the arguments of the call {call.call_id} are no JSON"
        raise Fault("bad_gateway", message, code="upstream_invalid") from None
