"""Reads the case files, strictly: a word that means nothing would be an expectation that nobody checks.

A file has a `title` and lists of entries: `requests`, `responses`, `streams`, `errors`, and under `counts` and `embeddings` the
requests and responses of these two surfaces. What each entry may hold is in `_KEYS`; `cells` says what is different for a pair
"client > provider", where `*` stands for whoever has no entry of his own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import yaml

from llmux.dialects.context import Options

FOLDER = Path(__file__).parent
NAMES = ("openai-chat", "openai-responses", "anthropic", "gemini")
MODELS = {
    "openai-chat": "gpt-5.1",
    "openai-responses": "gpt-5.1",
    "anthropic": "claude-sonnet-4-5",
    "gemini": "gemini-3-pro-preview",
}

Pair = tuple[str, str]  # client, provider

_SECTIONS = ("requests", "responses", "streams", "errors")
_SURFACES = ("counts", "embeddings")
_KEYS: dict[str, frozenset[str]] = {
    "requests": frozenset({"name", "says", "from", "cells", "models", "options", "version"}),
    "responses": frozenset({"name", "says", "from", "cells", "request"}),
    "streams": frozenset({"name", "from", "raw", "told", "events", "cells", "request"}),
    "errors": frozenset({"name", "from", "told", "cells"}),
    "counts/requests": frozenset({"name", "says", "from", "cells", "models", "options", "version"}),
    "counts/responses": frozenset({"name", "says", "from", "cells", "request"}),
    "embeddings/requests": frozenset({"name", "says", "from", "cells", "models", "actions", "paths"}),
    "embeddings/responses": frozenset({"name", "says", "from", "cells", "request"}),
}
_NEEDED: dict[str, tuple[frozenset[str], ...]] = {  # one of each of these sets must be there
    "requests": (frozenset({"says"}),),
    "responses": (frozenset({"says"}),),
    "streams": (frozenset({"from", "raw"}), frozenset({"told", "events", "cells"})),
    "errors": (frozenset({"from"}), frozenset({"told"})),
}
_CELL: dict[str, frozenset[str]] = {
    "requests": frozenset({"change", "body", "notes", "refused", "version", "skip", "error"}),
    "responses": frozenset({"change", "body", "notes", "skip", "error"}),
    "streams": frozenset({"change", "body", "notes", "skip", "error"}),
    "errors": frozenset({"change", "skip"}),
}
_ERROR = frozenset({"kind", "status", "type", "code", "param", "message"})
_NOTE = re.compile(r"(approximated|carried|invented|dropped|refused) (/\S*|anthropic-version|)")
_HTTP = frozenset({"status", "headers", "body", "text"})
# What stands alone in a cell: nothing is translated, so nothing else can be expected.
_ALONE = ("skip", "refused")


class FormatError(Exception):
    """A case file that is not as case files are."""


class _Absent:
    """Where nothing is said, which is other than null."""

    def __bool__(self) -> bool:
        return False


ABSENT = _Absent()


@attrs.frozen(kw_only=True)
class Wanted:
    """What is expected of one pair beyond what the dialects say anyway. `notes` are words like `dropped /seed`."""

    change: Any = ABSENT
    body: Any = ABSENT
    notes: tuple[str, ...] = ()
    refused: str | None = None
    version: str | None = None
    skip: str | None = None
    error: dict[str, Any] | None = None


NOTHING = Wanted()


@attrs.frozen(kw_only=True)
class Entry:
    """One thing that is asked, answered, streamed or refused.

    `kind` is its section. `says` is it in each dialect, `come` what a dialect really sends where that differs (`from`), `raw` a
    stream as text. `told` is what each client is told, `events` a client's exact records. `cells` holds the words of each pair
    that has any, wildcards resolved; `stated` the pairs that were named without a wildcard.
    """

    kind: str
    name: str
    says: dict[str, Any]
    come: dict[str, Any]
    raw: dict[str, str]
    told: dict[str, Any]
    events: dict[Pair, list[Any]]
    cells: dict[Pair, Wanted]
    models: dict[str, str]
    options: dict[str, Any]
    version: str | None
    request: str | None
    actions: dict[str, str]
    paths: dict[str, str]

    def source(self, dialect: str) -> Any:
        """What somebody who speaks this dialect sends; ABSENT if he cannot say it."""
        return self.come.get(dialect, self.says.get(dialect, ABSENT))

    def wanted(self, pair: Pair) -> Wanted:
        """What is expected of a pair."""
        return self.cells.get(pair, NOTHING)

    def model(self, dialect: str) -> str:
        """The model that is asked of a provider of this dialect."""
        return self.models.get(dialect, MODELS[dialect])


@attrs.frozen(kw_only=True)
class Case:
    """One file. `slug` is its name without the ending, `entries` all that is in it, in its order."""

    slug: str
    title: str
    entries: tuple[Entry, ...]

    @property
    def number(self) -> int:
        return int(self.slug[:2])

    def entry(self, kind: str, name: str) -> Entry:
        """The entry of a name."""
        return next(entry for entry in self.entries if (entry.kind, entry.name) == (kind, name))


def paths(folder: Path = FOLDER) -> list[Path]:
    """The case files, in the order of their numbers."""
    return sorted(folder.glob("[0-9][0-9]-*.yaml"))


def load(path: Path) -> Case:
    """One case. Raises FormatError."""
    try:
        return _case(path.stem, _document(path.read_text(encoding="utf-8")))
    except (FormatError, yaml.YAMLError) as error:
        raise FormatError(f"{path.name}: {error}") from None


class _Loader(yaml.SafeLoader):
    """YAML as far as it is JSON: `off`, `no` and `on` are words, not truth values."""

    yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _document(text: str) -> Any:
    loader = _Loader(text)
    root = loader.get_single_node()
    _twice(root, set())
    return loader.construct_document(root)


def _twice(node: yaml.Node | None, seen: set[int]) -> None:
    """A key that stands twice in one mapping: YAML would take the last without a word."""
    if node is None or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            _require(key.value not in keys, f"{key.value} stands twice in line {key.start_mark.line + 1}")
            keys.add(key.value)
            _twice(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            _twice(each, seen)


def _case(slug: str, document: Any) -> Case:
    top = _mapping(document, "the file")
    _only(top, {"title", *_SECTIONS, *_SURFACES}, "the file")
    title = _word(top, "title", "the file")
    entries: list[Entry] = []
    for section in _SECTIONS:
        entries += _entries(section, section, top.get(section, []))
    for surface in _SURFACES:
        inner = _mapping(top.get(surface, {}), surface)
        _only(inner, {"requests", "responses"}, surface)
        for section in ("requests", "responses"):
            entries += _entries(f"{surface}/{section}", section, inner.get(section, []))
    _require(bool(entries), "there is no entry")
    for entry in entries:
        if entry.request is not None:
            kind = f"{entry.kind.rpartition('/')[0]}/requests".lstrip("/")
            known = [each.name for each in entries if each.kind == kind]
            _require(entry.request in known, f"{entry.kind}, {entry.name}: no request is called {entry.request!r}")
    return Case(slug=slug, title=title, entries=tuple(entries))


def _entries(kind: str, section: str, nodes: Any) -> Iterator[Entry]:
    _require(isinstance(nodes, list), f"{kind} must be a list")
    names: set[str] = set()
    for number, node in enumerate(nodes):
        node = _mapping(node, f"{kind}/{number}")
        name = _word(node, "name", f"{kind}/{number}")
        _require(name not in names, f"{kind}: two are called {name!r}")
        names.add(name)
        try:
            yield _entry(kind, section, name, node)
        except FormatError as error:
            raise FormatError(f"{kind}, {name}: {error}") from None


def _entry(kind: str, section: str, name: str, node: dict[str, Any]) -> Entry:
    _only(node, _KEYS[kind], "the entry")
    for one_of in _NEEDED[section]:
        _require(bool(one_of & node.keys()), f"one of {', '.join(sorted(one_of))} is missing")
    says = _by_dialect(node.get("says", {}), "says")
    come = _by_dialect(node.get("from", {}), "from")
    told = _by_dialect(node.get("told", {}), "told")
    raw = _by_dialect(node.get("raw", {}), "raw")
    models = _by_dialect(node.get("models", {}), "models")
    options = _mapping(node.get("options", {}), "options")
    _only(options, {field.name for field in attrs.fields(Options)}, "options")
    version, request = node.get("version"), node.get("request")
    for word, value in (("version", version), ("request", request)):
        _require(value is None or isinstance(value, str), f"{word} must be a string")
    _bodies(kind, says, come, told, raw)
    events = {_pair(pair): records for pair, records in _mapping(node.get("events", {}), "events").items()}
    _require(all(isinstance(records, list) for records in events.values()), "events are lists of records")
    entry = Entry(
        kind=kind,
        name=name,
        says=says,
        come=come,
        raw=raw,
        told=told,
        events=events,
        cells=_cells(section, _mapping(node.get("cells", {}), "cells")),
        models=models,
        options=options,
        version=version,
        request=request,
        actions=_by_dialect(node.get("actions", {}), "actions"),
        paths=_by_dialect(node.get("paths", {}), "paths"),
    )
    for pair in events:
        _require(pair[1] in come or pair[1] in raw, f"events: nothing comes from {pair[1]}")
    return entry


def _bodies(kind: str, says: dict[str, Any], come: dict[str, Any], told: dict[str, Any], raw: dict[str, Any]) -> None:
    if kind == "streams":
        _require(all(isinstance(records, list) for records in come.values()), "what comes is a list of records")
        _require(all(isinstance(text, str) for text in raw.values()), "raw is text")
        _require(not come.keys() & raw.keys(), "a dialect has either from or raw")
        return
    if kind == "errors":
        for where, answers in (("from", come), ("told", told)):
            for dialect, answer in answers.items():
                _only(_mapping(answer, where), _HTTP, f"{where}, {dialect}")
                _require(isinstance(answer.get("status"), int), f"{where}, {dialect}: the status is missing")
                _require(("body" in answer) != ("text" in answer), f"{where}, {dialect}: either body or text")
        return
    for bodies in (says, come):
        for dialect, body in bodies.items():
            _mapping(body, dialect)
            _require(kind != "requests" or "model" not in body, f"{dialect}: the model is the runner's to say")


def _cells(section: str, nodes: dict[str, Any]) -> dict[Pair, Wanted]:
    """The words of each pair. A pair's own come before its client's, these before its provider's."""
    found: dict[Pair, Wanted] = {}
    patterns = {_pair(key, wild=True): _wanted(section, key, node) for key, node in nodes.items()}
    for client in NAMES:
        for provider in NAMES:
            for pattern in ((client, provider), (client, "*"), ("*", provider), ("*", "*")):
                if pattern in patterns:
                    found[client, provider] = patterns[pattern]
                    break
    return found


