"""Bytes both ways between a client and a server that have agreed on another protocol."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from llmux.net.client import Connection
from llmux.net.front import FrontChannel


class TunnelEnd(Protocol):
    """One end; what it receives leaves at the other. Each is slowed down by the other's reader."""

    other: TunnelEnd | None = None

    def dataReceived(self, data: bytes) -> None:
        """Pass on."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """One end is gone, so the other has nothing to wait for; what was written to it still leaves."""
        other, self.other = self.other, None
        if other is not None:
            other.other = None
            other_transport: Any = other.transport
            if other_transport is not None:
                other_transport.unregisterProducer()
                other_transport.loseConnection()


def tunnel(channel: FrontChannel, head: bytes, connection: Connection) -> None:
    """Join a client's connection, after sending it `head`, and a server's, for good."""
    client, server = TunnelEnd(), TunnelEnd()
    client.other, server.other = server, client
    client_transport: Any = channel.transport
    server_transport: Any = connection.transport
    client_transport.write(head)
    channel.become(client)
    client_transport.registerProducer(server_transport, True)
    server_transport.registerProducer(client_transport, True)
    connection.tunnel(server)
    early = channel.early()
    if early:
        client.dataReceived(early)
