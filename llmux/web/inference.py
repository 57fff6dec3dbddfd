"""Requests for a model: facts, decision, attempts, relay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice

import attrs
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from llmux.dialects.context import Options
from llmux.dialects.notes import UNTRANSLATABLE, Notes
from llmux.dialects.registry import DIALECTS
from llmux.dialects.unsealing import unsealed
from llmux.errors import Fault, no_provider
from llmux.executors.base import Call
from llmux.executors.upstream import Caller
from llmux.headers import Headers, printable, short, to_foreign_client, visible
from llmux.net.answer import Answer
from llmux.net.responder import send
from llmux.resilience.attempts import Attempts, Unreached
from llmux.routing.decision import COSTS, ROUTE_TYPES, SOURCES, Candidate, Decision
from llmux.routing.resolve import resolve
from llmux.web.auth import credentials
from llmux.web.context import Context
from llmux.web.control_plane import unknown_provider_path, upstream_failure
from llmux.web.exchange import Exchange
from llmux.web.facts import Errand, provider_query, read
from llmux.web.record import outcome_of
from llmux.web.refusals import refusal
from llmux.web.runtime import Limits
from llmux.web.translating import Spoken, speak

_log = Logger("llmux.routing")

# The access log has all of them.
_NOTES_SHOWN = 3


async def inference(context: Context) -> None:
    """Serve one request for a model. Raises Fault for what is refused before a decision."""
    errand = read(context.route, context.request, context.params.get("provider"))
    facts, record = errand.facts, context.record
    record.dialect, record.stream, record.requested = facts.dialect, facts.stream, short(facts.model)
    if not context.client.may_use(facts.base):
        message = f"this key may not use the model {short(facts.base)}"
        raise Fault("permission", message, param="model", should_retry=False)
    decision = resolve(context.runtime.table, facts)
    record.decision, record.provider, record.model = decision.outcome, decision.provider, short(decision.model)
    _tell(context, decision)
    exchange = Exchange(context.runtime, context.responder)
    served = _Served(context, errand, decision, exchange)
    try:
        await served.run()
    except Fault as fault:
        served.refuse(fault)
    finally:
        exchange.close()
        record.first, record.sent = exchange.first_byte, exchange.sent


async def bridge(context: Context) -> None:
    """Gemini by its Vertex path, as Amp asks for it; what is no model's method may be known to the Amp upstream."""
    if b"/models/" in context.request.path:
        await inference(context)
    else:
        await unknown_provider_path(context)


def _tell(context: Context, decision: Decision) -> None:
    """Log and count the decision; here and nowhere else."""
    context.runtime.metrics.decided(decision.outcome)
    if not context.runtime.debug and decision.outcome in ("local", "mapped"):
        return  # nobody listens, and building the event costs more than the decision
    fields: dict[str, object] = {
        "component": "amp-routing",
        "route_type": ROUTE_TYPES[decision.outcome],
        "timestamp": datetime.fromtimestamp(context.request.received, UTC).isoformat(),
        "requested_model": short(decision.requested),
        "resolved_model": short(decision.model),
        "provider": decision.provider,
        "path": printable(context.request.path.decode("latin-1")),
        "cost": COSTS[decision.outcome],
        "source": SOURCES[decision.outcome],
        "reason": short(decision.reason),
        "request_id": context.request_id,
    }
    model = short(decision.requested)
    if decision.outcome == "local":
        _log.debug("amp using local provider for model: {requested_model} ({route_type}: {reason})", **fields)
    elif decision.outcome == "mapped":
        fields["mapping"] = short(decision.mapping or "")
        _log.debug("amp model mapping: request {mapping} ({route_type}: {reason})", **fields)
    elif decision.outcome == "upstream":
        hint = f'ampcode.model-mappings: [{{from: "{model}", to: "<your-local-model>"}}]'
        _log.warn(
            "forwarding to ampcode.com (uses amp credits) - model_id: {model_id} | To use local provider, add to config: "
            "{hint} ({route_type}: {reason})",
            model_id=model,
            hint=hint,
            **fields,
        )
    else:
        _log.warn("no provider available for model_id: {model_id} ({route_type}: {reason})", model_id=model, **fields)


