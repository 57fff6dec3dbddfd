"""When a Responses stream is whole, and how it breaks off."""

from __future__ import annotations

import re
from typing import Any

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.openai_responses.errors import error_object, failure
from llmux.errors import Fault

_ENDS = ("response.completed", "response.incomplete", "response.failed", "error")
# What an end cannot do without. Metadata and tools may hold the same words, so a hit is only a reason to look.
_HINT = re.compile(rb'"(?:response\.(?:completed|incomplete|failed)|error)"')
_SEQUENCE = re.compile(rb'"sequence_number"\s*:\s*(\d+)')
_DATA = re.compile(rb"^data:[ ]?(.*?)\r?$", re.MULTILINE)


class ResponsesWatch:
    """Judges a stream of events, see `llmux.dialects.base.Watch`.

    It remembers the first event and the last bytes, because a failure must name the response that fails and go on with
    its sequence numbers.
    """

    __slots__ = ("_first", "_last", "whole")

    def __init__(self) -> None:
        self.whole = False
        self._first = b""
        self._last = b""

    def see(self, events: bytes) -> None:
        """Look for the end."""
        if not self._first:
            self._first = events
        self._last = events
        if not self.whole and _HINT.search(events):
            self.whole = any(
                document.get("type") in _ENDS or ("type" not in document and bool(document.get("error")))
                for document in sse.documents(events)
            )

    @property
    def ended(self) -> bool:
        """Nothing follows the end in this dialect."""
        return self.whole

    def error(self, fault: Fault) -> bytes:
        """`response.failed` where the response is known (Codex reads no other failure), else an `error` event."""
        numbers = _SEQUENCE.findall(self._last)
        sequence = int(numbers[-1]) + 1 if numbers else 0
        response = self._response()
        if response is None:
            error = error_object(fault)[1]
            data = {
                "type": "error",
                "sequence_number": sequence,
                "code": error["code"],
                "message": fault.message,
                "param": fault.param,
            }
            return sse.event(jsonio.dumps(data), b"error")
        response.update(status="failed", error=failure(fault))
        data = {"type": "response.failed", "sequence_number": sequence, "response": response}
        return sse.event(jsonio.dumps(data), b"response.failed")

    def _response(self) -> dict[str, Any] | None:
        match = _DATA.search(self._first)
        if match is None:
            return None
        try:
            response = jsonio.loads(match[1])["response"]
        except (ValueError, KeyError, TypeError):
            return None
        return response if isinstance(response, dict) else None
