"""Run the nginx and HAProxy examples before a real llmux and see that they do what their comments say.

Usage: check_fronts.py EXAMPLES LLMUX

EXAMPLES is the folder with the examples, LLMUX the command to run. Needs nginx, haproxy, openssl and curl (with HTTP/2). All of
it stays on 127.0.0.1, and the first check that fails ends the run with status 1.
"""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from loopback import (
    AMP_KEY,
    CLIENT_KEY,
    FIRST,
    LAST,
    PATIENCE,
    PROVIDER_KEY,
    Llmux,
    Process,
    Provider,
    answers,
    ask,
    chat,
    connection,
    free_port,
)

CHAT = "/v1/chat/completions"
WEBSOCKET = {
    "upgrade": "websocket",
    "connection": "Upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}
LIMIT = 32 * 1024 * 1024

# Spellings that llmux takes for /metrics, and a few that it does not.
METRICS = ("/metrics", "/metrics?a=b", "/metrics/", "//metrics", "/%6detrics", "/%6Detric%73//", "/%2Fmetrics")
PAGES = ("/threads", "/threads/T-1", "//threads", "/%74hreads/x", "/docs", "/settings", "/auth/cli-login", "/threads/%zz")
CONTROL = (
    "/api/user",
    "/api/internal?x",
    "//api//user",
    "/%61pi/user",
    "/news.rss",
    "/api/provider%2F..%2Finternal",
    "/api/hello2",
    "/actors/x",
)
MODELS = ("/api/provider/loopback/v1/models", "/api/hello", "/v1/models", "/models")


def check(what: str, good: bool, seen: object = "") -> None:
    """One thing that must hold."""
    if not good:
        raise SystemExit(f"FAILED: {what} {seen}")
    print(f"  ok  {what}", flush=True)


def adapted(text: str, changes: dict[str, str]) -> str:
    """An example with its places replaced by ours. One that it does not name is a mistake of this script."""
    for old, new in changes.items():
        if old not in text:
            raise SystemExit(f"the example does not hold {old!r}")
        text = text.replace(old, new)
    return text


def program(name: str) -> str:
    """Where a program is; those of administrators may not be on the path."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if found is None:
        raise SystemExit(f"{name} is not installed")
    return found


class Front:
    """A front in a folder of its own. `far`: as if this host stood in none of the networks that may use what is Amp's."""

    def __init__(self, name: str, example: Path, folder: Path) -> None:
        self.name = name
        self._example = example.read_text()
        self._folder = folder
        self.certificate = folder / "certificate.pem"
        self._key = folder / "key.pem"
        self._make_certificate()

    def _make_certificate(self) -> None:
        options = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=llmux.example.com".split()
        names = ["-addext", "subjectAltName=IP:127.0.0.1"]
        files = ["-keyout", str(self._key), "-out", str(self.certificate)]
        subprocess.run([program("openssl"), *options, *names, *files], check=True, capture_output=True)

    @contextmanager
    def running(self, llmux: int, *, far: bool = False, proxy_protocol: bool = False) -> Iterator[tuple[int, Process]]:
        """Its port and its process."""
        port = free_port()
        configure = {"nginx": self._nginx, "haproxy": self._haproxy}[self.name]
        test, run = configure(port, llmux, far, proxy_protocol)
        done = subprocess.run(test, capture_output=True, text=True, check=False)
        check(" ".join([self.name, *test[1:2], "its own check"]), done.returncode == 0, done.stdout + done.stderr)
        with Process(self.name, run, self._folder) as process:
            process.until(f"{self.name} listens", lambda: answers(port))
            yield port, process

    def _nginx(self, port: int, llmux: int, far: bool, _: bool) -> tuple[list[str], list[str]]:
        changes = {
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            "    listen [::]:443 ssl http2;\n": "",
            "server 127.0.0.1:8743;": f"server 127.0.0.1:{llmux};",
            "/etc/ssl/certs/llmux.example.com.pem": str(self.certificate),
            "/etc/ssl/private/llmux.example.com.key": str(self._key),
            "/var/log/nginx": str(self._folder),
        }
        if far:
            changes |= {"127.0.0.0/8   1;": "192.0.2.0/24  1;", "    default  1;": "    default  0;"}
        (self._folder / "llmux.conf").write_text(adapted(self._example, changes))
        main = self._folder / "nginx.conf"
        temporary = "".join(f"  {kind}_temp_path {self._folder}/{kind};\n" for kind in ("client_body", "proxy"))
        main.write_text(
            f"daemon off;\npid {self._folder}/nginx.pid;\nerror_log stderr;\n"
            f"events {{}}\nhttp {{\n{temporary}  include {self._folder}/llmux.conf;\n}}\n"
        )
        command = [program("nginx"), "-c", str(main)]
        return [command[0], "-t", *command[1:]], command

    def _haproxy(self, port: int, llmux: int, far: bool, proxy_protocol: bool) -> tuple[list[str], list[str]]:
        both = self._folder / "both.pem"
        both.write_bytes(self.certificate.read_bytes() + self._key.read_bytes())
        certificate = "/etc/haproxy/certs/llmux.example.com.pem"
        changes = {
            f"    bind :::443 v6only ssl crt {certificate} alpn h2,http/1.1\n": "",
            "bind :443": f"bind 127.0.0.1:{port}",
            certificate: str(both),
            "server llmux 127.0.0.1:8743": f"server llmux 127.0.0.1:{llmux}{' send-proxy check-send-proxy' * proxy_protocol}",
        }
        if far:
            changes |= {"src 127.0.0.0/8 ::1": "src 192.0.2.0/24", "src 0.0.0.0/0 ::/0": "src 192.0.2.0/24"}
        if os.geteuid() != 0:
            changes |= {"    user haproxy\n    group haproxy\n    chroot /var/lib/haproxy\n": ""}
        file = self._folder / "haproxy.cfg"
        file.write_text(adapted(self._example, changes))
        command = [program("haproxy"), "-f", str(file)]
        return [command[0], "-c", *command[1:]], [command[0], "-db", *command[1:]]


class Checks:
    """What is asked through a running front."""

    def __init__(self, port: int, front: Front, provider: Provider) -> None:
        self._port = port
        self._certificate = front.certificate
        self._tls = ssl.create_default_context(cafile=str(front.certificate))
        self._provider = provider

    def status(self, path: str, key: str | None = CLIENT_KEY, headers: Mapping[str, str] | None = None) -> int:
        """How a GET is answered."""
        line = connection(self._port, self._tls)
        try:
            return ask(line, path, key=key, more=headers).status
        finally:
            line.close()

    def streams(self) -> None:
        """The provider goes on only after the client has the first event: who holds anything back waits for ever."""
        self._provider.release.clear()
        line = connection(self._port, self._tls)
        answer = ask(line, CHAT, chat("m", stream=True))
        first = answer.readline() + answer.readline()
        check("the first event arrives while the provider has sent no other", (answer.status, first) == (200, FIRST), first)
        self._provider.release.set()
        check("the rest follows, whole", answer.read() == LAST)
        check("the connection serves another request", ask(line, "/health").read().startswith(b'{"status"'))
        line.close()

    def streams_over_http2(self) -> None:
        """The same with curl and HTTP/2."""
        self._provider.release.clear()
        options = ["-sSN", "--http2", "--noproxy", "*", "--max-time", str(PATIENCE), "--cacert", str(self._certificate)]
        said = [
            "-H",
            f"authorization: Bearer {CLIENT_KEY}",
            "-H",
            "content-type: application/json",
            "-d",
            chat("m", stream=True).decode(),
        ]
        command = [program("curl"), *options, *said, "-w", "%{http_version}", f"https://127.0.0.1:{self._port}{CHAT}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as curl:
            assert curl.stdout is not None
            first = curl.stdout.readline() + curl.stdout.readline()
            self._provider.release.set()
            check("HTTP/2: the first event arrives at once", first == FIRST, first)
            check("HTTP/2: the rest follows", curl.stdout.read() == LAST + b"2")

    def hangs_up(self) -> None:
        """A client that is gone does not let its provider go on."""
        self._provider.release.clear()
        self._provider.hung_up.clear()
        line = connection(self._port, self._tls)
        ask(line, CHAT, chat("m", stream=True)).readline()
        line.close()
        check("the provider's connection is closed when the client hangs up", self._provider.hung_up.wait(PATIENCE))

    def carries_bodies(self) -> None:
        """The largest body passes, a larger one is refused by llmux."""
        line = connection(self._port, self._tls)
        answer = ask(line, CHAT, chat("m", size=LIMIT))
        check("a body of 32 MiB passes", answer.status == 200 and str(LIMIT).encode() in answer.read(), answer.status)
        answer = ask(line, CHAT, chat("m", size=LIMIT + 1))
        told = answer.read()
        check(
            "a larger one is refused in the client's dialect", (answer.status, "error" in json.loads(told)) == (413, True), told
        )
        line.close()

    def upgrades(self) -> None:
        """A WebSocket of Amp's is open both ways; Codex is told at once that there is none for it."""
        line = connection(self._port, self._tls)
        line.request("GET", "/actors/a", headers=WEBSOCKET)
        wire = line.sock
        head = b""
        while b"\r\n\r\n" not in head:
            head += wire.recv(4096)
        check("a WebSocket is opened", head.startswith(b"HTTP/1.1 101 "), head)
        wire.sendall(b"hello")
        check("and speaks", wire.recv(4096) == b"hello")
        line.close()
        status = self.status("/v1/responses", headers=WEBSOCKET)
        check("a WebSocket for /v1/responses is answered with 426", status == 426, status)

    def hides(self) -> None:
        """The metrics are for nobody; a provider sees neither the way nor the client's key."""
        for path in METRICS:
            check(f"{path} is refused", self.status(path) in (403, 404), self.status(path))
        line = connection(self._port, self._tls)
        ask(line, CHAT, chat("m"), more={"forwarded": "for=192.0.2.1"}).read()
        seen = self._provider.headers
        way = [name for name in seen if name.startswith(("x-forwarded", "x-real", "forwarded", "via"))]
        check("a provider sees its own key and not the way", (seen["authorization"], way) == (f"Bearer {PROVIDER_KEY}", []), seen)
        check("without a key nothing is answered", self.status("/v1/models", key=None) == 401)
        self.status(f"/v1beta/models?key={CLIENT_KEY}", key=None)
        line.close()

    def statuses(self, what: str, paths: tuple[str, ...], good: Callable[[int], bool], key: str | None = CLIENT_KEY) -> None:
        """How each of some paths is answered."""
        for path in paths:
            status = self.status(path, key)
            check(f"{path} {what}", good(status), status)


def run(name: str, example: Path, command: str, folder: Path) -> None:
    """All checks of one front."""
    print(name, flush=True)
    folder.mkdir()
    folder.chmod(0o755)
    front, provider = Front(name, example, folder), Provider()
    listen = ("tcp:0:interface=127.0.0.1", "haproxy:tcp:0:interface=127.0.0.1")
    with Llmux(command, provider, folder, listen) as llmux:
        plain, behind_proxy_line = llmux.ports
        check("llmux itself shows its metrics to this host", ask(connection(plain), "/%6detrics", key=None).status == 200)
        with front.running(plain) as (port, process):
            checks = Checks(port, front, provider)
            checks.streams()
            checks.streams_over_http2()
            checks.hangs_up()
            checks.carries_bodies()
            checks.upgrades()
            checks.hides()
            checks.statuses("is for this host", PAGES[:-1], lambda status: status == 200, key=None)
            checks.statuses("is for everybody with a key", (*CONTROL[:5], *MODELS), lambda status: status == 200)
            logs = process.said + "".join(file.read_text() for file in folder.glob("*.log"))
            check("no log repeats a key", not any(key in logs for key in (CLIENT_KEY, PROVIDER_KEY, AMP_KEY)))
            check("and one names the caller", "127.0.0.1" in logs and CHAT in logs)
        with front.running(plain, far=True) as (port, _):
            checks = Checks(port, front, provider)
            checks.statuses("is kept from other networks", PAGES + CONTROL, lambda status: status in (400, 403))
            checks.statuses("is not", MODELS, lambda status: status == 200)
        if name == "haproxy":
            with front.running(behind_proxy_line, proxy_protocol=True) as (port, _):
                checks = Checks(port, front, provider)
                llmux.until("llmux is found to be healthy", lambda: checks.status("/health") == 200)
                checks.streams()


def main() -> None:
    """Both fronts."""
    examples, command = Path(sys.argv[1]).resolve(), sys.argv[2]
    with tempfile.TemporaryDirectory(prefix="llmux-fronts-") as folder:
        run("nginx", examples / "nginx" / "llmux.conf", command, Path(folder) / "nginx")
        run("haproxy", examples / "haproxy" / "llmux.cfg", command, Path(folder) / "haproxy")


if __name__ == "__main__":
    main()
