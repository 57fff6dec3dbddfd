import gzip as stdlib
import tracemalloc

from twisted.trial.unittest import SynchronousTestCase

from llmux.amp.gzip import ungzip

TEXT = b'{"threads": []}' * 50


class UnlabelledGzip(SynchronousTestCase):
    def test_a_gzip_body_is_unpacked(self) -> None:
        self.assertEqual(ungzip(stdlib.compress(TEXT), 10_000), TEXT)

    def test_an_empty_gzip_body_is_empty_and_no_failure(self) -> None:
        self.assertEqual(ungzip(stdlib.compress(b""), 10), b"")

    def test_what_is_no_gzip_stays_as_it_is(self) -> None:
        for body in (b"", b"\x1f", b"{}", b"\x8b\x1f", TEXT):
            self.assertIsNone(ungzip(body, 10_000))

    def test_any_truncation_is_noticed(self) -> None:
        packed = stdlib.compress(TEXT)
        for length in range(2, len(packed)):
            self.assertIsNone(ungzip(packed[:length], 10_000), length)

    def test_a_wrong_checksum_is_noticed(self) -> None:
        packed = bytearray(stdlib.compress(TEXT))
        packed[-8] ^= 1
        self.assertIsNone(ungzip(bytes(packed), 10_000))

    def test_the_limit_is_inclusive(self) -> None:
        packed = stdlib.compress(TEXT)
        self.assertEqual(ungzip(packed, len(TEXT)), TEXT)
        self.assertIsNone(ungzip(packed, len(TEXT) - 1))
        self.assertIsNone(ungzip(packed, 0))

    def test_a_bomb_is_not_unpacked_beyond_the_limit(self) -> None:
        bomb = stdlib.compress(b"\0" * 50_000_000)
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        self.assertIsNone(ungzip(bomb, 1000))
        self.assertLess(tracemalloc.get_traced_memory()[1], 1_000_000)

    def test_several_members_are_one_body(self) -> None:
        packed = stdlib.compress(b"one ") + stdlib.compress(b"two")
        self.assertEqual(ungzip(packed, 100), b"one two")
        self.assertIsNone(ungzip(packed, 6))

    def test_what_follows_the_last_member_makes_it_corrupt(self) -> None:
        self.assertIsNone(ungzip(stdlib.compress(TEXT) + b"rest", 10_000))

    def test_endless_empty_members_are_refused(self) -> None:
        self.assertIsNone(ungzip(stdlib.compress(b"") * 1000, 10_000))
