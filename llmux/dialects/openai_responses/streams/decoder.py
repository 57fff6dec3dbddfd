"""Reads a provider's stream, see `llmux.dialects.events.Decoder`."""

from __future__ import annotations

from llmux import jsonio
from llmux.dialects.context import Context
from llmux.dialects.events import Event
from llmux.dialects.openai_responses.streams.reading import Reader
from llmux.dialects.telling import Breaking
from llmux.errors import Fault

_DONE = b"[DONE]"  # not of this API, but of servers that speak others too


class ResponsesDecoder(Breaking):
    """One stream. What follows its end is not read."""

    __slots__ = ("_reader",)

    def __init__(self, context: Context) -> None:
        self._reader = Reader(context)
        super().__init__(self._reader.teller)

    def feed(self, payloads: list[bytes]) -> list[Event]:
        """The data of some events. Raises Fault for a failure that comes first."""
        reader = self._reader
        for payload in payloads:
            if self._over:
                break
            try:
                event = jsonio.loads(payload)
            except ValueError:
                event = None
            if event.__class__ is not dict:
                if payload.strip() == _DONE:
                    continue
                return self._broken(Fault("bad_gateway", "the provider sent an event that cannot be read"))
            try:
                reader.read(event)
            except Fault as fault:
                return self._broken(fault)
            self._over = reader.ended
        return reader.teller.take()

    def close(self) -> list[Event]:
        """The provider closed in order. Raises Fault where the stream did not say its own end."""
        if not self._over:
            self._over = True
            message = "the provider ended the stream before its end"
            return self._broken(Fault("bad_gateway", message, code="stream_truncated"))
        return self._reader.teller.take()


def decoder(context: Context) -> ResponsesDecoder:
    """The decoder of an exchange."""
    return ResponsesDecoder(context)
