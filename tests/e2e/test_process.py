"""The process: the ways to start it, what it says, when it refuses to start, and how it ends."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import select
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.e2e.daemon import CHECK, LOCAL, PATIENCE, RUN, SCRIPTS, TWIST, TWISTD, Daemon, environment

WAYS = (TWISTD, TWIST, RUN)
KEY = "llmux-e2e-key-0001"
WRONG = "llmux-e2e-wrong-0002"

_BODY = json.dumps({"model": "gpt-5", "stream": True, "messages": [{"role": "user", "content": "hello"}]})
DEMO = 'providers: {demo: {scenario: "builtin:hello", models: ["gpt-*"], speed: 0}}\n'
_SLOW = """\
name: slow
timeline:
  - llmResponse:
      - assistant:
          - { relativeTime: 10, content: "Alpha" }
          - { relativeTime: %d, content: "Omega" }
"""


class ProcessCase(SynchronousTestCase):
    """Starts processes in a folder of the test's own, and ends them after it."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)

    def start(
        self,
        *arguments: str,
        config: str | None = None,
        command: tuple[str, ...] = TWISTD,
        environ: Mapping[str, str] | None = None,
        pass_fds: tuple[int, ...] = (),
    ) -> Daemon:
        """A daemon, with a configuration of this text."""
        if config is not None:
            (self.folder / "llmux.yaml").write_text(config)
            arguments = ("--config", "llmux.yaml", *arguments)
        daemon = Daemon(*arguments, folder=self.folder, command=command, environ=environ, pass_fds=pass_fds)
        self.addCleanup(daemon.stop)
        return daemon

    def connect(self, daemon: Daemon, port: int | None = None) -> http.client.HTTPConnection:
        """A connection to it."""
        connection = http.client.HTTPConnection("127.0.0.1", port or daemon.port, timeout=PATIENCE)
        self.addCleanup(connection.close)
        return connection

    def get(self, daemon: Daemon, path: str, port: int | None = None) -> tuple[int, bytes]:
        """GET something."""
        connection = self.connect(daemon, port)
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()

    def post(self, daemon: Daemon, key: str, query: str = "") -> http.client.HTTPResponse:
        """Ask for a stream; returns once its head is there."""
        connection = self.connect(daemon)
        headers = {"content-type": "application/json", "authorization": f"Bearer {key}"}
        connection.request("POST", f"/v1/chat/completions{query}", _BODY, headers)
        return connection.getresponse()

    def end(self, daemon: Daemon) -> int:
        """SIGTERM, then the exit status."""
        daemon.process.send_signal(signal.SIGTERM)
        return daemon.wait()


