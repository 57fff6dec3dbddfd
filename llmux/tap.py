"""The composition root: options in, service out. The global reactor is named here and nowhere else."""

from __future__ import annotations

import os
import sys
from typing import Any, cast

from twisted.application.service import IServiceCollection
from twisted.logger import ILogObserver, LogLevel
from twisted.python import usage
from twisted.python.components import Componentized

from llmux import logs
from llmux.config import ConfigError, load, override
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

    def setServiceParent(self, parent: IServiceCollection) -> None:
        """Join an application."""
        if self.observer is not None and isinstance(parent, Componentized):
            parent.setComponent(ILogObserver, self.observer)
        super().setServiceParent(parent)


def makeService(options: Options, reactor: Any = None) -> Daemon:
    """Build the daemon. A configuration with mistakes ends the process with all of them."""
    if reactor is None:
        from twisted.internet import reactor
    try:
        config = override(
            load(options["config"], os.environ),
            listen=tuple(options["listen"]),
            log_level=options["log-level"],
            log_format=options["log-format"],
        )
        daemon = Daemon(config, services(reactor, os.environ), say)
    except ConfigError as error:
        raise SystemExit(str(error)) from None
    _choose_log(daemon, config.log.format, config.log.level, getattr(options, "parent", None))
    return daemon


def say(line: str) -> None:
    """Tell the person at the terminal."""
    print(line, file=sys.stderr, flush=True)


def _choose_log(daemon: Daemon, format_: str, level: str, parent: Any) -> None:
    if parent is None:
        return
    if "fileLogObserverFactory" in parent:  # python -m twisted
        parent["logLevel"] = LogLevel.levelWithName(level)
        if format_ == "json":
            parent["fileLogObserverFactory"] = logs.json_observer
        return
    out = logs.destination(cast(dict[str, Any], parent))
    if out is not None:
        daemon.observer = logs.observer(format_, level, out)
