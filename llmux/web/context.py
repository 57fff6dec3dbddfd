"""What a handler is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs

from llmux.net.front import FrontChannel
from llmux.net.request import ClientRequest
from llmux.net.responder import Responder
from llmux.web.auth import Client
from llmux.web.record import Record
from llmux.web.routes import Route
from llmux.web.runtime import Runtime


@attrs.frozen
class Context:
    """One request on its route. `params` are the decoded parts of the path that the route names; `channel` is the client's
    connection, for handlers that take it over; `record` is what will be booked."""

    runtime: Runtime
    route: Route
    params: dict[str, str]
    request: ClientRequest
    responder: Responder
    client: Client
    request_id: str
    channel: FrontChannel
    record: Record


HandlerFunction = Callable[[Context], Awaitable[None]]
