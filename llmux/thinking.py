"""How much a model shall think: the suffix of a model name (`claude-opus-4-5(high)`, `gemini-2.5-pro(8192)`), levels and
budgets.
"""

from __future__ import annotations

from llmux.dialects.neutral import Level, Request
from llmux.dialects.notes import Notes


def split_suffix(model: str) -> tuple[str, str | None]:
    """Split `name(raw)` into name and raw; raw is None where there is no suffix.

    The last parenthesis counts, and it must close the name: `a(b)(c)` is `a(b)` with `c`, `a(b` has none.
    """
    if not model.endswith(")"):
        return model, None
    at = model.rfind("(")
    if at <= 0:
        return model, None
    return model[:at], model[at + 1 : -1]


def join_suffix(model: str, raw: str | None) -> str:
    """The name with its suffix again; an empty suffix says nothing and is left off."""
    return f"{model}({raw})" if raw else model


# A level as tokens, and what a budget comes to as a level: budgets up to the number are of that level.
BUDGETS: dict[Level, int] = {
    "none": 0,
    "minimal": 512,
    "low": 1024,
    "medium": 8192,
    "high": 24576,
    "xhigh": 32768,
    "max": 128000,
}
_THRESHOLDS: tuple[Level, ...] = ("none", "minimal", "low", "medium", "high")


def budget_of(level: Level) -> int:
    """The tokens that a level stands for."""
    return BUDGETS[level]


def level_of(budget: int) -> Level:
    """The level that a budget comes to."""
    return next((level for level in _THRESHOLDS if budget <= BUDGETS[level]), "xhigh")


def declined(request: Request, notes: Notes) -> str | None:
    """The pointer of what says that there shall be no thinking, if anything does. Between calls only is none: no model but
    Anthropic's can be told to wait for them.
    """
    policy, where = request.reasoning, request.where
    if policy.enabled in ("no", "between_tools"):
        if policy.enabled == "between_tools":
            notes.approximate(where.get("enabled", ""), "thinking between calls only cannot be said")
        if policy.level not in (None, "none"):
            notes.drop(where.get("level", ""), "a model that does not think makes no effort")
        return where.get("enabled", "")
    if policy.level == "none":
        return where.get("level", "")
    return where.get("budget", "") if policy.level is None and policy.budget == 0 else None
