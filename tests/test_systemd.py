"""The words between a service manager and the service, over a real socket."""

from __future__ import annotations

import os
import pathlib
import socket
import tempfile

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from llmux.systemd import Handed, Notifier, endpoints, handed_over, start_environment


class NotifierTests(SynchronousTestCase):
    """News for the manager."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()  # a short path: a socket's has 108 bytes at most
        self.addCleanup(folder.cleanup)
        self.path = str(pathlib.Path(folder.name, "notify"))
        self.manager = self.listen(self.path)

    def listen(self, address: str) -> socket.socket:
        """A manager."""
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(address)
        manager.setblocking(False)
        return manager

    def heard(self, manager: socket.socket | None = None) -> list[str]:
        """The lines of the next message."""
        return (manager or self.manager).recv(4096).decode().split("\n")

    def test_news(self) -> None:
        """The words of sd_notify(3); a status is one line, whatever it is made of."""
        notifier = Notifier({"NOTIFY_SOCKET": self.path})
        notifier.ready("listens on\n  a; €")
        self.assertEqual(self.heard(), ["READY=1", "STATUS=listens on a; €"])
        notifier.reloading()
        word, time = self.heard()
        self.assertEqual(word, "RELOADING=1")
        self.assertRegex(time, r"^MONOTONIC_USEC=[0-9]+$")
        notifier.stopping(40, "bye")
        self.assertEqual(self.heard(), ["STOPPING=1", "EXTEND_TIMEOUT_USEC=40000000", "STATUS=bye"])

    def test_long_status(self) -> None:
        """It is cut: systemd ignores long messages, and would wait for a readiness that was said."""
        Notifier({"NOTIFY_SOCKET": self.path}).ready("€" * 5000)
        ready, status = self.heard()
        self.assertEqual((ready, len(status.encode()) < 3000), ("READY=1", True))
        self.assertRegex(status, "^STATUS=€+ ...$")

    def test_abstract_socket(self) -> None:
        """An address that begins with @ is a name without a file."""
        name = f"llmux-test-{os.getpid()}"
        manager = self.listen(f"\0{name}")
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready("x")
        self.assertEqual(self.heard(manager), ["READY=1", "STATUS=x"])

    def test_nobody_listens(self) -> None:
        """No manager, or one that is gone, is nobody's trouble."""
        Notifier({}).ready("x")
        self.manager.close()
        Notifier({"NOTIFY_SOCKET": self.path}).ready("x")
        Notifier({"NOTIFY_SOCKET": "/nowhere/at/all"}).ready("x")

    def test_watchdog(self) -> None:
        """It is fed in half of the time, by the clock of the event loop alone."""
        clock = Clock()
        notifier = Notifier({"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, pid=7)
        notifier.feed_watchdog(clock)
        self.assertEqual(self.heard(), ["WATCHDOG=1"])
        clock.advance(14)
        self.assertRaises(BlockingIOError, self.heard)
        clock.advance(1)
        self.assertEqual(self.heard(), ["WATCHDOG=1"])
        notifier.close()
        clock.advance(60)
        self.assertRaises(BlockingIOError, self.heard)

    def test_no_watchdog(self) -> None:
        """One that is not there, not ours, or not a number is not fed."""
        others = [{"WATCHDOG_USEC": word} for word in ("", "soon", "0", "-5")]
        for words in ({}, {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, *others):
            Notifier({"NOTIFY_SOCKET": self.path, **words}, pid=7).feed_watchdog(Clock())
            self.assertRaises(BlockingIOError, self.heard)


class HandedTests(SynchronousTestCase):
    """Sockets that come with the process."""

    def test_count_and_names(self) -> None:
        """Names are as many as sockets, or fewer."""
        environ = {"LISTEN_PID": "7", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "http:other"}
        self.assertEqual(handed_over(environ, 7), (Handed(3, "http"), Handed(4, "other")))
        del environ["LISTEN_FDNAMES"]
        self.assertEqual([each.descriptor for each in handed_over(environ, 7)], [3, 4])

    def test_none(self) -> None:
        """Those of another process, none at all, and nonsense."""
        for environ in ({}, {"LISTEN_PID": "8", "LISTEN_FDS": "1"}, {"LISTEN_PID": "7", "LISTEN_FDS": "one"}):
            self.assertEqual(handed_over(environ, 7), ())

    def test_endpoints(self) -> None:
        """The family is asked of the socket."""
        with socket.create_server(("127.0.0.1", 0)) as first, socket.socket(socket.AF_UNIX) as second:
            second.bind(f"\0llmux-test-{os.getpid()}-endpoints")
            second.listen()
            handed = (Handed(first.fileno(), "http"), Handed(second.fileno(), ""))
            self.assertEqual([*endpoints(handed).values()], ["systemd:domain=INET:index=0", "systemd:domain=UNIX:index=1"])

    def test_no_listener(self) -> None:
        """What nobody can be accepted from is refused by name: it would seem to serve."""
        with socket.socket(type=socket.SOCK_DGRAM) as datagrams, socket.socket() as silent, tempfile.TemporaryFile() as file:
            for each in (datagrams, silent, file):
                handed = (Handed(each.fileno(), "http"),)
                error = self.assertRaises(OSError, endpoints, handed)
                self.assertEqual(str(error), f"descriptor {each.fileno()} (http) of LISTEN_FDS is no stream socket that listens")

    def test_start_environment(self) -> None:
        """What was changed since does not show."""
        os.environ["LLMUX_TEST_OF_THE_START"] = "now"
        self.addCleanup(os.environ.pop, "LLMUX_TEST_OF_THE_START")
        start = start_environment()
        self.assertEqual(start["PATH"], os.environ["PATH"])
        self.assertNotIn("LLMUX_TEST_OF_THE_START", start)
