"""Which of several scenarios a session plays: by name, else by the nearest initial prompt, else the first."""

from __future__ import annotations

from collections.abc import Sequence

from llmux.errors import Fault
from llmux.scenario.timeline import Script

# Prompts are told apart by how they begin; the distance of two long texts costs the product of their lengths.
_COMPARED = 256


def select(scripts: Sequence[Script], name: str | None, prompt: str | None) -> Script:
    """The script to play. Raises Fault: `not_found` for a name that is not known, `server` where there is no script."""
    if not scripts:
        raise Fault("server", "No scenarios loaded")
    if name is not None:
        for script in scripts:
            if script.scenario.name == name:
                return script
        known = ", ".join(sorted(script.scenario.name for script in scripts))
        raise Fault("not_found", f"No scenario '{name}'; known are: {known}", code="scenario_not_found", should_retry=False)
    candidates = [script for script in scripts if script.scenario.prompt is not None]
    if prompt is None or not candidates or len(scripts) == 1:
        return scripts[0]
    return min(candidates, key=lambda script: distance(prompt, script.scenario.prompt or ""))


def distance(one: str, other: str) -> int:
    """Levenshtein's distance of the beginnings of two texts, in characters."""
    one, other = one[:_COMPARED], other[:_COMPARED]
    row = list(range(len(other) + 1))
    for above, left in enumerate(one, 1):
        diagonal, row[0] = row[0], above
        for column, right in enumerate(other, 1):
            cost = min(row[column] + 1, row[column - 1] + 1, diagonal + (left != right))
            diagonal, row[column] = row[column], cost
    return row[-1]
