"""One client request that somebody else answers: its clocks, its cancellation, and the way of the answer back.

Whatever happens to the client ends the work for it: a client that hangs up closes the provider's connection, in every
phase.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import TypeVar

import attrs
from twisted.internet.defer import CancelledError, Deferred

from llmux import headers
from llmux.dialects.base import Dialect, Watch
from llmux.errors import RETRIED, Fault
from llmux.headers import Headers
from llmux.net.answer import Answer
from llmux.net.clocks import Timer
from llmux.net.mask import decode, mask, masked
from llmux.net.passage import Translated, Watched
from llmux.net.relay import Relay
from llmux.net.responder import Responder, send
from llmux.web.runtime import Limits, Runtime
from llmux.web.translating import Spoken

_T = TypeVar("_T")

# Error bodies are read whole, to take our credentials out of them.
_ERROR_BODY_LIMIT = 8 * 1024 * 1024
# An answer that does not stream is translated whole.
_BODY_LIMIT = 64 * 1024 * 1024


Secrets = Callable[[], tuple[bytes, ...]]


class ClientGone(Exception):
    """The client hung up; there is nobody left to tell anything."""


class Exchange:
    """The life of one exchange. `limits` are those of whoever answers, and may change from attempt to attempt."""

    def __init__(self, runtime: Runtime, responder: Responder) -> None:
        self.responder = responder
        self._relay: Relay | None = None
        self._pending: Deferred[object] | None = None
        self._timed_out: Fault | None = None
        self.first_byte: float | None = None
        self.sent = 0
        self._seconds = runtime.clock.seconds
        self.timer = runtime.clock.timer(self._expired)
        responder.on_gone(self._gone)

    def close(self) -> None:
        """Nothing is awaited any more."""
        self.timer.stop()

    async def ask(self, attempt: Callable[[Callable[[], None]], Deferred[Answer]], limits: Limits) -> Answer:
        """Start one attempt and wait for the head of its answer. `attempt` gets what to call when the request was sent.

        Raises Fault, or ClientGone.
        """
        self._begin(limits)

        def sent() -> None:
            self.timer.phase("no answer from the provider", limits.first_event)

        try:
            answer: Answer = await self.wait(attempt(sent))
        except CancelledError:
            raise self._why() from None
        if self.responder.gone:
            answer.abort()
            raise ClientGone
        return answer

    async def open(self, opening: Deferred[_T], limits: Limits) -> _T:
        """Wait for a connection to be opened and answered, within the limits for a first event. Raises Fault, or ClientGone."""
        self._begin(limits)
        self.timer.phase("no answer from the provider", limits.connect + limits.first_event)
        try:
            return await self.wait(opening)
        except CancelledError:
            raise self._why() from None

    def _begin(self, limits: Limits) -> None:
        if self.timer.total == inf:  # the total is for all attempts together
            self.timer.limit(limits.total)

    async def relay(self, answer: Answer, watch: Watch | None, extra: Headers, secrets: Secrets, limits: Limits) -> Fault | None:
        """Bring the answer to the client. Returns the Fault that broke it after the commit, if any.

        `watch` judges the body where it is an event stream. `extra` are headers of ours. `secrets` gives what is
        masked in error bodies; successful ones are never touched. Raises Fault when nothing was committed yet, or ClientGone.
        """
        if answer.status >= 400:
            await self._relay_error(answer, extra, secrets())
            return None
        streams = watch is not None and is_event_stream(answer.headers)

        def commit() -> None:
            self.first_byte = self._seconds()
            fields = headers.to_client(answer.headers)
            if streams:
                fields.append((b"x-accel-buffering", b"no"))
            else:
                length = headers.first(answer.headers, b"content-length")
                if length is not None:
                    fields.append((b"content-length", length))
            self.responder.head(answer.status, fields + extra)

        if watch is None and is_event_stream(answer.headers):
            commit()  # nobody retries it, and its reader may wait for the head alone
            self.responder.write(b"")
        passage = Watched(watch) if watch is not None and streams else None
        return await self._relayed(Relay(answer, self.responder, self.timer, commit, passage, limits.idle))

    async def translate(
        self, answer: Answer, spoken: Spoken, dialect: Dialect, extra: Callable[[], Headers], secrets: Secrets, limits: Limits
    ) -> Fault | None:
        """Bring the answer of a provider that speaks `dialect` to the client in its own. Returns the Fault that broke it after
        the commit, if any. `extra` gives headers of ours, as late as possible. Raises Fault when nothing was committed yet: the
        provider's own refusal too, whose words are masked; or ClientGone.
        """
        if answer.status >= 400:
            body = await self._collected(Collector(answer, _ERROR_BODY_LIMIT, self.timer))
            # what cannot be read says nothing; the status still does
            fields, body = decode(answer.headers, body, _ERROR_BODY_LIMIT) or (answer.headers, b"")
            ours = secrets()
            told = dialect.read_error(answer.status, [(name, mask(value, ours)) for name, value in fields], mask(body, ours))
            # both OpenAI's and Anthropic's SDKs obey it, and guess where it is not said
            raise told if told.should_retry is not None else attrs.evolve(told, should_retry=told.kind in RETRIED)
        stream = spoken.stream()
        if stream is not None and is_event_stream(answer.headers):
            kind = stream.content_type

            def commit() -> None:
                self.first_byte = self._seconds()
                self.responder.head(200, [(b"content-type", kind), *_STREAMED, *extra()])

            passage = Translated(stream, secrets)
            return await self._relayed(Relay(answer, self.responder, self.timer, commit, passage, limits.idle))
        body = await self._collected(Collector(answer, _BODY_LIMIT, self.timer, limits.idle))
        plain = decode(answer.headers, body, _BODY_LIMIT)
        if plain is None:
            raise Fault("bad_gateway", "the provider's answer has a Content-Encoding that was not asked for and cannot be read")
        fields, body = plain
        try:
            body = spoken.answer(body, _says_events(fields))
        except Fault as fault:
            raise masked(fault, secrets()) from None
        self.first_byte = self._seconds()
        self.sent = len(body)
        send(self.responder, 200, [(b"content-type", spoken.content_type), *extra()], body)
        return None

    async def _relayed(self, relay: Relay) -> Fault | None:
        self._relay = relay
        try:
            return await self.wait(relay.start())
        except CancelledError:
            raise self._why() from None
        finally:
            self.sent = relay.sent

    async def _collected(self, collector: Collector) -> bytes:
        collector.start()
        try:
            return await self.wait(collector.whole)
        except CancelledError:
            collector.stop()
            raise self._why() from None

    async def _relay_error(self, answer: Answer, extra: Headers, secrets: tuple[bytes, ...]) -> None:
        body = await self._collected(Collector(answer, _ERROR_BODY_LIMIT, self.timer))
        fields = answer.headers
        plain = decode(fields, body, _ERROR_BODY_LIMIT)
        if plain is not None:
            fields, body = plain
        self.first_byte = self._seconds()
        self.sent = len(body)
        fields = [(name, mask(value, secrets)) for name, value in headers.to_client(fields)]
        send(self.responder, answer.status, fields + extra, mask(body, secrets))

    async def wait(self, waited: Deferred[_T]) -> _T:
        """Await something that a client's hang-up, or a clock, shall cancel."""
        self._pending = waited  # type: ignore[assignment]  # whatever it brings, it can be cancelled
        try:
            return await waited
        finally:
            self._pending = None

    def _why(self) -> Exception:
        return self._timed_out or ClientGone()

    def _gone(self) -> None:
        if self._pending is not None:
            self._pending.cancel()

    def _expired(self, fault: Fault) -> None:
        self._timed_out = fault
        if self._relay is not None:
            self._relay.expire(fault)
        elif self._pending is not None:
            self._pending.cancel()


