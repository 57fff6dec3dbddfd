"""Which headers travel."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from llmux import headers


class RuleTests(SynchronousTestCase):
    """Both directions."""

    def test_connection_tokens(self) -> None:
        """A list, over several lines."""
        tokens = headers.connection_tokens([(b"connection", b"close, X-A ,"), (b"x", b"y"), (b"connection", b"x-b")])
        self.assertEqual(tokens, {b"close", b"x-a", b"x-b"})

    def test_order_and_repetition_are_kept(self) -> None:
        """A list is a list."""
        fields = [(b"b", b"1"), (b"a", b"2"), (b"b", b"3")]
        self.assertEqual(headers.to_provider(fields), fields)
        self.assertEqual(headers.to_client(fields), fields)

    def test_a_provider_cannot_speak_for_llmux(self) -> None:
        """Our own names are ours."""
        self.assertEqual(headers.to_client([(b"x-llmux-decision", b"local")]), [])
        self.assertEqual(headers.to_provider([(b"x-llmux-x", b"1"), (b"x-scenario-name", b"s")]), [])

    def test_secrets(self) -> None:
        """A header that repeats a client key is dropped whole."""
        self.assertEqual(headers.to_provider([(b"x-a", b"Bearer k1 ok"), (b"x-b", b"k2")], [b"k1"]), [(b"x-b", b"k2")])

    def test_visible(self) -> None:
        """No name ends a line."""
        self.assertEqual(headers.printable("a\u4f60\x1b\ud83d\u2028"), "a\u4f60\\x1b\\ud83d\\u2028")
        self.assertEqual(headers.visible("a\r\nb: c\x00\u00e9\U0001f600"), b"a\\r\\nb: c\\x00\\xe9\\U0001f600")
