"""Reads a Chat Completions stream."""

from __future__ import annotations

from llmux import jsonio
from llmux.dialects import refusals
from llmux.dialects.context import Context
from llmux.dialects.events import Event
from llmux.dialects.openai_chat import errors
from llmux.dialects.openai_chat.responses.telling import Telling
from llmux.dialects.telling import Breaking
from llmux.errors import Fault

_DONE = b"[DONE]"


class ChatDecoder(Breaking):
    """A stream, see `llmux.dialects.events.Decoder`.

    It ends at `[DONE]`, whatever follows; some servers send none, so it may also just close once every choice has its reason.
    """

    __slots__ = ("_telling",)

    def __init__(self, context: Context) -> None:
        self._telling = Telling(context)
        super().__init__(self._telling.teller)

    def feed(self, payloads: list[bytes]) -> list[Event]:
        """The events that some chunks tell."""
        teller = self._telling.teller
        for payload in payloads:
            if self._over:
                break
            try:
                if payload.strip() == _DONE:
                    self._telling.end(silently=False)
                    self._over = True
                    break
                chunk = jsonio.loads(payload)
                # the hot path: one more piece of the text, or of the reasoning, that is being told
                choices = chunk.get("choices") if type(chunk) is dict else None
                if choices and len(choices) == 1 and not chunk.get("usage"):
                    (choice,) = choices
                    delta = choice.get("delta")
                    item = teller.current()
                    if item and delta and not (choice.get("finish_reason") or choice.get("logprobs") or choice.get("index")):
                        member = "content" if item.opened.kind == "message" else "reasoning_content"
                        text = delta.get(member)
                        if type(text) is str and text and (len(delta) == 1 or not _more(delta, member)):
                            if member == "content":
                                teller.text(text)
                            else:
                                teller.say(item, "summary", text)
                            continue
                self._chunk(chunk)
            except Fault as fault:
                return self._broken(fault)
            except (ValueError, KeyError, TypeError, AttributeError):
                return self._broken(Fault("bad_gateway", "the provider's stream cannot be read", code="upstream_invalid"))
        return teller.take()

    def close(self) -> list[Event]:
        """The end of the connection. Raises Fault unless every choice said its own."""
        if self._over:
            return []
        try:
            self._telling.end(silently=True)
        except Fault as fault:
            return self._broken(fault)
        self._over = True
        return self._telling.teller.take()

    def _chunk(self, chunk: object) -> None:
        error = refusals.error_of(chunk)
        if error is not None:
            raise errors.told(error)
        if not isinstance(chunk, dict):
            raise ValueError("a chunk is an object")
        self._telling.see(chunk, "delta")


def _more(delta: dict[str, object], member: str) -> bool:
    """Whether a delta says anything beside its text; many servers repeat the role and all the members that they have."""
    return any(value for name, value in delta.items() if name not in (member, "role"))


def decoder(context: Context) -> ChatDecoder:
    """The decoder of one answer."""
    return ChatDecoder(context)
