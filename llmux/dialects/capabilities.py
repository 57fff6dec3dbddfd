"""What models can do where their dialect alone does not tell, as data.

Providers answer 400 to what a model does not take, so a translation has to know. None means: not known, let the provider judge.
The first row whose pattern is found in the model's name counts.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

import attrs

Thinking = Literal["none", "budget", "both", "adaptive"]


@attrs.frozen(kw_only=True)
class Capabilities:
    """One model's.

    `max_out`: the most tokens that it writes. `sampling`: it takes temperature and its like; `sampling_pair`: temperature and
    top_p together. `prefill`: it goes on where the last turn, its own, ended. `mid_system`: system messages may stand anywhere.
    `thinking`: by `budget`, `adaptive`ly (by effort), `both`, or not at all; `thinking_off`: it can be told not to. `levels`:
    thinking is told by level, not by budget; `xhigh`: it knows that level; `least_budget` and `most_budget`: the bounds of the
    other. `schema`: structured output is native. `result_media`: tool results may hold images. `reasoning_back`: the plain text
    of its reasoning may be sent back.
    """

    max_out: int | None = None
    sampling: bool | None = None
    sampling_pair: bool | None = None
    prefill: bool | None = None
    mid_system: bool | None = None
    thinking: Thinking | None = None
    thinking_off: bool | None = None
    levels: bool | None = None
    xhigh: bool | None = None
    schema: bool | None = None
    result_media: bool | None = None
    least_budget: int | None = None
    reasoning_back: bool | None = None
    most_budget: int | None = None


def _claude(max_out: int, thinking: Thinking, *, schema: bool, sampling: bool = True, **more: bool) -> Capabilities:
    can = {"prefill": True, "mid_system": False, "thinking_off": True, "sampling_pair": False, **more}
    return Capabilities(max_out=max_out, thinking=thinking, schema=schema, sampling=sampling, **can)


_NEW_CLAUDE = _claude(128_000, "adaptive", schema=True, sampling=False, prefill=False, mid_system=True)

_TABLE: tuple[tuple[str, Capabilities], ...] = (
    (r"claude-3-(opus|haiku|sonnet)", _claude(4096, "none", schema=False, sampling_pair=True)),
    (r"claude-3-5-", _claude(8192, "none", schema=False, sampling_pair=True)),
    (r"claude-3-7-", _claude(64_000, "budget", schema=False, sampling_pair=True)),
    (r"claude-opus-4-(1|5)\b|claude-(sonnet|haiku)-4-5\b", _claude(64_000, "budget", schema=True)),
    (r"claude-opus-4-6\b", _claude(128_000, "both", schema=True, prefill=False)),
    (r"claude-sonnet-4-6\b", _claude(64_000, "both", schema=True, prefill=False)),
    (
        r"claude-opus-4-7\b",
        _claude(128_000, "adaptive", schema=True, sampling=False, prefill=False, mid_system=False),
    ),
    (r"claude-opus-4-([89]|\d\d)\b(?!\d)|claude-fable-", _NEW_CLAUDE),
    (r"claude-(opus|sonnet|haiku)-([5-9]|\d\d)\b", _NEW_CLAUDE),
    (r"claude-opus-4\b", _claude(32_000, "budget", schema=False)),
    (r"claude-sonnet-4\b", _claude(64_000, "budget", schema=False)),
    # a Claude of an unknown name is most likely a newer one
    (r"claude", Capabilities(sampling=False, mid_system=False, thinking="adaptive", schema=True)),
    (
        r"gemini-2\.5-pro",
        Capabilities(
            thinking="budget", thinking_off=False, levels=False, result_media=False, least_budget=128, most_budget=32_768
        ),
    ),
    (r"gemini-2\.5", Capabilities(thinking="budget", thinking_off=True, levels=False, result_media=False, most_budget=24_576)),
    (r"gemini-(1|2\.0)", Capabilities(thinking="none", levels=False, result_media=False)),
    (r"gemini-3(\.[0-4])?-", Capabilities(thinking="both", thinking_off=False, levels=True, xhigh=False, result_media=True)),
    (r"gemini-", Capabilities(thinking="both", thinking_off=False, levels=True, xhigh=True, result_media=True)),
    (r"(^|/)(o\d|gpt-[5-9]|codex)|codex", Capabilities(thinking="adaptive", levels=True, reasoning_back=False)),
    (r"(^|/)gpt-[34]|chatgpt", Capabilities(thinking="none", reasoning_back=False)),
)
_COMPILED = tuple((re.compile(pattern), capabilities) for pattern, capabilities in _TABLE)
UNKNOWN = Capabilities()


@lru_cache(maxsize=4096)
def capabilities(model: str) -> Capabilities:
    """Those of a model, by its name."""
    name = model.lower()[:256].replace(".", "-") if "claude" in model.lower() else model.lower()[:256]
    return next((found for pattern, found in _COMPILED if pattern.search(name)), UNKNOWN)
