"""One exchange between two dialects: the request there, the answer back, whole or as a stream.

Pure: bytes and objects in, bytes and objects out. Whoever performs the exchange gives the pieces as they arrive.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from llmux import jsonio
from llmux.dialects import choosing, sse
from llmux.dialects.base import Dialect, Rooms
from llmux.dialects.context import Context
from llmux.dialects.events import Delta, Ended, Event
from llmux.dialects.neutral import FORCED, Request, Response
from llmux.dialects.shedding import shed
from llmux.dialects.telling import tell
from llmux.dialects.tools import Book
from llmux.errors import Fault
from llmux.headers import Headers

_TURN = attrgetter("turn")


class Translation:
    """What a client said in its dialect, said to a provider in another.

    `client` are the rooms in which the client is read and answered: a dialect's, or those of a small surface of one. Raises
    Fault where the request cannot be read, or cannot be said in the provider's dialect.
    """

    def __init__(self, client: Rooms, provider: Dialect, context: Context) -> None:
        self.context = context
        self._client = client
        self._provider = provider
        request = client.parse_request(context.asked, context)
        if context.shelf is not None:
            request = context.shelf.restore(request, provider.family)
        if request.tools and context.target.options.hosted_tools == "drop":
            request = _without_others_tools(request, provider.name, context)
        self.request: Request = request
        context.turns = 1 + max(map(_TURN, request.items), default=0)
        names = provider.compatible if context.target.options.compatible else None
        context.book = Book(names or provider.names, request.tools, request.items)
        self.body: dict[str, Any] = provider.rooms.write_request(request, context)
        context.notes.relax()

    @property
    def address(self) -> tuple[bytes, bytes]:
        """Where the provider is asked: the path below its base URL, and the query."""
        return self._provider.address(self.context.target.model, self.context.stream)

    @property
    def fields(self) -> Headers:
        """The headers of the provider's API that go along."""
        return self._provider.fields(self.context)

    @property
    def content_type(self) -> bytes:
        """Of what the client is given."""
        return self._client.encoder(self.context).content_type if self.context.stream else b"application/json"

    def answer(self, body: bytes) -> bytes:
        """A whole answer, as the client reads it; as a stream, if it wants one. Raises Fault for what cannot be read."""
        return self._told(self._provider.rooms.parse_response(body_of(body, self._provider.loads), self.context))

    def gather(self, body: bytes) -> bytes:
        """A stream that has arrived whole, as the client reads it. Raises Fault for what cannot be read, or is not whole."""
        decoder = self._provider.rooms.decoder(self.context)
        for step in (lambda: decoder.feed(sse.payloads(body)), decoder.close):
            for event in step():
                if isinstance(event, Ended):
                    return self._told(event.response)
            if decoder.fault is not None:
                raise decoder.fault
        raise Fault("bad_gateway", "the provider ended the stream before its end", code="stream_truncated")

    def _told(self, response: Response) -> bytes:
        context = self.context
        shed(response, self._client.lacks, context.notes)
        if context.shelf is not None:
            context.shelf.keep(response)
        if context.stream:
            return b"".join(map(self._client.encoder(context).encode, tell(response)))
        return jsonio.dumps(self._client.write_response(response, context))

    def stream(self) -> StreamTranslation:
        """What translates the answer's stream."""
        return StreamTranslation(self._client, self._provider, self.context)


class StreamTranslation:
    """An answer on its way. Takes server-sent events whole, any number at once; gives what the client reads, in one piece.

    `ended`: the client has been told the end, and nothing follows. `fault` is what broke the stream off behind what was given
    last.
    """

    def __init__(self, client: Rooms, provider: Dialect, context: Context) -> None:
        self._decoder = provider.rooms.decoder(context)
        self._encoder = client.encoder(context)
        self._encode = self._encoder.encode
        self._shelf = context.shelf
        self._notes = context.notes
        self._lacks = client.lacks
        self.content_type = self._encoder.content_type
        self.ended = False
        self.fault: Fault | None = None
        self._said = False

    def feed(self, events: bytes) -> bytes:
        """Some whole events. Raises Fault for what they tell of a failure, and for what cannot be read."""
        if self.ended or self.fault is not None:
            return b""
        told = self._written(self._decoder.feed(sse.payloads(events)))
        if self._decoder.fault is not None:
            self.fault = self._decoder.fault
        return told

    def close(self) -> bytes:
        """The provider closed in order. Raises Fault where the stream did not say its own end."""
        if self.ended or self.fault is not None:
            return b""
        told = self._written(self._decoder.close())
        if self._decoder.fault is not None:
            self.fault = self._decoder.fault
        return told

    def error(self, fault: Fault) -> bytes:
        """The stream broke off; nothing may follow."""
        self.ended = True
        return self._encoder.error(fault)

    def _written(self, events: list[Event]) -> bytes:
        """What the client reads of some events. What it has to be told as an error is raised while it was told nothing yet: then
        it can still be an honest answer."""
        if not events:
            return b""
        last = events[-1]
        if len(events) == 1 and type(last) is Delta:  # nearly always
            self._said = True
            return self._encode(last)
        told: list[bytes] = []
        try:
            for event in events:
                told.append(self._encode(event))
        except Fault as fault:
            if not self._said:
                raise
            self.fault = fault
            return b"".join(told)
        self._said = True
        if type(last) is Ended:
            self.ended = True
            shed(last.response, self._lacks, self._notes)
            if self._shelf is not None:
                self._shelf.keep(last.response)
        return b"".join(told)


def _without_others_tools(request: Request, provider: str, context: Context) -> Request:
    """The request without the tools that only another provider could run."""
    gone = [tool for tool in request.tools if tool.kind == "hosted" and tool.dialect != provider]
    for tool in gone:
        context.notes.drop(tool.at, f"{tool.name or tool.family} is run by another provider")
    request = choosing.without(request, gone)
    if not request.tools and request.policy.mode in FORCED:
        context.notes.refuse(request.where.get("policy", ""), "a tool has to be called, and there is none that the provider has")
    return request


def body_of(body: bytes, loads: Callable[[bytes], Any] = jsonio.loads) -> dict[str, Any]:
    """The JSON object that a provider answered with. Raises Fault."""
    try:
        document = loads(body)
    except ValueError as error:
        raise Fault("bad_gateway", f"the provider's answer cannot be read: {error}") from None
    if not isinstance(document, dict):
        raise Fault("bad_gateway", "the provider's answer is no JSON object")
    return document
