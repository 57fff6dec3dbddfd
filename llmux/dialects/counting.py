"""Counting the tokens of a request without an answer, between dialects.

Three dialects have such a surface, each around what it takes for generation: `/v1/messages/count_tokens`,
`/v1/responses/input_tokens` and `:countTokens`. So the request goes through the rooms for generation, and only what surrounds it
differs. What the provider counts are its own tokens, of its own words for the request.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import msgspec

from llmux.dialects import choosing
from llmux.dialects.base import Dialect
from llmux.dialects.context import Context
from llmux.dialects.neutral import Caching, Output, Request, Sampling, ToolPolicy
from llmux.dialects.reading import get
from llmux.dialects.tools import Book
from llmux.errors import Fault

Answer = Callable[[dict[str, Any]], dict[str, Any]]

# The writers want to know how much room there is for thinking. No answer is asked for, so there is any.
_ROOM = 1_000_000

_ANTHROPIC = ("model", "system", "messages", "tools", "tool_choice", "thinking", "output_config", "speed", "cache_control")
_RESPONSES = ("model", "instructions", "input", "tools", "tool_choice", "parallel_tool_calls", "reasoning", "text", "truncation")


@attrs.frozen
class Asked:
    """What a provider is asked: the path below its base URL and the body; `read` makes the client's answer of the provider's."""

    path: bytes
    body: dict[str, Any]
    read: Answer


@attrs.frozen
class _Surface:
    """One dialect's. `inside` takes out of a body what the dialect's rooms know, with its pointer; `around` puts it there for a
    model; `path` is made of that of a generation. `total` is the answer's member with the number, `write` the answer.
    """

    inside: Callable[[dict[str, Any]], tuple[dict[str, Any], str]]
    around: Callable[[dict[str, Any], str], dict[str, Any]]
    path: Callable[[bytes], bytes]
    total: str
    write: Callable[[int], dict[str, Any]]


def translate(client: Dialect, provider: Dialect, context: Context) -> Asked:
    """The client's request to count, said to a provider. Raises Fault where it cannot be read or said, or where nobody counts."""
    asked, counts = _surface(client), _surface(provider)
    request = _parsed(client, asked, context)
    if context.shelf is not None:
        request = context.shelf.restore(request, provider.family)
    request = _stripped(request, context)
    context.turns = 1 + max((item.turn for item in request.items), default=0)
    context.book = Book(provider.names, request.tools, request.items)
    body = provider.rooms.write_request(request, context)
    context.notes.relax()
    model = context.target.model
    path, _ = provider.address(model, False)
    return Asked(counts.path(path), counts.around(body, model), lambda answer: asked.write(_total(answer, counts.total)))


def _surface(dialect: Dialect) -> _Surface:
    found = _SURFACES.get(dialect.name)
    if found is None:
        raise Fault("not_found", f"The {dialect.name} API cannot count tokens", code="no_such_surface", should_retry=False)
    return found


def _parsed(client: Dialect, surface: _Surface, context: Context) -> Request:
    doc, at = surface.inside(context.asked)
    try:
        return client.rooms.parse_request(doc, context)
    except Fault as fault:
        if at and fault.param:
            raise attrs.evolve(fault, param=f"{at}{fault.param}") from None
        raise


def _stripped(request: Request, context: Context) -> Request:
    """What counts. How tokens are chosen does not; tools of a provider's own are refused by those who count."""
    own = [tool for tool in request.tools if tool.kind == "hosted"]
    for tool in own:
        context.notes.approximate(tool.at, "a tool that the provider runs itself is not counted")
    request = choosing.without(request, own)
    output = request.output
    return msgspec.structs.replace(
        request,
        policy=ToolPolicy() if request.policy.mode == "hosted" else request.policy,
        sampling=Sampling(max_out=context.target.capabilities.max_out or _ROOM),
        output=Output(output.format, output.schema, output.name, output.description, output.strict),
        caching=Caching(automatic=request.caching.automatic),
        stream=False,
        include_usage=None,
        tier=None,
        user=None,
        metadata=None,
        store=None,
    )


def _total(answer: dict[str, Any], member: str) -> int:
    """The number. What is no number is not 0: a client would take a full context for an empty one."""
    total = answer.get(member)
    if isinstance(total, bool) or not isinstance(total, int):
        raise Fault("bad_gateway", f"the provider's answer has no {member}", code="upstream_invalid")
    return total


def _chosen(members: tuple[str, ...]) -> Callable[[dict[str, Any], str], dict[str, Any]]:
    def choose(body: dict[str, Any], model: str) -> dict[str, Any]:
        return {name: body[name] for name in members if name in body}

    return choose


def _inside_gemini(doc: dict[str, Any]) -> tuple[dict[str, Any], str]:
    for name in ("generateContentRequest", "generate_content_request"):
        inner = get(doc, name)
        if isinstance(inner, dict):
            return inner, f"/{name}"
    return doc, ""


def _around_gemini(body: dict[str, Any], model: str) -> dict[str, Any]:
    """Instructions and tools count only inside a whole request, which names its model again."""
    limits = {name: value for name, value in body.get("generationConfig", {}).items() if name != "maxOutputTokens"}
    inner = {"model": f"models/{model.removeprefix('models/')}", **body}
    inner.pop("generationConfig", None)
    if limits:
        inner["generationConfig"] = limits
    return {"generateContentRequest": inner}


_SURFACES: dict[str, _Surface] = {
    "anthropic": _Surface(
        inside=lambda doc: (doc, ""),
        around=_chosen(_ANTHROPIC),
        path=lambda path: path + b"/count_tokens",
        total="input_tokens",
        write=lambda total: {"input_tokens": total},
    ),
    "openai-responses": _Surface(
        inside=lambda doc: (doc, ""),
        around=_chosen(_RESPONSES),
        path=lambda path: path + b"/input_tokens",
        total="input_tokens",
        write=lambda total: {"object": "response.input_tokens", "input_tokens": total},
    ),
    "gemini": _Surface(
        inside=_inside_gemini,
        around=_around_gemini,
        path=lambda path: path.rpartition(b":")[0] + b":countTokens",
        total="totalTokens",
        write=lambda total: {"totalTokens": total},
    ),
}
