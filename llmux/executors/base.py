"""What an executor is asked, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import attrs
from twisted.internet.defer import Deferred

from llmux.headers import Headers
from llmux.net.answer import Answer
from llmux.routing.decision import Facts


@attrs.frozen
class Call:
    """One attempt's errand.

    `path` is the raw path below the root that the dialect's SDKs take as base URL (`/chat/completions`,
    `/v1/messages`, `/v1beta/models/M:generateContent`), `query` the raw query without its `?`. `headers` are the client's,
    not yet filtered; `body` already names the model to ask for, which `model` repeats. `dialect` is the one of path and body;
    where that is not the client's, `fields` are the headers of its API, and the client's own stay behind (None: it is).
    `secrets` are the client's own keys: they never leave; `shown` is what the client showed for a key, known or not.
    `connect_timeout` is in seconds; `sent` is called when the request is on its way.
    """

    method: bytes
    path: bytes
    query: bytes
    headers: Headers
    body: bytes
    facts: Facts
    model: str
    credential: int | None
    request_id: str
    client: str
    secrets: tuple[bytes, ...]
    shown: bytes | None
    connect_timeout: float
    sent: Callable[[], None]
    dialect: str
    fields: Headers | None = None


class Executor(Protocol):
    """Performs attempts."""

    def execute(self, call: Call) -> Deferred[Answer]:
        """Start an attempt. Fires when the answer's head is there, fails with a Fault; cancelling closes it."""

    def secrets(self) -> tuple[bytes, ...]:
        """Credentials of ours that an answer of this executor might repeat."""
