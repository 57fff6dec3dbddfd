import attrs
from twisted.trial.unittest import SynchronousTestCase

from llmux.config.document import compose
from llmux.config.nodes import Book, Node
from llmux.config.problems import Mark, Mistake
from llmux.config.reader import attempt, each, key, required, section, some, table
from llmux.config.values import boolean, integer, text


@attrs.frozen(kw_only=True)
class Inner:
    flag: bool = key(boolean, False)
    name: str = required(text)
    where: Mark


@attrs.frozen(kw_only=True)
class Outer:
    count: int = key(integer(0), 1)
    two_words: int = key(integer(0), 2, "two_words", "old_words")
    inner: Inner | None = key(section(Inner), None)
    many: tuple[Inner, ...] = key(each(section(Inner)), (), later=True)
    free: tuple[tuple[str, int], ...] = key(table(integer(0)), ())
    password: str | None = key(text, None, secret=True)


class Sections(SynchronousTestCase):
    def setUp(self) -> None:
        self.book = Book("f.yaml", {})

    def node(self, text: str) -> Node:
        node = compose(text, "f.yaml", self.book)
        assert node is not None
        return node

    def outer(self, text: str) -> Outer | None:
        return attempt(section(Outer), self.node(text), None)

    def told(self) -> list[str]:
        return [str(problem).removeprefix("f.yaml:") for problem in self.book.problems]

    def test_what_is_absent_or_empty_is_the_default(self) -> None:
        self.assertEqual(self.outer("{count: , inner: ~}"), Outer())
        self.assertEqual(self.told(), [])

    def test_values_land_in_their_fields(self) -> None:
        outer = self.outer("{old-words: 8, inner: {name: a}, many: {name: b}, free: {a-b: 1, a_b: 2}}")
        assert outer is not None and outer.inner is not None
        self.assertEqual((outer.count, outer.two_words, outer.inner.name), (1, 8, "a"))
        self.assertEqual(outer.inner.where, Mark("f.yaml", 1, 23))
        self.assertEqual([inner.name for inner in outer.many], ["b"])
        self.assertEqual(outer.free, (("a-b", 1), ("a_b", 2)))

    def test_a_secret_is_not_printed(self) -> None:
        self.assertNotIn("s3cr3t", repr(self.outer("password: s3cr3t")))

    def test_a_wrong_value_is_noted_and_the_rest_is_read(self) -> None:
        outer = self.outer("{count: x, two_words: 5, tow_words: 6, zebra: 7}")
        self.assertEqual(outer, Outer(two_words=5))
        self.assertEqual(
            self.told(),
            [
                "1:26: tow_words: unknown key, did you mean 'two_words'?",
                "1:40: zebra: unknown key",
                "1:9: count: must be a whole number, not 'x'",
            ],
        )

    def test_a_section_without_what_it_needs_is_none(self) -> None:
        outer = self.outer("{inner: {flag: 1}, many: [{name: a}, {name: 1}, {}, 5]}")
        assert outer is not None
        self.assertIsNone(outer.inner)
        self.assertEqual([inner.name for inner in outer.many], ["a"])
        self.assertEqual(
            self.told(),
            [
                "1:16: inner.flag: must be true or false, not 1",
                "1:9: inner: needs the key 'name'",
                "1:45: many[1].name: must be text, not a number; put it in quotes",
                "1:49: many[2]: needs the key 'name'",
                "1:53: many[3]: must be a mapping, not a number",
            ],
        )

    def test_what_is_not_built_yet_is_said_once(self) -> None:
        read = section(Outer)
        node = self.node("[{many: [{name: a}]}, {many: [{name: b}]}, {count: 1}]")
        for item in node.items():
            attempt(read, item, None)
        self.assertEqual([str(notice) for notice in self.book.notices], ["f.yaml:1:9: [0].many: understood, has no effect yet"])

    def test_a_list_of_one_needs_no_brackets_and_may_have_to_be_there(self) -> None:
        self.assertEqual(each(text)(self.node("a")), ("a",))
        self.assertEqual(each(text)(self.node("~")), ())
        self.assertEqual(some(text)(self.node("[a, b]")), ("a", "b"))
        for empty in ("[]", "~"):
            mistake = self.assertRaises(Mistake, some(text), self.node(empty))
            self.assertEqual(str(mistake), "f.yaml:1:1: must not be empty")
