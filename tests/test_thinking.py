"""The thinking suffix."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from llmux.thinking import join_suffix, split_suffix


class SuffixTests(SynchronousTestCase):
    """The last parenthesis, where it closes the name."""

    def test_split(self) -> None:
        """The grammar."""
        rows: list[tuple[str, tuple[str, str | None]]] = [
            ("m", ("m", None)),
            ("m(high)", ("m", "high")),
            ("m(8192)", ("m", "8192")),
            ("a(b)(c)", ("a(b)", "c")),
            ("m()", ("m", "")),
            ("m(a", ("m(a", None)),
            ("m)a(", ("m)a(", None)),
            ("m( x )", ("m", " x ")),
            ("(x)", ("(x)", None)),
            ("", ("", None)),
        ]
        for name, expected in rows:
            self.assertEqual(split_suffix(name), expected)

    def test_join(self) -> None:
        """An empty suffix is dropped."""
        self.assertEqual([join_suffix("m", raw) for raw in ("high", "", None)], ["m(high)", "m", "m"])
