"""Writing to a connection at once, instead of at the reactor's next turn.

Twisted gathers writes and sends them when epoll says that the socket is ready, which it nearly always is: an event then
costs two more calls into the kernel than it must.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet import tcp


def writer(transport: Any) -> Callable[[bytes], None]:
    """The way to write to this transport.

    Chosen once, when the connection is made: a TLS transport hands attributes of the raw socket through, and sending on
    that would put the plain text on the wire.
    """
    if type(transport) not in (tcp.Server, tcp.Client) or transport.TLS:
        return transport.write  # type: ignore[no-any-return]
    plain: tcp.Connection = transport

    def write(data: bytes) -> None:
        # What is gathered already goes first; what is closed is for the transport to judge.
        if plain._tempDataBuffer or plain.dataBuffer or plain.disconnecting or not plain.connected:
            plain.write(data)
            return
        try:
            sent = plain.socket.send(data)
        except OSError:  # full, or broken: the reactor finds out which
            sent = 0
        if sent < len(data):
            plain.write(data[sent:] if sent else data)

    return write
