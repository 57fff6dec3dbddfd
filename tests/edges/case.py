"""What the tests of edge cases share: exchanges between a client's dialect and a provider's, without I/O."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import attrs
from twisted.trial.unittest import SynchronousTestCase

from llmux import jsonio
from llmux.dialects.capabilities import Capabilities
from llmux.dialects.context import Context, Options, Target
from llmux.dialects.notes import Notes
from llmux.dialects.registry import DIALECTS
from llmux.dialects.seals import Seals
from llmux.dialects.translation import Translation
from llmux.dialects.vault import Shelf
from llmux.errors import Fault
from tests import grammars, oracles
from tests.edges import wire
from tests.edges.bodies import AN, CH, GE, RE, Body, answered, call_ids, conversation, question, said_back, spoken

ALL = (CH, RE, AN, GE)
# Models of each sort. Claudes: think by effort alone and take no sampling, the first knows system messages anywhere, the second
# does not; by both; by budget; not at all. Geminis: by level, by budget, by budget that cannot be nothing.
NEW_CLAUDE, SEVEN, SIX, BUDGET_CLAUDE, OLD_CLAUDE = (
    *("claude-opus-4-8", "claude-opus-4-7", "claude-opus-4-6", "claude-sonnet-4-5", "claude-3-5-haiku"),
)
LEVEL_GEMINI, BUDGET_GEMINI, PRO_GEMINI = "gemini-3-pro", "gemini-2.5-flash", "gemini-2.5-pro"
MODELS = {CH: "gpt-5", RE: "gpt-5", AN: NEW_CLAUDE, GE: LEVEL_GEMINI}


def others(client: str) -> tuple[str, ...]:
    """The dialects of the providers that a client cannot be passed through to."""
    return tuple(each for each in ALL if each != client)


def pairs() -> Iterator[tuple[str, str]]:
    """Every client with every provider of another dialect."""
    for client in ALL:
        for provider in others(client):
            yield client, provider


@attrs.define
class Exchange:
    """A request that was translated. `raw` is what the provider is sent; `notes` are those of the request."""

    client: str
    provider: str
    translation: Translation
    raw: bytes
    notes: list[str]

    @property
    def body(self) -> Body:
        """What the provider is sent, parsed."""
        found: Body = json.loads(self.raw)
        return found

    @property
    def version(self) -> str:
        """The version of its API that the provider is told."""
        return dict(self.translation.fields)[b"anthropic-version"].decode()

    @property
    def noted(self) -> list[str]:
        """The notes since the request was written."""
        return _noted(self.translation.context.notes)[len(self.notes) :]

    def reply(self, answer: Body) -> Body:
        """What the client reads of a whole answer."""
        told: Body = json.loads(self.translation.answer(jsonio.dumps(answer)))
        _judge_answer(self.client, told)
        return told

    def stream(self, sent: list[Body] | bytes) -> list[Any]:
        """The records that the client reads of a stream. Raises Fault where the stream breaks."""
        stream = self.translation.stream()
        data = sent if isinstance(sent, bytes) else wire.framed(self.provider, sent)
        told = stream.feed(data) + (b"" if stream.fault is not None else stream.close())
        if stream.fault is not None:
            raise stream.fault
        records = grammars.records(told)
        _judge_stream(self.client, records, self.translation.context.asked)
        return [record.data for record in records]


# What every body must pass, whatever a test says of it: the SDKs' types, and the grammars of streams.


def _judge_request(provider: str, body: Body) -> None:
    beside = ("stream", "temperature", "top_p", "top_k")  # the types have them elsewhere, or not any more
    match provider:
        case "openai-chat":
            oracles.chat_request(body)
        case "openai-responses":
            oracles.response_request(body)
        case "anthropic":
            oracles.message_request({name: value for name, value in body.items() if name not in beside})
        case _:
            oracles.generate_request(body)


def _judge_answer(client: str, body: Body) -> None:
    match client:
        case "openai-chat":
            oracles.chat(body)
        case "openai-responses":
            oracles.response(body)
        case "anthropic":
            oracles.message(body)
        case _:
            oracles.generated(body)


def _judge_stream(client: str, records: list[grammars.Record], asked: Body) -> None:
    match client:
        case "openai-chat":
            grammars.check_chat(records, bool((asked.get("stream_options") or {}).get("include_usage")))
        case "openai-responses":
            grammars.check_responses(records)
        case "anthropic":
            grammars.check_messages(records)
        case _:
            grammars.check_gemini([record.data for record in records])


def _noted(notes: Notes) -> list[str]:
    return [f"{note.action} {note.pointer}" for note in notes]


class EdgeCase(SynchronousTestCase):
    """Asks, and reads what becomes of it. `last` is the latest exchange."""

    last: Exchange

    def exchange(
        self,
        client: str,
        provider: str,
        body: Body,
        *,
        model: str | None = None,
        version: str | None = "2023-06-01",
        options: dict[str, Any] | None = None,
        capabilities: Capabilities | None = None,
        shelf: Shelf | None = None,
        stream: bool = False,
    ) -> Exchange:
        """A request of a client for a model of a provider. `version` is an Anthropic client's; None: it says none."""
        chosen = Options(**(options or {}))
        target = Target.of(model or MODELS[provider], chosen)
        if capabilities is not None:
            target = attrs.evolve(target, capabilities=capabilities)
        context = Context(
            notes=Notes(strict=chosen.strict),
            seals=Seals((b"tests",)),
            target=target,
            asked=body,
            stream=stream,
            version=version if client == AN else None,
            now=1_700_000_000,
            shelf=shelf,
        )
        translation = Translation(DIALECTS[client].rooms, DIALECTS[provider], context)
        raw = jsonio.dumps(translation.body)
        self.last = Exchange(client, provider, translation, raw, _noted(context.notes))
        _judge_request(provider, self.last.body)
        return self.last

    def ask(self, client: str, provider: str, body: Body, **more: Any) -> tuple[Body, list[str]]:
        """What a provider is sent, and the notes, each as `action pointer`. See `exchange`."""
        made = self.exchange(client, provider, body, **more)
        return made.body, made.notes

    def refused(self, client: str, provider: str, body: Body, **more: Any) -> Fault:
        """The fault of a request that must not be sent: a 400 that names the field."""
        try:
            made = self.exchange(client, provider, body, **more)
        except Fault as fault:
            self.assertEqual(fault.kind, "invalid")
            status, told = DIALECTS[client].error_body(fault, "req_1")
            self.assertEqual(status, 400)
            self.assertIn(json.dumps(fault.message, ensure_ascii=False)[1:-1], told.decode())
            return fault
        raise self.failureException(f"{client} to {provider} was sent: {made.raw.decode()}")

    def reply(self, client: str, provider: str, answer: Body, asked: Body | None = None, **more: Any) -> Body:
        """What a client reads of a provider's whole answer."""
        return self.exchange(client, provider, asked or question(client), **more).reply(answer)

    def stream(self, client: str, provider: str, sent: list[Body] | bytes, asked: Body | None = None, **more: Any) -> list[Any]:
        """The records that a client reads of a provider's stream, which is told as records or as bytes."""
        return self.exchange(client, provider, asked or question(client), stream=True, **more).stream(sent)

    def heard(self, client: str, provider: str, answer: Body, asked: Body | None = None, **more: Any) -> Iterator[Body]:
        """What a client has of an answer that comes whole, and of one that comes as a stream."""
        yield self.reply(client, provider, answer, asked, **more)
        told = self.stream(client, provider, wire.streamed(provider, answer), asked, **more)
        yield wire.gathered(client, told)

    def turned(self, client: str, answer: Body, results: str = "4 degrees", **more: Any) -> Body:
        """The client's next request: its question, the answer as it has it, and what its tools say or another question."""
        ids = call_ids(client, answer)
        follow = answered(client, *ids, text=results) if ids else [spoken(client, "user", "Go on.")]
        return conversation(client, [spoken(client, "user", "Hello"), *said_back(client, answer), *follow], **more)
