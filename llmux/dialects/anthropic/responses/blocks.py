"""What an answer's blocks are made of, whole or as they arrive."""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects.anthropic import citations, custody, emulation
from llmux.dialects.context import Context
from llmux.dialects.neutral import Text


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


def call_input(args_text: str, context: Context) -> str:
    """The arguments of a call as the text of a JSON object."""
    if not args_text.strip():
        return "{}"
    try:
        args = jsonio.loads(args_text.encode("utf-8", "surrogatepass"))
    except ValueError:
        context.notes.approximate("/content", "arguments that are no JSON travel as a text")
        return emulation.nest(jsonio.dumps(args_text).decode())
    if isinstance(args, dict):
        return args_text
    context.notes.approximate("/content", "arguments must be an object")
    return emulation.nest(args_text)
