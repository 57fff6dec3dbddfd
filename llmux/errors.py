"""What can go wrong in an exchange, said once and in no dialect.

A `Fault` names the kind of trouble; each dialect's `errors` room turns it into the status, type and words that its
clients know. Kinds and their meaning follow the canonical table of HTTP and RPC statuses that the four vendors publish.
"""

from __future__ import annotations

from typing import Literal

import attrs

Kind = Literal[
    "invalid",  # the request cannot be served as it stands
    "too_long",  # more tokens than the model takes
    "auth",  # no credential, or a wrong one
    "billing",
    "permission",
    "not_found",
    "method_not_allowed",
    "conflict",
    "too_large",  # the body is over the limit
    "unsupported_media",
    "unprocessable",  # well formed, and still not to be served
    "rate_limit",
    "cancelled",
    "server",  # a defect of ours
    "unimplemented",
    "bad_gateway",  # the provider could not be reached, or answered what cannot be read
    "overloaded",
    "timeout",
    "no_provider",  # nobody serves this model
]


# What may go better if it is asked once more.
RETRIED: frozenset[Kind] = frozenset({"rate_limit", "server", "bad_gateway", "overloaded", "timeout"})


@attrs.frozen(auto_exc=True)
class Fault(Exception):
    """One fault of an exchange.

    `status` overrides the kind's own HTTP status, `error_type` the dialect's own type word; `param` names the field
    at fault; `retry_after` is in seconds; `should_retry` becomes `x-should-retry`, which the OpenAI and Anthropic SDKs obey.
    """

    kind: Kind
    message: str
    status: int | None = None
    code: str | None = None
    param: str | None = None
    retry_after: float | None = None
    should_retry: bool | None = None
    error_type: str | None = None
    details: object = None

    def __str__(self) -> str:
        return self.message


def no_provider(model: str) -> Fault:
    """The refusal for a model that nobody serves. Retrying cannot help until the configuration changes."""
    return Fault(
        "no_provider", f"No provider available for model: {model}", code="no_provider", param="model", should_retry=False
    )
