from llmux.config import Config, Mark
from llmux.config.schema import ClientUpstreamKey, Target
from tests.config.case import LOCAL, ConfigCase

CLI_PROXY_API = """
ampcode:
  upstream-url: "https://ampcode.com/"
  upstream-api-key: ""
  upstream-api-keys:
    - upstream-api-key: "amp-team-a"
      api-keys: [k1, k2]
    - upstream-api-key: "amp-team-b"
      api-keys: [k3]
  restrict-management-to-localhost: true
  model-mappings:
    - from: "claude-opus-4-5-20251101"
      to: "gemini-claude-opus-4-5-thinking"
    - {from: "^gpt-5.*", to: other, regex: true}
  force-model-mappings: true
"""
KEYS = "api_keys: [k1, k2, k3]\n"


class Section(ConfigCase):
    def test_without_it_the_control_plane_is_local_or_upstream_by_itself(self) -> None:
        amp = Config().amp
        self.assertEqual((amp.upstream_url, amp.control_plane, amp.browser_pages), (None, "auto", "proxy"))

    def test_another_programs_section_as_it_is(self) -> None:
        config = self.read(KEYS + CLI_PROXY_API)
        amp = config.amp
        self.assertEqual((amp.upstream_url, amp.upstream_api_key), ("https://ampcode.com", None))
        self.assertEqual(
            amp.upstream_api_keys,
            (
                ClientUpstreamKey(upstream_api_key="amp-team-a", api_keys=("k1", "k2"), where=Mark("f.yaml", 7, 7)),
                ClientUpstreamKey(upstream_api_key="amp-team-b", api_keys=("k3",), where=Mark("f.yaml", 9, 7)),
            ),
        )
        self.assertEqual((amp.restrict_management_to_localhost, amp.prioritize_model_mappings), (True, True))
        first, second = amp.model_mappings
        self.assertEqual((first.source, first.targets, first.regex), (
            "claude-opus-4-5-20251101", (Target(model="gemini-claude-opus-4-5-thinking"),), False))  # fmt: skip
        self.assertEqual((second.source, second.regex), ("^gpt-5.*", True))
        self.assertEqual(config.notices, ())
        self.assertEqual(self.read(KEYS + CLI_PROXY_API.replace("ampcode:", "amp:")).amp.upstream_url, amp.upstream_url)

    def test_both_spellings_of_the_section_or_of_a_key_are_one_too_many(self) -> None:
        self.assert_problems(
            LOCAL + "amp: {}\nampcode: {}\n",
            "3:1: ampcode: given twice, first in line 2 (as 'amp')",
        )
        self.assert_problems(
            LOCAL + "amp: {prioritize_model_mappings: true, force-model-mappings: true}\n",
            "2:40: amp.force-model-mappings: given twice, first in line 2 (as 'prioritize_model_mappings')",
        )

    def test_twelve_lines_make_a_working_whole(self) -> None:
        config = self.read(
            """api_keys: ["${LLMUX_KEY}"]
providers:
  openai:    {base_url: "https://api.openai.com/v1", dialect: openai,    api_keys: ["${A}"], models: ["gpt-*", "o*"]}
  anthropic: {base_url: "https://api.anthropic.com", dialect: anthropic, api_keys: ["${B}"], models: ["claude-*"]}
amp:
  upstream_url: https://ampcode.com
  upstream_api_key: "${AMP_API_KEY}"
  model_mappings: [{from: claude-opus-4.5, to: gpt-5}]
""",
            LLMUX_KEY="k", A="a", B="b", AMP_API_KEY="c",
        )  # fmt: skip
        self.assertEqual((config.amp.upstream_api_key, config.notices), ("c", ()))

    def test_a_key_that_is_absent_is_noted(self) -> None:
        text = LOCAL + KEYS + 'amp: {upstream_url: "https://a.test", upstream_api_key: "${A}", upstream_api_keys: [\n'
        text += '  {upstream_api_key: "${B}", api_keys: [k1]}, {upstream_api_key: c, api_keys: ["${D}", k2]}]}\n'
        amp = self.read(text).amp
        self.assertIsNone(amp.upstream_api_key)
        self.assertEqual([(row.upstream_api_key, row.api_keys) for row in amp.upstream_api_keys], [("c", ("k2",))])
        self.assertEqual(
            self.notices(text),
            [
                "3:57: amp.upstream_api_key: absent: environment variable A is not set",
                "4:22: amp.upstream_api_keys[0].upstream_api_key: absent: environment variable B is not set",
                "4:80: amp.upstream_api_keys[1].api_keys[0]: absent: environment variable D is not set",
            ],
        )

    def test_a_key_from_a_file_or_a_variable(self) -> None:
        self.assertEqual(self.read(LOCAL + "amp: {upstream_api_key: {env: A}}\n", A="a").amp.upstream_api_key, "a")

    def test_callers_that_cannot_be_or_are_listed_twice_are_noted(self) -> None:
        text = LOCAL + KEYS + "amp: {upstream_api_keys: [{upstream_api_key: a, api_keys: [k1, k9]}, "
        text += "{upstream_api_key: b, api_keys: [k1]},\n {upstream_api_key: c, api_keys: [k8]}]}\n"
        said = "amp.upstream_api_keys: this entry lists a key that is none of the client keys; nobody can show it"
        self.assertEqual(
            self.notices(text),
            [
                "3:26: amp.upstream_api_keys: a client key stands here twice; the first one counts",
                f"3:27: {said}",
                f"4:2: {said}",
            ],
        )

    def test_the_person_is_passed_on(self) -> None:
        text = LOCAL + "amp: {user: {firstName: A, e-mail: a@b.test, teams: [1, {x: yes}]}}\n"
        self.assertEqual(self.read(text).amp.user, {"firstName": "A", "e-mail": "a@b.test", "teams": [1, {"x": True}]})

    def test_choices(self) -> None:
        text = LOCAL + "amp: {upstream_url: 'https://a.test', control_plane: upstream, browser-pages: redirect}\n"
        amp = self.read(text).amp
        self.assertEqual((amp.control_plane, amp.browser_pages), ("upstream", "redirect"))
        for word, value in (("always", "always"), ("false", "never"), ("auto", "auto")):
            self.assertEqual(self.read(LOCAL + f"amp: {{suppress_thinking: {word}}}\n").amp.suppress_thinking, value)

    def test_every_mistake(self) -> None:
        self.assert_problems(
            LOCAL + "amp: {upstream_url: ampcode.com, control_plane: lokal, browser_pages: proxi, user: [1],\n"
            "  upstream_api_keys: [{upstream_api_key: k}, {api_keys: [k]}], mappings: [], restrict_management_to_localhost: 1}\n",
            "2:21: amp.upstream_url: must begin with http:// or https://",
            "2:49: amp.control_plane: must be auto, local or upstream, not 'lokal', did you mean 'local'?",
            "2:71: amp.browser_pages: must be proxy or redirect, not 'proxi', did you mean 'proxy'?",
            "2:84: amp.user: must be a mapping, not a list",
            "3:23: amp.upstream_api_keys[0]: needs the key 'api_keys'",
            "3:46: amp.upstream_api_keys[1]: needs the key 'upstream_api_key'",
            "3:64: amp.mappings: unknown key, did you mean 'model_mappings'?",
            "3:112: amp.restrict_management_to_localhost: must be true or false, not 1",
        )

    def test_what_needs_an_upstream_says_so(self) -> None:
        self.assertEqual(
            self.notices(LOCAL + "amp: {control_plane: upstream, browser_pages: redirect}\n"),
            [
                "2:6: amp: without an 'upstream_url' the control plane answers 503",
                "2:6: amp: without an 'upstream_url' there is nowhere to redirect browser pages to",
            ],
        )
