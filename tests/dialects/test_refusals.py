"""What the refusals of every provider have in common."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.registry import DIALECTS

THEN = b"Wed, 21 Oct 2026 07:28:30 GMT"
NOW = (b"date", b"Wed, 21 Oct 2026 07:28:00 GMT")


class RefusalTests(SynchronousTestCase):
    def test_when_to_ask_again(self) -> None:
        """A date is read by the clock of the server that wrote it; what is past or unreadable says nothing."""
        for dialect in DIALECTS.values():
            for fields, seconds in (
                ([(b"retry-after", THEN), NOW], 30.0),
                ([(b"retry-after", THEN)], None),
                ([(b"retry-after", NOW[1]), (b"date", THEN)], None),
                ([(b"retry-after", b"soon"), NOW], None),
                ([(b"retry-after", b"-3")], None),
                ([(b"retry-after", b"2")], 2.0),
                ([(b"retry-after", b"9"), (b"retry-after-ms", b"250")], 0.25),
            ):
                self.assertEqual(dialect.read_error(429, fields, b"").retry_after, seconds, (dialect.name, fields))

    def test_no_error(self) -> None:
        """A body that is no error says the beginning of its text; the status says the rest."""
        for dialect in DIALECTS.values():
            for body in (b"<html>no</html>", b'{"a": 1}', b"[1, 2]", b"{"):
                fault = dialect.read_error(503, [], body)
                self.assertEqual((fault.kind, fault.message), ("overloaded", body.decode()), dialect.name)
            self.assertEqual(dialect.read_error(418, [], b"").message, "the provider answered 418")
            self.assertEqual(len(dialect.read_error(500, [], b"x" * 10_000).message), 2048)

    def test_errors_in_errors(self) -> None:
        """What gateways wrapped is taken out again, up to three times; a message that is no text is told as JSON."""
        for dialect in DIALECTS.values():
            message: object = "Too many."
            for _ in range(3):
                message = json.dumps({"error": {"message": message}})
            body = json.dumps([{"error": {"message": message}}]).encode()
            self.assertEqual(dialect.read_error(429, [], body).message, "Too many.", dialect.name)
            fault = dialect.read_error(422, [], b'{"error":{"message":[{"loc":["body"]}]}}')
            self.assertEqual((fault.kind, fault.message), ("unprocessable", '[{"loc":["body"]}]'), dialect.name)
