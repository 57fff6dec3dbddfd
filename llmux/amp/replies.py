"""What the local control plane says back, before it becomes an HTTP response."""

from __future__ import annotations

import attrs

from llmux import jsonio


@attrs.frozen
class Reply:
    """A whole response; the caller adds the length. Header names are in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@attrs.frozen(auto_exc=True)
class Refusal(Exception):
    """A request that cannot be served as it stands: an HTTP status and a reason."""

    status: int
    message: str


_JSON = (("content-type", "application/json"),)


def json_reply(value: object, status: int = 200) -> Reply:
    """A JSON response; bytes are JSON already."""
    return Reply(status, _JSON, value if isinstance(value, bytes) else jsonio.dumps(value))


def error(status: int, message: str) -> Reply:
    """`{"error": message}`, the shape that Amp's command line looks for."""
    return json_reply({"error": message}, status)
