"""The names of an exchange's tools, and the raw input of custom tools inside JSON.

Dialects differ in which names they allow, and only some know namespaces and custom tools. What the provider cannot say gets an
alias, always the same for the same request, and the book knows the way back.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import attrs
import msgspec

from llmux import jsonio
from llmux.dialects.neutral import CallKind, Item, Tool, ToolCall
from llmux.dialects.notes import Notes

# A custom tool becomes a function with this one parameter.
CUSTOM_PARAMETER = "input"


@attrs.frozen
class NameRule:
    """Which tool names a dialect allows, and whether it knows custom tools and namespaces."""

    pattern: re.Pattern[str]
    longest: int
    customs: bool = False
    namespaces: bool = False

    def allows(self, name: str) -> bool:
        """Whether a name may stand as it is."""
        return len(name) <= self.longest and self.pattern.fullmatch(name) is not None


@attrs.frozen
class Original:
    """A tool as the client named it. `wrapped`: a custom tool that the provider takes for a function."""

    name: str
    namespace: str = ""
    kind: CallKind = "function"
    wrapped: bool = False


class Book:
    """The names of one exchange. Names that are legal keep their own; the others share what is left, in the client's order."""

    def __init__(self, rule: NameRule | None = None, tools: Iterable[Tool] = (), items: Iterable[Item] = ()) -> None:
        self._rule = rule
        self._aliases: dict[tuple[str, str], str] = {}
        self._originals: dict[tuple[str, str], Original] = {}
        if rule is None:
            return
        kinds: dict[tuple[str, str], CallKind] = {}
        for tool in tools:
            if tool.kind != "hosted":
                kinds.setdefault((tool.name, tool.namespace), tool.kind)
        for item in items:
            if type(item) is ToolCall:
                kinds.setdefault((item.name, item.namespace), item.kind)
        if not kinds:
            return
        for needs_alias in (False, True):
            for (name, namespace), kind in kinds.items():
                plain = rule.allows(name) and (rule.namespaces or not namespace)
                if plain is not needs_alias:
                    self._enter(rule, name, namespace, kind)

    def alias(self, name: str, namespace: str = "") -> str:
        """What the provider calls a tool."""
        return self._aliases.get((name, namespace), name)

    def chosen(self, name: str) -> str:
        """What the provider calls a tool that a choice names: the one outside of all namespaces, if there is one."""
        plain = self._aliases.get((name, ""))
        return plain or next((alias for (each, _), alias in self._aliases.items() if each == name), name)

    def renamed(self, name: str, namespace: str = "") -> bool:
        """Whether the provider calls it otherwise."""
        return self._aliases.get((name, namespace), name) != name

    def original(self, alias: str, namespace: str = "") -> Original | None:
        """What the client calls a tool that the provider calls so; None: it never offered one of this name."""
        return self._originals.get((alias, namespace))

    def _enter(self, rule: NameRule, name: str, namespace: str, kind: CallKind) -> None:
        full = f"{namespace}__{name}" if namespace and not rule.namespaces else name
        told = namespace if rule.namespaces else ""
        alias = full
        if not rule.allows(full) or (full, told) in self._originals:
            # The digest keeps apart what looks the same once it is cleaned.
            digest = hashlib.sha256(f"{namespace}\0{name}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
            cleaned = re.sub(r"[^A-Za-z0-9_-]", "_", full)
            if not rule.allows(cleaned[:1]):
                cleaned = f"_{cleaned}"
            alias = f"{cleaned[: rule.longest - 9]}_{digest}"
        self._aliases[name, namespace] = alias
        self._originals[alias, told] = Original(name, namespace, kind, kind == "custom" and not rule.customs)


# Nothing was offered, and nothing is renamed.
NO_TOOLS = Book()


def as_function(tool: Tool, notes: Notes) -> Tool:
    """A custom tool as a function of one parameter. The grammar of its input is told in words: there is no other place for it."""
    notes.approximate(tool.at, f"free text travels in one parameter, {CUSTOM_PARAMETER}")
    told = [tool.description] if tool.description else []
    grammar = tool.grammar
    if grammar is not None and grammar.get("type") not in (None, "text"):
        inner = grammar.get("grammar")  # Chat Completions has one object more
        form = inner if isinstance(inner, dict) else grammar
        told.append(f"The {CUSTOM_PARAMETER} must match this {form.get('syntax', '')} grammar:\n{form.get('definition', '')}")
    schema = {"type": "object", "properties": {CUSTOM_PARAMETER: {"type": "string"}}, "required": [CUSTOM_PARAMETER]}
    description = "\n\n".join(told) if told else tool.description
    return msgspec.structs.replace(tool, kind="function", description=description, schema=schema, grammar=None)


def wrap_input(text: str) -> str:
    """A custom tool's raw input as the arguments of a function."""
    return jsonio.dumps({CUSTOM_PARAMETER: text}).decode()


def unwrap_input(args_text: str) -> str | None:
    """The raw input in a function's arguments; None: they hold none."""
    try:
        args = jsonio.loads(args_text.encode("utf-8", "surrogatepass"))
    except ValueError:
        return None
    value = args.get(CUSTOM_PARAMETER) if isinstance(args, dict) else None
    return value if isinstance(value, str) else None


_OPENING = re.compile(rf'\s*\{{\s*"{CUSTOM_PARAMETER}"\s*:\s*"')
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "\\": "\\", "/": "/"}
_PLAIN = re.compile(r'[^"\\]+')
_UNIT = re.compile(r"\\u([0-9a-fA-F]{4})")


class Unwrapper:
    """Reads `{"input": "..."}` as it arrives and gives the raw text. Fragments may end anywhere, inside an escape too."""

    __slots__ = ("_inside", "_over", "_rest")

    def __init__(self) -> None:
        self._rest = ""
        self._inside = False
        self._over = False

    def feed(self, fragment: str) -> str:
        """Take the next fragment; return the raw text that is certain by now."""
        if self._over:
            return ""
        self._rest += fragment
        if not self._inside:
            opening = _OPENING.match(self._rest)
            if opening is None:
                return ""
            self._inside = True
            self._rest = self._rest[opening.end() :]
        said: list[str] = []
        at, rest = 0, self._rest
        while at < len(rest):
            char = rest[at]
            if char == '"':
                self._over = True
                break
            if char != "\\":
                run = _PLAIN.match(rest, at)
                assert run is not None, "neither a quote nor a backslash stands here"
                said.append(run[0])
                at = run.end()
                continue
            if at + 1 >= len(rest):
                break
            if rest[at + 1] != "u":
                said.append(_ESCAPES.get(rest[at + 1], rest[at + 1]))
                at += 2
                continue
            unit = _UNIT.match(rest, at)
            if unit is None:
                break
            code = int(unit[1], 16)
            if 0xD800 <= code < 0xDC00:
                if at + 12 > len(rest) and rest[at + 6 : at + 8] in ("", "\\", "\\u"):
                    break  # the other half of the pair may follow
                low = _UNIT.match(rest, at + 6)
                if low is not None and 0xDC00 <= int(low[1], 16) < 0xE000:
                    code = 0x10000 + ((code - 0xD800) << 10) + (int(low[1], 16) - 0xDC00)
                    at += 6
                elif low is None and len(rest) < at + 12 and rest.startswith("\\u", at + 6):
                    break
            said.append(chr(code))
            at += 6
        self._rest = rest[at:]
        return "".join(said)
