"""A request for a provider that speaks another dialect than the client: what it is sent, and what the client reads of its
answer.
"""

from __future__ import annotations

from typing import Protocol

import attrs

from llmux import headers, jsonio
from llmux.dialects import counting, embedding
from llmux.dialects.base import Dialect
from llmux.dialects.context import Context as Translated
from llmux.dialects.context import Options, Target
from llmux.dialects.notes import Notes
from llmux.dialects.openai_chat.completions import COMPLETIONS
from llmux.dialects.registry import DIALECTS
from llmux.dialects.translation import StreamTranslation, Translation, body_of
from llmux.errors import Fault
from llmux.headers import Headers
from llmux.routing.decision import Candidate
from llmux.web.context import Context
from llmux.web.facts import Errand


class Spoken(Protocol):
    """A request as the provider gets it, and what makes the client's answer of the provider's.

    `path` is below the provider's base URL; `fields` are headers of its API. `answer` translates a whole body (`events`: it is
    server-sent events) into one that the client reads; `stream` gives what translates a stream on its way, None where the client
    wants none.
    """

    @property
    def path(self) -> bytes: ...

    @property
    def query(self) -> bytes: ...

    @property
    def fields(self) -> Headers: ...

    @property
    def body(self) -> bytes: ...

    @property
    def content_type(self) -> bytes: ...

    def answer(self, body: bytes, events: bool) -> bytes: ...

    def stream(self) -> StreamTranslation | None: ...


@attrs.frozen
class Generation:
    """An exchange that generates."""

    path: bytes
    query: bytes
    fields: Headers
    body: bytes
    _translation: Translation

    @property
    def content_type(self) -> bytes:
        """Of what `answer` gives."""
        return self._translation.content_type

    def answer(self, body: bytes, events: bool) -> bytes:
        """See `Spoken`. Who wants a stream gets one, whatever the provider made of it, and the other way round."""
        return self._translation.gather(body) if events else self._translation.answer(body)

    def stream(self) -> StreamTranslation | None:
        """See `Spoken`."""
        return self._translation.stream() if self._translation.context.stream else None


@attrs.frozen
class Surface:
    """An exchange beside generation: one body there, one back."""

    path: bytes
    query: bytes
    fields: Headers
    body: bytes
    _read: counting.Answer | embedding.Answer

    content_type = b"application/json"

    def answer(self, body: bytes, events: bool) -> bytes:
        """See `Spoken`."""
        return jsonio.dumps(self._read(body_of(body)))

    def stream(self) -> StreamTranslation | None:
        """See `Spoken`."""
        return None


def speak(context: Context, errand: Errand, candidate: Candidate, options: Options, notes: Notes) -> Spoken:
    """The request in the candidate's dialect. Raises Fault where it cannot be read, or not be said there."""
    facts, runtime = errand.facts, context.runtime
    client, provider = DIALECTS[facts.dialect], DIALECTS[candidate.dialect]
    version = headers.first(context.request.headers, b"anthropic-version") if facts.dialect == "anthropic" else None
    translated = Translated(
        notes=notes,
        seals=runtime.seals,
        target=Target.of(candidate.model, options),
        asked=read(errand.body, client),
        stream=facts.stream,
        framed=b"alt=sse" in context.request.query.split(b"&"),
        version=None if version is None else version.decode("latin-1").strip(),
        now=int(runtime.clock.seconds()),
        shelf=runtime.vault.shelf(context.client.key or b""),
    )
    match facts.action or facts.operation:
        case "generate" | "completions" | "generateContent" | "streamGenerateContent":
            rooms = COMPLETIONS if facts.operation == "completions" else client.rooms
            translation = Translation(rooms, provider, translated)
            path, query = translation.address
            return Generation(path, query, [_JSON, *translation.fields], jsonio.dumps(translation.body), translation)
        case "count_tokens" | "countTokens":
            return _surface(provider, translated, counting.translate(client, provider, translated))
        case "embeddings" | "embedContent" | "batchEmbedContents" as action:
            return _surface(provider, translated, embedding.translate(action, client, provider, translated))
    raise Fault("not_found", f"Unknown method: {facts.action or facts.operation}", should_retry=False)


def _surface(provider: Dialect, context: Translated, asked: counting.Asked | embedding.Asked) -> Surface:
    return Surface(asked.path, b"", [_JSON, *provider.fields(context)], jsonio.dumps(asked.body), asked.read)


def read(body: bytes, client: Dialect) -> dict[str, object]:
    """A client's body. Raises Fault."""
    try:
        document = client.loads(body)
    except ValueError as error:
        raise Fault("invalid", f"the body is not valid JSON: {error}") from None
    if not isinstance(document, dict):
        raise Fault("invalid", "the body must be a JSON object")
    if jsonio.deeper_than(document, _DEEPEST):
        raise Fault("invalid", "the body is nested too deeply")
    return document


_JSON = (b"content-type", b"application/json")
# Deeper than any client nests, and far from where writers of JSON give up.
_DEEPEST = 200
