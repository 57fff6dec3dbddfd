"""The examples are whole, name what exists, and agree with llmux's own numbers. Dashboard and rules: test_monitoring."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from twisted.trial.unittest import SynchronousTestCase

from llmux.config import Config, ConfigError, listen, load
from llmux.config.limits import Limits, Timeouts
from llmux.config.listen import DEFAULT
from llmux.net.front import FrontSite
from llmux.web.routes import ROUTES, Route

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "etc" / "examples"
FILES = sorted(path for path in EXAMPLES.rglob("*") if path.is_file())

_PLACE = listen.parse(DEFAULT).parameters
ADDRESS = f"{_PLACE['interface']}:{_PLACE['port']}"


def text(name: str) -> str:
    """An example."""
    return (EXAMPLES / name).read_text(encoding="utf-8")


class FileTests(SynchronousTestCase):
    """All of them."""

    def test_listed(self) -> None:
        """README.md has a line for each, and for no other."""
        listed = re.findall(r"^\| `([^`]+)` \|", text("README.md"), re.MULTILINE)
        self.assertEqual(sorted([*listed, "README.md"]), [str(path.relative_to(EXAMPLES)) for path in FILES])

    def test_explained(self) -> None:
        """Each begins by saying what it is; JSON has no comments, so the dashboard has a description."""
        for path in FILES:
            first = path.read_text(encoding="utf-8").splitlines()[0]
            self.assertTrue(first.startswith("# ") or path.suffix == ".json", path)

    def test_parsed(self) -> None:
        for path in FILES:
            content = path.read_text(encoding="utf-8")
            if path.suffix in (".yaml", ".yml"):
                self.assertIsInstance(yaml.safe_load(content), dict, path)
            elif path.suffix == ".json":
                self.assertIsInstance(json.loads(content), dict, path)

    def test_neighbours(self) -> None:
        """The files that comments point to are there."""
        for path in FILES:
            for target in re.findall(r"\.\./[a-z][\w./-]*\w", path.read_text(encoding="utf-8")):
                self.assertTrue((path.parent / target).exists(), f"{path}: {target}")


class SnippetTests(SynchronousTestCase):
    """conf.d: beside the file that is shipped, with the credentials that they name."""

    def load(self, *names: str, lacking: str = "", environ: Mapping[str, str] | None = None) -> Config:
        """What llmux makes of some of them."""
        folder = Path(self.mktemp())
        site, credentials = folder / "conf.d", folder / "credentials"
        for each in (site, credentials):
            each.mkdir(parents=True)
        shutil.copy(ROOT / "etc" / "llmux" / "llmux.yaml", folder)
        for name in names:
            shutil.copy(EXAMPLES / "conf.d" / f"{name}.yaml", site)
        for credential in re.findall(r"credential: ([\w-]+)", "".join(text(f"conf.d/{name}.yaml") for name in names)):
            if not lacking or not credential.startswith(lacking):
                (credentials / credential).write_text(f"the-key-of-{credential}\n")
        return load(str(folder / "llmux.yaml"), environ or {})

    def test_all_tested(self) -> None:
        self.assertEqual(
            sorted(path.stem for path in (EXAMPLES / "conf.d").iterdir()), ["clients", "instances", "network", "providers"]
        )

    def test_providers(self) -> None:
        """Each has its keys; one without is left out."""
        config = self.load("providers")
        found = {provider.name: [key.value for key in provider.credentials] for provider in config.providers}
        self.assertEqual(
            found,
            {
                "openai": ["the-key-of-openai"],
                "anthropic": ["the-key-of-anthropic", "the-key-of-anthropic-spare"],
                "google": ["the-key-of-google"],
            },
        )
        config = self.load("providers", lacking="anthropic")
        self.assertEqual([provider.name for provider in config.providers], ["openai", "google"])

    def test_clients(self) -> None:
        """Three keys, one of them for no model. Without any: no start."""
        keys = {key.name: (key.key, key.models) for key in self.load("clients").api_keys}
        self.assertEqual(keys["laptop"], ("the-key-of-client-laptop", None))
        self.assertEqual(keys["ci"][1], ("gpt-5-mini", "claude-haiku-*"))
        self.assertEqual(keys["prometheus"][1], ())
        self.assertIn("no key is left", str(self.assertRaises(ConfigError, self.load, "clients", lacking="client")))

    def test_network(self) -> None:
        """With client keys everybody may come; without them llmux refuses, as its comment says."""
        self.assertEqual(self.load("clients", "network").listen, ("tcp:8743",))
        self.assertIn("no client keys are set", str(self.assertRaises(ConfigError, self.load, "network")))

    def test_instances(self) -> None:
        """One port each, of its own."""
        for instance, port in ((None, 9740), ("1", 9741), ("9", 9749)):
            config = self.load("instances", environ={} if instance is None else {"LLMUX_INSTANCE": instance})
            self.assertEqual(config.metrics.listen, f"tcp:{port}:interface=127.0.0.1")

    def test_together(self) -> None:
        self.assertEqual(len(self.load("clients", "instances", "network", "providers").providers), 3)


class FrontTests(SynchronousTestCase):
    """nginx and HAProxy. Whether they work is seen by running them (scripts/check_fronts.py); here is what they must know."""

    def number(self, pattern: str, name: str) -> float:
        """The one number that a pattern finds in an example."""
        (found,) = set(re.findall(pattern, text(name), re.MULTILINE))
        return float(found)

    def test_address(self) -> None:
        self.assertIn(f"    server {ADDRESS};\n", text("nginx/llmux.conf"))
        self.assertIn(f"    server llmux {ADDRESS} ", text("haproxy/llmux.cfg"))

    def test_patience(self) -> None:
        """llmux ends an exchange before the front does, and the front a resting connection before llmux."""
        total = Timeouts().total
        for pattern in (r"^    proxy_read_timeout +(\d+)s;", r"^    proxy_send_timeout +(\d+)s;"):
            self.assertGreater(self.number(pattern, "nginx/llmux.conf"), total)
        for pattern in (r"^    timeout client (\d+)s$", r"^    timeout server (\d+)s$"):
            self.assertGreater(self.number(pattern, "haproxy/llmux.cfg"), total)
        resting = FrontSite(None, None, None, 0).timeOut  # type: ignore[arg-type]  # only its number is asked for
        assert resting is not None
        self.assertLess(self.number(r"^    keepalive_timeout (\d+)s;", "nginx/llmux.conf"), resting)

    def test_bodies(self) -> None:
        """What is too large is refused by llmux."""
        self.assertGreater(self.number(r"client_max_body_size (\d+)m;", "nginx/llmux.conf") * 1024**2, Limits().body)

    def test_routes(self) -> None:
        """Every path of llmux is classed as the fronts class it: a new one must not slip through them."""
        nginx, haproxy = _nginx_rules(), _haproxy_rules()
        for route in ROUTES:
            path = re.sub(r"<path:\w+>", "a/b", re.sub(r"<(?!path:)\w+>", "a", route.path))
            want = _class(route)
            for name, rules in (("nginx", nginx), ("haproxy", haproxy)):
                found = {word for word, pattern in rules if re.search(pattern, path)}
                self.assertEqual(found, want, f"{name}: {route.path}")


def _class(route: Route) -> set[str]:
    """What a front must take a route for."""
    if route.access == "metrics":
        return {"metrics"}
    if route.handler == "browser_page":
        return {"pages"}
    if route.private:
        return {"amp"}
    return set()


def _nginx_rules() -> list[tuple[str, str]]:
    """What nginx.conf does with which paths."""
    rules: list[tuple[str, str]] = []
    bodies = {"return 404": "metrics", "$llmux_pages": "pages", "$llmux_amp": "amp", "$llmux_api": "amp"}
    for kind, place, body in re.findall(r"^    location (~ )?(\S+) \{\n(.*?)^    \}$", text("nginx/llmux.conf"), re.M | re.S):
        for word, class_ in bodies.items():
            if word in body:
                rules.append((class_, place if kind else "^" + re.escape(place)))
    (exempt,) = re.findall(r'^    "~\^(\S+)" +1;$', text("nginx/llmux.conf"), re.M)
    return [(class_, rf"^(?!{exempt})(?=/api/)" if pattern == "^/api/" else pattern) for class_, pattern in rules]


def _haproxy_rules() -> list[tuple[str, str]]:
    """What llmux.cfg does with which paths."""
    found = dict(re.findall(r"^    acl (\w+) path(?:,url_dec)? -m reg (\S+)$", text("haproxy/llmux.cfg"), re.M))
    exempt = found.pop("api_for_models").removeprefix("^")
    found["api"] = rf"^(?!{exempt})(?={found['api'].removeprefix('^')})"
    return [(name if name in ("metrics", "pages") else "amp", pattern) for name, pattern in found.items()]


class ContainerTests(SynchronousTestCase):
    """compose.yaml, what it mounts, and the Dockerfile."""

    def setUp(self) -> None:
        self.compose: Any = yaml.safe_load(text("compose/compose.yaml"))
        self.services: dict[str, Any] = self.compose["services"]

    def test_references(self) -> None:
        """Files, volumes, networks and secrets are there. What the operator makes himself is in `secrets`."""
        folder = EXAMPLES / "compose"
        for name, service in self.services.items():
            for mount in service["volumes"]:
                source = mount.split(":")[0]
                if source.startswith("."):
                    self.assertTrue((folder / source).exists(), f"{name}: {source}")
                    self.assertTrue(mount.endswith(":ro"), mount)
                else:
                    self.assertIn(source, self.compose["volumes"], name)
            self.assertLessEqual(set(service["networks"]), set(self.compose["networks"]), name)
            self.assertLessEqual(set(service.get("secrets", [])), set(self.compose["secrets"]), name)
        self.assertTrue((folder / self.services["llmux"]["build"] / "Dockerfile").exists())
        self.assertEqual(
            [row["file"] for row in self.compose["secrets"].values()], [f"./secrets/{n}" for n in self.compose["secrets"]]
        )

    def test_locked_down(self) -> None:
        """Nothing may be written, nothing gained, and nothing is published but to this host."""
        for name, service in self.services.items():
            self.assertTrue(service["read_only"], name)
            self.assertEqual((service["cap_drop"], service["security_opt"]), (["ALL"], ["no-new-privileges:true"]), name)
            for port in service["ports"]:
                self.assertTrue(port.startswith("127.0.0.1:"), port)
        self.assertEqual([name for name, service in self.services.items() if "profiles" not in service], ["llmux"])

    def test_configuration(self) -> None:
        """It is whole with the secrets of llmux's service, and with no other."""
        folder = Path(self.mktemp())
        folder.mkdir(parents=True)
        for secret in self.services["llmux"]["secrets"]:
            (folder / secret).write_text(f"the-key-of-{secret}\n")
        environ = {"CREDENTIALS_DIRECTORY": str(folder)}
        self.assertEqual(self.services["llmux"]["environment"], {"CREDENTIALS_DIRECTORY": "/run/secrets"})
        config = load(str(EXAMPLES / "compose" / "config" / "llmux.yaml"), environ)
        self.assertEqual([key.key for key in config.api_keys], ["the-key-of-client"])
        self.assertEqual([key.value for provider in config.providers for key in provider.credentials], ["the-key-of-openai"])
        self.assertEqual(config.notices, ())
        self.assertEqual(config.listen, ("tcp:8743",))

    def test_monitoring(self) -> None:
        """Who asks whom, and where the dashboard is."""
        config = yaml.safe_load(text("compose/config/llmux.yaml"))
        scrape = yaml.safe_load(text("compose/prometheus.yml"))
        port = listen.parse(config["metrics"]["listen"]).parameters["port"]
        self.assertEqual(scrape["scrape_configs"][0]["static_configs"], [{"targets": [f"llmux:{port}"]}])
        datasource = yaml.safe_load(text("grafana/provisioning/datasources/prometheus.yml"))["datasources"][0]
        self.assertEqual(datasource["url"], "http://prometheus:9090")
        folder = yaml.safe_load(text("grafana/provisioning/dashboards/llmux.yml"))["providers"][0]["options"]["path"]
        self.assertIn(f"../grafana/llmux.json:{folder}/llmux.json:ro", self.services["grafana"]["volumes"])
        self.assertEqual(self.services["grafana"]["networks"], self.services["prometheus"]["networks"])

    def test_scrape(self) -> None:
        """Prometheus without containers asks where llmux listens, and the job is the one that the alerts name."""
        (job,) = yaml.safe_load(text("prometheus/scrape.yml"))["scrape_configs"]
        self.assertEqual((job["job_name"], job["static_configs"]), ("llmux", [{"targets": [ADDRESS]}]))

    def test_image(self) -> None:
        """Nothing runs as root, and it listens where it says."""
        lines = text("docker/Dockerfile").splitlines()
        instructions = [line.split(" ", 1) for line in lines if re.match(r"[A-Z]+ ", line)]
        self.assertEqual([value for word, value in instructions if word == "USER"], ["llmux"])
        self.assertGreater([word for word, _ in instructions].index("USER"), [word for word, _ in instructions].index("RUN"))
        said = dict(instructions)
        self.assertEqual(said["EXPOSE"], _PLACE["port"])
        self.assertEqual(json.loads(said["ENTRYPOINT"]), ["/usr/bin/llmux"])
        self.assertIn(f"tcp:{_PLACE['port']}", json.loads(said["CMD"]))
        self.assertIn("HEALTHCHECK", said)
