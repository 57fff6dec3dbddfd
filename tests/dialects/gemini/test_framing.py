"""Tests for bodies that are one array, and for arguments in pieces."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.gemini.framing import ArraySplitter
from llmux.dialects.gemini.partial import PartialArguments


def split(data: bytes, size: int) -> list[bytes]:
    """The members of a body that arrives in pieces of a size."""
    splitter = ArraySplitter()
    return [member for at in range(0, len(data), size) for member in splitter.feed(data[at : at + size])]


class SplitterTests(SynchronousTestCase):
    """Members as they arrive."""

    def test_members(self) -> None:
        """Braces, quotes and backslashes in texts mean nothing, wherever the body is cut."""
        members = [{"a": 'x"}]{['}, {"b": "\\", "c": [{"d": '\\\\"'}]}, {"é": "😀"}]
        for body in (
            json.dumps(members).encode(),
            b"[" + b"\n,\r\n".join(json.dumps(each).encode() for each in members) + b"\n]\n",
        ):
            for size in range(1, len(body) + 1):
                self.assertEqual([json.loads(each) for each in split(body, size)], members)

    def test_without_an_array(self) -> None:
        """Objects that follow each other, as errors do, are members too."""
        self.assertEqual(split(b'{"a":1}\n{"b":2}', 1), [b'{"a":1}', b'{"b":2}'])

    def test_open(self) -> None:
        """What is not whole is kept, and the sender may not stop there."""
        splitter = ArraySplitter()
        self.assertEqual((splitter.feed(b'[{"a":'), splitter.rest, splitter.whole), ([], b'{"a":', False))
        self.assertEqual((splitter.feed(b"1}"), splitter.rest, splitter.whole), ([b'{"a":1}'], b"", False))
        splitter.feed(b"]")
        self.assertTrue(splitter.whole)

    def test_refused(self) -> None:
        """What is no array of objects, and members without an end."""
        for body in (b'["a"]', b"[1,{}]", b"[[{}]]", b"[]{}", b"}", b"[]]"):
            self.assertRaises(ValueError, ArraySplitter().feed, body)
        self.assertRaises(ValueError, ArraySplitter(limit=9).feed, b'[{"aaaaaaaaaaaa')


class PartialTests(SynchronousTestCase):
    """Arguments in pieces."""

    def test_paths(self) -> None:
        """Names, items and quoted names lead to values; texts go on where they said so."""
        arguments = PartialArguments()
        for piece in (
            {"jsonPath": "$.a", "stringValue": "x", "willContinue": True},
            {"json_path": "$.a", "string_value": "y"},
            {"jsonPath": "$.a", "stringValue": "z"},
            {"jsonPath": "$.b.c[0].d", "boolValue": False},
            {"jsonPath": "$.b.c[1]", "nullValue": "NULL_VALUE"},
            {"jsonPath": "$['x.y']", "numberValue": 0.5},
            {"jsonPath": "$.n", "numberValue": 3.0},
        ):
            arguments.feed(piece)
        self.assertEqual(json.loads(arguments.text), {"a": "z", "b": {"c": [{"d": False}, None]}, "x.y": 0.5, "n": 3})

    def test_refused(self) -> None:
        """Paths that lead nowhere."""
        for path in ("a", "$", "$[0]", "$.a[2]", "$.a b]", None):
            self.assertRaises(ValueError, PartialArguments().feed, {"jsonPath": path, "boolValue": True})
