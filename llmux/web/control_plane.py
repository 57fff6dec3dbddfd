"""Amp's control plane: answered here, or by the Amp upstream; and its browser pages and thread actors."""

from __future__ import annotations

from collections.abc import Callable

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from llmux import headers
from llmux.errors import Fault
from llmux.executors.upstream import AmpUpstream, Caller
from llmux.headers import Headers
from llmux.net.answer import Answer
from llmux.net.responder import send
from llmux.net.tunnel import tunnel
from llmux.web.context import Context
from llmux.web.exchange import Exchange

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
    if (
        amp.redirect_pages
        and amp.upstream is not None
        and request.method in (b"GET", b"HEAD")
        and b"text/html" in accepts.lower()
    ):
        send(context.responder, 307, [(b"location", amp.upstream.page(request, context.client.secrets))], b"")
        return
    await forward(context)


async def unknown_provider_path(context: Context) -> None:
    """A path below `/api/provider` that is no route: the Amp upstream may know it.

    A key that is bound to models may not go around its list this way: the path could be another spelling of one that is.
    """
    if context.runtime.amp.upstream is None:
        raise Fault("not_found", "Not found")
    if context.client.models is not None:
        raise Fault(
            "permission", "this key is bound to models, and this path names none that could be checked", should_retry=False
        )
    await forward(context)


async def actors(context: Context) -> None:
    """Amp's thread actors: they bring their own credential, and speak WebSocket."""
    upstream, limits = _upstream(context), context.runtime.limits
    caller = attrs.evolve(_caller(context), untouched=True)
    asked = headers.connection_tokens(context.request.headers)
    if headers.first(context.request.headers, b"upgrade") is None or b"upgrade" not in asked:
        await forward(context, untouched=True)
        return
    exchange = Exchange(context.runtime, context.responder)
    try:
        opening = Deferred.fromCoroutine(upstream.open_tunnel(context.request, caller, limits.connect))
        connection, reply = await exchange.open(opening, limits)
        if reply.status != 101:
            await exchange.relay(reply, None, [], context.runtime.secrets, limits)
            return
        head = [b"HTTP/1.1 101 Switching Protocols\r\n"]
        head += [b"%b: %b\r\n" % header for header in reply.headers]
        context.record.status = reply.status
        tunnel(context.channel, b"".join([*head, b"\r\n"]), connection)
    except Fault as fault:
        _fail(context, fault)
    finally:
        exchange.close()


async def forward(context: Context, untouched: bool = False) -> None:
    """Let the Amp upstream answer. `untouched`: with the client's own credentials, and none of ours."""
    upstream, runtime = _upstream(context), context.runtime
    exchange = Exchange(runtime, context.responder)
    caller = attrs.evolve(_caller(context), untouched=untouched)
    context.record.provider = "amp"

    def attempt(sent: Callable[[], None]) -> Deferred[Answer]:
        sent()
        return upstream.forward(context.request, caller, runtime.limits.connect)

    try:
        answer = await exchange.ask(attempt, runtime.limits)
        context.record.fault = await exchange.relay(answer, None, [], runtime.secrets, runtime.limits)
    except Fault as fault:
        _fail(context, fault)
    finally:
        exchange.close()
        context.record.first, context.record.sent = exchange.first_byte, exchange.sent


def _caller(context: Context) -> Caller:
    return Caller(context.client.key, context.client.secrets)


def _upstream(context: Context) -> AmpUpstream:
    upstream = context.runtime.amp.upstream
    if upstream is None:
        raise _ABSENT
    return upstream


def _fail(context: Context, fault: Fault) -> None:
    context.record.fault = fault
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
        path=headers.printable(context.request.path.decode("latin-1")),
        reason=fault.message,
    )
    fields = [(b"content-type", b"application/json"), (b"x-llmux-request-id", context.request_id.encode())]
    return 502, fields, _UNREACHABLE
