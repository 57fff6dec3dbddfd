"""The file in which Amp's own command line keeps its key: `~/.local/share/amp/secrets.json`, a flat object of strings."""

from __future__ import annotations

import json

# Amp files the key under the address that it belongs to. The name is fixed and has nothing to do with amp.upstream_url.
MEMBER = "apiKey@https://ampcode.com/"


def parse_secrets(text: str) -> str | None:
    """The Amp key in the text of secrets.json, trimmed; None where there is none.

    Raises ValueError for what is no flat object of strings. The message tells places and member names, never a value.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        # without its cause: the decoder's exception carries the whole text, secrets included
        raise ValueError(f"not valid JSON at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(document, dict):
        raise ValueError("must be a JSON object")
    for name, value in document.items():
        if not isinstance(value, str):
            raise ValueError(f"member {name!r} must be a string")
    secret: str = document.get(MEMBER, "")
    return secret.strip() or None
