"""Twisted's endpoint strings, as far as they must be understood before anything listens: is it one, and who can reach it?

`tcp:8743:interface=127.0.0.1`: a type, then parameters by position or by name; `\\` takes the meaning from `:` and `=`
(twisted.internet.endpoints.serverFromString).
"""

from __future__ import annotations

import glob
import ipaddress
import os
import re

import attrs

from llmux.config.nodes import Node
from llmux.config.problems import suggestion
from llmux.config.reader import reads
from llmux.config.values import text

DEFAULT = "tcp:8743:interface=127.0.0.1"

# The parameters of each type in the order in which they may go by position. The first one must be there.
TYPES: dict[str, tuple[str, ...]] = {
    "tcp": ("port", "interface", "backlog"),
    "tcp6": ("port", "backlog", "interface"),
    "ssl": ("port", "privateKey", "certKey", "sslmethod", "interface", "backlog", "extraCertChain", "dhParameters"),
    "tls": ("path", "port", "backlog", "interface"),
    "unix": ("address", "mode", "backlog", "lockfile"),
    "systemd": ("domain", "index", "name"),
}
# What tells two of those apart that have no port.
_NAMES = {"unix": ("address",), "systemd": ("domain", "index", "name")}
_WRAPPER = "haproxy:"  # the PROXY protocol around any of the above

_COLONS = r"; write '\:' for every ':' of an IPv6 address"

_FIELD = re.compile(r"((?:[^\\:]|\\.)*)(:|$)", re.DOTALL)
_NAMED = re.compile(r"((?:[^\\=]|\\.)*)=(.*)", re.DOTALL)


@attrs.frozen
class Listen:
    """An endpoint string in its parts."""

    type: str
    parameters: dict[str, str]
    wrapped: bool = False

    def __str__(self) -> str:
        """An endpoint string again."""
        first, *others = TYPES[self.type]
        named = [f"{name}={_escaped(self.parameters[name])}" for name in others if name in self.parameters]
        return (_WRAPPER if self.wrapped else "") + ":".join([self.type, _escaped(self.parameters[first]), *named])

    @property
    def local(self) -> bool | None:
        """Whether only this host can reach it; None where that shows only once it listens."""
        if self.type == "systemd":
            return None
        return self.type == "unix" or is_loopback(self.parameters.get("interface", ""))

    def meets(self, other: Listen) -> bool:
        """Whether one of the two cannot be opened where the other is: all addresses of a port include every single one.

        Whether `::` includes those of IPv4 is up to the system, and left to it. Port 0 is a new port each time.
        """
        if "port" in TYPES[self.type] and "port" in TYPES[other.type]:
            (port, mine), (its_port, its) = self._address, other._address
            every = "::" if ":" in mine else "0.0.0.0"
            overlap = mine == its or (every in (mine, its) and (":" in mine) == (":" in its))
            return port == its_port != 0 and overlap
        same = self.type == other.type
        return same and all(self.parameters.get(name) == other.parameters.get(name) for name in _NAMES[self.type])

    @property
    def _address(self) -> tuple[int, str]:
        """Port and address, the latter in one spelling."""
        interface = self.parameters.get("interface") or ("::" if self.type == "tcp6" else "0.0.0.0")
        try:
            interface = str(ipaddress.ip_address(interface))
        except ValueError:
            interface = "127.0.0.1" if interface.lower() == "localhost" else interface.lower()
        return int(self.parameters.get("port", "0")), interface

    def missing(self) -> str | None:
        """What its certificates want, if they are not there: a listener without them takes connections and serves nobody."""
        if self.type == "tls" and not glob.glob(os.path.join(glob.escape(self.parameters["path"]), "*.pem")):
            return f"there is no certificate (*.pem) in '{self.parameters['path']}'"
        if self.type == "ssl":
            key = self.parameters.get("privateKey", "server.pem")
            for file in dict.fromkeys((key, self.parameters.get("certKey", key))):
                if not os.path.isfile(file):
                    return f"there is no file '{file}'"
        return None

    def moved(self, host: str | None, port: str | None) -> Listen:
        """The same on another host or port."""
        changes = {"interface": host, "port": port}
        return attrs.evolve(self, parameters=self.parameters | {name: value for name, value in changes.items() if value})


def is_loopback(interface: str) -> bool:
    """Whether an address to listen on is this host's own. "" listens on all of them."""
    if interface.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(interface.partition("%")[0]).is_loopback
    except ValueError:
        return False


@reads("a Twisted endpoint string")
def listen(node: Node) -> str:
    """An endpoint string, as it is written."""
    written = text(node)
    try:
        place = parse(written)
    except ValueError as error:
        node.fail(str(error))
    missing = place.missing()
    if missing:
        node.fail(missing)
    node.book.marks.append(node.where)
    return written


def parse(written: str) -> Listen:
    """Take an endpoint string apart. Raises ValueError with what is wrong."""
    wrapped = written.startswith(_WRAPPER)
    kind, *fields = _fields(written.removeprefix(_WRAPPER))
    if kind not in TYPES:
        raise ValueError(f"'{kind}' is no kind of listener{suggestion(kind, TYPES)}; write for example {DEFAULT}")
    known = TYPES[kind]
    parameters: dict[str, str] = {}
    positions = iter(known)
    for field in fields:
        named = _NAMED.fullmatch(field)
        name = _plain(named[1]) if named else next(positions, None)
        if name is None:
            raise ValueError(f"'{kind}' takes no more than {len(known)} parameters" + (_COLONS if "::" in written else ""))
        if name not in known:
            raise ValueError(f"'{kind}' has no parameter '{name}'{suggestion(name, known)}")
        if name in parameters:
            raise ValueError(f"the parameter '{name}' is given twice" + (_COLONS if "::" in written else ""))
        parameters[name] = _plain(named[2] if named else field)
    if not parameters.get(known[0]):
        raise ValueError(f"'{kind}' needs its {known[0]}; write for example {DEFAULT}")
    for name in ("port", "backlog"):
        value = parameters.get(name, "0")
        if not re.fullmatch("[0-9]{1,9}", value) or (name == "port" and int(value) > 65535):
            raise ValueError(f"'{value}' is no {name}" + (": a number from 0 to 65535" if name == "port" else ""))
    return Listen(kind, parameters, wrapped)


def _fields(written: str) -> list[str]:
    fields: list[str] = []
    at = 0
    while True:
        found = _FIELD.match(written, at)
        if found is None:
            raise ValueError("ends in a lone '\\'")
        fields.append(found[1])
        if not found[2]:
            return fields
        at = found.end()


def _escaped(value: str) -> str:
    return re.sub(r"([\\:=])", r"\\\1", value)


def _plain(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
