"""Endpoints of one's own: a path here, a URL there. The words are those of the Rust amp-server's proxy_config.yaml."""

from __future__ import annotations

from typing import Literal

import attrs

from llmux.config.limits import Retry, Timeouts, check_retry
from llmux.config.nodes import Node
from llmux.config.problems import Mark
from llmux.config.reader import each, key, refined, required, section
from llmux.config.values import address, boolean, choice, header_name, headers, number, text

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
ResponseType = Literal["json", "sse", "stream", "html"]
_TYPES: dict[str, ResponseType] = {"json": "json", "sse": "sse", "stream": "stream", "html": "html"}

# Seconds that an endpoint may take.
endpoint_seconds = number(1, 3600)


def _path(node: Node) -> str:
    value = text(node)
    if not value.startswith("/"):
        node.fail("must begin with '/'")
    return value


_retry = refined(Retry, check_retry)
_timeouts = refined(Timeouts)


@attrs.frozen(kw_only=True)
class Endpoint:
    """One endpoint. Of the headers only those travel that are listed, and `custom_headers` are added."""

    path: str = required(_path)
    target_url: str = required(address)
    method: str = required(choice({method: method for method in METHODS}))
    response_type: ResponseType = required(choice(_TYPES))
    custom_headers: tuple[tuple[str, str], ...] = key(headers, (), secret=True)
    forward_request_headers: tuple[str, ...] = key(each(header_name), ())
    forward_response_headers: tuple[str, ...] = key(each(header_name), ())
    enabled: bool = key(boolean, True)
    timeout: float | None = key(endpoint_seconds, None)
    timeouts: Timeouts | None = key(_timeouts, None)
    retry: Retry | None = key(_retry, None)
    where: Mark


_each = each(section(Endpoint))


def endpoints(node: Node) -> tuple[Endpoint, ...]:
    """All endpoints. Two that are asked alike, path and method, cannot both answer."""
    found = _each(node)
    first: dict[tuple[str, str], Endpoint] = {}
    for endpoint in found:
        other = first.setdefault((endpoint.path, endpoint.method), endpoint)
        if other is not endpoint:
            node.blame(f"{endpoint.method} {endpoint.path} is given twice, in lines {other.where.line} and {endpoint.where.line}")
    return found
