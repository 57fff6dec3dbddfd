"""The key that signs seals, where the configuration names none: made once, kept in the state folder, for its owner alone."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

_FILE = "seal.key"
_BYTES = 32


def state_folder(environ: Mapping[str, str]) -> Path | None:
    """Where llmux keeps what must outlive it: the service manager's folder, else the user's; None where there is neither."""
    given = environ.get("STATE_DIRECTORY", "").partition(":")[0]
    if given:
        return Path(given)
    base = environ.get("XDG_STATE_HOME") or (environ.get("HOME", "") and os.path.join(environ["HOME"], ".local", "state"))
    return Path(base) / "llmux" if base else None


def kept_key(environ: Mapping[str, str]) -> tuple[bytes, str]:
    """The key, and why it will not outlive this process ("": it will)."""
    folder = state_folder(environ)
    if folder is None:
        return secrets.token_bytes(_BYTES), "neither STATE_DIRECTORY nor HOME is set"
    path = folder / _FILE
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return _read(path) or _make(path), ""
    except OSError as error:
        return secrets.token_bytes(_BYTES), f"{path}: {error.strerror or error}"


def _read(path: Path) -> bytes | None:
    try:
        with open(path, "rb") as file:
            os.fchmod(file.fileno(), 0o600)
            key = file.read()
    except FileNotFoundError:
        return None
    return key if len(key) >= _BYTES else None


def _make(path: Path) -> bytes:
    """Another process may make one at the same time; the first one stays."""
    key = secrets.token_bytes(_BYTES)
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(scratch, path)
        except FileExistsError:
            kept = _read(path)
            if kept is not None:
                return kept
            os.replace(scratch, path)  # what stood there was no key
            return key
    finally:
        scratch.unlink(missing_ok=True)
    return key
