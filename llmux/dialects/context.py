"""What the rooms of two dialects need to know of the exchange that they translate together."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any, Literal

import attrs

from llmux.dialects.capabilities import UNKNOWN, Capabilities, capabilities
from llmux.dialects.neutral import Seal
from llmux.dialects.notes import Notes
from llmux.dialects.seals import Seals
from llmux.dialects.tools import NO_TOOLS, Book
from llmux.dialects.vault import Shelf


@attrs.frozen(kw_only=True, cache_hash=True)
class Options:
    """How a translation decides where there is a choice; from the configuration.

    `hosted_tools`: tools that another provider runs itself are refused, `map`ped to its own of that family, or left out (`drop`).
    `repair`: what to do with tool results without a call and calls without a result. `forced_vs_thinking`: a forced tool
    excludes manual thinking at Anthropic. `schema_form`: `openapi` for Gemini models that know no JSON Schema. `max_tokens`:
    Anthropic insists on one; None: the model's most. `compatible`: a provider of Chat Completions only speaks like OpenAI.
    """

    strict: bool = False
    hosted_tools: Literal["refuse", "map", "drop"] = "refuse"
    repair: Literal["refuse", "textify"] = "refuse"
    forced_vs_thinking: Literal["refuse", "drop_thinking", "soften_to_auto"] = "refuse"
    schema_form: Literal["jsonschema", "openapi"] = "jsonschema"
    max_tokens: int | None = None
    compatible: bool = False


@attrs.frozen(kw_only=True)
class Target:
    """Who will be asked: the model, what it can do, and the options for its provider."""

    model: str = ""
    capabilities: Capabilities = UNKNOWN
    options: Options = attrs.Factory(Options)

    @staticmethod
    def of(model: str, options: Options | None = None) -> Target:
        """The target for a model that the table knows, or not."""
        return _target(model, options or _PLAIN)


_PLAIN = Options()


@lru_cache(maxsize=4096)
def _target(model: str, options: Options) -> Target:
    return Target(model=model, capabilities=capabilities(model), options=options)


_ANYBODY = Target()


@attrs.define(kw_only=True)
class Context:
    """One exchange, on its way there and back.

    `asked` is the client's body, parts of which some dialects repeat. `stream` and `framed`: the client wants a stream, as
    server-sent events (only Gemini's can be anything else). `version` is the client's `anthropic-version`. `now` is in Unix
    seconds. `turns` counts the turns of the request, which keeps ids that are made up here apart from those of other turns.
    `provider_version` and `provider_betas` are set by whoever writes a request for a provider whose API has them. `shelf` is
    what this client may have lost. `nested` are the provider's names of tools whose arguments it knows only inside one member
    of an object.
    """

    notes: Notes = attrs.Factory(Notes)
    seals: Seals
    book: Book = NO_TOOLS
    target: Target = _ANYBODY
    asked: dict[str, Any] = attrs.Factory(dict)
    stream: bool = False
    framed: bool = True
    version: str | None = None
    now: int = 0
    turns: int = 0
    provider_version: str | None = None
    provider_betas: list[str] = attrs.Factory(list)
    shelf: Shelf | None = None
    nested: set[str] = attrs.Factory(set)

    def made_up_id(self, ordinal: int, name: str) -> str:
        """An id for a call that came without: the same whenever the same conversation is told again."""
        digest = hashlib.sha256(f"{self.turns}\0{ordinal}\0{name}".encode("utf-8", "surrogatepass")).hexdigest()
        return f"call_{digest[:24]}"

    def seal_out(self, seal: Seal, family: str, text: str = "") -> str:
        """A seal as a client of `family` keeps it: its own as it is, any other in an envelope bound to the visible `text`."""
        return seal.payload if seal.family == family else self.seals.wrap(seal, text)

    def seal_in(self, value: str, native: Seal, text: str, at: str) -> tuple[Seal, ...]:
        """The seal that a client gave back, if it can still be used."""
        if not value:
            return ()
        found = self.seals.open(value, native, text)
        if found is None:
            self.notes.drop(at, "the text that was sealed has been changed")
            return ()
        return (found,)