def _wanted(section: str, key: str, node: Any) -> Wanted:
    words = _mapping(node, key)
    _only(words, _CELL[section], key)
    _require(not ("body" in words and "change" in words), f"{key}: either body or change")
    for alone in _ALONE:
        _require(alone not in words or words.keys() == {alone}, f"{key}: {alone} stands alone")
    for word in ("skip", "refused", "version"):
        _require(isinstance(words.get(word, ""), str), f"{key}: {word} must be a string")
    _require(words.get("skip") != "", f"{key}: a reason is missing")
    notes = words.get("notes", [])
    _require(isinstance(notes, list), f"{key}: notes must be a list")
    for note in notes:
        _require(isinstance(note, str) and _NOTE.fullmatch(note) is not None, f"{key}: {note!r} is no note")
    _require(len(set(notes)) == len(notes), f"{key}: a note stands twice")
    error = words.get("error")
    if error is not None:
        _only(_mapping(error, key), _ERROR, f"{key}, error")
        _require(bool(error), f"{key}: which error?")
    return Wanted(
        change=words.get("change", ABSENT),
        body=words.get("body", ABSENT),
        notes=tuple(notes),
        refused=words.get("refused"),
        version=words.get("version"),
        skip=words.get("skip"),
        error=error,
    )


def _pair(key: Any, *, wild: bool = False) -> Pair:
    names = (*NAMES, "*") if wild else NAMES
    client, _, provider = key.partition(" > ") if isinstance(key, str) else ("", "", "")
    _require(client in names and provider in names, f"{key!r} is no pair")
    return client, provider


def _by_dialect(node: Any, what: str) -> dict[str, Any]:
    found = _mapping(node, what)
    _only(found, NAMES, what)
    return found


def _word(node: dict[str, Any], key: str, what: str) -> str:
    value = node.get(key)
    if not isinstance(value, str) or not value:
        raise FormatError(f"{what} has no {key}")
    return value


def _mapping(node: Any, what: str) -> dict[str, Any]:
    _require(isinstance(node, dict), f"{what} must be a mapping")
    found: dict[str, Any] = node
    return found


def _only(node: dict[str, Any], known: Any, what: str) -> None:
    unknown = [key for key in node if key not in known]
    _require(not unknown, f"{what}: nobody knows {', '.join(map(repr, unknown))}")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise FormatError(message)
