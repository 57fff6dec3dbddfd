"""JSON Schema, and the older form of schemas that Gemini took from OpenAPI.

The older form has upper-case types and `nullable`, no references and few keywords. A member's name is a keyword only where
keywords stand: a property may be called `properties`, `format` or `const`.
"""

from __future__ import annotations

from llmux.dialects.schemas.reading import from_openapi
from llmux.dialects.schemas.writing import to_openapi

__all__ = ["from_openapi", "to_openapi"]
