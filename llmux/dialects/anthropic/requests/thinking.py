"""Writes how much the model shall think: by budget, or by effort, as the model takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from llmux.dialects.capabilities import Capabilities
from llmux.dialects.context import Context
from llmux.dialects.neutral import Level, ReasoningPolicy, Request
from llmux.thinking import budget_of, declined, level_of

_LEAST_BUDGET = 1024
_SLOTS = ("level", "budget", "enabled")
_EFFORTS: dict[Level, str] = {
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "xhigh",
    "max": "max",
}


class Thinking(msgspec.Struct):
    """The members `thinking` and `output_config.effort`."""

    config: dict[str, Any] | None = None
    effort: str | None = None

    @property
    def on(self) -> bool:
        """Whether the model may think."""
        return self.config is not None and self.config["type"] != "disabled"

    @property
    def by_budget(self) -> bool:
        """Whether the model thinks by a budget, which forbids much else."""
        return self.config is not None and self.config["type"] == "enabled"


def at(request: Request) -> str:
    """The pointer of whatever asks for thinking."""
    given = (slot for slot in _SLOTS if getattr(request.reasoning, slot) is not None)
    return request.where.get(next(given, ""), "")


def plan(request: Request, context: Context, max_tokens: int, excluded: Callable[[], str | None]) -> Thinking:
    """What is asked for, in the words of the model. A budget is part of `max_tokens`, which is never raised for it. `excluded`
    says why the model cannot think by one this time.
    """
    policy, can = request.reasoning, context.target.capabilities
    if policy.enabled is None and policy.level is None and policy.budget is None:
        if policy.show not in (None, "none"):
            context.notes.drop(request.where.get("show", ""), "nobody asks for thinking, so there is none to be told")
        return Thinking()
    off = None if policy.enabled == "between_tools" else declined(request, context.notes)
    if off is not None:
        return _off(off, context)
    if can.thinking == "none":
        for slot in _SLOTS:
            if getattr(policy, slot) is not None:
                context.notes.drop(request.where.get(slot, ""), "the model does not think")
        return Thinking()
    if policy.enabled == "between_tools":
        return Thinking({"type": "between_tools"}, _effort(policy.level, request, context))
    if not _wants_budget(policy, can):
        found = _adaptive(request, context)
    else:
        why = excluded()
        if why is not None:
            context.notes.approximate(at(request), why)
            return _silent(can)
        found = _by_budget(request, context, max_tokens)
    _show(found, request, context)
    return found


def _off(pointer: str, context: Context) -> Thinking:
    can = context.target.capabilities
    if can.thinking_off is False:
        context.notes.approximate(pointer, "the model cannot be told not to think")
    return _silent(can)


def _silent(can: Capabilities) -> Thinking:
    """No thinking, and a model that may think is told so."""
    return Thinking() if can.thinking == "none" or can.thinking_off is False else Thinking({"type": "disabled"})


def _wants_budget(policy: ReasoningPolicy, can: Capabilities) -> bool:
    if can.thinking == "adaptive":
        return False
    return can.thinking == "budget" or (policy.budget is not None and policy.budget > 0)


def _adaptive(request: Request, context: Context) -> Thinking:
    policy = request.reasoning
    level = policy.level
    if level is None and policy.budget is not None and policy.budget > 0:
        level = level_of(policy.budget)
        context.notes.approximate(request.where.get("budget", ""), f"the model takes an effort: {level}")
    elif policy.budget is not None and policy.budget > 0:
        context.notes.approximate(request.where.get("budget", ""), "the model takes an effort, which is told too")
    return Thinking({"type": "adaptive"}, _effort(level, request, context))


def _effort(level: Level | None, request: Request, context: Context) -> str | None:
    if level is None or level == "none":
        return None
    if level == "minimal":
        context.notes.approximate(at(request), "the least effort is low")
    return _EFFORTS[level]


def _by_budget(request: Request, context: Context, max_tokens: int) -> Thinking:
    policy, notes = request.reasoning, context.notes
    pointer = at(request)
    if policy.budget is not None and policy.budget > 0:
        budget, pointer = policy.budget, request.where.get("budget", pointer)
        if policy.level is not None:
            notes.approximate(request.where.get("level", ""), "the model takes a budget, which is told too")
    else:
        level: Level = policy.level or "medium"
        budget = max(budget_of(level), _LEAST_BUDGET)
        notes.approximate(pointer, f"the model takes a budget: {budget} tokens")
    if budget < _LEAST_BUDGET:
        notes.approximate(pointer, f"the least budget is {_LEAST_BUDGET}")
        budget = _LEAST_BUDGET
    if budget >= max_tokens:
        budget = max_tokens - 1
        if budget < _LEAST_BUDGET:
            notes.approximate(pointer, f"no thinking fits into {max_tokens} tokens")
            return _silent(context.target.capabilities)
        notes.approximate(pointer, f"the budget is part of the {max_tokens} tokens for the answer")
    return Thinking({"type": "enabled", "budget_tokens": budget})


def _show(found: Thinking, request: Request, context: Context) -> None:
    """Models that think by a budget always tell it; the newer ones do if they are asked."""
    show, adaptive = request.reasoning.show, context.target.capabilities.thinking == "adaptive"
    if found.config is None or show is None:
        return
    if request.reasoning.detail in ("concise", "detailed"):
        context.notes.approximate(request.where.get("show", ""), "how long a summary is cannot be said")
    if show != "none":
        if adaptive and "show" in request.where:
            found.config["display"] = "summarized"
        return
    if context.target.capabilities.thinking in ("adaptive", "both"):
        found.config["display"] = "omitted"
    else:
        context.notes.approximate(request.where.get("show", ""), "the model always tells its thinking")
