"""When a Gemini stream is whole, and how it breaks off."""

from __future__ import annotations

import re
from typing import Any

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.gemini.errors import error_object
from llmux.errors import Fault

# A finish reason, a blocked prompt, or an error: this API has no terminator of its own. The arguments of a call may hold
# the same words, so a hit is only a reason to look.
_HINT = re.compile(rb'"finish_?[rR]eason"|"block_?[rR]eason"|"error"')


class GeminiWatch:
    """Judges a stream of records, see `llmux.dialects.base.Watch`."""

    __slots__ = ("whole",)

    def __init__(self) -> None:
        self.whole = False

    def see(self, events: bytes) -> None:
        """Look for the end."""
        if not self.whole and _HINT.search(events):
            self.whole = any(_ends(document) for document in sse.documents(events))

    @property
    def ended(self) -> bool:
        """Nothing follows the end in this dialect."""
        return self.whole

    def error(self, fault: Fault) -> bytes:
        """An error record."""
        return sse.event(jsonio.dumps({"error": error_object(fault)[1]}))


def _ends(document: dict[str, Any]) -> bool:
    if document.get("error"):
        return True
    feedback = document.get("promptFeedback", document.get("prompt_feedback"))
    candidates = document.get("candidates")
    said = [feedback, *(candidates if isinstance(candidates, list) else [])]
    return any(isinstance(part, dict) and any(isinstance(part.get(name), str) for name in _REASONS) for part in said)


_REASONS = ("finishReason", "finish_reason", "blockReason", "block_reason")
