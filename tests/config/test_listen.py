from twisted.internet.endpoints import serverFromString
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from llmux.config import listen

LOCAL = (
    "tcp:8743:interface=127.0.0.1",
    "tcp:8743:127.0.0.1",
    "tcp:port=0:interface=127.8.9.1:backlog=9",
    "tcp:8743:interface=localhost",
    r"tcp:8743:interface=\:\:1",
    r"tcp6:8743:interface=\:\:1",
    "unix:/run/llmux.sock:mode=660",
    "haproxy:tcp:8743:interface=127.0.0.1",
)
OPEN = (
    "tcp:8743",
    "tcp:8743:interface=0.0.0.0",
    r"tcp:8743:interface=\:\:",
    "tcp:8743:interface=10.0.0.1",
    "tcp:8743:interface=llmux.test",
    "tcp6:8743",
    "ssl:8743:privateKey=key.pem:certKey=cert.pem",
    "tls:/etc/llmux/certs:8743",
    "haproxy:tcp:8743",
)
MEETING = (
    ("tcp:8743:interface=127.0.0.1", "tcp:8743:interface=127.0.0.1"),
    ("tcp:8743:interface=127.0.0.1", "tcp:port=08743:backlog=9:interface=localhost"),
    ("tcp:8743:interface=127.0.0.1", "haproxy:tcp:8743:127.0.0.1"),
    ("tcp:8743", "tcp:8743:interface=10.0.0.1"),
    ("tcp:8743:interface=0.0.0.0", "ssl:8743:privateKey=key.pem"),
    ("tcp:8743:interface=llmux.test", "tcp:8743:interface=LLMUX.test"),
    ("tls:/etc/llmux/certs:8743", "tcp:8743"),
    ("tcp6:8743", r"tcp:8743:interface=\:\:1"),
    (r"tcp6:8743:interface=\:\:1", r"tcp:8743:interface=0\:0\:0\:0\:0\:0\:0\:1"),
    ("unix:/run/llmux.sock:mode=660", "unix:/run/llmux.sock"),
    ("systemd:domain=INET:index=0", "systemd:INET:0"),
)
APART = (
    ("tcp:8743", "tcp:8744"),
    ("tcp:0", "tcp:0"),
    ("tcp:8743:interface=127.0.0.1", "tcp:8743:interface=127.0.0.2"),
    ("tcp:8743:interface=127.0.0.1", r"tcp6:8743:interface=\:\:1"),
    ("tcp:8743", "tcp6:8743"),
    ("tls:/etc/llmux/certs", "tls:/etc/llmux/certs"),
    ("unix:/run/llmux.sock", "unix:/run/other.sock"),
    ("unix:/run/llmux.sock", "tcp:8743"),
    ("systemd:domain=INET:index=0", "systemd:domain=INET:index=1"),
    ("systemd:domain=INET:name=a", "systemd:domain=INET:name=b"),
)
MISTAKES = {
    "8743": "'8743' is no kind of listener; write for example tcp:8743:interface=127.0.0.1",
    "tpc:8743": "'tpc' is no kind of listener, did you mean 'tcp'?; write for example tcp:8743:interface=127.0.0.1",
    "tcp": "'tcp' needs its port; write for example tcp:8743:interface=127.0.0.1",
    "tcp:": "'tcp' needs its port; write for example tcp:8743:interface=127.0.0.1",
    "unix:": "'unix' needs its address; write for example tcp:8743:interface=127.0.0.1",
    "tcp:65536": "'65536' is no port: a number from 0 to 65535",
    "tcp:http": "'http' is no port: a number from 0 to 65535",
    "tcp:1:backlog=many": "'many' is no backlog",
    "tcp:1:interfaze=::1": "'tcp' has no parameter 'interfaze', did you mean 'interface'?",
    "tcp:1:interface=::1": "the parameter 'interface' is given twice; write '\\:' for every ':' of an IPv6 address",
    "tcp:1:port=2": "the parameter 'port' is given twice",
    "tcp:1:127.0.0.1:5:6": "'tcp' takes no more than 3 parameters",
    "tcp:1\\": "ends in a lone '\\'",
}


class Parse(SynchronousTestCase):
    def test_mistakes(self) -> None:
        for written, message in MISTAKES.items():
            error = self.assertRaises(ValueError, listen.parse, written)
            self.assertEqual(str(error), message)

    def test_who_can_reach_it(self) -> None:
        self.assertEqual([listen.parse(written).local for written in LOCAL], [True] * len(LOCAL))
        self.assertEqual([listen.parse(written).local for written in OPEN], [False] * len(OPEN))

    def test_a_socket_of_systemd_shows_only_when_it_listens(self) -> None:
        self.assertIsNone(listen.parse("systemd:domain=INET:name=llmux.socket").local)

    def test_it_is_written_as_twisted_reads_it(self) -> None:
        for written in (*LOCAL, *OPEN):
            place = listen.parse(written)
            self.assertEqual(listen.parse(str(place)), place)
        for written in (text for text in (*LOCAL, *OPEN) if text.startswith(("tcp:", "unix:"))):
            ports = []
            for text in (written, str(listen.parse(written))):
                reactor = MemoryReactorClock()
                serverFromString(reactor, text)
                endpoint = serverFromString(reactor, text)
                ports.append({name: value for name, value in vars(endpoint).items() if name != "_reactor"})
            self.assertEqual(*ports)

    def test_two_that_cannot_both_be_opened(self) -> None:
        for one, other in MEETING:
            self.assertTrue(listen.parse(one).meets(listen.parse(other)), (one, other))
            self.assertTrue(listen.parse(other).meets(listen.parse(one)), (other, one))

    def test_two_that_can(self) -> None:
        for one, other in APART:
            self.assertFalse(listen.parse(one).meets(listen.parse(other)), (one, other))
            self.assertFalse(listen.parse(other).meets(listen.parse(one)), (other, one))

    def test_it_moves(self) -> None:
        place = listen.parse("tcp:8743:interface=127.0.0.1:backlog=9")
        self.assertEqual(str(place.moved("::1", None)), r"tcp:8743:interface=\:\:1:backlog=9")
        self.assertEqual(str(place.moved(None, "80")), "tcp:80:interface=127.0.0.1:backlog=9")
