import functools
import hashlib
import json
import os
import random
from collections.abc import Mapping
from typing import Any

from llmux.config import Config, ConfigError, load
from llmux.config.document import MOST_VALUES
from tests.config.case import LOCAL, ConfigCase

KEYED = "providers: {a: {base_url: 'http://a.test', dialect: openai, models: [m], api_keys: ['${A}']}}\n"

NOT_JOINED = "lists of several files are not joined"
# What PyYAML says where a list or mapping is never closed.
UNCLOSED = "not YAML: while parsing a flow node, expected the node content, but found '<stream end>'"


class LayersCase(ConfigCase):
    """A main file `llmux.yaml`, and files of the folder `conf.d` beside it."""

    def setUp(self) -> None:
        self.folder = self.mktemp()
        os.makedirs(os.path.join(self.folder, "conf.d"))

    def write(self, main: str, site: Mapping[str, str]) -> str:
        for name, text in {"llmux.yaml": main, **{f"conf.d/{name}": text for name, text in site.items()}}.items():
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        return os.path.join(self.folder, "llmux.yaml")

    def layered(self, main: str, *site: str, environ: Mapping[str, str] | None = None) -> Config:
        """The configuration of a main file and of `0.yaml`, `1.yaml`…"""
        numbered = {f"{number}.yaml": text for number, text in enumerate(site)}
        return load(self.write(main, numbered), environ or {})

    def shown(self, found: object) -> str:
        return str(found).replace(f"{self.folder}/", "")

    def said(self, main: str, *site: str, **environ: str) -> list[str]:
        """What is noted about files that are in order."""
        return [self.shown(notice) for notice in self.layered(main, *site, environ=environ).notices]

    def assert_wrong(self, main: str, *site: str, expected: list[str], environ: Mapping[str, str] | None = None) -> None:
        error = self.assertRaises(ConfigError, self.layered, main, *site, environ=environ)
        self.assertEqual([self.shown(problem) for problem in error.problems], expected)