class _Served:
    """One decided request: it is asked, and relayed or refused."""

    def __init__(self, context: Context, errand: Errand, decision: Decision, exchange: Exchange) -> None:
        self._context = context
        self._errand = errand
        self._decision = decision
        self._exchange = exchange
        self._record = context.record
        self._attempts = Attempts()
        self._spoken: Spoken | None = None
        self._upstream: Headers = []

    async def run(self) -> None:
        """Ask whoever the decision names. Raises Fault while nothing was committed."""
        decision, exchange, runtime = self._decision, self._exchange, self._context.runtime
        watch = DIALECTS[self._errand.facts.dialect].watch()
        if decision.outcome == "refused":
            raise no_provider(short(decision.requested))
        if decision.outcome == "upstream":
            answer, limits = await self._ask_upstream(), runtime.limits
        else:
            answer = await self._walk(decision.candidates)
            limits = runtime.providers[self._record.provider].limits
        if self._spoken is not None:
            await self._translate(answer, self._spoken, limits)
            return
        self._record.fault = await exchange.relay(answer, watch, self._headers(), runtime.secrets, limits)

    async def _translate(self, answer: Answer, spoken: Spoken, limits: Limits) -> None:
        record, dialect = self._record, DIALECTS[self._record.spoken]
        self._upstream = to_foreign_client(answer.headers, DIALECTS[self._errand.facts.dialect].family)
        if answer.status >= 400:
            record.outcome = outcome_of(answer.status)
        secrets = self._context.runtime.secrets
        record.fault = await self._exchange.translate(answer, spoken, dialect, self._headers, secrets, limits)

    async def _walk(self, candidates: tuple[Candidate, ...]) -> Answer:
        try:
            return await self._attempts.walk(candidates, self._perform)
        finally:
            self._record.attempts = self._attempts.count
            if self._attempts.last is not None:
                self._record.provider = self._attempts.last.provider

    async def _perform(self, candidate: Candidate) -> Answer:
        provider = self._context.runtime.providers[candidate.provider]
        facts, request = self._errand.facts, self._context.request
        spoken = self._speak(candidate, provider.options) if candidate.dialect != facts.dialect else None
        if spoken is None:
            path, body = self._errand.naming(candidate.model)
            body = self._unsealed(body, provider.options.strict)
            query = provider_query(request.query, facts.dialect, self._context.client.secrets)
        else:
            path, query, body = spoken.path, spoken.query, spoken.body
        was_sent = False

        def attempt(sent: Callable[[], None]) -> Deferred[Answer]:
            def on_sent() -> None:
                nonlocal was_sent
                was_sent = True
                sent()

            return provider.executor.execute(
                Call(
                    method=request.method,
                    path=path,
                    query=query,
                    headers=request.headers,
                    body=body,
                    facts=facts,
                    model=candidate.model,
                    credential=candidate.credential,
                    request_id=self._context.request_id,
                    client=self._context.client.name,
                    secrets=self._context.client.secrets,
                    shown=self._context.client.key or next(credentials(request.headers, request.query), None),
                    connect_timeout=provider.limits.connect,
                    sent=on_sent,
                    dialect=candidate.dialect,
                    fields=None if spoken is None else spoken.fields,
                )
            )

        try:
            answer = await self._exchange.ask(attempt, provider.limits)
        except Fault as fault:
            self._context.runtime.metrics.attempted(candidate.provider, fault.kind)
            if was_sent:
                raise
            raise Unreached(fault) from None
        self._context.runtime.metrics.attempted(candidate.provider, outcome_of(answer.status))
        return answer

    def _speak(self, candidate: Candidate, options: Options) -> Spoken:
        record = self._record
        record.spoken, record.notes = candidate.dialect, Notes(strict=options.strict)
        self._spoken = speak(self._context, self._errand, candidate, options, record.notes)
        return self._spoken

    def _unsealed(self, body: bytes, strict: bool) -> bytes:
        """The body without what was sealed for other providers."""
        dialect = DIALECTS[self._errand.facts.dialect]
        notes = Notes(strict=strict)
        body = unsealed(body, dialect.sealed, dialect.mark, self._context.runtime.seals, notes)
        if notes:
            self._record.notes = notes
        return body

    async def _ask_upstream(self) -> Answer:
        context, runtime = self._context, self._context.runtime
        upstream = runtime.amp.upstream
        assert upstream is not None
        self._record.attempts = 1
        caller = Caller(context.client.key, context.client.secrets)
        request = context.request
        body = self._unsealed(request.body, strict=False)
        if body is not request.body:
            request = attrs.evolve(request, body=body)

        def attempt(sent: Callable[[], None]) -> Deferred[Answer]:
            sent()
            return upstream.forward(request, caller, runtime.limits.connect)

        return await self._exchange.ask(attempt, runtime.limits)

    def refuse(self, fault: Fault) -> None:
        """Answer with a refusal, or truncate what was begun."""
        self._record.fault = fault
        if self._decision.outcome == "refused" or fault.code == UNTRANSLATABLE:
            self._record.outcome = "rejected"
        responder = self._context.responder
        if responder.committed:
            responder.truncate()
            return
        if self._decision.outcome == "upstream":
            status, headers, body = upstream_failure(self._context, fault)
        else:
            status, headers, body = refusal(self._errand.facts.dialect, fault, self._context.request_id)
        send(responder, status, [*headers, self._decision_header(), *self._notes_header(), *self._upstream], body)

    def _headers(self) -> Headers:
        request_id = self._context.request_id.encode()
        ours = [self._decision_header(), (b"x-llmux-request-id", request_id)]
        if self._spoken is not None:
            ours += [(DIALECTS[self._errand.facts.dialect].request_id_header, request_id), *self._upstream]
        return ours + self._notes_header()

    def _notes_header(self) -> Headers:
        """How much a translation could not carry over unchanged, and the first fields; nothing where nothing was lost."""
        notes = self._record.notes
        if not notes:
            return []
        pointers = [short(note.pointer or "/") for note in islice(notes, _NOTES_SHOWN)]
        return [(b"x-llmux-notes", visible(f"{len(notes)}; {', '.join(pointers)}"))]

    def _decision_header(self) -> tuple[bytes, bytes]:
        record = self._record
        line = f"{record.decision}; provider={record.provider}; model={record.model}; attempts={record.attempts}"
        return b"x-llmux-decision", visible(line)
