"""Conversations as people read them: Markdown for `amp threads markdown` and Amp's own read_thread, text for a search."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from llmux.amp.account import iso
from llmux.amp.threads import Thread, blocks, messages

_HEADINGS = {"user": "## User", "assistant": "## Assistant", "info": "## Info"}

_KEPT_OF_A_RESULT = 2000  # characters of a tool's result when the caller wants them short
_SNIPPET = 80  # characters around the place found


def markdown(thread: Thread, short: bool = False) -> str:
    """The conversation as Markdown with a front matter. Thinking is left out; `short` cuts long tool results."""
    title = " ".join(str(thread.entry["title"] or "").split())
    head = [f"title: {title}"] if title else []
    head += [f"threadId: {thread.id}", f"created: {iso(float(thread.entry['created']) / 1000)}"]
    parts = ["\n".join(["---", *head, "---"])]
    if title:
        parts.append(f"# {title}")
    for message in messages(thread.load()):
        heading = _HEADINGS.get(str(message.get("role")))
        if heading:
            parts.append(heading)
            parts += [text for block in blocks(message) if (text := _block(block, short))]
    return "\n\n".join(parts) + "\n"


def found_text(thread: Thread, terms: list[str]) -> str | None:
    """The text around the first term, if title and conversation hold every term (upper and lower case alike); else None."""
    raw = thread.document.lower()
    if any(term.isascii() and term.isalnum() and term.lower().encode() not in raw for term in terms):
        return None  # spares parsing what cannot match
    text = "\n".join([str(thread.entry["title"] or ""), *_texts(thread.load())])
    folded = text.lower()
    places = [folded.find(term.lower()) for term in terms]
    if any(place < 0 for place in places):
        return None
    place = places[0] if places else 0
    return " ".join(text[max(0, place - _SNIPPET) : place + _SNIPPET].split())


def _texts(document: dict[str, Any]) -> Iterator[str]:
    for message in messages(document):
        for block in blocks(message):
            if isinstance(text := block.get("text"), str):
                yield text


def _block(block: dict[str, Any], short: bool) -> str:
    match block.get("type"):
        case "text":
            return str(block.get("text", ""))
        case "tool_use":
            return f"**Tool Use:** `{block.get('name', '')}`\n\n{_fenced(block.get('input'), short=False)}"
        case "tool_result":
            run = block.get("run")
            result = (run.get("result") or run.get("error")) if isinstance(run, dict) else block.get("content")
            return f"**Tool Result:** `{block.get('toolUseID', '')}`\n\n{_fenced(result, short)}"
        case "image":
            return "*(image)*"
        case _:
            return ""


def _fenced(value: object, short: bool) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    if short and len(text) > _KEPT_OF_A_RESULT:
        text = text[:_KEPT_OF_A_RESULT] + f"\n[… {len(text) - _KEPT_OF_A_RESULT} characters left out]"
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}\n{text}\n{fence}"
