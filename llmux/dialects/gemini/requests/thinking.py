"""Writes how much the model shall think: by budget or by level, whichever it takes."""

from __future__ import annotations

from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import Level, Request
from llmux.thinking import budget_of, declined, level_of

_SLOTS = ("level", "budget", "enabled")
_LEVELS: dict[Level, str] = {
    "minimal": "MINIMAL",
    "low": "LOW",
    "medium": "MEDIUM",
    "high": "HIGH",
    "xhigh": "XHIGH",
    "max": "XHIGH",
}


def config(request: Request, context: Context) -> dict[str, Any]:
    """The members of `thinkingConfig`; none where the request says nothing."""
    policy, can = request.reasoning, context.target.capabilities
    off = declined(request, context.notes)
    if off is not None:
        return _off(off, context)
    asked = policy.enabled is not None or policy.level is not None or policy.budget is not None
    if can.thinking == "none":
        for slot in (*_SLOTS, "show"):
            if slot in request.where and (slot != "show" or policy.show in ("summary", "full")):
                context.notes.drop(request.where[slot], "the model does not think")
        return {}
    written = _amount(request, context) if asked else {}
    if policy.show is not None:
        written["includeThoughts"] = policy.show != "none"
    if policy.detail in ("concise", "detailed"):
        context.notes.approximate(request.where.get("show", ""), "how long a summary is cannot be said")
    return written


def _at(request: Request) -> str:
    """The pointer of whatever asks for thinking."""
    return next((request.where[slot] for slot in _SLOTS if slot in request.where), "")


def _off(at: str, context: Context) -> dict[str, Any]:
    can = context.target.capabilities
    if can.thinking == "none":
        return {}
    if can.levels is True:
        context.notes.approximate(at, "the model cannot be told not to think")
        return {"thinkingLevel": "MINIMAL"}
    if can.levels is False and can.thinking_off is False:
        context.notes.approximate(at, "the model cannot be told not to think")
        return {"thinkingBudget": can.least_budget or budget_of("minimal")}
    return {"thinkingBudget": 0}


def _amount(request: Request, context: Context) -> dict[str, Any]:
    policy, can, where = request.reasoning, context.target.capabilities, request.where
    by_level = policy.budget is None if can.levels is None else can.levels
    if policy.level is None and policy.budget is None:
        # Nobody says how much. Models that are told a level think as much as they like by themselves.
        return {} if by_level else {"thinkingBudget": -1}
    if not by_level:
        return {"thinkingBudget": _budget(request, context)}
    level = policy.level
    if level is None:
        assert policy.budget is not None, "one of them is said"
        level = level_of(policy.budget)
        context.notes.approximate(where.get("budget", ""), f"the model takes a level: {level}")
    elif policy.budget is not None:
        context.notes.approximate(where.get("budget", ""), "the model takes a level, which is told too")
    word = _LEVELS[level]
    if word == "XHIGH" and can.xhigh is False:
        context.notes.approximate(_at(request), "high is the most")
        word = "HIGH"
    elif level == "max":
        context.notes.approximate(_at(request), "there is nothing above xhigh")
    return {"thinkingLevel": word}


def _budget(request: Request, context: Context) -> int:
    policy, can, notes = request.reasoning, context.target.capabilities, context.notes
    at = _at(request)
    if policy.budget is not None:
        budget, at = policy.budget, request.where.get("budget", at)
        if policy.level is not None:
            notes.approximate(request.where.get("level", ""), "the model takes a budget, which is told too")
    else:
        budget = budget_of(policy.level or "medium")
        notes.approximate(at, f"the model takes a budget: {budget} tokens")
    least, most = can.least_budget, can.most_budget
    if least is not None and budget < least:
        notes.approximate(at, f"the least budget is {least}")
        return least
    if most is not None and budget > most:
        notes.approximate(at, f"the largest budget is {most}")
        return most
    return budget
