from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from llmux.config import values
from llmux.config.document import compose
from llmux.config.env import Unset
from llmux.config.nodes import Book, Node
from llmux.config.problems import Mistake


class ValueCase(SynchronousTestCase):
    """Reads one value, written as in a file."""

    def node(self, text: str, **environ: str) -> Node:
        node = compose(text, "f.yaml", Book("f.yaml", environ))
        assert node is not None
        return node

    def assert_reads(self, read: Callable[[Node], object], **expected: object) -> None:
        for text, value in expected.items():
            self.assertEqual(read(self.node(text)), value, text)

    def assert_refuses(self, read: Callable[[Node], object], text: str, message: str, **environ: str) -> None:
        mistake = self.assertRaises(Mistake, read, self.node(text, **environ))
        assert mistake.problem is not None
        self.assertEqual(mistake.problem.message, message)


class Scalars(ValueCase):
    def test_booleans_are_strict(self) -> None:
        for text, value in (("true", True), ("no", False), ("On", True)):
            self.assertIs(values.boolean(self.node(text)), value)
        for text, shown in (("'no'", "'no'"), ("1", "1"), ("maybe", "'maybe'"), ("~", "nothing")):
            self.assert_refuses(values.boolean, text, f"must be true or false, not {shown}")
        self.assert_refuses(values.boolean, "[true]", "must be one value, not a list")

    def test_integers_are_strict(self) -> None:
        read = values.integer(0, 10)
        self.assertEqual([read(self.node(text)) for text in ("0", "7", "1_0", "0x0a")], [0, 7, 10, 10])
        for text, shown in (("1.5", "1.5"), ("'1'", "'1'"), ("true", "true"), ("1.0", "1.0")):
            self.assert_refuses(read, text, f"must be a whole number, not {shown}")
        for text in ("-1", "11"):
            self.assert_refuses(read, text, f"must be between 0 and 10, got {text}")
        self.assert_refuses(values.integer(1), "0", "must be at least 1, got 0")

    def test_numbers_are_finite(self) -> None:
        read = values.number(0)
        self.assertEqual([read(self.node(text)) for text in ("0", "1.5", "3")], [0, 1.5, 3])
        for text in (".inf", ".nan"):
            self.assert_refuses(read, text, f"must be at least 0, got {text[1:]}")
        for text in ("9" * 400, "1" + "0" * 309):
            self.assert_refuses(read, text, f"must be at least 0, got {text}")
        endless = "0x" + "f" * 5000
        self.assert_refuses(read, endless, f"'{endless}' is not a number")
        self.assert_refuses(read, "x", "must be a number, not 'x'")
        self.assert_refuses(read, "false", "must be a number, not false")

    def test_text_is_quoted_where_it_looks_like_something_else(self) -> None:
        self.assertEqual(values.text(self.node("' 8 '")), "8")
        self.assertEqual(values.text(self.node("2025-01-01")), "2025-01-01")
        for text, kind in (("8", "a number"), ("1.5", "a number"), ("yes", "true or false")):
            self.assert_refuses(values.text, text, f"must be text, not {kind}; put it in quotes")
        self.assert_refuses(values.text, "{}", "must be text, not a mapping")
        self.assert_refuses(values.text, "~", "must be text, not nothing")
        self.assert_refuses(values.text, "' '", "must not be empty")
        self.assert_refuses(values.text, '"a\\nb"', "must not hold line breaks or control characters")

    def test_what_a_variable_holds_is_read_as_if_it_stood_there(self) -> None:
        self.assertEqual(values.integer(0)(self.node("${N}", N="8")), 8)
        self.assertIs(values.boolean(self.node("${N:-true}")), True)
        self.assertEqual(values.text(self.node("${N}", N="8")), "8")
        self.assertEqual(values.seconds(self.node("${N}", N="8s")), 8)
        self.assert_refuses(values.integer(0), "'${N}'", "must be a whole number, not '${N}'", N="8")
        self.assertRaises(Unset, values.integer(0), self.node("${N}"))

    def test_a_broken_reference_is_a_mistake(self) -> None:
        self.assert_refuses(values.text, "'${'", "'${' is never closed; write '$$' for a dollar sign")

    def test_choices_suggest(self) -> None:
        read = values.choice({"auto": 1, "local": 2, "true": 3})
        self.assertEqual([read(self.node(text)) for text in ("auto", "local", "true", "on")], [1, 2, 3, 3])
        self.assert_refuses(read, "lokal", "must be auto, local or true, not 'lokal', did you mean 'local'?")
        self.assert_refuses(read, "8", "must be auto, local or true, not 8")
        self.assert_refuses(read, "zebra", "must be auto, local or true, not 'zebra'")


