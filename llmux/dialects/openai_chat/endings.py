"""When a Chat Completions stream is whole, and how it breaks off."""

from __future__ import annotations

import re

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.openai_chat.errors import error_object
from llmux.errors import Fault

_DONE = re.compile(rb"^data:[ ]?\[DONE\][ ]?\r?$", re.MULTILINE)
# What an end cannot do without. Arguments and filter results may hold the same words, so a hit is only a reason to look.
_HINT = re.compile(rb'"finish_reason"\s*:\s*"|"error"\s*:\s*[{"]')


class ChatWatch:
    """Judges a stream of chunks, see `llmux.dialects.base.Watch`."""

    __slots__ = ("ended", "whole")

    def __init__(self) -> None:
        self.whole = False
        self.ended = False

    def see(self, events: bytes) -> None:
        """Look for a finish reason (some providers send no `[DONE]`) and for the end; usage may come between."""
        if _DONE.search(events):
            self.whole = self.ended = True
        elif not self.ended and _HINT.search(events):
            for document in sse.documents(events):
                if document.get("error"):
                    self.whole = self.ended = True
                elif any(_finished(choice) for choice in _list(document.get("choices"))):
                    self.whole = True

    def error(self, fault: Fault) -> bytes:
        """An error chunk; no `[DONE]` follows it, which would make it look whole."""
        return sse.event(jsonio.dumps({"error": error_object(fault)[1]}))


def _finished(choice: object) -> bool:
    return isinstance(choice, dict) and isinstance(choice.get("finish_reason"), str)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
