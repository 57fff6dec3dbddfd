"""Providers: who can be asked, in which dialects, with which keys, for which models."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import attrs

import llmux
from llmux.config.keys import Credential, credential_items, credentials
from llmux.config.limits import Retry, Timeouts, check_retry
from llmux.config.nodes import Node
from llmux.config.problems import Mark, suggestion
from llmux.config.reader import Reader, attempt, each, inherited, key, reads, reads_as, refined, required, section, some, table
from llmux.config.secrets import KeyItem, optional_secret
from llmux.config.translation import Translation
from llmux.config.values import boolean, choice, headers, integer, number, text, url
from llmux.dialects.registry import DIALECTS

# What `dialect:` may say: a dialect, or a family whose members one provider speaks together.
SPOKEN: dict[str, tuple[str, ...]] = {"openai": ("openai-chat", "openai-responses")} | {name: (name,) for name in DIALECTS}

BUILTIN = "builtin:"  # in front of a scenario that comes with llmux
_SCENARIOS = Path(llmux.__file__).parent / "scenarios"

# The name stands in paths (/api/provider/NAME/), headers and metrics.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

# Where the official SDK of a vendor begins its paths: what is missing or too much there ends in a 404 on every request.
_BASE_PATHS = {
    "api.openai.com": "/v1",
    "api.anthropic.com": "",
    "generativelanguage.googleapis.com": "",
}


@reads("the path of a file or folder, or builtin:NAME")
def scenario(node: Node) -> str:
    """`builtin:NAME`, or the path of a scenario file or of a folder of them, relative to the file that says so."""
    value = text(node)
    if value.startswith(BUILTIN):
        known = sorted(path.stem for path in _SCENARIOS.glob("*.yaml"))
        name = value.removeprefix(BUILTIN)
        if name not in known:
            node.fail(f"no built-in scenario '{name}'{suggestion(name, known)}")
        return value
    path = os.path.join(node.folder, value)
    if not os.path.exists(path):
        node.fail(f"{path}: no such file or folder")
    return path


Flow = Literal["device", "code", "client"]
_FLOWS: dict[str, Flow] = {"device": "device", "code": "code", "client": "client"}


@attrs.frozen(kw_only=True)
class OAuth:
    """How tokens are had where there are no keys."""

    flow: Flow = required(
        choice(_FLOWS),
        doc="How the first token is obtained: with a code typed on another device (`device`), with a browser (`code`), or with "
        "the client's own secret (`client`).",
        example="client",
    )
    token_url: str = required(url, doc="Where tokens are obtained and refreshed.", example="https://auth.example/token")
    authorize_url: str | None = key(
        url, None, doc="Where the browser is sent. The flow `code` needs it.", example="https://auth.example/authorize"
    )
    device_url: str | None = key(
        url,
        None,
        doc="Where the code for the other device is obtained. The flow `device` needs it.",
        example="https://auth.example/device",
    )
    client_id: str = required(text, doc="What the service calls llmux.", example="llmux")
    client_secret: str | None = key(
        optional_secret,
        None,
        doc="The secret that belongs to `client_id`, if the service gave one.",
        example='"${OAUTH_SECRET}"',
        secret=True,
    )
    scopes: tuple[str, ...] = key(each(text), (), doc="What the token shall permit, in the service's own words.")


_NEEDED = {"code": "authorize_url", "device": "device_url"}


def _check_oauth(node: Node, oauth: OAuth) -> None:
    needed = _NEEDED.get(oauth.flow)
    if needed and getattr(oauth, needed) is None:
        node.lack(f"needs the key '{needed}' for the flow '{oauth.flow}'")


_oauth = section(OAuth, _check_oauth)

# What is read are the keys as they are written; `_provider` names them and leaves out those that are absent.
_credentials: Reader[Any] = credential_items


@attrs.frozen(kw_only=True)
class Provider:
    """A configured service: over HTTP at `base_url`, or played back from `scenario`.

    `keyless`: no credential is sent, because none is configured.
    `skipped` says why the provider cannot be used although it is configured: none of its keys is there.
    """

    name: str
    dialects: tuple[str, ...] = key(
        choice(SPOKEN),
        (),
        "dialect",
        doc="The API that it speaks; `openai` means both `openai-chat` and `openai-responses`. Required, unless there is a "
        "`scenario`, which speaks all by default.",
        example="openai",
    )
    base_url: str | None = key(
        url,
        None,
        doc="Its address, as the vendor's own SDK expects it: OpenAI's ends in `/v1`, the others do not. Required, unless there "
        "is a `scenario`.",
        example="https://api.openai.com/v1",
    )
    credentials: tuple[Credential, ...] = key(
        _credentials,
        (),
        "api_keys",
        doc="Its keys; the first that is present is used. Without `api_keys`, it is asked with no key at all. If none of those "
        "listed is present, the provider is passed over, and llmux says so.",
        example='["${OPENAI_API_KEY}"]',
    )
    oauth: OAuth | None = key(_oauth, None, doc="How to obtain tokens from an OAuth service in place of keys.", later=True)
    models: tuple[str, ...] = key(
        some(text),
        (),
        doc="The models that it serves: names, or patterns with `*`, `?` and `[...]`. If several providers list a model, an "
        "exact name wins over a pattern, then the order of the file decides. Required, unless there is `discover` or a "
        "`scenario`.",
        example='["gpt-*", "o*"]',
    )
    discover: bool = key(
        boolean,
        False,
        doc="Whether the provider is asked which models it has, at the start and every hour. They are added to `models`.",
    )
    headers: tuple[tuple[str, str], ...] = key(
        headers,
        (),
        doc="Headers of every request to it, in place of the client's headers of the same name.",
        example="{x-team: llmux}",
        secret=True,
    )
    timeouts: Timeouts = key(refined(Timeouts), Timeouts(), doc="Its own timeouts.")
    retry: Retry = key(refined(Retry, check_retry), Retry(), doc="Its own retries.", later=True)
    translation: Translation = key(
        refined(Translation), Translation(), doc="How requests of clients of other dialects are translated for it."
    )
    weight: int = key(
        integer(1), 1, doc="Its share of the requests among providers of one priority that serve the same model.", later=True
    )
    priority: int = key(
        integer(-1000, 1000),
        0,
        doc="Of several providers for a model, those with the highest priority are asked first.",
        later=True,
    )
    enabled: bool = key(boolean, True, doc="Whether it is used at all.")
    scenario: str | None = key(
        scenario,
        None,
        doc="In place of an HTTP service: a scenario file, or a folder of them, that llmux plays back, or `builtin:hello`. A "
        "relative path starts at the folder of the configuration file that names it.",
    )
    speed: float = key(
        number(0), 1.0, doc="The factor for every delay in the scenario: 0 plays it at once, 2 takes twice as long."
    )
    workspace: str | None = key(text, None, doc="The folder in which the scenario works.", later=True)
    record: str | None = key(text, None, doc="Where what is asked and answered is recorded.", later=True)
    replay: str | None = key(text, None, doc="A recording that is played back.", later=True)
    keyless: bool = False
    skipped: str | None = None
    where: Mark


# The words, with their fields, that mean nothing beside `scenario`; and the words that mean nothing without it.
_OF_HTTP = {"base_url": "base_url", "api_keys": "credentials", "oauth": "oauth", "discover": "discover", "headers": "headers"}
_OF_PLAYBACK = ("speed", "workspace", "record", "replay")
_DEFAULTS = {field.name: field.default for field in attrs.fields(Provider)}


def _provider(node: Node, values: dict[str, Any]) -> Provider:
    name = node.path.removeprefix("providers.")
    if not _NAME.fullmatch(name):
        node.blame("cannot be a provider's name: letters, digits, '.', '_' and '-', with a letter or digit first")
    shared = {"timeouts": inherited(node, Timeouts), "retry": inherited(node, Retry)}
    values = {"name": name, **shared, "translation": inherited(node, Translation)} | values
    return _played_back(node, values) if "scenario" in values else _over_http(node, values)


_read = section(Provider, make=_provider)


@reads_as(table(_read))
def providers(node: Node) -> tuple[Provider, ...]:
    """All providers, in file order. What is read later may refer to them."""
    found = (attempt(_read, value, None) for _, value in node.entries().values())
    node.book.providers = tuple(provider for provider in found if provider is not None)
    return node.book.providers


def _played_back(node: Node, values: dict[str, Any]) -> Provider:
    """From a scenario. It speaks every dialect and serves every model, unless the file says less."""
    for word, field in _OF_HTTP.items():
        if _said(values, field):
            node.blame(f"'{word}' means nothing beside 'scenario'")
        values.pop(field, None)
    every: dict[str, Any] = {"dialects": tuple(DIALECTS), "models": ("*",), "keyless": True}
    return Provider(**every | values)


def _said(values: dict[str, Any], field: str) -> bool:
    """Whether it says anything: the default, written out, does not."""
    return field in values and values[field] != _DEFAULTS[field]


def _over_http(node: Node, values: dict[str, Any]) -> Provider:
    """Over HTTP, with the credentials that are there; with none left of those that should be, it is skipped."""
    for word in _OF_PLAYBACK:
        if _said(values, word):
            node.blame(f"'{word}' means nothing without 'scenario'")
    if "base_url" not in values:
        node.lack("needs the key 'base_url', or 'scenario'")
    if "dialects" not in values:
        node.lack("needs the key 'dialect'")
    if "models" not in values and not values.get("discover"):
        node.lack("needs the key 'models', or 'discover: true'")
    _doubt_base_url(node, values.get("base_url"))
    items: tuple[tuple[Node, KeyItem], ...] = values.pop("credentials", ())
    provider = Provider(credentials=credentials(values["name"], items), **values)
    if not provider.enabled:
        return provider
    absent = [(at, item.secret.reason) for at, item in items if item.secret.value is None]
    if provider.credentials:
        for at, reason in absent:
            at.note(f"absent: {reason}")
        return provider
    if "api_keys" not in {word.replace("-", "_") for word in node.entries()} and provider.oauth is None:
        return attrs.evolve(provider, keyless=True)
    return _skipped(node, provider, [reason for _, reason in absent])


def _skipped(node: Node, provider: Provider, reasons: list[str]) -> Provider:
    if provider.oauth is not None:
        reasons.append("oauth has no effect yet")
    reason = "; ".join(dict.fromkeys(reasons)) or "api_keys is empty; leave it out for a server that needs no key"
    node.note(f"skipped: {reason}")
    return attrs.evolve(provider, skipped=reason)


def _doubt_base_url(node: Node, base_url: str | None) -> None:
    parts = urlsplit(base_url or "")
    expected = _BASE_PATHS.get(parts.hostname or "")
    if expected is not None and parts.path != expected:
        node.note(f"unusual base_url; that of the vendor's own clients is https://{parts.hostname}{expected}")
