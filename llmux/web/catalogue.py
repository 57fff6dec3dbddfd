"""The models that can be named: which provider lists which, in the shapes of the four dialects.

Only exact names can be listed; a pattern says what would be taken, not what there is. What a provider's own model list
says (`discover: true`) is added as it becomes known.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from llmux import jsonio
from llmux.dialects.registry import DIALECTS
from llmux.errors import Fault

# The Anthropic and OpenAI lists want dates, which no configuration knows.
_EPOCH = "1970-01-01T00:00:00Z"


@attrs.frozen
class Model:
    """A model that somebody serves."""

    name: str
    provider: str


class Catalogue:
    """What is listed, in file order; the first provider of a name is the one shown."""

    def __init__(self, models: Iterable[Model], providers: Iterable[str], mappings: Iterable[tuple[str, str]]) -> None:
        self._models: dict[str, Model] = {}
        self._by_provider: dict[str, dict[str, Model]] = {name: {} for name in providers}
        self._mappings = tuple(mappings)
        for model in models:
            self._models.setdefault(model.name, model)
            self._by_provider.setdefault(model.provider, {})[model.name] = model

    def among(self, alias: str | None) -> dict[str, Model]:
        """The models by name; those of one provider where the alias is a configured one."""
        if alias is not None and alias in self._by_provider:
            return self._by_provider[alias]
        return self._models

    def render(self, dialect: str, alias: str | None, query: dict[str, str]) -> bytes:
        """The whole list in a dialect's shape, one page where the caller asks for pages."""
        models = list(self.among(alias).values())
        if dialect == "anthropic":
            return jsonio.dumps(_anthropic_page(models, query))
        if dialect == "gemini":
            return jsonio.dumps(_gemini_page(models, query))
        return jsonio.dumps({"object": "list", "data": [_openai(model) for model in models]})

    def render_one(self, dialect: str, alias: str | None, name: str, taker: str | None) -> bytes:
        """One model; `taker` is the provider that takes the name although no list holds it. Raises Fault `not_found`."""
        models = self.among(alias)
        model = models.get(name)
        if model is None and taker is not None:
            model = Model(name, taker)
        if model is None:
            code = "model_not_found" if DIALECTS[dialect].family == "openai" else None
            raise Fault("not_found", f"The model '{name}' does not exist here", code=code, param="model")
        shape = {"anthropic": _anthropic, "gemini": _gemini}.get(dialect, _openai)
        return jsonio.dumps(shape(model))

    def render_unified(self) -> bytes:
        """Everything in one list: models, providers and mappings."""
        return jsonio.dumps(
            {
                "object": "list",
                "data": [{**_openai(model), "provider": model.provider, "name": model.name} for model in self._models.values()],
                "providers": list(self._by_provider),
                "mappings": [{"from": source, "to": target} for source, target in self._mappings],
            }
        )


def _openai(model: Model) -> dict[str, object]:
    return {"id": model.name, "object": "model", "created": 0, "owned_by": model.provider}


def _anthropic(model: Model) -> dict[str, object]:
    return {
        "type": "model",
        "id": model.name,
        "display_name": model.name,
        "created_at": _EPOCH,
        "lifecycle": "active",
        "max_input_tokens": None,
        "max_tokens": None,
        "capabilities": None,
    }


def _gemini(model: Model) -> dict[str, object]:
    return {
        "name": f"models/{model.name}",
        "displayName": model.name,
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
    }


def _number(text: str | None, default: int, most: int) -> int:
    if text is None or text == "":
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise Fault("invalid", f"a page holds 1 to {most} models")
    return int(text)


def _anthropic_page(models: list[Model], query: dict[str, str]) -> dict[str, object]:
    names = [model.name for model in models]
    limit = _number(query.get("limit"), 20 if "limit" in query else 1000, 1000)
    after, before = query.get("after_id"), query.get("before_id")
    for cursor in (after, before):
        if cursor and cursor not in names:
            raise Fault("invalid", f"there is no model '{cursor}' to page from")
    start = names.index(after) + 1 if after else 0
    stop = names.index(before) if before else len(models)
    if before and not after:
        start = max(start, stop - limit)
        more = start > 0
    else:
        more = stop - start > limit
        stop = min(stop, start + limit)
    page = models[start:stop]
    return {
        "data": [_anthropic(model) for model in page],
        "has_more": more,
        "first_id": page[0].name if page else None,
        "last_id": page[-1].name if page else None,
    }


def _gemini_page(models: list[Model], query: dict[str, str]) -> dict[str, object]:
    size = _number(query.get("pageSize"), 1000, 1000)
    token = query.get("pageToken", "")
    names = [model.name for model in models]
    if token and token not in names:
        raise Fault("invalid", "the pageToken is not one of ours")
    start = names.index(token) if token else 0
    page: dict[str, object] = {"models": [_gemini(model) for model in models[start : start + size]]}
    if start + size < len(models):
        page["nextPageToken"] = names[start + size]
    return page
