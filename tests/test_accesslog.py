"""Access lines."""

from __future__ import annotations

import io
import json
from typing import Any

import attrs
from twisted.internet.task import Clock
from twisted.logger import LogLevel, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from llmux import logs
from llmux.accesslog import Line, LoggedLines, WrittenLines

LINE = Line(
    time=1_700_000_000.25,
    method="POST",
    path="/v1/messages",
    peer="127.0.0.1",
    client="laptop",
    request_id="req_1",
    status=200,
    outcome="ok",
    seconds=0.0123,
    first=0.001,
    sent=5,
    decision="local",
    provider="p",
    model="m",
    requested="m(high)",
    attempts=1,
    dialect="anthropic",
    why="",
)


class WrittenTests(SynchronousTestCase):
    """Straight to the log's file."""

    def test_text(self) -> None:
        """One line each, a tick at a time; a name cannot begin a line of its own."""
        out, clock = io.StringIO(), Clock()
        lines = WrittenLines(out, "text", clock)
        lines.write(LINE)
        lines.write(attrs.evolve(LINE, model="a\r\nb", why="broke"))
        self.assertEqual(out.getvalue(), "")
        clock.advance(1)
        first, second, end = out.getvalue().split("\n")
        self.assertTrue(first.endswith("[llmux.access#info] 200 POST /v1/messages local p m 12.3 ms ok"), first)
        self.assertTrue(second.endswith("local p a\\r\\nb 12.3 ms ok: broke"), second)
        self.assertEqual((end, clock.getDelayedCalls()), ("", []))

    def test_what_cannot_be_encoded(self) -> None:
        """Neither a lone surrogate nor a narrow terminal costs anybody a line."""
        clock, narrow = Clock(), io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        lines = WrittenLines(narrow, "text", clock)
        lines.write(LINE)
        lines.write(attrs.evolve(LINE, model="\ud83d\x1b[2J\u4f60"))
        clock.advance(1)
        narrow.seek(0)
        first, second = narrow.read().splitlines()
        self.assertIn("200 POST", first)
        self.assertIn("local p \\ud83d\\x1b[2J\\u4f60 12.3", second)

    def test_json(self) -> None:
        """Fields for a reader."""
        out, clock = io.StringIO(), Clock()
        lines = WrittenLines(out, "json", clock)
        lines.write(LINE)
        lines.close()
        document = json.loads(out.getvalue())
        self.assertEqual(
            (document["logger"], document["requested_model"], document["duration_ms"]), ("llmux.access", "m(high)", 12.3)
        )
        self.assertEqual(clock.getDelayedCalls(), [])
        lines.close()

    def test_logged(self) -> None:
        """Through the general log where its file is not known."""
        seen: list[dict[str, Any]] = []
        observe: Any = seen.append
        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        LoggedLines().write(LINE)
        LoggedLines().close()
        self.assertEqual([event["request_id"] for event in seen if event.get("log_namespace") == "llmux.access"], ["req_1"])


class ObserverTests(SynchronousTestCase):
    """The general log."""

    def event(self, level: LogLevel, **fields: object) -> dict[str, object]:
        """An event as twisted's logger makes them."""
        return {"log_level": level, "log_namespace": "n", "log_format": "say {word}", "log_time": 0.0, "word": "x", **fields}

    def test_levels(self) -> None:
        """What is below the level is left out."""
        for format_ in logs.FORMATS:
            out = io.StringIO()
            observe = logs.observer(format_, "warn", out)
            observe(self.event(LogLevel.info))
            self.assertEqual(out.getvalue(), "")
            observe(self.event(LogLevel.error))
            self.assertIn("say x", out.getvalue())

    def test_json_fields(self) -> None:
        """What an event was logged with, as JSON where JSON has it, else as text."""
        document = json.loads(logs.json_line(self.event(LogLevel.info, number=1, nothing=None, thing=LogLevel.info)))
        self.assertEqual((document["message"], document["level"], document["logger"]), ("say x", "info", "n"))
        self.assertEqual((document["number"], document["nothing"]), (1, None))
        self.assertIsInstance(document["thing"], str)
