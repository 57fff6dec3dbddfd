"""Is it alive, and what does it count."""

from __future__ import annotations

from datetime import UTC, datetime

from prometheus_client.exposition import choose_encoder

from llmux import headers, jsonio
from llmux.errors import Fault
from llmux.net.responder import send
from llmux.web.context import Context
from llmux.web.refusals import refusal


async def health(context: Context) -> None:
    """The daemon runs and answers."""
    now = datetime.fromtimestamp(context.runtime.clock.seconds(), UTC)
    body = {"status": "healthy", "timestamp": now.isoformat(), "version": context.runtime.version}
    send(context.responder, 200, [(b"content-type", b"application/json")], jsonio.dumps(body))


async def metrics(context: Context) -> None:
    """Prometheus text."""
    accept = (headers.first(context.request.headers, b"accept") or b"").decode("latin-1")
    encoder, content_type = choose_encoder(accept)
    body = encoder(context.runtime.metrics.registry)
    send(context.responder, 200, [(b"content-type", content_type.encode())], body)


async def hello(context: Context) -> None:
    """Claude Code's greeting. It wants an answer, any answer, and it is not for anybody else."""
    send(context.responder, 200, [(b"content-type", b"application/json")], b"{}")


async def no_websocket(context: Context) -> None:
    """`GET /v1/responses` is how Codex asks for a WebSocket; 426 makes it use POST at once, anything else costs it seconds."""
    if headers.first(context.request.headers, b"upgrade") is None:
        status, fields, body = refusal(
            context.route.dialect, Fault("method_not_allowed", "Method not allowed"), context.request_id
        )
        send(context.responder, status, [*fields, (b"allow", b"POST")], body)
        return
    body = jsonio.dumps({"error": {"message": "WebSocket is not spoken here; use POST", "type": "invalid_request_error"}})
    fields = [(b"content-type", b"application/json"), (b"upgrade", b"HTTP/1.1"), (b"connection", b"Upgrade")]
    send(context.responder, 426, fields, body)
