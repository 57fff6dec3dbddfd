"""The keys that clients show, those that providers are shown, and which ones are no keys at all."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

import attrs

from llmux.config.nodes import Node
from llmux.config.reader import attempt, each, reads_as
from llmux.config.secrets import ClientKeyItem, KeyItem, key_item

# Client keys from the environment, separated by commas, beside those of the file.
ADDITIONAL = "ADDITIONAL_API_KEYS"

# Keys that stand in examples: whoever copies one runs a gateway that the whole world has the key to.
PLACEHOLDERS = {
    "your-*": "stands for a key of yours",  # your-api-key-1: an example of CLIProxyAPI's that attackers try
    "your_*": "stands for a key of yours",
    "my-api-key*": "stands for a key of yours",
    "*-your-*": "stands for a key of yours",  # sk-your-key
    "*-here": "stands for a key of yours",  # insert-key-here
    "<*>": "stands for a key of yours",
    "*...": "is cut short",  # sk-..., sk-ant-...
    "xxx*": "is crossed out",
    "sk-xxx*": "is crossed out",
    "[*][*][*]*": "is crossed out",
    "change*me*": "asks to be changed",
    "replace*me*": "asks to be replaced",
    "placeholder*": "says so itself",
    "example*": "says so itself",
    "sk-example*": "says so itself",
    "dummy*": "says so itself",
    "todo": "says so itself",
    "sk-1234": "is the example of another gateway's documentation",
}


@attrs.frozen
class ClientKey:
    """A key that clients show. `models`: the names or globs that it may ask for; None means all."""

    key: str = attrs.field(repr=False)
    name: str
    models: tuple[str, ...] | None = None


@attrs.frozen
class Credential:
    """A key that a provider is shown. `name` is what logs may call it."""

    value: str = attrs.field(repr=False)
    name: str


def placeholder(key: str) -> str | None:
    """Why this key is none, or None for a real one."""
    forms = (key.lower(), key.lower().replace("_", "-"))
    return next((why for pattern, why in PLACEHOLDERS.items() if any(fnmatchcase(form, pattern) for form in forms)), None)


_client_item = key_item(ClientKeyItem)
_provider_item = key_item(KeyItem)


@reads_as(each(_client_item))
def client_keys(node: Node) -> tuple[ClientKey, ...]:
    """The client keys of the file. A list of which nothing is left is a mistake: it would leave the door open."""
    items = node.items()
    keys: list[ClientKey] = []
    absent: list[str] = []
    for position, at in enumerate(items, 1):
        item = attempt(_client_item, at, None)
        if item is None:
            continue
        secret = item.secret
        if secret.value is None:
            absent.append(secret.reason)
            at.note(f"absent: {secret.reason}")
        elif why := placeholder(secret.value):
            at.blame(f"a placeholder, and no key: it {why}; make one up that nobody can guess")
        else:
            key = ClientKey(secret.value, item.name or f"key-{position}", item.models)
            _refuse_twins(at, key, keys)
            keys.append(key)
    if items and len(absent) == len(items) and not node.book.environ.get(ADDITIONAL, "").strip(" ,"):
        node.fail(f"no key is left ({'; '.join(dict.fromkeys(absent))}), and without keys everybody may call")
    return tuple(keys)


def _refuse_twins(at: Node, key: ClientKey, others: Iterable[ClientKey]) -> None:
    for other in others:
        if other.key == key.key:
            at.blame(f"the same key as '{other.name}'")
        elif other.name == key.name:
            at.blame(f"a second key with the name '{key.name}'")


@reads_as(each(_provider_item))
def credential_items(node: Node) -> tuple[tuple[Node, KeyItem], ...]:
    """The keys of a provider as they are written, those included that are absent."""
    items = ((at, attempt(_provider_item, at, None)) for at in node.items())
    return tuple((at, item) for at, item in items if item is not None)


def credentials(provider: str, items: Iterable[tuple[Node, KeyItem]]) -> tuple[Credential, ...]:
    """Those that are there, each named after its provider and its place in the list if it has no name of its own."""
    named = ((item.secret.value, item.name or f"{provider}-{position}") for position, (_, item) in enumerate(items, 1))
    return tuple(Credential(value, name) for value, name in named if value is not None)
