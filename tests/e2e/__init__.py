"""The whole daemon from outside: a process of its own, real sockets, the official SDKs."""
