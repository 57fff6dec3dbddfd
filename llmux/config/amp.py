"""The section `amp`, which may be called `ampcode` and takes CLIProxyAPI's keys as they are."""

from __future__ import annotations

from typing import Any, Literal

import attrs

from llmux.config.nodes import Node
from llmux.config.problems import Mark
from llmux.config.reader import each, key, required, section
from llmux.config.secrets import optional_secret, present_secret
from llmux.config.targets import Mapping, mapping
from llmux.config.values import anything, blank_or, boolean, choice, url

ControlPlane = Literal["auto", "local", "upstream"]
BrowserPages = Literal["proxy", "redirect"]
Suppress = Literal["auto", "always", "never"]

_PLANES: dict[str, ControlPlane] = {"auto": "auto", "local": "local", "upstream": "upstream"}
_PAGES: dict[str, BrowserPages] = {"proxy": "proxy", "redirect": "redirect"}
_SUPPRESS: dict[str, Suppress] = {"auto": "auto", "always": "always", "never": "never", "true": "always", "false": "never"}


@attrs.frozen(kw_only=True)
class ClientUpstreamKey:
    """The upstream key for the callers that show one of `api_keys`."""

    upstream_api_key: str = required(present_secret, secret=True)
    api_keys: tuple[str, ...] = required(each(present_secret), secret=True)
    where: Mark


_rows = each(section(ClientUpstreamKey))


def upstream_keys(node: Node) -> tuple[ClientUpstreamKey, ...]:
    """The upstream keys of single callers. Of two rows with the same caller the first one counts."""
    rows = _rows(node)
    callers = [key for row in rows for key in row.api_keys]
    if len(set(callers)) < len(callers):
        node.note("a client key stands here twice; the first one counts")
    return rows


def user(node: Node) -> dict[str, Any]:
    """What is known about the person: passed on as it stands."""
    if not node.is_mapping:
        node.fail(f"must be a mapping, not {node.kind}")
    found: dict[str, Any] = anything(node)
    return found


@attrs.frozen(kw_only=True)
class Amp:
    """Amp's upstream, where what nobody local serves goes, and what Amp's own client is told."""

    upstream_url: str | None = key(blank_or(url), None)
    upstream_api_key: str | None = key(optional_secret, None, secret=True)
    upstream_api_keys: tuple[ClientUpstreamKey, ...] = key(upstream_keys, ())
    control_plane: ControlPlane = key(choice(_PLANES), "auto")
    browser_pages: BrowserPages = key(choice(_PAGES), "proxy")
    restrict_management_to_localhost: bool = key(boolean, False)
    model_mappings: tuple[Mapping, ...] = key(each(mapping), ())
    prioritize_model_mappings: bool = key(boolean, False, "prioritize_model_mappings", "force_model_mappings")
    suppress_thinking: Suppress = key(choice(_SUPPRESS), "auto", later=True)
    user: dict[str, Any] = key(user, {})


def _check(node: Node, amp: Amp) -> None:
    if amp.upstream_url is None:
        if amp.control_plane == "upstream":
            node.note("without an 'upstream_url' the control plane answers 503")
        if amp.browser_pages == "redirect":
            node.note("without an 'upstream_url' there is nowhere to redirect browser pages to")


amp = section(Amp, _check)
