"""Log probabilities of tokens: the chosen ones in one list, the likeliest of each step in another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llmux.dialects.gemini.spelling import Node
from llmux.dialects.neutral import TokenProbability


def read(result: object) -> tuple[TokenProbability, ...]:
    """The tokens of a `logprobsResult`; none where it cannot be read."""
    if not isinstance(result, dict):
        return ()
    node = Node(result, "")
    chosen, tops = node.get("chosenCandidates"), node.get("topCandidates")
    tops = tops if isinstance(tops, list) else []
    found = []
    for index, each in enumerate(chosen if isinstance(chosen, list) else ()):
        top = tops[index].get("candidates") if index < len(tops) and isinstance(tops[index], dict) else None
        token = _token(each, tuple(filter(None, map(_token, top if isinstance(top, list) else ()))))
        if token is not None:
            found.append(token)
    return tuple(found)


def write(tokens: Iterable[TokenProbability]) -> dict[str, Any]:
    """The `logprobsResult` of some tokens."""
    tokens = list(tokens)
    result: dict[str, Any] = {"chosenCandidates": [_candidate(each) for each in tokens]}
    if any(each.top for each in tokens):
        result["topCandidates"] = [{"candidates": [_candidate(top) for top in each.top]} for each in tokens]
    return result


def _token(raw: object, top: tuple[TokenProbability, ...] = ()) -> TokenProbability | None:
    if not isinstance(raw, dict):
        return None
    node = Node(raw, "")
    token, logprob = node.get("token"), node.get("logProbability")
    if not isinstance(token, str):
        return None
    said = logprob if isinstance(logprob, int | float) else 0.0
    return TokenProbability(token, said, tuple(token.encode("utf-8", "surrogatepass")), top)


def _candidate(token: TokenProbability) -> dict[str, Any]:
    return {"token": token.token, "logProbability": token.logprob}
