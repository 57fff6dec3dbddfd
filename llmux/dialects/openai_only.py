"""What OpenAI's two APIs have in common and no other API has: members of a request, and how cache marks are written."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import Caching, Level, Mark, Request
from llmux.dialects.notes import Notes
from llmux.thinking import declined, level_of

_MOST = 4
# what others say -> what these APIs say, which is the least time that a prompt is kept
_TTLS: dict[str, str] = {"5m": "30m", "30m": "30m", "1h": "30m", "12h": "12h"}
_SHORTENED = frozenset({"1h"})
_LONGEST_USER = 64
# What most requests say.
_NOTHING = Caching()


class Marks:
    """Gathers the marks of a request with the parts that they end, in the order of the prompt."""

    __slots__ = ("_context", "_found")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._found: list[tuple[Mark, dict[str, Any]]] = []

    def add(self, mark: Mark | None, part: dict[str, Any]) -> None:
        """A part that ends a prefix, unless it has no mark."""
        if mark is not None:
            self._found.append((mark, part))

    def lose(self, mark: Mark | None, why: str) -> None:
        """A mark where the API takes none."""
        if mark is not None:
            self._context.notes.drop(mark.at, why)

    def settle(self) -> None:
        """Write the last marks into their parts, and note the others."""
        if self._context.target.options.compatible:
            for mark, _ in self._found:
                self._context.notes.drop(mark.at, "compatible servers do not know it")
            return
        surplus = max(len(self._found) - _MOST, 0)
        for mark, _ in self._found[:surplus]:
            self._context.notes.drop(mark.at, f"the API keeps {_MOST} cache marks, and these are the last")
        for mark, part in self._found[surplus:]:
            part["prompt_cache_breakpoint"] = {"mode": "explicit"} | _lifetime(mark, self._context.notes)


def caching(doc: dict[str, Any], known: frozenset[str], where: dict[str, str], context: Context) -> Caching:
    """What a request says of the prompt cache beside the marks; `known` are the options that its reader knows."""
    for name, slot in (("prompt_cache_key", "key"), ("prompt_cache_retention", "retention")):
        if doc.get(name) is not None:
            where[slot] = f"/{name}"
    key = reading.optional(doc.get("prompt_cache_key"), "/prompt_cache_key")
    retention = reading.optional(doc.get("prompt_cache_retention"), "/prompt_cache_retention")
    at = "/prompt_cache_options"
    options = reading.obj(doc.get("prompt_cache_options"), at)
    if options is None:
        return Caching(key, retention=retention)
    reading.rest(options, known, at, context.notes)
    mark = Mark(reading.optional(options.get("ttl"), f"{at}/ttl"), at)
    match options.get("mode"):
        case "implicit" | None:
            where["automatic"] = at
            return Caching(key, automatic=mark, retention=retention)
        case "explicit":
            return Caching(key, marked_only=mark, retention=retention)
        case mode:
            raise reading.invalid(f"{at}/mode", f"Invalid value: '{mode}'. Supported values are: 'implicit' and 'explicit'.")


def user(doc: dict[str, Any], where: dict[str, str]) -> tuple[str | None, str | None]:
    """Who is behind the client, by the newer member or else the older; and what the older says beside the newer."""
    newer = reading.optional(doc.get("safety_identifier"), "/safety_identifier") or None
    older = reading.optional(doc.get("user"), "/user") or None
    if newer is None:
        if older is not None:
            where["user"] = "/user"
        return older, None
    where["user"] = "/safety_identifier"
    return newer, older


def effort(request: Request, context: Context) -> Level | None:
    """How much to think, as these APIs say it: by level. None leaves it to the model, or the model does not think."""
    policy, where, notes = request.reasoning, request.where, context.notes
    off = declined(request, notes)
    level: Level | None = policy.level if off is None else "none"
    if off is None and policy.budget is not None:
        level = policy.level or level_of(policy.budget)
        also = "" if policy.level is None else ", and the level is told too"
        notes.approximate(where.get("budget", ""), f"a budget cannot be said{also}: {level}")
    if context.target.capabilities.thinking != "none":
        return level
    if level not in (None, "none"):
        notes.drop(where.get("level") or where.get("budget", ""), "the model does not think")
    return None


def write(request: Request, context: Context, body: dict[str, Any], ttls: Collection[str]) -> None:
    """Write all of it into a body. `ttls` are the lifetimes that the API takes for a whole request. Raises Fault."""
    if request.user is not None:
        # the older member stays what it was: whoever reads only that one would miss it
        body["user" if request.where.get("user") == "/user" else "safety_identifier"] = _user(request, context.notes)
    if request.legacy_user is not None:
        body["user"] = request.legacy_user
    if request.moderation is not None:
        body["moderation"] = request.moderation
    if request.caching != _NOTHING:
        _write_caching(request.caching, context.notes, body, ttls)


def _write_caching(said: Caching, notes: Notes, body: dict[str, Any], ttls: Collection[str]) -> None:
    if said.key is not None:
        body["prompt_cache_key"] = said.key
    if said.retention is not None:
        body["prompt_cache_retention"] = said.retention
    for mode, mark in (("implicit", said.automatic), ("explicit", said.marked_only)):
        if mark is not None:
            lifetime = _lifetime(mark, notes)
            if lifetime and lifetime["ttl"] not in ttls:
                notes.drop(f"{mark.at}/ttl", f"the API keeps no whole request for {lifetime['ttl']}")
                lifetime = {}
            body["prompt_cache_options"] = {"mode": mode} | lifetime


def lose(request: Request, notes: Notes) -> None:
    """Note what another API cannot say. Raises Fault where that would change what is asked for."""
    if request.legacy_user is not None:
        notes.drop("/user", "the safety_identifier says the same")
    said, where = request.caching, request.where
    if said.key is not None:
        notes.drop(where.get("key", ""), "prompts are found in the cache without a key")
    if said.retention is not None:
        notes.drop(where.get("retention", ""), "how long a prompt is kept goes with the marks")
    if said.marked_only is not None and said.marked_only.ttl is not None:
        notes.drop(f"{said.marked_only.at}/ttl", "elsewhere each mark says for how long")
    if request.moderation is None:
        return
    policy = request.moderation.get("policy")
    for side, rule in (policy if isinstance(policy, dict) else {}).items():
        if isinstance(rule, dict) and rule.get("mode") == "block":
            notes.refuse(f"/moderation/policy/{reading.token(side)}/mode", "only OpenAI blocks what its moderation finds")
    reading.drop(request.moderation, "/moderation", notes, "only OpenAI scores what is said")


def _lifetime(mark: Mark, notes: Notes) -> dict[str, str]:
    """For how long a prefix is kept, if its mark says so."""
    if mark.ttl is None:
        return {}
    ttl = _TTLS.get(mark.ttl)
    if ttl is None:
        notes.drop(f"{mark.at}/ttl", f"the API keeps nothing for {mark.ttl}")
        return {}
    if mark.ttl in _SHORTENED:
        notes.approximate(f"{mark.at}/ttl", f"kept for at least {ttl}")
    return {"ttl": ttl}


def _user(request: Request, notes: Notes) -> str:
    """Who is behind the client; the APIs take names of a certain length."""
    name = request.user or ""
    if len(name) <= _LONGEST_USER:
        return name
    notes.approximate(request.where.get("user", ""), f"longer than {_LONGEST_USER} characters, so its digest is sent")
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
