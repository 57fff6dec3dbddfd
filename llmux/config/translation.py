"""What a translation between dialects does where there is a choice."""

from __future__ import annotations

from typing import Literal

import attrs

from llmux.config.reader import key
from llmux.config.values import boolean, choice, integer

HostedTools = Literal["refuse", "map", "drop"]
Repair = Literal["refuse", "textify"]
Forced = Literal["refuse", "drop_thinking", "soften_to_auto"]
Schemas = Literal["jsonschema", "openapi"]

_HOSTED: dict[str, HostedTools] = {"refuse": "refuse", "map": "map", "drop": "drop"}
_REPAIR: dict[str, Repair] = {"refuse": "refuse", "textify": "textify"}
_FORCED: dict[str, Forced] = {"refuse": "refuse", "drop_thinking": "drop_thinking", "soften_to_auto": "soften_to_auto"}
_SCHEMAS: dict[str, Schemas] = {"jsonschema": "jsonschema", "openapi": "openapi"}


@attrs.frozen(kw_only=True)
class Translation:
    """How dialects are translated."""

    strict: bool = key(
        boolean,
        False,
        doc="Whether a request is refused if its translation cannot carry everything in it. Otherwise what does not change the "
        "meaning is dropped, with a note in `x-llmux-notes` and in the access log.",
    )
    hosted_tools: HostedTools = key(
        choice(_HOSTED),
        "refuse",
        doc="What to do with tools that a provider runs itself, such as web search, if the model's provider speaks another "
        "dialect: `refuse` the request, `map` them to its own tool of the same family where it has one and refuse the others, or "
        "`drop` them, with a note. Codex offers web search with every request, unless it is configured not to.",
    )
    repair: Repair = key(
        choice(_REPAIR),
        "refuse",
        doc="What to do with results of tools that nobody called, and calls without a result: `refuse` the request, or `textify` "
        "them, with a note.",
    )
    forced_vs_thinking: Forced = key(
        choice(_FORCED),
        "refuse",
        doc="Anthropic's models cannot think if they are forced to use a tool. What to do with a request for both: `refuse` it, "
        "`drop_thinking`, or `soften_to_auto` (the tool is offered, not forced).",
    )
    max_tokens: int | None = key(
        integer(1),
        None,
        doc="How many tokens to ask for where the request does not say and the provider insists. Without it, as many as the "
        "model writes at most.",
        example="32000",
    )
    schemas: Schemas = key(
        choice(_SCHEMAS),
        "jsonschema",
        doc="How schemas are written for Gemini models: `openapi` is for older ones that know no JSON Schema.",
    )
    compatible: bool = key(
        boolean,
        False,
        doc="Whether a provider of the dialect `openai-chat` is a server that only speaks like OpenAI, as most others are. It is "
        "told nothing then that such servers do not know, and often refuse: `max_tokens` stands for `max_completion_tokens` and "
        "`user` for `safety_identifier`, developers speak as the system, custom tools are functions, and cache marks, metadata, "
        "tiers and the like are left out, with a note.",
    )
