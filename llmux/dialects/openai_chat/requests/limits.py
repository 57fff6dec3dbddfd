"""Writes how long the answer may be, and how its tokens are chosen."""

from __future__ import annotations

from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import Request

_SAME = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "seed", "logit_bias", "n", "logprobs", "top_logprobs")
_MOST_STOPS = 4


def write(request: Request, context: Context) -> dict[str, Any]:
    """The members of sampling that the request has. Raises Fault."""
    asked, where, notes = request.sampling, request.where, context.notes
    members: dict[str, Any] = {}
    if asked.max_out is not None:
        members["max_completion_tokens"] = asked.max_out
    for name in _SAME:
        value = getattr(asked, name)
        if value is not None:
            members[name] = value
    if asked.top_k is not None:
        notes.drop(where.get("top_k", ""), "from how many tokens to choose cannot be said")
    if asked.top_logprobs is not None and not asked.logprobs:
        members["logprobs"] = True  # the API wants both
    if asked.stop:
        if len(asked.stop) > _MOST_STOPS:
            notes.refuse(where.get("stop", ""), f"the API takes at most {_MOST_STOPS} sequences")
        members["stop"] = list(asked.stop[:_MOST_STOPS])
    return members
