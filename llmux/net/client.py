"""HTTP/1.1 towards providers: one connection, one exchange at a time.

llhttp reads the replies. What it leaves to its user is done here: a second reply in the same read poisons the
connection instead of reaching the first exchange, informational replies are skipped, and a body that only the end of
the connection ends is told apart from one that broke off.
"""

from __future__ import annotations

from collections.abc import Callable

import httptools
from OpenSSL.SSL import Error as TLSError
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from llmux.errors import Fault
from llmux.headers import Headers
from llmux.net.answer import Sink
from llmux.net.sending import writer

# A reply head may not cost more memory than this.
_HEAD_LIMIT = 256 * 1024


class StaleConnection(Exception):
    """A kept-alive connection was closed before the first byte of a reply: nothing was served, so ask again."""


class Reply:
    """The answer on a connection; see `llmux.net.answer.Answer`."""

    __slots__ = ("_connection", "_held", "_outcome", "_paused", "_sink", "headers", "status")

    def __init__(self, connection: Connection, status: int, headers: Headers) -> None:
        self.status = status
        self.headers = headers
        self._connection: Connection | None = connection
        self._sink: Sink | None = None
        self._held: list[bytes] = []
        self._paused = False
        # None while the body runs; then True for a whole one, or what broke it.
        self._outcome: bool | Fault | None = None

    def deliver(self, sink: Sink) -> None:
        """Hand over what arrived so far, then everything as it comes."""
        self._sink = sink
        held, self._held = self._held, []
        if held:
            sink.data(b"".join(held))
        if self._outcome is not None:
            self._tell()
        elif not self._paused and self._connection is not None:
            self._connection.resume()

    def pause(self) -> None:
        """Stop reading from the provider."""
        self._paused = True
        if self._connection is not None:
            self._connection.pause()

    def resume(self) -> None:
        """Read on."""
        self._paused = False
        if self._connection is not None and self._sink is not None:
            self._connection.resume()

    def abort(self) -> None:
        """Close the connection; the sink hears nothing more."""
        self._sink = None
        self._held = []
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()

    # from the connection

    def body(self, data: bytes) -> None:
        """Bytes of the body."""
        if self._sink is not None:
            self._sink.data(data)
        elif self._connection is not None:
            self._held.append(data)
            self._connection.pause()

    def finished(self, outcome: bool | Fault) -> None:
        """The body is over: True when whole."""
        self._connection = None
        self._outcome = outcome
        if self._sink is not None:
            self._tell()

    def _tell(self) -> None:
        sink, self._sink = self._sink, None
        if sink is None:
            return
        if isinstance(self._outcome, Fault):
            sink.fail(self._outcome)
        else:
            sink.end()