_STREAMED: Headers = [(b"cache-control", b"no-cache"), (b"x-accel-buffering", b"no")]


class Collector:
    """A sink that gathers a body; `whole` fires with it, or fails with a Fault. `idle`, in seconds, is for the time between its
    pieces; without it the clock of the first one runs on."""

    def __init__(self, answer: Answer, limit: int, timer: Timer, idle: float | None = None) -> None:
        self._answer = answer
        self._limit = limit
        self._timer = timer
        self._idle = idle
        self._pieces: list[bytes] = []
        self._size = 0
        self.whole: Deferred[bytes] = Deferred()

    def start(self) -> None:
        """Begin."""
        self._answer.deliver(self)

    def stop(self) -> None:
        """Close the provider's side; nothing more is heard."""
        self._answer.abort()

    def data(self, data: bytes) -> None:
        """See `Sink`."""
        if self._idle is not None:
            if not self._size:
                self._timer.phase("the provider was silent", self._idle)
            self._timer.progress()
        self._size += len(data)
        if self._size > self._limit:
            self._answer.abort()
            self.whole.errback(Fault("bad_gateway", "the provider's answer is too large"))
            return
        self._pieces.append(data)

    def end(self) -> None:
        """See `Sink`."""
        self.whole.callback(b"".join(self._pieces))

    def fail(self, fault: Fault) -> None:
        """See `Sink`."""
        self.whole.errback(fault)


def is_event_stream(fields: Headers) -> bool:
    """Whether a body is server-sent events that can be read here."""
    encoding = (headers.first(fields, b"content-encoding") or b"").strip().lower()
    return encoding in (b"", b"identity") and _says_events(fields)


def _says_events(fields: Headers) -> bool:
    type_ = headers.first(fields, b"content-type")
    return type_ is not None and type_.lower().lstrip().startswith(b"text/event-stream")
