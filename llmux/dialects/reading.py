"""Small steps for reading JSON: each either gives the shape that was wanted or names the field at fault by its JSON pointer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from llmux.dialects.neutral import Part, Role, Text
from llmux.dialects.notes import Notes
from llmux.errors import Fault

_CHOICES = 128  # as many as OpenAI gives to one request


def invalid(pointer: str, message: str) -> Fault:
    """The refusal of a request whose field at `pointer` is not as it must be."""
    return Fault("invalid", message, param=pointer)


def get(node: Mapping[str, Any], *names: str) -> Any:
    """The first of several spellings of one member that is there and not null."""
    for name in names:
        value = node.get(name)
        if value is not None:
            return value
    return None


def token(name: str) -> str:
    """A member's name as part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def rest(node: Mapping[str, Any], known: frozenset[str], at: str, notes: Notes, why: str = "no counterpart") -> None:
    """Note every member that nobody reads, leaf by leaf."""
    if node.keys() <= known:
        return
    for name, value in node.items():
        if name not in known:
            drop(value, f"{at}/{token(name)}", notes, why)


def drop(value: Any, at: str, notes: Notes, why: str) -> None:
    """Note every leaf of a value that is left out."""
    if isinstance(value, dict) and value:
        for name, each in value.items():
            drop(each, f"{at}/{token(name)}", notes, why)
    elif isinstance(value, list) and value:
        for index, each in enumerate(value):
            drop(each, f"{at}/{index}", notes, why)
    else:
        notes.drop(at, why)


def choice(index: object, place: int) -> int:
    """The number of an answer's choice: the one it says, or else its place. Raises Fault for more than can be asked for, since
    clients are told of every choice before the last."""
    number = index if type(index) is int and index >= 0 else place
    if number >= _CHOICES:
        raise Fault("bad_gateway", "the provider's answer has too many choices", code="upstream_invalid")
    return number


def surplus(node: Mapping[str, Any], known: frozenset[str], at: str, notes: Notes) -> None:
    """Note every member of an answer that nobody reads, leaf by leaf. Empty values say nothing there."""
    if node.keys() <= known:
        return
    for name, value in node.items():
        if name not in known:
            _surplus(value, f"{at}/{token(name)}", notes)


def _surplus(value: Any, at: str, notes: Notes) -> None:
    if isinstance(value, dict):
        for name, each in value.items():
            _surplus(each, f"{at}/{token(name)}", notes)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _surplus(each, f"{at}/{index}", notes)
    elif value is not None and value != "":
        notes.drop(at, "no counterpart")


def objects(value: object, at: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a list, each with its own pointer. An absent list is an empty one."""
    if value is None:
        return
    if not isinstance(value, list):
        raise invalid(at, f"{at} must be a list")
    for index, node in enumerate(value):
        where = f"{at}/{index}"
        if not isinstance(node, dict):
            raise invalid(where, f"{where} must be an object")
        yield where, node


def obj(value: object, at: str) -> dict[str, Any] | None:
    """An object; null is absent."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise invalid(at, f"{at} must be an object")
    return value


def string(value: object, at: str) -> str:
    """A string; absent is empty."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid(at, f"{at} must be a string")
    return value


def optional(value: object, at: str) -> str | None:
    """A string, or nothing."""
    return None if value is None else string(value, at)


def number(value: object, at: str) -> float | None:
    """A number as it was written, or nothing."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(at, f"{at} must be a number")
    return value


def integer(value: object, at: str) -> int | None:
    """A whole number, or nothing. `5.0` is one, as for the vendors' servers."""
    found = number(value, at)
    if isinstance(found, float):
        if not found.is_integer():
            raise invalid(at, f"{at} must be a whole number")
        return int(found)
    return found


def flag(value: object, at: str) -> bool | None:
    """True, false or nothing."""
    if value is not None and not isinstance(value, bool):
        raise invalid(at, f"{at} must be true or false")
    return value


def strings(value: object, at: str) -> list[str]:
    """A list of strings. An absent list is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise invalid(at, f"{at} must be a list of strings")
    return value


def role(value: object, at: str, roles: Mapping[str, Role]) -> Role:
    """One of a dialect's roles."""
    known = roles.get(value) if isinstance(value, str) else None
    if known is None:
        raise invalid(at, f"Unknown message role: {value}")
    return known


def parts(content: object, at: str, part: Callable[[str, dict[str, Any]], Part]) -> tuple[Part, ...]:
    """Content that is a text, or a list of objects which `part(at, node)` reads one by one."""
    if content is None:
        return ()
    if isinstance(content, str):
        return (Text(content, at=at),)
    return tuple(part(where, node) for where, node in objects(content, at))
