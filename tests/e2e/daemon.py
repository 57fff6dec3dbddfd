"""The real daemon as a process of its own, started the ways in which people start it."""

from __future__ import annotations

import atexit
import contextlib
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sysconfig.get_path("scripts"))

TWISTD = (sys.executable, str(SCRIPTS / "twistd"), "-n", "llmux")
TWIST = (sys.executable, "-m", "twisted", "llmux")
RUN = (sys.executable, str(SCRIPTS / "llmux"), "run")
CHECK = (sys.executable, str(SCRIPTS / "llmux"), "check")

LOCAL = "tcp:0:interface=127.0.0.1"

# Generous: other work may share the machine. Nothing waits this long where all is well.
PATIENCE = 30.0

_URL = re.compile(r"listens on (.*)")
_PORT = re.compile(r"http://[^\s,]*:(\d+)")


class _Output:
    """Reads both streams of a process to their end, in threads, so that the process never waits for its reader."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None and process.stderr is not None
        self._changed = threading.Condition()
        self._running = 2
        self.out: list[str] = []
        self.err: list[str] = []
        self.all: list[str] = []
        self._pipes = (process.stdout, process.stderr)
        rows = zip(self._pipes, (self.out, self.err), strict=True)
        self._threads = [threading.Thread(target=self._read, args=row, daemon=True) for row in rows]
        for thread in self._threads:
            thread.start()

    def _read(self, pipe: IO[str], lines: list[str]) -> None:
        for line in pipe:
            with self._changed:
                lines.append(line.rstrip("\n"))
                self.all.append(lines[-1])
                self._changed.notify_all()
        with self._changed:
            self._running -= 1
            self._changed.notify_all()

    def find(self, test: Callable[[str], object]) -> str | None:
        """The first line that passes a test, as soon as it is there; None when no such line came in time, or at all."""
        deadline = time.monotonic() + PATIENCE
        seen = 0
        with self._changed:
            while True:
                for line in self.all[seen:]:
                    if test(line):
                        return line
                seen = len(self.all)
                left = deadline - time.monotonic()
                if not self._running or left <= 0:
                    return None
                self._changed.wait(left)

    def close(self) -> None:
        """Wait for the end of both, then close them."""
        for thread, pipe in zip(self._threads, self._pipes, strict=True):
            thread.join(PATIENCE)
            if not thread.is_alive():
                pipe.close()


class Daemon:
    """A started process. `folder` is where it runs; nothing but what is said here reaches it from the environment."""

    def __init__(
        self,
        *arguments: str,
        folder: Path,
        command: tuple[str, ...] = TWISTD,
        environ: Mapping[str, str] | None = None,
        pass_fds: tuple[int, ...] = (),
    ) -> None:
        self.folder = folder
        self._ports: list[int] | None = None
        self.process = subprocess.Popen(
            [*command, *arguments],
            cwd=folder,
            env=environment(folder, environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            pass_fds=pass_fds,
        )
        self.output = _Output(self.process)

    @property
    def ports(self) -> list[int]:
        """Where it listens, by what it says on its start."""
        if self._ports is None:
            line = self.output.find(_URL.search)
            if line is None:
                raise AssertionError(f"the daemon did not say where it listens\n{self.said()}")
            self._ports = [int(port) for port in _PORT.findall(line)]
        return self._ports

    @property
    def port(self) -> int:
        """The first of `ports`."""
        return self.ports[0]

    @property
    def url(self) -> str:
        """The root of everything."""
        return f"http://127.0.0.1:{self.port}"

    def said(self) -> str:
        """Everything that it wrote so far."""
        return "\n".join(["-- stdout", *self.output.out, "-- stderr", *self.output.err])

    def wait(self) -> int:
        """Its exit status, once it has ended; both streams are whole then."""
        status = self.process.wait(PATIENCE)
        self.output.close()
        return status

    def stop(self) -> None:
        """End it if it still runs."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.wait()


def environment(folder: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a process of ours. A home of its own: nobody's real keys are found there."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(folder), "PYTHONPATH": str(ROOT), **(more or {})}


class Shared:
    """A daemon for many tests: started when the first of them asks, ended with the test process.

    Trial gives test classes no place where a fixture of several of them could live.
    """

    def __init__(self, write: Callable[[Path], tuple[str, ...]], command: tuple[str, ...] = TWISTD) -> None:
        self._write = write
        self._command = command
        self._daemon: Daemon | None = None

    @property
    def daemon(self) -> Daemon:
        """The daemon; `write` has put into its folder what its arguments name."""
        if self._daemon is None:
            folder = tempfile.TemporaryDirectory(prefix="llmux-e2e-")
            atexit.register(folder.cleanup)
            where = Path(folder.name)
            self._daemon = Daemon(*self._write(where), "--listen", LOCAL, folder=where, command=self._command)
            atexit.register(self._daemon.stop)
        return self._daemon


@contextlib.contextmanager
def direct() -> Iterator[None]:
    """Within it, HTTP clients that read the environment speak to this host directly, and find no key or address there."""
    kept = dict(os.environ)
    for name in kept:
        if name.lower().endswith("_proxy") or name.startswith(("OPENAI_", "ANTHROPIC_", "GOOGLE_", "GEMINI_")):
            del os.environ[name]
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)
