"""Writing at once, and never past TLS."""

from __future__ import annotations

from typing import Any

from twisted.internet import tcp
from twisted.trial.unittest import SynchronousTestCase

from llmux.net.sending import writer


class Socket:
    """Takes a number of bytes a call, then says that it is full."""

    def __init__(self, *takes: int) -> None:
        self.takes = list(takes)
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> int:
        """See `socket.send`."""
        if not self.takes:
            raise BlockingIOError
        count = min(self.takes.pop(0), len(data))
        self.sent.append(data[:count])
        return count


def transport(socket: Socket, tls: bool = False) -> Any:
    """A TCP transport without a reactor, whose ordinary `write` gathers into `gathered`."""
    plain: Any = tcp.Server.__new__(tcp.Server)
    plain.__dict__.update(socket=socket, TLS=tls, connected=True, disconnecting=False, dataBuffer=b"", _tempDataBuffer=[])
    plain.__dict__.update(gathered=[], write=lambda data: plain.gathered.append(data))
    return plain


class WriterTests(SynchronousTestCase):
    """Where the bytes go."""

    def test_at_once(self) -> None:
        """The kernel takes everything."""
        socket = Socket(100)
        plain = transport(socket)
        writer(plain)(b"abc")
        self.assertEqual((socket.sent, plain.gathered), ([b"abc"], []))

    def test_rest(self) -> None:
        """What the kernel does not take is gathered, in order."""
        socket = Socket(2)
        plain = transport(socket)
        write = writer(plain)
        write(b"abc")
        write(b"de")
        self.assertEqual((socket.sent, plain.gathered), ([b"ab"], [b"c", b"de"]))

    def test_gathered_first(self) -> None:
        """Nothing overtakes what waits already."""
        for waiting in ({"dataBuffer": b"x"}, {"_tempDataBuffer": [b"x"]}, {"disconnecting": True}, {"connected": False}):
            socket = Socket(100)
            plain = transport(socket)
            plain.__dict__.update(waiting)
            writer(plain)(b"abc")
            self.assertEqual((socket.sent, plain.gathered), ([], [b"abc"]))

    def test_tls(self) -> None:
        """A TLS transport shows the raw socket's attributes; plain text must not reach it."""

        class Encrypting:
            def __init__(self, raw: Any) -> None:
                self.raw = raw
                self.written: list[bytes] = []

            def __getattr__(self, name: str) -> Any:
                return getattr(self.raw, name)

            def write(self, data: bytes) -> None:
                self.written.append(data)

        socket = Socket(100)
        encrypting = Encrypting(transport(socket))
        writer(encrypting)(b"secret")
        self.assertEqual((socket.sent, encrypting.written), ([], [b"secret"]))
        plain = transport(socket, tls=True)
        writer(plain)(b"secret")
        self.assertEqual((socket.sent, plain.gathered), ([], [b"secret"]))
