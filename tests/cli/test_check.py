import io
import os
import pathlib
import sys

from twisted.trial.unittest import SynchronousTestCase

from llmux.cli import main
from tests.config.case import LOCAL
from tests.net.test_tls import certificate


class Check(SynchronousTestCase):
    """`llmux check FILE`, as it is typed."""

    def setUp(self) -> None:
        self.folder = self.mktemp()
        os.makedirs(os.path.join(self.folder, "conf.d"))
        self.path = os.path.join(self.folder, "llmux.yaml")
        self.write("llmux.yaml", LOCAL)
        self.patch(os, "environ", {})

    def write(self, name: str, text: str) -> None:
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def check(self) -> tuple[int | str | None, str, str]:
        """The exit status, and what was printed where."""
        out, err = io.StringIO(), io.StringIO()
        self.patch(sys, "stdout", out)
        self.patch(sys, "stderr", err)
        ended = self.assertRaises(SystemExit, main, ["check", self.path])
        return ended.code, *(printed.getvalue().replace(f"{self.folder}/", "") for printed in (out, err))

    def test_one_file(self) -> None:
        self.assertEqual(self.check(), (0, "llmux.yaml: ok, 1 provider\n", ""))

    def test_the_files_of_conf_d_are_counted(self) -> None:
        self.write("conf.d/10.yaml", "providers: {b: {scenario: 'builtin:hello'}}\n")
        self.assertEqual(self.check(), (0, "llmux.yaml and 1 file of conf.d: ok, 2 providers\n", ""))
        self.write("conf.d/20.yaml", "drain: 1\n")
        self.assertEqual(self.check(), (0, "llmux.yaml and 2 files of conf.d: ok, 2 providers\n", ""))

    def test_what_would_be_opened(self) -> None:
        """Certificates and the log's folder: a daemon that starts would stumble over them."""
        first, second = (certificate(pathlib.Path(self.mktemp()).absolute()) for _ in range(2))
        tls = "ssl:0:interface=127.0.0.1:privateKey={}:certKey={}"
        self.write("conf.d/10.yaml", f"listen: ['{tls.format(*first)}']\nlog: {{file: llmux.log}}\n")
        self.assertEqual(self.check(), (0, "llmux.yaml and 1 file of conf.d: ok, 1 provider\n", ""))
        mixed = tls.format(first[0], second[1])
        self.write("conf.d/10.yaml", f"log: {{file: absent/llmux.log}}\nmetrics: {{listen: '{mixed}'}}\n")
        status, out, err = self.check()
        self.assertEqual((status, out), (1, ""))
        where, log = err.splitlines()
        self.assertTrue(where.startswith(f"conf.d/10.yaml:2:19: metrics.listen: {mixed}: "), where)
        self.assertIn("log.file: there is no folder ", log)
        self.write("conf.d/10.yaml", "log: {file: .}\n")
        self.assertIn("is a folder", self.check()[2])

    def test_warnings_name_their_file(self) -> None:
        self.write("conf.d/10.yaml", "amp: {upstream_api_key: {env: AMP}}\n")
        self.write("conf.d/20.yml", "")
        self.assertEqual(
            self.check(),
            (
                0,
                "warning: conf.d/20.yml: not read; to have it read, name it 20.yaml\n"
                "warning: conf.d/10.yaml:1:25: amp.upstream_api_key: absent: environment variable AMP is not set\n"
                "llmux.yaml and 1 file of conf.d: ok, 1 provider\n",
                "",
            ),
        )

    def test_mistakes_of_all_files_are_told_at_once(self) -> None:
        self.write("conf.d/10.yaml", "lisen: 1\n")
        self.write("conf.d/20.yaml", "drain: [\n")
        self.assertEqual(
            self.check(),
            (
                1,
                "",
                "conf.d/10.yaml:1:1: lisen: unknown key, did you mean 'listen'?\n"
                "conf.d/20.yaml:2:1: not YAML: while parsing a flow node, expected the node content, but found '<stream end>'\n",
            ),
        )
