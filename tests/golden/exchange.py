"""The exchange in which a cell is tried, and what is the same for all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from llmux import jsonio
from llmux.dialects.context import Context, Options, Target
from llmux.dialects.notes import Notes
from llmux.dialects.registry import DIALECTS
from llmux.dialects.seals import Seals
from llmux.errors import Fault
from tests.golden.comparing import differences, merged
from tests.golden.files import ABSENT, Entry, Pair, Wanted
from tests.golden.words import expand

JSON = dict[str, Any]

NOW = 1_700_000_000
KEY = b"golden" * 6
VERSION = "2026-10-21"

# What was asked where a case does not say.
_ASKED: dict[str, JSON] = {
    "openai-chat": {"max_completion_tokens": 256, "messages": [{"role": "user", "content": "Hi"}]},
    "openai-responses": {"max_output_tokens": 256, "input": [{"type": "message", "role": "user", "content": "Hi"}]},
    "anthropic": {"max_tokens": 256, "messages": [{"role": "user", "content": "Hi"}]},
    "gemini": {"generationConfig": {"maxOutputTokens": 256}, "contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
}
NOBODY = Entry(
    kind="requests",
    name="",
    says=_ASKED,
    come={},
    raw={},
    told={},
    events={},
    cells={},
    models={},
    options={},
    version=None,
    request=None,
    actions={},
    paths={},
)


class Red(AssertionError):
    """A cell that is not as it must be; the message says where."""


def context_of(entry: Entry, pair: Pair, *, stream: bool = False) -> Context:
    """The exchange in which an entry's request is sent."""
    client, provider = pair
    options = Options(**entry.options)
    model = entry.model(provider)
    context = Context(
        notes=Notes(strict=options.strict),
        seals=Seals([KEY]),
        target=Target.of(model, options),
        stream=stream,
        version=(entry.version or VERSION) if client == "anthropic" else None,
        now=NOW,
    )
    context.asked = own(expand(entry.source(client), client, context))
    if client != "gemini":
        context.asked["model"] = entry.model(client)
    return context


def stated(entry: Entry, wanted: Wanted, dialect: str) -> Any:
    """What a dialect says, with what is different for the pair."""
    if wanted.body is not ABSENT:
        return wanted.body
    said = entry.told if entry.kind == "streams" else entry.says
    return said[dialect] if wanted.change is ABSENT else merged(said[dialect], wanted.change)


def fails(act: Callable[[], object], error: JSON, client: str) -> None:
    try:
        act()
    except Fault as fault:
        settle(faulty(fault, error, client))
    else:
        raise Red(f"no error, expected {error}")


def faulty(fault: Fault, error: JSON, client: str) -> list[str]:
    """Where a fault is other than expected."""
    status, body = DIALECTS[client].error_body(fault, "req_golden")
    inner = json.loads(body)["error"]
    told = {
        "kind": fault.kind,
        "code": fault.code,
        "param": fault.param,
        "message": fault.message,
        "status": status,
        "type": inner.get("status" if client == "gemini" else "type"),
    }
    return differences(error, told, "error", stated=True)


def own(value: Any) -> Any:
    """A copy, as JSON."""
    return json.loads(jsonio.dumps(value))


def as_bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def unlike_notes(wanted: Wanted, context: Context, before: int = 0) -> list[str]:
    """Where the notes are other than expected, beside those of the request."""
    told = {f"{note.action} {note.pointer}": note.why for note in list(context.notes)[before:]}
    missing = [f"no note: {note}" for note in wanted.notes if note not in told]
    return missing + [f"unexpected note: {note} ({why})" for note, why in told.items() if note not in wanted.notes]


def judged(judge: Callable[[JSON], object], body: JSON) -> list[str]:
    try:
        judge(body)
    except Exception as error:
        return [f"the SDK does not take it: {type(error).__name__}: {brief(error)}"]
    return []


def brief(error: Exception) -> str:
    text = str(error)
    return text if len(text) <= 600 else f"{text[:600]}…"


def settle(lines: list[str]) -> None:
    if lines:
        raise Red("\n".join(lines))
