"""Cutting a stream after whole events."""

from __future__ import annotations

import itertools

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.sse import Framer, event, payloads

_STREAMS = [
    b"data: 1\n\ndata: 2\n\n",
    b"data: 1\r\n\r\ndata: 2\r\n\r\n",
    b"data: 1\r\rdata: 2\r\r",
    b"\n\ndata: 1\n\n: c\n\n\n\ndata: 2\n\nrest",
    b"event: a\ndata: \xe4\xbd\xa0\n\n\xef\xbb\xbfdata\n",
    b"\r\n\r\n",
    b"",
    b"no end at all",
]


def ends_event(data: bytes) -> bool:
    """Whether bytes end with a blank line, so that another event may follow."""
    return data.endswith((b"\n\n", b"\r\n\r\n", b"\r\r"))


class FramerTests(SynchronousTestCase):
    """Any cut gives the same bytes."""

    def test_whole(self) -> None:
        """In one piece."""
        for stream in _STREAMS:
            framer = Framer()
            self.assertEqual(framer.feed(stream) + framer.rest, stream)

    def test_every_cut_in_three(self) -> None:
        """What is let go always ends with a blank line; nothing is lost, nothing moves."""
        for stream in _STREAMS:
            for first, second in itertools.combinations_with_replacement(range(len(stream) + 1), 2):
                framer = Framer()
                pieces = [framer.feed(part) for part in (stream[:first], stream[first:second], stream[second:])]
                self.assertEqual(b"".join(pieces) + framer.rest, stream)
                for piece in pieces:
                    self.assertTrue(not piece or ends_event(piece), (stream, piece))
                self.assertFalse(ends_event(framer.rest), stream)

    def test_byte_by_byte(self) -> None:
        """An event leaves with its last byte."""
        framer = Framer()
        leaves = [index for index in range(18) if framer.feed(_STREAMS[0][index : index + 1])]
        self.assertEqual(leaves, [8, 17])

    def test_limit(self) -> None:
        """An event without an end costs bounded memory."""
        framer = Framer(limit=100)
        framer.feed(b"x" * 100)
        self.assertRaises(ValueError, framer.feed, b"x")

    def test_event(self) -> None:
        """Writing one."""
        self.assertEqual(event(b"{}"), b"data: {}\n\n")
        self.assertEqual(event(b"{}", b"ping"), b"event: ping\ndata: {}\n\n")


class PayloadTests(SynchronousTestCase):
    """The data of events, however they are written."""

    def test_forms(self) -> None:
        """Names, comments, several lines, all line ends, a mark at the beginning, no blank line at the end."""
        for events, data in (
            (b"data: {}\n\n", [b"{}"]),
            (b"data:{}\n\n", [b"{}"]),
            (b"event: ping\ndata: {}\n\n", [b"{}"]),
            (b"data: {}\nevent: ping\n\n", [b"{}"]),
            (b"data: 1\n\n\ndata: 2\n\n", [b"1", b"2"]),
            (b"event: a\nid: 7\ndata: 1\ndata: 2\n\n: ping\n\ndata: 3\n\n", [b"1\n2", b"3"]),
            (b"event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n", [b"1", b"2"]),
            (b"event: a\rdata: 1\r\rdata: 2\r\r", [b"1", b"2"]),
            (b"\xef\xbb\xbfdata: 1\n\n", [b"1"]),
            (b"\xef\xbb\xbfevent: x\ndata: 1\n\n", [b"1"]),
            (b"data: 1\n\ndata: 2", [b"1", b"2"]),
            (b"data: 1", [b"1"]),
            (b": ping\n\n", []),
            (b"event: x\n\n", []),
            (b"\n\n", []),
            (b"data: \n\n", [b""]),
            (b"", []),
        ):
            self.assertEqual(payloads(events), data, events)
