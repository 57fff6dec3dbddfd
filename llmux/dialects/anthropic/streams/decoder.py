"""Reads a Messages stream."""

from __future__ import annotations

from typing import Any

from llmux import jsonio
from llmux.dialects.anthropic import errors
from llmux.dialects.anthropic.responses.telling import Telling
from llmux.dialects.context import Context
from llmux.dialects.events import Event
from llmux.dialects.telling import Breaking
from llmux.errors import Fault


class MessagesDecoder(Breaking):
    """A stream, see `llmux.dialects.events.Decoder`. Blocks are told in the order in which they open; one is open at a time."""

    __slots__ = ("_context", "_index", "_telling")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._telling = Telling(context)
        super().__init__(self._telling.teller)
        self._index: object = None

    def feed(self, payloads: list[bytes]) -> list[Event]:
        """The events that some of the provider's tell."""
        telling = self._telling
        for payload in payloads:
            if self._over:
                break
            try:
                event = jsonio.loads(payload)
                # the hot path: one more piece of the text that is being told
                if event["type"] == "content_block_delta" and event["index"] == self._index:
                    delta = event["delta"]
                    if delta["type"] == "text_delta" and telling.kind == "text":
                        text = delta["text"]
                        if text and isinstance(text, str):
                            telling.teller.text(text)
                    else:
                        telling.delta(delta)
                else:
                    self._event(event)
            except Fault as fault:
                return self._broken(fault)
            except (ValueError, KeyError, TypeError, AttributeError):
                return self._broken(Fault("bad_gateway", "the provider's stream cannot be read", code="upstream_invalid"))
        return telling.teller.take()

    def close(self) -> list[Event]:
        """The end of the connection. Raises Fault unless the message said its own."""
        if self._over:
            return []
        return self._broken(Fault("bad_gateway", "the provider ended the stream before message_stop", code="stream_truncated"))

    def _event(self, event: dict[str, Any]) -> None:
        telling = self._telling
        match event["type"]:
            case "message_start":
                telling.start(event["message"])
            case "content_block_start":
                telling.open(event["content_block"])
                self._index = event["index"]
            case "content_block_stop":
                if event["index"] == self._index:
                    telling.close()
                    self._index = None
            case "content_block_delta":
                self._context.notes.drop("/content", "a piece of a block that is not open")
            case "message_delta":
                # what is said beside the reason is said beside the delta
                telling.conclude({**event, **event["delta"]}, event.get("usage"))
            case "message_stop":
                telling.end()
                self._over = True
            case "ping":
                telling.teller.ping()
            case "error":
                error = event.get("error")
                raise errors.told(error if isinstance(error, dict) else {})
            case kind:
                self._context.notes.drop(f"/{kind}", "the event is not known")


def decoder(context: Context) -> MessagesDecoder:
    """The decoder of one answer."""
    return MessagesDecoder(context)
