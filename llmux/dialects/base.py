"""What every dialect offers to the rest of llmux."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import attrs

from llmux.errors import Fault


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


@attrs.frozen
class Dialect:
    """One wire API.

    `error_body(fault, request_id)` gives the HTTP status and the body of a refusal. `credential(key)` is the header in
    which this API takes its key. `keepalive` is what may be sent between events while nothing else is to be said.
    """

    name: str
    family: str
    error_body: Callable[[Fault, str], tuple[int, bytes]]
    watch: Callable[[], Watch]
    credential: Callable[[str], tuple[bytes, bytes]]
    request_id_header: bytes
    keepalive: bytes
