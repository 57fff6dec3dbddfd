"""Tests for the small surfaces."""

from __future__ import annotations

import base64
import struct
from typing import Any

from google.genai import types as genai
from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.surfaces import counted, gemini_embedding, gemini_embeddings, openai_embeddings
from llmux.errors import Fault
from llmux.scenario.estimate import embedding, tokens
from tests import oracles


def openai(doc: dict[str, Any]) -> dict[str, Any]:
    return openai_embeddings(doc, "m", embedding, tokens)


class CountedTests(SynchronousTestCase):
    """Counted tokens."""

    def test_shapes(self) -> None:
        """Each dialect has its own."""
        self.assertEqual(counted("anthropic", 3), {"input_tokens": 3})
        self.assertEqual(counted("gemini", 3), {"totalTokens": 3})
        self.assertEqual(counted("openai-responses", 3), {"object": "response.input_tokens", "input_tokens": 3})


class OpenAITests(SynchronousTestCase):
    """`/v1/embeddings`."""

    def test_floats(self) -> None:
        """The SDK takes the body: a vector for each input, in order."""
        body = oracles.embeddings(openai({"input": ["a", "b"], "dimensions": 4}))
        self.assertEqual([(each.index, len(each.embedding)) for each in body.data], [(0, 4), (1, 4)])
        self.assertEqual(body.usage.total_tokens, 2)
        self.assertEqual(len(openai({"input": "a"})["data"][0]["embedding"]), 1536)

    def test_base64(self) -> None:
        """The same numbers, as little-endian floats."""
        packed = base64.b64decode(openai({"input": "a", "dimensions": 4, "encoding_format": "base64"})["data"][0]["embedding"])
        floats = openai({"input": "a", "dimensions": 4})["data"][0]["embedding"]
        for one, other in zip(struct.unpack("<4f", packed), floats, strict=True):
            self.assertAlmostEqual(one, other, places=6)

    def test_tokens(self) -> None:
        """Tokens may stand for text, alone or in a list."""
        vector = openai({"input": [1, 2], "dimensions": 2})["data"][0]
        self.assertEqual(openai({"input": [[1, 2]], "dimensions": 2})["data"], [vector])

    def test_refused(self) -> None:
        """What cannot be read is refused by name."""
        for doc, param in (
            ({}, "/input"),
            ({"input": []}, "/input"),
            ({"input": [{}]}, "/input"),
            ({"input": "a", "dimensions": 0}, "/dimensions"),
            ({"input": "a", "dimensions": True}, "/dimensions"),
            ({"input": "a", "encoding_format": "hex"}, "/encoding_format"),
        ):
            self.assertEqual(self.assertRaises(Fault, openai, doc).param, param)


class GeminiTests(SynchronousTestCase):
    """`:embedContent` and `:batchEmbedContents`."""

    def test_one(self) -> None:
        """One content, one vector."""
        body = gemini_embedding({"content": {"parts": [{"text": "a"}]}, "outputDimensionality": 3}, embedding)
        self.assertEqual(len(genai.ContentEmbedding.model_validate(body["embedding"]).values or []), 3)

    def test_batch(self) -> None:
        """Each request has a vector of its own; the SDK takes the body."""
        one = {"content": {"parts": [{"text": "a"}]}}
        body = gemini_embeddings({"requests": [one, {**one, "output_dimensionality": 5}]}, embedding)
        vectors = genai.EmbedContentResponse.model_validate(body).embeddings or []
        self.assertEqual([len(vector.values or []) for vector in vectors], [768, 5])

    def test_refused(self) -> None:
        """What cannot be read is refused by name."""
        self.assertEqual(self.assertRaises(Fault, gemini_embedding, {}, embedding).param, "/content")
        fault = self.assertRaises(Fault, gemini_embeddings, {"requests": [{}]}, embedding)
        self.assertEqual(fault.param, "/requests/0/content")
