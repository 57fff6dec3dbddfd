"""Readers of single values. Each gives the value in the unit that its name says, or fails in words that say what would do."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from llmux.config.nodes import Node
from llmux.config.problems import listed, suggestion
from llmux.config.reader import Reader, attempt, pairs, reads, reads_as
from llmux.headers import HOP_BY_HOP

T = TypeVar("T")

_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"": 1, "b": 1}
for _power, _letter in enumerate("kmg", 1):  # k and kB are thousands, KiB are 1024; as the standards say, and case is free
    _BYTES |= {_letter: 1000**_power, f"{_letter}b": 1000**_power, f"{_letter}ib": 1024**_power}

# More than this is a digit too many or another unit: no process waits for ten years, and sums with such a number overflow
# what clocks and dates can hold.
_MOST_DAYS = 3650
_MOST_GIB = 1024

_QUANTITY = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*([A-Za-z]*)\s*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@reads("text")
def text(node: Node) -> str:
    """Text with something in it, in one line."""
    value = node.text().strip()
    if not value:
        node.fail("must not be empty")
    if _CONTROL.search(value):
        node.fail("must not hold line breaks or control characters")
    return value


@reads("the path of a file")
def path(node: Node) -> str:
    """A path; a relative one starts at the folder of the file that names it."""
    return os.path.join(node.folder, text(node))


@reads("true or false")
def boolean(node: Node) -> bool:
    """`true` or `false`, without quotes."""
    value = node.plain()
    if not isinstance(value, bool):
        node.fail(f"must be {boolean.wants}, not {_shown(node, value)}")
    return value


def integer(least: int, most: int | None = None) -> Reader[int]:
    """A whole number within limits."""

    @reads(f"a whole number, {_limits(least, most)}")
    def read(node: Node) -> int:
        value = node.plain()
        if not isinstance(value, int) or isinstance(value, bool):
            node.fail(f"must be a whole number, not {_shown(node, value)}")
        return int(_within(node, value, least, most))

    return read


def number(least: float, most: float | None = None) -> Reader[float]:
    """A number within limits."""

    @reads(f"a number, {_limits(least, most)}")
    def read(node: Node) -> float:
        value = node.plain()
        if not isinstance(value, int | float) or isinstance(value, bool):
            node.fail(f"must be a number, not {_shown(node, value)}")
        return float(_within(node, value, least, most))

    return read


@reads("seconds, or a time such as 500ms, 30s or 2m")
def seconds(node: Node) -> float:
    """A length of time in seconds: `30`, `0.5`, or with its unit `500ms`, `30s`, `2m`, `1h`, `1d`."""
    value = _quantity(node, _SECONDS, seconds.wants)
    if value > _MOST_DAYS * _SECONDS["d"]:
        node.fail(f"must be no more than {_MOST_DAYS}d, got {node.raw.value}")
    return value


@reads(f"{seconds.wants}; more than 0")
def patience(node: Node) -> float:
    """A length of time in seconds, and some time at least."""
    value = seconds(node)
    if not value:
        node.fail("must be more than 0")
    return value


def _in_bytes(value: int) -> str:
    unit = next((unit for unit in ("GiB", "MiB", "KiB") if value % _BYTES[unit.lower()] == 0), "B")
    return f"{value // _BYTES[unit.lower()]}{unit}"


@reads("bytes, or a size such as 512k, 10MB or 32MiB", _in_bytes)
def size(node: Node) -> int:
    """A size in bytes: `1048576`, `512k`, `10MB` (a million each), `32MiB` (1024 times 1024 each)."""
    value = _quantity(node, _BYTES, size.wants)
    if value < 1:
        node.fail("must be more than 0")
    if value > _MOST_GIB * _BYTES["gib"]:
        node.fail(f"must be no more than {_MOST_GIB}GiB, got {node.raw.value}")
    return int(value)


def choice(words: Mapping[str, T]) -> Reader[T]:
    """One of some words, each standing for a value. A word such as `true` is matched by what YAML makes of it."""
    wants = listed(words)

    @reads(wants, lambda value: next((word for word, meant in words.items() if meant == value), "null"))
    def read(node: Node) -> T:
        value = node.plain()
        word = str(value).lower() if isinstance(value, bool) else value
        if not isinstance(word, str) or word not in words:
            hint = suggestion(word, words) if isinstance(word, str) else ""
            node.fail(f"must be {wants}, not {_shown(node, value)}{hint}")
        return words[word]

    return read


@reads("an http or https URL")
def address(node: Node) -> str:
    """An http or https URL. Nothing of a wrong one is repeated, since it may hold a key."""
    value = text(node)
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        node.fail(f"not a URL: {error}")
    if parts.scheme not in ("http", "https"):
        node.fail("must begin with http:// or https://")
    if not host or not value.isascii() or re.search(r"[\s\\<>\"]", value):
        node.fail("not a URL: it names no host, or holds characters that none may hold")
    if "@" in parts.netloc:
        node.fail("must not hold a user name or a password; keys have their own places")
    return value


@reads("an http or https URL without a query")
def url(node: Node) -> str:
    """An http or https URL of a host and perhaps a path, without the slash at its end."""
    value = address(node)
    if "?" in value or "#" in value:
        node.fail("must end with its path, without a query ('?') or a fragment ('#')")
    return value.rstrip("/")


def blank_or(read: Reader[T]) -> Reader[T | None]:
    """What `read` reads, or None for an empty text, as some programs write what is not set."""

    @reads_as(read, f"{read.wants}, or an empty text for none")
    def read_it(node: Node) -> T | None:
        return None if node.plain() in ("", None) else read(node)

    return read_it


def regex(node: Node) -> str:
    """A regular expression that Python can compile."""
    value = node.text()
    try:
        re.compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        node.fail(f"not a regular expression: {error}")
    return value


@reads("the name of a header")
def header_name(node: Node) -> str:
    """The name of a header (RFC 9110 5.1)."""
    value = text(node)
    if not _HEADER_NAME.fullmatch(value):
        node.fail(f"'{value}' cannot be the name of a header")
    return value


# Those that frame a message and name its target; a second one would let two readers disagree.
_OURS = frozenset(name.decode() for name in HOP_BY_HOP) | {"host", "content-length"}


@reads("a mapping from header names, each to its text", pairs)
def headers(node: Node) -> tuple[tuple[str, str], ...]:
    """Header names and values, as a mapping. Names that differ only in case are one."""
    found = []
    for key, value in node.entries(str.lower).values():
        name = attempt(header_name, key, "")
        if name.lower() in _OURS:
            key.blame("llmux writes this header itself")
        found.append((name, attempt(header_value, value, "")))
    return tuple(found)


def header_value(node: Node) -> str:
    """One line of text, or nothing."""
    value = node.text()
    if _CONTROL.search(value.replace("\t", " ")):
        node.fail("must not hold line breaks or control characters")
    return value.strip()


def anything(node: Node) -> Any:
    """What stands there, as it stands: for sections that are passed on."""
    if node.is_mapping:
        return {name: anything(value) for name, (_, value) in node.entries().items()}
    if node.is_list:
        return [anything(item) for item in node.items()]
    return node.plain()


def _within(node: Node, value: float, least: float, most: float | None) -> float:
    highest = sys.float_info.max if most is None else most
    if not least <= value <= highest:
        node.fail(f"must be {_limits(least, most)}, got {value}")
    return value


def _limits(least: float, most: float | None) -> str:
    return f"at least {least}" if most is None else f"between {least} and {most}"


def _quantity(node: Node, units: Mapping[str, float], wants: str) -> float:
    value = node.plain()
    found = _QUANTITY.fullmatch(str(value)) if not isinstance(value, bool) else None
    factor = units.get(found[2].lower()) if found else None
    if found is None or factor is None:
        node.fail(f"must be {wants}, not {_shown(node, value)}")
    return float(found[1]) * factor


def _shown(node: Node, value: object) -> str:
    return f"'{node.raw.value}'" if isinstance(value, str) else str(value).lower() if value is not None else node.kind
