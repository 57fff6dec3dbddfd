from llmux.config.schema import Target
from tests.config.case import ConfigCase

PROVIDERS = """providers:
  openai: {base_url: "http://a.test", dialect: openai, models: ["gpt-*", "ft:gpt-5"]}
  anthropic: {base_url: "http://b.test", dialect: anthropic, models: [c], api_keys: ["${UNSET}"]}
"""
OLLAMA = '  ollama: {base_url: "http://127.0.0.1:11434/v1", dialect: openai-chat, discover: true}\n'


class Mappings(ConfigCase):
    def targets(self, to: str, providers: str = PROVIDERS) -> tuple[Target, ...]:
        (mapping,) = self.read(providers + f"amp: {{model_mappings: [{{from: a, to: {to}}}]}}\n").amp.model_mappings
        return mapping.targets

    def test_a_model(self) -> None:
        self.assertEqual(self.targets("gpt-5"), (Target(model="gpt-5"),))
        self.assertEqual(self.targets("'gpt-5(high)'"), (Target(model="gpt-5(high)"),))

    def test_a_model_and_a_provider(self) -> None:
        expected = (Target(model="gpt-5", provider="openai"),)
        self.assertEqual(self.targets("'gpt-5:openai'"), expected)
        self.assertEqual(self.targets("{model: gpt-5, provider: openai}"), expected)
        self.assertEqual(self.targets("'gpt-5(low):openai'"), (Target(model="gpt-5(low)", provider="openai"),))
        self.assertEqual(self.targets("'ft:gpt-5:openai'"), (Target(model="ft:gpt-5", provider="openai"),))

    def test_a_provider_whose_keys_are_absent_is_known(self) -> None:
        self.assertEqual(self.targets("'c:anthropic'"), (Target(model="c", provider="anthropic"),))

    def test_several(self) -> None:
        self.assertEqual(
            self.targets("[gpt-5, 'c:anthropic', {model: 'x:y', provider: openai, thinking: 8192}]"),
            (Target(model="gpt-5"), Target(model="c", provider="anthropic"),
             Target(model="x:y", provider="openai", thinking=8192)),
        )  # fmt: skip

    def test_a_colon_may_belong_to_the_name(self) -> None:
        self.assertEqual(self.targets("'ft:gpt-5'"), (Target(model="ft:gpt-5"),))
        self.assertEqual(self.targets("'gpt-oss:20b'"), (Target(model="gpt-oss:20b"),))
        self.assertEqual(self.targets("'llama3:8b'", PROVIDERS + OLLAMA), (Target(model="llama3:8b"),))
        self.assertEqual(self.targets("{model: 'llama3:8b'}"), (Target(model="llama3:8b"),))

    def test_thinking(self) -> None:
        for written, value in (("high", "high"), ("none", "none"), ("-1", -1), ("0", 0), ("8192", 8192)):
            (target,) = self.targets(f"{{model: m, thinking: {written}}}")
            self.assertEqual(target.thinking, value)

    def test_every_mistake(self) -> None:
        unknown = "if the colon belongs to the name, write"
        self.assert_problems(
            PROVIDERS + "amp:\n"
            "  model_mappings:\n"
            "    - {from: a, to: 'llama3:8b'}\n"
            "    - {from: a, to: 'gpt-5:opena'}\n"
            "    - {from: a, to: {model: m, provider: antropic, thinking: ultra}}\n"
            "    - {from: '(', to: m, regex: true}\n"
            "    - {from: '(', to: m}\n"
            "    - {form: a, to: []}\n"
            "    - {from: a, to: {provider: openai}, regex: 'no'}\n"
            "    - {from: '', to: m, when: {feature: oracle, images: maybe}}\n",
            f"6:21: amp.model_mappings[0].to: no provider '8b'; {unknown} {{model: \"llama3:8b\"}}",
            f"7:21: amp.model_mappings[1].to: no provider 'opena', did you mean 'openai'?; {unknown} {{model: \"gpt-5:opena\"}}",
            "8:42: amp.model_mappings[2].to.provider: no provider 'antropic', did you mean 'anthropic'?",
            "8:62: amp.model_mappings[2].to.thinking: must be none, auto, minimal, low, medium, high, xhigh or max, or a number "
            "of tokens",
            "9:14: amp.model_mappings[3].from: not a regular expression: missing ), unterminated subpattern at position 0",
            "11:7: amp.model_mappings[5]: needs the key 'from'",
            "11:8: amp.model_mappings[5].form: unknown key, did you mean 'from'?",
            "11:21: amp.model_mappings[5].to: must not be empty",
            "12:21: amp.model_mappings[6].to: needs the key 'model'",
            "12:48: amp.model_mappings[6].regex: must be true or false, not 'no'",
            "13:14: amp.model_mappings[7].from: must not be empty",
            "13:57: amp.model_mappings[7].when.images: must be true or false, not 'maybe'",
        )

    def test_without_providers_no_provider_is_known(self) -> None:
        (problem,) = self.problems("amp: {model_mappings: [{from: a, to: 'gpt-5:openai'}]}\n")
        self.assertTrue(problem.startswith("1:38: amp.model_mappings[0].to: no provider 'openai'; if the colon"), problem)


class Routes(ConfigCase):
    def test_their_shape(self) -> None:
        text = (
            PROVIDERS + "routes: [{when: {model: 'gpt-*', alias: openai, header: {x-team: red}, tools: true, images: false,"
            " min_tokens: 1, max-tokens: 2, stream: true, feature: oracle},\n"
            "  to: [gpt-5, 'c:anthropic'], weights: [9, 0.5], mirror: gpt-6}]\n"
        )
        config = self.read(text)
        (route,) = config.routes
        self.assertEqual((route.when.header, route.when.max_tokens, route.when.tools), ((("x-team", "red"),), 2, True))
        self.assertEqual((route.to[1].provider, route.weights, route.mirror), ("anthropic", (9, 0.5), Target(model="gpt-6")))
        self.assertIn("f.yaml:4:9: routes: understood, has no effect yet", [str(notice) for notice in config.notices])

    def test_every_mistake(self) -> None:
        self.assert_problems(
            PROVIDERS + "routes:\n  - {when: {modell: x}}\n  - {to: m, weights: [1, -1]}\n  - {to: m, weights: [1, 2]}\n",
            "5:5: routes[0]: needs the key 'to'",
            "5:13: routes[0].when.modell: unknown key, did you mean 'model'?",
            "6:26: routes[1].weights[1]: must be at least 0, got -1",
            "7:5: routes[2]: has 2 weights for 1 targets",
        )
