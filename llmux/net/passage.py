"""What an event stream goes through on its way to the client: judged, or translated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from llmux.dialects.base import Watch
from llmux.dialects.sse import Framer
from llmux.dialects.translation import StreamTranslation
from llmux.errors import Fault
from llmux.net.mask import masked


class Passage(Protocol):
    """Takes a body as it arrives, and gives what the client is sent.

    `feed` and `close` (the sender closed in order) give bytes that may be followed by an error event. `fault` is what went wrong
    behind them; both raise it where nothing is to be sent before it. `ended`: the client has been told everything, so even a
    connection that breaks now takes nothing away. `error` breaks off, in the client's own words.
    """

    @property
    def fault(self) -> Fault | None: ...

    @property
    def ended(self) -> bool: ...

    def feed(self, data: bytes) -> bytes: ...

    def close(self) -> bytes: ...

    def error(self, fault: Fault) -> bytes: ...


class Watched:
    """Bytes go through as they are, in whole events; the stream must say its own end."""

    __slots__ = ("_framer", "_watch", "error")

    fault = None

    def __init__(self, watch: Watch) -> None:
        self._framer = Framer()
        self._watch = watch
        self.error = watch.error

    @property
    def ended(self) -> bool:
        """See `Passage`."""
        return self._watch.ended

    def feed(self, data: bytes) -> bytes:
        """See `Passage`."""
        whole = _framed(self._framer, data)
        if whole:
            self._watch.see(whole)
        return whole

    def close(self) -> bytes:
        """See `Passage`."""
        rest = self._framer.rest
        if rest:
            self._watch.see(rest)
        if not self._watch.whole:
            raise Fault("bad_gateway", "the provider ended the stream before its end")
        return rest


class Translated:
    """Events leave in the client's dialect; all that arrived at once leaves at once. `secrets` are taken out of what a provider
    says of a failure."""

    __slots__ = ("_framer", "_secrets", "_stream", "error", "fault")

    def __init__(self, stream: StreamTranslation, secrets: Callable[[], tuple[bytes, ...]]) -> None:
        self._framer = Framer()
        self._stream = stream
        self._secrets = secrets
        self.error = stream.error
        self.fault: Fault | None = None

    @property
    def ended(self) -> bool:
        """See `Passage`."""
        return self._stream.ended

    def feed(self, data: bytes) -> bytes:
        """See `Passage`."""
        whole = _framed(self._framer, data)
        if not whole:
            return b""
        try:
            told = self._stream.feed(whole)
        except Fault as fault:
            raise masked(fault, self._secrets()) from None
        self._look()
        return told

    def close(self) -> bytes:
        """See `Passage`. The last event may lack its blank line."""
        rest = self._framer.rest
        told = b""
        try:
            told = self._stream.feed(rest) if rest else b""
            if self._stream.fault is None:
                told += self._stream.close()
        except Fault as fault:
            if not told:
                raise masked(fault, self._secrets()) from None
            self.fault = masked(fault, self._secrets())
        self._look()
        return told

    def _look(self) -> None:
        if self._stream.fault is not None:
            self.fault = masked(self._stream.fault, self._secrets())


def _framed(framer: Framer, data: bytes) -> bytes:
    try:
        return framer.feed(data)
    except ValueError as error:
        raise Fault("bad_gateway", f"the provider's stream cannot be read: {error}") from None
