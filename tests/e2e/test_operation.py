"""What an operator and a service manager do to the running daemon: signals, sockets handed over, restarts under load."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import sys
import tempfile
import threading
from pathlib import Path

from tests.e2e.daemon import LOCAL, PATIENCE, RUN, TWIST, TWISTD, Daemon
from tests.e2e.test_process import DEMO, KEY, WAYS, ProcessCase

# Starts a program as systemd does: its socket is descriptor 3, and the variables name the process that takes it.
_HAND_OVER = """\
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", **({"LISTEN_FDNAMES": sys.argv[2]} if sys.argv[2] else {}))
os.execv(sys.argv[3], sys.argv[3:])
"""


class Manager:
    """The receiving end of sd_notify."""

    def __init__(self) -> None:
        # A short path: a socket's has 108 bytes at most.
        self._folder = tempfile.TemporaryDirectory()
        self.path = str(Path(self._folder.name, "notify"))
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.settimeout(PATIENCE)

    def hear(self, word: str) -> str:
        """The status beside the next message that holds a word such as READY=1."""
        while True:
            lines = self._socket.recv(4096).decode().split("\n")
            if word in lines:
                return next((line.removeprefix("STATUS=") for line in lines if line.startswith("STATUS=")), "")

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()
        self._folder.cleanup()


class SignalTests(ProcessCase):
    """HUP and USR1, however the daemon was started; both would end a process that does not heed them."""

    def manager(self) -> Manager:
        """A service manager."""
        manager = Manager()
        self.addCleanup(manager.close)
        return manager

    def test_told(self) -> None:
        """Ready when it can be reached, with what it serves; reloading, and stopping."""
        for way in WAYS:
            manager = self.manager()
            environ = {"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "60000000"}
            daemon = self.start("--listen", LOCAL, config=DEMO, command=way, environ=environ)
            status = manager.hear("READY=1")
            self.assertIn("providers: demo", status)
            port = int(status.partition("127.0.0.1:")[2].partition(";")[0])
            self.assertEqual(self.get(daemon, "/health", port)[0], 200)
            manager.hear("WATCHDOG=1")
            daemon.process.send_signal(signal.SIGHUP)
            manager.hear("RELOADING=1")
            manager.hear("READY=1")
            daemon.process.terminate()
            self.assertIn("30 s at most", manager.hear("STOPPING=1"))
            self.assertEqual(daemon.wait(), 0, daemon.said())

    def test_reload(self) -> None:
        """A good file takes effect, a bad one is kept out and named, and what the command line says stays."""
        for way in WAYS:
            manager = self.manager()
            daemon = self.start("--listen", LOCAL, config=DEMO, command=way, environ={"NOTIFY_SOCKET": manager.path})
            manager.hear("READY=1")
            file = self.folder / "llmux.yaml"
            file.write_text(f'listen: ["tcp:1"]\napi_keys: ["{KEY}"]\n{DEMO}')
            daemon.process.send_signal(signal.SIGHUP)
            self.assertNotIn("refused", manager.hear("READY=1"))
            self.assertEqual(self.get(daemon, "/v1/models")[0], 401)
            file.write_text(f"drian: 5\n{DEMO}")
            daemon.process.send_signal(signal.SIGHUP)
            self.assertIn("llmux.yaml:1:1: drian: unknown key, did you mean 'drain'?", manager.hear("READY=1"))
            self.assertEqual(self.get(daemon, "/v1/models")[0], 401)
            self.end(daemon)
            self.assertIn("did you mean 'drain'?", daemon.said())
            self.assertNotIn(KEY, daemon.said())
            self.assertNotIn("Traceback", daemon.said())

    def test_level_and_form(self) -> None:
        """The log changes with the configuration."""
        for way in WAYS:
            manager = self.manager()
            daemon = self.start("--listen", LOCAL, config=DEMO, command=way, environ={"NOTIFY_SOCKET": manager.path})
            manager.hear("READY=1")
            (self.folder / "llmux.yaml").write_text(f"log: {{format: json, level: debug}}\n{DEMO}")
            daemon.process.send_signal(signal.SIGHUP)
            manager.hear("READY=1")
            self.post(daemon, KEY).read()
            self.end(daemon)
            self.assertTrue([line for line in daemon.output.out if line.startswith("{") and "LOCAL_PROVIDER" in line], way)

    def test_log_file(self) -> None:
        """It holds the log; moved away and told so, the daemon goes on in a new one."""
        for way in WAYS:
            log, moved = self.folder / "llmux.log", self.folder / "llmux.log.1"
            daemon = self.start("--listen", LOCAL, config=f"log: {{file: llmux.log}}\n{DEMO}", command=way)
            self.post(daemon, KEY).read()
            log.rename(moved)
            daemon.process.send_signal(signal.SIGUSR1)
            _until_written(log, "")
            daemon.process.send_signal(signal.SIGHUP)
            _until_written(log, "was read again")
            self.assertIn("200 POST /v1/chat/completions", moved.read_text())
            self.end(daemon)
            self.assertNotIn("200 POST /v1/chat/completions", daemon.said())
            log.unlink()
            moved.unlink()

    def test_reopen_without_a_file(self) -> None:
        """Then the signal means nothing, and does no harm."""
        for way in WAYS:
            daemon = self.start("--listen", LOCAL, config=DEMO, command=way)
            self.assertEqual(self.get(daemon, "/health")[0], 200)
            daemon.process.send_signal(signal.SIGUSR1)
            self.assertEqual(self.post(daemon, KEY).status, 200)
            self.assertEqual(self.end(daemon), 0)


class SocketTests(ProcessCase):
    """Sockets that outlive the process."""

    def hand(self, taken: socket.socket, command: tuple[str, ...] = RUN, name: str = "http", config: str = DEMO) -> Daemon:
        """A daemon that is handed a socket."""
        launcher = (sys.executable, "-c", _HAND_OVER, str(taken.fileno()), name, *command)
        return self.start(config=config, command=launcher, pass_fds=(taken.fileno(),))

    def test_in_place_of_the_listeners(self) -> None:
        """They take the place of what the file says, which need not even be free; with a name or without one."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            for way in (RUN, TWISTD, TWIST):
                for name in ("http", ""):
                    config = f'listen: ["tcp:{port}:interface=127.0.0.1"]\n{DEMO}'
                    daemon = self.hand(taken, command=way, name=name, config=config)
                    self.assertEqual(daemon.ports, [port], daemon.said())
                    self.assertEqual(self.get(daemon, "/health")[0], 200)
                    daemon.process.send_signal(signal.SIGHUP)
                    self.assertEqual(self.post(daemon, KEY).status, 200)
                    self.assertEqual(self.end(daemon), 0, daemon.said())
                    self.assertIn("the configuration was read again", daemon.said())

    def test_one_for_metrics(self) -> None:
        """The one that `metrics.listen` names serves those alone."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            config = f'metrics: {{listen: "systemd:domain=INET:name=met"}}\nlisten: ["{LOCAL}"]\n{DEMO}'
            daemon = self.hand(taken, name="met", config=config)
            port = taken.getsockname()[1]
            self.assertNotEqual(daemon.port, port)
            statuses = [self.get(daemon, path, port)[0] for path in ("/metrics", "/health")]
            self.assertEqual((statuses, self.get(daemon, "/health")[0]), ([200, 404], 200))

    def test_neglected(self) -> None:
        """A socket on which nobody listens keeps its clients waiting for ever, so it is named."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            daemon = self.hand(taken, command=(*RUN, "--listen", LOCAL))
            self.assertEqual(self.get(daemon, "/health")[0], 200)
            self.assertIsNotNone(daemon.output.find(lambda line: "socket 0 (http) was passed to this process" in line))

    def test_meant_for_somebody_else(self) -> None:
        """The variables of the process that started this one do not count."""
        environ = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "http"}
        daemon = self.start("--listen", LOCAL, config=DEMO, command=RUN, environ=environ)
        self.assertEqual(self.get(daemon, "/health")[0], 200)

    def test_restart_under_load(self) -> None:
        """Behind such a socket a restart loses nobody: who comes while nobody listens waits."""
        with socket.create_server(("127.0.0.1", 0), backlog=512) as taken:
            load = Load(taken.getsockname()[1])
            self.addCleanup(load.stop)
            daemon = self.hand(taken)
            load.start()
            for _ in range(3):
                load.until_answered(40)
                daemon.process.terminate()
                successor = self.hand(taken)
                self.assertEqual(daemon.wait(), 0)
                daemon = successor
            load.until_answered(40)
            load.stop()
        self.assertEqual(load.failures, [])


