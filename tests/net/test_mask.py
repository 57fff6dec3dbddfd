"""Taking our credentials out of a provider's words."""

from __future__ import annotations

import gzip
import zlib

from twisted.trial.unittest import SynchronousTestCase

from llmux.net.mask import decode, mask


class MaskTests(SynchronousTestCase):
    """Bodies and encodings."""

    def test_mask(self) -> None:
        """Every occurrence; the last four characters stay, short strings are left alone."""
        self.assertEqual(mask(b"a sk-secret-1 b sk-secret-1", [b"sk-secret-1", b"a"]).decode(), "a \u2026et-1 b \u2026et-1")

    def test_decode(self) -> None:
        """What can be read is read; what cannot is left."""
        for name, packed in ((b"gzip", gzip.compress(b"text")), (b"deflate", zlib.compress(b"text"))):
            self.assertEqual(decode([(b"content-encoding", name), (b"a", b"b")], packed, 100), ([(b"a", b"b")], b"text"))
        self.assertEqual(decode([], b"text", 100), ([], b"text"))
        self.assertIsNone(decode([(b"content-encoding", b"br")], b"text", 100))
        self.assertIsNone(decode([(b"content-encoding", b"gzip")], b"text", 100))
        self.assertIsNone(decode([(b"content-encoding", b"gzip")], gzip.compress(b"x" * 1000), 100))
