"""One line an exchange: who asked for what, who answered, how long it took. Never a key, never a body."""

from __future__ import annotations

from twisted.logger import Logger

from llmux.errors import Fault
from llmux.net.request import ClientRequest

_log = Logger("llmux.access")


class AccessLog:
    """Writes access lines through twisted's logging; the fields travel with the event for structured observers."""

    def exchange(
        self,
        *,
        request: ClientRequest,
        client: str,
        request_id: str,
        status: int,
        outcome: str,
        seconds: float,
        first: float | None,
        sent: int,
        decision: str,
        provider: str,
        model: str,
        requested: str,
        attempts: int,
        dialect: str,
        fault: Fault | None,
    ) -> None:
        """An exchange is over. Times in seconds, `sent` in bytes of body."""
        _log.info(
            "{status} {method} {path} {decision} {provider} {model} {duration_ms} ms {outcome}{why}",
            method=request.method.decode("latin-1"),
            path=request.path.decode("latin-1"),
            peer=request.peer,
            client=client,
            request_id=request_id,
            status=status,
            outcome=outcome,
            duration_ms=round(seconds * 1000, 1),
            first_byte_ms=None if first is None else round(first * 1000, 1),
            sent_bytes=sent,
            decision=decision,
            provider=provider,
            model=model,
            requested_model=requested,
            attempts=attempts,
            dialect=dialect,
            why="" if fault is None else f": {fault.message}",
        )
