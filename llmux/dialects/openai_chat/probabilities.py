"""Log probabilities of tokens, as Chat Completions and the legacy completions tell them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmux.dialects.neutral import TokenProbability


def read(logprobs: object) -> tuple[TokenProbability, ...]:
    """Those of a choice's content. What is no token of this API is left out."""
    listed = logprobs.get("content") if isinstance(logprobs, dict) else None
    return _tokens(listed)


def _tokens(listed: object) -> tuple[TokenProbability, ...]:
    if not isinstance(listed, list):
        return ()
    return tuple(_token(node) for node in listed if _readable(node))


def _readable(node: object) -> bool:
    return isinstance(node, dict) and isinstance(node.get("token"), str) and isinstance(node.get("logprob"), int | float)


def _token(node: dict[str, Any]) -> TokenProbability:
    raw = node.get("bytes")
    raw_bytes = tuple(raw) if isinstance(raw, list) and all(isinstance(each, int) for each in raw) else None
    return TokenProbability(node["token"], node["logprob"], raw_bytes, _tokens(node.get("top_logprobs")))


def write(tokens: Iterable[TokenProbability]) -> list[dict[str, Any]]:
    """Tokens, each with its likeliest rivals."""
    return [{**_written(token), "top_logprobs": [_written(rival) for rival in token.top]} for token in tokens]


def _written(token: TokenProbability) -> dict[str, Any]:
    raw = token.token.encode("utf-8", "replace") if token.raw_bytes is None else token.raw_bytes
    return {"token": token.token, "bytes": list(raw), "logprob": token.logprob}


def write_legacy(tokens: Iterable[TokenProbability], offset: int = 0) -> dict[str, Any]:
    """As the legacy completions have them: lists side by side. `offset` is where the first token stands in the text."""
    listed = list(tokens)
    offsets = []
    for token in listed:
        offsets.append(offset)
        offset += len(token.token)
    return {
        "tokens": [token.token for token in listed],
        "token_logprobs": [token.logprob for token in listed],
        "top_logprobs": [{rival.token: rival.logprob for rival in token.top} for token in listed],
        "text_offset": offsets,
    }
