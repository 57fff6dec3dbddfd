"""From plain text with a little markup to a manual page in man(7).

A page is written in blocks, with an empty line between two of them:

    # SECTION             ## subsection
    A paragraph, with `what is typed` and *what stands for something*. Two spaces at the end of a line break it.
    `term`
    : what it means, a paragraph

and what is indented by four spaces is shown as it is.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

# Characters that roff would take for something else, or print as their typographic cousins.
_ESCAPES = {"\\": r"\e", "`": r"\(ga", "'": r"\(aq", "^": r"\(ha", "~": r"\(ti", '"': r"\(dq"}
_LITERAL = _ESCAPES | {"-": r"\-"}

_INLINE = re.compile(r"`(?P<typed>[^`]+)`|\*(?P<named>[^*\s][^*]*)\*")
_WIDTH = 78


def page(name: str, section: int, date: str, version: str, title: str, text: str) -> str:
    """The page. `date` is that of the last change; `title` stands in the middle of its head."""
    lines = [f'.TH {name.upper()} {section} "{date}" "llmux {version}" "{title}"', ".nh", ".ad l", ".ss 12 0"]
    for line in (line for block in _blocks(text) for line in _block(block)):
        if line != ".PP" or not lines[-1].startswith((".SH", ".SS")):  # a heading begins a paragraph by itself
            lines.append(line)
    return "\n".join([*lines, ""])


def _blocks(text: str) -> Iterator[str]:
    """What stands between empty lines; those within what is shown as it is do not count."""
    shown: list[str] = []
    for block in re.split(r"\n{2,}", text.strip("\n")):
        if block.startswith("    "):
            shown.append(block)
            continue
        if shown:
            yield "\n\n".join(shown)
            shown = []
        yield block
    if shown:
        yield "\n\n".join(shown)


def _block(block: str) -> Iterator[str]:
    first, _, rest = block.partition("\n")
    if block.startswith("    "):
        yield from (".PP", ".RS 4", ".EX")
        yield from (_guarded(_escaped(line, _LITERAL)) for line in textwrap.dedent(block).split("\n"))
        yield from (".EE", ".RE")
    elif first.startswith("#"):
        yield f"{'.SS' if first.startswith('##') else '.SH'} {_inline(first.lstrip('# '))}"
    elif rest.startswith(": "):
        yield from (".TP", _guarded(_inline(first)))
        yield from _paragraph(rest.removeprefix(": "))
    else:
        yield ".PP"
        yield from _paragraph(block)


def _paragraph(text: str) -> Iterator[str]:
    for number, part in enumerate(re.split(r"  +\n", text)):
        if number:
            yield ".br"
        words = _inline(" ".join(part.split()))
        yield from map(_guarded, textwrap.wrap(words, _WIDTH, break_long_words=False, break_on_hyphens=False))


def _inline(text: str) -> str:
    """With its markup; both ends of what is marked are in the font around it."""
    parts: list[str] = []
    at = 0
    for found in _INLINE.finditer(text):
        parts.append(_prose(text[at : found.start()]))
        if found["typed"]:
            parts.append(rf"\fB{_escaped(found['typed'], _LITERAL)}\fR")
        else:
            parts.append(rf"\fI{_prose(found['named'])}\fR")
        at = found.end()
    return "".join([*parts, _prose(text[at:])])


def _prose(text: str) -> str:
    """A hyphen stays one, but for a dash between words."""
    return _escaped(text, _ESCAPES).replace(" - ", r" \- ")


def _escaped(text: str, escapes: dict[str, str]) -> str:
    return "".join(escapes.get(character, character) for character in text)


def _guarded(line: str) -> str:
    """A line that begins like a request is none."""
    return rf"\&{line}" if line.startswith((".", "'")) else line
