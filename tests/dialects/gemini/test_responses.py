"""Tests for whole answers, read and written."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from llmux import jsonio
from llmux.dialects.context import Context
from llmux.dialects.gemini import GEMINI
from llmux.dialects.neutral import (
    Annotation,
    Choice,
    Finish,
    Inline,
    Media,
    Message,
    OutputItem,
    Reason,
    Reasoning,
    Response,
    Seal,
    Segment,
    ServerCall,
    ServerResult,
    Text,
    TokenProbability,
    ToolCall,
    Usage,
)
from llmux.errors import Fault
from tests import oracles
from tests.dialects.gemini.saying import SEALS, exchange, noted
from tests.dialects.tellings import RESPONSES, USAGE, context, response

REASON = "/candidates/0/finishReason"
NATIVE = Seal("gemini", "thought_signature", "QUJD")
GROUNDING = "/candidates/0/groundingMetadata"
FOREIGN = Seal("openai", "encrypted", "enc")


def body_of(whole: Response, made: Context | None = None) -> dict[str, Any]:
    """A body as clients read it, which the SDK's types take."""
    body: dict[str, Any] = json.loads(jsonio.dumps(GEMINI.rooms.write_response(whole, made or context())))
    oracles.generated(body)
    return body


def parts_of(*items: OutputItem) -> list[dict[str, Any]]:
    """The parts that items become."""
    parts: list[dict[str, Any]] = body_of(response(*items))["candidates"][0]["content"]["parts"]
    return parts


def answer(*parts: dict[str, Any], reason: str | None = "STOP", **more: Any) -> dict[str, Any]:
    """What a provider answers."""
    candidate = {"content": {"role": "model", "parts": list(parts)}, "index": 0, **more}
    if reason is not None:
        candidate["finishReason"] = reason
    return {"candidates": [candidate], "responseId": "r1", "modelVersion": "m-1", "usageMetadata": {"promptTokenCount": 3}}


def parsed(doc: dict[str, Any], made: Context | None = None) -> Response:
    """A provider's answer."""
    return GEMINI.rooms.parse_response(doc, made or exchange())


