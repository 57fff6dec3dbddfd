import os

from llmux.config import ConfigError, parse
from llmux.config.keys import Credential
from tests.config.case import ConfigCase

A = 'base_url: "http://a.test", dialect: openai, models: [m]'


class Providers(ConfigCase):
    def test_the_example(self) -> None:
        config = self.read(
            """
api_keys: ["${LLMUX_KEY}"]
providers:
  openai:    {base_url: "https://api.openai.com/v1", dialect: openai,    api_keys: ["${A}"], models: ["gpt-*", "o*"]}
  anthropic: {base_url: "https://api.anthropic.com/", dialect: anthropic, api_keys: ["${B}", "${C}"], models: ["claude-*"]}
  google:    {base_url: "https://generativelanguage.googleapis.com", dialect: gemini, api_keys: ["${D}"], models: ["gemini-*"]}
""",
            LLMUX_KEY="k", A="a", B="b", C="c", D="d",
        )  # fmt: skip
        self.assertEqual(config.notices, ())
        openai, anthropic, google = config.providers
        self.assertEqual((openai.name, openai.dialects), ("openai", ("openai-chat", "openai-responses")))
        self.assertEqual((openai.models, openai.credentials), (("gpt-*", "o*"), (Credential("a", "openai-1"),)))
        self.assertEqual((anthropic.base_url, anthropic.dialects), ("https://api.anthropic.com", ("anthropic",)))
        self.assertEqual([credential.name for credential in anthropic.credentials], ["anthropic-1", "anthropic-2"])
        self.assertEqual((google.dialects, google.keyless, google.enabled), (("gemini",), False, True))
        self.assertEqual((google.where.line, google.where.column), (6, 14))

    def test_a_dialect_alone(self) -> None:
        for word in ("openai-chat", "openai-responses"):
            config = self.read(f"providers: {{a: {{base_url: 'http://a.test', dialect: {word}, models: [m]}}}}\n")
            self.assertEqual(config.providers[0].dialects, (word,))

    def test_kebab_case_does_as_well(self) -> None:
        config = self.read("providers: {a: {base-url: 'http://a.test', dialect: gemini, api-keys: [k], models: m}}\n")
        self.assertEqual((config.providers[0].base_url, config.providers[0].models), ("http://a.test", ("m",)))

    def test_without_api_keys_it_is_keyless(self) -> None:
        config = self.read(f"providers: {{a: {{{A}}}}}\n")
        self.assertEqual((config.providers[0].keyless, config.providers[0].credentials), (True, ()))
        self.assertEqual(config.notices, ())

    def test_headers_and_discovery(self) -> None:
        text = "providers: {a: {base_url: 'http://a.test', dialect: openai, discover: true, headers: {X-A: '${V}'}}}\n"
        provider = self.read(text, V="v").providers[0]
        self.assertEqual((provider.headers, provider.discover, provider.models), ((("X-A", "v"),), True, ()))

    def test_timeouts_are_the_global_ones_but_for_what_it_says(self) -> None:
        providers = f"providers: {{a: {{{A}, timeouts: {{idle: 5}}}}, b: {{{A}}}}}\n"
        common = "timeouts: {idle: 9, total: 10m}\n"
        for text in (providers + common, common + providers):
            config = self.read(text)
            a, b = config.providers
            self.assertEqual((a.timeouts.idle, a.timeouts.total, a.timeouts.connect), (5, 600, 10))
            self.assertEqual(b.timeouts, config.timeouts)
            self.assertEqual(b.timeouts.idle, 9)

    def test_a_disabled_one_stays_in_silence(self) -> None:
        config = self.read(f'providers: {{a: {{{A}}}, b: {{{A}, enabled: no, api_keys: ["${{X}}"]}}}}\n')
        self.assertEqual([(provider.name, provider.enabled) for provider in config.providers], [("a", True), ("b", False)])
        self.assertEqual((config.skipped, config.notices), ((), ()))

    def test_every_mistake(self) -> None:
        self.assert_problems(
            "providers:\n"
            "  a b: {base_url: 'http://a.test', dialect: openai, models: [m]}\n"
            "  b: {}\n"
            "  c: {base_url: 'http://c.test', dialect: antropic, models: [], wait: 3, weight: 0}\n"
            "  d: {base_url: 'http://d.test', dialect: gemini, models: [m], speed: 2, record: x}\n"
            "  e: 5\n",
            "2:8: providers.a b: cannot be a provider's name: letters, digits, '.', '_' and '-', with a letter or digit first",
            "3:6: providers.b: needs the key 'base_url', or 'scenario'",
            "3:6: providers.b: needs the key 'dialect'",
            "3:6: providers.b: needs the key 'models', or 'discover: true'",
            "4:43: providers.c.dialect: must be openai, openai-chat, openai-responses, anthropic or gemini, not 'antropic', "
            "did you mean 'anthropic'?",
            "4:61: providers.c.models: must not be empty",
            "4:65: providers.c.wait: unknown key, did you mean 'weight'?",
            "4:82: providers.c.weight: must be at least 1, got 0",
            "5:6: providers.d: 'speed' means nothing without 'scenario'",
            "5:6: providers.d: 'record' means nothing without 'scenario'",
            "6:6: providers.e: must be a mapping, not a number",
        )
        self.assert_problems("providers: [a]\n", "1:12: providers: must be a mapping, not a list")

    def test_a_base_url_that_ends_in_404s_is_doubted(self) -> None:
        for base_url, usual in (
            ("https://api.openai.com", "https://api.openai.com/v1"),
            ("https://api.anthropic.com/v1", "https://api.anthropic.com"),
            ("https://generativelanguage.googleapis.com/v1beta", "https://generativelanguage.googleapis.com"),
        ):
            text = f"providers: {{a: {{base_url: '{base_url}', dialect: openai, models: [m]}}}}\n"
            said = f"1:16: providers.a: unusual base_url; that of the vendor's own clients is {usual}"
            self.assertEqual(self.notices(text), [said])


