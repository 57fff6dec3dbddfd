"""The log of the daemon, while it changes."""

from __future__ import annotations

import io
import json
import os
import pathlib
import stat
import sys
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import LogLevel
from twisted.trial.unittest import SynchronousTestCase

from llmux.config.schema import Log as Settings
from llmux.logs import Log
from tests.test_accesslog import LINE


class LogTests(SynchronousTestCase):
    """Events and access lines, in one form, to one place."""

    def setUp(self) -> None:
        self.folder = pathlib.Path(self.mktemp())
        self.folder.mkdir()
        self.file = self.folder / "llmux.log"
        self.stream = io.StringIO()

    def log(self, **settings: Any) -> Log:
        """A log with these settings."""
        return Log(Settings(**settings), self.stream, Clock())

    def event(self, log: Log, words: str) -> None:
        """Log something."""
        log({"log_level": LogLevel.info, "log_format": words, "log_namespace": "test", "log_time": 1_700_000_000.0})

    def test_file(self) -> None:
        """Both go to the file, which others of its group may read, and nothing goes anywhere else."""
        log = self.log(file=str(self.file))
        self.event(log, "an event")
        log.lines.write(LINE)
        log.lines.close()
        self.assertEqual([line.split("] ")[1][:8] for line in self.file.read_text().splitlines()], ["an event", "200 POST"])
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode) & 0o137, 0)
        self.assertEqual(self.stream.getvalue(), "")

    def test_reopen(self) -> None:
        """What was written, and what waited to be, is in the file that was moved away; what comes is in a new one."""
        log = self.log(file=str(self.file))
        self.event(log, "before")
        log.lines.write(LINE)
        self.file.rename(self.folder / "moved")
        log.reopen()
        self.event(log, "after")
        self.assertIn("200 POST", (self.folder / "moved").read_text())
        self.assertNotIn("after", (self.folder / "moved").read_text())
        self.assertNotIn("before", self.file.read_text())
        self.assertIn("after", self.file.read_text())

    def test_reopen_while_it_changes(self) -> None:
        """A change that was prepared before goes on with the file that is open when it is made."""
        log = self.log(file=str(self.file))
        make = log.change(Settings(file=str(self.file), format="json"))
        self.file.rename(self.folder / "moved")
        log.reopen()
        make()
        self.event(log, "after")
        self.assertEqual(json.loads(self.file.read_text())["message"], "after")

    def test_pipe(self) -> None:
        """One that nobody reads is refused at once."""
        os.mkfifo(self.file)
        self.assertRaises(OSError, self.log, file=str(self.file))

    def test_reopen_fails(self) -> None:
        """Then the old file stays."""
        log = self.log(file=str(self.file))
        self.file.rename(self.folder / "moved")
        self.file.mkdir()
        self.assertRaises(OSError, log.reopen)
        self.event(log, "still")
        self.assertIn("still", (self.folder / "moved").read_text())

    def test_reopen_a_stream(self) -> None:
        """There is nothing to open again."""
        log = self.log()
        log.reopen()
        self.event(log, "x")
        self.assertIn("x", self.stream.getvalue())

    def test_full_disk(self) -> None:
        """What cannot be written is lost, standard error is told once, and what comes when there is room is written."""
        told = io.StringIO()
        self.patch(sys, "__stderr__", told)
        log = self.log(file="/dev/full")
        for _ in range(3):
            log.lines.write(LINE)
            self.event(log, "lost")
            log.lines.flush()
        self.assertEqual(told.getvalue(), "llmux: the log cannot be written: [Errno 28] No space left on device\n")
        log.change(Settings(file=str(self.file)))()
        self.event(log, "there is room")
        self.assertIn("there is room", self.file.read_text())

    def test_change(self) -> None:
        """Form, level and place, from the stream to a file and back."""
        log = self.log()
        log.lines.write(LINE)
        log.change(Settings(file=str(self.file), format="json"))()
        self.event(log, "as json")
        log.lines.write(LINE)
        log.change(Settings(level="warn"))()
        self.event(log, "too low")
        log.lines.write(LINE)
        log.lines.close()
        self.assertEqual([json.loads(line)["message"][:7] for line in self.file.read_text().splitlines()], ["as json", "200 POS"])
        self.assertEqual(len(self.stream.getvalue().splitlines()), 1)

    def test_change_fails(self) -> None:
        """Before anything has changed."""
        log = self.log()
        self.assertRaises(OSError, log.change, Settings(file=str(self.folder / "absent" / "llmux.log"), format="json"))
        self.event(log, "as text")
        self.assertIn("[test#info] as text", self.stream.getvalue())

    def test_journal(self) -> None:
        """Lines for systemd's journal have a priority and no time; in a file, or as JSON, they are as ever."""
        with open(self.file, "w+", encoding="utf-8") as stream:
            found = os.fstat(stream.fileno())
            self.patch(os, "environ", {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"})
            log = Log(Settings(), stream, Clock())
            self.event(log, "two\nlines")
            log({"log_level": LogLevel.error, "log_format": "bad", "log_namespace": "test", "log_time": 0.0})
            log.lines.write(LINE)
            log.lines.close()
            log.change(Settings(format="json"))()
            self.event(log, "json")
        first, second, bad, line, form = self.file.read_text().splitlines()
        self.assertEqual((first, second, bad), ("<6>[test#info] two", "<6>lines", "<3>[test#error] bad"))
        self.assertTrue(line.startswith("<6>[llmux.access#info] 200 POST /v1/messages"), line)
        self.assertEqual(json.loads(form)["message"], "json")

    def test_no_journal(self) -> None:
        """A stream that was redirected is none, though the variable is there."""
        self.patch(os, "environ", {"JOURNAL_STREAM": "1:2"})
        with open(self.file, "w+", encoding="utf-8") as stream:
            self.event(Log(Settings(), stream, Clock()), "x")
        self.assertIn("[test#info] x", self.file.read_text())
        self.assertFalse(self.file.read_text().startswith("<"))
