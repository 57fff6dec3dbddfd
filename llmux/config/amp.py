"""The section `amp`, which may be called `ampcode` and takes CLIProxyAPI's keys as they are."""

from __future__ import annotations

from typing import Any, Literal

import attrs

from llmux.config.nodes import Node
from llmux.config.problems import Mark
from llmux.config.reader import each, key, reads, reads_as, required, section
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

    upstream_api_key: str = required(
        present_secret, doc="The key that the upstream is shown for them.", example='"${LAPTOP_AMP_KEY}"', secret=True
    )
    api_keys: tuple[str, ...] = required(
        each(present_secret), doc="The callers, each by the key that it shows to llmux.", example='["${LAPTOP_KEY}"]', secret=True
    )
    where: Mark


_rows = each(section(ClientUpstreamKey))


@reads_as(_rows)
def upstream_keys(node: Node) -> tuple[ClientUpstreamKey, ...]:
    """The upstream keys of single callers. Of two rows with the same caller the first one counts."""
    rows = _rows(node)
    callers = [key for row in rows for key in row.api_keys]
    if len(set(callers)) < len(callers):
        node.note("a client key stands here twice; the first one counts")
    return rows


@reads("a mapping")
def user(node: Node) -> dict[str, Any]:
    """What is known about the person: passed on as it stands."""
    if not node.is_mapping:
        node.fail(f"must be a mapping, not {node.kind}")
    found: dict[str, Any] = anything(node)
    return found


@attrs.frozen(kw_only=True)
class Amp:
    """Amp's upstream, and what Amp's own client is told."""

    upstream_url: str | None = key(
        blank_or(url),
        None,
        doc="The server to which Amp's requests go that no provider here answers; what it answers costs credits there. Without "
        "it, such requests are refused.",
        example="https://ampcode.com",
    )
    upstream_api_key: str | None = key(
        optional_secret,
        None,
        doc="The key that the upstream is shown in place of the client's. Without it, that of the environment variable "
        "`AMP_API_KEY`, or the one that Amp's command line keeps in `~/.local/share/amp/secrets.json`.",
        example='"${AMP_API_KEY}"',
        secret=True,
    )
    upstream_api_keys: tuple[ClientUpstreamKey, ...] = key(
        upstream_keys, (), doc="Upstream keys of single callers, in place of `upstream_api_key`."
    )
    control_plane: ControlPlane = key(
        choice(_PLANES),
        "auto",
        doc="Who answers what Amp asks of its server beside models, such as its user and threads: llmux itself with `local`, "
        "which needs no account, or the upstream. `auto` is `upstream` where there is an `upstream_url`.",
    )
    browser_pages: BrowserPages = key(
        choice(_PAGES),
        "proxy",
        doc="What becomes of Amp's pages for people: fetched from the upstream, or browsers redirected there.",
    )
    restrict_management_to_localhost: bool = key(
        boolean, False, doc="Whether Amp's own routes beside those for models are for this host only."
    )
    model_mappings: tuple[Mapping, ...] = key(
        each(mapping),
        (),
        doc="Other models in place of those that are asked for where no provider serves them. An exact name goes before a "
        "regular expression, and these go in the order of the file.",
    )
    prioritize_model_mappings: bool = key(
        boolean,
        False,
        "prioritize_model_mappings",
        "force_model_mappings",
        doc="Whether mappings go before the providers that serve the model itself.",
    )
    suppress_thinking: Suppress = key(
        choice(_SUPPRESS),
        "auto",
        doc="Whether `thinking` blocks are taken out of whole answers that hold a tool call, which Amp does not expect; streams "
        "keep them.",
        later=True,
    )
    user: dict[str, Any] = key(
        user,
        {},
        doc="What the local control plane tells Amp about its user, such as `id`, `email`, `username` and `features`, over "
        "made-up values.",
    )


def _check(node: Node, amp: Amp) -> None:
    if amp.upstream_url is None:
        if amp.control_plane == "upstream":
            node.note("without an 'upstream_url' the control plane answers 503")
        if amp.browser_pages == "redirect":
            node.note("without an 'upstream_url' there is nowhere to redirect browser pages to")


amp = section(Amp, _check)
