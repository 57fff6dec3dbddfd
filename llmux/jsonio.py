"""JSON that changes nothing: orjson where it is exact, the standard library where it is not.

orjson refuses lone surrogates (an emoji split over two deltas), NaN and a BOM, and turns integers past 64 bits into
floats. Numbers and strings must survive unchanged, so those go to the standard library.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import attrs
import msgspec
import orjson

# 17 digits and more may be past 64 bits; a false hit inside a string costs time, never truth.
_LONG_NUMBER = re.compile(rb"[0-9]{17,}")

JSONError = ValueError


def loads(data: bytes) -> Any:
    """Parse a JSON document. Raises ValueError, also for nesting past the interpreter's depth."""
    if not _LONG_NUMBER.search(data):
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            pass  # the standard library knows more strings, or has the better message
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def dumps(value: Any) -> bytes:
    """Serialise compactly as UTF-8. Lone surrogates leave as escapes; integers keep all digits.

    Raises ValueError for what JSON cannot say, and for nesting past the interpreter's depth.
    """
    try:
        return orjson.dumps(value)
    except (orjson.JSONEncodeError, RecursionError):
        pass
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode("ascii")
    except RecursionError:
        raise ValueError("nested too deeply") from None


class _Shape(msgspec.Struct, gc=False):
    """The members that routing needs; everything else is skipped without being built."""

    model: Any = msgspec.UNSET
    stream: Any = msgspec.UNSET


_skim = msgspec.json.Decoder(_Shape).decode


@attrs.frozen
class Skim:
    """What a request body says of itself: `model` (None: absent or null) and whether it asks for a stream."""

    model: str | None
    stream: bool


def skim(body: bytes) -> Skim:
    """Read `model` and `stream` out of a JSON object in one pass. Raises ValueError naming what is wrong.

    A body that names `model` twice is refused: parsers disagree on which one counts, so one name could be judged here
    and another be served there.
    """
    model, stream = _read(body)
    if model is msgspec.UNSET or model is None:
        return Skim(None, stream is True)
    if not isinstance(model, str):
        raise ValueError("'model' must be a string")
    if (body.count(b'"model"') > 1 or _ESCAPED_LETTER.search(body)) and _names_model_twice(body):
        raise ValueError("'model' is given more than once")
    return Skim(model, stream is True)


def check_object(body: bytes) -> None:
    """Raise ValueError unless the body is a JSON object."""
    _read(body)


def patch_model(body: bytes, old: str, new: str) -> bytes:
    """The same bytes with the top-level `model` renamed from `old` to `new`; nothing else moves."""
    for match in itertools.islice(_MODEL.finditer(body), _LOOKS):
        try:
            if orjson.loads(match[2]) != old:
                continue
        except orjson.JSONDecodeError:
            continue
        patched = body[: match.start(2)] + dumps(new) + body[match.end(2) :]
        if _read(patched)[0] == new:
            return patched
    document = loads(body)  # the name or the key is written with escapes, or stands behind many others
    document["model"] = new
    return dumps(document)


# How many members called `model` are looked at one by one; each look reads the body once.
_LOOKS = 8
_MODEL = re.compile(rb'("model"\s*:\s*)("(?:[^"\\]|\\.)*")')
# No client escapes the letters of a key, unless it wants a second `model` overlooked.
_ESCAPED_LETTER = re.compile(rb"\\u00[4-7]")


def _read(body: bytes) -> tuple[Any, Any]:
    try:
        shape = _skim(body)
    except RecursionError:
        raise ValueError("the body is nested too deeply") from None
    except msgspec.ValidationError:
        raise ValueError("the body must be a JSON object") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _read_slowly(body)
    return shape.model, shape.stream


def _read_slowly(body: bytes) -> tuple[Any, Any]:
    """The standard library takes lone surrogates, which msgspec does not; or it says what is wrong, and where."""
    try:
        document = json.loads(body)
    except RecursionError:
        raise ValueError("the body is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"the body is not valid JSON: {error}") from None
    if not isinstance(document, dict):
        raise ValueError("the body must be a JSON object")
    return document.get("model", msgspec.UNSET), document.get("stream", msgspec.UNSET)


def _names_model_twice(body: bytes) -> bool:
    # The one true key is found when a body without it has no model left; nested ones change nothing. It mostly stands
    # first, so a few looks decide; a body that is full of nested ones is parsed once, whatever it costs.
    for match in itertools.islice(_MODEL.finditer(body), _LOOKS):
        renamed = body[: match.start(1)] + b'"-----"' + body[match.start(1) + 7 :]
        if _read(renamed)[0] is msgspec.UNSET:
            return False
    outermost: list[tuple[str, Any]] = []

    def note(pairs: list[tuple[str, Any]]) -> None:
        nonlocal outermost
        outermost = pairs  # objects are told from the inside out

    try:
        json.loads(body, object_pairs_hook=note)
    except RecursionError:
        raise ValueError("the body is nested too deeply") from None
    return sum(name == "model" for name, _ in outermost) > 1


def deeper_than(value: Any, limit: int) -> bool:
    """Whether a document is nested more than `limit` deep."""
    level = [value]
    for _ in range(limit):
        level = [
            child
            for each in level
            if isinstance(each, dict | list)
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
