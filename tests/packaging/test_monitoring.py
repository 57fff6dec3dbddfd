"""The dashboard and the alert rules name what a running llmux exports, and nothing else. promtool judges the rest."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

import yaml
from prometheus_client.parser import text_string_to_metric_families
from twisted.trial.unittest import SynchronousTestCase

from llmux.errors import Kind
from llmux.routing.decision import Outcome
from tests.harness import Gateway, GatewayCase, Provider, Wire, request
from tests.packaging.promql import named

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "etc" / "examples"

# What Prometheus adds to every series of a target; `up` is its own.
OF_PROMETHEUS = {"job", "instance"}
SELECTION = ['job=~"$job"', 'instance=~"$instance"']
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

_CHAT = "/v1/chat/completions"
_KEY = "authorization: Bearer a-client-key-0001"


def read(name: str) -> Any:
    """A YAML example."""
    return yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8"))


def alerts() -> list[dict[str, Any]]:
    """The alert rules."""
    return [rule for group in read("prometheus/alerts.yml")["groups"] for rule in group["rules"]]


DASHBOARD: Any = json.loads((EXAMPLES / "grafana" / "llmux.json").read_text(encoding="utf-8"))
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]


def of_dashboard() -> Iterator[tuple[str, str]]:
    """Every expression in the dashboard, with its place."""
    for panel in PANELS:
        for target in panel.get("targets", []):
            yield f"panel '{panel['title']}'", target["expr"]
    for annotation in DASHBOARD["annotations"]["list"]:
        yield f"annotation '{annotation['name']}'", annotation["expr"]
    for variable in DASHBOARD["templating"]["list"]:
        if variable["type"] == "query":
            # label_values(SELECTOR, LABEL): the label is looked for in the selector's metric
            (found,) = re.findall(r"^label_values\((.*), (\w+)\)$", variable["query"]["query"])
            yield f"variable '{variable['name']}'", f"sum by ({found[1]}) ({found[0]})"


def of_alerts() -> Iterator[tuple[str, str]]:
    """Every expression in the rules, with its name."""
    for rule in alerts():
        yield f"alert {rule['alert']}", rule["expr"]


def of_tests() -> Iterator[tuple[str, str]]:
    """Every series that the rules are tested with, but for the neighbours that are not llmux."""
    for test in read("prometheus/alerts_test.yml")["tests"]:
        for series in test["input_series"]:
            if 'job="node"' not in series["series"]:
                yield f"test '{test['name']}'", series["series"]


class ExportTests(GatewayCase):
    """Against what is scraped after a bit of everything has happened."""

    async def scrape(self) -> dict[str, dict[str, set[str]]]:
        """By sample name: its labels, and the values that they had."""
        provider = await self.provider(_perform)
        listed = "models: [good, bad, wrong, silent]"
        config = (
            "api_keys: [a-client-key-0001]\n"
            "providers:\n"
            f'  p: {{base_url: "http://127.0.0.1:{provider.port}/v1", dialect: openai-chat, {listed}}}\n'
            '  dead: {base_url: "http://127.0.0.1:9/v1", dialect: openai-chat, models: [dead]}\n'
        )
        gateway = self.gateway(config)
        for model in ("good", "bad", "wrong", "dead", "nobody"):
            await gateway.post(_CHAT, b'{"model": "%b", "messages": []}' % model.encode(), _KEY)
        await gateway.post(_CHAT, b'{"model": "good", "messages": [], "stream": true}', _KEY)
        await gateway.get("/v1/models")
        await self.hang_up(gateway, provider)
        exported: dict[str, dict[str, set[str]]] = {"up": {}}
        for family in text_string_to_metric_families((await gateway.get("/metrics")).body.decode()):
            for sample in family.samples:
                labels = exported.setdefault(sample.name, {})
                for label, value in sample.labels.items():
                    labels.setdefault(label, set()).add(value)
        # What cannot be made to happen here in a moment, in the code's own words.
        exported["llmux_attempts_total"]["outcome"].update(get_args(Kind))
        exported["llmux_mapping_total"]["kind"].update(get_args(Outcome))
        return exported

    async def hang_up(self, gateway: Gateway, provider: Provider) -> None:
        """A client that does not wait for its answer."""
        number = len(provider.connections)
        body = b'{"model": "silent", "messages": []}'
        client = await gateway.send(request(_CHAT, body, _KEY))
        wire = await provider.request(number)
        client.reset()
        await wire.ended()

    async def test_named(self) -> None:
        """Metrics, labels, and the labels' values."""
        exported = await self.scrape()
        wrong: list[str] = []
        for where, expression in (*of_dashboard(), *of_alerts(), *of_tests()):
            found = named(expression)
            self.assertTrue(found.metrics, expression)
            wrong += [f"{where}: no metric {name}" for name in found.metrics - exported.keys()]
            known = OF_PROMETHEUS.union(found.made, *(exported.get(name, {}) for name in found.metrics))
            wrong += [f"{where}: no label {label}" for label in found.labels - known]
            for matcher in found.matchers:
                values = exported.get(matcher.metric, {}).get(matcher.label)
                if values is None:
                    if matcher.label not in OF_PROMETHEUS:
                        wrong.append(f"{where}: {matcher.metric} has no label {matcher.label}")
                elif matcher.label in ("outcome", "kind", "stream", "result", "state", "code_class", "le"):
                    wrong += [
                        f"{where}: {matcher.metric} has no {matcher.label} {value}" for value in set(matcher.values) - values
                    ]
        self.assertEqual(wrong, [])

    async def test_seen(self) -> None:
        """The scrape is worth something: everything of ours that is counted stands in the dashboard."""
        exported = await self.scrape()
        self.assertEqual(
            exported["llmux_requests_total"]["outcome"], {"ok", "client_error", "upstream_error", "rejected", "client_gone"}
        )
        shown = {name for _, expression in of_dashboard() for name in named(expression).metrics}
        ours = {name for name in exported if name.startswith("llmux_") and not name.endswith(("_created", "_sum", "_count"))}
        self.assertEqual(ours - shown, set())


