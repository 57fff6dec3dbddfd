"""Counted tokens. This API counts thoughts beside the candidates' tokens, and what its own tools brought beside the prompt."""

from __future__ import annotations

from typing import Any

from llmux.dialects.gemini.spelling import Node
from llmux.dialects.neutral import Usage

# member -> how its modalities are called
_DETAILS = (("promptTokensDetails", "in_"), ("candidatesTokensDetails", "out_"), ("cacheTokensDetails", "cached_"))
_TIERS = {
    "ON_DEMAND": "standard",
    "ON_DEMAND_PRIORITY": "priority",
    "ON_DEMAND_FLEX": "flex",
    "PROVISIONED_THROUGHPUT": "scale",
}


def read(raw: dict[str, Any]) -> Usage:
    """Inclusive counts. What is not said counts as none, but for candidates, whose tokens may be left to be reckoned."""
    node = Node(raw, "")
    prompt, tool = _count(node, "promptTokenCount"), _count(node, "toolUsePromptTokenCount")
    thoughts = _count(node, "thoughtsTokenCount")
    said = _count(node, "candidatesTokenCount")
    if not said:
        said = max(_count(node, "totalTokenCount") - prompt - tool - thoughts, 0)
    tier = _TIERS.get(node.get("trafficType")) or node.get("serviceTier")
    return Usage(
        in_total=prompt + tool,
        in_cached=_count(node, "cachedContentTokenCount"),
        out_total=said + thoughts,
        out_reasoning=thoughts,
        in_tool=tool,
        modalities=tuple(_modalities(node)),
        tier=tier if isinstance(tier, str) else None,
    )


def write(tokens: Usage) -> dict[str, Any]:
    """The `usageMetadata` object."""
    prompt = tokens.in_total - tokens.in_tool
    usage: dict[str, Any] = {"promptTokenCount": prompt, "cachedContentTokenCount": tokens.in_cached}
    if tokens.in_tool:
        usage["toolUsePromptTokenCount"] = tokens.in_tool
    usage["candidatesTokenCount"] = max(tokens.out_total - tokens.out_reasoning, 0)
    usage["thoughtsTokenCount"] = tokens.out_reasoning
    usage["totalTokenCount"] = tokens.in_total + tokens.out_total
    for name, prefix in _DETAILS:
        counts = [(kind.removeprefix(prefix), count) for kind, count in tokens.modalities if kind.startswith(prefix)]
        told = [{"modality": kind.upper(), "tokenCount": count} for kind, count in counts if kind.upper() in _MODALITIES]
        if told:
            usage[name] = told
    return usage


_MODALITIES = ("TEXT", "IMAGE", "VIDEO", "AUDIO", "DOCUMENT")


def _modalities(node: Node) -> list[tuple[str, int]]:
    found = []
    for name, prefix in _DETAILS:
        details = node.get(name)
        for detail in details if isinstance(details, list) else ():
            if isinstance(detail, dict):
                each = Node(detail, "")
                kind, count = each.get("modality"), _count(each, "tokenCount")
                if isinstance(kind, str) and count:
                    found.append((f"{prefix}{kind.lower()}", count))
    return found


def _count(node: Node, name: str) -> int:
    value = node.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
