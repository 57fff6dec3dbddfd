"""Klein, built from the route table; authorization stands in the table, so no route can be forgotten."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Callable, Iterable
from typing import Any, cast

from klein import Klein
from klein.interfaces import IKleinRequest
from klein.resource import KleinResource
from twisted.internet.defer import CancelledError, Deferred, DeferredLock
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from llmux import headers
from llmux.errors import Fault
from llmux.headers import Headers
from llmux.net.express import ExpressResponder
from llmux.net.front import FrontChannel, FrontRequest
from llmux.net.request import ClientRequest
from llmux.net.responder import Responder, WebResponder, send
from llmux.web import auth, control_plane, health, inference, models
from llmux.web.auth import Client
from llmux.web.context import Context, HandlerFunction
from llmux.web.exchange import ClientGone
from llmux.web.refusals import refusal
from llmux.web.routes import ALL_METHODS, ROUTES, Handler, Route, dialect_of
from llmux.web.runtime import Runtime

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

# What the endpoints of routes are called; those of the methods that a path does not take are called otherwise.
_ROUTE = "route-"
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
        if self._gate is not None:
            await self._gate.run(lambda: None)
        runtime = self.runtime
        runtime.metrics.in_flight += 1
        request_id = self._request_id(request)
        extra: Headers = []
        try:
            if route is None:
                if allowed:
                    extra.append((b"allow", ", ".join(allowed).encode()))
                    raise Fault("method_not_allowed", "Method not allowed")
                raise Fault("not_found", "Not found")
            client = authorize(runtime, route, request)
            context = Context(runtime, route, params, request, responder, client, request_id, channel)
            await HANDLERS[route.handler](context)
        except (ClientGone, CancelledError):
            pass
        except Fault as fault:
            if fault.kind == "auth":
                runtime.metrics.refused_key()
            dialect = _speech(runtime, route, params, request)
            _refuse(responder, refusal(dialect, fault, request_id), extra)
        except Exception:
            _log.failure("a defect while serving {path}", path=request.path.decode("latin-1"), request_id=request_id)
            defect = Fault("server", "llmux has met a defect of its own; its log tells more")
            _refuse(responder, refusal(dialect_of(request.path), defect, request_id), extra)
        finally:
            runtime.metrics.in_flight -= 1

    def refuse(self, target: bytes, fault: Fault) -> tuple[int, Headers, bytes]:
        """A refusal by the front, which knows nothing but the request target (b"": not even that)."""
        return refusal(dialect_of(target.partition(b"?")[0]), fault, self._new_id())

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


Serve = Callable[[FrontRequest, Route | None, tuple[str, ...], dict[str, str]], None]


class _Taken(Resource):
    """What tells Klein that the request is in other hands. Anything else that an endpoint may return makes Klein end the
    request itself, and an endpoint's failure makes it write a page into whatever was already sent."""

    isLeaf = True

    def render(self, request: IRequest) -> int:
        """Nothing."""
        return NOT_DONE_YET


TAKEN = _Taken()


def build(routes: Iterable[Route], serve: Serve) -> Klein:
    """A Klein application with one rule a row, and one more for the methods that a path does not take."""
    app = Klein()
    taken: dict[str, set[str]] = {}

    def add(path: str, methods: Iterable[str], route: Route | None, allowed: tuple[str, ...], name: str) -> None:
        def endpoint(request: Any, **params: str) -> Resource:
            serve(cast(FrontRequest, request), route, allowed, {key: _plain(value) for key, value in params.items()})
            return TAKEN

        app.route(path, methods=list(methods), strict_slashes=False, endpoint=name)(endpoint)

    for index, route in enumerate(routes):
        methods = route.methods or ALL_METHODS
        taken.setdefault(route.path, set()).update(methods)
        if "GET" in methods:
            taken[route.path].add("HEAD")
        add(route.path, methods, route, (), f"{_ROUTE}{index}")
    for index, (path, methods_) in enumerate(taken.items()):
        others = [method for method in ALL_METHODS if method not in methods_]
        if others:
            add(path, others, None, tuple(method for method in ALL_METHODS if method in methods_), f"others-{index}")

    @app.handle_errors(HTTPException)
    def no_route(request: Any, failure: Failure) -> Resource:
        """Klein found nothing: the path is unknown, or the method is one that nobody knows."""
        mapper: Any = IKleinRequest(request).mapper
        allowed: tuple[str, ...] = ()
        if isinstance(failure.value, MethodNotAllowed):
            allowed = tuple(method for method in ALL_METHODS if mapper.match(method=method)[0].startswith(_ROUTE))
        serve(cast(FrontRequest, request), None, allowed, {})
        return TAKEN

    return app


def _plain(value: str) -> str:
    """A part of the path as text. Routing kept `%2F` and `%25` encoded, so that no slash came from within a segment."""
    return value.replace("%2F", "/").replace("%25", "%")
