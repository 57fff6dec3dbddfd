"""Tells what a provider says in this dialect: choices that grow, and the completion around them.

A whole message is told as one delta, so that a stream and a body come to the same.
"""

from __future__ import annotations

from typing import Any

from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.neutral import Finish, Seal
from llmux.dialects.openai_chat import citations, custody, probabilities, reasons, usage
from llmux.dialects.openai_chat.responses.calls import Calls
from llmux.dialects.telling import Teller
from llmux.errors import Fault

ID = "chatcmpl-"
TIERS = {"default": "standard"}
# What a message may hold that has no slot.
_UNSAID = ("audio", "images")


class _Choice:
    """What has to be remembered of a choice on its way."""

    __slots__ = ("calls", "finished", "index", "refused", "said")

    def __init__(self, index: int, teller: Teller) -> None:
        self.index = index
        self.calls = Calls(index, teller)
        self.refused = False
        self.said = False  # something beside reasoning
        self.finished = False


class Telling:
    """One completion on its way."""

    __slots__ = ("_choices", "_context", "_counts", "teller")

    def __init__(self, context: Context) -> None:
        self.teller = Teller(context)
        self._context = context
        self._choices: dict[int, _Choice] = {}
        self._counts: dict[str, Any] | None = None

    # the completion

    def see(self, document: dict[str, Any], member: str) -> None:
        """A chunk, or a whole completion; `member` holds what a choice says, `delta` or `message`. Raises Fault."""
        choices = document.get("choices")
        if not isinstance(choices, list):
            choices = []
        # Azure tells what it thinks of the prompt first, in a chunk that has neither an id nor a choice.
        if not self.teller.started and (choices or document.get("id")):
            self._start(document)
        for choice in choices:
            if not isinstance(choice, dict):
                raise Fault("bad_gateway", "the provider sent a choice that is no object", code="upstream_invalid")
            self._see_choice(choice, member)
        counts = document.get("usage")
        if counts is None and isinstance(document.get("x_groq"), dict):
            counts = document["x_groq"].get("usage")
        if isinstance(counts, dict) and counts != self._counts:
            self._counts = counts
            if self.teller.started:
                self.teller.meter(usage.read(counts))
        reading.surplus(document, _DOCUMENT, "", self._context.notes)

    def end(self, *, silently: bool) -> None:
        """Nothing follows. `silently`: the stream just stops, where `[DONE]` should stand. Raises Fault for what is not whole."""
        if not self.teller.started:
            raise _truncated()
        unfinished = [choice for choice in self._choices.values() if not choice.finished]
        if not self._choices or (unfinished and (silently or not all(choice.said for choice in unfinished))):
            raise _truncated()
        for choice in unfinished:
            at = reasons.place(choice.index)
            self._context.notes.invent(at, "the provider gave no reason")
            self._finish(choice, Finish("stop", at=at))
        self.teller.end()

    def _start(self, document: dict[str, Any]) -> None:
        created, tier = document.get("created"), document.get("service_tier")
        self.teller.start(
            _text(document.get("id")).removeprefix(ID),
            _text(document.get("model")),
            created if isinstance(created, int) and created > 0 else None,
            tier=TIERS.get(tier, tier) if isinstance(tier, str) else None,
            fingerprint=_text(document.get("system_fingerprint")) or None,
        )
        if self._counts is not None:
            self.teller.meter(usage.read(self._counts))

    # a choice

    def _see_choice(self, node: dict[str, Any], member: str) -> None:
        number = reading.choice(node.get("index"), 0)
        choice = self._choices.get(number)
        if choice is None:
            choice = self._choices[number] = _Choice(number, self.teller)
        if choice.finished:
            return
        said = node.get(member)
        if isinstance(said, dict):
            self._say(choice, said, node.get("logprobs"))
            reading.surplus(said, _SAID, f"/choices/{number}/{member}", self._context.notes)
        reading.surplus(node, _CHOICE, f"/choices/{number}", self._context.notes)
        finish = reasons.read(node, number, refused=choice.refused)
        if finish is not None:
            self._finish(choice, finish)

    def _say(self, choice: _Choice, said: dict[str, Any], logprobs: object) -> None:
        teller, number = self.teller, choice.index
        if not said.keys() <= _PLAIN:
            self._think(choice, said)
        content = said.get("content")
        tokens = probabilities.read(logprobs) if logprobs else ()
        if isinstance(content, list):
            self._say_parts(choice, content)
        elif content or tokens:
            choice.said = True
            choice.calls.settle()
            teller.text(_text(content), number, tokens)
        refusal = said.get("refusal")
        if refusal:
            choice.said = choice.refused = True
            teller.refusal(_text(refusal), number)
            if isinstance(logprobs, dict) and logprobs.get("refusal"):
                self._context.notes.drop(f"/choices/{number}/logprobs/refusal", "a refusal has no probabilities")
        if "extra_content" in said and (signature := custody.signature(said)):
            teller.seal(teller.message(number), Seal("gemini", "thought_signature", signature))
        for annotation in citations.read(said.get("annotations"), f"/choices/{number}/message/annotations"):
            teller.cite(teller.message(number), annotation)
        calls = said.get("tool_calls")
        if isinstance(calls, list):
            for call in calls:
                if isinstance(call, dict):
                    choice.said = True
                    choice.calls.see(call)
        legacy = said.get("function_call")
        if isinstance(legacy, dict):
            choice.said = True
            choice.calls.see({"index": 0, "function": legacy})
        for name in _UNSAID:
            if said.get(name):
                choice.said = True
                self._context.notes.drop(f"/choices/{number}/message/{name}", "no counterpart")

    def _say_parts(self, choice: _Choice, content: list[Any]) -> None:
        """Content in parts, as Mistral's models send it when they think."""
        for part in content:
            if not isinstance(part, dict):
                continue
            inner = part.get("thinking")
            if part.get("type") == "thinking" and isinstance(inner, list):
                text = "".join(_text(each.get("text")) for each in inner if isinstance(each, dict))
                if text:
                    self.teller.think("summary", text, choice.index)
            elif part.get("type") == "text" and part.get("text"):
                choice.said = True
                choice.calls.settle()
                self.teller.text(_text(part["text"]), choice.index)

    def _think(self, choice: _Choice, said: dict[str, Any]) -> None:
        """Reasoning, and the seals of it and of calls."""
        teller, number = self.teller, choice.index
        for piece in custody.pieces(said):
            seal = piece.seal
            if seal is not None and seal.family == "gemini":
                choice.calls.seal(piece.call_id, seal)
                continue
            choice.calls.settle()
            item = teller.open_reasoning(number) if piece.alone else teller.reasoning(number)
            if piece.text:
                teller.say(item, "summary", piece.text)
            if seal is not None:
                teller.seal(item, seal)
                teller.close(item)

    def _finish(self, choice: _Choice, finish: Finish) -> None:
        choice.finished = True
        for seal in choice.calls.unclaimed():
            self.teller.seal(self.teller.message(choice.index), seal)
        current = self.teller.current(choice.index)
        if finish.reason == "refusal" and current is not None:
            self.teller.close(current)  # a refusal in words is whole
        if choice.calls.unnamed():
            self._context.notes.drop(f"/choices/{choice.index}/message/tool_calls", "a call without a name")
            if finish.reason in ("tool_calls", "stop"):
                finish = Finish("malformed", message="a tool was called without a name", raw=finish.raw, at=finish.at)
        self.teller.finish(finish, choice.index)


# What is read, and what servers tell of themselves that no client has to know.
_DOCUMENT = frozenset(
    {"id", "object", "created", "model", "choices", "usage", "service_tier", "system_fingerprint", "obfuscation", "metadata"}
    | {"provider", "prompt_filter_results", "x_groq", "timings", "time_info", "prompt_logprobs", "prompt_token_ids"}
    | {"kv_transfer_params"}
)
_CHOICE = frozenset(
    {"index", "delta", "message", "finish_reason", "logprobs", "stop_reason", "matched_stop", "native_finish_reason"}
    | {"content_filter_results", "content_filter_offsets", "content_filter_result", "token_ids"}
)
# Members of a delta that have nothing to do with reasoning.
_PLAIN = frozenset({"role", "content", "refusal", "tool_calls", "function_call", "annotations", "audio", "images"})
_SAID = _PLAIN | {"reasoning_content", "reasoning", "reasoning_details", "thinking_blocks", "extra_content", "name"}


def _truncated() -> Fault:
    return Fault("bad_gateway", "the provider's answer stops before its end", code="stream_truncated")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
