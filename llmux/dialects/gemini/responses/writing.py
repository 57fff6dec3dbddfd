"""Writes a whole answer: a GenerateContentResponse."""

from __future__ import annotations

from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.gemini import grounding, logprobs, reasons, usage
from llmux.dialects.gemini.responses.parts import Malformed, Part, parts
from llmux.dialects.neutral import Choice, Message, Response, Text


def write(response: Response, context: Context) -> dict[str, Any]:
    """The body. A call whose arguments cannot be read ends its candidate, as the API itself does."""
    body: dict[str, Any] = {}
    only = response.choices[0]
    if only.finish.reason == "blocked" and not only.items:
        body["promptFeedback"] = reasons.feedback(only.finish)
    else:
        body["candidates"] = [_candidate(index, choice, context) for index, choice in enumerate(response.choices)]
    if response.usage is not None:
        body["usageMetadata"] = usage.write(response.usage)
    return {**body, **envelope(response.id, response.model)}


def envelope(id: str, model: str) -> dict[str, Any]:
    """The members that end every record."""
    return {"modelVersion": model, "responseId": id}


def _candidate(index: int, choice: Choice, context: Context) -> dict[str, Any]:
    written: list[Part] = []
    malformed: str | None = None
    for item in choice.items:
        try:
            written += parts(item, context)
        except Malformed as error:
            malformed = str(error)
    candidate = {"content": {"role": "model", "parts": _joined(written)}, **ending(choice, malformed, context), "index": index}
    tokens = [
        token
        for item in choice.items
        if isinstance(item, Message)
        for part in item.parts
        if isinstance(part, Text)
        for token in part.logprobs
    ]
    if tokens:
        candidate["logprobsResult"] = logprobs.write(tokens)
    return candidate


def _joined(parts: list[Part]) -> list[Part]:
    """Neighbouring texts are one, as in a stream, unless one is signed."""
    joined: list[Part] = []
    for part in parts:
        if joined and part.keys() == joined[-1].keys() == {"text"}:
            joined[-1] = {"text": joined[-1]["text"] + part["text"]}
        else:
            joined.append(part)
    return joined


def ending(choice: Choice, malformed: str | None, context: Context) -> dict[str, Any]:
    """What is said of a candidate at its end: why, and where it got what it says."""
    said: dict[str, Any] = reasons.write(choice.finish, context)
    if malformed is not None:
        said = {"finishReason": reasons.MALFORMED, "finishMessage": malformed}
    found = grounding.write(choice.items)
    if found is not None:
        said["groundingMetadata"] = found
    for item in choice.items:
        for part in item.parts if isinstance(item, Message) else ():
            for each in part.annotations if isinstance(part, Text) else ():
                if each.kind != "url":
                    context.notes.carry(each.at, "only pages of the web are sources here")
    return said
