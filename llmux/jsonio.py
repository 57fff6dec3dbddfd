"""JSON that changes nothing: msgspec and orjson where they are exact, the standard library where they are not.

Both refuse lone surrogates (an emoji split over two deltas), NaN and a BOM; orjson reads integers past 64 bits as floats, and
writes none. Numbers and strings must survive unchanged, so those go to the standard library.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import attrs
import msgspec
import orjson

JSONError = ValueError


class Lexical(float):
    """A number whose digits say more than a float holds; it is written as it was read."""

    text: str

    def __new__(cls, text: str) -> Lexical:
        """A number by its JSON text."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __reduce__(self) -> tuple[type[Lexical], tuple[str]]:
        return Lexical, (self.text,)


class Verbatim:
    """JSON text that is written as it stands. Whoever makes one has read it: it is whole, and valid."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Verbatim) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


class Repeating(dict[str, Any]):
    """An object that names a member twice. The last one counts for whoever looks; it is written as it was read."""

    def __init__(self, members: list[tuple[str, Any]]) -> None:
        super().__init__(members)
        self._members = members

    @property
    def text(self) -> str:
        """The object as JSON text."""
        members = (b"%b:%b" % (dumps(name), dumps(value)) for name, value in self._members)
        return (b"{%b}" % b",".join(members)).decode()


def _number(text: str) -> float:
    number = float(text)
    # what a float prints is what it holds; other spellings of the same number keep theirs
    return number if repr(number) == text else Lexical(text)


_loads = msgspec.json.Decoder(float_hook=_number).decode


def loads(data: bytes) -> Any:
    """Parse a JSON document. Raises ValueError, also for nesting past the interpreter's depth."""
    try:
        return _loads(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # the standard library knows more strings, or has the better message
    try:
        return json.loads(data, parse_float=_number)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def whole(document: Any, data: bytes) -> Any:
    """The document that was read of `data`, with objects that are written as they were read where they name a member twice."""
    if _says_all(document, data):
        return document
    try:
        return json.loads(data, parse_float=_number, object_pairs_hook=_members)
    except RecursionError:  # nobody writes it either
        return document


def _says_all(document: Any, data: bytes) -> bool:
    """Whether nothing of the text was lost. What is written is never longer than what was read, and shorter for each loss."""
    try:
        shorter = len(data) - len(orjson.dumps(document, default=_default))
    except (orjson.JSONEncodeError, UnicodeEncodeError):
        return False
    # Large bodies are spared a second reading if they have a blank behind each separator, as the standard library writes them.
    return shorter == 0 or (len(data) > _LARGE and shorter == _separators(document))


_LARGE = 1 << 14


def _separators(document: Any) -> int:
    """How many commas and colons a document has."""
    found, rest = 0, [document]
    while rest:
        each = rest.pop()
        if type(each) is dict:
            found += max(2 * len(each) - 1, 0)
            rest += each.values()
        elif type(each) is list:
            found += max(len(each) - 1, 0)
            rest += each
    return found


def _members(found: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(found)
    return members if len(members) == len(found) else Repeating(found)


def _default(value: object) -> Any:
    if isinstance(value, Lexical | Verbatim | Repeating):
        return orjson.Fragment(value.text.encode())
    raise TypeError(f"{type(value).__name__} is no JSON")


def dumps(value: Any) -> bytes:
    """Serialise compactly as UTF-8. Lone surrogates leave as escapes; numbers keep all digits.

    Raises ValueError for what JSON cannot say, and for nesting past the interpreter's depth.
    """
    try:
        return orjson.dumps(value, default=_default, option=orjson.OPT_PASSTHROUGH_SUBCLASS)
    except (orjson.JSONEncodeError, UnicodeEncodeError, RecursionError):
        pass
    try:
        return _write_slowly(value)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def pretty(value: Any) -> str:
    """A document for people to read: indented, in ASCII where it holds lone surrogates. Raises ValueError as `dumps` does."""
    try:
        return orjson.dumps(value, default=_default, option=orjson.OPT_INDENT_2 | orjson.OPT_PASSTHROUGH_SUBCLASS).decode()
    except (orjson.JSONEncodeError, UnicodeEncodeError, RecursionError):
        return dumps(value).decode()


def _write_slowly(value: Any) -> bytes:
    """The standard library cannot write a text as it stands, so a mark that nothing else in the document holds keeps its
    place.
    """
    texts: list[str] = []
    plain = json.dumps(value, default=lambda _: None, allow_nan=True)
    mark = next(mark for mark in map("llmux-{}-".format, itertools.count()) if mark not in plain)

    def marked(each: Any) -> Any:
        if isinstance(each, Lexical | Verbatim | Repeating):
            texts.append(_NOT_ASCII.sub(_escape, each.text))
            return f"{mark}{len(texts) - 1}"
        if isinstance(each, dict):
            return {key: marked(member) for key, member in each.items()}
        if isinstance(each, list | tuple):
            return [marked(member) for member in each]
        return each

    written = json.dumps(marked(value), separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return re.sub(f'"{mark}([0-9]+)"', lambda found: texts[int(found[1])], written).encode("ascii")


_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def _escape(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1]


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
