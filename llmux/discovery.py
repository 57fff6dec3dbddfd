"""What providers say they serve: their own model lists, asked for those with `discover: true`."""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger

from llmux.config.schema import Provider
from llmux.dialects.registry import DIALECTS
from llmux.errors import Fault
from llmux.net.agent import PooledAgent, http_client
from llmux.net.pool import Pool

_log = Logger("llmux.discovery")

# A list longer than this many pages is no list of models.
_MOST_PAGES = 20


async def discover(provider: Provider, pool: Pool) -> tuple[str, ...] | None:
    """The names in a provider's model list, or None where it could not be read; the reason is logged."""
    try:
        return tuple(await _list(provider, pool))
    except Exception as error:  # a list that cannot be had must not stop the daemon
        _log.warn("provider {name}: its model list could not be read: {why}", name=provider.name, why=_why(error))
        return None


async def _list(provider: Provider, pool: Pool) -> list[str]:
    agent = PooledAgent(pool, provider.timeouts.connect)
    client = http_client(agent)
    dialect = DIALECTS[provider.dialects[0]]
    headers: dict[Any, Any] = dict(provider.headers)
    reactor: Any = object()  # treq wants one for a timeout that is not used
    if provider.credentials:
        name, value = dialect.credential(provider.credentials[0].value)
        headers[name.decode()] = value.decode()
    path = "/models"
    if dialect.family == "anthropic":
        headers["anthropic-version"] = "2023-06-01"
        path = "/v1/models"
    elif dialect.family == "gemini":
        path = "/v1beta/models"
    url, params = f"{provider.base_url}{path}", dict[str, str]()
    names: list[str] = []
    for _ in range(_MOST_PAGES):
        response: Any = await client.get(url, headers=headers, params=params, allow_redirects=False, reactor=reactor)
        document = await response.json()
        if response.code != 200:
            raise ValueError(f"it answered with status {response.code}")
        names += _names(document, "models" if dialect.family == "gemini" else "data")
        if document.get("nextPageToken"):
            params = {"pageToken": document["nextPageToken"]}
        elif document.get("has_more") and document.get("last_id"):
            params = {"after_id": document["last_id"]}
        else:
            break
    return names


def _names(document: Any, member: str) -> list[str]:
    rows = document.get(member) if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise ValueError("it is no list of models")
    found = [(row.get("name") if member == "models" else row.get("id")) for row in rows if isinstance(row, dict)]
    return [name.removeprefix("models/") for name in found if isinstance(name, str) and name]


def _why(error: Exception) -> str:
    # A provider's words might repeat the key; our own faults and the kind of error say enough.
    return error.message if isinstance(error, Fault) else type(error).__name__
