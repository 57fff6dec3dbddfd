"""The composition root: options in, service out. The global reactor is named here and nowhere else."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable
from typing import IO, Any, cast

from twisted.application.service import IServiceCollection
from twisted.logger import ILogObserver, Logger, LogLevel, textFileLogObserver
from twisted.python import usage
from twisted.python.components import Componentized

from llmux import logs
from llmux.accesslog import AccessLog, LoggedLines, NoLines, WrittenLines
from llmux.config import Config, ConfigError, load, override
from llmux.runtime import services
from llmux.service import LlmuxService


class Options(usage.Options):
    """What can be said on the command line of `twistd llmux` and `llmux run`."""

    synopsis = "[options]"
    optParameters = [
        ["config", "c", None, "Configuration file; without it llmux answers from a built-in scenario."],
        ["log-format", None, None, "text or json."],
        ["log-level", None, None, "debug, info, warn, error or critical."],
    ]
    longdesc = "A gateway between LLM clients and LLM providers."

    def __init__(self) -> None:
        super().__init__()
        self["listen"] = []

    def opt_listen(self, endpoint: str) -> None:
        """A Twisted endpoint string to listen on instead of the configured ones, such as tcp:8743:interface=127.0.0.1. May be
        repeated."""
        self["listen"].append(endpoint)

    opt_l = opt_listen

    def postOptions(self) -> None:
        """Check the words."""
        for option, words in (("log-format", logs.FORMATS), ("log-level", logs.LEVELS)):
            if self[option] is not None and self[option] not in words:
                raise usage.UsageError(f"--{option} takes one of {', '.join(words)}")


class Daemon(LlmuxService):
    """The service under twistd: it also brings the log in the asked form, where twistd lets the application choose."""

    observer: ILogObserver | None = None
    _finishing = False

    def setServiceParent(self, parent: IServiceCollection) -> None:
        """Join an application."""
        if self.observer is not None and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self.observer)
        super().setServiceParent(parent)

    def startService(self) -> None:
        """Serve; a SIGTERM is an order to finish, and no failure.

        Twisted's own handler would end the process by that signal, after the drain, so that whoever waits for it takes a
        stop in order for a crash. Ours comes after Twisted has set its own.
        """
        super().startService()
        # What was built until now stays for good. Searching all of it for garbage takes longer than most answers.
        gc.collect()
        gc.freeze()
        reactor = self.reactor
        reactor.callWhenRunning(signal.signal, signal.SIGTERM, lambda *_: reactor.callFromThread(self._finish))

    def _finish(self) -> None:
        if not self._finishing:
            self._finishing = True
            self._log.info("SIGTERM: what runs may finish, for at most {seconds:g} s", seconds=self.config.drain)
            self.reactor.stop()


def makeService(options: Options, reactor: Any = None, out: IO[str] | None = None) -> Daemon:
    """Build the daemon. A configuration with mistakes ends the process with all of them.

    `out` is where the log goes; None leaves that to whoever runs the service (twistd, `python -m twisted`).
    """
    if reactor is None:
        from twisted.internet import reactor
    try:
        config = override(
            load(options["config"], os.environ, replaced=bool(options["listen"])),
            listen=tuple(options["listen"]),
            log_level=options["log-level"],
            log_format=options["log-format"],
        )
        observer = None
        if out is None:
            out, observer = _runners_log(getattr(options, "parent", None), config.log.format, config.log.level)
        daemon = Daemon(config, services(reactor, os.environ, _access_log(config, out, reactor)), _speaker(options))
    except ConfigError as error:
        raise SystemExit(str(error)) from None
    daemon.observer = observer
    return daemon


def _access_log(config: Config, out: IO[str] | None, reactor: Any) -> AccessLog:
    if config.log.level not in ("debug", "info"):
        return NoLines()
    return LoggedLines() if out is None else WrittenLines(out, config.log.format, reactor)


def _speaker(options: Options) -> Callable[[str], None]:
    """How to reach the person who starts the daemon. In the background there is no terminal, so the log is told."""
    twistd = getattr(options, "parent", None)
    background = twistd is not None and "nodaemon" in twistd and not twistd["nodaemon"]
    return _note if background else say


def _note(line: str) -> None:
    Logger("llmux").info("{line}", line=line)


def say(line: str) -> None:
    """Tell the person at the terminal, if there is one; twistd has put its log where sys.stderr was."""
    if sys.__stderr__ is not None:
        print(line, file=sys.__stderr__, flush=True)


def _runners_log(parent: Any, format_: str, level: str) -> tuple[IO[str] | None, ILogObserver | None]:
    """Where the log of whoever runs us goes (None: no file), and the observer to give to twistd."""
    if parent is None:
        return None, None
    if "fileLogObserverFactory" in parent:  # python -m twisted
        parent["logLevel"] = LogLevel.levelWithName(level)
        parent["fileLogObserverFactory"] = logs.json_observer if format_ == "json" else textFileLogObserver
        return parent["logFile"], None
    out = logs.destination(cast(dict[str, Any], parent))
    return out, None if out is None else logs.observer(format_, level, out)