class Absence(ConfigCase):
    TEXT = f'providers: {{a: {{{A}, api_keys: ["${{X}}", "${{Y}}"]}}, b: {{{A}}}}}\n'

    def test_a_credential_that_is_absent_is_noted(self) -> None:
        config = self.read(self.TEXT, Y="y")
        self.assertEqual(config.providers[0].credentials, (Credential("y", "a-2"),))
        said = "1:85: providers.a.api_keys[0]: absent: environment variable X is not set"
        self.assertEqual(self.notices(self.TEXT, Y="y", X=""), [said])

    def test_without_any_it_is_skipped(self) -> None:
        config = self.read(self.TEXT)
        reason = "environment variable X is not set; environment variable Y is not set"
        self.assertEqual([provider.name for provider in config.providers], ["b"])
        self.assertEqual(config.skipped, (("a", reason),))
        self.assertEqual(self.notices(self.TEXT), [f"1:16: providers.a: skipped: {reason}"])

    def test_an_empty_list_is_not_the_same_as_none(self) -> None:
        for keys in ("[]", "~", ""):
            config = self.read(f"providers: {{a: {{{A}, api_keys: {keys}}}, b: {{{A}}}}}\n")
            reason = "api_keys is empty; leave it out for a server that needs no key"
            self.assertEqual(config.skipped, (("a", reason),))

    def test_elsewhere_a_variable_must_be_set(self) -> None:
        self.assert_problems(
            'providers: {a: {base_url: "${URL}", dialect: "${D:-openai}", models: ["${M}"], headers: {x: "${H}"}}}\n'
            'drain: "${N}"\n',
            "1:27: providers.a.base_url: environment variable URL is not set; set it, or write ${URL:-default}",
            "1:71: providers.a.models[0]: environment variable M is not set; set it, or write ${M:-default}",
            "1:93: providers.a.headers.x: environment variable H is not set; set it, or write ${H:-default}",
            "2:8: drain: environment variable N is not set; set it, or write ${N:-default}",
        )

    def test_headers_that_frame_are_ours(self) -> None:
        text = f"providers: {{a: {{{A}, headers: {{Host: x, content-length: '5', Transfer-Encoding: chunked, X-Ok: y}}}}}}\n"
        found = self.problems(text)
        self.assertEqual([problem.rpartition(": ")[2] for problem in found], ["llmux writes this header itself"] * 3)

    def test_the_scenario_answers_while_nobody_can(self) -> None:
        config = self.read(f'providers: {{a: {{{A}, api_keys: ["${{X}}"]}}}}\n')
        (demo,) = config.providers
        self.assertEqual((demo.name, demo.scenario, demo.keyless), ("demo", "builtin:hello", True))
        self.assertIn("gpt-*", demo.models)
        self.assertEqual(demo.dialects, ("openai-chat", "openai-responses", "anthropic", "gemini"))
        said = "f.yaml:1:16: providers: no provider can be used: answering from the built-in scenario 'hello'"
        self.assertEqual(str(config.notices[0]), said)

    def test_so_it_does_without_providers(self) -> None:
        said = "providers: no provider is configured: answering from the built-in scenario 'hello'"
        self.assertEqual(self.notices("drain: 5\n"), [said])
        self.assertEqual(self.notices("# nothing, as it is installed\n"), [])
        self.assertEqual(self.read("timeouts: {idle: 3}\n").providers[0].timeouts.idle, 3)
        config = self.read(f"providers: {{a: {{{A}, enabled: false}}}}\n")
        self.assertEqual([provider.name for provider in config.providers], ["demo"])

    def test_but_an_upstream_alone_is_enough(self) -> None:
        config = self.read("amp: {upstream_url: 'https://ampcode.com'}\n")
        self.assertEqual((config.providers, config.notices), ((), ()))
        config = self.read(f'providers: {{a: {{{A}, api_keys: ["${{X}}"]}}}}\namp: {{upstream_url: "https://a.test"}}\n')
        self.assertEqual(config.providers, ())

    def test_oauth_is_checked_and_not_asked_without_a_token(self) -> None:
        oauth = "{flow: device, token_url: 'https://a.test/t', device_url: 'https://a.test/d', client_id: i, scopes: [a, b]}"
        text = f"providers: {{a: {{{A}, oauth: {oauth}}}, b: {{{A}}}}}\n"
        self.assertEqual(self.read(text).skipped, (("a", "oauth has no effect yet"),))
        self.assertEqual(
            self.notices(text),
            [
                "1:16: providers.a: skipped: oauth has no effect yet",
                "1:81: providers.a.oauth: understood, has no effect yet",
            ],
        )
        self.assert_problems(
            f"providers: {{a: {{{A}, oauth: {{flow: divice, client_secret: '${{S}}'}}}}}}\n",
            "1:81: providers.a.oauth: needs the key 'token_url'",
            "1:81: providers.a.oauth: needs the key 'client_id'",
            "1:88: providers.a.oauth.flow: must be device, code or client, not 'divice', did you mean 'device'?",
        )
        self.assert_problems(
            f"providers: {{a: {{{A}, oauth: {{flow: code, token_url: 'https://a.test/t', client_id: i}}}}}}\n",
            "1:81: providers.a.oauth: needs the key 'authorize_url' for the flow 'code'",
        )


