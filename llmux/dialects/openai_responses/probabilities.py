"""How likely the tokens of a text were."""

from __future__ import annotations

from typing import Any

from llmux.dialects.neutral import TokenProbability


def read(nodes: object) -> tuple[TokenProbability, ...]:
    """The probabilities of tokens. Bytes that are those of the token say nothing new, and deltas do not tell them."""
    if not isinstance(nodes, list):
        return ()
    return tuple(_probability(node) for node in nodes if isinstance(node, dict))


def _probability(node: dict[str, Any]) -> TokenProbability:
    token, logprob, told = _text(node.get("token")), node.get("logprob"), node.get("bytes")
    raw = tuple(told) if isinstance(told, list) and told != _bytes(token) else None
    number = logprob if isinstance(logprob, int | float) else 0.0
    return TokenProbability(token, number, raw, read(node.get("top_logprobs")))


def write(tokens: tuple[TokenProbability, ...], *, whole: bool) -> list[dict[str, Any]]:
    """The probabilities, with the bytes that a `whole` part must have and an event must not."""
    return [{**_one(token, whole), "top_logprobs": [_one(top, whole) for top in token.top]} for token in tokens]


def _one(token: TokenProbability, whole: bool) -> dict[str, Any]:
    node: dict[str, Any] = {"token": token.token, "logprob": token.logprob}
    if whole:
        node["bytes"] = _bytes(token.token) if token.raw_bytes is None else list(token.raw_bytes)
    return node


def _bytes(token: str) -> list[int]:
    return list(token.encode("utf-8", "surrogatepass"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
