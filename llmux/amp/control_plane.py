"""A control plane for Amp's command line with no account at ampcode.com: what the releases of January to April 2026 ask for.

Those releases run the agent on the client and take models from `/api/provider/*`; of the control plane they need to know
who they are (`getUserInfo`), that a new thread is new (`getThread`) and that uploads arrive (`uploadThread`). Later releases
run the agent at ampcode.com and cannot be served here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import attrs

from llmux.amp import account
from llmux.amp.ask import Ask
from llmux.amp.internal import Internal
from llmux.amp.reading import found_text, markdown
from llmux.amp.replies import Refusal, Reply, error, json_reply
from llmux.amp.threads import Threads, messages, sharing

# A search is words, and phrases in quotes.
_TERM = re.compile(r'"([^"]+)"|([^\s"]+)')

_FEED = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<rss version="2.0"><channel><title>Amp news</title><link>https://ampcode.com/news</link>'
    b"<description>No news: this control plane is local.</description></channel></rss>\n"
)


class ControlPlane:
    """Answers Amp's control plane. Keeps uploaded threads in memory (`threads`), and nothing else.

    `user` overrides members of the account shown (`id`, `email`, `username`, `firstName`, `features`, …).
    """

    def __init__(self, user: Mapping[str, object] | None = None, threads: Threads | None = None) -> None:
        self._user = dict(user or {})
        self._threads = Threads() if threads is None else threads
        self._internal = Internal(self._user, self._threads)

    def answer(self, method: str, path: str, query: str, body: bytes, owner: str, now: float) -> Reply | None:
        """The reply to a request, or None for a path that no Amp of those months asks for (the caller's 404).

        `path` and `query` are raw: not percent-decoded, the query without its question mark. `body` may be gzipped.
        `owner` names the client key: the threads of one are never shown to another. `now` is in Unix seconds.
        """
        found = _find(path)
        if found is None:
            return None
        methods, handler, item = found
        if (method if method != "HEAD" else "GET") not in methods:
            refused = error(405, "Method not allowed")
            return attrs.evolve(refused, headers=(*refused.headers, ("allow", ", ".join(methods))))
        try:
            return handler(self, Ask(owner, query, body, now, item))
        except Refusal as refusal:
            return error(refusal.status, refusal.message)
        except RecursionError:
            return error(400, "the body is nested too deeply")

    # POST /api/internal?<method>

    def _call(self, ask: Ask) -> Reply:
        document = ask.document() if ask.body else {}
        if not isinstance(document, dict):
            raise Refusal(400, "the body must be a JSON object")
        params = document.get("params")
        name = ask.named_method() or document.get("method")
        if not isinstance(name, str):
            raise Refusal(400, "no method: name it in the query or in the body")
        return self._internal.call(name, params if isinstance(params, dict) else {}, ask.owner, ask.now)

    def _github_status(self, ask: Ask) -> Reply:
        return json_reply({"authenticated": False})

    def _bitbucket_url(self, ask: Ask) -> Reply:
        return json_reply({"instanceUrl": None})

    # threads

    def _list(self, ask: Ask) -> Reply:
        creator = account.user_id(ask.owner, self._user)
        if (ask.parameter("createdByUserID") or creator) != creator:
            return json_reply([])
        return json_reply(
            [
                {
                    **thread.entry,
                    "meta": sharing(thread),
                    "creatorUserID": creator,
                    "updatedAt": account.iso(thread.updated),
                }
                for thread in self._threads.of(ask.owner)
                if thread.entry.get("archived") is not True
            ]
        )

    def _search(self, ask: Ask) -> Reply:
        terms = [phrase or word for phrase, word in _TERM.findall(ask.parameter("q") or "")]
        offset, limit = ask.count("offset", 0, 1_000_000), ask.count("limit", 20, 100)
        hits: list[dict[str, object]] = []
        for thread in self._threads.of(ask.owner):
            text = found_text(thread, terms)
            if text is None:
                continue
            hits.append(
                {
                    "id": thread.id,
                    "title": thread.entry["title"],
                    "creatorUserID": account.user_id(ask.owner, self._user),
                    "created": thread.entry["created"],
                    "updatedAt": account.iso(thread.updated),
                    "messageCount": thread.entry["messageCount"],
                    "matchedSearchText": text,
                }
            )
            if len(hits) > offset + limit:
                break
        return json_reply({"threads": hits[offset : offset + limit], "hasMore": len(hits) > offset + limit})

    def _read(self, ask: Ask) -> Reply:
        thread_id = ask.item.removesuffix(".md")
        thread = self._threads.get(ask.owner, thread_id)
        if thread is None:
            return error(404, "Thread not found")
        if thread_id == ask.item:
            return json_reply(thread.document)
        text = markdown(thread, short=ask.parameter("truncate_tool_results") is not None)
        return Reply(200, (("content-type", "text/markdown; charset=utf-8"),), text.encode("utf-8", "replace"))

    def _sync(self, ask: Ask) -> Reply:
        """Who has what: newer threads go back to the client, known and unknown ones are private. Nothing is asked for:
        what is here is a cache, and a restart would have every client upload its whole history.
        """
        document = ask.document()
        if not isinstance(document, dict):
            raise Refusal(400, "the body must be a JSON object")
        actions: list[dict[str, object]] = []
        for item in _objects(document.get("threadVersions")):
            thread = self._threads.get(ask.owner, item["id"])
            version = item.get("v")
            if thread is not None and isinstance(version, int) and version < thread.version and messages(held := thread.load()):
                actions.append({"id": thread.id, "action": "download", "thread": held})
        for item in _objects(document.get("threadMetas")):
            thread = self._threads.get(ask.owner, item["id"])
            actions.append({"id": item["id"], "action": "meta", "meta": sharing(thread)})
        return json_reply({"threadActions": actions})

    # the rest

    def _telemetry(self, ask: Ask) -> Reply:
        events = ask.document()
        if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
            raise Refusal(422, "the body must be a JSON array of objects")
        return json_reply({"message": "ok", "published": len(events)})

    def _traces(self, ask: Ask) -> Reply:
        # OTLP: an empty answer says "all taken", and it comes in the encoding of the question
        if not ask.body or ask.body.lstrip()[:1] in (b"{", b"["):
            return json_reply({})
        return Reply(200, (("content-type", "application/x-protobuf"),), b"")

    def _errors(self, ask: Ask) -> Reply:
        if not isinstance(ask.document(), dict):
            raise Refusal(422, "the body must be a JSON object")
        return json_reply({"status": "received"})

    def _ads(self, ask: Ask) -> Reply:
        return json_reply({"ads": []})

    def _meta(self, ask: Ask) -> Reply:
        return json_reply({})

    def _profile(self, ask: Ask) -> Reply:
        return json_reply(account.profile(ask.owner, self._user, ask.now))

    def _connections(self, ask: Ask) -> Reply:
        return json_reply(account.connections(ask.owner))

    def _news(self, ask: Ask) -> Reply:
        # Amp asks again when this has passed
        headers = (("content-type", "application/rss+xml; charset=utf-8"), ("cache-control", "max-age=86400"))
        return Reply(200, headers, _FEED)


_Handler = Callable[[ControlPlane, Ask], Reply]

_ANY = ("GET", "POST", "PUT", "PATCH", "DELETE")

# path, methods, handler. `{id}` is one segment, `*` the rest (or nothing); the first that fits wins.
ROUTES: tuple[tuple[str, tuple[str, ...], _Handler], ...] = (
    ("/api/internal", ("POST",), ControlPlane._call),
    ("/api/internal/github-auth-status", ("GET",), ControlPlane._github_status),
    ("/api/internal/bitbucket-instance-url", ("GET",), ControlPlane._bitbucket_url),
    ("/api/threads", ("GET",), ControlPlane._list),
    ("/api/threads/find", ("GET",), ControlPlane._search),
    ("/api/threads/sync", ("POST",), ControlPlane._sync),
    ("/api/threads/{id}", ("GET",), ControlPlane._read),
    ("/api/telemetry", ("POST",), ControlPlane._telemetry),
    ("/api/otel/*", _ANY, ControlPlane._traces),
    ("/api/errors", ("POST",), ControlPlane._errors),
    ("/api/ads", ("GET", "POST"), ControlPlane._ads),
    ("/api/meta", ("GET", "POST"), ControlPlane._meta),
    ("/api/user", ("GET",), ControlPlane._profile),
    ("/api/connections", ("GET",), ControlPlane._connections),
    ("/news.rss", ("GET",), ControlPlane._news),
)

_TABLE = tuple((tuple(pattern[1:].split("/")), methods, handler) for pattern, methods, handler in ROUTES)


def _find(path: str) -> tuple[tuple[str, ...], _Handler, str] | None:
    # split before decoding: an encoded slash belongs to its segment
    segments = [unquote(segment) for segment in path.split("/") if segment]
    for pattern, methods, handler in _TABLE:
        if pattern[-1] == "*":
            if segments[: len(pattern) - 1] == list(pattern[:-1]):
                return methods, handler, ""
        elif len(pattern) == len(segments) and all(want in ("{id}", have) for want, have in zip(pattern, segments, strict=True)):
            return methods, handler, segments[-1]
    return None


def _objects(value: object) -> list[dict[str, Any]]:
    # old releases list bare version strings: they hold nothing that could be answered
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, dict) and isinstance(item.get("id"), str)]
