"""Reads a generateContent stream: every record a whole response of its own, of which the parts are joined."""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects.context import Context
from llmux.dialects.events import Event
from llmux.dialects.gemini.responses.candidates import unreadable
from llmux.dialects.gemini.responses.telling import Telling
from llmux.dialects.telling import Breaking
from llmux.errors import Fault


class Decoder(Breaking):
    """A stream, see `llmux.dialects.events.Decoder`.

    The API has no terminator. A record with the last finish reason is the end where the tokens are counted by then; else the end
    of the connection is, because the count may come in a record of its own.
    """

    __slots__ = ("_telling",)

    def __init__(self, context: Context) -> None:
        self._telling = Telling(context)
        super().__init__(self._telling.teller, begins=False)

    def feed(self, payloads: list[bytes]) -> list[Event]:
        """The events that some of the provider's tell."""
        telling = self._telling
        for payload in payloads:
            if self._over:
                break
            try:
                record = jsonio.loads(payload)
                # the hot path: one more piece of the text that is being told
                text = _plain_text(record)
                if text is not None and telling.text(text):
                    counts = record.get("usageMetadata")
                    if counts:
                        telling.meter(counts)
                    continue
                if b"unctionCall" in payload:
                    record = jsonio.whole(record, payload)
                telling.record(record)
                if telling.finished:
                    telling.end()
                    self._over = True
            except Fault as fault:
                return self._broken(fault)
            except (ValueError, TypeError, AttributeError):
                if payload.strip() != b"[DONE]":  # some compatible servers end like OpenAI's
                    return self._broken(unreadable())
        return telling.teller.take()

    def close(self) -> list[Event]:
        """The end of the connection. Raises Fault unless all that began has its end."""
        if self._over:
            return []
        if self._telling.unfinished:
            return self._broken(
                Fault("bad_gateway", "the provider ended the stream without a finish reason", code="stream_truncated")
            )
        self._over = True
        self._telling.end()
        return self._telling.teller.take()


# What a candidate, and the record around it, have beside a text when they say nothing but that.
_PLAIN = frozenset({"content", "index", "safetyRatings"})
_AROUND = frozenset({"candidates", "usageMetadata", "modelVersion", "responseId", "createTime"})


def _plain_text(record: Any) -> str | None:
    """The text of a record that says nothing else of its one candidate."""
    try:
        (candidate,) = record["candidates"]
        (part,) = candidate["content"]["parts"]
        if len(part) == 1 and candidate.keys() <= _PLAIN and record.keys() <= _AROUND and not candidate.get("index"):
            text = part["text"]
            return text if text.__class__ is str else None
    except (KeyError, ValueError, TypeError):
        pass
    return None


def decoder(context: Context) -> Decoder:
    """The decoder of one answer."""
    return Decoder(context)