class Quantities(ValueCase):
    def test_seconds(self) -> None:
        for text, value in (("30", 30), ("0.5", 0.5), ("500ms", 0.5), ("30s", 30), ("'2 m'", 120), ("1h", 3600), ("1d", 86400)):
            self.assertEqual(values.seconds(self.node(text)), value)
        for text, shown in (("-1", "-1"), ("soon", "'soon'"), ("1y", "'1y'"), ("true", "true"), (".inf", "inf")):
            self.assert_refuses(values.seconds, text, f"must be seconds, or a time such as 500ms, 30s or 2m, not {shown}")

    def test_nobody_means_more_than_ten_years(self) -> None:
        self.assertEqual(values.seconds(self.node("3650d")), 315_360_000)
        for text in ("3651d", "315360001", "9" * 400, "9" * 400 + "d"):
            self.assert_refuses(values.seconds, text, f"must be no more than 3650d, got {text}")
        self.assert_refuses(values.patience, "${T}", "must be no more than 3650d, got ${T}", T="9999999999")

    def test_patience_is_some_time(self) -> None:
        self.assertEqual(values.patience(self.node("1ms")), 0.001)
        self.assert_refuses(values.patience, "0s", "must be more than 0")

    def test_sizes(self) -> None:
        sizes = {"1048576": 2**20, "512k": 512_000, "10MB": 10**7, "32MiB": 2**25, "1.5KiB": 1536, "2g": 2 * 10**9, "7B": 7}
        self.assertEqual([values.size(self.node(text)) for text in sizes], list(sizes.values()))
        for text, shown in (("-1", "-1"), ("32MiBs", "'32MiBs'"), ("big", "'big'")):
            self.assert_refuses(values.size, text, f"must be bytes, or a size such as 512k, 10MB or 32MiB, not {shown}")
        for text in ("0", "0.5"):
            self.assert_refuses(values.size, text, "must be more than 0")
        self.assertEqual(values.size(self.node("1024GiB")), 2**40)
        for text in ("1025GiB", "9" * 400):
            self.assert_refuses(values.size, text, f"must be no more than 1024GiB, got {text}")


class Addresses(ValueCase):
    def test_urls_lose_the_slash_at_their_end(self) -> None:
        for text, value in (
            ("https://a.test/v1/", "https://a.test/v1"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("'http://[::1]:80//'", "http://[::1]:80"),
        ):
            self.assertEqual(values.url(self.node(text)), value)

    def test_what_is_wrong_with_a_url_is_said_without_repeating_it(self) -> None:
        for text, message in (
            ("ftp://s3cr3t", "must begin with http:// or https://"),
            ("a.test/v1", "must begin with http:// or https://"),
            ("http:///v1", "not a URL: it names no host, or holds characters that none may hold"),
            ("'http://a b'", "not a URL: it names no host, or holds characters that none may hold"),
            ("http://ä.test", "not a URL: it names no host, or holds characters that none may hold"),
            ("http://u:s3cr3t@a.test", "must not hold a user name or a password; keys have their own places"),
            ("http://a.test/?key=s3cr3t", "must end with its path, without a query ('?') or a fragment ('#')"),
            ("http://a.test/v1?", "must end with its path, without a query ('?') or a fragment ('#')"),
            ("'http://a.test/v1#x'", "must end with its path, without a query ('?') or a fragment ('#')"),
        ):
            self.assert_refuses(values.url, text, message)
        for text in ("http://a.test:99999", "http://a.test:x", "'http://[::1'"):
            mistake = self.assertRaises(Mistake, values.url, self.node(text))
            self.assertIn("not a URL: ", str(mistake))

    def test_an_address_may_have_a_query(self) -> None:
        self.assertEqual(values.address(self.node("https://a.test/v1/{model}?alt=sse")), "https://a.test/v1/{model}?alt=sse")

    def test_a_blank_one_is_none(self) -> None:
        read = values.blank_or(values.url)
        self.assertEqual([read(self.node(text)) for text in ("''", "${X:-}", "http://a.test")], [None, None, "http://a.test"])


class Headers(ValueCase):
    def test_names_and_values(self) -> None:
        node = self.node("{X-A: b, x_b: '${V}', empty: ''}", V="v")
        self.assertEqual(values.headers(node), (("X-A", "b"), ("x_b", "v"), ("empty", "")))

    def test_every_bad_one_is_told(self) -> None:
        node = self.node("{X-A: b, x-a: c, 'a b': c, l: \"x\\r\\ny: z\", n: 8, v: '${V}'}")
        values.headers(node)
        self.assertEqual(
            [str(problem) for problem in node.book.problems],
            [
                "f.yaml:1:10: x-a: given twice, first in line 1 (as 'X-A')",
                "f.yaml:1:18: a b: 'a b' cannot be the name of a header",
                "f.yaml:1:31: l: must not hold line breaks or control characters",
                "f.yaml:1:47: n: must be text, not a number; put it in quotes",
                "f.yaml:1:53: v: environment variable V is not set; set it, or write ${V:-default}",
            ],
        )


class Expressions(ValueCase):
    def test_they_must_compile(self) -> None:
        self.assertEqual(values.regex(self.node("'^gpt-.*'")), "^gpt-.*")
        self.assert_refuses(values.regex, "'('", "not a regular expression: missing ), unterminated subpattern at position 0")


class Anything(ValueCase):
    def test_it_stays_as_it_is(self) -> None:
        node = self.node("{a-b: [1, 1.5, yes, ~, x, '8'], c_d: {e: '${V}'}}", V="v")
        self.assertEqual(values.anything(node), {"a-b": [1, 1.5, True, None, "x", "8"], "c_d": {"e": "v"}})