class Load:
    """Clients that ask without pause, streams and whole answers, each on a connection of its own or on one that it keeps."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._changed = threading.Condition()
        self._stopping = False
        self.answered = 0
        self.failures: list[str] = []
        rows = [(stream, keep) for stream in (False, True) for keep in (False, True)]
        self._threads = [threading.Thread(target=self._ask, args=row, daemon=True) for row in rows]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def until_answered(self, more: int) -> None:
        """Wait for so many more answers."""
        with self._changed:
            goal = self.answered + more
            if not self._changed.wait_for(lambda: self.answered >= goal or self.failures, PATIENCE) or self.failures:
                raise AssertionError(f"{self.answered} answers, and then {self.failures or 'none'}")

    def stop(self) -> None:
        """End, and wait for it."""
        self._stopping = True
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(PATIENCE)

    def _ask(self, stream: bool, keep: bool) -> None:
        body = json.dumps({"model": "gpt-5", "stream": stream, "messages": [{"role": "user", "content": "hello"}]})
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        while not self._stopping:
            try:
                connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
                response = connection.getresponse()
                whole = response.read()
                good = response.status == 200 and (b"[DONE]" in whole if stream else b'"finish_reason":"stop"' in whole)
                closes = response.will_close
            except (OSError, http.client.HTTPException) as error:
                good, whole, closes = False, repr(error).encode(), True
            with self._changed:
                self.answered += good
                if not good:
                    self.failures.append(f"stream={stream} keep={keep}: {whole[:200]!r}")
                self._changed.notify_all()
            if closes or not keep:
                connection.close()
        connection.close()


def _until_written(file: Path, words: str) -> None:
    """Look again and again: what writes a file tells nobody."""
    pause = threading.Event()
    for _ in range(int(PATIENCE / 0.02)):
        with contextlib.suppress(FileNotFoundError):
            if words in file.read_text():
                return
        pause.wait(0.02)
    raise AssertionError(f"{file.name} never held '{words}'")
