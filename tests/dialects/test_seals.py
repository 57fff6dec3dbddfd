from __future__ import annotations

import base64

from twisted.trial.unittest import TestCase

from llmux import jsonio
from llmux.dialects.neutral import Seal
from llmux.dialects.seals import PREFIX, Seals

SEAL = Seal("anthropic", "signature", "EqQBCgIYAhIM…")
NATIVE = Seal("openai", "encrypted", "whatever")


class SealsTests(TestCase):
    """Envelopes that carry a seal through a foreign client."""

    def test_there_and_back(self) -> None:
        seals = Seals((b"key",))
        value = seals.wrap(SEAL, "a thought")
        self.assertTrue(value.startswith(PREFIX))
        self.assertTrue(value.isascii())
        self.assertEqual(seals.open(value, NATIVE, "a thought"), SEAL)
        self.assertTrue(seals.ours(value))

    def test_same_seal_same_bytes(self) -> None:
        self.assertEqual(Seals((b"key",)).wrap(SEAL, "x"), Seals((b"key",)).wrap(SEAL, "x"))

    def test_text_was_changed(self) -> None:
        seals = Seals((b"key",))
        self.assertIsNone(seals.open(seals.wrap(SEAL, "a thought"), NATIVE, "another thought"))

    def test_what_is_not_ours_is_the_clients_own(self) -> None:
        seals = Seals((b"key",))
        forged = Seals((b"other key",)).wrap(SEAL, "")
        body, _, proof = seals.wrap(SEAL, "").rpartition(".")
        content = base64.urlsafe_b64encode(jsonio.dumps({"family": "openai", "kind": "encrypted", "payload": "x", "text": ""}))
        others = ("gAAAA", forged, f"{PREFIX}{content.decode()}.{proof}", PREFIX, "llmux1.é.é")
        for value in (*others, body, f"{body}.", f"{body}.!!"):
            self.assertEqual(seals.open(value, NATIVE), NATIVE, value)
            self.assertFalse(seals.ours(value))

    def test_old_keys_still_open(self) -> None:
        value = Seals((b"old",)).wrap(SEAL)
        turned = Seals((b"new", b"old"))
        self.assertEqual(turned.open(value, NATIVE), SEAL)
        self.assertEqual(Seals((b"new",)).open(turned.wrap(SEAL), NATIVE), SEAL)
        self.assertEqual(Seals((b"new",)).open(value, NATIVE), NATIVE)

    def test_lone_surrogates(self) -> None:
        seals = Seals((b"key",))
        self.assertEqual(seals.open(seals.wrap(SEAL, "\ud83d"), NATIVE, "\ud83d"), SEAL)
