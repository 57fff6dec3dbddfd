"""The legacy text completions of OpenAI: a prompt in, text out. Clients only; no provider is asked in this API."""

from __future__ import annotations

from typing import Any, NoReturn

from llmux import jsonio
from llmux.dialects import openai_only, reading, sse
from llmux.dialects.base import Rooms
from llmux.dialects.context import Context
from llmux.dialects.events import Delta, Ended, Event, Finished, ItemOpened, Metered, Pinged, Started
from llmux.dialects.neutral import Choice, Message, Request, Response, Sampling, Text, TokenProbability, Usage, plain
from llmux.dialects.openai_chat import probabilities, reasons, usage
from llmux.dialects.openai_chat.errors import error_object
from llmux.dialects.openai_chat.requests import settings
from llmux.dialects.reading import invalid
from llmux.errors import Fault

_KNOWN = frozenset(
    {"model", "prompt", "stream", "stream_options", "max_tokens", "temperature", "top_p", "n", "stop", "logprobs", "user"}
    | {"frequency_penalty", "presence_penalty", "seed", "logit_bias", "suffix", "echo", "best_of"}
)
_WORDS = ("stop", "length", "content_filter")


def parse_request(doc: dict[str, Any], context: Context) -> Request:
    """The request: its prompt as the only message. Raises Fault.

    Several prompts, and prompts of tokens, are refused; whoever answers all the same answers the last, in which each token is a
    word.
    """
    where: dict[str, str] = {}
    prompt, at = _prompt(doc.get("prompt"), context)
    if doc.get("suffix"):
        context.notes.refuse("/suffix", "only this API fills gaps")
    if doc.get("echo"):
        context.notes.refuse("/echo", "only this API repeats the prompt")
    best_of = reading.integer(doc.get("best_of"), "/best_of")
    if best_of is not None and best_of > (doc.get("n") or 1):
        context.notes.refuse("/best_of", "no other API chooses the best of several answers")
    request = Request(
        (Message("user", (Text(prompt, at=at),), at="/prompt"),),
        model=reading.string(doc.get("model"), "/model"),
        stream=reading.flag(doc.get("stream"), "/stream") is True,
        include_usage=settings.include_usage(doc, where, context),
        sampling=_sampling(doc, where, context),
        user=openai_only.user(doc, where)[0],
        where=where,
    )
    reading.rest(doc, _KNOWN, "", context.notes)
    return request


def _prompt(prompt: object, context: Context) -> tuple[str, str]:
    """The text, and where it stands."""
    at = "/prompt"
    if isinstance(prompt, list) and prompt and isinstance(prompt[-1], str | list):
        if len(prompt) > 1:
            context.notes.refuse(at, "several prompts are several requests")
        at = f"{at}/{len(prompt) - 1}"
        prompt = prompt[-1]
    if isinstance(prompt, list):
        context.notes.refuse(at, "only the model's own maker knows what these tokens mean")
        prompt = " ".join(map(str, prompt))
    if not isinstance(prompt, str):
        raise invalid("/prompt", "prompt must be a string or a list")
    return prompt, at


def _sampling(doc: dict[str, Any], where: dict[str, str], context: Context) -> Sampling:
    """As in Chat Completions, but for `logprobs`, which is a number here."""
    most = reading.integer(doc.get("logprobs"), "/logprobs")
    same = {name: value for name, value in doc.items() if name != "logprobs"}
    if most is not None:
        same["logprobs"], same["top_logprobs"] = True, most
    sampling = settings.sampling(same, where, context)
    if most is not None:
        where["top_logprobs"] = "/logprobs"
    return sampling


def write_response(response: Response, context: Context) -> dict[str, Any]:
    """The body of `text_completion`. Raises Fault for the reasons that this API answers by an error."""
    body = _envelope(response.id, response.created, response.model)
    body["choices"] = [_whole(index, choice, context) for index, choice in enumerate(response.choices)]
    if response.usage is not None:
        body["usage"] = usage.write(response.usage)
    return body