def _perform(wire: Wire) -> None:
    """A provider that does what the model's name says."""
    for model, status in ((b"good", b"200 OK"), (b"bad", b"500 Bad"), (b"wrong", b"400 Wrong")):
        if b'"%b"' % model in wire.received:
            wire.send(b"HTTP/1.1 %b\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n{}" % status)
            wire.close()


class AlertTests(SynchronousTestCase):
    """What promtool does not ask of the rules."""

    def test_names(self) -> None:
        names = Counter(rule["alert"] for rule in alerts())
        self.assertEqual([name for name, times in names.items() if times > 1], [])
        self.assertGreater(len(names), 10)

    def test_words(self) -> None:
        """Who is woken, and what is told to them."""
        for rule in alerts():
            self.assertIn(rule["labels"]["severity"], ("critical", "warning", "info"), rule["alert"])
            self.assertEqual(set(rule["annotations"]), {"summary", "description"}, rule["alert"])

    def test_tested(self) -> None:
        """Every alert has a test in which it fires and one in which it does not."""
        tests = [row for test in read("prometheus/alerts_test.yml")["tests"] for row in test["alert_rule_test"]]
        names = {rule["alert"] for rule in alerts()}
        self.assertEqual({row["alertname"] for row in tests if row["exp_alerts"]}, names)
        self.assertEqual({row["alertname"] for row in tests if not row["exp_alerts"]}, names)


class DashboardTests(SynchronousTestCase):
    """What Grafana would not say."""

    def test_identity(self) -> None:
        ids = [panel["id"] for panel in PANELS]
        self.assertEqual(len(set(ids)), len(ids))
        titles = [panel["title"] for panel in PANELS]
        self.assertEqual(len(set(titles)), len(titles))
        for panel in PANELS:
            references = [target["refId"] for target in panel.get("targets", [])]
            self.assertEqual(len(set(references)), len(references), panel["title"])

    def test_datasource(self) -> None:
        """Everything that asks, asks the one that is chosen above."""
        asking: list[dict[str, Any]] = [panel for panel in PANELS if panel["type"] != "row"]
        asking += [target for panel in asking for target in panel["targets"]]
        asking += DASHBOARD["annotations"]["list"]
        variables = DASHBOARD["templating"]["list"]
        self.assertEqual(
            (variables[0]["name"], variables[0]["type"], variables[0]["query"]), ("datasource", "datasource", "prometheus")
        )
        asking += variables[1:]
        self.assertEqual([row for row in asking if row["datasource"] != DATASOURCE], [])

    def test_selection(self) -> None:
        """Every panel obeys the choice of job and instance."""
        for panel in PANELS:
            for target in panel.get("targets", []):
                for part in SELECTION:
                    self.assertIn(part, target["expr"], panel["title"])

    def test_places(self) -> None:
        """No two panels lie on each other, and none beside the grid."""
        for panel in PANELS:
            place = panel["gridPos"]
            self.assertTrue(0 <= place["x"] < place["x"] + place["w"] <= 24 and place["h"] > 0, panel["title"])
        for one, other in combinations(PANELS, 2):
            self.assertFalse(_overlap(one["gridPos"], other["gridPos"]), f"{one['title']} and {other['title']}")

    def test_alerts(self) -> None:
        """The alerts that its descriptions name are there."""
        mentioned = [name for panel in PANELS for name in re.findall(r"\bLlmux\w+", panel.get("description", ""))]
        self.assertTrue(mentioned)
        self.assertEqual(set(mentioned) - {rule["alert"] for rule in alerts()}, set())


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return _meet(one["x"], one["w"], other["x"], other["w"]) and _meet(one["y"], one["h"], other["y"], other["h"])


def _meet(start: int, length: int, other: int, its: int) -> bool:
    return start < other + its and other < start + length


class ScannerTests(SynchronousTestCase):
    """The scanner sees what it is meant to see."""

    def names(self, expression: str) -> Iterable[str]:
        return sorted(named(expression).metrics)

    def test_metrics(self) -> None:
        self.assertEqual(self.names("up"), ["up"])
        self.assertEqual(self.names('sum by (job) (rate(a_total{b="c"}[5m])) / on (job) d > 1e3'), ["a_total", "d"])
        self.assertEqual(self.names("topk(10, x) and on (job, instance) y unless z offset 5m"), ["x", "y", "z"])
        self.assertEqual(self.names("rate(x[$__rate_interval]) > bool 0 or vector(0)"), ["x"])

    def test_labels(self) -> None:
        found = named(
            'sum by (job, le) (label_replace(a{b=~"c|d", e!="f g"}, "host", "$1", "instance", ".*")) * on (i) group_left (s) x'
        )
        self.assertEqual(found.labels, {"job", "le", "i", "s"})
        self.assertEqual(found.made, {"host"})
        self.assertEqual(
            [(m.metric, m.label, m.operator, m.values) for m in found.matchers],
            [("a", "b", "=~", ["c", "d"]), ("a", "e", "!=", [])],
        )
