"""The account that a local control plane shows to Amp: one person a client key, nobody at ampcode.com.

Amp's command line reads `id`, `email`, `features` (an array, or it crashes) and `team` of it. Addresses at sourcegraph.com
and ampcode.com would switch internal features on, so the made-up one is in a domain that cannot exist (RFC 2606).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime

_PERSON: dict[str, object] = {
    "username": "llmux",
    "email": "amp@llmux.invalid",
    "firstName": "Local",
    "lastName": "User",
    "displayName": "Local User",
    "emailVerified": True,
    "profilePictureUrl": None,
    "siteAdmin": False,
}


def iso(seconds: float) -> str:
    """Unix seconds as JavaScript writes a date: `2026-01-31T12:00:00.000Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def user_id(owner: str, configured: Mapping[str, object]) -> str:
    """The id of the person behind a client key. The same after every restart: Amp refuses to resume another person's thread."""
    given = configured.get("id")
    if isinstance(given, str) and given:
        return given
    return "user_" + hashlib.sha256(b"amp user\0" + owner.encode("utf-8", "surrogatepass")).hexdigest()[:26]


def user_info(owner: str, configured: Mapping[str, object]) -> dict[str, object]:
    """The result of `getUserInfo`: the person, without features, team or messages from anybody."""
    return {
        **_person(owner, configured),
        "features": configured.get("features", []),
        "team": configured.get("team"),
        "mysteriousMessage": None,
    }


def short_user(owner: str, configured: Mapping[str, object]) -> dict[str, object]:
    """The result of `getUser`."""
    person = _person(owner, configured)
    return {name: person[name] for name in ("id", "username", "email", "firstName", "lastName", "displayName")}


def profile(owner: str, configured: Mapping[str, object], now: float) -> dict[str, object]:
    """The body of `GET /api/user`: the person with dates and a free plan that counts nothing."""
    today = iso(now)
    return {
        **_person(owner, configured),
        "lastSignInAt": today,
        "createdAt": today,
        "updatedAt": today,
        "subscriptions": [],
        "plan": {"type": "free", "name": "Free Plan", "limits": {"monthlyUsage": 0, "monthlyLimit": 100}},
    }


def connections(owner: str) -> list[dict[str, object]]:
    """The body of `GET /api/connections`: the code hosts that Amp knows, none of them connected."""
    return [
        {
            "id": f"{kind}_{user_id(owner, {})[5:]}",
            "name": name,
            "type": kind,
            "status": "disconnected",
            "connectedAt": None,
            "username": None,
        }
        for kind, name in (("github", "GitHub"), ("gitlab", "GitLab"))
    ]


def _person(owner: str, configured: Mapping[str, object]) -> dict[str, object]:
    return {**_PERSON, **configured, "id": user_id(owner, configured)}
