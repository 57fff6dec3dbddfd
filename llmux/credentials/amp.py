"""The key for the Amp upstream: from the configuration, the environment, or the file of Amp's own command line.

First that is not empty wins. A client key may have an upstream key of its own, which wins over all of them. The order
and the file are CLIProxyAPI's, so its users find their key in use unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from twisted.logger import Logger

from llmux.amp.secrets import parse_secrets

# Seconds for which the file is believed, an empty result included.
_FILE_TTL = 300.0


class AmpSecrets:
    """Finds the key to inject. `per_client` maps client keys to upstream keys; `seconds` is the clock."""

    _log = Logger()

    def __init__(
        self,
        configured: str | None,
        per_client: Mapping[str, str],
        environ: Mapping[str, str],
        seconds: Callable[[], float],
    ) -> None:
        self._configured = (configured or "").strip()
        self._per_client = dict(per_client)
        self._environ = environ
        self._seconds = seconds
        self._file = ""
        self._read_at: float | None = None

    def find(self, client_key: bytes | None) -> str | None:
        """The key for this caller (None: a caller who needed no key), or None where there is no key at all."""
        if client_key is not None:
            own = self._per_client.get(client_key.decode("utf-8", "replace"))
            if own:
                return own
        return self._configured or self._environ.get("AMP_API_KEY", "").strip() or self._from_file() or None

    def known(self) -> tuple[bytes, ...]:
        """Every key that might be in use, for masking."""
        keys = {self._configured, self._environ.get("AMP_API_KEY", "").strip(), self._file, *self._per_client.values()}
        return tuple(key.encode() for key in keys if key)

    def _from_file(self) -> str:
        now = self._seconds()
        if self._read_at is None or now - self._read_at >= _FILE_TTL:
            self._read_at = now
            self._file = self._read()
        return self._file

    def _read(self) -> str:
        home = self._environ.get("HOME")
        if not home:
            return ""
        path = Path(home) / ".local/share/amp/secrets.json"
        try:
            return (parse_secrets(path.read_text(encoding="utf-8")) or "").strip()
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            self._log.warn("amp secret source error (continuing without auth): {path}: {error}", path=str(path), error=error)
            return ""
