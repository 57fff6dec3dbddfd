"""The conversations that Amp uploads: in memory, bounded, each seen by the client key that brought it and no other.

Amp from April 2026 keeps no copy of its own: it lists, reloads and amends threads through the control plane. A restart
forgets them, which costs an older conversation its continuation and nothing else.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import attrs

from llmux import jsonio

# What a list of threads shows of one, taken over as uploaded.
_SHOWN = ("env", "originThreadID", "mainThreadID", "relationships", "agentMode", "archived", "meta")

# What the server side knows better than a client that never heard of it.
_AMENDED = ("meta", "archived")

_OVERHEAD = 512  # bytes for the objects around a document
_YEAR_9000 = 221_845_305_600_000  # in milliseconds


@attrs.frozen
class Thread:
    """One conversation: `document` is its JSON, `entry` what a list shows of it (times in milliseconds)."""

    id: str
    version: int
    document: bytes
    entry: dict[str, Any]
    labels: tuple[str, ...]
    updated: float  # Unix seconds of the last upload or amendment

    @property
    def size(self) -> int:
        return len(self.document) + len(jsonio.dumps(self.entry)) + sum(map(len, self.labels)) + _OVERHEAD

    def load(self) -> dict[str, Any]:
        """The conversation, parsed."""
        document: dict[str, Any] = jsonio.loads(self.document)
        return document


class Threads:
    """At most `max_threads` conversations and `max_bytes` of them in all; the longest unused goes first."""

    def __init__(self, max_threads: int = 1000, max_bytes: int = 64 * 1024 * 1024) -> None:
        self._max_threads = max_threads
        self._max_bytes = max_bytes
        self._kept: OrderedDict[tuple[str, str], tuple[Thread, int]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def bytes(self) -> int:
        """What the kept conversations weigh, as counted against the bound."""
        return self._bytes

    def get(self, owner: str, thread_id: str) -> Thread | None:
        """The owner's thread of that id, now the latest used; None for an unknown one, or somebody else's."""
        found = self._kept.get((owner, thread_id))
        if found is None:
            return None
        self._kept.move_to_end((owner, thread_id))
        return found[0]

    def put(self, owner: str, document: dict[str, Any], now: float) -> None:
        """Keep an upload. Its `id` must be a string. One of a lower version came late, and changes nothing."""
        old = self.get(owner, document["id"])
        if old is not None:
            if _integer(document.get("v")) < old.version:
                return
            inherited = {name: old.entry[name] for name in _AMENDED if name in old.entry and name not in document}
            document = {**document, **inherited}
        self._keep(owner, _thread(document, old.labels if old else (), now))

    def amend(self, owner: str, thread: Thread, changes: dict[str, object], now: float) -> None:
        """Set members of a kept conversation, such as `meta` or `archived`."""
        self._keep(owner, _thread({**thread.load(), **changes}, thread.labels, now))

    def label(self, owner: str, thread: Thread, labels: Iterable[str]) -> None:
        """Replace the labels of a kept conversation; order kept, repetitions not."""
        self._keep(owner, attrs.evolve(thread, labels=tuple(dict.fromkeys(labels))))

    def delete(self, owner: str, thread_id: str) -> bool:
        """Forget a conversation. False: there was none."""
        found = self._kept.pop((owner, thread_id), None)
        if found is None:
            return False
        self._bytes -= found[1]
        return True

    def of(self, owner: str) -> list[Thread]:
        """The owner's conversations, the last spoken in first. Looking at them all uses none of them."""
        mine = [thread for (holder, _), (thread, _) in self._kept.items() if holder == owner]
        return sorted(mine, key=lambda thread: float(thread.entry["userLastInteractedAt"]), reverse=True)

    def _keep(self, owner: str, thread: Thread) -> None:
        self.delete(owner, thread.id)
        size = thread.size
        if size > self._max_bytes:
            return  # an older version is gone too: better none than one that lost its end
        self._kept[(owner, thread.id)] = (thread, size)
        self._bytes += size
        while self._bytes > self._max_bytes or len(self._kept) > self._max_threads:
            _, (_, freed) = self._kept.popitem(last=False)
            self._bytes -= freed


def _thread(document: dict[str, Any], labels: tuple[str, ...], now: float) -> Thread:
    version = _integer(document.get("v"))
    created = _number(document.get("created"), now * 1000)
    questions = [message for message in messages(document) if _is_question(message)]
    spoken = [_number(meta.get("sentAt"), 0) for message in questions if isinstance(meta := message.get("meta"), dict)]
    title = document.get("title")
    entry: dict[str, Any] = {
        "id": document["id"],
        "v": version,
        "created": created,
        "title": title if isinstance(title, str) else None,
        "userLastInteractedAt": max([created, *spoken]),
        "messageCount": len(questions),
        "summaryStats": {"messageCount": len(questions)},
    }
    entry.update((name, document[name]) for name in _SHOWN if document.get(name) is not None)
    return Thread(document["id"], version, jsonio.dumps(document), entry, labels, now)


def sharing(thread: Thread | None) -> dict[str, Any]:
    """Who may see a conversation, as Amp asks for it; it reads both members without looking. Unknown ones are private."""
    meta = thread.entry.get("meta") if thread else None
    return {"visibility": "private", "sharedGroupIDs": [], **(meta if isinstance(meta, dict) else {})}


def messages(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages of a conversation, leaving out what is no object."""
    found = document.get("messages")
    return [message for message in found if isinstance(message, dict)] if isinstance(found, list) else []


def blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The content blocks of a message; plain text counts as one."""
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _is_question(message: dict[str, Any]) -> bool:
    # tool results travel as user messages, but no person said them
    return message.get("role") == "user" and any(block.get("type") != "tool_result" for block in blocks(message))


def _number(value: object, default: float) -> float:
    # a time in milliseconds; what no calendar holds would break whoever prints it
    return value if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _YEAR_9000 else default


def _integer(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