class Scenarios(ConfigCase):
    def test_a_file_beside_the_configuration(self) -> None:
        folder = self.mktemp()
        os.makedirs(folder)
        path = os.path.join(folder, "s.yaml")
        open(path, "w").close()
        config = parse("providers: {s: {scenario: s.yaml, models: [m], speed: 0.5}}\n", os.path.join(folder, "f.yaml"), {})
        (provider,) = config.providers
        self.assertEqual((provider.scenario, provider.speed, provider.models, provider.keyless), (path, 0.5, ("m",), True))
        config = parse(f"providers: {{s: {{scenario: '{os.path.abspath(path)}'}}}}\n", "elsewhere/f.yaml", {})
        self.assertEqual((config.providers[0].scenario, config.providers[0].models), (os.path.abspath(path), ("*",)))

    def test_it_speaks_every_dialect_unless_told_otherwise(self) -> None:
        config = self.read("providers: {s: {scenario: 'builtin:hello'}, t: {scenario: 'builtin:hello', dialect: gemini}}\n")
        self.assertEqual([len(provider.dialects) for provider in config.providers], [4, 1])

    def test_what_is_not_there_and_what_does_not_go_together(self) -> None:
        error = self.assertRaises(
            ConfigError,
            parse,
            "providers:\n"
            "  a: {scenario: none.yaml}\n"
            "  b: {scenario: 'builtin:helo'}\n"
            "  c: {scenario: 'builtin:hello', base_url: 'http://a.test', api_keys: [k], discover: true}\n",
            "/nowhere/f.yaml",
            {},
        )
        self.assertEqual(
            [str(problem) for problem in error.problems],
            [
                "/nowhere/f.yaml:2:17: providers.a.scenario: /nowhere/none.yaml: no such file or folder",
                "/nowhere/f.yaml:3:17: providers.b.scenario: no built-in scenario 'helo', did you mean 'hello'?",
                "/nowhere/f.yaml:4:6: providers.c: 'base_url' means nothing beside 'scenario'",
                "/nowhere/f.yaml:4:6: providers.c: 'api_keys' means nothing beside 'scenario'",
                "/nowhere/f.yaml:4:6: providers.c: 'discover' means nothing beside 'scenario'",
            ],
        )
