"""Environment variables in values: `${NAME}`, `${NAME:-default}`; `$$` is a dollar sign, and so is any other `$`."""

from __future__ import annotations

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<body>[^}]*)(?P<close>\}?))")
_BODY = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>.*))?", re.DOTALL)


class Unset(Exception):
    """A variable that is not set, or empty, and has no default."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"environment variable {name} is not set")


def expand(text: str, environ: Mapping[str, str]) -> str:
    """The text with its variables filled in. Raises Unset, or ValueError for what is no reference."""

    def fill(found: re.Match[str]) -> str:
        if found["dollar"]:
            return "$"
        if not found["close"]:
            raise ValueError("'${' is never closed; write '$$' for a dollar sign")
        body = _BODY.fullmatch(found["body"])
        if body is None:
            raise ValueError("'${...}' must hold the name of a variable; write '$$' for a dollar sign")
        # As in a shell's `:-`, empty is as good as not set: a credential that is empty is none.
        value = environ.get(body["name"]) or body["default"]
        if value is None:
            raise Unset(body["name"])
        return value

    return _REFERENCE.sub(fill, text)
