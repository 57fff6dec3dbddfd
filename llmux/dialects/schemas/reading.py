"""Reads a schema in Gemini's older form as JSON Schema."""

from __future__ import annotations

from typing import Any

# Both spellings of what the older form has; everything else in it is taken as JSON Schema already.
_SPELLINGS = {
    "any_of": "anyOf",
    "additional_properties": "additionalProperties",
    "property_ordering": "propertyOrdering",
    **{f"{end}_{what}": f"{end}{what.title()}" for end in ("min", "max") for what in ("items", "length", "properties")},
}
_WHOLE = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})


def from_openapi(schema: object) -> Any:
    """A schema in Gemini's older form as JSON Schema. Nothing is lost; what is JSON Schema already stays."""
    if not isinstance(schema, dict):
        return schema
    read: dict[str, Any] = {}
    for key, value in schema.items():
        name: str = _SPELLINGS[key] if key in _SPELLINGS else key
        if value is None and name != "default":
            continue
        match name:
            case "type":
                if value != "TYPE_UNSPECIFIED":
                    read["type"] = [_lower(each) for each in value] if isinstance(value, list) else _lower(value)
            case "nullable":
                pass
            case "properties" | "defs" | "$defs" | "definitions":
                if isinstance(value, dict):
                    value = {each: from_openapi(inner) for each, inner in value.items()}
                read["$defs" if name == "defs" else name] = value
            case "anyOf" | "oneOf" | "allOf" | "prefixItems":
                read[name] = [from_openapi(each) for each in value] if isinstance(value, list) else value
            case "items" | "additionalProperties" | "not":
                read[name] = [from_openapi(each) for each in value] if isinstance(value, list) else from_openapi(value)
            case "ref":
                read["$ref"] = value.replace("#/defs/", "#/$defs/", 1) if isinstance(value, str) else value
            case "example":
                read["examples"] = [value]
            case "format" if value == "enum" and "enum" in schema:
                pass  # says what `enum` says
            case _ if name in _WHOLE and isinstance(value, str) and value.isdecimal():
                read[name] = int(value)  # as the API's JSON writes long numbers
            case "minimum" | "maximum" if isinstance(value, str) and value.removeprefix("-").isdecimal():
                read[name] = int(value)
            case _:
                read[name] = value
    return _nullable(read) if schema.get("nullable") is True else read


def _nullable(read: dict[str, Any]) -> dict[str, Any]:
    enum = read.get("enum")
    if isinstance(enum, list) and None not in enum:
        read["enum"] = [*enum, None]
    type_ = read.get("type")
    if type_ is not None:
        types = type_ if isinstance(type_, list) else [type_]
        read["type"] = list(dict.fromkeys([*types, "null"]))
    elif isinstance(read.get("anyOf"), list):
        read["anyOf"] = [*read["anyOf"], {"type": "null"}]
    elif "$ref" in read:
        return {"anyOf": [read, {"type": "null"}]}
    elif not isinstance(enum, list):
        read["nullable"] = True  # what has no type may be null already
    return read


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value
