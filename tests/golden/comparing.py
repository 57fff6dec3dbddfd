"""Compares what was said with what was expected, as JSON values, and names every place where they differ."""

from __future__ import annotations

import json
from typing import Any

from llmux.dialects.reading import token
from tests.golden.words import Holds

# Members of which a case may state as much as it wants.
_COUNTS = frozenset({"usage", "usageMetadata"})


def merged(target: Any, patch: Any) -> Any:
    """JSON merge patch (RFC 7386): null removes."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def differences(expected: Any, actual: Any, at: str = "", *, answer: bool = False, stated: bool = False) -> list[str]:
    """Where two values differ, a line each. Null is as good as absent.

    `stated`: only the members that are expected count. `answer`: that is so for the counted tokens inside.
    """
    if isinstance(expected, dict) and isinstance(actual, dict):
        found = []
        names = expected if stated else {**expected, **actual}
        for name in names:
            want, have = expected.get(name), actual.get(name)
            where = f"{at}/{token(name)}"
            counts = answer and name in _COUNTS
            if want is None and (have is None or counts):
                continue
            if want is None:
                found.append(f"{where}: unexpected {_short(have)}")
            elif have is None:
                found.append(f"{where}: missing, expected {_short(want)}")
            else:
                found += differences(want, have, where, answer=answer, stated=stated or counts)
        return found
    if isinstance(expected, list) and isinstance(actual, list):
        if len(expected) != len(actual):
            counted = f"{at}: expected {len(expected)} elements, got {len(actual)}"
            return [f"{counted}\n  expected {_long(expected)}\n  got      {_long(actual)}"]
        return [
            line
            for number, (want, have) in enumerate(zip(expected, actual, strict=True))
            for line in differences(want, have, f"{at}/{number}", answer=answer, stated=stated)
        ]
    if isinstance(expected, Holds):
        return [] if expected.within(actual) else [f"{at}: expected a text with {expected.pieces}, got {_short(actual)}"]
    if isinstance(expected, bool) is isinstance(actual, bool) and expected == actual:
        return []
    return [f"{at or '/'}: expected {_short(expected)}, got {_short(actual)}"]


def _long(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=repr)


def _short(value: Any) -> str:
    text = _long(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
