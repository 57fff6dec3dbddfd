"""Seals of any provider as thought signatures.

A signature is bytes for this API, base64 for its JSON. Its own travel as they came; an envelope of ours is wrapped in base64 once
more, because clients decode the member before they send it back.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from llmux.dialects.context import Context
from llmux.dialects.neutral import Seal
from llmux.dialects.reading import get
from llmux.dialects.seals import PREFIX
from llmux.dialects.unsealing import Slot

FAMILY = "gemini"
# What the API documents for calls that it did not make itself, or whose signature is lost.
BYPASS = "skip_thought_signature_validator"

# How the base64 of an envelope begins: whole groups of three bytes, and what the next byte must begin with.
_WRAPPED = base64.b64encode(PREFIX.encode()[:6]).decode() + "L"
MARK = _WRAPPED.encode()


def native(value: str) -> Seal:
    """A signature that the API made."""
    return Seal(FAMILY, "thought_signature", value)


def read(value: str, text: str, context: Context, at: str) -> tuple[Seal, ...]:
    """The seal in a signature that a client gave back; `text` is what was visible of what it seals."""
    if not value:
        return ()
    envelope = _envelope(value)
    if envelope is None:
        return (native(value),)
    return context.seal_in(envelope, native(value), text, at)


def write(seal: Seal, text: str, context: Context) -> str:
    """A seal as a signature."""
    if seal.family == FAMILY:
        return seal.payload
    return base64.b64encode(context.seal_out(seal, FAMILY, text).encode()).decode()


def sealed(node: dict[str, Any]) -> Slot | None:
    """See `llmux.dialects.unsealing.Sealed`. A call cannot be without a signature, and what is said stays said."""
    for member in ("thoughtSignature", "thought_signature"):
        value = node.get(member)
        if isinstance(value, str) and (envelope := _envelope(value)) is not None:
            is_call = get(node, "functionCall", "function_call") is not None
            visible = str(node.get("text", "")) if node.get("thought") else ""
            return Slot(member, envelope, native(value), visible, node.get("text") != "", BYPASS if is_call else None)
    return None


def _envelope(value: str) -> str | None:
    if not value.startswith(_WRAPPED):
        return None
    try:
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return None
