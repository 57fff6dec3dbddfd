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
        doc="The server that answers Amp's requests for models that no provider here serves; its answers cost credits there. "
        "Without it, such requests are refused.",
        example="https://ampcode.com",
    )
    upstream_api_key: str | None = key(
        optional_secret,
        None,
        doc="The key that the upstream is shown in place of the client's. Without it, the one in the environment variable "
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
        doc="Who answers Amp's requests that are not for models, such as those for its user and threads: `local` (llmux itself, "
        "no account needed) or `upstream`. `auto` means `upstream` if there is an `upstream_url`, else `local`.",
    )
    browser_pages: BrowserPages = key(
        choice(_PAGES),
        "proxy",
        doc="What happens to Amp's pages for browsers: they are fetched from the upstream (`proxy`), or the browser is sent "
        "there (`redirect`).",
    )
    restrict_management_to_localhost: bool = key(
        boolean, False, doc="Whether Amp's own routes, other than those for models, are closed to other hosts."
    )
    model_mappings: tuple[Mapping, ...] = key(
        each(mapping),
        (),
        doc="Other models to use in place of those asked for, where no provider serves them. Exact names win over regular "
        "expressions, which are tried in the order of the file.",
    )
    prioritize_model_mappings: bool = key(
        boolean,
        False,
        "prioritize_model_mappings",
        "force_model_mappings",
        doc="Whether mappings are looked at before the providers that serve the requested model itself.",
    )
    suppress_thinking: Suppress = key(
        choice(_SUPPRESS),
        "auto",
        doc="Whether `thinking` blocks are removed from complete (not streamed) answers that hold a tool call, which Amp does "
        "not expect.",
        later=True,
    )
    user: dict[str, Any] = key(
        user,
        {},
        doc="What the local control plane tells Amp about its user, such as `id`, `email`, `username` and `features`, in place "
        "of invented values.",
    )


def _check(node: Node, amp: Amp) -> None:
    if amp.upstream_url is None:
        if amp.control_plane == "upstream":
            node.note("without an 'upstream_url' the control plane answers 503")
        if amp.browser_pages == "redirect":
            node.note("without an 'upstream_url' there is nowhere to redirect browser pages to")


amp = section(Amp, _check)
