"""Errors of the Responses API: the HTTP body is the OpenAI one; a stream fails as `response.failed`."""

from __future__ import annotations

from llmux.dialects.openai_chat.errors import bearer, error_body, error_object
from llmux.errors import Fault

__all__ = ["bearer", "error_body", "error_object", "failure"]


def failure(fault: Fault) -> dict[str, object]:
    """The `error` member of a failed response object. The API knows few codes; `server_error` is the general one."""
    code = {"rate_limit": "rate_limit_exceeded", "invalid": "invalid_prompt"}.get(fault.kind, "server_error")
    return {"code": code, "message": fault.message}
