"""Amp's control plane: answered here, or by the Amp upstream; and its browser pages and thread actors."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from llmux import headers
from llmux.errors import Fault
from llmux.executors.upstream import AmpUpstream
from llmux.headers import Headers
from llmux.net.answer import Answer
from llmux.net.responder import send
from llmux.net.tunnel import tunnel
from llmux.web.context import Context
from llmux.web.exchange import ClientGone, Exchange

_log = Logger("llmux.amp")

# Exactly what Amp's clients have been told by the reference implementation.
_UNREACHABLE = b'{"error":"amp_upstream_proxy_error","message":"Failed to reach Amp upstream"}'
_ABSENT = Fault("overloaded", "amp upstream proxy not available")


async def control_plane(context: Context) -> None:
    """A path of Amp's control plane."""
    amp, request = context.runtime.amp, context.request
    if amp.plane == "local":
        reply = amp.control_plane.answer(
            request.method.decode("latin-1"),
            request.path.decode("latin-1"),
            request.query.decode("latin-1"),
            request.body,
            context.client.name,
            context.runtime.clock.seconds(),
        )
        if reply is not None:
            fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
            send(context.responder, reply.status, fields, reply.body)
            return
        if amp.upstream is None:
            raise Fault("not_found", "Not found")
    await forward(context)


async def browser_page(context: Context) -> None:
    """A page for people: the upstream's, proxied or by redirect."""
    amp, request = context.runtime.amp, context.request
    accepts = headers.first(request.headers, b"accept") or b""
    if amp.redirect_pages is not None and request.method in (b"GET", b"HEAD") and b"text/html" in accepts.lower():
        location = amp.redirect_pages.encode() + request.target
        send(context.responder, 307, [(b"location", location)], b"")
        return
    await forward(context)


async def unknown_provider_path(context: Context) -> None:
    """A path below `/api/provider` that is no route: the Amp upstream may know it."""
    if context.runtime.amp.upstream is None:
        raise Fault("not_found", "Not found")
    await forward(context)


async def actors(context: Context) -> None:
    """Amp's thread actors: they bring their own credential, and speak WebSocket."""
    upstream = _upstream(context)
    upgrade = headers.first(context.request.headers, b"upgrade")
    if upgrade is None:
        await forward(context, untouched=True)
        return
    exchange = Exchange(context.runtime, context.responder)
    try:
        patience = context.runtime.limits.connect
        opening = Deferred.fromCoroutine(upstream.open_tunnel(context.request, context.client.key, patience))
        try:
            connection, reply = await exchange.wait(opening)
        except CancelledError:
            raise ClientGone from None
        if reply.status != 101:
            await exchange.relay(reply, None, [], upstream.secrets(), context.runtime.limits)
            return
        head = [b"HTTP/1.1 101 Switching Protocols\r\n"]
        head += [b"%b: %b\r\n" % header for header in reply.headers]
        tunnel(context.channel, b"".join([*head, b"\r\n"]), connection)
    except ClientGone:
        pass
    except Fault as fault:
        _fail(context, fault)
    finally:
        exchange.close()


async def forward(context: Context, untouched: bool = False) -> None:
    """Let the Amp upstream answer. `untouched`: with the client's own credentials, and none of ours."""
    upstream, runtime = _upstream(context), context.runtime
    exchange = Exchange(runtime, context.responder)

    def attempt(sent: Callable[[], None]) -> Deferred[Answer]:
        sent()
        return upstream.forward(context.request, context.client.key, runtime.limits.connect, untouched)

    try:
        answer = await exchange.ask(attempt, runtime.limits)
        await exchange.relay(answer, None, [], upstream.secrets(), runtime.limits)
    except ClientGone:
        pass
    except Fault as fault:
        _fail(context, fault)
    finally:
        exchange.close()


def _upstream(context: Context) -> AmpUpstream:
    upstream = context.runtime.amp.upstream
    if upstream is None:
        raise _ABSENT
    return upstream


def _fail(context: Context, fault: Fault) -> None:
    if context.responder.committed:
        context.responder.truncate()
        return
    status, fields, body = upstream_failure(context, fault)
    send(context.responder, status, fields, body)


def upstream_failure(context: Context, fault: Fault) -> tuple[int, Headers, bytes]:
    """The answer when the Amp upstream could not be reached; the reason is for the log."""
    _log.error(
        "amp upstream proxy error for {method} {path}: {reason}",
        method=context.request.method.decode("latin-1"),
        path=context.request.path.decode("latin-1"),
        reason=fault.message,
    )
    fields = [(b"content-type", b"application/json"), (b"x-llmux-request-id", context.request_id.encode())]
    return 502, fields, _UNREACHABLE
