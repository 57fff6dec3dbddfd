"""Tests for schemas in Gemini's older form."""

from __future__ import annotations

import warnings
from typing import Any

from google.genai import types as genai
from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.notes import Notes
from llmux.dialects.schemas import from_openapi, to_openapi


class WriteTests(SynchronousTestCase):
    """JSON Schema in the older form, which the SDK's type takes."""

    def check(self, schema: Any, expected: dict[str, Any], *notes: str) -> None:
        """The schema becomes the expected one, with these notes (`action pointer`)."""
        made = Notes()
        written = to_openapi(schema, "", made)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            genai.Schema.model_validate(written)
        self.assertEqual(written, expected)
        self.assertEqual([f"{note.action} {note.pointer}" for note in made], list(notes))

    def test_same(self) -> None:
        """What both forms have."""
        self.check(
            {
                "type": "object",
                "title": "T",
                "description": "d",
                "properties": {"a": {"type": "string", "minLength": 1, "maxLength": 9, "pattern": "x", "format": "date-time"}},
                "required": ["a"],
                "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1.5, "default": 1},
                "minProperties": 1,
                "propertyOrdering": ["a"],
            },
            {
                "type": "OBJECT",
                "title": "T",
                "description": "d",
                "properties": {"a": {"type": "STRING", "minLength": 1, "maxLength": 9, "pattern": "x", "format": "date-time"}},
                "required": ["a"],
                "additionalProperties": {"type": "NUMBER", "minimum": 0, "maximum": 1.5, "default": 1},
                "minProperties": 1,
                "propertyOrdering": ["a"],
            },
        )

    def test_names_like_keywords(self) -> None:
        """A property is one, whatever its name."""
        names = (
            "properties",
            "propertyNames",
            "title",
            "format",
            "const",
            "$ref",
            "items",
            "additionalProperties",
            "enum",
            "type",
        )
        inner = {"type": "object", "properties": {name: {"type": "string"} for name in names}, "required": list(names)}
        told = {"type": "OBJECT", "properties": {name: {"type": "STRING"} for name in names}, "required": list(names)}
        self.check(
            {"type": "object", "properties": dict.fromkeys(names, inner)},
            {"type": "OBJECT", "properties": dict.fromkeys(names, told)},
        )

    def test_null(self) -> None:
        """As one of several types, values or alternatives it is `nullable`."""
        told = {"type": "STRING", "nullable": True}
        self.check({"type": ["string", "null"]}, told)
        self.check({"anyOf": [{"type": "string"}, {"type": "null"}]}, told)
        self.check({"oneOf": [{"type": "null"}, {"type": "string"}], "description": "d"}, {**told, "description": "d"})
        self.check({"enum": ["a", None]}, {**told, "enum": ["a"]})
        self.check({"type": "null"}, {"type": "NULL"})
        self.check({"const": None}, {"type": "NULL"})

    def test_several_types(self) -> None:
        """A choice, where each has its own keywords."""
        self.check(
            {"type": ["string", "array", "null"], "minLength": 1, "items": {"type": "integer"}, "description": "d"},
            {
                "description": "d",
                "anyOf": [{"type": "STRING", "minLength": 1}, {"type": "ARRAY", "items": {"type": "INTEGER"}}],
                "nullable": True,
            },
        )

    def test_values(self) -> None:
        """Only texts can be enumerated."""
        self.check({"const": "x"}, {"type": "STRING", "enum": ["x"]})
        self.check({"type": "integer", "enum": [1, 2]}, {"type": "STRING", "enum": ["1", "2"]}, "approximated /enum")
        self.check({"enum": ["a", 1]}, {"type": "STRING", "enum": ["a", "1"]}, "approximated /enum")
        self.check({"enum": [True, False]}, {"type": "BOOLEAN"})
        self.check({"const": True}, {"type": "BOOLEAN", "description": "Must be true."}, "approximated /const")

    def test_alternatives(self) -> None:
        """One of, any of, all of."""
        one, two = {"type": "string"}, {"type": "integer"}
        self.check({"anyOf": [one, two]}, {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]})
        self.check({"oneOf": [one, two]}, {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]}, "approximated /oneOf")
        self.check(
            {
                "allOf": [
                    {"type": "object", "properties": {"a": one, "c": {"minLength": 1}}, "required": ["a"]},
                    {"properties": {"b": two, "c": one}, "required": ["b"]},
                ],
                "description": "d",
            },
            {
                "type": "OBJECT",
                "description": "d",
                "properties": {
                    "a": {"type": "STRING"},
                    "c": {"type": "STRING", "minLength": 1},
                    "b": {"type": "INTEGER"},
                },
                "required": ["a", "b"],
            },
        )
        self.check(
            {"allOf": [{"type": "integer", "minimum": 1}, {"minimum": 3, "maximum": 9}, {"type": "string"}]},
            {"type": "INTEGER", "minimum": 3, "maximum": 9},
            "approximated /allOf",
        )

    def test_references(self) -> None:
        """They are written out; one that leads back to itself ends in any object."""
        self.check(
            {
                "type": "object",
                "properties": {"n": {"$ref": "#/$defs/N", "description": "d"}, "s": {"$ref": "#/definitions/a~1b"}},
                "$defs": {"N": {"type": "object", "properties": {"next": {"$ref": "#/$defs/N"}}}},
                "definitions": {"a/b": {"type": "string"}},
            },
            {
                "type": "OBJECT",
                "properties": {
                    "n": {"type": "OBJECT", "description": "d", "properties": {"next": {"type": "OBJECT"}}},
                    "s": {"type": "STRING"},
                },
            },
            "approximated /$defs/N/properties/next/$ref",
        )
        self.check({"$ref": "#"}, {"type": "OBJECT"}, "approximated /$ref")
        self.check({"$ref": "https://x.example"}, {}, "dropped /$ref")

    def test_explosion(self) -> None:
        """References that multiply are cut off, and not in a minute."""
        definitions: dict[str, Any] = {
            f"d{n}": {"type": "object", "properties": {name: {"$ref": f"#/$defs/d{n + 1}"} for name in "abcd"}} for n in range(40)
        }
        definitions["d40"] = {"type": "string"}
        made = Notes()
        written = to_openapi({"$ref": "#/$defs/d0", "$defs": definitions}, "", made)
        self.assertEqual(written["type"], "OBJECT")
        self.assertTrue(len(made))

    def test_arrays(self) -> None:
        """There are always items; those of a tuple are a choice for every place."""
        self.check({"type": "array"}, {"type": "ARRAY", "items": {}})
        self.check({"type": "array", "items": True, "maxItems": 2}, {"type": "ARRAY", "items": {}, "maxItems": 2})
        self.check(
            {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}, {"type": "string"}]},
            {"type": "ARRAY", "items": {"anyOf": [{"type": "STRING"}, {"type": "INTEGER"}]}},
            "approximated /prefixItems",
        )
        self.check({"items": [{"type": "string"}]}, {"type": "ARRAY", "items": {"type": "STRING"}}, "approximated /items")

    def test_told_in_words(self) -> None:
        """Bounds that are not part of what is allowed."""
        self.check(
            {"type": "number", "description": "A number.", "exclusiveMinimum": 0, "exclusiveMaximum": 1.5},
            {"type": "NUMBER", "description": "A number. Must be greater than 0. Must be less than 1.5."},
            "approximated /exclusiveMinimum",
            "approximated /exclusiveMaximum",
        )

    def test_removed(self) -> None:
        """Everything else is noted where it stood, at any depth."""
        gone = {
            "not": {},
            "if": {},
            "then": {},
            "multipleOf": 2,
            "uniqueItems": True,
            "propertyNames": {},
            "patternProperties": {},
            "contains": {},
            "dependentRequired": {},
            "unevaluatedProperties": False,
            "new/word": 1,
        }
        pointers = [f"dropped /properties/a/{name.replace('/', '~1')}" for name in gone]
        self.check(
            {"type": "object", "properties": {"a": {"type": "string", **gone}}},
            {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}},
            *pointers,
        )
        self.check(
            {"$schema": "x", "type": "string", "readOnly": True},
            {"type": "STRING"},
            "approximated /$schema",
            "approximated /readOnly",
        )
        self.check({"type": "string", "examples": ["a", "b"]}, {"type": "STRING", "example": "a"}, "dropped /examples")
        self.check({"type": "string", "examples": ["a"]}, {"type": "STRING", "example": "a"})

    def test_odd(self) -> None:
        """What is no schema does no harm."""
        self.check(True, {})
        self.check(False, {}, "dropped ")
        self.check({"type": "odd", "minLength": "x"}, {}, "dropped /type", "dropped /minLength")
        self.check(
            {"type": "object", "properties": {"a": {}}, "required": ["a", "a", "gone"]},
            {"type": "OBJECT", "properties": {"a": {}}, "required": ["a"]},
            "approximated /required",
        )


