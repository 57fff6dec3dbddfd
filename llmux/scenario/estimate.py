"""Numbers that a script does not give: token counts, and embeddings. Made up, and always the same for the same text."""

from __future__ import annotations

import hashlib
import math
import struct

from llmux import jsonio
from llmux.dialects.neutral import Item, Message, OpaqueItem, Part, Reasoning, Refusal, Request, Text, ToolCall

# The rule of thumb for English text.
_CHARACTERS_PER_TOKEN = 4


def tokens(text: str) -> int:
    """The tokens of a text."""
    return math.ceil(len(text) / _CHARACTERS_PER_TOKEN)


def tokens_of(request: Request) -> int:
    """The tokens of everything that a request says; at least one."""
    return max(1, sum(_of_item(item) for item in request.items))


def _of_item(item: Item) -> int:
    match item:
        case ToolCall(_, name, args_text):
            return tokens(name) + tokens(args_text)
        case Reasoning(segments):
            return sum(tokens(segment.text) for segment in segments)
        case OpaqueItem(_, raw):
            return tokens(jsonio.dumps(raw).decode())
        case Message(_, parts):
            return sum(map(_of_part, parts))
    return sum(map(_of_part, item.parts))


def _of_part(part: Part) -> int:
    return tokens(part.text) if isinstance(part, Text | Refusal) else tokens(jsonio.dumps(part.raw).decode())


def embedding(text: str, dimensions: int) -> list[float]:
    """A unit vector. A shorter one of the same text points where the longer one begins, as with models that allow cutting."""
    stream = hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(4 * dimensions)
    values = [number / 2**31 for number in struct.unpack(f"<{dimensions}i", stream)]
    length = math.sqrt(sum(value * value for value in values)) or 1.0
    return [value / length for value in values]
