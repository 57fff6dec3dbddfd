"""Writes a response object."""

from __future__ import annotations

from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import Response
from llmux.dialects.openai_responses import finishes, usage
from llmux.dialects.openai_responses.responses.echoes import enter_tier, envelope
from llmux.dialects.openai_responses.responses.outputs import Outputs, is_refusal, last_word


def write(response: Response, context: Context) -> dict[str, Any]:
    """The body of a response, with the members of the request that it repeats."""
    body = envelope(response.id, response.model, response.created, context.asked)
    items = list(response.items)
    refused = any(map(is_refusal, items))
    word = last_word(response.finish, refused=refused)
    if word is not None:
        items.append(word)
    body["output"] = Outputs(response.id, context).all(items)
    finish(body, response, refused=refused or word is not None, context=context)
    return body


def finish(body: dict[str, Any], response: Response, *, refused: bool, context: Context) -> None:
    """Enter what is known at the end: how it ended, and what it cost."""
    finishes.write(response.finish, refused=refused, context=context).enter(body)
    enter_tier(body, response)
    if response.usage is not None:
        body["usage"] = usage.write(response.usage)
        if response.usage.searches:
            body["tool_usage"] = usage.write_tools(response.usage)
