"""A scripted provider on loopback, for daemons that are other processes: what reached it, and answers of every kind.

It lives in threads, so that blocking clients may wait for it in the thread of the test.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs


@attrs.frozen
class Seen:
    """A request that reached the provider. Header names are in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    def says(self, text: str) -> bool:
        """Whether a text is anywhere in it."""
        body = json.dumps(self.document, ensure_ascii=False)
        return any(text in part for part in (self.target, *self.headers, *self.headers.values(), body))


class Wire:
    """The provider's end of one exchange: how it may answer."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.gone = threading.Event()

    def send(self, data: bytes) -> None:
        """Raw bytes."""
        self._connection.sendall(data)

    def whole(self, status: int, document: object, *headers: str) -> None:
        """A JSON answer."""
        body = json.dumps(document).encode()
        self._head(status, "content-type: application/json", f"content-length: {len(body)}", *headers)
        self.send(body)

    def stream(self, *events: bytes, end: bool = True) -> None:
        """An event stream, each event as one chunk; without its terminator where `end` is false."""
        self._head(200, "content-type: text/event-stream", "transfer-encoding: chunked")
        for event in events:
            self.send(b"%x\r\n%b\r\n" % (len(event), event))
        if end:
            self.send(b"0\r\n\r\n")

    def reset(self) -> None:
        """Close with a reset; what was sent may be lost."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()

    def until_closed(self) -> None:
        """Say nothing more, and wait for the other side to close."""
        try:
            self.gone.set() if not self._connection.recv(1) else None
        except OSError:
            self.gone.set()

    def _head(self, status: int, *headers: str) -> None:
        self.send("\r\n".join([f"HTTP/1.1 {status} Scripted", *headers, "connection: close", "", ""]).encode())


Script = Callable[[Wire], None]


class ScriptedProvider:
    """The server. Set `script` before asking; `seen` is what came since it was last cleared."""

    def __init__(self) -> None:
        self.script: Script | None = None
        self.seen: list[Seen] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                """Note the request, play the script, close."""
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                provider.seen.append(Seen(self.command, self.path, headers, body))
                self.close_connection = True
                if provider.script is not None:
                    provider.script(Wire(self.connection))

            do_GET = do_POST

            def log_message(self, *args: object) -> None:
                """Nothing."""

            def finish(self) -> None:
                """A script may have closed what would be flushed here."""
                try:
                    super().finish()
                except OSError:
                    pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Its root."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def play(self, script: Script) -> None:
        """Answer like this from now on; what was seen before is forgotten."""
        self.seen = []
        self.script = script


def sse(document: object, name: str | None = None) -> bytes:
    """An event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(document)}\n\n".encode()
