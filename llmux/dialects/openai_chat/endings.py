"""When a Chat Completions stream is whole, and how it breaks off."""

from __future__ import annotations

import re

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.openai_chat.errors import error_object
from llmux.errors import Fault

# A quote inside generated text is escaped, so text cannot forge either of these.
_END = re.compile(rb'data:[ ]?\[DONE\]|"error"\s*:\s*[{"]')
_FINISH = re.compile(rb'"finish_reason"\s*:\s*"')


class ChatWatch:
    """Judges a stream of chunks, see `llmux.dialects.base.Watch`."""

    __slots__ = ("ended", "whole")

    def __init__(self) -> None:
        self.whole = False
        self.ended = False

    def see(self, events: bytes) -> None:
        """Look for a finish reason (some providers send no `[DONE]`) and for the end; usage may come between."""
        if _END.search(events):
            self.whole = self.ended = True
        elif not self.whole and _FINISH.search(events):
            self.whole = True

    def error(self, fault: Fault) -> bytes:
        """An error chunk; no `[DONE]` follows it, which would make it look whole."""
        return sse.event(jsonio.dumps({"error": error_object(fault)[1]}))
