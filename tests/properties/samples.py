"""Every field of the official SDKs' request types, each in a request of its own: made from the types, so none is forgotten."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

from pydantic import BaseModel

# How deep types are followed: request types refer to themselves.
_DEEPEST = 7

Overrides = Mapping[str, tuple[Any, ...]]


class Sampler:
    """Gives values of a type: one that has the least in it, and for every field, at any depth, one in which that field is set.

    `overrides` are values for fields of certain names, where the type alone says too little (`url`, `schema`).
    """

    def __init__(self, overrides: Overrides) -> None:
        self._overrides = overrides

    def least(self, kind: Any, depth: int = 0) -> Any:
        """The smallest value."""
        return next(iter(self.all(kind, depth)))

    def all(self, kind: Any, depth: int = 0) -> Iterator[Any]:
        """All values; the smallest comes first."""
        origin = get_origin(kind)
        if origin in (Annotated, Required, NotRequired):
            yield from self.all(get_args(kind)[0], depth)
        elif origin is Literal:
            yield from get_args(kind)
        elif origin in (Union, types.UnionType):
            for each in get_args(kind):
                if each is not type(None):
                    yield from self.all(each, depth)
        elif origin in (list, tuple) or (origin is not None and issubclass(origin, Iterable) and not issubclass(origin, Mapping)):
            if depth < _DEEPEST:
                for value in self.all(get_args(kind)[0], depth + 1):
                    yield [value]
            else:
                yield []
        elif origin is not None and issubclass(origin, Mapping):
            yield {"k": self.least(get_args(kind)[1], depth + 1)}
        elif hasattr(kind, "__required_keys__"):  # a TypedDict, of typing or of its forerunner
            yield from self._fields(kind.__name__, _typed_dict(kind), depth)
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from self._fields(kind.__name__, _model(kind), depth)
        elif isinstance(kind, type) and issubclass(kind, str) and hasattr(kind, "__members__"):
            yield from (member.value for member in kind if "UNSPECIFIED" not in member.value)  # type: ignore[attr-defined]  # an enum
        elif kind is bool:
            yield from (True, False)
        else:
            yield _PLAIN.get(kind, {"a": "b"})

    def _fields(self, owner: str, fields: dict[str, tuple[Any, bool]], depth: int) -> Iterator[dict[str, Any]]:
        base = {name: self._values(owner, name, kind, depth)[0] for name, (kind, needed) in fields.items() if needed}
        yield base
        if depth >= _DEEPEST:
            return
        for name, (kind, _) in fields.items():
            for value in self._values(owner, name, kind, depth):
                yield {**base, name: value}

    def _values(self, owner: str, name: str, kind: Any, depth: int) -> tuple[Any, ...]:
        given = self._overrides.get(f"{owner}.{name}", self._overrides.get(name))
        return given if given is not None else tuple(self.all(kind, depth + 1))


_PLAIN: dict[Any, Any] = {str: "word", int: 3, float: 0.5, bytes: "QUJD", object: {"a": "b"}, Any: {"a": "b"}}


def _typed_dict(kind: Any) -> dict[str, tuple[Any, bool]]:
    # Written as text, `Required[...]` is overseen where the class is made; here it is read.
    hints = typing.get_type_hints(kind, include_extras=True)
    return {name: (hint, get_origin(hint) is Required or name in kind.__required_keys__) for name, hint in hints.items()}


def _model(kind: type[BaseModel]) -> dict[str, tuple[Any, bool]]:
    return {field.alias or name: (field.annotation, field.is_required()) for name, field in kind.model_fields.items()}


def leaves(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf of a document with its JSON pointer. What is empty says nothing."""
    if isinstance(value, dict) and value:
        for name, each in value.items():
            yield from leaves(each, f"{at}/{name.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list) and value:
        for index, each in enumerate(value):
            yield from leaves(each, f"{at}/{index}")
    elif value not in ({}, []):
        yield at, value


def without(document: Any, pointer: str) -> Any:
    """A copy of a document that lacks what a pointer names."""
    head, _, rest = pointer[1:].partition("/")
    name = head.replace("~1", "/").replace("~0", "~")
    if isinstance(document, list):
        index = int(name)
        if rest:
            return [*document[:index], without(document[index], f"/{rest}"), *document[index + 1 :]]
        return document[:index] + document[index + 1 :]
    copied = dict(document)
    if rest:
        copied[name] = without(document[name], f"/{rest}")
    else:
        del copied[name]
    return copied
