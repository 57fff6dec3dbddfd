"""What systemd and a service say to each other: sockets handed over at the start, and news while it runs.

Sources: sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress

import attrs
from twisted.internet.task import LoopingCall

# Where descriptors that are handed over begin.
_FIRST = 3
# Seconds for which a manager with a full queue is waited for.
_PATIENCE = 0.5
# Bytes of a status. systemd ignores a message of 4096 bytes and more, the other words in it included.
_LONGEST = 2000


@attrs.frozen
class Handed:
    """A listening socket that was handed over; it stays open, so that it can be listened on again."""

    descriptor: int
    name: str

    @property
    def family(self) -> socket.AddressFamily:
        """The address family, as the socket itself tells. Raises OSError where nothing can be accepted from it."""
        try:
            with closing(socket.socket(fileno=os.dup(self.descriptor))) as copy:
                listens = copy.type == socket.SOCK_STREAM and copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                family = copy.family
        except OSError:
            listens = False
        if not listens:
            name = f" ({self.name})" if self.name else ""
            raise OSError(f"descriptor {self.descriptor}{name} of LISTEN_FDS is no stream socket that listens")
        return family


def handed_over(environ: Mapping[str, str], pid: int) -> tuple[Handed, ...]:
    """The listening sockets that this process was started with, in the order of the socket unit."""
    if environ.get("LISTEN_PID") != str(pid):
        return ()  # none, or meant for a process that started us
    with suppress(ValueError):
        count = int(environ.get("LISTEN_FDS", "0"))
        names = environ.get("LISTEN_FDNAMES", "").split(":")
        names += [""] * (count - len(names))
        return tuple(Handed(_FIRST + index, names[index]) for index in range(count))
    return ()


def start_environment() -> Mapping[str, str]:
    """The environment that this process was started with. Twisted takes LISTEN_PID and LISTEN_FDS out of it when imported."""
    try:
        with open("/proc/self/environ", "rb") as file:
            pairs = (os.fsdecode(pair).partition("=") for pair in file.read().split(b"\0"))
            return {name: value for name, _, value in pairs}
    except OSError:
        return os.environ


def endpoints(sockets: Sequence[Handed]) -> dict[Handed, str]:
    """Endpoint strings for sockets that were handed over. Raises OSError for what is none."""
    return {handed: f"systemd:domain={handed.family.name[3:]}:index={index}" for index, handed in enumerate(sockets)}


def named(sockets: Sequence[Handed], index: str | None, name: str | None) -> Handed | None:
    """The socket that an endpoint string means: by its position or by its name."""
    found = (each for position, each in enumerate(sockets) if each.name == name or str(position) == index)
    return next(found, None)


class Notifier:
    """Tells the service manager how the service fares. Without one (no NOTIFY_SOCKET), nobody is told."""

    def __init__(self, environ: Mapping[str, str], pid: int | None = None) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self._interval = _watchdog_interval(environ, os.getpid() if pid is None else pid)
        self._feeding: LoopingCall | None = None

    def ready(self, status: str) -> None:
        """The start, or a reload, is done."""
        self._tell("READY=1", _status(status))

    def reloading(self) -> None:
        """The configuration is being read again; `ready` must follow."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self, seconds: float, status: str) -> None:
        """The service ends, within so many seconds from now."""
        self._tell("STOPPING=1", f"EXTEND_TIMEOUT_USEC={int(seconds * 1_000_000)}", _status(status))

    def feed_watchdog(self, clock: object) -> None:
        """Begin to show, by a timer of the event loop itself, that this loop turns. A loop that hangs shows nothing."""
        if self._interval is not None and self._feeding is None:
            self._feeding = LoopingCall(self._tell, "WATCHDOG=1")
            self._feeding.clock = clock  # type: ignore[assignment]  # whoever keeps the time here
            self._feeding.start(self._interval)

    def close(self) -> None:
        """The loop is about to end; its silence is no sign of anything."""
        if self._feeding is not None and self._feeding.running:
            self._feeding.stop()

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        # A manager that is gone, or whose queue is full, must not stop the service.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.settimeout(_PATIENCE)
            sender.sendto("\n".join(lines).encode("utf-8", "backslashreplace"), address)


def _watchdog_interval(environ: Mapping[str, str], pid: int) -> float | None:
    """Seconds between two signs of life: half of what the manager waits for. None: it does not wait for any."""
    if environ.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    with suppress(ValueError):
        interval = int(environ.get("WATCHDOG_USEC", "0"))
        return interval / 2_000_000 if interval > 0 else None
    return None


def _status(text: str) -> str:
    line = " ".join(text.split()).encode("utf-8", "backslashreplace")
    whole = len(line) <= _LONGEST
    return f"STATUS={line.decode() if whole else line[:_LONGEST].decode('utf-8', 'ignore') + ' ...'}"
