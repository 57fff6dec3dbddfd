"""What becomes known of an exchange on its way, for the one place that books it."""

from __future__ import annotations

import attrs

from llmux.dialects.notes import Notes
from llmux.errors import Fault


@attrs.define
class Record:
    """Filled in by whoever serves; `spoken` is the dialect in which the provider was asked, `notes` what its translation lost;
    `outcome` None leaves it to the status, `status` 0 to the responder. Times are reactor seconds."""

    client: str = "-"
    status: int = 0
    outcome: str | None = None
    decision: str = "-"
    provider: str = "-"
    model: str = "-"
    requested: str = "-"
    attempts: int = 0
    dialect: str = "-"
    stream: bool = False
    first: float | None = None
    sent: int = 0
    fault: Fault | None = None
    spoken: str = "-"
    notes: Notes | None = None


def outcome_of(status: int) -> str:
    """How an exchange with this status ended."""
    if status < 400:
        return "ok"
    return "client_error" if status < 500 else "upstream_error"
