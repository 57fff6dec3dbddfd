"""A provider for the tests of the installed package: OpenAI's Chat Completions over loopback, plain or TLS.

It answers with the credential that it was shown, so that a test sees which key went out. The model's name says what it does:
`steady-50` streams fifty events, ten a second; any other name streams three at once. Needs nothing but the standard library.

    provider.py PORT [CERTIFICATE KEY]
"""

from __future__ import annotations

import json
import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PAUSE = 0.1  # seconds between the events of a steady stream


class Server(ThreadingHTTPServer):
    """One thread for each connection; as many may wait as a burst of a test brings."""

    request_queue_size = 1024
    daemon_threads = True


class Provider(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer any path with a completion."""
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        heard = f"heard {self.headers['authorization']}"
        if asked.get("stream"):
            self.stream(asked["model"], heard)
        else:
            choice = {"index": 0, "message": {"role": "assistant", "content": heard}, "finish_reason": "stop"}
            body = json.dumps(frame(asked["model"], "chat.completion", choice)).encode()
            self.head("application/json", "content-length", str(len(body)))
            self.wfile.write(body)

    def stream(self, model: str, heard: str) -> None:
        """The same answer as events, a word at a time."""
        self.head("text/event-stream", "transfer-encoding", "chunked")
        steady = model.startswith("steady-")
        words = [heard, *(["again"] * (int(model.removeprefix("steady-")) - 1 if steady else 2))]
        for word in words:
            choice = {"index": 0, "delta": {"role": "assistant", "content": f"{word} "}, "finish_reason": None}
            self.event(json.dumps(frame(model, "chat.completion.chunk", choice)))
            if steady:
                time.sleep(PAUSE)
        self.event(json.dumps(frame(model, "chat.completion.chunk", {"index": 0, "delta": {}, "finish_reason": "stop"})))
        self.event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def head(self, kind: str, *length: str) -> None:
        """Status and headers."""
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header(*length)
        self.end_headers()

    def event(self, data: str) -> None:
        """One event, as one chunk."""
        event = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: what was asked is seen in the answers."""


def frame(model: str, kind: str, choice: dict[str, Any]) -> dict[str, Any]:
    """What every completion and every chunk is wrapped in."""
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": model, "choices": [choice]}


def main(port: str, *certificate: str) -> None:
    """Serve until a signal ends it."""
    server = Server(("127.0.0.1", int(port)), Provider)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        # the handshake belongs to the connection's own thread: here it would hold up everybody else's
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
