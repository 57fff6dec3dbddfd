"""Tests for embeddings between dialects."""

from __future__ import annotations

import base64
import struct
from typing import Any

from google.genai import types as genai
from google.genai.models import _EmbedContentResponse_from_mldev
from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.anthropic import ANTHROPIC
from llmux.dialects.context import Context, Target
from llmux.dialects.embedding import Asked, translate
from llmux.dialects.gemini import GEMINI
from llmux.dialects.notes import Notes
from llmux.dialects.openai_chat import OPENAI_CHAT
from llmux.dialects.seals import Seals
from llmux.errors import Fault
from tests import oracles

ONE = {"embedding": {"values": [0.5, -1.25]}}
TWO = {"embeddings": [{"values": [0.5]}, {"values": [0.25]}]}


class EmbeddingTests(SynchronousTestCase):
    """Texts in, vectors out."""

    def setUp(self) -> None:
        self.notes = Notes()

    def context(self, asked: dict[str, Any], model: str) -> Context:
        return Context(notes=self.notes, seals=Seals((b"k",)), asked=asked, target=Target.of(model))

    def to_gemini(self, **asked: Any) -> Asked:
        context = self.context({"model": "m", **asked}, "gemini-embedding-001")
        return translate("embeddings", OPENAI_CHAT, GEMINI, context)

    def to_openai(self, action: str, asked: dict[str, Any]) -> Asked:
        return translate(action, GEMINI, OPENAI_CHAT, self.context(asked, "text-embedding-3-small"))

    def noted(self) -> list[str]:
        return [f"{note.action} {note.pointer}" for note in self.notes]

    def test_one_text_to_gemini(self) -> None:
        """One text is asked for by embedContent, also where it stands in a list."""
        for given in ("hi", ["hi"]):
            asked = self.to_gemini(input=given, dimensions=2)
            self.assertEqual(asked.path, b"/v1beta/models/gemini-embedding-001:embedContent")
            self.assertEqual(
                asked.body,
                {"content": {"parts": [{"text": "hi"}]}, "outputDimensionality": 2},
            )
            body = oracles.embeddings(asked.read(ONE))
            self.assertEqual([each.embedding for each in body.data], [[0.5, -1.25]])
            self.assertEqual((body.model, body.object), ("gemini-embedding-001", "list"))
        self.assertEqual(self.noted(), ["invented /usage"])

    def test_several_texts_to_gemini(self) -> None:
        """Several are a batch, in which each names the model."""
        asked = self.to_gemini(input=["a", "b"])
        self.assertEqual(asked.path, b"/v1beta/models/gemini-embedding-001:batchEmbedContents")
        self.assertEqual(
            asked.body,
            {
                "requests": [
                    {"model": "models/gemini-embedding-001", "content": {"parts": [{"text": text}]}} for text in ("a", "b")
                ]
            },
        )
        body = oracles.embeddings(asked.read({**TWO, "usageMetadata": {"promptTokenCount": 2}}))
        self.assertEqual([(each.index, each.embedding) for each in body.data], [(0, [0.5]), (1, [0.25])])
        self.assertEqual((body.usage.prompt_tokens, body.usage.total_tokens), (2, 2))
        self.assertEqual(self.noted(), [])

    def test_base64(self) -> None:
        """Who asks for base64, as the SDK does by itself, gets 32-bit floats."""
        asked = self.to_gemini(input="hi", encoding_format="base64")
        (node,) = asked.read(ONE)["data"]
        self.assertEqual(struct.unpack("<2f", base64.b64decode(node["embedding"])), (0.5, -1.25))

    def test_user(self) -> None:
        """Whose request it is is dropped, with a note."""
        self.to_gemini(input="hi", user="u", extra=1)
        self.assertEqual(self.noted(), ["dropped /extra", "dropped /user"])

    def test_refused_towards_gemini(self) -> None:
        """Tokens mean nothing to another model; malformed fields are named."""
        cases: list[tuple[dict[str, Any], str]] = [
            ({"input": [1, 2]}, "/input"),
            ({"input": [[1, 2], [3]]}, "/input"),
            ({"input": []}, "/input"),
            ({}, "/input"),
            ({"input": ["a", {}]}, "/input/1"),
            ({"input": "a", "encoding_format": "hex"}, "/encoding_format"),
            ({"input": "a", "dimensions": 0}, "/dimensions"),
            ({"input": "a", "dimensions": "4"}, "/dimensions"),
        ]
        for doc, pointer in cases:
            fault = self.assertRaises(Fault, self.to_gemini, **doc)
            self.assertEqual((fault.kind, fault.param), ("invalid", pointer))

    def test_one_content_to_openai(self) -> None:
        """The task and the title have no counterpart."""
        asked = self.to_openai(
            "embedContent",
            {
                "model": "models/x",
                "content": {"role": "user", "parts": [{"text": "hi"}]},
                "taskType": "RETRIEVAL_QUERY",
                "title": "t",
                "output_dimensionality": 2,
            },
        )
        self.assertEqual(asked.path, b"/embeddings")
        self.assertEqual(asked.body, {"model": "text-embedding-3-small", "input": "hi", "dimensions": 2})
        self.assertEqual(self.noted(), ["dropped /taskType", "dropped /title"])
        packed = base64.b64encode(struct.pack("<2f", 0.5, -1.25)).decode()
        for vector in ([0.5, -1.25], packed):
            answer = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": vector}], "model": "m"}
            self.assertEqual(asked.read(answer), ONE)

    def test_batch_to_openai(self) -> None:
        """A batch is a list, and comes back in its order with what was counted; the SDK takes it."""
        requests = [
            {"model": "models/x", "content": {"parts": [{"text": "a"}]}},
            {"model": "models/x", "content": {"parts": [{"text": "b"}, {"text": "c"}]}},
        ]
        asked = self.to_openai("batchEmbedContents", {"requests": requests})
        self.assertEqual(asked.body, {"model": "text-embedding-3-small", "input": ["a", "b\nc"]})
        self.assertEqual(self.noted(), ["approximated /requests/1/content/parts"])
        data = [{"object": "embedding", "index": index, "embedding": [value]} for index, value in ((1, 0.25), (0, 0.5))]
        told = asked.read({"data": data, "usage": {"prompt_tokens": 3, "total_tokens": 3}})
        self.assertEqual(told, {**TWO, "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}})
        parsed = genai.EmbedContentResponse.model_validate(_EmbedContentResponse_from_mldev(told, None))
        self.assertEqual([each.values for each in parsed.embeddings or ()], [[0.5], [0.25]])

    def test_config(self) -> None:
        """Vertex puts the rest into an object of its own."""
        asked = self.to_openai(
            "embedContent",
            {
                "content": {"parts": [{"text": "a"}]},
                "embedContentConfig": {"outputDimensionality": 8, "taskType": "CLUSTERING"},
            },
        )
        self.assertEqual(asked.body["dimensions"], 8)
        self.assertEqual(self.noted(), ["dropped /embedContentConfig/taskType"])

    def test_refused_towards_openai(self) -> None:
        """What is no text, and vectors of different sizes."""
        image = {"inlineData": {"mimeType": "image/png", "data": "AA=="}}
        sizes = [{"content": {"parts": [{"text": "a"}]}, "outputDimensionality": size} for size in (1, 2)]
        cases: list[tuple[str, dict[str, Any], str]] = [
            ("embedContent", {}, "/content"),
            ("embedContent", {"content": {"parts": [image]}}, "/content/parts/0"),
            ("batchEmbedContents", {"requests": sizes}, "/requests/1/outputDimensionality"),
            ("batchEmbedContents", {}, "/requests"),
        ]
        for action, doc, pointer in cases:
            fault = self.assertRaises(Fault, self.to_openai, action, doc)
            self.assertEqual((fault.kind, fault.param), ("invalid", pointer))

    def test_unreadable(self) -> None:
        """An answer without vectors, or with too few of them, is a defect of the provider."""
        gemini = self.to_gemini(input=["a", "b"])
        openai = self.to_openai("embedContent", {"content": {"parts": [{"text": "a"}]}})
        for asked, answer in ((gemini, {}), (gemini, ONE), (openai, {}), (openai, {"data": [{"embedding": "?"}]})):
            fault = self.assertRaises(Fault, asked.read, answer)
            self.assertEqual((fault.kind, fault.code), ("bad_gateway", "upstream_invalid"))

    def test_absent(self) -> None:
        """Anthropic has no embeddings."""
        context = self.context({"input": "a"}, "claude-opus-4-8")
        fault = self.assertRaises(Fault, translate, "embeddings", OPENAI_CHAT, ANTHROPIC, context)
        self.assertEqual(fault.kind, "not_found")

    def test_strict(self) -> None:
        """On a strict route what would be dropped is refused; what the answer lacks is told all the same."""
        self.notes = Notes(strict=True)
        self.assertRaises(Fault, self.to_gemini, input="a", user="u")
        self.to_gemini(input="a").read(ONE)