class WriteTests(SynchronousTestCase):
    """A whole body."""

    def test_strict(self) -> None:
        """The SDK's types, which forbid what they do not know, take every response."""
        for whole in RESPONSES.values():
            body_of(whole)

    def test_parts(self) -> None:
        """Thoughts are marked, calls are objects, and a call still finishes with STOP."""
        (candidate,) = body_of(RESPONSES["thought, words, two calls"])["candidates"]
        self.assertEqual(candidate["finishReason"], "STOP")
        self.assertEqual(
            candidate["content"]["parts"],
            [
                {"text": "A question about the weather.", "thought": True},
                {"text": 'Let me look: "☂" or 😀?\n'},
                {"functionCall": {"id": "call_1", "name": "get_weather", "args": {"city": "Zürich"}}},
                {"functionCall": {"id": "call_2", "name": "get_time", "args": {"zone": "CET"}}},
            ],
        )

    def test_seals(self) -> None:
        """Own signatures as they are, foreign ones in an envelope that the SDK takes for base64; hidden thoughts are empty."""
        thought = Reasoning((Segment("summary", "a"), Segment("summary", "b")), (FOREIGN,))
        shown, hidden, called, said = parts_of(
            thought,
            Reasoning((), (FOREIGN,)),
            ToolCall("c", "f", "", seals=(NATIVE,)),
            Message("assistant", (Text("x", seals=(NATIVE,)),)),
        )
        envelope = base64.b64decode(shown["thoughtSignature"], validate=True).decode()
        self.assertEqual(SEALS.open(envelope, NATIVE, "a\n\nb"), FOREIGN)
        self.assertEqual((shown["text"], hidden["text"], hidden["thought"]), ("a\n\nb", "", True))
        self.assertEqual((called["thoughtSignature"], said), ("QUJD", {"text": "x", "thoughtSignature": "QUJD"}))

    def test_arguments(self) -> None:
        """Digits survive; what is no object stands inside of one; what broke off is not told."""
        told = jsonio.dumps(GEMINI.rooms.write_response(response(ToolCall("c", "f", '{"n": 1e400, "n":2}')), context()))
        self.assertIn(b'"args":{"n": 1e400, "n":2}', told)
        self.assertEqual(parts_of(ToolCall("c", "f", "[1]"))[0]["functionCall"]["args"], {"value": [1]})
        self.assertEqual(parts_of(ToolCall("c", "f", '{"a"', cut=True)), [])
        body = body_of(response(ToolCall("c", "f", "[1"), reason="tool_calls"))
        self.assertEqual(
            (body["candidates"][0]["finishReason"], body["candidates"][0]["finishMessage"]),
            ("MALFORMED_FUNCTION_CALL", "Malformed function call: f([1)"),
        )

    def test_usage(self) -> None:
        """Thoughts and what tools brought are counted beside; nothing is said where nobody counted."""
        usage = body_of(RESPONSES["words"])["usageMetadata"]
        self.assertEqual((usage["candidatesTokenCount"], usage["thoughtsTokenCount"], usage["totalTokenCount"]), (18, 12, 80))
        self.assertNotIn("usageMetadata", body_of(msgspec.structs.replace(response(), usage=None)))
        counted = Usage(in_total=10, in_tool=4, out_total=5, modalities=(("in_audio", 3), ("out_image", 2), ("in_odd", 1)))
        usage = body_of(msgspec.structs.replace(response(), usage=counted))["usageMetadata"]
        self.assertEqual((usage["promptTokenCount"], usage["toolUsePromptTokenCount"]), (6, 4))
        self.assertEqual(usage["promptTokensDetails"], [{"modality": "AUDIO", "tokenCount": 3}])
        self.assertEqual(usage["candidatesTokensDetails"], [{"modality": "IMAGE", "tokenCount": 2}])

    def test_reasons(self) -> None:
        """Every reason has a word, and the API's own words stay."""
        cases: list[tuple[Finish, str, str | None]] = [
            (Finish("stop_sequence", "x"), "STOP", None),
            (Finish("length"), "MAX_TOKENS", None),
            (Finish("context_full"), "MAX_TOKENS", None),
            (Finish("refusal", message="no"), "SAFETY", "no"),
            (Finish("filter"), "SAFETY", None),
            (Finish("filter", raw="RECITATION"), "RECITATION", None),
            (Finish("paused"), "TOO_MANY_TOOL_CALLS", None),
            (Finish("malformed"), "MALFORMED_FUNCTION_CALL", None),
            (Finish("unsealed"), "MISSING_THOUGHT_SIGNATURE", None),
            (Finish("disabled"), "PUP_LIMITED_DISABLED", None),
            (Finish("continuation"), "MAX_TOKENS", None),
            (Finish("unknown", raw="weird"), "OTHER", "weird"),
            (Finish("unknown", raw="NO_IMAGE"), "NO_IMAGE", None),
        ]
        for finish, word, message in cases:
            (candidate,) = body_of(Response("a", "m", 0, (Choice((), finish),), USAGE))["candidates"]
            self.assertEqual((candidate["finishReason"], candidate.get("finishMessage")), (word, message))

    def test_blocked(self) -> None:
        """A prompt that was not answered has no candidate."""
        finish = Finish("blocked", message="no", category="PROHIBITED_CONTENT")
        body = body_of(Response("a", "m", 0, (Choice((), finish),), USAGE))
        self.assertEqual(body["promptFeedback"], {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "no"})
        self.assertNotIn("candidates", body)

    def test_several(self) -> None:
        """Every choice is a candidate."""
        choices = tuple(Choice((Message("assistant", (Text(text),)),), Finish("stop")) for text in "ab")
        candidates = body_of(Response("a", "m", 0, choices, USAGE))["candidates"]
        self.assertEqual([each["index"] for each in candidates], [0, 1])

    def test_grounding(self) -> None:
        """Pages and the spans that they support, in bytes of the part; searches tell their queries."""
        text = "é漢😀 says A"
        cited = Text(text, (Annotation("url", "https://a.example", "A", start=4, end=10), Annotation("url", "https://b.example")))
        search = ServerCall("web_search", "s", "web_search", '{"query":"who"}', "anthropic", {})
        hits = ServerResult("web_search", "s", (Annotation("url", "https://a.example", "A"),), "", "anthropic", {})
        thought = Reasoning((Segment("summary", "t"),))
        (candidate,) = body_of(response(thought, search, hits, Message("assistant", (cited,))))["candidates"]
        size = len(text.encode())
        self.assertEqual(
            candidate["groundingMetadata"],
            {
                "webSearchQueries": ["who"],
                "groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}, {"web": {"uri": "https://b.example"}}],
                "groundingSupports": [
                    {
                        "segment": {"startIndex": 10, "endIndex": 16, "partIndex": 1, "text": "says A"},
                        "groundingChunkIndices": [0],
                    },
                    {
                        "segment": {"startIndex": 0, "endIndex": size, "partIndex": 1, "text": text},
                        "groundingChunkIndices": [1],
                    },
                ],
            },
        )

    def test_other_things(self) -> None:
        """Pictures and code have parts of their own; what only another API knows is noted."""
        code = ServerCall("code", "c", "code_execution", '{"code":"1+1"}', "anthropic", {})
        outcome = ServerResult("code", "c", (), "2", "anthropic", {})
        picture = Message("assistant", (Media("image", Inline("AA=="), "image/png"),))
        self.assertEqual(
            parts_of(code, outcome, picture),
            [
                {"executableCode": {"id": "c", "code": "1+1", "language": "PYTHON"}},
                {"codeExecutionResult": {"id": "c", "outcome": "OUTCOME_OK", "output": "2"}},
                {"inlineData": {"mimeType": "image/png", "data": "AA=="}},
            ],
        )
        made = context()
        body_of(response(ServerCall("mcp", "c", "m", "{}", "anthropic", {}, at="/content/0")), made)
        self.assertEqual(noted(made), ["dropped /content/0"])

    def test_logprobs(self) -> None:
        """The chosen tokens, and the likeliest."""
        tokens = (TokenProbability("a", -0.1, (97,), (TokenProbability("a", -0.1), TokenProbability("b", -2.0))),)
        (candidate,) = body_of(response(Message("assistant", (Text("a", logprobs=tokens),))))["candidates"]
        self.assertEqual(
            candidate["logprobsResult"],
            {
                "chosenCandidates": [{"token": "a", "logProbability": -0.1}],
                "topCandidates": [
                    {"candidates": [{"token": "a", "logProbability": -0.1}, {"token": "b", "logProbability": -2.0}]}
                ],
            },
        )