class StartTests(ProcessCase):
    """It starts, says so, serves, and stops."""

    def test_every_way(self) -> None:
        """Where it listens is said on stderr, as plain lines, with a command to try that works; SIGTERM ends it in order."""
        for way in WAYS:
            daemon = self.start("--listen", LOCAL, command=way)
            status, body = self.get(daemon, "/health")
            self.assertEqual((status, json.loads(body)["status"]), (200, "healthy"), way)
            self.assertIn(f"listens on {daemon.url}", "\n".join(daemon.output.err), way)
            (line,) = [line for line in daemon.output.err if line.startswith("  curl ")]
            _, url, *_, body_ = shlex.split(line)
            connection = self.connect(daemon)
            connection.request("POST", url.removeprefix(daemon.url), body_, {"content-type": "application/json"})
            self.assertIn(b"Hello from llmux!", connection.getresponse().read())
            self.assertEqual(self.end(daemon), 0, f"{way}\n{daemon.said()}")

    def test_two_listeners(self) -> None:
        for way in (TWISTD, RUN):
            daemon = self.start("--listen", LOCAL, "--listen", LOCAL, command=way)
            first, second = daemon.ports
            self.assertNotEqual(first, second)
            self.assertEqual([self.get(daemon, "/health", port)[0] for port in (first, second)], [200, 200])
            self.assertEqual(self.end(daemon), 0)

    def test_listeners_of_the_file(self) -> None:
        """The environment's HOST and PORT move the first one."""
        config = f'listen: ["tcp:1:interface=0.0.0.0", "{LOCAL}"]\n' + DEMO
        daemon = self.start(config=config, environ={"HOST": "127.0.0.1", "PORT": "0"})
        self.assertEqual([self.get(daemon, "/health", port)[0] for port in daemon.ports], [200, 200])

    def test_daemonized(self) -> None:
        """twistd's own way into the background: the starter ends well once it listens, and the pid file leads to it."""
        command = [sys.executable, str(SCRIPTS / "twistd"), "--pidfile", "llmux.pid", "--logfile", "llmux.log", "llmux"]
        subprocess.run([*command, "--listen", "unix:llmux.sock"], cwd=self.folder, env=environment(self.folder), check=True)
        pid = int((self.folder / "llmux.pid").read_text())
        self.addCleanup(_kill, pid)
        watched = os.pidfd_open(pid)
        self.addCleanup(os.close, watched)
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(self.folder / "llmux.sock"))
            client.sendall(b"GET /health HTTP/1.1\r\nhost: llmux\r\nconnection: close\r\n\r\n")
            self.assertTrue(client.recv(65536).startswith(b"HTTP/1.1 200"))
        os.kill(pid, signal.SIGTERM)
        self.assertEqual(select.select([watched], [], [], PATIENCE)[0], [watched])
        self.assertEqual([path.name for path in self.folder.iterdir() if path.suffix in (".pid", ".sock")], [])
        log = (self.folder / "llmux.log").read_text()
        self.assertIn("listens on", log)
        self.assertNotIn("Traceback", log)


class LogTests(ProcessCase):
    """What it writes down."""

    def test_json(self) -> None:
        """Every line of the log is one object, an exchange has its facts in it, and no key is anywhere."""
        for way in WAYS:
            daemon = self.start(
                "--listen", LOCAL, "--log-format", "json", config=f'api_keys: ["{KEY}"]\n{DEMO}', command=way
            )  # fmt: skip
            for key, query, expected in ((KEY, "", 200), (KEY, f"?key={KEY}", 200), (WRONG, f"?key={WRONG}", 401)):
                response = self.post(daemon, key, query)
                response.read()
                self.assertEqual(response.status, expected)
            self.assertEqual(self.end(daemon), 0)
            lines = [json.loads(line) for line in daemon.output.out]
            for line in lines:
                self.assertLessEqual({"time", "level", "logger", "message"}, set(line))
            exchanges = [line for line in lines if line["logger"] == "llmux.access"]
            facts: dict[str, Any] = {
                "status": 200, "provider": "demo", "decision": "local", "model": "gpt-5", "attempts": 1, "client": "key-1",
                "path": "/v1/chat/completions", "dialect": "openai-chat", "outcome": "ok", "level": "info",
            }  # fmt: skip
            served, refused = exchanges[:2], exchanges[2:]
            self.assertEqual([{name: line[name] for name in facts} for line in served], [facts, facts], way)
            self.assertEqual([(line["status"], line["client"], line["outcome"]) for line in refused], [(401, "-", "rejected")])
            for secret in (KEY, WRONG):
                self.assertNotIn(secret, daemon.said(), way)

    def test_levels(self) -> None:
        """Why a decision was made is a matter for debug."""
        for way in WAYS:
            daemon = self.start("--listen", LOCAL, "--log-level", "debug", config=DEMO, command=way)
            self.post(daemon, KEY).read()
            self.end(daemon)
            self.assertIn("LOCAL_PROVIDER", daemon.said(), way)
            self.assertIn("200 POST /v1/chat/completions", daemon.said(), way)

    def test_usual_level(self) -> None:
        """An exchange is worth a line."""
        daemon = self.start("--listen", LOCAL, config=DEMO)
        self.post(daemon, KEY).read()
        self.end(daemon)
        self.assertNotIn("LOCAL_PROVIDER", daemon.said())
        self.assertIn("200 POST /v1/chat/completions", daemon.said())

    def test_quiet(self) -> None:
        """Nothing but trouble."""
        daemon = self.start("--listen", LOCAL, "--log-level", "error", config=DEMO, command=RUN)
        self.post(daemon, KEY).read()
        self.end(daemon)
        self.assertEqual(daemon.output.out, [])


