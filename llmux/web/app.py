"""Serving a request: the route decides who may call, a handler answers, and how it went is booked; all three here alone."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Iterable

import attrs
from klein.resource import KleinResource
from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from llmux import headers
from llmux.accesslog import Line
from llmux.errors import Fault
from llmux.headers import Headers, printable, short
from llmux.net.express import ExpressResponder
from llmux.net.front import FrontChannel, FrontRequest
from llmux.net.request import ClientRequest
from llmux.net.responder import Responder, WebResponder, send
from llmux.web import auth, control_plane, health, inference, models
from llmux.web.auth import Client
from llmux.web.context import Context, HandlerFunction
from llmux.web.exchange import ClientGone
from llmux.web.record import Record, outcome_of
from llmux.web.refusals import refusal
from llmux.web.routes import ROUTES, Handler, Route, dialect_of
from llmux.web.runtime import Runtime
from llmux.web.tree import build

_log = Logger("llmux.web")

HANDLERS: dict[Handler, HandlerFunction] = {
    "exchange": inference.inference,
    "bridge": inference.bridge,
    "models": models.models,
    "model": models.model,
    "catalogue": models.catalogue,
    "no_websocket": health.no_websocket,
    "control_plane": control_plane.control_plane,
    "browser_page": control_plane.browser_page,
    "actors": control_plane.actors,
    "unknown_provider_path": control_plane.unknown_provider_path,
    "hello": health.hello,
    "health": health.health,
    "metrics": health.metrics,
}

# What wants to know the models, and waits until providers have told theirs.
_GATED = ("exchange", "bridge", "models", "model", "catalogue")
# Asked every few seconds by machines; their lines would bury all others.
_QUIET = ("health", "metrics")
# Model names stand in Gemini's paths, so there is no end to the paths that could be remembered.
_MOST_EXPRESS = 4096
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


class App:
    """The web application. `runtime` is read once an exchange; replacing it is how a reload takes effect."""

    def __init__(self, runtime: Runtime, routes: Iterable[Route] = ROUTES) -> None:
        self.runtime = runtime
        self._ids = itertools.count()
        self._gate: DeferredLock | None = None
        self._boot = os.urandom(6).hex()
        routes = tuple(routes)
        # Paths that lead to a model, and how: those without parameters from the start, others once Klein has routed one.
        # The front may take such requests the short way.
        self.express: dict[bytes, tuple[Route, dict[str, str]]] = {
            route.path.encode(): (route, {}) for route in routes if route.handler == "exchange" and "<" not in route.path
        }
        self.klein = build(routes, self.serve)
        # The metrics alone, for a listener of their own that the operator opened to whom he likes.
        alone = [attrs.evolve(route, access="open") for route in routes if route.handler == "metrics"]
        self._metrics_klein = build(alone, self.serve)

    def hold(self) -> Callable[[], None]:
        """Let requests wait, until the function that this returns is called."""
        gate = self._gate = DeferredLock()
        gate.acquire()

        def open_gate() -> None:
            self._gate = None
            gate.release()

        return open_gate

    @property
    def resource(self) -> KleinResource:
        """The root of the site."""
        return self.klein.resource()

    @property
    def metrics_resource(self) -> KleinResource:
        """The root of a site that has the metrics and nothing else."""
        return self._metrics_klein.resource()

    def serve(self, request: FrontRequest, route: Route | None, allowed: tuple[str, ...], params: dict[str, str]) -> None:
        """Serve what Klein has routed. `route` None: no such path; `allowed`: the path wants other methods."""
        incoming = request.client_request()
        if route is not None and route.handler == "exchange" and len(self.express) < _MOST_EXPRESS:
            self.express[incoming.path] = (route, params)
        self._begin(request.channel, incoming, WebResponder(request), route, allowed, params)

    def serve_express(self, request: ClientRequest, responder: ExpressResponder, channel: FrontChannel) -> None:
        """Serve what the front recognised: a request on a path that Klein has routed before."""
        route, params = self.express[request.path]
        self._begin(channel, request, responder, route, (), params)

    def _begin(
        self,
        channel: FrontChannel,
        request: ClientRequest,
        responder: WebResponder | ExpressResponder,
        route: Route | None,
        allowed: tuple[str, ...],
        params: dict[str, str],
    ) -> None:
        serving = self._serve(channel, request, responder, route, allowed, params)
        Deferred.fromCoroutine(serving).addErrback(lambda failure: _log.failure("a defect while refusing", failure))

    async def _serve(
        self,
        channel: FrontChannel,
        request: ClientRequest,
        responder: Responder,
        route: Route | None,
        allowed: tuple[str, ...],
        params: dict[str, str],
    ) -> None:
        if self._gate is not None and route is not None and route.handler in _GATED:
            await self._gate.run(lambda: None)
        runtime = self.runtime
        runtime.metrics.in_flight += 1
        request_id = self._request_id(request)
        record = Record()
        try:
            if route is None:
                raise Fault(*(("method_not_allowed", "Method not allowed") if allowed else ("not_found", "Not found")))
            client = authorize(runtime, route, request)
            record.client = client.name
            context = Context(runtime, route, params, request, responder, client, request_id, channel, record)
            await HANDLERS[route.handler](context)
        except ClientGone:
            pass  # there is nobody to tell
        except Fault as fault:
            if fault.kind == "auth":
                runtime.metrics.refused_key()
            record.fault = fault
            record.outcome = "rejected"
            extra = [(b"allow", ", ".join(allowed).encode())] if allowed else []
            _refuse(responder, refusal(_speech(runtime, route, params, request), fault, request_id), extra)
        except Exception:  # whatever it is, the client gets an answer in its dialect, and the log gets the traceback
            _log.failure("a defect while serving {path}", path=printable(request.path.decode("latin-1")), request_id=request_id)
            record.fault = Fault("server", "llmux has met a defect of its own; its log tells more")
            _refuse(responder, refusal(dialect_of(request.path), record.fault, request_id), [])
        finally:
            runtime.metrics.in_flight -= 1
            if route is None or runtime.debug or route.handler not in _QUIET:
                self._book(runtime, request, route, responder, record, request_id)

    def _book(
        self, runtime: Runtime, request: ClientRequest, route: Route | None, responder: Responder, record: Record, request_id: str
    ) -> None:
        """Write down how it went; here and nowhere else."""
        now = runtime.clock.seconds()
        status, outcome = record.status or responder.status, record.outcome
        if responder.gone and (not status or record.fault is None):
            outcome = "client_gone"
        elif outcome is None:
            outcome = outcome_of(status) if record.fault is None else "upstream_error"
        seconds = now - request.received
        first = None if record.first is None else record.first - request.received
        runtime.metrics.exchanged(
            route=route.path if route is not None else "-",
            dialect=record.dialect,
            outcome=outcome,
            status=status or 499,
            provider=record.provider,
            stream=record.stream,
            seconds=seconds,
            first=first,
        )
        if record.notes:
            runtime.metrics.noted(record.dialect, record.spoken, (note.pointer for note in record.notes))
        runtime.access_log.write(
            Line(
                time=now,
                method=short(request.method.decode("latin-1")),
                path=printable(request.path.decode("latin-1")),
                peer=request.peer,
                client=record.client,
                request_id=request_id,
                status=status or 499,
                outcome=outcome,
                seconds=seconds,
                first=first,
                sent=record.sent,
                decision=record.decision,
                provider=record.provider,
                model=record.model,
                requested=record.requested,
                attempts=record.attempts,
                dialect=record.dialect,
                why="" if record.fault is None else record.fault.message,
                spoken=record.spoken,
                notes=tuple(short(str(note)) for note in record.notes or ()),
            )
        )

    def refuse(self, target: bytes, fault: Fault) -> tuple[int, Headers, bytes]:
        """A refusal by the front, which knows nothing but the request target (b"": not even that)."""
        request_id, path = self._new_id(), target.partition(b"?")[0]
        status, fields, body = refusal(dialect_of(path), fault, request_id)
        _log.info(
            "{status} refused before it was read: {path}: {why}",
            status=status,
            path=printable(path.decode("latin-1")),
            why=fault.message,
            request_id=request_id,
        )
        self.runtime.metrics.refused_request(status)
        return status, fields, body

    def _request_id(self, request: ClientRequest) -> str:
        given = headers.first(request.headers, b"x-request-id")
        return given.decode("ascii") if given is not None and _REQUEST_ID.fullmatch(given) else self._new_id()

    def _new_id(self) -> str:
        return f"req_{self._boot}{next(self._ids):08x}"


def _speech(runtime: Runtime, route: Route | None, params: dict[str, str], request: ClientRequest) -> str | None:
    """The dialect in which to refuse a request."""
    if route is not None and route.handler in ("models", "model"):
        return models.shape(runtime.table, route, params, request)
    return (route and route.dialect) or dialect_of(request.path)


def authorize(runtime: Runtime, route: Route, request: ClientRequest) -> Client:
    """Whether this caller may use this route. Raises Fault."""
    if route.private:
        if request.method == b"OPTIONS":
            raise Fault("permission", "Forbidden")
        if runtime.amp.local_only and not auth.is_loopback(request.peer):
            raise Fault("permission", "Access denied: management routes restricted to localhost")
    if route.access == "metrics" and (runtime.metrics_public or auth.is_loopback(request.peer)):
        return auth.ANONYMOUS
    if route.access == "open":
        # Nobody is asked for a key, but one that is shown all the same must be known, so that it does not leave.
        try:
            return runtime.keyring.identify(request.headers, request.query)
        except Fault:
            return auth.ANONYMOUS
    return runtime.keyring.identify(request.headers, request.query)


def _refuse(responder: Responder, answer: tuple[int, Headers, bytes], extra: Headers) -> None:
    if responder.gone:
        return
    if responder.committed:
        responder.truncate()
        return
    status, fields, body = answer
    send(responder, status, fields + extra, body)
