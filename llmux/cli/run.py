"""`llmux run`: the daemon in the foreground, without twistd."""

from __future__ import annotations

import sys
from typing import Any

from twisted.logger import globalLogBeginner

from llmux.listening import StartError
from llmux.tap import makeService


def main(options: Any) -> int:
    """Run until a signal ends it. Exit status 0, or 1 when it could not start."""
    from twisted.internet import reactor

    core: Any = reactor
    daemon = makeService(options, core, sys.stdout)
    assert daemon.log is not None  # where it goes was said
    globalLogBeginner.beginLoggingTo([daemon.log], redirectStandardIO=False)
    try:
        daemon.privilegedStartService()
        daemon.startService()
    except StartError:
        return 1  # it has said why
    core.addSystemEventTrigger("before", "shutdown", daemon.stopService)
    core.run()
    return 0
