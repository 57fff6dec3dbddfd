"""What an answer loses because the client's dialect has no place for it, noted when the answer is whole."""

from __future__ import annotations

from typing import Literal

from llmux.dialects.neutral import Choice, Message, Response, Text, ToolCall
from llmux.dialects.notes import Notes

Lack = Literal[
    "choices",  # more answers than one
    "phases",  # what Responses says of a message
    "probabilities",  # of tokens
    "explanations",  # why an answer was filtered, in words
    "pieces",  # of calls that broke off
    "searches",  # how often the provider's own tools were used
    "fetches",
]
Lacks = frozenset[Lack]

_FILTERED = ("filter", "blocked")


def shed(response: Response, lacks: Lacks, notes: Notes) -> None:
    """Note what a client will miss in an answer, if its dialect lacks these things."""
    for number, choice in enumerate(response.choices):
        if number and "choices" in lacks:
            notes.drop(_place(choice), "one answer can be told")
        else:
            _choice(choice, lacks, notes)
    usage = response.usage
    if usage is not None:
        if usage.searches and "searches" in lacks:
            notes.drop("/usage", "how often the web was searched cannot be said")
        if usage.fetches and "fetches" in lacks:
            notes.drop("/usage", "how often pages were fetched cannot be said")


def _choice(choice: Choice, lacks: Lacks, notes: Notes) -> None:
    finish = choice.finish
    if finish.message is not None and finish.reason in _FILTERED and "explanations" in lacks:
        notes.drop(finish.message_at or finish.at, "why it was filtered cannot be said")
    for item in choice.items:
        if type(item) is Message:
            if item.phase and "phases" in lacks:
                where = item.at or f"{_place(choice)}/phase"
                notes.approximate(where, "what the model says is told in order, whatever its phase")
            for part in item.parts:
                if type(part) is Text and part.logprobs and "probabilities" in lacks:
                    notes.drop(f"{_place(choice)}/logprobs", "how likely tokens were cannot be said")
        elif type(item) is ToolCall and item.cut and "pieces" in lacks:
            notes.drop(_place(choice), f"the call {item.name} broke off")


def _place(choice: Choice) -> str:
    """The pointer of a choice, which stands around the reason for its end."""
    return choice.finish.at.rpartition("/")[0]
