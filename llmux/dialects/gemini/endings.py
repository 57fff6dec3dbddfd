"""When a Gemini stream is whole, and how it breaks off."""

from __future__ import annotations

import re

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.gemini.errors import error_object
from llmux.errors import Fault

# A finish reason, a blocked prompt, or an error. This API has no terminator of its own.
_END = re.compile(rb'"finish_?[rR]eason"\s*:\s*"|"block_?[rR]eason"\s*:\s*"|"error"\s*:\s*\{')


class GeminiWatch:
    """Judges a stream of records, see `llmux.dialects.base.Watch`."""

    __slots__ = ("whole",)

    def __init__(self) -> None:
        self.whole = False

    def see(self, events: bytes) -> None:
        """Look for the end."""
        if not self.whole and _END.search(events):
            self.whole = True

    @property
    def ended(self) -> bool:
        """Nothing follows the end in this dialect."""
        return self.whole

    def error(self, fault: Fault) -> bytes:
        """An error record."""
        return sse.event(jsonio.dumps({"error": error_object(fault)[1]}))
