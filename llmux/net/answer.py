"""A provider's answer, as everything above the network sees it."""

from __future__ import annotations

from typing import Protocol

from llmux.errors import Fault
from llmux.headers import Headers


class Sink(Protocol):
    """Who takes a body. After `end` or `fail` nothing more is called."""

    def data(self, data: bytes) -> None:
        """Some bytes, as they arrived."""

    def end(self) -> None:
        """The sender closed the body in order."""

    def fail(self, fault: Fault) -> None:
        """The body broke off."""


class Answer(Protocol):
    """A status, headers (names in lower case, as they came) and a body that is delivered with backpressure."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Headers: ...

    def deliver(self, sink: Sink) -> None:
        """Start the body; once."""

    def pause(self) -> None:
        """Ask the sender to wait. A little may still arrive."""

    def resume(self) -> None:
        """Let the sender go on."""

    def abort(self) -> None:
        """Close it now. Idempotent; the sink hears nothing afterwards."""
