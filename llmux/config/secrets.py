"""Where a key comes from: the file itself, the environment, a file of its own, or systemd's credentials.

A key that is not there (its variable is not set, its file does not exist) is absent, which is noted and no mistake: the
same configuration serves machines that hold different keys. No message repeats a key, right or wrong.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any, TypeVar

import attrs

from llmux.config.env import Unset
from llmux.config.nodes import Node, folder_of
from llmux.config.problems import Mistake
from llmux.config.reader import Reader, attempt, each, key, reads, reads_as, section
from llmux.config.values import text

_LOADED = "keys_"  # what systemd puts before the names of the files in a folder that is loaded as "keys"
_CREDENTIAL = re.compile(r"[ -.0-9;-~]+")

# Who may read the folder, and when it is filled, is easily forgotten.
_RIGHTS = "; run as root to see it, the service has it from systemd"
_ALONE = ", and CREDENTIALS_DIRECTORY is not set"
_LATER = ", and systemd puts new ones there only when the service starts again"


@attrs.frozen
class Secret:
    """What was found where a key should be: its value, or None and the reason."""

    value: str | None = attrs.field(repr=False)
    reason: str = ""


def secret_of(value: str, node: Node, empty: str) -> Secret:
    """A key as it may be used. `empty` is the reason to give where there is none."""
    value = value.strip()
    if not value:
        return Secret(None, empty)
    problem = unfit(value)
    if problem:
        node.fail(problem)
    return Secret(value)


def unfit(value: str) -> str | None:
    """Why a text cannot be a key, or None. The text is not repeated."""
    if not value.isascii() or re.search(r"[\x00-\x20\x7f]", value):
        return "no key: it holds a space, a line break, or a character that no header can carry"
    return None


@reads("text")
def _written(node: Node) -> Secret:
    try:
        return secret_of(node.text(), node, "the key is empty")
    except Unset as unset:
        return Secret(None, str(unset))


@reads("the name of an environment variable")
def _from_variable(node: Node) -> Secret:
    name = text(node)
    return secret_of(node.book.environ.get(name, ""), node, str(Unset(name)))


@reads("the path of a file")
def _from_file(node: Node) -> Secret:
    return _first([os.path.join(node.folder, text(node))], node)


@reads("the name of a credential")
def _from_credential(node: Node) -> Secret:
    """From the folder that systemd fills (`LoadCredential=`, systemd.exec(5)); without it, from the one that it is filled from.

    A folder that the unit loads as `keys` arrives as files `keys_NAME`, and a single credential under its own name.
    """
    name, given = text(node), node.book.environ.get("CREDENTIALS_DIRECTORY")
    if not _CREDENTIAL.fullmatch(name) or name in (".", ".."):
        node.fail("must be the name of a credential: ASCII, and neither '/' nor ':' in it")
    if given:
        return _first([os.path.join(given, file) for file in (_LOADED + name, name)], node, missing=_LATER)
    folder = os.path.join(folder_of(node.book.file), "credentials")
    files = dict.fromkeys((name, name.removeprefix(_LOADED)))
    return _first([os.path.join(folder, file) for file in files], node, missing=_ALONE, denied=_RIGHTS)


def _first(paths: Sequence[str], node: Node, missing: str = "", denied: str = "") -> Secret:
    """The key in the first of these files that is there. The two words follow where none is, or where it may not be read."""
    for path in paths:
        try:
            with open(path, encoding="utf-8") as file:
                return secret_of(file.read(), node, f"{path} is empty")
        except FileNotFoundError:
            continue
        except OSError as error:
            return Secret(None, f"{path}: {error.strerror}{denied if isinstance(error, PermissionError) else ''}")
        except ValueError:
            node.fail("no key: the file is not text")
    return Secret(None, f"there is no file {' or '.join(paths)}{missing}")


@attrs.frozen(kw_only=True)
class KeyItem:
    """A key with its particulars: exactly one place that it comes from, and a name."""

    written: Secret | None = key(
        _written, None, "key", doc="The key itself, better as a `${NAME}` of the environment.", example='"${LLMUX_KEY}"'
    )
    file: Secret | None = key(
        _from_file,
        None,
        doc="A file that holds the key and nothing else. A relative path starts at the folder of the configuration file that "
        "names it.",
        example="/run/secrets/llmux",
    )
    env: Secret | None = key(_from_variable, None, doc="The environment variable that holds the key.", example="LLMUX_KEY")
    credential: Secret | None = key(
        _from_credential,
        None,
        doc="The systemd credential that holds the key. For the packaged service, the file of this name in "
        "`/etc/llmux/credentials`.",
        example="llmux",
    )
    name: str | None = key(
        text, None, doc="What logs call the key. Without it, it is named after its place in the list.", example="laptop"
    )

    @property
    def secret(self) -> Secret:
        return self.written or self.file or self.env or self.credential or Secret(None, "the key is empty")


@attrs.frozen(kw_only=True)
class ClientKeyItem(KeyItem):
    """A client key with its particulars."""

    models: tuple[str, ...] | None = key(
        each(text), None, doc="The models that it may ask for, names or patterns. Without it, all.", example='["gpt-*"]'
    )


_SOURCES = ("written", "file", "env", "credential")
Item = TypeVar("Item", bound=KeyItem)


def key_item(cls: type[Item]) -> Reader[Item]:
    """A reader of one key: text, or a mapping that says where it is."""

    def make(node: Node, values: dict[str, Any]) -> Item:
        if len([source for source in _SOURCES if source in values]) != 1:
            node.fail("needs one of 'key', 'file', 'env' and 'credential'")
        if not any(values.get(source) for source in _SOURCES):
            raise Mistake  # noted where it stands
        return cls(**values)

    described = section(cls, make=make, private=True)

    @reads_as(described, "a key or a mapping that says where it is")
    def read(node: Node) -> Item:
        # A key of a later file takes the place of the earlier: two places put together would be none.
        return described(node.last) if node.is_mapping else cls(written=_written(node))

    return read


_one = key_item(KeyItem)


@reads_as(_one)
def present_secret(node: Node) -> str:
    """A key. One that is absent is left out of the list that it stands in: that is noted, and no mistake."""
    secret = _one(node).secret
    if secret.value is None:
        node.note(f"absent: {secret.reason}")
        raise Mistake
    return secret.value


@reads_as(_one)
def optional_secret(node: Node) -> str | None:
    """A key that may be absent. An empty text is how some programs write that there is none, and is not worth a notice."""
    return None if node.raw.value == "" else attempt(present_secret, node, None)
