"""Requests for a model: facts, decision, attempts, relay."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from llmux.accesslog import Line
from llmux.dialects.registry import DIALECTS
from llmux.errors import Fault, no_provider
from llmux.executors.base import Call
from llmux.headers import Headers, visible
from llmux.net.answer import Answer
from llmux.net.responder import send
from llmux.resilience.attempts import Attempts, Unreached
from llmux.routing.decision import COSTS, ROUTE_TYPES, SOURCES, Candidate, Decision
from llmux.routing.resolve import resolve
from llmux.web.context import Context
from llmux.web.control_plane import unknown_provider_path, upstream_failure
from llmux.web.exchange import ClientGone, Exchange
from llmux.web.facts import Errand, provider_query, read
from llmux.web.refusals import refusal

_log = Logger("llmux.routing")


async def inference(context: Context) -> None:
    """Serve one request for a model. Raises Fault for what is refused before a decision."""
    errand = read(context.route, context.request, context.params.get("provider"))
    if not context.client.may_use(errand.facts.base):
        raise Fault("permission", f"this key may not use the model {errand.facts.base}", param="model", should_retry=False)
    decision = resolve(context.runtime.table, errand.facts)
    _tell(context, decision)
    exchange = Exchange(context.runtime, context.responder)
    served = _Served(context, errand, decision, exchange)
    try:
        await served.run()
    except ClientGone:
        served.outcome = "client_gone"
    except Fault as fault:
        served.refuse(fault)
    finally:
        exchange.close()
        served.book()


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
        "requested_model": decision.requested,
        "resolved_model": decision.model,
        "provider": decision.provider,
        "path": context.request.path.decode("latin-1"),
        "cost": COSTS[decision.outcome],
        "source": SOURCES[decision.outcome],
        "reason": decision.reason,
        "request_id": context.request_id,
    }
    model = decision.requested
    if decision.outcome == "local":
        _log.debug("amp using local provider for model: {requested_model} ({route_type}: {reason})", **fields)
    elif decision.outcome == "mapped":
        fields["mapping"] = decision.mapping
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
    """One decided request: it is asked, relayed, or refused, and booked at the end."""

    def __init__(self, context: Context, errand: Errand, decision: Decision, exchange: Exchange) -> None:
        self._context = context
        self._errand = errand
        self._decision = decision
        self._exchange = exchange
        self._attempts = Attempts()
        self._status = 0
        self._fault: Fault | None = None
        self.outcome = "ok"

    async def run(self) -> None:
        """Ask whoever the decision names."""
        decision, exchange, runtime = self._decision, self._exchange, self._context.runtime
        watch = DIALECTS[self._errand.facts.dialect].watch()
        if decision.outcome == "refused":
            raise no_provider(decision.requested)
        if decision.translate:
            provider = decision.provider
            raise Fault(
                "unimplemented",
                f"provider {provider} serves {decision.model} in another dialect than {self._errand.facts.dialect}, and "
                "translation between dialects is not built yet",
                should_retry=False,
            )
        if decision.outcome == "upstream":
            upstream = runtime.amp.upstream
            assert upstream is not None
            answer = await self._ask_upstream()
            secrets, limits = upstream.secrets(), runtime.limits
        else:
            answer = await self._attempts.walk(decision.candidates, self._perform)
            assert self._attempts.last is not None
            provider_ = runtime.providers[self._attempts.last.provider]
            secrets, limits = provider_.executor.secrets(), provider_.limits
        self._status = answer.status
        self.outcome = _outcome(answer.status)
        self._fault = await exchange.relay(answer, watch, self._headers(), secrets, limits)
        if self._fault is not None:
            self.outcome = "upstream_error"

    async def _perform(self, candidate: Candidate) -> Answer:
        provider = self._context.runtime.providers[candidate.provider]
        path, body = self._errand.naming(candidate.model)
        was_sent = False

        def attempt(sent: Callable[[], None]) -> Deferred[Answer]:
            def on_sent() -> None:
                nonlocal was_sent
                was_sent = True
                sent()

            return provider.executor.execute(
                Call(
                    method=self._context.request.method,
                    path=path,
                    query=provider_query(self._context.request.query, self._errand.facts.dialect, self._context.client.key),
                    headers=self._context.request.headers,
                    body=body,
                    facts=self._errand.facts,
                    model=candidate.model,
                    credential=candidate.credential,
                    request_id=self._context.request_id,
                    client=self._context.client.name,
                    secrets=self._context.client.secrets,
                    connect_timeout=provider.limits.connect,
                    sent=on_sent,
                )
            )

        try:
            answer = await self._exchange.ask(attempt, provider.limits)
        except Fault as fault:
            self._context.runtime.metrics.attempted(candidate.provider, fault.kind)
            if was_sent:
                raise
            raise Unreached(fault) from None
        self._context.runtime.metrics.attempted(candidate.provider, _outcome(answer.status))
        return answer

    async def _ask_upstream(self) -> Answer:
        context, runtime = self._context, self._context.runtime
        upstream = runtime.amp.upstream
        assert upstream is not None
        self._attempts.count = 1

        def attempt(sent: Callable[[], None]) -> Deferred[Answer]:
            sent()
            return upstream.forward(context.request, context.client.key, runtime.limits.connect)

        return await self._exchange.ask(attempt, runtime.limits)

    def refuse(self, fault: Fault) -> None:
        """Answer with a refusal, or truncate what was begun."""
        self._fault = fault
        self.outcome = "rejected" if self._decision.outcome == "refused" or self._decision.translate else "upstream_error"
        responder = self._context.responder
        if responder.committed:
            responder.truncate()
            return
        if self._decision.outcome == "upstream":
            self._status, headers, body = upstream_failure(self._context, fault)
        else:
            self._status, headers, body = refusal(self._errand.facts.dialect, fault, self._context.request_id)
        send(responder, self._status, [*headers, self._decision_header()], body)

    def _headers(self) -> Headers:
        return [self._decision_header(), (b"x-llmux-request-id", self._context.request_id.encode())]

    def _decision_header(self) -> tuple[bytes, bytes]:
        decision = self._decision
        provider = self._attempts.last.provider if self._attempts.last is not None else decision.provider
        line = f"{decision.outcome}; provider={provider}; model={decision.model}; attempts={self._attempts.count}"
        return b"x-llmux-decision", visible(line)

    def book(self) -> None:
        """Write down how it went."""
        context, facts, exchange = self._context, self._errand.facts, self._exchange
        now = context.runtime.clock.seconds()
        provider = self._attempts.last.provider if self._attempts.last is not None else self._decision.provider
        seconds = now - context.request.received
        first = exchange.first_byte - context.request.received if exchange.first_byte is not None else None
        status = self._status or 499
        context.runtime.metrics.exchanged(
            route=context.route.path,
            dialect=facts.dialect,
            outcome=self.outcome,
            status=status,
            provider=provider,
            stream=facts.stream,
            seconds=seconds,
            first=first,
        )
        request = context.request
        context.runtime.access_log.write(
            Line(
                time=now,
                method=request.method.decode("latin-1"),
                path=request.path.decode("latin-1"),
                peer=request.peer,
                client=context.client.name,
                request_id=context.request_id,
                status=status,
                outcome=self.outcome,
                seconds=seconds,
                first=first,
                sent=exchange.sent,
                decision=self._decision.outcome,
                provider=provider,
                model=self._decision.model,
                requested=self._decision.requested,
                attempts=self._attempts.count,
                dialect=facts.dialect,
                why="" if self._fault is None else self._fault.message,
            )
        )


def _outcome(status: int) -> str:
    if status < 400:
        return "ok"
    return "client_error" if status < 500 else "upstream_error"
