"""Run a command as systemd runs a service of Type=notify: with NOTIFY_SOCKET, and note what it says there.

    notified.py FILE COMMAND...

Each notification is appended to FILE, line by line. A SIGTERM goes on to the command, whose exit status becomes this one's.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading


def note(notifications: socket.socket, path: str) -> None:
    """Append what comes, for ever."""
    with open(path, "a", encoding="utf-8") as file:
        while True:
            print(notifications.recv(4096).decode().rstrip("\n"), file=file, flush=True)


def main(path: str, *command: str) -> int:
    """Run `command` to its end and return its exit status."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifications:
        address = os.path.join(folder, "notify")
        notifications.bind(address)
        os.chmod(folder, 0o755)
        os.chmod(address, 0o666)
        os.umask(0o077)
        with subprocess.Popen(command, cwd="/var/lib/llmux", env={**os.environ, "NOTIFY_SOCKET": address}) as process:
            signal.signal(signal.SIGTERM, lambda *_: process.terminate())
            threading.Thread(target=note, args=(notifications, path), daemon=True).start()
            return process.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
