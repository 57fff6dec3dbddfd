"""The composition root: options in, service out. The global reactor is named here and nowhere else."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import IO, Any, cast

from twisted.application.service import IServiceCollection
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, Logger, LogLevel
from twisted.python import usage
from twisted.python.components import Componentized

from llmux import __version__, logs
from llmux.config import Config, ConfigError, listen, load, override
from llmux.config.problems import listed
from llmux.runtime import services
from llmux.service import LlmuxService
from llmux.systemd import Handed, endpoints, handed_over, named, start_environment


class OneOf(usage.CompleteList):
    """The words that an option takes, for the option itself, its completion in shells and the manual."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__(words)
        self.words = tuple(words)


class Command(usage.Options):
    """What all commands understand, and tell to whoever completes and documents them."""

    compData = usage.Completions()

    def opt_version(self) -> None:
        """Show the version of llmux."""
        print(f"llmux {__version__}")
        raise SystemExit(0)

    opt_V = opt_version


class Options(Command):
    """What can be said on the command line of `twistd llmux` and `llmux run`."""

    synopsis = "[options]"
    optParameters = [
        ["config", "c", None, "The configuration file. Without one, llmux answers from a built-in scenario."],
        ["log-format", None, None, f"The form of the log, whatever the configuration says: {listed(logs.FORMATS)}."],
        ["log-level", None, None, f"The least severe events to log, whatever the configuration says: {listed(logs.LEVELS)}."],
    ]
    compData = usage.Completions(
        optActions={
            "config": usage.CompleteFiles("*.yaml"),
            "log-format": OneOf(logs.FORMATS),
            "log-level": OneOf(logs.LEVELS),
            "listen": usage.Completer("endpoint"),
        },
        multiUse=["listen"],
    )
    longdesc = "Serve until a signal says to stop. llmux run stays in the foreground and logs to its standard output."

    def __init__(self) -> None:
        super().__init__()
        self["listen"] = []

    def opt_listen(self, endpoint: str) -> None:
        """A Twisted endpoint string to listen on, in place of those of the configuration. May be given again."""
        self["listen"].append(endpoint)

    opt_l = opt_listen

    def postOptions(self) -> None:
        """Check the words."""
        for option, action in self.compData.optActions.items():
            if isinstance(action, OneOf) and self[option] is not None and self[option] not in action.words:
                raise usage.UsageError(f"--{option} takes one of {', '.join(action.words)}")


class Daemon(LlmuxService):
    """The service as a process: its signals, its memory, and its log, where the choice of that is ours."""

    log: logs.Log | None = None
    _finishing = False

    def setServiceParent(self, parent: IServiceCollection) -> None:
        """Join an application."""
        if self.log is not None and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self.log)
        super().setServiceParent(parent)

    def startService(self) -> None:
        """Serve, and listen to signals: TERM finishes, HUP reads the configuration again, USR1 opens the log's file again.

        Twisted's own handler of TERM would end the process by that signal, after the drain, so that whoever waits for it
        takes a stop in order for a crash. Ours comes after Twisted has set its own, and before anybody is told that we are
        ready: the default of the other two is to end the process.
        """
        self.reactor.callWhenRunning(self._heed_signals)
        super().startService()
        settle_memory()

    def _heed_signals(self) -> None:
        answers = {signal.SIGTERM: self._finish, signal.SIGHUP: self._read_again, signal.SIGUSR1: self._reopen_log}
        for number, answer in answers.items():
            signal.signal(number, lambda *_, answer=answer: self.reactor.callFromThread(answer))

    def _finish(self) -> None:
        if not self._finishing:
            self._finishing = True
            self._log.info("SIGTERM: what runs may finish, for at most {seconds:g} s", seconds=self.config.drain)
            self.reactor.stop()

    def _read_again(self) -> None:
        self._log.info("SIGHUP: reading the configuration again")
        Deferred.fromCoroutine(self.reload()).addErrback(lambda f: self._log.failure("the reload failed", f))

    def _reopen_log(self) -> None:
        if self.log is not None:
            try:
                self.log.reopen()
            except OSError as error:
                self._log.error("SIGUSR1: the log could not be opened again: {why}", why=str(error))

    def prepare(self, config: Config) -> Callable[[], None]:
        """The log may change with the configuration."""
        change = self.log.change(config.log) if self.log is not None else lambda: None

        def make() -> None:
            change()
            self.reactor.callLater(0, settle_memory)  # once what was replaced is let go

        return make


def settle_memory() -> None:
    """What is built now stays for long. Searching all of it for garbage takes longer than most answers."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def makeService(options: Options, reactor: Any = None, out: IO[str] | None = None) -> Daemon:
    """Build the daemon. A configuration with mistakes ends the process with all of them.

    `out` is where the log goes; None leaves that to whoever runs the service (twistd, `python -m twisted`).
    """
    if reactor is None:
        from twisted.internet import reactor
    for early in (signal.SIGHUP, signal.SIGUSR1):
        signal.signal(early, signal.SIG_IGN)  # there is nothing yet to read or to open again, and their default is the end
    handed = handed_over(start_environment(), os.getpid())
    try:
        read = partial(read_configuration, options, endpoints(handed))
        config = read()
        log = _log(config, out, getattr(options, "parent", None), reactor)
        made = services(reactor, os.environ, None if log is None else log.lines)
        daemon = Daemon(config, made, _speaker(options), read, handed)
    except ConfigError as error:
        raise SystemExit(str(error)) from None
    except OSError as error:
        raise SystemExit(f"llmux cannot start: {error}") from None
    daemon.log = log
    return daemon


def read_configuration(options: Options, sockets: Mapping[Handed, str]) -> Config:
    """What the file, the environment and the command line say together. Raises ConfigError.

    `sockets`: endpoint strings of the sockets that the process was handed. They go before the listeners of the file, unless
    that names sockets itself, and behind those of the command line. The one that `metrics.listen` names is left to that.
    """
    config = load(options["config"], os.environ, replaced=bool(options["listen"] or sockets))
    chosen = any(listen.parse(each).type == "systemd" for each in config.listen)
    for_metrics = _meant(config.metrics.listen, sockets)
    others = tuple(written for handed, written in sockets.items() if handed != for_metrics)
    return override(
        config,
        listen=tuple(options["listen"]) or (() if chosen else others),
        log_level=options["log-level"],
        log_format=options["log-format"],
    )


def _meant(written: str | None, sockets: Iterable[Handed]) -> Handed | None:
    place = listen.parse(written) if written is not None else None
    if place is None or place.type != "systemd":
        return None
    return named(tuple(sockets), place.parameters.get("index"), place.parameters.get("name"))


def _log(config: Config, out: IO[str] | None, runner: Any, reactor: Any) -> logs.Log | None:
    """The log that is ours to write: None where whoever runs us has one of another kind. Raises OSError."""
    twist = runner is not None and "fileLogObserverFactory" in runner  # python -m twisted
    if out is None:
        out = runner["logFile"] if twist else logs.destination(cast(dict[str, Any], runner)) if runner is not None else sys.stdout
    if out is None:
        return None
    log = logs.Log(config.log, out, reactor)
    if twist:
        runner["logLevel"] = LogLevel.debug  # the choice is made by ours
        runner["fileLogObserverFactory"] = lambda _: log
    return log


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
