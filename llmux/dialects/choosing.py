"""Which tools may be used, where APIs differ in what they choose among.

Responses and Anthropic choose among all tools. For Chat Completions and Gemini the choice is among functions, and the provider's
own tools may be used whatever it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

import msgspec

from llmux.dialects.neutral import Request, Tool, ToolKind, ToolPolicy
from llmux.dialects.notes import Notes

_SUBSETS = ("subset_auto", "subset_required")
# Modes that rule out some of the provider's own tools, or all.
_CONFINED = (*_SUBSETS, "none")
# Modes in which something has to be called, whatever it is.
_OBLIGED = ("required", "subset_required")
_NARROW = (*_CONFINED, "required")


def beside(policy: ToolPolicy, tools: Iterable[Tool]) -> ToolPolicy:
    """A choice among functions as one among all tools: the provider's own may be used as well."""
    if policy.mode not in _CONFINED:
        return policy
    own = tuple(tool.name for tool in tools if tool.kind == "hosted")
    if not own:
        return policy
    kinds: list[ToolKind] = [*(kind for _, kind in policy.named), *cast("list[ToolKind]", ["hosted"] * len(own))]
    mode = "subset_auto" if policy.mode == "none" else policy.mode
    return msgspec.structs.replace(policy, mode=mode, names=(*policy.names, *own), kinds=tuple(kinds))


def among_functions(request: Request, notes: Notes) -> Request:
    """A choice among all tools as one among functions: what may not be used of the provider's own is not offered."""
    policy = request.policy
    if policy.mode not in _NARROW:
        return request
    confined = policy.mode in _CONFINED
    barred = [tool for tool in request.tools if confined and tool.kind == "hosted" and tool.name not in policy.names]
    for tool in barred:
        notes.approximate(tool.at, "it may not be used, and so it is not offered")
    tools = tuple(tool for tool in request.tools if tool not in barred)
    if policy.mode in _OBLIGED and any(tool.kind == "hosted" for tool in tools):
        notes.approximate(request.where.get("policy", ""), "a function has to be called: the provider's own tools do not count")
    return msgspec.structs.replace(request, tools=tools, policy=_narrowed(policy, lambda _, kind: kind != "hosted"))


def without(request: Request, gone: Iterable[Tool]) -> Request:
    """The request without some tools of another provider's own, nor a choice of them."""
    names = {tool.name for tool in gone}
    if not names:
        return request
    tools = tuple(tool for tool in request.tools if tool.kind != "hosted" or tool.name not in names)
    policy = _narrowed(request.policy, lambda name, kind: kind != "hosted" or name not in names)
    return msgspec.structs.replace(request, tools=tools, policy=policy)


def _narrowed(policy: ToolPolicy, stays: Callable[[str, ToolKind], bool]) -> ToolPolicy:
    """The choice with some of its names. Where none is left, nothing may be called, or what has to be is the provider's own."""
    if policy.mode not in _SUBSETS:
        return policy
    left = [(name, kind) for name, kind in policy.named if stays(name, kind)]
    if not left:
        mode = "none" if policy.mode == "subset_auto" else "hosted"
        return msgspec.structs.replace(policy, mode=mode, names=(), kinds=())
    names, kinds = zip(*left, strict=True)
    return msgspec.structs.replace(policy, names=names, kinds=kinds)
