"""What the checks of the examples need on 127.0.0.1: a provider whose streams they hold in their hands, llmux, and other daemons.

Nothing here imports llmux: the checks run against whichever one is named to them, such as the one of the installed package.
"""

from __future__ import annotations

import json
import re
import select
import socket
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from hashlib import sha1
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Any, Self, TypeVar

# Seconds. Generous: nothing waits this long where all is well.
PATIENCE = 20.0

CLIENT_KEY = "client-key-1f0c4a7e"
PROVIDER_KEY = "provider-key-93b2d6aa"
AMP_KEY = "amp-key-5d18e04c"

FIRST = b'data: {"id":"c","choices":[{"index":0,"delta":{"content":"first"},"finish_reason":null}]}\n\n'
LAST = b'data: {"id":"c","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'

T = TypeVar("T")


def until(what: str, look: Callable[[], T | None]) -> T:
    """The first thing found by looking again and again. Fails when nothing is found in time."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise SystemExit(f"not in time: {what}")


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Provider(ThreadingHTTPServer):
    """A provider, and the Amp upstream too. A stream sends its first event and goes on when `release` is set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.release = Event()
        self.hung_up = Event()
        self.headers: dict[str, str] = {}
        Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Provider

    def do_POST(self) -> None:
        """A chat completion. `broken` is a model whose provider fails."""
        body = self.rfile.read(int(self.headers["content-length"]))
        asked = json.loads(body)
        self.server.headers = {name.lower(): value for name, value in self.headers.items()}
        if asked["model"] == "broken":
            self._answer(500, b'{"error": {"message": "no", "type": "server_error"}}')
        elif asked.get("stream"):
            self._stream()
        else:
            message = {"role": "assistant", "content": str(len(body))}
            answer = {
                "id": "c",
                "object": "chat.completion",
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            }
            self._answer(200, json.dumps(answer).encode())

    def do_GET(self) -> None:
        """A page, or a WebSocket that repeats what it is told."""
        if "upgrade" not in self.headers:
            self._answer(200, b'"page"')
            return
        self.send_response(101)
        self.send_header("upgrade", "websocket")
        self.send_header("connection", "Upgrade")
        accept = sha1(f"{self.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode())  # RFC 6455 4.2.2
        self.send_header("sec-websocket-accept", b64encode(accept.digest()).decode())
        self.end_headers()
        while data := self.connection.recv(4096):
            self.connection.sendall(data)
        self.close_connection = True

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(FIRST), FIRST))
        while not self.server.release.wait(0.02):
            if select.select([self.connection], [], [], 0)[0]:
                self.server.hung_up.set()
                self.close_connection = True
                return
        self.wfile.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(LAST), LAST))

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the checks tell what matters."""


class Process:
    """A daemon that writes what it says into a file, and is ended with its context."""

    def __init__(self, name: str, command: list[str], folder: Path, environ: dict[str, str] | None = None) -> None:
        self.name = name
        self._file = folder / f"{name}.log"
        with self._file.open("wb") as out:
            self.process = subprocess.Popen(
                command, cwd=folder, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )

    @property
    def said(self) -> str:
        """Everything that it wrote so far."""
        return self._file.read_text(errors="replace")

    def until(self, what: str, look: Callable[[], T | None]) -> T:
        """As `until`, but not after its end; and what it said is shown if nothing is found."""

        def alive() -> T | None:
            if self.process.poll() is not None:
                raise SystemExit(f"{self.name} ended with status {self.process.returncode}")
            return look()

        try:
            return until(what, alive)
        except SystemExit as error:
            self.end()
            raise SystemExit(f"{error}\n-- {self.name} said:\n{self.said.rstrip()}") from None

    def end(self) -> None:
        """End it, in order if it will."""
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /) -> None:
        self.end()


class Llmux(Process):
    """llmux before one provider, with a client key; `ports` are those of its listeners, in their order."""

    def __init__(
        self, command: str, provider: Provider, folder: Path, listen: tuple[str, ...] = ("tcp:0:interface=127.0.0.1",)
    ) -> None:
        self.config = folder / "llmux.yaml"
        here = f"http://127.0.0.1:{provider.port}"
        providers = {
            "loopback": {
                "base_url": f"{here}/v1",
                "dialect": "openai-chat",
                "api_keys": [PROVIDER_KEY],
                "models": ["m", "broken"],
            },
            # Port 9 (discard): nobody has listened there for decades.
            "dead": {"base_url": "http://127.0.0.1:9/v1", "dialect": "openai-chat", "models": ["dead"]},
        }
        # JSON is YAML.
        config = {
            "listen": listen,
            "api_keys": [CLIENT_KEY],
            "providers": providers,
            "amp": {"upstream_url": here, "upstream_api_key": AMP_KEY},
            "drain": 1,
        }
        self.config.write_text(json.dumps(config, indent=1))
        super().__init__("llmux", [command, "run", "--config", str(self.config), "--log-format", "json"], folder)
        (urls,) = self.until("llmux says where it listens", lambda: re.findall(r"^llmux \S+ listens on (.*)$", self.said, re.M))
        self.ports = [int(port) for port in re.findall(r":(\d+)", urls)]


def connection(port: int, tls: Any = None) -> HTTPConnection:
    """A connection to 127.0.0.1, under TLS with a context."""
    if tls is None:
        return HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    return HTTPSConnection("127.0.0.1", port, timeout=PATIENCE, context=tls)


def ask(
    line: HTTPConnection,
    path: str,
    body: bytes | None = None,
    key: str | None = CLIENT_KEY,
    more: Mapping[str, str] | None = None,
) -> HTTPResponse:
    """Ask, and return the answer once its head is there. `more` headers go along."""
    headers = {"content-type": "application/json", **(more or {})}
    if key is not None:
        headers["authorization"] = f"Bearer {key}"
    line.request("GET" if body is None else "POST", path, body, headers)
    return line.getresponse()


def chat(model: str, stream: bool = False, size: int = 0) -> bytes:
    """The body of a chat completion, filled up to a size."""
    body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": ""}]}
    room = size - len(json.dumps(body).encode())
    body["messages"] = [{"role": "user", "content": "x" * max(room, 0)}]
    return json.dumps(body).encode()
