"""Writes a JSON Schema in Gemini's older form. What that has no word for is noted and left out, never sent."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from llmux import jsonio
from llmux.dialects.notes import Notes
from llmux.dialects.reading import token

Schema = dict[str, Any]

# A schema whose references are written out may grow without bound, though none of them is a circle.
_MOST = 20_000
_DEEPEST = 64

_TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")
# What both forms have, and of what kind its value is.
_SAME: tuple[tuple[str, type | tuple[type, ...]], ...] = (
    ("title", str),
    ("format", str),
    ("pattern", str),
    ("minLength", int),
    ("maxLength", int),
    ("minimum", (int, float)),
    ("maximum", (int, float)),
    ("minItems", int),
    ("maxItems", int),
    ("minProperties", int),
    ("maxProperties", int),
    ("propertyOrdering", list),
)
# What is said elsewhere in the result.
_HANDLED = frozenset(
    {
        *(name for name, _ in _SAME),
        *("type", "description", "nullable", "enum", "const", "anyOf", "oneOf", "properties", "required", "items", "prefixItems"),
        *("additionalProperties", "default", "example", "examples", "exclusiveMinimum", "exclusiveMaximum"),
        *("$defs", "definitions"),
    }
)
# Keywords that tell readers how to read, and constrain nothing.
_FOR_READERS = frozenset(
    {"$schema", "$id", "$anchor", "$comment", "$vocabulary", "$dynamicAnchor", "deprecated", "readOnly", "writeOnly"}
)
# The type to which a keyword says something; the others say something to all.
_OF_TYPE: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("minLength", "maxLength", "pattern"), ("string",)),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), ("number", "integer")),
    **dict.fromkeys(("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"), ("array",)),
    **dict.fromkeys(("properties", "required", "additionalProperties", "minProperties", "maxProperties"), ("object",)),
}
_LEAST = ("minimum", "minlength", "minitems", "minproperties")
_MOST_OF = ("maximum", "maxlength", "maxitems", "maxproperties")
_BOUNDS = (("exclusiveMinimum", "Must be greater than"), ("exclusiveMaximum", "Must be less than"))


def to_openapi(schema: object, at: str, notes: Notes) -> Schema:
    """A JSON Schema in Gemini's older form. `at` is its pointer, for the notes on what is left out."""
    return _Writer(schema, at, notes).schema(schema, at)


