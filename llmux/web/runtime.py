"""The snapshot that an exchange works with. A reload builds another and swaps it; who runs keeps the one it began with."""

from __future__ import annotations

from typing import Literal

import attrs

from llmux.accesslog import AccessLog
from llmux.amp.control_plane import ControlPlane
from llmux.dialects.context import Options
from llmux.dialects.seals import Seals
from llmux.dialects.vault import Vault
from llmux.executors.base import Executor
from llmux.executors.upstream import AmpUpstream
from llmux.metrics import Metrics
from llmux.net.clocks import Clock
from llmux.routing.table import RouteTable
from llmux.web.auth import Keyring
from llmux.web.catalogue import Catalogue


@attrs.frozen
class Limits:
    """The four clocks, and how long a head may be held; all in seconds."""

    connect: float
    first_event: float
    idle: float
    total: float


@attrs.frozen
class Provider:
    """A configured provider at work."""

    name: str
    executor: Executor
    limits: Limits
    options: Options


@attrs.frozen
class Amp:
    """What the configuration says about Amp. `redirect_pages`: browsers are sent to the upstream, not served its pages."""

    upstream: AmpUpstream | None
    plane: Literal["local", "upstream"]
    control_plane: ControlPlane
    redirect_pages: bool
    local_only: bool


@attrs.frozen
class Runtime:
    """Everything that serving needs."""

    table: RouteTable
    providers: dict[str, Provider]
    limits: Limits
    keyring: Keyring
    catalogue: Catalogue
    amp: Amp
    metrics: Metrics
    metrics_public: bool
    access_log: AccessLog
    debug: bool
    clock: Clock
    version: str
    started: float
    seals: Seals
    vault: Vault
    keys: tuple[bytes, ...] = attrs.field(default=(), repr=False)

    def secrets(self) -> tuple[bytes, ...]:
        """Every credential of ours that an answer might repeat: whoever is asked may know more than his own."""
        return self.keys + (self.amp.upstream.secrets() if self.amp.upstream is not None else ())
