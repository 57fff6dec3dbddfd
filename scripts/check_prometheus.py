"""Let a real Prometheus scrape a real llmux and evaluate the alert rules and every expression of the dashboard.

Usage: check_prometheus.py EXAMPLES LLMUX

EXAMPLES is the folder with the examples, LLMUX the command to run. Needs prometheus. An expression passes when Prometheus
understands it and finds data for it: all that llmux can count is made to happen first.
"""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from loopback import Llmux, Process, Provider, answers, ask, chat, connection, free_port

CHAT = "/v1/chat/completions"


def panels(dashboard: Any) -> Iterator[tuple[str, str]]:
    """The expressions of its panels, and where they stand."""
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield f"{panel['title']} {target['refId']}", filled_in(target["expr"])


def filled_in(expression: str) -> str:
    """The expression as Grafana would send it."""
    for name, value in {"$__rate_interval": "30s", "$job": "llmux", "$instance": ".*"}.items():
        expression = expression.replace(name, value)
    if "$" in expression:
        raise SystemExit(f"an unknown variable: {expression}")
    return expression


class Prometheus(Process):
    """The scrape example with our addresses, and a second for a minute."""

    def __init__(self, examples: Path, llmux: int, folder: Path) -> None:
        self.port = free_port()
        text = (examples / "prometheus" / "scrape.yml").read_text()
        for old, new in {"127.0.0.1:8743": f"127.0.0.1:{llmux}", "15s": "1s"}.items():
            if old not in text:
                raise SystemExit(f"the example does not hold {old!r}")
            text = text.replace(old, new)
        (folder / "prometheus.yml").write_text(text)
        (folder / "alerts.yml").write_text((examples / "prometheus" / "alerts.yml").read_text())
        options = {"config.file": "prometheus.yml", "storage.tsdb.path": "data", "web.listen-address": f"127.0.0.1:{self.port}"}
        super().__init__("prometheus", ["prometheus", *(f"--{name}={value}" for name, value in options.items())], folder)
        self.until("Prometheus listens", lambda: answers(self.port))

    def api(self, path: str) -> Any:
        """What its API says; a refusal is told as such."""
        line = connection(self.port)
        said = json.loads(ask(line, f"/api/v1/{path}", key=None).read())
        line.close()
        if said["status"] != "success":
            raise SystemExit(f"{path}: {said['error']}")
        return said["data"]

    def query(self, expression: str) -> list[Any]:
        """The result of an expression, now."""
        found: list[Any] = self.api(f"query?query={quote(expression)}")["result"]
        return found


def happen(llmux: Llmux) -> None:
    """Everything that llmux counts, once."""
    line = connection(llmux.ports[0])
    for body in (chat("m"), chat("m", stream=True), chat("broken"), chat("dead"), chat("nobody-serves-this")):
        ask(line, CHAT, body).read()
    ask(line, "/v1/models", key="a-wrong-key").read()
    line.close()
    llmux.process.send_signal(signal.SIGHUP)


def main() -> None:
    """Let it happen, scrape, ask."""
    examples, command = Path(sys.argv[1]).resolve(), sys.argv[2]
    dashboard = json.loads((examples / "grafana" / "llmux.json").read_text())
    provider = Provider()
    provider.release.set()
    with tempfile.TemporaryDirectory(prefix="llmux-prometheus-") as name:
        folder = Path(name)
        with Llmux(command, provider, folder) as llmux, Prometheus(examples, llmux.ports[0], folder) as prometheus:
            # What is counted before the first scrape has no rate.
            happen(llmux)
            prometheus.until("a first scrape", lambda: prometheus.query('up{job="llmux"} == 1'))
            happen(llmux)
            for where, expression in panels(dashboard):
                prometheus.until(f"data for {where}: {expression}", partial(prometheus.query, expression))
                print(f"  ok  {where}", flush=True)
            for annotation in dashboard["annotations"]["list"]:
                prometheus.query(filled_in(annotation["expr"]))  # most of the time there is nothing to annotate
            rules = [rule for group in prometheus.api("rules")["groups"] for rule in group["rules"]]
            bad = [f"{rule['name']}: {rule.get('lastError')}" for rule in rules if rule["health"] == "err"]
            if bad or not rules:
                raise SystemExit(f"rules that cannot be evaluated: {bad}")
            print(f"  ok  {len(rules)} rules evaluated", flush=True)


if __name__ == "__main__":
    main()
