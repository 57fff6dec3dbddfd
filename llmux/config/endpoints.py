"""Endpoints of one's own: a path here, a URL there. The words are those of the Rust amp-server's proxy_config.yaml."""

from __future__ import annotations

from typing import Literal

import attrs

from llmux.config.limits import Retry, Timeouts, check_retry
from llmux.config.nodes import Node
from llmux.config.problems import Mark
from llmux.config.reader import each, key, reads, reads_as, refined, required, section
from llmux.config.values import address, boolean, choice, header_name, headers, number, text

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
ResponseType = Literal["json", "sse", "stream", "html"]
_TYPES: dict[str, ResponseType] = {"json": "json", "sse": "sse", "stream": "stream", "html": "html"}

# Seconds that an endpoint may take.
endpoint_seconds = number(1, 3600)


@reads("a path that begins with '/'")
def _path(node: Node) -> str:
    value = text(node)
    if not value.startswith("/"):
        node.fail("must begin with '/'")
    return value


_retry = refined(Retry, check_retry)
_timeouts = refined(Timeouts)


@attrs.frozen(kw_only=True)
class Endpoint:
    """One endpoint."""

    path: str = required(
        _path,
        doc="The path here. A part `:name` stands for any one part, and `{*rest}` at the end for everything that follows.",
        example="/v1/translate",
    )
    target_url: str = required(
        address,
        doc="Where its requests go. A `{model}` in it is replaced by the model that the path names.",
        example="https://api.example/v1/translate",
    )
    method: str = required(
        choice({method: method for method in METHODS}),
        doc="The method that it answers. Two endpoints may share a path if their methods differ.",
        example="POST",
    )
    response_type: ResponseType = required(
        choice(_TYPES),
        doc="What comes back: `stream` is passed on as it comes, `sse` event by event, `json` and `html` as a whole.",
        example="json",
    )
    custom_headers: tuple[tuple[str, str], ...] = key(
        headers, (), doc="Headers of every request to the target.", example="{x-team: llmux}", secret=True
    )
    forward_request_headers: tuple[str, ...] = key(
        each(header_name),
        (),
        doc="Which headers of the client are passed on. Without it, none.",
        example="[accept, content-type]",
    )
    forward_response_headers: tuple[str, ...] = key(
        each(header_name), (), doc="Which headers of the answer are passed back. Without it, none.", example="[content-type]"
    )
    enabled: bool = key(boolean, True, doc="Whether it is used at all.")
    timeout: float | None = key(
        endpoint_seconds, None, doc="How many seconds it may take. Without it, `global_timeout`.", example="60"
    )
    timeouts: Timeouts | None = key(_timeouts, None, doc="Its own timeouts.")
    retry: Retry | None = key(_retry, None, doc="Its own retries.")
    where: Mark


_each = each(section(Endpoint))


@reads_as(_each)
def endpoints(node: Node) -> tuple[Endpoint, ...]:
    """All endpoints. Two that are asked alike, path and method, cannot both answer."""
    found = _each(node)
    first: dict[tuple[str, str], Endpoint] = {}
    for endpoint in found:
        other = first.setdefault((endpoint.path, endpoint.method), endpoint)
        if other is not endpoint:
            node.blame(f"{endpoint.method} {endpoint.path} is given twice, in lines {other.where.line} and {endpoint.where.line}")
    return found
