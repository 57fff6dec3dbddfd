"""How a provider's opaque proof travels through a client that speaks another dialect, and back.

A seal leaves in whatever slot the client's dialect has for its own, as an envelope: `llmux1.`, the seal as base64url JSON, a
dot, and an HMAC over both. Only what we made ourselves is opened; a seal is bound to the text that was visible beside it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

from llmux import jsonio
from llmux.dialects.neutral import Seal

PREFIX = "llmux1."


class Seals:
    """Makes and opens envelopes. The first key signs; the others are old ones, which may still open."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise ValueError("a key is needed")
        self._keys = tuple(keys)

    def wrap(self, seal: Seal, text: str = "") -> str:
        """The envelope of a seal. `text` is what is visible beside it."""
        content = jsonio.dumps(
            {"family": seal.family, "kind": seal.kind, "payload": seal.payload, "text": _digest(text)},
        )
        signed = PREFIX + _encode(content)
        return f"{signed}.{_encode(_sign(self._keys[0], signed))}"

    def open(self, value: str, native: Seal, text: str = "") -> Seal | None:
        """The seal that a client gave back in its dialect's slot.

        `native` if it is none of our envelopes, or one that we did not make: then it can only be the client's own. None if the
        visible text beside it is not the one that was sealed.
        """
        content = self._content(value)
        if content is None:
            return native
        if content["text"] != _digest(text):
            return None
        return Seal(content["family"], content["kind"], content["payload"])

    def ours(self, value: str) -> bool:
        """Whether this is an envelope that we made."""
        return self._content(value) is not None

    def _content(self, value: str) -> dict[str, Any] | None:
        if not value.startswith(PREFIX):
            return None
        signed, _, proof = value.rpartition(".")
        try:
            given = _decode(proof)
            if not any(hmac.compare_digest(_sign(key, signed), given) for key in self._keys):
                return None
            content: dict[str, Any] = jsonio.loads(_decode(signed.removeprefix(PREFIX)))
        except (ValueError, binascii.Error):
            return None
        return content


def _sign(key: bytes, signed: str) -> bytes:
    return hmac.digest(key, signed.encode("utf-8", "surrogatepass"), "sha256")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
