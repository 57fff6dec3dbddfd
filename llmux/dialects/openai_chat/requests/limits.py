"""Writes how long the answer may be, and how its tokens are chosen."""

from __future__ import annotations

from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import Request, Sampling

_SAME = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "seed", "logit_bias", "n", "logprobs", "top_logprobs")
_MOST_STOPS = 4


def write(request: Request, context: Context, members: dict[str, Any]) -> None:
    """Write what the request says of sampling into the body's `members`. Raises Fault."""
    asked = request.sampling
    if asked.max_out is not None:
        members["max_completion_tokens"] = asked.max_out
    if asked == Sampling(asked.max_out):
        return  # most requests say no more
    where, notes = request.where, context.notes
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
