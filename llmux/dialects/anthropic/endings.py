"""When a Messages stream is whole, and how it breaks off."""

from __future__ import annotations

import re

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.anthropic.errors import error_object
from llmux.errors import Fault

_ENDS = ("message_stop", "error")
# What an end cannot do without. A tool's input may hold the same words, so a hit is only a reason to look.
_HINT = re.compile(rb'"type"\s*:\s*"(?:message_stop|error)"')


class MessagesWatch:
    """Judges a stream of events, see `llmux.dialects.base.Watch`."""

    __slots__ = ("whole",)

    def __init__(self) -> None:
        self.whole = False

    def see(self, events: bytes) -> None:
        """Look for the end."""
        if not self.whole and _HINT.search(events):
            self.whole = any(document.get("type") in _ENDS for document in sse.documents(events))

    @property
    def ended(self) -> bool:
        """Nothing follows the end in this dialect."""
        return self.whole

    def error(self, fault: Fault) -> bytes:
        """An error event; no `message_stop` follows."""
        return sse.event(jsonio.dumps({"type": "error", "error": error_object(fault)[1]}), b"error")
