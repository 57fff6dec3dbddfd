"""Tests for arguments that travel inside one member."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.anthropic.emulation import Unnester, is_plain, nest, nested


def fed(*fragments: str) -> str:
    reader = Unnester()
    return "".join(map(reader.feed, fragments)) + reader.close()


class UnnesterTests(SynchronousTestCase):
    """What is inside, wherever the fragments end."""

    def test_every_cut(self) -> None:
        """Objects in objects, braces in strings, white space anywhere; and arguments of another form, which pass."""
        cases = [
            ('{"value":{"a":{"b":"}"}}}', '{"a":{"b":"}"}}'),
            (' {\n"value" : [1, 2 ] } ', " [1, 2 ] "),
            ('{"value":3}', "3"),
            (nest('{"x":1}'), '{"x":1}'),
            ('{"values":1}', '{"values":1}'),
            ("{}", "{}"),
            ('{"val', '{"val'),
        ]
        for written, inside in cases:
            self.assertEqual(fed(written), inside)
            for first in range(len(written)):
                for second in range(first, len(written)):
                    self.assertEqual(fed(written[:first], written[first:second], written[second:]), inside)


class SchemaTests(SynchronousTestCase):
    """Which schemas the API takes."""

    def test_plain(self) -> None:
        """Objects without a choice at the top."""
        plain: list[dict[str, Any]] = [{}, {"type": "object"}, {"properties": {"anyOf": {}}}]
        others: list[dict[str, Any]] = [{"type": "array"}, {"anyOf": []}, {"type": "object", "allOf": []}, {"$ref": "#/$defs/a"}]
        self.assertEqual([is_plain(schema) for schema in plain], [True] * len(plain))
        self.assertEqual([is_plain(schema) for schema in others], [False] * len(others))

    def test_nested(self) -> None:
        """Definitions stay where references look for them."""
        self.assertEqual(
            nested({"$schema": "x", "$ref": "#/$defs/a", "$defs": {"a": {}}}),
            {"type": "object", "properties": {"value": {"$ref": "#/$defs/a"}}, "required": ["value"], "$defs": {"a": {}}},
        )
