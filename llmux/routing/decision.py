"""What routing is asked, and what it answers."""

from __future__ import annotations

from typing import Literal

import attrs

Operation = Literal["generate", "completions", "embeddings", "count_tokens"]
Outcome = Literal["local", "mapped", "upstream", "refused"]

# The words of the reference implementation, which its users search their logs for.
ROUTE_TYPES: dict[Outcome, str] = {
    "local": "LOCAL_PROVIDER",
    "mapped": "MODEL_MAPPING",
    "upstream": "AMP_CREDITS",
    "refused": "NO_PROVIDER",
}
COSTS: dict[Outcome, str] = {"local": "free", "mapped": "free", "upstream": "amp_credits", "refused": "none"}
SOURCES: dict[Outcome, str] = {"local": "local", "mapped": "local", "upstream": "ampcode.com", "refused": "error"}


@attrs.frozen
class Facts:
    """What is known of a request before anybody is chosen.

    `model` is as asked, `base` without its thinking suffix, `suffix` the text in the parentheses (None: no suffix).
    `alias` is the provider named in the path; `amp` tells that the path is one of Amp's own, from which the Amp upstream
    may be asked. `action` is Gemini's method after the colon.
    """

    dialect: str
    operation: Operation
    model: str
    base: str
    suffix: str | None = None
    stream: bool = False
    alias: str | None = None
    amp: bool = False
    action: str = ""


@attrs.frozen
class Candidate:
    """Somebody who may be asked: a provider, which of its credentials (None: it needs none), the model name to send, and the
    dialect to speak."""

    provider: str
    credential: int | None
    model: str
    dialect: str


@attrs.frozen
class Decision:
    """The outcome of routing.

    `mapping` is `A -> B` where one applied.
    """

    outcome: Outcome
    reason: str
    requested: str
    model: str
    candidates: tuple[Candidate, ...] = ()
    mapping: str | None = None

    @property
    def provider(self) -> str:
        """Who is asked first; `amp` for the Amp upstream, `-` for nobody."""
        if self.candidates:
            return self.candidates[0].provider
        return "amp" if self.outcome == "upstream" else "-"
