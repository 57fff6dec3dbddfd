"""A long look for what breaks: mutated requests and mutated streams, through every pair of dialects.

    python -m tests.properties.fuzz --requests 100000 --streams 100000 --seed 1

Nothing may be raised but a Fault, nothing may take long, and no request may show a defect of ours. What breaks is
printed with its seed; the exit status is 1 then.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections import Counter
from typing import Any

from llmux import jsonio
from llmux.dialects import sse
from llmux.dialects.registry import DIALECTS
from llmux.dialects.translation import StreamTranslation, Translation
from llmux.errors import Fault
from tests.dialects.tellings import RESPONSES, tell
from tests.grammars import records
from tests.properties.generated import context
from tests.properties.test_partition import REQUESTS

# What stands where something else was expected.
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**30, 1.5, "", "x", "\ud83d", "\x00", [], {}, [None], [[]], {"": None}, {"type": None},
    {"type": "text"}, [{"type": "text", "text": 7}], {"type": "tool_use"}, {"role": 7}, [{"parts": None}],
    "data:image/png;base64,", "{", "llmux1.x.y", {"functionCall": {}}, [1, "a"], {"text": None},
)  # fmt: skip
_SLOW = 0.5


def mutated(document: Any, rng: random.Random, depth: int = 0) -> Any:
    """A copy of a document in which something is odd, gone, doubled or swapped."""
    if isinstance(document, dict) and document and (depth == 0 or rng.random() < 0.8):
        copied = dict(document)
        name = rng.choice(list(copied))
        match rng.randrange(6):
            case 0:
                del copied[name]
            case 1:
                copied[name] = rng.choice(ODD)
            case 2:
                copied[rng.choice(("type", "role", "content", "text", "id", "name", "x", "input", "parts"))] = rng.choice(ODD)
            case _:
                copied[name] = mutated(copied[name], rng, depth + 1)
        return copied
    if isinstance(document, list) and document and rng.random() < 0.8:
        copied_list = list(document)
        at = rng.randrange(len(copied_list))
        match rng.randrange(6):
            case 0:
                del copied_list[at]
            case 1:
                copied_list.insert(at, copied_list[rng.randrange(len(copied_list))])
            case 2:
                copied_list[at] = rng.choice(ODD)
            case _:
                copied_list[at] = mutated(copied_list[at], rng, depth + 1)
        return copied_list
    return rng.choice(ODD)


class Fuzz:
    """One run. `found` counts what came of it, `broken` what must not have."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.found: Counter[str] = Counter()
        self.broken: list[str] = []
        self._bodies = {name: list(make()) for name, make in REQUESTS.items()}
        self._streams = {name: self._told(name) for name in DIALECTS}

    def _told(self, provider: str) -> list[list[bytes]]:
        streams = []
        for response in RESPONSES.values():
            asked = {"stream_options": {"include_usage": True}}
            encoder = DIALECTS[provider].rooms.encoder(context(provider, asked, stream=True))
            data = b"".join(map(encoder.encode, tell(response)))
            streams.append([event + b"\n\n" for event in data.split(b"\n\n") if event])
        return streams

    def pair(self) -> tuple[str, str]:
        """A client and another provider."""
        client = self.rng.choice(list(DIALECTS))
        return client, self.rng.choice([name for name in DIALECTS if name != client])

    def request(self) -> None:
        """One mutated request."""
        client, provider = self.pair()
        body: Any = self.rng.choice(self._bodies[client])
        for _ in range(self.rng.randint(1, 3)):
            body = mutated(body, self.rng)
        if not isinstance(body, dict):
            return
        began = time.perf_counter()
        try:
            made = context(provider, body)
            made.version = self.rng.choice((None, "2023-06-01", "2026-10-21"))
            jsonio.dumps(Translation(DIALECTS[client].rooms, DIALECTS[provider], made).body)
            self.found["requests translated"] += 1
        except Fault as fault:
            self.found[f"requests refused ({fault.kind})"] += 1
            if fault.kind not in ("invalid", "not_found", "auth", "too_large"):
                self._report(client, provider, body)
            if not jsonio.dumps([fault.message, fault.param]):
                self._report(client, provider, body)
        except Exception:
            self._report(client, provider, body)
        if time.perf_counter() - began > _SLOW:
            self.broken.append(f"slow: {client} > {provider}: {body!r:.500}")

    def stream(self) -> None:
        """One mutated stream, in pieces of any size."""
        client, provider = self.pair()
        events = list(self.rng.choice(self._streams[provider]))
        for _ in range(self.rng.randint(1, 3)):
            self._spoil(events)
        data = b"".join(events)
        made = context(provider, {"stream_options": {"include_usage": True}}, stream=True)
        stream = StreamTranslation(DIALECTS[client].rooms, DIALECTS[provider], made)
        framer = sse.Framer()
        told: list[bytes] = []
        fault: Fault | None = None
        began = time.perf_counter()
        try:
            at = 0
            while at < len(data):
                size = self.rng.choice((1, 7, 100, 5000))
                whole = framer.feed(data[at : at + size])
                at += size
                if whole:
                    told.append(stream.feed(whole))
            told.append(stream.feed(framer.rest) if framer.rest else b"")
            told.append(stream.close())
            fault = stream.fault
        except Fault as error:
            fault = error
        except Exception:
            self._report(client, provider, data)
            return
        try:
            if fault is not None:
                told.append(stream.error(fault))
            records(b"".join(told))
            self.found["streams broken off" if fault is not None else "streams whole"] += 1
        except Exception:
            self._report(client, provider, data)
        if time.perf_counter() - began > _SLOW:
            self.broken.append(f"slow: {client} > {provider}: {data!r:.500}")

    def _spoil(self, events: list[bytes]) -> None:
        rng = self.rng
        if not events:
            return
        at = rng.randrange(len(events))
        match rng.randrange(7):
            case 0:
                del events[at]
            case 1:
                events.insert(at, events[rng.randrange(len(events))])
            case 2:
                other = rng.randrange(len(events))
                events[at], events[other] = events[other], events[at]
            case 3:
                place = rng.randrange(len(events[at]))
                events[at] = events[at][:place] + bytes([rng.randrange(256)]) + events[at][place + 1 :]
            case 4:
                events[at] = events[at][: rng.randrange(len(events[at]))] + b"\n\n"
            case _:
                name, _, data = events[at].rpartition(b"data: ")
                try:
                    document = mutated(jsonio.loads(data), rng)
                except ValueError:
                    return
                events[at] = b"%bdata: %b\n\n" % (name, jsonio.dumps(document))

    def _report(self, client: str, provider: str, what: object) -> None:
        self.broken.append(f"{client} > {provider}: {what!r:.1500}\n{traceback.format_exc()}")


def main() -> int:
    """Run it, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    fuzz = Fuzz(options.seed)
    for _ in range(options.requests):
        fuzz.request()
    for _ in range(options.streams):
        fuzz.stream()
    for what, count in sorted(fuzz.found.items()):
        sys.stdout.write(f"{count:8} {what}\n")
    for report in fuzz.broken[:20]:
        sys.stdout.write(f"\n{report}\n")
    sys.stdout.write(f"{len(fuzz.broken)} broken\n")
    return 1 if fuzz.broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