def _whole(index: int, choice: Choice, context: Context) -> dict[str, Any]:
    parts = [part for item in choice.items if isinstance(item, Message) for part in item.parts]
    tokens = [token for part in parts if isinstance(part, Text) for token in part.logprobs]
    if any(not isinstance(item, Message) for item in choice.items):
        context.notes.drop(f"/choices/{index}", "this API answers in text")
    text = "".join(plain((part,)) for part in parts)
    written = _choice(text, _reason(reasons.write(choice.finish, context, refused=False)), index)
    if tokens:
        written["logprobs"] = probabilities.write_legacy(tokens)
    return written


class CompletionsEncoder:
    """A stream of text completions, see `llmux.dialects.events.Encoder`."""

    content_type = b"text/event-stream"

    def __init__(self, context: Context) -> None:
        options = context.asked.get("stream_options")
        self._context = context
        self._include_usage = isinstance(options, dict) and options.get("include_usage") is True
        self._envelope: dict[str, Any] = {}
        self._choices: dict[int, int] = {}  # item -> choice
        self._lengths: dict[int, int] = {}  # choice -> characters told
        self._usage: Usage | None = None
        self._broken = False

    def encode(self, event: Event) -> bytes:
        """The record of an event."""
        match event:
            case Started(id, model, created, tokens):
                self._usage = tokens
                self._envelope = _envelope(id, created, model)
            case ItemOpened(item, choice=choice):
                self._choices[item] = choice
            case Delta(item, _, "text", text, tokens):
                return self._say(self._choices[item], text, tokens)
            case Metered(tokens):
                self._usage = tokens
            case Finished(finish, choice):
                try:
                    reason = reasons.write(finish, self._context, refused=False)
                except Fault as fault:
                    return self.error(fault)
                return self._record([_choice("", _reason(reason), choice)])
            case Ended():
                return self._end()
            case Pinged():
                return b": ping\n\n"
        return b""

    def error(self, fault: Fault) -> bytes:
        """An error record; no `[DONE]` follows."""
        self._broken = True
        return sse.event(jsonio.dumps({"error": error_object(fault)[1]}))

    def _say(self, choice: int, text: str, tokens: tuple[TokenProbability, ...]) -> bytes:
        said = self._lengths.get(choice, 0)
        self._lengths[choice] = said + len(text)
        written = _choice(text, None, choice)
        if tokens:
            written["logprobs"] = probabilities.write_legacy(tokens, said)
        return self._record([written])

    def _end(self) -> bytes:
        if self._broken:
            return b""
        last = b""
        if self._include_usage and self._usage is not None:
            last = self._record([], usage.write(self._usage))
        return last + sse.event(b"[DONE]")

    def _record(self, choices: list[dict[str, Any]], tokens: dict[str, Any] | None = None) -> bytes:
        return sse.event(jsonio.dumps({**self._envelope, "choices": choices, "usage": tokens}))


def encoder(context: Context) -> CompletionsEncoder:
    """The encoder of one answer."""
    return CompletionsEncoder(context)


def _envelope(id: str, created: int, model: str) -> dict[str, Any]:
    return {"id": f"cmpl-{id}", "object": "text_completion", "created": created, "model": model}


def _choice(text: str, finish: str | None, index: int) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": finish}


def _reason(reason: str) -> str:
    """This API knows no tools: what ended in calls just stopped."""
    return reason if reason in _WORDS else "stop"


def _unimplemented(*_: object) -> NoReturn:
    raise Fault("unimplemented", "no provider is asked for text completions")


COMPLETIONS = Rooms(
    parse_request=parse_request,
    write_request=_unimplemented,
    parse_response=_unimplemented,
    write_response=write_response,
    decoder=_unimplemented,
    encoder=encoder,
    lacks=frozenset({"phases", "explanations", "searches", "fetches"}),
)