class Connection(Protocol):
    """One connection to a provider. `idle(connection)` is called when it may carry the next request, `gone` when it closed."""

    def __init__(self, idle: Callable[[Connection], None], gone: Callable[[Connection], None]) -> None:
        self._on_idle = idle
        self._on_gone = gone
        self._waiting: Deferred[Reply] | None = None
        self._reply: Reply | None = None
        self._reused = False
        self._reading = True
        self._closed = False
        self._upgrading = False
        self._upgraded: bytes | None = None
        self._tunnel: Protocol | None = None
        self._reset()

    def _reset(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._headers: Headers = []
        self._head_size = 0
        self._chunks: list[bytes] = []
        self._bodiless = False
        self._close_delimited = False
        self._complete = False
        self._keep = False
        self._poisoned = False
        self._heard = False

    def connectionMade(self) -> None:
        """Small writes must not wait for each other."""
        transport = self.transport
        if ITCPTransport.providedBy(transport):
            transport.setTcpNoDelay(True)
        self._send = writer(transport)

    def request(self, data: bytes, *, bodiless: bool = False, upgrade: bool = False) -> Deferred[Reply]:
        """Send a whole request; fires with the reply once its head is there.

        `bodiless` tells that the method is HEAD, `upgrade` that a 101 is welcome: after it the connection is the
        caller's, through `tunnel`. Fails with a `Fault`, or `StaleConnection` where asking again is safe. Cancelling closes
        the connection.
        """
        self._upgrading = upgrade
        assert self.transport is not None and self._waiting is None and self._reply is None
        self._bodiless = bodiless
        self._waiting = Deferred(lambda _: self.abort())
        self._send(data)
        return self._waiting

    @property
    def usable(self) -> bool:
        """Whether a request may be sent on it."""
        return not self._closed and self._waiting is None and self._reply is None

    def reused(self) -> None:
        """Told by the pool when it hands the connection out again."""
        self._reused = True

    def pause(self) -> None:
        """Stop reading."""
        if self._reading and not self._closed:
            self._reading = False
            self.transport.pauseProducing()  # type: ignore[union-attr]  # a connected transport is a push producer

    def resume(self) -> None:
        """Read on."""
        if not self._reading and not self._closed:
            self._reading = True
            self.transport.resumeProducing()  # type: ignore[union-attr]

    def abort(self) -> None:
        """Close at once; whoever waits hears nothing but the cancellation."""
        self._waiting = self._reply = None
        self._close()

    def _close(self) -> None:
        if not self._closed and self.transport is not None:
            self._closed = True
            self.transport.abortConnection()  # type: ignore[attr-defined]  # both TCP and TLS transports have it

    # bytes in

    def dataReceived(self, data: bytes) -> None:
        """Parse; hand on one piece of body for each read."""
        if self._tunnel is not None:
            self._tunnel.dataReceived(data)
            return
        if self._upgraded is not None:
            self._upgraded += data
            return
        if self._waiting is None and self._reply is None:
            self._close()  # nobody asked for this
            return
        self._heard = True
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as switch:
            self._switch(data[switch.args[0] :])
            return
        except (httptools.HttpParserError, _Refused) as error:
            self._flush()
            self._broken(f"the provider's reply cannot be read: {error}")
            return
        if self._head_size > _HEAD_LIMIT and self._waiting is not None:
            self._broken("the head of the provider's reply is too large")
            return
        self._flush()
        if self._complete:
            self._done()

    def _switch(self, rest: bytes) -> None:
        headers, self._headers = self._headers, []
        waiting, self._waiting = self._waiting, None
        if not self._upgrading or waiting is None:
            self._waiting = waiting
            self._broken("the provider switched protocols unasked")
            return
        self._upgraded = rest
        self._reply = reply = Reply(self, 101, headers)
        waiting.callback(reply)

    def tunnel(self, protocol: Protocol) -> None:
        """After a 101: every byte goes to `protocol`, beginning with those that came with the reply."""
        assert self._upgraded is not None and self.transport is not None
        rest, self._upgraded = self._upgraded, None
        self._reply = None
        self._tunnel = protocol
        protocol.makeConnection(self.transport)
        if rest:
            protocol.dataReceived(rest)

    def _flush(self) -> None:
        if self._chunks and self._reply is not None:
            chunks, self._chunks = self._chunks, []
            self._reply.body(chunks[0] if len(chunks) == 1 else b"".join(chunks))

    def _done(self) -> None:
        reply, self._reply = self._reply, None
        if reply is None:
            return
        keep = self._keep and not self._poisoned and not self._closed
        if keep:
            self._reset()
            self.resume()
            self._on_idle(self)
        else:
            self._close()
        reply.finished(True)

    def _broken(self, message: str) -> None:
        fault = Fault("bad_gateway", message)
        waiting, self._waiting = self._waiting, None
        reply, self._reply = self._reply, None
        self._close()
        if waiting is not None:
            waiting.errback(fault)
        elif reply is not None:
            reply.finished(fault)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Judge whether the end of the connection was the end of the body."""
        self._closed = True
        self._on_gone(self)
        if self._tunnel is not None:
            self._tunnel.connectionLost(reason)
            return
        waiting, self._waiting = self._waiting, None
        reply, self._reply = self._reply, None
        in_order = reason.check(ConnectionDone) is not None
        if waiting is not None:
            if self._reused and not self._heard:
                waiting.errback(StaleConnection())
            else:
                why = f": {describe(reason.value)}" if reason.check(TLSError) else ""
                waiting.errback(Fault("bad_gateway", f"the provider closed the connection without an answer{why}"))
        elif reply is not None:
            if in_order and self._close_delimited:
                reply.finished(True)
            else:
                reply.finished(Fault("bad_gateway", "the provider broke off in the middle of its answer"))

    # from the parser

    def on_message_begin(self) -> None:
        """A second message within one exchange is an answer that nobody asked for."""
        if self._complete:
            self._poisoned = True

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header of the head; trailers come after the head and say nothing to us."""
        if self._waiting is None or self._poisoned:
            return
        self._head_size += len(name) + len(value)
        if self._head_size > _HEAD_LIMIT:
            raise _Refused("its head is too large")
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """The head is there: answer whoever waits, unless it is informational."""
        if self._poisoned or self._waiting is None:
            return
        status = self._parser.get_status_code()
        if status < 200:
            self._head_size = 0
            if status != 101:
                self._headers = []
            return
        headers, self._headers = self._headers, []
        names = {name for name, _ in headers}
        self._close_delimited = b"content-length" not in names and b"transfer-encoding" not in names
        waiting, self._waiting = self._waiting, None
        self._reply = reply = Reply(self, status, headers)
        if self._bodiless:
            # llhttp does not know that HEAD has no body, and would wait for it.
            self._complete = True
            self._poisoned = True
        waiting.callback(reply)

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if not self._poisoned:
            self._chunks.append(data)

    def on_message_complete(self) -> None:
        """The reply is whole. Only now, and only here, does llhttp know whether the connection may be kept."""
        if self._reply is None or self._poisoned or self._complete:
            return
        self._complete = True
        self._keep = self._parser.should_keep_alive()


def describe(error: BaseException | None) -> str:
    """A connection's error in words; OpenSSL's are a list of its own."""
    if isinstance(error, TLSError) and error.args and isinstance(error.args[0], list):
        return "; ".join(str(part[-1]) for part in error.args[0]) or "TLS failed"
    text = str(error).strip().rstrip(".")
    return text.partition("\n")[0] or type(error).__name__


class _Refused(Exception):
    """A reply that we will not read on."""
