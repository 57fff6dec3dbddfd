"""The Klein resource tree, built from the route table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, cast

from klein import Klein
from klein.interfaces import IKleinRequest
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from llmux.net.front import FrontRequest
from llmux.web.routes import ALL_METHODS, Route

# Takes (request, route, allowed, params). Route None: no such path, or it wants one of the methods `allowed`.
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
    offered: dict[str, tuple[str, ...]] = {}

    def add(path: str, methods: Iterable[str], route: Route | None, name: str) -> None:
        def endpoint(request: Any, **params: str) -> Resource:
            plain = {key: _plain(value) for key, value in params.items()}
            serve(cast(FrontRequest, request), route, () if route is not None else offered[path], plain)
            return TAKEN

        app.route(path, methods=list(methods), strict_slashes=False, endpoint=name)(endpoint)

    for index, route in enumerate(routes):
        methods = route.methods or ALL_METHODS
        taken.setdefault(route.path, set()).update(methods, ("HEAD",) if "GET" in methods else ())
        add(route.path, methods, route, f"{index} {route.path}")
        # A GET that is there only to be refused with more grace is not offered.
        served = set() if route.handler == "no_websocket" else taken[route.path]
        before = offered.get(route.path, ())
        offered[route.path] = tuple(method for method in ALL_METHODS if method in served or method in before)
    for path, methods_ in taken.items():
        others = [method for method in ALL_METHODS if method not in methods_]
        if others:
            add(path, others, None, f"others {path}")

    @app.handle_errors(HTTPException)
    def no_route(request: Any, failure: Failure) -> Resource:
        """Klein found nothing: the path is unknown, or the method is one that nobody knows."""
        allowed: tuple[str, ...] = ()
        if isinstance(failure.value, MethodNotAllowed):
            mapper: Any = IKleinRequest(request).mapper
            rule, _ = mapper.match(method="GET", return_rule=True)
            allowed = offered[rule.rule]
        serve(cast(FrontRequest, request), None, allowed, {})
        return TAKEN

    return app


def _plain(value: str) -> str:
    """A part of the path as text. Routing kept `%2F` and `%25` encoded, so that no slash came from within a segment."""
    return value.replace("%2F", "/").replace("%25", "%")
