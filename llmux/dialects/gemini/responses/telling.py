"""Tells what a provider says in this dialect: candidates, whose parts are appended from record to record.

A whole answer is told as a stream of one record.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from llmux import jsonio
from llmux.dialects import reading
from llmux.dialects.context import Context
from llmux.dialects.gemini import errors, grounding, logprobs, media, reasons, servers, signatures, usage
from llmux.dialects.gemini.partial import PartialArguments
from llmux.dialects.gemini.responses.candidates import Candidate, Told, unreadable
from llmux.dialects.telling import Teller

# What is read, or says nothing that a client would miss.
_RECORD = frozenset({"candidates", "promptFeedback", "usageMetadata", "modelVersion", "responseId", "createTime"})
_CANDIDATE = frozenset(
    {
        *("content", "index", "finishReason", "finishMessage", "safetyRatings", "citationMetadata", "groundingMetadata"),
        *("logprobsResult", "avgLogprobs", "tokenCount", "continuationToken"),
    }
)
_DATA = ("functionCall", *servers.PARTS, *media.MEMBERS, "text")
_PART = frozenset({*_DATA, "thought", "thoughtSignature"})
_UNSAID_OF_GROUNDING = (
    *("webSearchQueries", "imageSearchQueries", "retrievalQueries"),
    *("searchEntryPoint", "googleMapsWidgetContextToken"),
)


class Telling:
    """One answer on its way."""

    __slots__ = ("_candidates", "_context", "_usage", "blocked", "teller")

    def __init__(self, context: Context) -> None:
        self.teller = Teller(context)
        self._context = context
        self._candidates: dict[int, Candidate] = {}
        self._usage: dict[str, Any] | None = None
        self.blocked = False

    @property
    def finished(self) -> bool:
        """Whether all that was begun has its end, and the tokens are counted."""
        asked = self._context.asked.get("n")
        expected = asked if isinstance(asked, int) else 1
        ended = sum(candidate.ended for candidate in self._candidates.values())
        return self._usage is not None and (self.blocked or ended >= max(expected, len(self._candidates)))

    @property
    def empty(self) -> bool:
        """Whether nothing at all was answered."""
        return not self.blocked and not self._candidates

    @property
    def unfinished(self) -> bool:
        """Whether something that began has no end."""
        return self.empty or not all(candidate.ended for candidate in self._candidates.values())

    def record(self, raw: object) -> None:
        """One record. Raises Fault for an error, and for what cannot be read."""
        if isinstance(raw, list):
            for each in raw:
                self.record(each)
            return
        if not isinstance(raw, dict):
            raise unreadable()
        if raw.get("error"):
            error = raw["error"]
            raise errors.told(error if isinstance(error, dict) else {"message": str(error)})
        node = Told(raw, "")
        counts = node.get("usageMetadata")
        if isinstance(counts, dict):
            self.meter(counts)
        if not self.teller.started:
            self._start(node)
        node.rest(_RECORD, self._context.notes)
        for index, candidate in enumerate(node.children("candidates")):
            self._candidate(candidate, index)
        feedback = node.child("promptFeedback")
        if feedback is not None and feedback.get("safetyRatings"):
            self._context.notes.drop(feedback.where("safetyRatings"), _RATINGS)
        finish = None if feedback is None else reasons.blocked(feedback)
        if finish is not None and not self._candidates:
            self.blocked = True
            self._meter()
            self.teller.finish(finish)

    def end(self) -> None:
        """Nothing follows."""
        for index, candidate in self._candidates.items():
            if not candidate.ended:
                told = Told({"finishReason": "STOP"}, f"/candidates/{index}")
                self._context.notes.invent(told.where("finishReason"), "the provider gave no reason")
                self._finish(told, index, candidate)
        self._meter()
        self.teller.end()

    def text(self, text: str) -> bool:
        """One more piece of the first candidate's text, if that is what is being told."""
        candidate = self._candidates.get(0)
        if candidate is None or candidate.kind != "text" or candidate.ended:
            return False
        if text:
            self.teller.text(text)
        return True

    def meter(self, counts: dict[str, Any]) -> None:
        """Tokens so far. Some records hold zeros in the places of numbers that are told already."""
        self._usage = counts if self._usage is None else {**self._usage, **{name: n for name, n in counts.items() if n}}

    def _start(self, node: Told) -> None:
        id_, model = node.get("responseId"), node.get("modelVersion")
        tokens = None if self._usage is None else usage.read(self._usage)
        self.teller.start(
            id_ if isinstance(id_, str) else "",
            model if isinstance(model, str) else "",
            _seconds(node.get("createTime")),
            tokens,
            None if tokens is None else tokens.tier,
        )

    def _meter(self) -> None:
        if self._usage is not None:
            tokens = usage.read(self._usage)
            if tokens != self.teller.usage:
                self.teller.meter(tokens)

    # candidates

    def _candidate(self, node: Told, place: int) -> None:
        index = reading.choice(node.get("index"), place)
        candidate = self._candidates.get(index)
        if candidate is None:
            candidate = self._candidates[index] = Candidate()
        if candidate.ended:
            return
        node.rest(_CANDIDATE, self._context.notes)
        content = node.child("content")
        tokens = logprobs.read(node.get("logprobsResult"))
        for part in () if content is None else content.children("parts"):
            text = part.get("text")
            if not any(part.get(name) is not None for name in (*_DATA, "thoughtSignature")):
                self._context.notes.drop(part.at, f"no counterpart for {next(iter(part.raw), 'an empty part')}")
                continue
            part.rest(_PART, self._context.notes)
            if isinstance(text, str) and text and part.get("thought") is not True:
                self._text(text, part, index, candidate, tokens)
                tokens = ()
            else:
                self._part(part, index, candidate)
        candidate.grounding = node.child("groundingMetadata") or candidate.grounding
        candidate.citations = node.child("citationMetadata") or candidate.citations
        if node.get("finishReason") is not None:
            self._finish(node, index, candidate)

    def _finish(self, node: Told, index: int, candidate: Candidate) -> None:
        if node.get("continuationToken") is not None:
            self._context.notes.carry(node.where("continuationToken"), "only the provider itself can continue")
        if node.get("safetyRatings"):
            self._context.notes.drop(node.where("safetyRatings"), _RATINGS)
        self._call_is_whole(candidate)
        self._cite(index, candidate)
        candidate.ended = True
        self._meter()
        self.teller.finish(reasons.read(node), index)

    def _cite(self, index: int, candidate: Candidate) -> None:
        """The sources come last, when the text that they belong to is known whole."""
        found, notes = candidate.grounding, self._context.notes
        at = f"/candidates/{index}"
        item = self.teller.current(index)
        text = item.text if item is not None and candidate.kind in ("text", "signed") else ""
        if found is not None:
            for name in _UNSAID_OF_GROUNDING:
                if found.get(name):
                    notes.drop(f"{at}/groundingMetadata/{name}", "no counterpart")
            if item is not None and text:
                for annotation in grounding.read(found, text, candidate.part, only=candidate.texts == 1):
                    self.teller.cite(item, annotation)
            if found.get("groundingSupports") and (not text or candidate.texts > 1):
                notes.drop(f"{at}/groundingMetadata/groundingSupports", "sources of a text that was told before others")
        if candidate.citations is not None:
            told = list(grounding.citations(candidate.citations, text)) if text else []
            if item is not None:
                for annotation in told:
                    self.teller.cite(item, annotation)
            if not told:
                notes.drop(f"{at}/citationMetadata", "it names no page, or no text")

    # parts

    def _text(self, text: str, part: Told, index: int, candidate: Candidate, tokens: tuple[Any, ...]) -> None:
        self._call_is_whole(candidate)
        if candidate.kind == "signed":
            self.teller.close_part(self.teller.message(index))
        candidate.enter("text")
        self.teller.text(text, index, tokens)
        signature = part.get("thoughtSignature")
        if isinstance(signature, str) and signature:
            self.teller.seal(self.teller.message(index), signatures.native(signature))
            candidate.kind = "signed"

    def _part(self, part: Told, index: int, candidate: Candidate) -> None:
        signature = part.get("thoughtSignature")
        signature = signature if isinstance(signature, str) else ""
        call = part.child("functionCall")
        if call is not None:
            self._call(call, signature, index, candidate)
            return
        name = next((name for name in servers.PARTS if part.get(name) is not None), None)
        if name is not None:
            self._call_is_whole(candidate)
            candidate.enter("other")
            if servers.PARTS[name]:
                candidate.server = f"server_{index}_{candidate.part}"
            item = servers.read(part.raw, name, candidate.server, at=f"/candidates/{index}/content/parts")
            candidate.server = item.call_id
            self.teller.whole(item, index)
            return
        if part.get("thought") is True:
            self._thought(part, signature, index, candidate)
            return
        kind = next((kind for kind in media.MEMBERS if part.get(kind) is not None), None)
        if kind is not None:
            self._call_is_whole(candidate)
            candidate.enter("other")
            medium = media.read(part, kind, self._context.notes)
            self.teller.media(msgspec.structs.replace(medium, at=""), index)
        elif signature:
            self._bare_signature(signature, index, candidate)

    def _thought(self, part: Told, signature: str, index: int, candidate: Candidate) -> None:
        text = part.get("text")
        if not isinstance(text, str):
            if part.get("inlineData") is not None:
                self._context.notes.drop(f"/candidates/{index}/content/parts", "a picture that the model only thought of")
            text = ""
        if not text and not signature:
            return
        self._call_is_whole(candidate)
        candidate.enter("thought")
        if text:
            self.teller.think("summary", text, index)
        if signature:
            item = self.teller.reasoning(index)
            self.teller.seal(item, signatures.native(signature))
            self.teller.close(item)

    def _bare_signature(self, signature: str, index: int, candidate: Candidate) -> None:
        """A signature without anything to sign belongs to what stands before it."""
        seal = signatures.native(signature)
        current = self.teller.current(index)
        if candidate.call is not None:
            self.teller.seal(candidate.call, seal)
        elif current is not None and current.opened.kind == "reasoning":
            self.teller.seal(current, seal)
            self.teller.close(current)
        else:
            self.teller.seal(self.teller.message(index), seal)
            candidate.kind = "signed"

    def _call(self, call: Told, signature: str, index: int, candidate: Candidate) -> None:
        """A call, or a piece of one: Vertex opens it by its name, tells its arguments one by one, and closes it silently."""
        name = call.text("name")
        if not name and candidate.pieces is None and not call.raw:
            return
        if name or candidate.pieces is None or candidate.call is None:
            self._call_is_whole(candidate)
            candidate.enter("other")
            id_ = call.get("id")
            seals = (signatures.native(signature),) if signature else ()
            candidate.call = self.teller.open_call(id_ if isinstance(id_, str) else "", name, index, seals=seals)
            if call.get("willContinue") is True or call.get("partialArgs") is not None:
                candidate.pieces = PartialArguments()
            else:
                args = call.get("args")
                self.teller.args(candidate.call, "{}" if args is None else jsonio.dumps(args).decode())
        elif signature:
            self.teller.seal(candidate.call, signatures.native(signature))
        if candidate.pieces is not None:
            told = "".join([candidate.pieces.feed(piece.raw) for piece in call.children("partialArgs")])
            if call.get("willContinue") is not True:
                told += candidate.pieces.end()
                candidate.pieces = None
            if told:
                self.teller.args(candidate.call, told)

    def _call_is_whole(self, candidate: Candidate) -> None:
        if candidate.call is not None:
            cut = candidate.pieces is not None
            self.teller.close(candidate.call, cut=cut)
            candidate.call = candidate.pieces = None


# What only this API says.
_RATINGS = "how safe it is cannot be said"


def _seconds(moment: object) -> int | None:
    """A moment in Unix seconds."""
    if not isinstance(moment, str):
        return None
    try:
        return int(datetime.fromisoformat(moment).timestamp())
    except ValueError:
        return None