class RefusalTests(ProcessCase):
    """When it does not start, it says why and fails."""

    def check(self, config: str, environ: Mapping[str, str] | None = None) -> tuple[int, str, str]:
        """`llmux check` on a configuration: exit status, stdout, stderr."""
        (self.folder / "llmux.yaml").write_text(config)
        command, env = [*CHECK, "llmux.yaml"], environment(self.folder, environ)
        done = subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def assert_refused(self, config: str, *words: str, ways: tuple[tuple[str, ...], ...] = (TWISTD,)) -> None:
        """A start refuses the configuration with what `llmux check` says of it."""
        status, _, said = self.check(config)
        self.assertEqual(status, 1)
        for word in words:
            self.assertIn(word, said)
        for way in ways:
            daemon = self.start(config=config, command=way)
            self.assertGreater(daemon.wait(), 0, way)
            self.assertIn(said.strip(), "\n".join(daemon.output.err), way)
            self.assertNotIn("Traceback", daemon.said(), way)

    def test_mistakes(self) -> None:
        """All of them at once, with their places."""
        config = "listen: [\"tpc:1\"]\nprovider:\n  x: 1\nproviders:\n  p: {dialect: opnai, base_url: 'ftp://x', models: [m]}\n"
        words = ("llmux.yaml:1:10: ", "llmux.yaml:2:1: ", "did you mean 'providers'?", "did you mean 'openai'?")
        self.assert_refused(config, *words, ways=WAYS)

    def test_open_door(self) -> None:
        self.assert_refused('listen: ["tcp:0"]\n' + DEMO, "llmux.yaml:1:10: listen", "api_keys")

    def test_open_door_by_option(self) -> None:
        for way in WAYS:
            daemon = self.start("--listen", "tcp:0:interface=0.0.0.0", config=DEMO, command=way)
            self.assertGreater(daemon.wait(), 0, way)
            self.assertIn("tcp:0:interface=0.0.0.0", daemon.said())
            self.assertNotIn("Traceback", daemon.said(), way)

    def test_door_with_keys(self) -> None:
        """The same listener with a key list is fine, and asks for the key."""
        daemon = self.start("--listen", "tcp:0:interface=0.0.0.0", config=f'api_keys: ["{KEY}"]\n{DEMO}')
        self.assertEqual(self.post(daemon, WRONG).status, 401)
        self.assertEqual(self.post(daemon, KEY).status, 200)

    def test_keys_all_unset(self) -> None:
        """A key list of which nothing is left must not become an open door."""
        self.assert_refused('api_keys: ["${NOT_SET_ANYWHERE}"]\n' + DEMO, "llmux.yaml:1:", "NOT_SET_ANYWHERE")

    def test_scenario_that_does_not_load(self) -> None:
        self.assert_refused('providers: {p: {scenario: "absent.yaml", models: [m]}}\n', "absent.yaml")

    def test_port_in_use(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            for way in WAYS:
                daemon = self.start("--listen", f"tcp:{port}:interface=127.0.0.1", config=DEMO, command=way)
                self.assertGreater(daemon.wait(), 0, f"{way}\n{daemon.said()}")
                told = [line for line in daemon.output.err if str(port) in line and "in use" in line]
                self.assertTrue(told, f"{way}\n{daemon.said()}")

    def test_second_port_in_use(self) -> None:
        """A daemon that listens on half of what it was told does not start."""
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            for way in (TWISTD, RUN):
                daemon = self.start("--listen", LOCAL, "--listen", f"tcp:{port}:interface=127.0.0.1", command=way)
                self.assertGreater(daemon.wait(), 0, f"{way}\n{daemon.said()}")
                self.assertTrue([line for line in daemon.output.err if str(port) in line and "in use" in line], daemon.said())

    def test_wrong_words(self) -> None:
        for way in (TWISTD, RUN):
            for words in (("--log-level", "loud"), ("--colour", "red"), ("--config", "absent.yaml")):
                daemon = self.start(*words, command=way)
                self.assertGreater(daemon.wait(), 0, f"{way} {words}")
                self.assertIn(words[0].removeprefix("--") if "absent" not in words[1] else words[1], daemon.said())
                self.assertNotIn("Traceback", daemon.said(), f"{way} {words}")

    def test_check(self) -> None:
        """A good file: 0, and what is odd about it as warnings."""
        url = "http://127.0.0.1:1/v1"
        config = f'providers: {{p: {{dialect: openai, base_url: "{url}", api_keys: ["${{NOT_SET_ANYWHERE}}"], models: [m]}}}}\n'
        status, said, errors = self.check(config)
        self.assertEqual((status, errors), (0, ""))
        self.assertIn("warning: llmux.yaml:1:", said)
        self.assertIn("NOT_SET_ANYWHERE", said)
        status, said, _ = self.check(config, {"NOT_SET_ANYWHERE": "provider-secret-0001"})
        self.assertEqual(status, 0)
        self.assertNotIn("warning", said)
        self.assertNotIn("provider-secret-0001", said)


class EndTests(ProcessCase):
    """SIGTERM while somebody is being served."""

    def slow(self, way: tuple[str, ...], milliseconds: int, drain: float) -> tuple[Daemon, http.client.HTTPResponse]:
        """A daemon in the middle of a stream that takes this long, told to end and no longer listening."""
        (self.folder / "slow.yaml").write_text(_SLOW % milliseconds)
        config = f'drain: {drain}\nproviders: {{slow: {{scenario: slow.yaml, models: ["gpt-*"]}}}}\n'
        daemon = self.start("--listen", LOCAL, config=config, command=way)
        response = self.post(daemon, KEY)
        while b'"content":"A' not in response.readline():
            pass
        daemon.process.send_signal(signal.SIGTERM)
        _until_refused(daemon.port)
        return daemon, response

    def test_stream_comes_to_its_end(self) -> None:
        """Nobody new is let in, who is inside is served to the end, and the exit is a good one."""
        for way in WAYS:
            daemon, response = self.slow(way, 1000, 20)
            rest = response.read()
            self.assertIn(b'"finish_reason":"stop"', rest)
            self.assertTrue(rest.endswith(b"data: [DONE]\n\n"), way)
            self.assertEqual(daemon.wait(), 0, f"{way}\n{daemon.said()}")
            self.assertNotIn("Traceback", daemon.said())

    def test_drain_has_a_limit(self) -> None:
        """What still runs then is cut, so that nobody takes it for whole."""
        daemon, response = self.slow(TWISTD, 60_000, 0.2)
        self.assertRaises((http.client.IncompleteRead, ConnectionResetError), response.read)
        self.assertEqual(daemon.wait(), 0, daemon.said())
        self.assertIn("POST /v1/chat/completions", daemon.said())

    def test_idle_connections_do_not_hold_it(self) -> None:
        daemon = self.start("--listen", LOCAL, config=DEMO)
        silent = socket.create_connection(("127.0.0.1", daemon.port), PATIENCE)
        self.addCleanup(silent.close)
        connection = self.connect(daemon)
        connection.request("GET", "/health")
        connection.getresponse().read()
        self.assertEqual(self.end(daemon), 0)
        self.assertEqual(silent.recv(1), b"")


def _until_refused(port: int) -> None:
    """Returns once nobody listens; who came in before that, or stood at the door, is sent away."""
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), PATIENCE) as late, contextlib.suppress(ConnectionResetError):
                late.recv(1)
        except ConnectionRefusedError:
            return


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
