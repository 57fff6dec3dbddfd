"""The thinking suffix of a model name: `claude-opus-4-5(high)`, `gemini-2.5-pro(8192)`."""

from __future__ import annotations


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
