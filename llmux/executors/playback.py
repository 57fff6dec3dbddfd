"""A provider that performs scenarios: in any dialect, with no key and no network, at the scripted pace."""

from __future__ import annotations

import hashlib
import math
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import resources
from itertools import groupby
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from llmux import headers, jsonio
from llmux.dialects import surfaces
from llmux.dialects.context import Context
from llmux.dialects.events import Encoder, Ended, ItemClosed
from llmux.dialects.neutral import ToolCall
from llmux.dialects.notes import Notes
from llmux.dialects.openai_chat.completions import COMPLETIONS
from llmux.dialects.registry import DIALECTS
from llmux.dialects.seals import Seals
from llmux.errors import Fault, Kind
from llmux.executors.base import Call
from llmux.executors.recital import Recital
from llmux.headers import Headers
from llmux.net.answer import Answer
from llmux.scenario.estimate import embedding, tokens, tokens_of
from llmux.scenario.loader import load
from llmux.scenario.matching import asked, choose
from llmux.scenario.model import ErrorElement, Scenario, ScenarioError
from llmux.scenario.rules import Symbol
from llmux.scenario.selection import select
from llmux.scenario.sessions import Session, Sessions
from llmux.scenario.timeline import Head, Script, Timed, minimal, perform

_BUILTIN = "builtin:"
# A script has no seals; whoever sends some got them elsewhere.
_SEALS = Seals((b"",))
# Deeper than any client nests, and far from where writers of JSON give up.
_DEEPEST = 200
_JSON: Headers = [(b"content-type", b"application/json")]

# The kinds of the statuses that a scenario's errors may have; others are the client's or the server's fault by their range.
_KINDS: dict[int, Kind] = {
    401: "auth",
    402: "billing",
    403: "permission",
    404: "not_found",
    409: "conflict",
    413: "too_large",
    429: "rate_limit",
    502: "bad_gateway",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}


def read_scenarios(where: str, symbols: Mapping[str, Symbol] | None = None) -> tuple[Scenario, ...]:
    """The scenarios of a file, of a folder's `.yaml` and `.yml` files in order of their names, or of `builtin:NAME`.

    Raises ScenarioError: one bad file spoils its folder.
    """
    try:
        if where.startswith(_BUILTIN):
            texts = [(where, (resources.files("llmux") / "scenarios" / f"{where.removeprefix(_BUILTIN)}.yaml").read_bytes())]
        else:
            path = Path(where)
            files = sorted(each for each in path.iterdir() if each.suffix in (".yaml", ".yml")) if path.is_dir() else [path]
            texts = [(str(each), each.read_bytes()) for each in files if not each.is_dir()]
    except OSError as error:
        raise ScenarioError(f"Scenario IO error: {where}: {error.strerror or error}") from None
    scenarios = tuple(load(_decode(text, source), source, dict(symbols or {})) for source, text in texts)
    if not scenarios:
        raise ScenarioError(f"No scenarios loaded from {where}")
    names = [scenario.name for scenario in scenarios]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            raise ScenarioError(f"Scenario validation error: {where} holds {names.count(name)} scenarios named '{name}'")
    return scenarios


def _decode(text: bytes, source: str) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ScenarioError(f"Scenario parse error: {source}: {error}") from None


def _identify() -> str:
    return uuid.uuid4().hex[:24]


