"""What the API wants of schemas: each name that is required once."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any


def distinct(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with each required name once; itself, if no name is there twice."""
    changed: dict[str, Any] = {}
    for keyword, inner in schema.items():
        rewrite = _INSIDE.get(keyword)
        if rewrite is not None:
            once = rewrite(inner)
            if once is not inner:
                changed[keyword] = once
    return {**schema, **changed} if changed else schema


def _single(schema: Any) -> Any:
    return distinct(schema) if isinstance(schema, dict) else schema


def _named(schemas: Any) -> Any:
    if not isinstance(schemas, dict):
        return schemas
    changed: dict[str, Any] = {}
    for name, each in schemas.items():
        if isinstance(each, dict):
            once = distinct(each)
            if once is not each:
                changed[name] = once
    return {**schemas, **changed} if changed else schemas


def _listed(schemas: Any) -> Any:
    if not isinstance(schemas, list):
        return schemas
    written = [_single(each) for each in schemas]
    return schemas if all(map(operator.is_, written, schemas)) else written


def _once(names: Any) -> Any:
    if not isinstance(names, list) or set(map(type, names)) != {str}:
        return names
    once = list(dict.fromkeys(names))
    return names if len(once) == len(names) else once


# What a keyword holds: schemas, alone, in lists or by name; or names. What stands elsewhere is data, whatever its name.
_INSIDE: dict[str, Callable[[Any], Any]] = {
    "required": _once,
    **dict.fromkeys(("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames"), _single),
    **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), _listed),
    **dict.fromkeys(("properties", "$defs", "definitions", "patternProperties", "dependentSchemas"), _named),
}
