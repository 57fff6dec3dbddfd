"""Clients that call llmux while something happens to it: nobody may notice.

    load.py CLIENTS COMMAND...

Half of the clients ask for whole answers, half for streams of half a second; each opens a new connection for every call.
COMMAND runs once they are all at it, and they go on until each has had an answer to a call that began after COMMAND's end. The
exit status is 0 when COMMAND succeeded and every single call was answered whole.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection, HTTPException

PATIENCE = 60  # seconds for one call
PAUSE = 0.005  # seconds between two calls of a client: what happens meanwhile needs the processor too


class Client(threading.Thread):
    """One client. `answered` is set whenever a call that began after it was cleared has been answered, or has failed."""

    def __init__(self, stream: bool) -> None:
        super().__init__(daemon=True)
        self.stream = stream
        self.calls = 0
        self.longest = 0.0
        self.failures: list[str] = []
        self.answered = threading.Event()
        self.enough = threading.Event()

    def run(self) -> None:
        """Call until it is enough."""
        while not self.enough.is_set():
            waiting = not self.answered.is_set()
            began = time.monotonic()
            try:
                self.call()
            except (OSError, HTTPException) as error:
                self.failures.append(f"{type(error).__name__}: {error}")
            self.calls += 1
            self.longest = max(self.longest, time.monotonic() - began)
            if waiting:
                self.answered.set()
            time.sleep(PAUSE)

    def call(self) -> None:
        """One call over a connection of its own."""
        connection = HTTPConnection("127.0.0.1", 8743, timeout=PATIENCE)
        body: dict[str, object] = {"model": "steady-5" if self.stream else "over-plain", "stream": self.stream, "messages": []}
        try:
            connection.request("POST", "/v1/chat/completions", json.dumps(body), {"content-type": "application/json"})
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        whole = answer.count(b"data: ") == 7 and answer.endswith(b"data: [DONE]\n\n") if self.stream else b"heard" in answer
        if response.status != 200 or not whole:
            raise HTTPException(f"{response.status} {answer[-300:]!r}")


def wait_for_new_answers(crowd: list[Client]) -> None:
    """Until each has had an answer to a call that began after this."""
    for client in crowd:
        client.answered.clear()
    for client in crowd:
        client.answered.wait()


def main(clients: str, *command: str) -> int:
    """Run `command` among so many clients; 0 when none of them noticed."""
    crowd = [Client(stream=bool(number % 2)) for number in range(int(clients))]
    for client in crowd:
        client.start()
    wait_for_new_answers(crowd)
    status = subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode
    wait_for_new_answers(crowd)
    for client in crowd:
        client.enough.set()
    for client in crowd:
        client.join()
    failures = [failure for client in crowd for failure in client.failures]
    for kind, streams in (("whole answers", False), ("streams", True)):
        some = [client for client in crowd if client.stream == streams]
        calls, longest = sum(client.calls for client in some), max(client.longest for client in some)
        print(f"      {calls} {kind}, the longest call took {longest:.1f} s")
    print(f"      {len(failures)} calls failed", *failures[:5], sep="\n        ")
    return status or bool(failures)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
