"""The versions of this API. A client says which one it speaks; towards a provider the request decides.

The newer one refuses what most models do not take any more: sampling parameters, documents in assistant messages, citations in
user messages.
"""

from __future__ import annotations

from llmux.dialects.context import Context
from llmux.dialects.reading import invalid

OLDER = "2023-06-01"
NEWER = "2026-10-21"
_HEADER = "anthropic-version"


def of_client(context: Context) -> str:
    """The client's version. Raises Fault for one that the API does not have."""
    version = context.version
    if version is None:
        context.notes.invent(_HEADER, f"absent, taken for {OLDER}")
        return OLDER
    if version not in (OLDER, NEWER):
        raise invalid(_HEADER, f"{_HEADER}: {version!r} is not a valid version")
    return version