class ParseTests(SynchronousTestCase):
    """What a provider answers."""

    def test_items(self) -> None:
        """Runs of thoughts and of texts, calls, in their order; a call turns STOP into its own reason."""
        made = exchange(turns=1)
        whole = parsed(
            answer(
                {"text": "a", "thought": True},
                {"text": "b", "thought": True},
                {"text": "c"},
                {"text": "d"},
                {"functionCall": {"name": "f", "args": {"x": [1, {"a_b": None}]}}, "thoughtSignature": "QUJD"},
                {"functionCall": {"id": "own", "name": "g"}},
                {"text": "e"},
            ),
            made,
        )
        self.assertEqual(
            whole.items,
            (
                Reasoning((Segment("summary", "ab"),)),
                Message("assistant", (Text("cd"),)),
                ToolCall(made.made_up_id(2, "f"), "f", '{"x":[1,{"a_b":null}]}', seals=(NATIVE,)),
                ToolCall("own", "g", "{}"),
                Message("assistant", (Text("e"),)),
            ),
        )
        self.assertEqual((whole.id, whole.model, whole.finish), ("r1", "m-1", Finish("tool_calls", raw="STOP", at=REASON)))

    def test_signatures(self) -> None:
        """On a text, alone behind a text, alone behind a call; what is signed is not mixed with what is not."""
        alone = {"text": "", "thoughtSignature": "QUJD"}
        for parts, expected in (
            (
                [{"text": "a", "thoughtSignature": "QUJD"}, {"text": "b"}],
                Message("assistant", (Text("a", seals=(NATIVE,)), Text("b"))),
            ),
            ([{"text": "a"}, alone], Message("assistant", (Text("a", seals=(NATIVE,)),))),
            ([{"functionCall": {"id": "c", "name": "f"}}, alone], ToolCall("c", "f", "{}", seals=(NATIVE,))),
            ([{"text": "t", "thought": True}, alone], Reasoning((Segment("summary", "t"),), (NATIVE,))),
            ([alone], Message("assistant", (Text("", seals=(NATIVE,)),))),
        ):
            self.assertEqual(parsed(answer(*parts)).items, (expected,))

    def test_reasons(self) -> None:
        """All words of the API; a candidate may have nothing but one."""
        cases: dict[str, Reason] = {
            "STOP": "stop",
            "MAX_TOKENS": "length",
            "SAFETY": "filter",
            "IMAGE_SAFETY": "filter",
            "MODEL_ARMOR": "filter",
            "MALFORMED_FUNCTION_CALL": "malformed",
            "TOO_MANY_TOOL_CALLS": "paused",
            "MISSING_THOUGHT_SIGNATURE": "unsealed",
            "CONTINUATION": "continuation",
            "PUP_LIMITED_DISABLED": "disabled",
            "NO_IMAGE": "unknown",
            "SOMETHING_NEW": "unknown",
        }
        why = "/candidates/0/finishMessage"
        for word, reason in cases.items():
            doc = {"candidates": [{"finishReason": word, "finishMessage": "why", "index": 0}]}
            whole = parsed(doc)
            finish = Finish(reason, message="why", raw=word, at=REASON, message_at=why)
            self.assertEqual((whole.items, whole.finish), ((), finish))
        made = exchange()
        self.assertEqual(parsed(answer({"text": "x"}, reason=None), made).finish.reason, "stop")
        self.assertEqual(noted(made), [f"invented {REASON}"])

    def test_blocked(self) -> None:
        """A prompt that was not answered."""
        doc = {"promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "no"}, "usageMetadata": {"promptTokenCount": 7}}
        whole = parsed(doc)
        at = "/promptFeedback/blockReason"
        finish = Finish("blocked", message="no", category="SAFETY", raw="SAFETY", at=at, message_at=f"{at}Message")
        self.assertEqual(whole.finish, finish)
        self.assertEqual((whole.items, whole.usage), ((), Usage(in_total=7)))

    def test_usage(self) -> None:
        """Inclusive counts; what is missing of the candidates is reckoned."""
        counts = {
            "promptTokenCount": 10,
            "toolUsePromptTokenCount": 5,
            "cachedContentTokenCount": 4,
            "candidatesTokenCount": 20,
            "thoughtsTokenCount": 50,
            "totalTokenCount": 85,
            "trafficType": "ON_DEMAND_FLEX",
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 8}, {"modality": "AUDIO", "tokenCount": 2}],
        }
        expected = Usage(15, 4, 0, 70, 50, in_tool=5, modalities=(("in_text", 8), ("in_audio", 2)), tier="flex")
        self.assertEqual(parsed({**answer({"text": "x"}), "usageMetadata": counts}).usage, expected)
        del counts["candidatesTokenCount"]
        self.assertEqual(parsed({**answer({"text": "x"}), "usageMetadata": counts}).usage, expected)

    def test_grounding(self) -> None:
        """Spans of bytes become spans of code points; what has no address keeps its kind."""
        text = "é漢😀 says A."
        metadata = {
            "groundingChunks": [
                {"web": {"uri": "https://a.example", "title": "A"}},
                {"retrievedContext": {"uri": "gs://b/x", "title": "X"}},
            ],
            "groundingSupports": [
                {"segment": {"startIndex": 10, "endIndex": 16, "text": "says A"}, "groundingChunkIndices": [0, 1]},
                {"segment": {"endIndex": 2}, "groundingChunkIndices": [0, 7]},
            ],
            "webSearchQueries": ["who"],
        }
        made = exchange()
        (item,) = parsed(answer({"text": text}, groundingMetadata=metadata), made).items
        assert isinstance(item, Message) and isinstance(item.parts[0], Text)
        first, second, third = item.parts[0].annotations
        self.assertEqual(first, Annotation("url", "https://a.example", "A", "", 4, 10, at=f"{GROUNDING}/groundingSupports"))
        self.assertEqual((second.kind, second.dialect), ("retrievedContext", "gemini"))
        self.assertEqual((third.start, third.end), (0, 1))
        self.assertEqual(noted(made), ["dropped /candidates/0/groundingMetadata/webSearchQueries"])
        cited = {"citations": [{"startIndex": 0, "endIndex": 2, "uri": "https://c.example"}]}
        (item,) = parsed(answer({"text": text}, citationMetadata=cited)).items
        assert isinstance(item, Message) and isinstance(item.parts[0], Text)
        (annotation,) = item.parts[0].annotations
        self.assertEqual(annotation, Annotation("url", "https://c.example", start=0, end=1, at="/candidates/0/citationMetadata"))

    def test_grounding_of_a_signed_text(self) -> None:
        """The signature comes with the last record, as the sources do."""
        metadata = {"groundingChunks": [{"web": {"uri": "https://a.example"}}], "groundingSupports": []}
        (item,) = parsed(answer({"text": "x"}, {"text": "", "thoughtSignature": "QUJD"}, groundingMetadata=metadata)).items
        page = Annotation("url", "https://a.example", at=f"{GROUNDING}/groundingChunks")
        self.assertEqual(item, Message("assistant", (Text("x", (page,), seals=(NATIVE,)),)))

    def test_other_parts(self) -> None:
        """Pictures and code; what nobody knows yet is noted, at every depth."""
        code = {"executableCode": {"language": "PYTHON", "code": "1"}}
        picture = {"inlineData": {"mimeType": "image/png", "data": "_-8="}}
        made = exchange()
        doc = {**answer(code, picture, {"future": 1}, {"text": "", "newer": [1]}, rank=2), "newest": True}
        call, shown = parsed(doc, made).items
        assert isinstance(call, ServerCall)
        self.assertEqual((call.family, call.raw), ("code", code))
        self.assertEqual(shown, Message("assistant", (Media("image", Inline("/+8="), "image/png"),)))
        self.assertEqual(
            sorted(noted(made)),
            [
                "dropped /candidates/0/content/parts/2",
                "dropped /candidates/0/content/parts/3/newer/0",
                "dropped /candidates/0/rank",
                "dropped /newest",
            ],
        )

    def test_logprobs(self) -> None:
        """Bytes are those of the token."""
        result = {
            "chosenCandidates": [{"token": "é", "logProbability": -0.5, "tokenId": 1}],
            "topCandidates": [{"candidates": [{"token": "é", "logProbability": -0.5}]}],
        }
        (item,) = parsed(answer({"text": "é"}, logprobsResult=result)).items
        assert isinstance(item, Message) and isinstance(item.parts[0], Text)
        token = TokenProbability("é", -0.5, (195, 169))
        self.assertEqual(item.parts[0].logprobs, (TokenProbability("é", -0.5, (195, 169), (token,)),))

    def test_candidates(self) -> None:
        """Several candidates are several choices."""
        doc = {
            "candidates": [
                {"content": {"parts": [{"text": text}]}, "finishReason": "STOP", "index": index}
                for index, text in enumerate("ab")
            ]
        }
        self.assertEqual(
            [choice.items for choice in parsed(doc).choices], [(Message("assistant", (Text(text),)),) for text in "ab"]
        )

    def test_unreadable(self) -> None:
        """What is no answer is no empty success."""
        doc: dict[str, Any]
        for doc in ({}, {"candidates": []}, {"candidates": "x"}, {"candidates": [{"content": {"parts": ["x"]}}]}):
            fault = self.assertRaises(Fault, parsed, doc)
            self.assertEqual((fault.kind, fault.code, fault.param), ("bad_gateway", "upstream_invalid", None))
        fault = self.assertRaises(Fault, parsed, {"error": {"code": 503, "message": "later", "status": "UNAVAILABLE"}})
        self.assertEqual((fault.kind, fault.message), ("overloaded", "later"))

    def test_there_and_back(self) -> None:
        """Every response that the dialect can say is read as it was."""
        for name, whole in RESPONSES.items():
            if name in ("a refusal", "two thoughts", "full reasoning", "cut short"):
                continue  # a refusal is a text here, neighbouring thoughts are one, all are summaries; what is cut is marked so
            made = exchange()
            read = parsed(body_of(whole), made)
            expected = [
                msgspec.structs.replace(item, args_text=item.args_text or "{}") if isinstance(item, ToolCall) else item
                for item in whole.items
            ]
            self.assertEqual(list(read.items), expected, name)
            self.assertEqual(read.finish.reason, whole.finish.reason)
