"""Writes how long the answer may be, and how its tokens are chosen."""

from __future__ import annotations

from typing import Any

from llmux.dialects.anthropic import versions
from llmux.dialects.context import Context
from llmux.dialects.neutral import Request, Sampling

_MAX_TOKENS = 32_000
# What thinking by a budget leaves of these.
_LEAST_TOP_P = 0.95

# slots that the API has no place for, with the value that says nothing, and why they are left out
_ABSENT: tuple[tuple[str, object, str], ...] = (
    ("frequency_penalty", 0, "repetitions cannot be penalized"),
    ("presence_penalty", 0, "repetitions cannot be penalized"),
    ("seed", None, "chance cannot be fixed"),
    ("logit_bias", {}, "single tokens cannot be weighed"),
    ("logprobs", False, "probabilities are not told"),
    ("top_logprobs", 0, "probabilities are not told"),
)


def max_tokens(request: Request, context: Context) -> int:
    """The most tokens of the answer, on which the API insists."""
    can = context.target.capabilities
    asked = request.sampling.max_out
    if asked is None:
        most = context.target.options.max_tokens or can.max_out or _MAX_TOKENS
        context.notes.invent("/max_tokens", f"{most}, because the API insists on a number")
        return most
    if can.max_out is not None and asked > can.max_out:
        context.notes.approximate(request.where.get("max_out", ""), f"the model writes at most {can.max_out} tokens")
        return can.max_out
    return asked


def sampling(request: Request, context: Context, *, thinks: bool) -> dict[str, Any]:
    """The members that choose tokens, and the version that goes with them. `thinks`: which allows little of this."""
    asked, where, notes = request.sampling, request.where, context.notes
    context.provider_version = versions.NEWER
    if asked == Sampling(asked.max_out, stop=asked.stop):
        return {}  # as most requests
    for slot, nothing, why in _ABSENT:
        value = getattr(asked, slot)
        if value is not None and value != nothing:
            notes.drop(where.get(slot, ""), why)
    if asked.n is not None and asked.n > 1:
        notes.refuse(where.get("n", ""), "Anthropic gives one answer to a request")
    given: dict[str, Any] = {}
    for slot in ("temperature", "top_p", "top_k"):
        value = getattr(asked, slot)
        if value is None:
            continue
        default = value == 1 and slot != "top_k"  # what every model does anyway
        if context.target.capabilities.sampling is not True:
            if not default:
                notes.drop(where.get(slot, ""), "the model chooses tokens in its own way")
        elif default:
            given[slot] = value
        elif thinks and (slot != "top_p" or value < _LEAST_TOP_P):
            notes.drop(where.get(slot, ""), "a model that thinks chooses tokens in its own way")
        elif slot == "temperature" and value > 1:
            notes.approximate(where.get(slot, ""), "1 is the highest temperature")
            given[slot] = 1.0
        else:
            given[slot] = value
    if "temperature" in given and "top_p" in given and context.target.capabilities.sampling_pair is False:
        if given.pop("top_p") != 1:
            notes.drop(where.get("top_p", ""), "the model takes either temperature or top_p")
    if given:
        context.provider_version = versions.OLDER
    return given


def stops(request: Request, context: Context) -> list[str]:
    """The sequences that end the answer; the API refuses white space alone."""
    asked = request.sampling.stop
    if not asked:
        return []
    kept = [each for each in asked if each and not each.isspace()]
    if len(kept) < len(asked):
        context.notes.drop(request.where.get("stop", ""), "a sequence of white space does not stop the model")
    return kept
