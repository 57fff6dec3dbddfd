"""Small steps for reading a client's JSON: each either gives the shape that was wanted or names the field at fault."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from llmux.dialects.neutral import Item, Message, Part, Role, Text
from llmux.errors import Fault


def invalid(param: str, message: str) -> Fault:
    """The refusal of a request whose field `param` is not as it must be."""
    return Fault("invalid", message, param=param)


def get(node: Mapping[str, Any], *names: str) -> Any:
    """The first of several spellings of one member that is there and not null."""
    for name in names:
        value = node.get(name)
        if value is not None:
            return value
    return None


def objects(value: object, param: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The objects of a list, each with its own path. An absent list is an empty one."""
    if value is None:
        return
    if not isinstance(value, list):
        raise invalid(param, f"{param} must be a list")
    for index, node in enumerate(value):
        path = f"{param}[{index}]"
        if not isinstance(node, dict):
            raise invalid(path, f"{path} must be an object")
        yield path, node


def string(value: object, param: str) -> str:
    """A string; absent is empty."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid(param, f"{param} must be a string")
    return value


def role(value: object, param: str, roles: Mapping[str, Role]) -> Role:
    """One of a dialect's roles."""
    known = roles.get(value) if isinstance(value, str) else None
    if known is None:
        raise invalid(param, f"Unknown message role: {value}")
    return known


def parts(content: object, path: str, part: Callable[[str, dict[str, Any]], Part]) -> tuple[Part, ...]:
    """Content that is a text, or a list of objects which `part(path, node)` reads one by one."""
    if content is None:
        return ()
    if isinstance(content, str):
        return (Text(content),)
    return tuple(part(at, node) for at, node in objects(content, path))


def items(
    nodes: Iterable[tuple[str, dict[str, Any]]],
    item: Callable[[str, dict[str, Any]], Item | None],
    part: Callable[[str, dict[str, Any]], Part],
    speaker: Role,
    turn: int,
) -> list[Item]:
    """The items of one wire message: what `item` does not take is a part, and parts that stand together are one message."""
    found: list[Item] = []
    together: list[Part] = []
    for at, node in nodes:
        taken = item(at, node)
        if taken is None:
            together.append(part(at, node))
            continue
        if together:
            found.append(Message(speaker, tuple(together), turn))
            together = []
        found.append(taken)
    if together or not found:
        found.append(Message(speaker, tuple(together), turn))
    return found
