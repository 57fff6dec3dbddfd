import time

from llmux.config import Config
from llmux.config.document import MOST_VALUES
from tests.config.case import LOCAL, ConfigCase


class Syntax(ConfigCase):
    def test_a_mistake_in_the_yaml_has_its_place(self) -> None:
        self.assert_problems(
            "listen: []\ndrain: [1\nlog: {}\n",
            "3:4: not YAML: while parsing a flow sequence, expected ',' or ']', but got ':'",
        )

    def test_a_tab_has_its_place(self) -> None:
        (problem,) = self.problems("log:\n\tlevel: info\n")
        self.assertEqual(
            problem, "2:1: not YAML: while scanning for the next token, found character '\\t' that cannot start any token"
        )

    def test_a_variable_without_quotes_between_brackets_gets_a_hint(self) -> None:
        (problem,) = self.problems("drain: 1\napi_keys: [${X}]\n", X="1")
        self.assertTrue(problem.startswith("2:13: not YAML: "), problem)
        self.assertTrue(problem.endswith("; inside [...] and {...}, put ${NAME} in quotes"), problem)

    def test_control_characters_have_their_place(self) -> None:
        self.assert_problems("drain: 1\nlog: \x07\n", "2:6: not YAML: character U+0007 may not stand here")

    def test_two_documents_are_one_too_many(self) -> None:
        (problem,) = self.problems("drain: 1\n---\ndrain: 2\n")
        self.assertTrue(problem.startswith("2:1: not YAML: expected a single document in the stream"), problem)

    def test_an_unknown_alias_has_its_place(self) -> None:
        self.assert_problems("log: *a\n", "1:6: not YAML: found undefined alias 'a'")

    def test_an_empty_document_says_nothing(self) -> None:
        for text in ("", "\n# only words\n", "---\n", "~\n"):
            self.assertEqual(self.read(text).listen, Config().listen)

    def test_a_document_must_be_a_mapping(self) -> None:
        self.assert_problems("- a\n", "1:1: must be a mapping, not a list")
        self.assert_problems("# x\n  text\n", "2:3: must be a mapping, not text")

    def test_objects_are_not_built(self) -> None:
        self.assert_problems(
            "drain: !!python/object/apply:os.system [echo]\n",
            "1:8: the tag tag:yaml.org,2002:python/object/apply:os.system means nothing here",
        )
        self.assert_problems("drain: !seconds 3\n", "1:8: the tag !seconds means nothing here")

    def test_a_tag_that_the_value_does_not_fit_is_a_mistake(self) -> None:
        self.assert_problems(
            "amp: {user: {a: !!int x, b: !!bool x, c: !!float x, d: !!int ''}}\n",
            "1:17: amp.user.a: 'x' is not a number",
        )


class Repetition(ConfigCase):
    def test_a_key_given_twice_names_both_lines(self) -> None:
        self.assert_problems("drain: 1\nlog: {}\ndrain: 2\n", "3:1: drain: given twice, first in line 1")

    def test_it_is_found_at_every_depth(self) -> None:
        self.assert_problems(
            "log:\n  level: info\n  level: warn\namp:\n  user: {a: 1, a: 2}\nproviders:\n  a: {scenario: builtin:hello}\n"
            "  a: {scenario: builtin:hello}\n",
            "3:3: log.level: given twice, first in line 2",
            "5:16: amp.user.a: given twice, first in line 5",
            "8:3: providers.a: given twice, first in line 7",
        )

    def test_kebab_and_snake_are_one_key(self) -> None:
        self.assert_problems(
            "global-retry: {max-attempts: 2}\nretry: {max_attempts: 3, max-attempts: 4}\n",
            "2:1: retry: given twice, first in line 1 (as 'global-retry')",
        )
        self.assert_problems(
            "timeouts: {first_event: 1, first-event: 2}\n",
            "1:28: timeouts.first-event: given twice, first in line 1 (as 'first_event')",
        )

    def test_kebab_and_snake_differ_where_names_are_free(self) -> None:
        text = "amp: {user: {a-b: 1, a_b: 2}}\nproviders:\n" + "".join(
            f"  {name}: {{scenario: 'builtin:hello', models: [m]}}\n" for name in ("a-b", "a_b")
        )
        config = self.read(text)
        self.assertEqual(config.amp.user, {"a-b": 1, "a_b": 2})
        self.assertEqual([provider.name for provider in config.providers], ["a-b", "a_b"])

    def test_a_key_that_is_no_text_is_a_mistake(self) -> None:
        self.assert_problems("? [a]\n: 1\n", "1:3: a key must be text")


class Aliases(ConfigCase):
    def test_an_alias_stands_for_its_value(self) -> None:
        config = self.read("timeouts: {idle: &seconds 7}\ndrain: *seconds\n")
        self.assertEqual((config.timeouts.idle, config.drain), (7, 7))

    def test_merge_keys_fill_in_what_is_not_said(self) -> None:
        config = self.read(
            "providers:\n"
            '  a: &a {base_url: "http://a.test", dialect: openai, models: [a], timeouts: &t {idle: 1, total: 2}}\n'
            '  b: {<<: *a, base-url: "http://b.test"}\n'
            "  c: {<<: [{models: [c]}, *a], timeouts: {<<: *t, total: 3}}\n"
        )
        a, b, c = config.providers
        self.assertEqual((b.base_url, b.models, b.timeouts), ("http://b.test", ("a",), a.timeouts))
        self.assertEqual((c.base_url, c.models, c.timeouts.idle, c.timeouts.total), ("http://a.test", ("c",), 1, 3))

    def test_what_is_merged_must_be_a_mapping(self) -> None:
        self.assert_problems("log: {<<: 3, level: info}\n", "1:11: log: '<<' takes a mapping, or a list of mappings")

    def test_a_value_inside_itself_is_a_mistake(self) -> None:
        for text, place in (("amp: {user: &a {b: *a}}\n", "1:13"), ("api_keys: &a [*a]\n", "1:11"), ("&a log: {<<: *a}\n", "")):
            (problem,) = self.problems(text)
            self.assertTrue(problem.startswith(place), problem)

    def test_a_billion_laughs_are_refused_at_once(self) -> None:
        lines = ["a: &a0 [x, x, x, x, x, x, x, x, x]"]
        lines += [f"b{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
        started = time.process_time()
        self.assert_problems("\n".join(lines), f"too large: with its aliases written out, more than {MOST_VALUES} values")
        self.assertLess(time.process_time() - started, 2)

    def test_what_is_nested_without_end_is_refused(self) -> None:
        for text in ("amp: {user: " + "[" * 20_000 + "]" * 20_000 + "}", "amp: {user: {a: " + "[" * 49 + "]" * 49 + "}}"):
            (problem,) = self.problems(text)
            self.assertEqual(problem, "nested too deeply: more than 50 lists and mappings in each other")

    def test_a_chain_of_aliases_is_a_depth_too(self) -> None:
        chain = "".join(f"  k{n}: &k{n} [*k{n - 1}]\n" for n in range(1, 60))
        (problem,) = self.problems(LOCAL + "amp:\n user:\n  k0: &k0 [x]\n" + chain)
        self.assertEqual(problem, "nested too deeply: more than 50 lists and mappings in each other")