class _Writer:
    """Writes one schema. `root` is where its references point, `at` its pointer."""

    def __init__(self, root: object, at: str, notes: Notes) -> None:
        self._root = root
        self._at = at
        self._notes = notes
        self._open: list[str] = []  # the references that are being written out
        self._count = 0

    def schema(self, node: object, at: str) -> Schema:
        """A schema, at any depth."""
        if not isinstance(node, dict):
            if node is not True:
                self._notes.drop(at, "nothing can be forbidden altogether")
            return {}
        self._count += 1
        before = len(self._open)
        if self._count > _MOST or before > _DEEPEST:
            self._notes.approximate(at, "the schema is too large to be written without references")
            return {"type": "OBJECT"}
        resolved, at = self._resolved(node, at)
        written = {"type": "OBJECT"} if resolved is None else self._keywords(resolved, at)
        del self._open[before:]
        return written

    # references and allOf: they become one plain schema

    def _resolved(self, node: Schema, at: str) -> tuple[Schema | None, str]:
        """The schema without references and `allOf` of its own, None where it holds itself; and where its keywords stand."""
        while "$ref" in node:
            reference = node["$ref"]
            siblings = {name: value for name, value in node.items() if name != "$ref"}
            if reference in self._open:
                self._notes.approximate(f"{at}/$ref", "a schema that holds itself ends here in any object")
                return None, at
            target = self._target(reference)
            if target is None:
                self._notes.drop(f"{at}/$ref", f"{reference!r} refers to nothing in the schema")
                return siblings, at
            self._open.append(reference)
            node = {**target, **siblings}
            at = f"{self._at}{unquote(reference[1:])}"
        branches = node.get("allOf")
        if not isinstance(branches, list):
            return node, at
        merged = {name: value for name, value in node.items() if name != "allOf"}
        for index, branch in enumerate(branches):
            inner: Schema | None = {}
            if isinstance(branch, dict):
                inner, _ = self._resolved(branch, f"{at}/allOf/{index}")
            merged = self._joined(merged, {"type": "object"} if inner is None else inner, at)
        return merged, at

    def _target(self, reference: object) -> Schema | None:
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        node: Any = self._root
        for step in filter(None, unquote(reference[1:]).split("/")):
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and name.isdecimal() and int(name) < len(node):
                node = node[int(name)]
            elif isinstance(node, dict) and name in node:
                node = node[name]
            else:
                return None
        return node if isinstance(node, dict) else None

    def _joined(self, one: Schema, other: Schema, at: str) -> Schema:
        """What holds for both. Where they disagree and no third says it, the first is kept."""
        joined = dict(one)
        for name, value in other.items():
            if name not in joined or joined[name] == value:
                joined[name] = value
                continue
            mine = joined[name]
            match name:
                case "properties" if isinstance(mine, dict) and isinstance(value, dict):
                    twice = [key for key in value if key in mine and mine[key] != value[key]]
                    joined[name] = {**mine, **value, **{key: {"allOf": [mine[key], value[key]]} for key in twice}}
                case "required" if isinstance(mine, list) and isinstance(value, list):
                    joined[name] = mine + value
                case _ if name.lower().endswith(_LEAST) and _are_numbers(mine, value):
                    joined[name] = max(mine, value)
                case _ if name.lower().endswith(_MOST_OF) and _are_numbers(mine, value):
                    joined[name] = min(mine, value)
                case "enum" if isinstance(mine, list) and isinstance(value, list):
                    joined[name] = [each for each in mine if each in value]
                case _:
                    self._notes.approximate(f"{at}/allOf", f"two of its schemas disagree about {name}")
        return joined

    # keywords

    def _keywords(self, node: Schema, at: str) -> Schema:
        notes = self._notes
        said = node.get("type")
        types = [each for each in (said if isinstance(said, list) else [said]) if each is not None]
        known = [each.lower() for each in types if isinstance(each, str) and each.lower() in _TYPES]
        if len(known) < len(types):
            notes.drop(f"{at}/type", "no such type")
        nullable = node.get("nullable") is True or ("null" in known and len(known) > 1)
        known = [each for each in known if each != "null"] or known
        hints: list[str] = []
        values, type_, nulls = self._values(node, at, known, hints)
        nullable = nullable or nulls
        if type_ is None and len(known) > 1:
            return self._several(known, node, at, nullable)
        written: Schema = {}
        type_ = type_ or (known[0] if known else _inferred(node))
        if type_ is not None:
            written["type"] = type_.upper()
        for name, kind in _SAME:
            value = node.get(name)
            if isinstance(value, kind) and not isinstance(value, bool):
                written[name] = value
            elif value is not None:
                notes.drop(f"{at}/{name}", "not of the kind that it must be")
        if values:
            written["enum"] = values
        if "default" in node:
            written["default"] = node["default"]
        self._example(node, at, written)
        self._object(node, at, written)
        self._array(node, at, written)
        for name, words in _BOUNDS:
            if node.get(name) is not None:
                hints.append(f"{words} {jsonio.dumps(node[name]).decode()}.")
                notes.approximate(f"{at}/{name}", "told in the description")
        description = node.get("description")
        told = [description] if isinstance(description, str) and description else []
        if told or hints:
            written["description"] = " ".join([*told, *hints])
        written = self._choices(node, at, written)
        if nullable or written.get("nullable"):
            written["nullable"] = True
        for name in node:
            if name in _FOR_READERS:
                notes.approximate(f"{at}/{token(name)}", "constrains nothing")
            elif name not in _HANDLED:
                notes.drop(f"{at}/{token(name)}", f"this form of schemas has no {name}")
        return written

    def _values(self, node: Schema, at: str, types: list[str], hints: list[str]) -> tuple[list[str], str | None, bool]:
        """The values that are allowed, the type that they have then, and whether null is one of them."""
        name = "const" if "const" in node else "enum"
        given = [node["const"]] if name == "const" else node.get("enum")
        if not isinstance(given, list):
            return [], None, False
        values = [value for value in given if value is not None]
        nulls = len(values) < len(given)
        if not values:
            return [], "null" if nulls else None, False
        if all(isinstance(value, str) for value in values):
            return list(dict.fromkeys(values)), "string", nulls
        if all(isinstance(value, bool) for value in values):
            if len(set(values)) == 1:
                hints.append(f"Must be {jsonio.dumps(values[0]).decode()}.")
                self._notes.approximate(f"{at}/{name}", "told in the description")
            return [], "boolean", nulls
        self._notes.approximate(f"{at}/{name}", "only texts can be enumerated")
        texts = [value if isinstance(value, str) else jsonio.dumps(value).decode() for value in values]
        return list(dict.fromkeys(texts)), "string", nulls

    def _several(self, types: list[str], node: Schema, at: str, nullable: bool) -> Schema:
        """One of several types: a choice, where each has the keywords that say something to it."""
        written: Schema = {name: node[name] for name in ("title", "description", "default") if name in node}
        written["anyOf"] = []
        for type_ in types:
            own = {
                name: value
                for name, value in node.items()
                if name not in written and type_ in _OF_TYPE.get(name, (type_,)) and name != "nullable"
            }
            written["anyOf"].append(self._keywords({**own, "type": type_}, at))
        if nullable:
            written["nullable"] = True
        return written

    def _example(self, node: Schema, at: str, written: Schema) -> None:
        examples = node.get("examples")
        if "example" in node:
            written["example"] = node["example"]
        elif isinstance(examples, list) and examples:
            written["example"] = examples[0]
        if examples is not None and examples != [written.get("example")]:
            self._notes.drop(f"{at}/examples", "there is room for one example")

    def _object(self, node: Schema, at: str, written: Schema) -> None:
        properties = node.get("properties")
        if isinstance(properties, dict):
            inner = f"{at}/properties"
            written["properties"] = {name: self.schema(each, f"{inner}/{token(name)}") for name, each in properties.items()}
        required = node.get("required")
        if isinstance(required, list):
            names = list(dict.fromkeys(name for name in required if isinstance(name, str)))
            if isinstance(properties, dict):
                names = [name for name in names if name in properties]
            if len(names) < len(required):
                self._notes.approximate(f"{at}/required", "only what is described can be required, and once")
            if names:
                written["required"] = names
        more = node.get("additionalProperties")
        if isinstance(more, bool):
            written["additionalProperties"] = more
        elif isinstance(more, dict):
            written["additionalProperties"] = self.schema(more, f"{at}/additionalProperties") or True

    def _array(self, node: Schema, at: str, written: Schema) -> None:
        """The items. A list of schemas, one for each place, becomes a choice for every place."""
        items, tuple_ = node.get("items"), node.get("prefixItems")
        name = "prefixItems"
        if isinstance(items, list):
            items, tuple_, name = node.get("additionalItems"), items, "items"
        if isinstance(tuple_, list) and tuple_:
            self._notes.approximate(f"{at}/{name}", "every item may be what one of them may be")
            written_items = [self.schema(each, f"{at}/{name}/{index}") for index, each in enumerate(tuple_)]
            if isinstance(items, dict):
                written_items.append(self.schema(items, f"{at}/items"))
            distinct = [each for index, each in enumerate(written_items) if each not in written_items[:index]]
            written["items"] = distinct[0] if len(distinct) == 1 else {"anyOf": distinct}
        elif isinstance(items, dict):
            written["items"] = self.schema(items, f"{at}/items")
        elif written.get("type") == "ARRAY":
            written["items"] = {}  # there must be some

    def _choices(self, node: Schema, at: str, written: Schema) -> Schema:
        """The alternatives. Null as one of them is `nullable`; a single one that is left is the schema itself."""
        name = "anyOf" if isinstance(node.get("anyOf"), list) else "oneOf"
        branches = node.get(name)
        if not isinstance(branches, list):
            return written
        if name == "anyOf" and "oneOf" in node:
            self._notes.drop(f"{at}/oneOf", "there is room for one choice")
        left = [(index, branch) for index, branch in enumerate(branches) if not _is_null(branch)]
        if len(left) < len(branches):
            written["nullable"] = True
        told = [self.schema(branch, f"{at}/{name}/{index}") for index, branch in left]
        if len(told) == 1:
            return {**told[0], **written}
        if told:
            if name == "oneOf":
                self._notes.approximate(f"{at}/oneOf", "more than one may hold")
            if all("type" in each or "anyOf" in each for each in told):
                written.pop("type", None)
            written["anyOf"] = told
        return written


def _is_null(branch: object) -> bool:
    if not isinstance(branch, dict):
        return False
    return branch.get("type") == "null" or ("const" in branch and branch["const"] is None) or branch.get("enum") == [None]


def _are_numbers(*values: object) -> bool:
    return all(isinstance(value, int | float) for value in values)


def _inferred(node: Schema) -> str | None:
    """The type that a schema means without saying it."""
    if "properties" in node or "additionalProperties" in node:
        return "object"
    return "array" if "items" in node or "prefixItems" in node else None
