"""Reads `generationConfig`: how tokens are chosen, how much to think, what the answer looks like."""

from __future__ import annotations

from typing import Any

import attrs

from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.gemini import media
from llmux.dialects.gemini.spelling import Node
from llmux.dialects.neutral import Level, Output, ReasoningPolicy, Sampling
from llmux.dialects.reading import invalid
from llmux.dialects.schemas import from_openapi

_KNOWN = frozenset(
    {
        *("temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "seed", "presencePenalty"),
        *("frequencyPenalty", "responseLogprobs", "logprobs", "responseMimeType", "responseSchema", "responseJsonSchema"),
        *("responseFormat", "responseModalities", "thinkingConfig", "mediaResolution", "translationConfig"),
        *("audioTranscriptionConfig", "_responseJsonSchema"),
    }
)
_THINKING = frozenset({"includeThoughts", "thinkingBudget", "thinkingLevel"})
_FORMAT = frozenset({"text", "audio", "image", "video"})
_TEXT_FORMAT = frozenset({"mimeType", "schema", "jsonSchema"})
_LEVELS: dict[str, Level] = {"MINIMAL": "minimal", "LOW": "low", "MEDIUM": "medium", "HIGH": "high", "XHIGH": "xhigh"}
_REFUSED = {
    "translationConfig": "only Gemini translates what it hears",
    "audioTranscriptionConfig": "only Gemini writes down what it hears",
}
_TEXT = "text/plain"
_JSON = ("application/json", "application_json")
_ENUM = "text/x.enum"


@attrs.frozen
class Settings:
    """What is set. `detail` is how closely to look at whatever does not say it itself."""

    sampling: Sampling = attrs.Factory(Sampling)
    reasoning: ReasoningPolicy = attrs.Factory(ReasoningPolicy)
    output: Output = attrs.Factory(Output)
    detail: str | None = None


def read(config: Node | None, where: dict[str, str], context: Context) -> Settings:
    """The settings; `where` gets their pointers."""
    if config is None:
        return Settings()
    config.rest(_KNOWN, context.notes)
    for name, why in _REFUSED.items():
        if config.get(name) is not None:
            context.notes.refuse(config.where(name), why)
    detail = media.detail_of(config.word("mediaResolution"), config.where("mediaResolution"), context.notes)
    reader = _Reader(config, where)
    return Settings(reader.sampling(context), _reasoning(config, where, context), _output(reader, context), detail)


class _Reader:
    """Reads members, and remembers where they stood."""

    def __init__(self, config: Node, where: dict[str, str]) -> None:
        self.config = config
        self.where = where

    def see(self, slot: str, name: str) -> tuple[Any, str]:
        """A member and its pointer."""
        value = self.config.get(name)
        at = self.config.where(name)
        if value is not None:
            self.where[slot] = at
        return value, at

    def number(self, slot: str, name: str) -> float | None:
        return reading.number(*self.see(slot, name))

    def integer(self, slot: str, name: str) -> int | None:
        return reading.integer(*self.see(slot, name))

    def texts(self, slot: str, name: str) -> tuple[str, ...] | None:
        value, at = self.see(slot, name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise invalid(at, f"{at} must be a list of strings")
        return tuple(value)

    def top_logprobs(self, context: Context) -> int | None:
        """How many of the likeliest tokens; none where nobody wants to see any."""
        most = self.integer("top_logprobs", "logprobs")
        if most is not None and self.config.get("responseLogprobs") is not True:
            context.notes.drop(self.where.pop("top_logprobs"), "no log probabilities are asked for")
            return None
        return most

    def sampling(self, context: Context) -> Sampling:
        return Sampling(
            max_out=self.integer("max_out", "maxOutputTokens"),
            temperature=self.number("temperature", "temperature"),
            top_p=self.number("top_p", "topP"),
            top_k=self.integer("top_k", "topK"),
            frequency_penalty=self.number("frequency_penalty", "frequencyPenalty"),
            presence_penalty=self.number("presence_penalty", "presencePenalty"),
            seed=self.integer("seed", "seed"),
            n=self.integer("n", "candidateCount"),
            stop=self.texts("stop", "stopSequences"),
            logprobs=reading.flag(*self.see("logprobs", "responseLogprobs")),
            top_logprobs=self.top_logprobs(context),
        )


def _reasoning(config: Node, where: dict[str, str], context: Context) -> ReasoningPolicy:
    """By budget, where 0 is none and -1 leaves it to the model; or by level."""
    thinking = config.child("thinkingConfig")
    if thinking is None:
        return ReasoningPolicy()
    thinking.rest(_THINKING, context.notes)
    shown = reading.flag(thinking.get("includeThoughts"), thinking.where("includeThoughts"))
    budget = reading.integer(thinking.get("thinkingBudget"), thinking.where("thinkingBudget"))
    word = thinking.word("thinkingLevel")
    level = None if word is None else _LEVELS.get(word)
    if word is not None and level is None:
        raise invalid(thinking.where("thinkingLevel"), f"Unknown thinking level: {word}")
    for slot, name in (("show", "includeThoughts"), ("budget", "thinkingBudget"), ("level", "thinkingLevel")):
        if thinking.get(name) is not None:
            where[slot] = thinking.where(name)
    enabled = None
    if budget is not None and budget <= 0:
        where["enabled"] = thinking.where("thinkingBudget")
        enabled = "no" if budget == 0 else "auto"
    return ReasoningPolicy(
        enabled=enabled,  # type: ignore[arg-type]  # one of its words
        level=level,
        budget=None if budget is None or budget < 0 else budget,
        show=None if shown is None else "summary" if shown else "none",
    )


def _output(reader: _Reader, context: Context) -> Output:
    config, where = reader.config, reader.where
    modalities = reader.texts("modalities", "responseModalities")
    lower = None if modalities is None else tuple(each.lower() for each in modalities if not each.endswith("_UNSPECIFIED"))
    mime, at = config.text("responseMimeType").lower(), config.where("responseMimeType")
    schema = None
    for name in ("responseJsonSchema", "_responseJsonSchema", "responseSchema"):
        if config.get(name) is None:
            continue
        if schema is not None:
            context.notes.drop(config.where(name), "the schema is given twice")
            continue
        schema = from_openapi(config.get(name)) if name == "responseSchema" else config.get(name)
        where["schema"] = config.where(name)
    for format_ in _formats(config):
        told = _format(format_, context)
        if told is not None:
            mime, at = told.text("mimeType").lower() or mime, told.where("mimeType")
            for name in ("schema", "jsonSchema"):
                if told.get(name) is not None:
                    schema, where["schema"] = told.get(name), told.where(name)
    if mime:
        where["format"] = at
    elif schema is not None:
        where["format"] = where["schema"]
    if schema is not None and mime != _TEXT:
        if mime == _ENUM:
            context.notes.approximate(at, "the answer is JSON: a text in quotes")
        elif mime and mime not in _JSON:
            context.notes.refuse(at, f"no other API answers in {mime}")
        return Output("schema", schema, modalities=lower)
    if schema is not None:
        context.notes.drop(where["schema"], "a plain text has no schema")
    if mime in _JSON:
        return Output("json", modalities=lower)
    if mime and mime != _TEXT:
        context.notes.refuse(at, f"no other API answers in {mime}")
    return Output("text" if mime == _TEXT else None, modalities=lower)


def _formats(config: Node) -> list[Node]:
    """The newer way to say it all: a list of formats, or one."""
    value = config.get("responseFormat")
    if isinstance(value, dict):
        return [Node(value, config.where("responseFormat"))]
    return list(config.children("responseFormat"))


def _format(format_: Node, context: Context) -> Node | None:
    format_.rest(_FORMAT, context.notes)
    for name in ("audio", "image", "video"):
        if format_.get(name) is not None:
            context.notes.refuse(format_.where(name), f"no other API answers in {name} by such a format")
    text = format_.child("text")
    if text is not None:
        text.rest(_TEXT_FORMAT, context.notes)
    return text
