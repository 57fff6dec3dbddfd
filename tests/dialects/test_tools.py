from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import TestCase

from llmux.dialects.neutral import Tool, ToolCall
from llmux.dialects.tools import Book, NameRule, Original, Unwrapper, unwrap_input, wrap_input

RULE = NameRule(re.compile(r"[A-Za-z0-9_-]+"), 64)
ALL = NameRule(re.compile(r"[A-Za-z0-9_-]+"), 64, customs=True, namespaces=True)


class BookTests(TestCase):
    """Names that a provider does not allow, and the way back."""

    def test_legal_names_stay(self) -> None:
        book = Book(RULE, [Tool("read"), Tool("write")])
        self.assertEqual((book.alias("read"), book.renamed("read")), ("read", False))
        self.assertEqual(book.original("read"), Original("read"))
        self.assertIsNone(book.original("unknown"))
        self.assertEqual(book.alias("unknown"), "unknown")

    def test_long_and_dotted_names(self) -> None:
        for name in ("n" * 70, "files.read", "日本", "9:x"):
            book = Book(RULE, [Tool(name)])
            alias = book.alias(name)
            self.assertTrue(RULE.allows(alias), alias)
            self.assertTrue(book.renamed(name))
            self.assertEqual(book.original(alias), Original(name))
            self.assertEqual(alias, Book(RULE, [Tool("other"), Tool(name)]).alias(name), "always the same")

    def test_collisions(self) -> None:
        names = ["a.b", "a:b", "a_b", "x" * 65, "x" * 66]
        book = Book(RULE, [Tool(name) for name in names])
        aliases = [book.alias(name) for name in names]
        self.assertEqual(len(set(aliases)), len(names))
        self.assertEqual(aliases[2], "a_b", "a legal name is nobody else's")
        self.assertEqual([getattr(book.original(alias), "name", None) for alias in aliases], names)

    def test_namespaces(self) -> None:
        tools = [Tool("read", namespace="files"), Tool("read", namespace="mail"), Tool("read"), Tool("files__read")]
        book = Book(RULE, tools)
        self.assertEqual(book.alias("read", "mail"), "mail__read")
        self.assertEqual(book.alias("files__read"), "files__read")
        self.assertNotEqual(book.alias("read", "files"), "files__read", "it is somebody else's")
        self.assertEqual(book.original("mail__read"), Original("read", "mail"))
        self.assertEqual(book.chosen("read"), "read")
        self.assertEqual(Book(RULE, tools[1:2]).chosen("read"), "mail__read")
        self.assertEqual(Book(RULE, tools).chosen("write"), "write")
        native = Book(ALL, tools)
        self.assertEqual(native.alias("read", "mail"), "read")
        self.assertEqual(native.original("read", "mail"), Original("read", "mail"))
        self.assertEqual(native.original("read"), Original("read"))

    def test_customs_and_history(self) -> None:
        call = ToolCall("c", "gone.tool", "x", kind="custom")
        book = Book(RULE, [Tool("apply_patch", "custom")], [call])
        self.assertEqual(book.original("apply_patch"), Original("apply_patch", kind="custom", wrapped=True))
        self.assertEqual(book.original(book.alias("gone.tool")), Original("gone.tool", kind="custom", wrapped=True))
        self.assertEqual(Book(ALL, [Tool("p", "custom")]).original("p"), Original("p", kind="custom"))


class UnwrapTests(TestCase):
    """A custom tool's raw input inside a function's arguments."""

    def test_escapes_cut_anywhere(self) -> None:
        raw = 'a\n"b"\\c\t\u2028 é漢😀 \b\f/'
        for text in (json.dumps({"input": raw}), json.dumps({"input": raw}, ensure_ascii=False), wrap_input(raw)):
            unwrapper = Unwrapper()
            self.assertEqual("".join(map(unwrapper.feed, text)), raw)
            self.assertEqual(Unwrapper().feed(text), raw)
            self.assertEqual(unwrap_input(text), raw)

    def test_pairs_are_joined_and_lone_halves_kept(self) -> None:
        self.assertEqual("".join(map(Unwrapper().feed, r'{"input": "\ud83d\ude00"}')), "😀")
        for text in (r'{"input":"\ud83dx"}', r'{"input":"\ud83d\n"}', r'{"input":"\ud83d\u0041"}', r'{"input":"\ude00"}'):
            self.assertEqual("".join(map(Unwrapper().feed, text)), json.loads(text)["input"], text)

    def test_other_forms(self) -> None:
        self.assertEqual(Unwrapper().feed('{"patch": "x"}'), "")
        for text in ("", "[]", '{"patch":"x"}', '{"input":1}', "{"):
            self.assertIsNone(unwrap_input(text))

    @given(st.text(), st.integers(1, 9))
    def test_any_text_in_pieces(self, raw: str, size: int) -> None:
        for text in (wrap_input(raw), json.dumps({"input": raw})):
            unwrapper = Unwrapper()
            pieces = [text[at : at + size] for at in range(0, len(text), size)]
            self.assertEqual("".join(map(unwrapper.feed, pieces)), raw)
