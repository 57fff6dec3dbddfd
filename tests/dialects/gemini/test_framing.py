"""Tests for bodies that are one array, and for arguments in pieces."""

from __future__ import annotations

import json
from typing import Any

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

    def told(self, *pieces: dict[str, Any]) -> list[str]:
        """What each piece adds, and the end."""
        arguments = PartialArguments()
        return [*map(arguments.feed, pieces), arguments.end()]

    def test_paths(self) -> None:
        """Names, items and quoted names lead to values, which are told at once; texts go on where they said so."""
        told = self.told(
            {"jsonPath": "$.a", "stringValue": 'x"', "willContinue": True},
            {"json_path": "$.a", "string_value": "y"},
            {"jsonPath": "$.b.c[0].d", "boolValue": False},
            {"jsonPath": "$.b.c[0].e"},
            {"jsonPath": "$.b.c[0].f[0][0]", "numberValue": 1.0},
            {"jsonPath": "$.b.c[1]", "nullValue": "NULL_VALUE"},
            {"jsonPath": "$['x.y']", "numberValue": 0.5},
            {"jsonPath": "$.n", "stringValue": "", "willContinue": True},
            {"jsonPath": "$.m", "numberValue": 3.0},
        )
        self.assertEqual(
            told,
            [
                '{"a":"x\\"',
                'y"',
                ',"b":{"c":[{"d":false',
                "",
                ',"f":[[1',
                "]]},null",
                ']},"x.y":0.5',
                ',"n":"',
                '","m":3',
                "}",
            ],
        )
        expected = {"a": 'x"y', "b": {"c": [{"d": False, "f": [[1]]}, None]}, "x.y": 0.5, "n": "", "m": 3}
        self.assertEqual(json.loads("".join(told)), expected)
        self.assertEqual(self.told(), ["{}"])

    def test_no_way_back(self) -> None:
        """What was told stays told."""
        for paths in (
            ("$.a", "$.a"),
            ("$.a", "$.a.b"),
            ("$.a.b", "$.a"),
            ("$.a.b", "$.c", "$.a.d"),
            ("$.a[0]", "$.a.b"),
            ("$.a.b", "$.a[0]"),
        ):
            pieces = [{"jsonPath": path, "boolValue": True} for path in paths]
            self.assertRaises(ValueError, self.told, *pieces)

    def test_refused(self) -> None:
        """Paths that lead nowhere."""
        for path in ("a", "$", "$[0]", "$.a[2]", "$.a b]", None):
            self.assertRaises(ValueError, PartialArguments().feed, {"jsonPath": path, "boolValue": True})
