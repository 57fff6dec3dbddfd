"""Tries an HTTP error of a provider: what the client is told of it."""

from __future__ import annotations

import json
from typing import Any

from llmux.dialects.registry import DIALECTS
from llmux.web.refusals import refusal
from tests.golden.comparing import differences, merged
from tests.golden.exchange import as_bytes, settle
from tests.golden.files import ABSENT, Entry, Pair

JSON = dict[str, Any]


def error(entry: Entry, pair: Pair) -> None:
    client, provider = pair
    answer = entry.come[provider]
    fields = [(name.lower().encode(), str(value).encode()) for name, value in answer.get("headers", {}).items()]
    body = answer["text"].encode() if "text" in answer else as_bytes(answer["body"])
    fault = DIALECTS[provider].read_error(answer["status"], fields, body)
    status, headers, told = refusal(client, fault, "req_golden")
    expected, change = entry.told[client], entry.wanted(pair).change
    if change is not ABSENT:
        expected = merged(expected, change)
    lines = differences(expected["status"], status, "status")
    said = json.loads(told)
    if "request_id" in said and "request_id" not in expected["body"]:
        del said["request_id"]  # ours
    lines += differences(_unlisted(expected["body"]), _unlisted(said))
    named = {name.decode(): value.decode() for name, value in headers}
    for name, value in expected.get("headers", {}).items():
        if name != "request-id":  # ours again
            lines += differences(value, named.get(name), name) if value is not None else [f"{name} is there"] * (name in named)
    settle(lines)


def _unlisted(body: JSON) -> JSON:
    """An error of whose details nothing is said: an empty list is as good as none."""
    error = body.get("error")
    if isinstance(error, dict) and error.get("details") == []:
        return {**body, "error": {name: value for name, value in error.items() if name != "details"}}
    return body