class ReadTests(SynchronousTestCase):
    """The older form as JSON Schema."""

    def test_keywords(self) -> None:
        """Types, null, long numbers, references and spellings."""
        self.assertEqual(
            from_openapi(
                {
                    "type": "OBJECT",
                    "properties": {
                        "type": {"type": "STRING", "nullable": True, "format": "enum", "enum": ["a"]},
                        "max_items": {"type": "ARRAY", "items": {"ref": "#/defs/N"}, "min_items": "1", "maxItems": 3},
                        "any": {"any_of": [{"type": "STRING"}, {"type": "INTEGER"}], "nullable": True},
                    },
                    "property_ordering": ["type"],
                    "additional_properties": {"type": "NUMBER", "example": 1},
                    "defs": {"N": {"type": "TYPE_UNSPECIFIED", "title": "N"}},
                    "description": None,
                }
            ),
            {
                "type": "object",
                "properties": {
                    "type": {"type": ["string", "null"], "enum": ["a", None]},
                    "max_items": {"type": "array", "items": {"$ref": "#/$defs/N"}, "minItems": 1, "maxItems": 3},
                    "any": {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]},
                },
                "propertyOrdering": ["type"],
                "additionalProperties": {"type": "number", "examples": [1]},
                "$defs": {"N": {"title": "N"}},
            },
        )

    def test_json_schema_stays(self) -> None:
        """Many clients put it there."""
        schema = {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/a"}},
            "$defs": {"a": {"const": 1}},
            "x-own": {"type": "STRING"},
        }
        self.assertEqual(from_openapi(schema), schema)
        self.assertIs(from_openapi(True), True)
