"""What the golden cases say of every pair of dialects.

    python scripts/golden_matrix.py [-v] [NUMBER...]

Prints a row for each case and a column for each pair, client before provider: how many cells are green, `!` and how many are red,
`-` where the pair cannot carry the case. `-v` tells what is wrong with each red cell. Exits with 1 if one is red.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.golden import files, runner

SHORT = {"openai-chat": "ch", "openai-responses": "re", "anthropic": "an", "gemini": "ge"}
PAIRS = [(client, provider) for client in SHORT for provider in SHORT]


def row(case: files.Case, verbose: bool) -> tuple[list[str], int, int]:
    """The cells of a case as text, and how many are green and red."""
    green: Counter[files.Pair] = Counter()
    red: Counter[files.Pair] = Counter()
    for cell in runner.cells(case):
        if cell.skip is not None:
            continue
        fault = cell.fault()
        (green if fault is None else red)[cell.pair] += 1
        if fault is not None and verbose:
            lines = fault.split("\n")
            print(f"{case.slug}: {cell.name}", *(f"    {line}" for line in lines), sep="\n")
    shown = [f"{green[pair] or ''}{'!' + str(red[pair]) if red[pair] else ''}" or "-" for pair in PAIRS]
    return shown, green.total(), red.total()


def main(words: list[str]) -> int:
    verbose = "-v" in words
    numbers = {int(word) for word in words if word != "-v"}
    rows: list[list[str]] = [["", *(f"{SHORT[client]}>{SHORT[provider]}" for client, provider in PAIRS)]]
    greens = reds = 0
    for path in files.paths():
        if numbers and int(path.name[:2]) not in numbers:
            continue
        try:
            case = files.load(path)
        except files.FormatError as error:
            print(error)
            reds += 1
            continue
        shown, green, red = row(case, verbose)
        rows.append([case.slug, *shown])
        greens, reds = greens + green, reds + red
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for cells in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
    print(f"{len(rows) - 1} cases, {greens} cells green, {reds} red")
    return 1 if reds else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