class Files(LayersCase):
    """Which files are read, and in which order."""

    def test_without_the_folder_there_is_one_file(self) -> None:
        os.rmdir(os.path.join(self.folder, "conf.d"))
        path = os.path.join(self.folder, "llmux.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(LOCAL)
        self.assertEqual(load(path, {}).files, (path,))
        self.assertEqual(load(None, {}).files, ())

    def test_the_names_are_read_in_byte_order(self) -> None:
        names = ["9.yaml", "10.yaml", "B.yaml", "a.yaml", "é.yaml", "\U0001f40c.yaml", "\uffee.yaml"]
        path = self.write(LOCAL, {name: f"drain: {number}\n" for number, name in enumerate(names)})
        config = load(path, {})
        in_order = ["10.yaml", "9.yaml", "B.yaml", "a.yaml", "é.yaml", "\uffee.yaml", "\U0001f40c.yaml"]
        self.assertEqual(config.files, (path, *(os.path.join(self.folder, "conf.d", name) for name in in_order)))
        self.assertEqual(config.drain, names.index("\U0001f40c.yaml"))

    def test_what_others_leave_behind_is_not_read(self) -> None:
        names = (
            ".10.yaml",
            "10.yaml~",
            "10.yaml.dpkg-dist",
            "10.yaml.bak",
            "#10.yaml#",
            ".10.yaml.swp",
            "README",
            "yaml",
            ".yml",
        )
        config = load(self.write(LOCAL, dict.fromkeys(names, "nonsense")), {})
        self.assertEqual((len(config.files), config.notices), (1, ()))

    def test_a_name_that_is_nearly_right_is_noted(self) -> None:
        path = self.write(LOCAL, {"10.yml": "nonsense", "20.YAML": "nonsense", "30.Yml": "nonsense"})
        config = load(path, {})
        self.assertEqual(len(config.files), 1)
        self.assertEqual(
            [self.shown(notice) for notice in config.notices],
            [
                "conf.d/10.yml: not read; to have it read, name it 10.yaml",
                "conf.d/20.YAML: not read; to have it read, name it 20.yaml",
                "conf.d/30.Yml: not read; to have it read, name it 30.yaml",
            ],
        )

    def test_a_name_that_cannot_be_shown_is_a_mistake(self) -> None:
        for name, shown in ((b"a\nb.yaml", r"'a\nb.yaml'"), (b"\xff.yml", r"'\udcff.yml'")):
            path = os.path.join(os.fsencode(self.folder), b"conf.d", name)
            open(path, "w").close()
            self.assert_wrong(LOCAL, expected=[f"conf.d: {shown}: a file with such a name cannot be named in a message"])
            os.remove(path)

    def test_a_folder_that_cannot_be_listed_is_a_mistake(self) -> None:
        folder = os.path.join(self.folder, "conf.d")
        os.rmdir(folder)
        path = os.path.join(self.folder, "llmux.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(LOCAL)
        open(folder, "w").close()
        error = self.assertRaises(ConfigError, load, path, {})
        self.assertEqual(str(error), f"{folder}: cannot be read: Not a directory")
        os.remove(folder)
        os.symlink("nowhere", folder)
        error = self.assertRaises(ConfigError, load, path, {})
        self.assertEqual(str(error), f"{folder}: cannot be read: No such file or directory")

    def test_it_can_be_read_again_and_the_digest_tells_a_change(self) -> None:
        path = self.write(LOCAL, {"1.yaml": "drain: 1\n"})
        first = load(path, {})
        self.assertEqual(load(path, {}), first)
        self.assertEqual(len(first.digest), 64)
        self.write(LOCAL, {"1.yaml": "drain: 2\n", "2.yaml": ""})
        second = load(path, {})
        self.assertEqual((second.drain, len(second.files)), (2, 3))
        self.assertNotEqual(second.digest, first.digest)

    def test_the_digest_is_that_of_the_files_put_together(self) -> None:
        config = self.layered(LOCAL, "drain: 1\n", "drain: 2\n")
        self.assertEqual(config.digest, hashlib.sha256(f"{LOCAL}drain: 1\ndrain: 2\n".encode()).hexdigest())


class Merging(LayersCase):
    """What a later file says over an earlier one."""

    def test_mappings_are_merged_at_every_depth(self) -> None:
        config = self.layered(
            KEYED + "timeouts: {idle: 1, total: 2}\nlog: {level: warn}\namp: {user: {a: {b: 1, c: 2}}}\n",
            "timeouts: {total: 3}\nproviders: {a: {timeouts: {connect: 4}}}\namp: {user: {a: {c: 3, d: 4}}}\n",
            "log: {format: json}\nproviders: {b: {scenario: 'builtin:hello'}, a: {models: n}}\n",
            environ={"A": "k"},
        )
        a, b = config.providers
        self.assertEqual((config.timeouts.idle, config.timeouts.total), (1, 3))
        self.assertEqual((a.name, a.base_url, a.models, b.name), ("a", "http://a.test", ("n",), "b"))
        self.assertEqual((a.timeouts.idle, a.timeouts.total, a.timeouts.connect), (1, 3, 4))
        self.assertEqual((config.log.level, config.log.format), ("warn", "json"))
        self.assertEqual(config.amp.user, {"a": {"b": 1, "c": 3, "d": 4}})

    def test_a_value_takes_the_place_of_the_earlier_one_in_silence(self) -> None:
        config = self.layered(LOCAL + "drain: 1\n", "drain: 2\n", "drain: 3\n")
        self.assertEqual((config.drain, config.notices), (3, ()))

    def test_what_is_taken_over_is_not_read(self) -> None:
        config = self.layered(
            LOCAL + "drain: soon\nlisten: 'tls:/nowhere:1'\n", "drain: 2\nlisten: 'tcp:1:interface=127.0.0.1'\n"
        )
        self.assertEqual((config.drain, config.listen), (2, ("tcp:1:interface=127.0.0.1",)))

    def test_a_list_takes_the_place_of_a_list_and_that_is_noted(self) -> None:
        config = self.layered(LOCAL + "api_keys: [a, b]\n", "api_keys:\n  - c\n", "api_keys: [d]\n")
        self.assertEqual([key.key for key in config.api_keys], ["d"])
        self.assertEqual(
            [self.shown(notice) for notice in config.notices],
            [
                f"conf.d/0.yaml:2:3: api_keys: takes the place of what llmux.yaml:2:11 says; {NOT_JOINED}",
                f"conf.d/1.yaml:1:11: api_keys: takes the place of what conf.d/0.yaml:2:3 says; {NOT_JOINED}",
            ],
        )

    def test_a_list_of_one_without_brackets_is_a_list(self) -> None:
        expected = f"conf.d/0.yaml:1:11: api_keys: takes the place of what llmux.yaml:2:11 says; {NOT_JOINED}"
        for main, site in (("[a, b]", "c"), ("a", "[b, c]"), ("{key: a, name: n}", "{key: b}")):
            self.assertEqual(self.said(f"{LOCAL}api_keys: {main}\n", f"api_keys: {site}\n"), [expected])
        (key,) = self.layered(LOCAL + "api_keys: {key: a, name: n}\n", "api_keys: {key: b}\n").api_keys
        self.assertEqual((key.key, key.name), ("b", "key-1"))

    def test_a_key_of_a_later_file_takes_the_place_of_the_earlier(self) -> None:
        main, site = "amp: {upstream_api_key: {env: A}}\n", "amp: {upstream_api_key: {env: B}}\n"
        config = self.layered(LOCAL + main, site, environ={"A": "a", "B": "b"})
        self.assertEqual((config.amp.upstream_api_key, config.notices), ("b", ()))

    def test_nothing_says_nothing(self) -> None:
        main = LOCAL + "drain: 7\nlog: {level: warn}\napi_keys: [k]\n"
        config = self.layered(
            main, "drain:\nlog:\n# level: info\napi_keys: ~\nproviders:\n", "log: {level: null}\n", "", "# x\n", "~\n"
        )
        self.assertEqual((config.drain, config.log.level, config.api_keys[0].key), (7, "warn", "k"))
        self.assertEqual([provider.name for provider in config.providers], ["local"])
        self.assertEqual((len(config.files), config.notices), (6, ()))

    def test_the_main_file_may_say_nothing(self) -> None:
        config = self.layered("# all is in conf.d\n", LOCAL + "drain: 3\n")
        self.assertEqual((config.drain, [provider.name for provider in config.providers]), (3, ["local"]))

    def test_kebab_snake_and_other_names_are_one_key(self) -> None:
        config = self.layered(
            LOCAL + "global-retry: {max-attempts: 2}\namp: {upstream-url: 'https://a.test', control-plane: local}\n",
            "retry: {max_attempts: 4}\nampcode: {upstream_url: 'https://b.test'}\n",
        )
        self.assertEqual((config.retry.max_attempts, config.amp.upstream_url), (4, "https://b.test"))
        self.assertEqual(config.amp.control_plane, "local")

    def test_any_trees(self) -> None:
        """What is passed on as it stands shows every step of the merging; the rule in five lines is `laid_over`."""

        def laid_over(under: Any, over: Any) -> Any:
            if isinstance(under, dict) and isinstance(over, dict):
                return under | {key: laid_over(under[key], value) if key in under else value for key, value in over.items()}
            return under if over is None else over

        def tree(depth: int) -> Any:
            if depth and chance.random() < 0.7:
                return {key: tree(depth - 1) for key in chance.sample("abcd", 3)}
            return chance.choice([None, [], [1, {"a": 2}], {}, 0, "text", False])

        chance = random.Random(3)
        for _ in range(60):
            trees = [{"a": tree(4)} for _ in range(3)]
            main, *site = (f"amp: {json.dumps({'user': tree})}\n" for tree in trees)
            self.assertEqual(self.layered(LOCAL + main, *site).amp.user, functools.reduce(laid_over, trees), trees)

    def test_header_names_are_one_in_any_case(self) -> None:
        main = "providers: {a: {base_url: 'http://a.test', dialect: openai, models: [m], headers: {X-A: '1', X-B: '2'}}}\n"
        config = self.layered(main, "providers: {a: {headers: {x-a: '3', x-c: '4'}}}\n")
        self.assertEqual(config.providers[0].headers, (("X-A", "3"), ("X-B", "2"), ("x-c", "4")))

    def test_anchors_and_merge_keys_stay_in_their_file(self) -> None:
        config = self.layered(
            "providers:\n  a: &a {base_url: 'http://a.test', dialect: openai, models: [m]}\n  b: {<<: *a, models: [n]}\n",
            "providers: {b: {<<: {dialect: gemini}, weight: 2}}\n",
        )
        _, b = config.providers
        self.assertEqual((b.base_url, b.models, b.dialects), ("http://a.test", ("n",), ("gemini",)))
        self.assert_wrong("drain: &a 1\n", "drain: *a\n", expected=["conf.d/0.yaml:1:8: not YAML: found undefined alias 'a'"])

    def test_a_mapping_and_something_else_are_judged_as_the_later_one_stands(self) -> None:
        self.assert_wrong(
            LOCAL + "log: {level: warn}\ndrain: 1\n",
            "log: debug\ndrain: {s: 1}\n",
            expected=[
                "conf.d/0.yaml:1:6: log: must be a mapping, not text",
                "conf.d/0.yaml:2:8: drain: must be one value, not a mapping",
            ],
        )
        self.assertEqual(self.layered(LOCAL + "log: debug\n", "log: {level: warn}\n").log.level, "warn")

    def test_relative_paths_start_beside_their_file(self) -> None:
        for name, key in (("key", "main"), ("conf.d/key", "site")):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
                file.write(key)
        provider = "{base_url: 'http://a.test', dialect: openai, models: [m], api_keys: [{file: key}]}"
        config = self.layered(
            f"providers: {{a: {provider}, s: {{scenario: .}}}}\n",
            f"providers: {{b: {provider}, t: {{scenario: ../conf.d}}, a: {{weight: 2}}}}\n",
        )
        a, s, b, t = config.providers
        self.assertEqual([provider.credentials[0].value for provider in (a, b)], ["main", "site"])
        self.assertEqual(s.scenario, os.path.join(self.folder, "."))
        self.assertEqual(t.scenario, os.path.join(self.folder, "conf.d", "../conf.d"))


class Mistakes(LayersCase):
    def test_each_names_its_own_file_and_they_come_in_reading_order(self) -> None:
        self.assert_wrong(
            LOCAL + "zzz: 1\ndrain: soon\n",
            "lisen: 1\nlog: {level: lout}\n",
            "\nproviders: {b: {scenario: 'builtin:helo'}}\n",
            expected=[
                "llmux.yaml:2:1: zzz: unknown key",
                "llmux.yaml:3:8: drain: must be seconds, or a time such as 500ms, 30s or 2m, not 'soon'",
                "conf.d/0.yaml:1:1: lisen: unknown key, did you mean 'listen'?",
                "conf.d/0.yaml:2:14: log.level: must be debug, info, warn, warning, error or critical, not 'lout'",
                "conf.d/1.yaml:2:27: providers.b.scenario: no built-in scenario 'helo', did you mean 'hello'?",
            ],
        )

    def test_files_that_cannot_be_understood_are_told_with_the_mistakes_of_the_others(self) -> None:
        os.mkdir(os.path.join(self.folder, "conf.d", "2.yaml"))
        with open(os.path.join(self.folder, "conf.d", "3.yaml"), "wb") as file:
            file.write(b"drain: \xff\n")
        self.assert_wrong(
            LOCAL + "zzz: 1\n",
            "log: {\n",
            "- a\n",
            expected=[
                "llmux.yaml:2:1: zzz: unknown key",
                f"conf.d/0.yaml:2:1: {UNCLOSED}",
                "conf.d/1.yaml:1:1: must be a mapping, not a list",
                "conf.d/2.yaml: cannot be read: Is a directory",
                "conf.d/3.yaml:1:8: not UTF-8",
            ],
        )

    def test_what_may_stand_in_such_a_file_is_not_missed(self) -> None:
        main = (
            "listen: 'tcp:8743'\nmetrics: {listen: 'tcp:8743'}\n"
            "providers: {a: {dialect: openai}, b: {base_url: 'http://b.test', models: [m]}, c: {oauth: {flow: code}}}\n"
            "amp: {model_mappings: [{from: x, to: {model: y, provider: d}}, {from: z, to: 'y:d'}]}\n"
        )
        alone = self.assertRaises(ConfigError, self.layered, main)
        self.assertEqual(len(alone.problems), 12)
        self.assert_wrong(main, "a: [\n", expected=[f"conf.d/0.yaml:2:1: {UNCLOSED}"])
        with open(os.path.join(self.folder, "llmux.yaml"), "w", encoding="utf-8") as file:
            file.write("- a\n")
        self.assert_wrong("drain: soon: \n", LOCAL, expected=["llmux.yaml:1:12: not YAML: mapping values are not allowed here"])

    def test_the_main_file_may_be_the_one_that_cannot_be_read(self) -> None:
        path = self.write("", {"0.yaml": "zzz: 1\n"})
        os.remove(path)
        error = self.assertRaises(ConfigError, load, path, {})
        self.assertEqual(
            [self.shown(problem) for problem in error.problems],
            ["llmux.yaml: cannot be read: No such file or directory", "conf.d/0.yaml:1:1: zzz: unknown key"],
        )

    def test_a_section_in_several_files_names_them_all(self) -> None:
        self.assert_wrong(
            "providers:\n  a:\n    models: [m]\nretry: {max_delay_ms: 100}\n",
            "providers: {a: {weight: 2}}\nretry: {base_delay_ms: 200}\n",
            "providers: {a: {discover: true}}\n",
            expected=[
                f"llmux.yaml:3:5: providers.a: needs the key {key} (also in conf.d/0.yaml:1:16 and conf.d/1.yaml:1:16)"
                for key in ("'base_url', or 'scenario'", "'dialect'")
            ]
            + ["llmux.yaml:4:8: retry: max_delay_ms (100) must not be below base_delay_ms (200) (also in conf.d/0.yaml:2:8)"],
        )

    def test_an_unknown_key_names_all_its_places(self) -> None:
        self.assert_wrong(
            LOCAL + "zzz: 1\n", "zzz: 2\n", expected=["llmux.yaml:2:1: zzz: unknown key (also in conf.d/0.yaml:1:1)"]
        )

    def test_twice_is_twice_in_one_file(self) -> None:
        self.assertEqual(self.layered(LOCAL + "drain: 1\n", "drain: 2\n").drain, 2)
        self.assert_wrong(
            LOCAL + "log: {level: info}\n",
            "log:\n  level: warn\n  level: error\n",
            expected=["conf.d/0.yaml:3:3: log.level: given twice, first in line 2"],
        )

    def test_notices_come_in_reading_order_too(self) -> None:
        self.assertEqual(
            self.said(KEYED, "providers: {b: {scenario: 'builtin:hello', weight: 2}}\n"),
            [
                "llmux.yaml:1:16: providers.a: skipped: environment variable A is not set",
                "conf.d/0.yaml:1:52: providers.b.weight: understood, has no effect yet",
            ],
        )

    def test_the_limits_hold_for_all_files_together(self) -> None:
        half = f"amp: {{user: {{a%s: [{', '.join(['x'] * (MOST_VALUES // 2))}]}}}}\n"
        self.assertEqual(self.layered(half % 1, LOCAL).providers[0].name, "local")
        said = f"too large: with its aliases written out and the files before it, more than {MOST_VALUES} values"
        self.assert_wrong(half % 1, half % 2, LOCAL, expected=[f"conf.d/0.yaml: {said}"])

    def test_the_environment_stands_before_all_files(self) -> None:
        self.assert_wrong(
            LOCAL, "zzz: 1\n", environ={"LLMUX_LOG": "x"},
            expected=[
                "environment: LLMUX_LOG: must be debug, info, warn, warning, error or critical, not 'x'",
                "conf.d/0.yaml:1:1: zzz: unknown key",
            ],
        )  # fmt: skip
