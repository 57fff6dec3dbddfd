"""What every dialect offers to the rest of llmux."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import attrs

from llmux import jsonio
from llmux.dialects.context import Context
from llmux.dialects.events import Decoder, Encoder
from llmux.dialects.neutral import Request, Response
from llmux.dialects.seals import PREFIX
from llmux.dialects.shedding import Lacks
from llmux.dialects.tools import NameRule
from llmux.dialects.unsealing import Sealed
from llmux.errors import Fault
from llmux.headers import Headers


class Watch(Protocol):
    """Judges a stream that goes through as bytes: did it say all that its dialect must say?

    `see` gets whole SSE events, one or many at a time. `whole`: a stream that its sender closed in order may end here.
    `ended`: the very last event was seen, so even a connection that breaks now takes nothing away. `error` gives the
    dialect's own error event, as bytes that may follow any whole event.
    """

    @property
    def whole(self) -> bool: ...

    @property
    def ended(self) -> bool: ...

    def see(self, events: bytes) -> None: ...

    def error(self, fault: Fault) -> bytes: ...


@attrs.frozen(kw_only=True)
class Rooms:
    """How a dialect, or a small surface of one, is read and written; all of it pure.

    Towards the client: `parse_request(body, context)` gives the neutral request, or raises Fault; `write_response` the JSON of an
    answer; `encoder` what writes its stream. Towards a provider: `write_request` gives the JSON to send, `parse_response` reads
    the answer, `decoder` its stream. `lacks` is what its answers have no place for.
    """

    parse_request: Callable[[dict[str, Any], Context], Request]
    write_request: Callable[[Request, Context], dict[str, Any]]
    parse_response: Callable[[dict[str, Any], Context], Response]
    write_response: Callable[[Response, Context], dict[str, Any]]
    decoder: Callable[[Context], Decoder]
    encoder: Callable[[Context], Encoder]
    lacks: Lacks


@attrs.frozen(kw_only=True)
class Dialect:
    """One wire API.

    `error_body(fault, request_id)` gives the HTTP status and the body of a refusal, `read_error(status, headers, body)` the fault
    that a provider's refusal tells. `credential(key)` is the header in which this API takes its key. `names` are the tool names
    that it allows, and `compatible` those that servers allow which only speak like it. `sealed` finds what the objects of a
    request give back to their maker, and `mark` is how an envelope of ours begins there. `objects` stands in every body with a
    call whose arguments are an object; it is empty where they are texts. `address(model, stream)` is where a provider is asked:
    the path below its base URL, and the query; `fields(context)` the headers of this API that go with a request that was written
    here.
    """

    name: str
    family: str
    rooms: Rooms
    names: NameRule
    error_body: Callable[[Fault, str], tuple[int, bytes]]
    read_error: Callable[[int, Headers, bytes], Fault]
    watch: Callable[[], Watch]
    sealed: Sealed
    credential: Callable[[str], tuple[bytes, bytes]]
    request_id_header: bytes
    address: Callable[[str, bool], tuple[bytes, bytes]]
    fields: Callable[[Context], Headers] = lambda context: []
    mark: bytes = PREFIX.encode()
    compatible: NameRule | None = None
    objects: bytes = b""

    def loads(self, body: bytes) -> Any:
        """Parse a body. The arguments of calls keep all that they say. Raises ValueError."""
        document = jsonio.loads(body)
        return jsonio.whole(document, body) if self.objects and self.objects in body else document
