"""The two spellings of this API's members.

The API takes `generationConfig` and `generation_config` alike, and its own SDK sends both in one body. That holds for the API's
objects only: in what belongs to users, such as arguments, responses and schemas, a name is a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Self

from llmux.dialects import reading
from llmux.dialects.notes import Notes
from llmux.errors import Fault


@lru_cache(maxsize=1024)
def snake(name: str) -> str:
    """The other spelling of a name in camel case."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


@lru_cache(maxsize=1024)
def camel(name: str) -> str:
    """A name in camel case, however it is spelled."""
    first, *others = name.split("_")
    return first + "".join(other[:1].upper() + other[1:] for other in others)


class Node:
    """An object of the API's. Names are asked for in camel case; `at` is its pointer."""

    __slots__ = ("at", "raw")

    def __init__(self, raw: dict[str, Any], at: str) -> None:
        self.raw = raw
        self.at = at

    def get(self, name: str) -> Any:
        """A member; None: absent or null."""
        value = self.raw.get(name)
        return self.raw.get(snake(name)) if value is None else value

    def where(self, name: str) -> str:
        """The pointer of a member, as it is spelled."""
        if self.raw.get(name) is None and self.raw.get(snake(name)) is not None:
            name = snake(name)
        return f"{self.at}/{name}"

    def wrong(self, at: str, shape: str) -> Fault:
        """What to raise for a member that is not as it must be."""
        return reading.invalid(at, f"{at} must be {shape}")

    def child(self, name: str) -> Self | None:
        """A member that is an object of the API's. Raises Fault for anything else."""
        value = self.get(name)
        if value is None:
            return None
        at = self.where(name)
        if not isinstance(value, dict):
            raise self.wrong(at, "an object")
        return type(self)(value, at)

    def children(self, name: str) -> Iterator[Self]:
        """A member that is a list of such. Raises Fault for anything else."""
        value = self.get(name)
        if value is None:
            return
        at = self.where(name)
        if not isinstance(value, list):
            raise self.wrong(at, "a list")
        for index, raw in enumerate(value):
            if not isinstance(raw, dict):
                raise self.wrong(f"{at}/{index}", "an object")
            yield type(self)(raw, f"{at}/{index}")

    def text(self, name: str) -> str:
        """A member that is a text, "" where it is absent. Raises Fault for anything else."""
        value = self.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.wrong(self.where(name), "a string")
        return value

    def word(self, name: str) -> str | None:
        """A member that is one of the API's words, in their own upper case; None where it says nothing."""
        word = self.text(name).upper()
        return None if not word or word.endswith("_UNSPECIFIED") or word == "UNSPECIFIED" else word

    def rest(self, known: frozenset[str], notes: Notes, why: str = "no counterpart") -> None:
        """Note every member that nobody reads, leaf by leaf."""
        raw = self.raw
        if raw.keys() <= known:
            return
        for name, value in raw.items():
            if name in known:
                continue
            twin = camel(name)
            # In the spelling that counts less, a member is read only where it is alone.
            if twin in known and (twin == name or value is None or raw.get(twin) is None):
                continue
            reading.drop(value, f"{self.at}/{reading.token(name)}", notes, why)

    def drop(self, name: str, notes: Notes, why: str = "no counterpart") -> None:
        """Note a member that is left out, if it is there."""
        if self.get(name) is not None:
            notes.drop(self.where(name), why)
