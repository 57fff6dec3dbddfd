"""Numbers that a script does not give: token counts, and embeddings. Made up, and always the same for the same text."""

from __future__ import annotations

import hashlib
import math
import struct

from llmux import jsonio
from llmux.dialects.neutral import (
    Inline,
    Item,
    Media,
    OpaqueItem,
    OpaquePart,
    Part,
    PlainText,
    Reasoning,
    Refusal,
    Request,
    SearchResult,
    ServerCall,
    ServerResult,
    Text,
    ToolCall,
)

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
        case OpaqueItem() | ServerCall() | ServerResult():
            return tokens(jsonio.dumps(item.raw).decode())
    return sum(map(_of_part, item.parts))


def _of_part(part: Part) -> int:
    match part:
        case Text() | Refusal():
            return tokens(part.text)
        case OpaquePart(_, raw):
            return tokens(jsonio.dumps(raw).decode())
        case SearchResult():
            return tokens(part.title) + sum(map(_of_part, part.parts))
        case Media(_, Inline(data)):
            return tokens(data)
        case Media(_, PlainText(text)):
            return tokens(text)
    return 1


def embedding(text: str, dimensions: int) -> list[float]:
    """A unit vector. A shorter one of the same text points where the longer one begins, as with models that allow cutting."""
    stream = hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(4 * dimensions)
    values = [number / 2**31 for number in struct.unpack(f"<{dimensions}i", stream)]
    length = math.sqrt(sum(value * value for value in values)) or 1.0
    return [value / length for value in values]