class Playback:
    """See `llmux.executors.base.Executor`. `speed` multiplies every delay; `identify` makes the ids of responses.

    What it refuses, it refuses as a provider does: with an answer of that status.
    """

    def __init__(
        self,
        scenarios: Sequence[Scenario],
        clock: IReactorTime,
        speed: float = 1.0,
        identify: Callable[[], str] = _identify,
    ) -> None:
        self._scenarios = tuple(scenarios)
        self._scripts = tuple(map(Script.of, scenarios))
        self._clock = clock
        self._speed = speed
        self._identify = identify
        self._sessions = Sessions()

    def plays(self, scenarios: Sequence[Scenario], speed: float) -> bool:
        """Whether these are what it plays, at this speed."""
        return self._scenarios == tuple(scenarios) and self._speed == speed

    def secrets(self) -> tuple[bytes, ...]:
        """None: nobody has to be paid."""
        return ()

    def execute(self, call: Call) -> Deferred[Answer]:
        """Answer a call. Streams begin at once, whole bodies come when the script has ended."""
        call.sent()
        try:
            doc = jsonio.loads(call.body)
            if not isinstance(doc, dict):
                raise ValueError("the body must be a JSON object")
            if jsonio.deeper_than(doc, _DEEPEST):
                raise ValueError("the body is nested too deeply")
            return self._perform(call, doc)
        except Fault as fault:
            return succeed(self._refusal(call, fault))
        except ValueError as error:
            return succeed(self._refusal(call, Fault("invalid", str(error))))

    def _perform(self, call: Call, doc: dict[str, Any]) -> Deferred[Answer]:
        """Find who answers; Gemini's actions are its operations."""
        facts = call.facts
        match facts.action or facts.operation:
            case "generate" | "completions" | "generateContent" | "streamGenerateContent":
                return self._generate(call, doc)
            case "embeddings":
                return self._whole(surfaces.openai_embeddings(doc, facts.model, embedding, tokens))
            case "embedContent":
                return self._whole(surfaces.gemini_embedding(doc, embedding))
            case "batchEmbedContents":
                return self._whole(surfaces.gemini_embeddings(doc, embedding))
            case "count_tokens" | "countTokens":
                asked = doc.get("generateContentRequest")
                rooms = DIALECTS[facts.dialect].rooms
                request = rooms.parse_request(asked if isinstance(asked, dict) else doc, self._context(call, doc))
                return self._whole(surfaces.counted(facts.dialect, tokens_of(request)))
        raise Fault("not_found", f"Unknown method: {facts.action or facts.operation}", should_retry=False)

    def _generate(self, call: Call, doc: dict[str, Any]) -> Deferred[Answer]:
        facts = call.facts
        rooms = COMPLETIONS if facts.operation == "completions" else DIALECTS[facts.dialect].rooms
        context = self._context(call, doc)
        request = rooms.parse_request(doc, context)
        name = _text(call, b"x-scenario-name")
        session = self._sessions.get(_session_name(call, name))
        prompts = (_text(call, b"x-scenario-prompt"), doc.get("initialPrompt"), doc.get("prompt"), asked(request))
        prompt = next((each for each in prompts if isinstance(each, str) and each), None)
        script = session.script or select(self._scripts, name, prompt)
        number = choose(session, script, request)
        head = Head(self._identify(), facts.model, int(self._clock.seconds()))
        if number is None:
            events = minimal(head, request)
        else:
            session.script = script
            turn = script.turns[number]
            if turn.error is not None:
                raise _fault(turn.error, facts.dialect)
            events = perform(turn, head, request)
            _remember(session, number, events)
        if facts.stream:
            encoder = rooms.encoder(context)
            fields = [(b"content-type", encoder.content_type), (b"cache-control", b"no-cache")]
            return succeed(Recital(self._clock, 200, fields, self._chunks(events, encoder)))
        at, last = events[-1]
        assert isinstance(last, Ended), "a performance ends with its response"
        return self._whole(rooms.write_response(last.response, context), at)

    def _context(self, call: Call, doc: dict[str, Any]) -> Context:
        """The request is answered here, so nothing in it can be lost."""
        return Context(
            notes=Notes(lenient=True),
            seals=_SEALS,
            asked=doc,
            stream=call.facts.stream,
            framed=_framed(call),
            now=int(self._clock.seconds()),
        )

    def _chunks(self, events: Iterable[Timed], encoder: Encoder) -> Iterator[tuple[float, bytes]]:
        """What happens at one time leaves in one piece."""
        for at, group in groupby(events, key=lambda timed: timed[0]):
            yield self._seconds(at), b"".join(encoder.encode(event) for _, event in group)

    def _whole(self, body: dict[str, Any], at: int = 0) -> Deferred[Answer]:
        answer = Recital(self._clock, 200, _JSON, [(0.0, jsonio.dumps(body))])
        wait = self._seconds(at)
        return deferLater(self._clock, wait, lambda: answer) if wait else succeed(answer)

    def _seconds(self, at: int) -> float:
        return at * self._speed / 1000

    def _refusal(self, call: Call, fault: Fault) -> Recital:
        status, body = DIALECTS[call.facts.dialect].error_body(fault, call.request_id)
        fields = list(_JSON)
        if fault.retry_after is not None:
            fields.append((b"retry-after", b"%d" % math.ceil(fault.retry_after)))
        if fault.should_retry is not None:
            fields.append((b"x-should-retry", b"true" if fault.should_retry else b"false"))
        if call.facts.dialect == "gemini" and call.facts.stream and not _framed(call):
            body = b"[%b]" % body  # the API streams an array, errors included
        return Recital(self._clock, status, fields, [(0.0, body)])


def _remember(session: Session, turn: int, events: Iterable[Timed]) -> None:
    for _, event in events:
        if isinstance(event, ItemClosed) and isinstance(event.whole, ToolCall):
            session.remember(event.whole.call_id, turn)


def _session_name(call: Call, scenario: str | None) -> str:
    """Whose performance this is: the client's key, or whatever it shows for one; a session header and a scenario part it."""
    shown = call.shown or b"default-session"
    session = headers.first(call.headers, b"x-scenario-session") or b""
    # A digest: keys are not kept here.
    return hashlib.sha256(b"\0".join((shown, session, (scenario or "").encode()))).hexdigest()


def _framed(call: Call) -> bool:
    """Whether a Gemini stream is to be server-sent events."""
    return b"alt=sse" in call.query.split(b"&")


def _text(call: Call, name: bytes) -> str | None:
    value = headers.first(call.headers, name)
    return None if value is None else value.decode("utf-8", "replace").strip() or None


def _fault(error: ErrorElement, dialect: str) -> Fault:
    """A scripted error. Gemini's type words are fixed, so another word gives way to the status's own."""
    word = error.type if dialect != "gemini" or error.type.isupper() else None
    kind = _KINDS.get(error.status, "invalid" if error.status < 500 else "server")
    return Fault(kind, error.message, status=error.status, error_type=word, retry_after=error.retry_after, details=error.details)
