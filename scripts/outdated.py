"""Which pins of the lock files have a newer release.

    python -m pip list --outdated --format=json | python scripts/outdated.py LOCK...

What is newest is pip's answer, so that the machine's own configuration decides which registry is asked and under what Python a
release must run.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path

PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[a-z,-]+\])?==(?P<version>[^ \\]+)", re.MULTILINE)


def canonical(name: str) -> str:
    """A distribution's name as every index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> dict[str, str]:
    """The version of each distribution that a lock file pins."""
    return {canonical(found["name"]): found["version"] for found in PIN.finditer(text)}


def outdated(locks: dict[str, dict[str, str]], newest: dict[str, str]) -> list[tuple[str, str, str, str]]:
    """A row for each pin that has a newer release: name, pinned, newest, and the locks that it is in."""
    versions = {name: version for lock in locks.values() for name, version in lock.items()}
    return [
        (name, version, newest[name], ", ".join(file for file, lock in locks.items() if name in lock))
        for name, version in sorted(versions.items())
        if newest.get(name, version) != version
    ]


def table(rows: Iterable[tuple[str, ...]]) -> str:
    """Rows in columns."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)


def main(files: list[str]) -> None:
    locks = {Path(file).name: pins(Path(file).read_text(encoding="utf-8")) for file in files}
    newest = {canonical(row["name"]): row["latest_version"] for row in json.load(sys.stdin)}
    rows = outdated(locks, newest)
    pinned = {name for lock in locks.values() for name in lock}
    if rows:
        print(table([("package", "pinned", "newest", "in"), *rows]))
    print(
        f"{len(rows)} of {len(pinned)} pins have a newer release" + ("; make lock LOCK_ARGS=--upgrade takes them" if rows else "")
    )


if __name__ == "__main__":
    main(sys.argv[1:])
