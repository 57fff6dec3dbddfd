"""The calls of `POST /api/internal?<method>`: `{"ok": true, "result": …}` or `{"ok": false, "error": {"code", "message"}}`.

A refused call is still HTTP 200: on any other status Amp's command line takes the control plane for unreachable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from llmux.amp import account
from llmux.amp.replies import Reply, json_reply
from llmux.amp.threads import Thread, Threads

_LISTED = 200  # threads in a list, unless the caller asks for fewer


@attrs.frozen(auto_exc=True)
class _Failed(Exception):
    code: str
    message: str


@attrs.frozen
class _Call:
    params: dict[str, Any]
    owner: str
    now: float


class Internal:
    """The methods, over the account and the threads of one control plane."""

    def __init__(self, user: Mapping[str, object], threads: Threads) -> None:
        self._user = user
        self._threads = threads

    def call(self, method: str, params: dict[str, Any], owner: str, now: float) -> Reply:
        """Run one method for one client key."""
        try:
            handler = METHODS.get(method)
            if handler is None:
                raise _Failed("unknown-method", f"the local control plane has no {method}: it needs an account at ampcode.com")
            result = handler(self, _Call(params, owner, now))
        except _Failed as failed:
            return json_reply({"ok": False, "error": {"code": failed.code, "message": failed.message}})
        if isinstance(result, bytes):
            return json_reply(b'{"ok":true,"result":' + result + b"}")
        return json_reply({"ok": True, "result": result})

    # the account

    def _user_info(self, call: _Call) -> object:
        return account.user_info(call.owner, self._user)

    def _short_user(self, call: _Call) -> object:
        return account.short_user(call.owner, self._user)

    def _free_tier(self, call: _Call) -> object:
        return {"canUseAmpFree": False, "isDailyGrantEnabled": False}

    def _balance(self, call: _Call) -> object:
        return {"displayText": "No Amp credits are used: llmux answers in place of ampcode.com."}

    def _credits(self, call: _Call) -> object:
        return {"credits": 0}

    def _cost(self, call: _Call) -> object:
        return {"totalCostUSD": None}  # Amp reads null as "not known"

    # threads

    def _get(self, call: _Call) -> object:
        # the document is JSON already, and may be megabytes
        return b'{"thread":{"data":' + self._known(call).document + b"}}"

    def _link(self, call: _Call) -> object:
        self._known(call)
        return {"creatorUserID": account.user_id(call.owner, self._user)}

    def _upload(self, call: _Call) -> object:
        document = call.params.get("thread")
        if not isinstance(document, dict) or not isinstance(document.get("id"), str):
            raise _Failed("invalid-params", "thread must be an object with an id")
        self._threads.put(call.owner, document, call.now)
        return {}

    def _set_meta(self, call: _Call) -> object:
        meta = call.params.get("meta")
        if not isinstance(meta, dict):
            raise _Failed("invalid-params", "meta must be an object")
        return self._amend(call, {"meta": {"sharedGroupIDs": [], **meta}})

    def _archive(self, call: _Call) -> object:
        archived = call.params.get("archived", True) is True
        return self._amend(call, {"archived": archived})

    def _amend(self, call: _Call, changes: dict[str, object]) -> object:
        # one that a restart has forgotten is the client's own affair: a refusal would end its run with exit code 1
        thread = self._find(call)
        if thread is not None:
            self._threads.amend(call.owner, thread, changes, call.now)
        return {}

    def _delete(self, call: _Call) -> object:
        self._threads.delete(call.owner, self._known(call).id)
        return {}

    def _list(self, call: _Call) -> object:
        limit = call.params.get("limit")
        most = limit if isinstance(limit, int) and 0 < limit < _LISTED else _LISTED
        hidden = call.params.get("includeArchived") is False
        creator = account.user_id(call.owner, self._user)
        entries = [{**thread.entry, "creatorUserID": creator} for thread in self._threads.of(call.owner)]
        return {"threads": [entry for entry in entries if not (hidden and entry.get("archived") is True)][:most]}

    def _discover(self, call: _Call) -> object:
        return {"threadIDs": [thread.id for thread in self._threads.of(call.owner)]}

    # labels

    def _labels(self, call: _Call) -> object:
        return [{"name": label} for label in self._known(call).labels]

    def _set_labels(self, call: _Call) -> object:
        thread, labels = self._known(call), _names(call)
        self._threads.label(call.owner, thread, labels)
        return [{"name": label} for label in labels]

    def _add_labels(self, call: _Call) -> object:
        thread = self._known(call)
        return self._set_labels(attrs.evolve(call, params={**call.params, "labels": [*thread.labels, *_names(call)]}))

    def _all_labels(self, call: _Call) -> object:
        names = {label for thread in self._threads.of(call.owner) for label in thread.labels}
        return [{"name": label} for label in sorted(names)]

    # what is not kept

    def _nothing(self, call: _Call) -> object:
        return {}

    def _no_plugins(self, call: _Call) -> object:
        return {"plugins": []}

    def _no_skills(self, call: _Call) -> object:
        return {"skills": []}

    def _find(self, call: _Call) -> Thread | None:
        thread_id = call.params.get("thread", call.params.get("threadID"))
        return self._threads.get(call.owner, thread_id) if isinstance(thread_id, str) else None

    def _known(self, call: _Call) -> Thread:
        thread = self._find(call)
        if thread is None:
            raise _Failed("thread-not-found", "Thread not found")
        return thread


def _names(call: _Call) -> list[str]:
    labels = call.params.get("labels")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise _Failed("invalid-argument", "labels must be strings")
    return labels


METHODS: dict[str, Callable[[Internal, _Call], object]] = {
    "getUserInfo": Internal._user_info,
    "getUser": Internal._short_user,
    "getUserFreeTierStatus": Internal._free_tier,
    "userDisplayBalanceInfo": Internal._balance,
    "getCreditsByRequestId": Internal._credits,
    "threadDisplayCostInfo": Internal._cost,
    "markAsReadMysteriousMessage": Internal._nothing,
    "getThread": Internal._get,
    "getThreadTail": Internal._get,
    "getThreadLinkInfo": Internal._link,
    "uploadThread": Internal._upload,
    "uploadFileChanges": Internal._nothing,
    "setThreadMeta": Internal._set_meta,
    "archiveThread": Internal._archive,
    "deleteThread": Internal._delete,
    "listThreads": Internal._list,
    "discoverThreads": Internal._discover,
    "getThreadLabels": Internal._labels,
    "setThreadLabels": Internal._set_labels,
    "addThreadLabels": Internal._add_labels,
    "getUserLabels": Internal._all_labels,
    "loadPlugins": Internal._no_plugins,
    "loadSkills": Internal._no_skills,
}
