"""Reading the configuration again while it runs: one reload at a time, and a bad configuration never takes a good one's place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from twisted.internet.defer import DeferredLock
from twisted.logger import Logger

from llmux.config import Config, ConfigError
from llmux.listening import StartError


class Reloader:
    """Reads a configuration and has it adopted.

    `read()` gives it, or raises ConfigError; `adopt(config)` lets it take effect as a whole, or raises StartError (a listener)
    or OSError (the log's file) with nothing changed.
    """

    _log = Logger()

    def __init__(self, read: Callable[[], Config], adopt: Callable[[Config], Awaitable[None]]) -> None:
        self._read = read
        self._adopt = adopt
        self._lock = DeferredLock()

    async def reload(self) -> str | None:
        """Why it was refused, in one line ("": it was not). None: another reload is waiting already, and will see the same."""
        if self._lock.waiting:
            return None
        await self._lock.acquire()
        try:
            return await self._attempt()
        finally:
            self._lock.release()

    async def _attempt(self) -> str:
        try:
            await self._adopt(self._read())
        except ConfigError as error:
            first, *others = error.problems
            for problem in error.problems:
                self._log.error("{problem}", problem=str(problem))
            return self._refused(f"{first} (and {len(others)} more)" if others else str(first))
        except (StartError, OSError) as error:
            return self._refused(str(error))
        except Exception:  # whatever it is, what runs must go on
            self._log.failure("a defect while reading the configuration again")
            return self._refused("a defect of llmux's own; its log tells more")
        return ""

    def _refused(self, why: str) -> str:
        self._log.error("the configuration was not reloaded, the one before stays in effect: {why}", why=why)
        return f"reload refused: {why}"
