from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import TestCase

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.events import Ended, Event
from llmux.dialects.neutral import Choice, Message, Reasoning, Response, ToolCall
from llmux.dialects.registry import DIALECTS
from llmux.dialects.translation import StreamTranslation
from llmux.errors import Fault
from tests import oracles
from tests.dialects.tellings import tell
from tests.grammars import check_chat, check_gemini, check_messages, check_responses, records
from tests.properties.generated import context, responses

DIALECT = st.sampled_from(list(DIALECTS))
ASKED: dict[str, dict[str, Any]] = {"openai-chat": {"stream": True, "stream_options": {"include_usage": True}}}


def provided(provider: str, response: Response) -> bytes:
    """The bytes in which a provider streams a response."""
    encoder = DIALECTS[provider].rooms.encoder(context(provider, ASKED.get(provider), stream=True))
    return b"".join(map(encoder.encode, tell(response)))


def translated(client: str, provider: str, pieces: list[bytes]) -> bytes:
    """What the client reads of a stream that arrives in pieces; an error event where it breaks."""
    made = context(provider, ASKED.get(client), stream=True)
    stream = StreamTranslation(DIALECTS[client].rooms, DIALECTS[provider], made)
    framer = sse.Framer()
    told = []
    fault: Fault | None = None
    try:
        for piece in pieces:
            whole = framer.feed(piece)
            if whole:
                told.append(stream.feed(whole))
        if framer.rest:
            told.append(stream.feed(framer.rest))
        told.append(stream.close())
        fault = stream.fault
    except Fault as error:
        fault = error
    if fault is not None:
        told.append(stream.error(fault))
    return b"".join(told)


def decoded(provider: str, stream: bytes) -> Response:
    """The response that a provider's stream tells."""
    decoder = DIALECTS[provider].rooms.decoder(context(provider, stream=True))
    events: list[Event] = [*decoder.feed(sse.payloads(stream)), *decoder.close()]
    last = events[-1]
    assert isinstance(last, Ended), events
    return last.response


def judged(client: str, stream: bytes) -> Any:
    """What the client's SDK makes of a stream that keeps its grammar."""
    told = records(stream)
    match client:
        case "openai-chat":
            check_chat(told, include_usage=True)
            return _said(oracles.plain(oracles.chat_stream(told)))
        case "openai-responses":
            check_responses(told)
            return oracles.plain(oracles.response_stream(told))
        case "anthropic":
            check_messages(told)
            return oracles.plain(oracles.message_stream(told))
        case _:
            check_gemini([record.data for record in told])
            return oracles.generated_stream([record.data for record in told])


def whole(client: str, body: dict[str, Any]) -> Any:
    """The same of an answer that does not stream."""
    match client:
        case "openai-chat":
            return _said(oracles.plain(oracles.chat(body)))
        case "openai-responses":
            return oracles.plain(oracles.response(body))
        case "anthropic":
            return oracles.plain(oracles.message(body))
        case _:
            oracles.generated(body)
            return oracles.generated_stream([body])


def _said(completion: Any) -> Any:
    """A stream begins with an empty text, where a whole message that has none says null; and it counts its calls."""
    for choice in completion["choices"]:
        if choice["message"].get("content") == "":
            del choice["message"]["content"]
        for call in choice["message"].get("tool_calls", ()):
            call.pop("index", None)
    return completion


_ORDER: dict[type, int] = {Reasoning: 0, Message: 1, ToolCall: 2}


def in_order(response: Response) -> Response:
    """Chat Completions say in a whole message what was thought, said and called, and not in which order."""
    items = tuple(sorted(response.items, key=lambda item: _ORDER.get(type(item), 3)))
    return msgspec.structs.replace(response, choices=(Choice(items, response.finish),))


class StreamTests(TestCase):
    """Any answer, any dialects, any cut."""

    @given(responses(), DIALECT, DIALECT)
    def test_stream_and_whole_are_one(self, response: Response, client: str, provider: str) -> None:
        """What the SDK gathers from a stream is what it reads of the whole answer."""
        told = decoded(provider, provided(provider, response))
        stream = translated(client, provider, [provided(provider, response)])
        body = DIALECTS[client].rooms.write_response(told, context(provider, ASKED.get(client)))
        self.assertEqual(judged(client, stream), whole(client, jsonio.loads(jsonio.dumps(body))))

    @given(responses(), DIALECT)
    def test_a_provider_says_the_same_both_ways(self, response: Response, provider: str) -> None:
        """Its stream and its whole answer tell one response."""
        response = in_order(response) if provider == "openai-chat" else response
        body = DIALECTS[provider].rooms.write_response(response, context(provider))
        parsed = DIALECTS[provider].rooms.parse_response(jsonio.loads(jsonio.dumps(body)), context(provider))
        self.assertEqual(decoded(provider, provided(provider, response)), parsed)

    @given(responses(), DIALECT, DIALECT, st.data())
    def test_any_cut_gives_the_same_bytes(self, response: Response, client: str, provider: str, data: st.DataObject) -> None:
        """One byte at a time, or in a few pieces."""
        stream = provided(provider, response)
        cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
        pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
        expected = translated(client, provider, [stream])
        self.assertEqual(translated(client, provider, pieces), expected)
        self.assertEqual(translated(client, provider, [stream[at : at + 1] for at in range(len(stream))]), expected)

    @given(responses(), DIALECT, DIALECT, st.data())
    def test_a_stream_that_breaks_off_never_looks_whole(
        self, response: Response, client: str, provider: str, data: st.DataObject
    ) -> None:
        """Cut after any event but the last, the client is told."""
        stream = provided(provider, response)
        events = [event + b"\n\n" for event in stream.split(b"\n\n") if event]
        ends = {"openai-chat": 2, "gemini": 1}.get(provider, 1)  # [DONE] and the usage may be missing after a finish reason
        kept = data.draw(st.integers(0, max(0, len(events) - ends - 1)))
        told = translated(client, provider, [b"".join(events[:kept])])
        for end in (b"data: [DONE]", b"event: message_stop", b"event: response.completed", b'"finishReason"'):
            self.assertNotIn(end, told)

    @given(responses(), DIALECT, DIALECT, st.data())
    def test_rubbish_is_survived(self, response: Response, client: str, provider: str, data: st.DataObject) -> None:
        """Bytes changed, events doubled, left out or swapped: a stream or an error in the client's grammar, never a traceback."""
        events = [event + b"\n\n" for event in provided(provider, response).split(b"\n\n") if event]
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(events) - 1))
            match data.draw(st.sampled_from(["drop", "double", "swap", "byte", "cut"])):
                case "drop" if len(events) > 1:
                    del events[at]
                case "double":
                    events.insert(at, events[at])
                case "swap":
                    other = data.draw(st.integers(0, len(events) - 1))
                    events[at], events[other] = events[other], events[at]
                case "byte":
                    place = data.draw(st.integers(0, len(events[at]) - 1))
                    events[at] = events[at][:place] + data.draw(st.binary(min_size=1, max_size=2)) + events[at][place + 1 :]
                case "cut":
                    events[at] = events[at][: data.draw(st.integers(0, len(events[at])))] + b"\n\n"
        told = translated(client, provider, [b"".join(events)])
        self.assertTrue(told)
        records(told)
