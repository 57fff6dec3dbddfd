"""Notes what a provider says that nobody reads.

Values that are empty say nothing, and members that repeat the request, or are made for OpenAI's own clients, are none of ours.
"""

from __future__ import annotations

from typing import Any

from llmux.dialects.notes import Notes
from llmux.dialects.reading import token

RESPONSE = frozenset(
    {"id", "object", "created_at", "completed_at", "status", "error", "incomplete_details", "model", "output", "usage"}
    | {"background", "conversation", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "parallel_tool_calls"}
    | {"previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning"}
    | {"safety_identifier", "service_tier", "store", "temperature", "text", "tool_choice", "tool_usage", "tools", "top_logprobs"}
    | {"top_p", "truncation", "user", "include", "image", "access_programs", "billing", "frequency_penalty", "presence_penalty"}
    | {"output_text", "context_management"}
)
MESSAGE = frozenset({"id", "type", "status", "role", "content", "phase"})
REASONING = frozenset({"id", "type", "status", "summary", "content", "encrypted_content"})
CALL = frozenset({"id", "type", "status", "call_id", "name", "namespace", "arguments", "input", "caller", "async", "created_by"})
PART = frozenset({"type", "text", "refusal", "annotations", "logprobs"})

# How the events begin that say only how far a provider's own tool has come: its item tells what it did.
_PROGRESS = (
    "keepalive",
    "ping",
    "response.queued",
    "response.web_search_call.",
    "response.file_search_call.",
    "response.code_interpreter_call",
    "response.image_generation_call.",
    "response.mcp_call",
    "response.mcp_list_tools.",
    "response.shell_call",
    "response.apply_patch_call",
    "response.compaction.",
)


def note_event(kind: object, notes: Notes) -> None:
    """An event without a reader."""
    if not isinstance(kind, str) or not kind.startswith(_PROGRESS):
        notes.drop(f"/{token(str(kind))}", "no counterpart")


def note_rest(node: dict[str, Any], known: frozenset[str], at: str, notes: Notes) -> None:
    """The members of an object that nobody reads."""
    if not node.keys() <= known:
        for name, value in node.items():
            if name not in known:
                _drop(value, f"{at}/{token(name)}", notes)


def _drop(value: Any, at: str, notes: Notes) -> None:
    if isinstance(value, dict):
        for name, each in value.items():
            _drop(each, f"{at}/{token(name)}", notes)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _drop(each, f"{at}/{index}", notes)
    elif value not in (None, ""):
        notes.drop(at, "no counterpart")
