"""What some models need in another form than the request has, and what undoes it in the answer.

A model without structured output is made to call a tool whose arguments are the answer. A tool whose schema is anything but a
plain object gets its arguments inside one member, because the API refuses choices at the top of a schema.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# The tool that stands for structured output. A client never offered it, which tells it from the client's own.
ANSWER = "llmux_json"

_MEMBER = "value"
_CHOICES = ("anyOf", "oneOf", "allOf", "$ref")
_DEFINITIONS = ("$defs", "definitions")


def is_plain(schema: Mapping[str, Any]) -> bool:
    """Whether the API takes a schema for a tool's arguments."""
    return schema.get("type", "object") == "object" and schema.keys().isdisjoint(_CHOICES)


def nested(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of an object that holds what the schema describes. Definitions stay on top, where references look for them."""
    inner = {name: value for name, value in schema.items() if name not in _DEFINITIONS and name != "$schema"}
    definitions = {name: schema[name] for name in _DEFINITIONS if name in schema}
    return {"type": "object", "properties": {_MEMBER: inner}, "required": [_MEMBER], **definitions}


def nest(args_text: str) -> str:
    """Arguments as the model must have given them."""
    return f'{{"{_MEMBER}":{args_text}}}'


_OPENING = re.compile(rf'\s*\{{\s*"{_MEMBER}"\s*:')


class Unnester:
    """Takes such arguments as they arrive and gives what is inside. Fragments may end anywhere.

    Arguments that do not begin that way pass as they are.
    """

    __slots__ = ("_held", "_inside", "_passes")

    def __init__(self) -> None:
        self._held = ""
        self._inside = False
        self._passes = False

    def feed(self, fragment: str) -> str:
        """Take the next fragment; return what is certain by now. The last brace is held back: it closes the outer object."""
        if self._passes:
            return fragment
        text = self._held + fragment
        if not self._inside:
            opening = _OPENING.match(text)
            if opening is None:
                if _may_begin(text):
                    self._held = text
                    return ""
                self._passes, self._held = True, ""
                return text
            self._inside = True
            text = text[opening.end() :]
        end = len(text.rstrip())
        cut = end - 1 if end and text[end - 1] == "}" else end
        self._held = text[cut:]
        return text[:cut]

    def close(self) -> str:
        """What is left: nothing, unless the arguments broke off before they had begun."""
        return "" if self._inside else self._held


def _may_begin(text: str) -> bool:
    """Whether more text may make an opening of this."""
    squeezed = "".join(text.split())
    return f'{{"{_MEMBER}":'.startswith(squeezed)
