import os
import re
from pathlib import Path

import yaml

from llmux.config import Config, ConfigError, load
from tests.config.case import ConfigCase

SHIPPED = Path(__file__).parents[2] / "etc" / "llmux" / "llmux.yaml"


class FileCase(ConfigCase):
    def setUp(self) -> None:
        folder = self.mktemp()
        os.makedirs(folder)
        self.path = os.path.join(folder, "llmux.yaml")

    def write(self, data: bytes) -> None:
        with open(self.path, "wb") as file:
            file.write(data)


class Load(FileCase):
    def problem(self, path: str) -> str:
        return str(self.assertRaises(ConfigError, load, path, {}))

    def test_without_a_file_there_is_the_scenario(self) -> None:
        config = load(None, {})
        self.assertEqual((config.path, config.listen, config.api_keys), (None, Config().listen, ()))
        self.assertEqual([provider.scenario for provider in config.providers], ["builtin:hello"])
        self.assertEqual(config.notices, ())
        self.assertEqual(load(None, {"PORT": "0"}).listen, ("tcp:0:interface=127.0.0.1",))

    def test_a_file(self) -> None:
        self.write("\ufeffdrain: 7 # sieben Sekunden für alle\n".encode())
        config = load(self.path, {})
        self.assertEqual((config.drain, config.path), (7, self.path))

    def test_scenarios_stand_beside_it(self) -> None:
        self.write(b"providers: {s: {scenario: .}}\n")
        self.assertEqual(load(self.path, {}).providers[0].scenario, os.path.join(os.path.dirname(self.path), "."))

    def test_a_file_that_cannot_be_read(self) -> None:
        self.assertEqual(self.problem(self.path), f"{self.path}: cannot be read: No such file or directory")
        folder = os.path.dirname(self.path)
        self.assertEqual(self.problem(folder), f"{folder}: cannot be read: Is a directory")

    def test_a_file_in_another_encoding(self) -> None:
        self.write("drain: 1\nlog: {file: für}\n".encode("latin-1"))
        self.assertEqual(self.problem(self.path), f"{self.path}:2:14: not UTF-8")
        self.write("drain: 1\n".encode("utf-16"))
        self.assertEqual(self.problem(self.path), f"{self.path}:1:1: not UTF-8")

    def test_mistakes_come_in_the_order_of_the_file(self) -> None:
        self.write(b"zzz: 1\nproviders: 2\nlisten: tcp\n")
        error = self.assertRaises(ConfigError, load, self.path, {})
        self.assertEqual([problem.where.line for problem in error.problems], [1, 2, 3])
        self.assertEqual(str(error).count("\n"), 2)
        self.assertTrue(str(error).startswith(f"{self.path}:1:1: zzz: unknown key\n{self.path}:2:12: providers: must be"))


class Shipped(FileCase):
    def test_it_sets_nothing_and_says_nothing(self) -> None:
        """A list in it would be replaced by one in conf.d, which is worth a notice each time."""
        self.assertIsNone(yaml.safe_load(SHIPPED.read_text(encoding="utf-8")))
        config = load(str(SHIPPED), {})
        self.assertEqual([provider.name for provider in config.providers], ["demo"])
        self.assertEqual((config.listen, config.api_keys, config.notices), (Config().listen, (), ()))

    def test_its_example_is_in_order(self) -> None:
        text = "".join(re.findall(r"^#   ( *\w+:.*\n)", SHIPPED.read_text(encoding="utf-8"), re.MULTILINE))
        self.write(text.encode())
        folder = os.path.join(os.path.dirname(self.path), "credentials")
        os.mkdir(folder)
        with open(os.path.join(folder, "openai"), "w") as file:
            file.write("sk-1")
        config = load(self.path, {})
        self.assertEqual([provider.name for provider in config.providers], ["openai"])
        self.assertEqual(config.notices, ())
