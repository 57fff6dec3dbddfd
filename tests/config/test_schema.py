import attrs

from llmux.config import Config, parse
from llmux.config.endpoints import Endpoint
from llmux.config.reader import NO_EFFECT, keys_of
from llmux.config.schema import Retry
from tests.config.case import LOCAL, ConfigCase

# Everything that may be said, with values other than the defaults.
EVERYTHING = """
listen: ["tcp:9000:interface=127.0.0.1", "unix:/run/llmux.sock"]
api_keys: [k, {key: l, name: laptop, models: ["gpt-*"]}]
drain: 40
limits: {body: 1MiB, in_flight: 2000, per_key: {streams: 100, rpm: 600, tpm: 1000000}, store: "redis://127.0.0.1"}
timeouts: {connect: 11, first_event: 2m, idle: 61, total: 901, hold: 2}
retry: {max_attempts: 4, base_delay_ms: 200, max_delay_ms: 20000, backoff_multiplier: 3, budget: 0.5}
breaker: {failures: 6, open: 31}
cooldown: {base: 2, max: 301}
affinity: {enabled: false, ttl: 2h}
log: {level: warn, format: json, file: llmux.log, rotate: weekly, keep: 3}
cors: {origins: ["https://a.test"]}
management: {secret: s, allow_remote: true}
metrics: {public: true, listen: "tcp:9001:interface=127.0.0.1"}
providers:
  one: {base_url: "http://a.test", dialect: openai, api_keys: [a], models: [m], headers: {x: y}, timeouts: {idle: 1},
        retry: {max_attempts: 1}, weight: 2, priority: 1, enabled: true, discover: true}
  two: {base_url: "http://b.test", dialect: gemini, models: [n], oauth: {flow: client, token_url: "https://b.test", client_id: i}}
  script: {scenario: "builtin:hello", models: [s], speed: 2, workspace: w, record: r, replay: p}
routes: [{when: {model: m}, to: [n], mirror: m, weights: [1]}]
amp: {upstream_url: "https://c.test", upstream_api_key: u, upstream_api_keys: [{upstream_api_key: v, api_keys: [k]}],
      control_plane: local, browser_pages: redirect, restrict_management_to_localhost: true, suppress_thinking: never,
      model_mappings: [{from: x, to: {model: m, provider: one, thinking: high}, regex: true, when: {feature: oracle}}],
      prioritize_model_mappings: true, user: {id: 1}}
endpoints:
  - {path: "/a/{*rest}", target_url: "https://d.test/{model}?alt=sse", method: POST, response_type: stream,
     custom_headers: {x: y}, forward_request_headers: [accept], forward_response_headers: [content-type], enabled: true,
     timeout: 5, retry: {max_attempts: 2}}
global_timeout: 30
include: [proxy_config.yaml]
translation: {strict: true}
seal_keys: [a-key-that-signs]
"""

# What is understood and has no effect yet.
LATER = {
    "retry", "breaker", "cooldown", "affinity", "cors", "management", "routes", "endpoints", "global_timeout", "include",
    "limits.in_flight", "limits.per_key", "limits.store", "timeouts.hold", "log.rotate", "log.keep",
    "providers.one.retry", "providers.one.weight", "providers.one.priority", "providers.two.oauth",
    "providers.script.workspace", "providers.script.record", "providers.script.replay", "amp.suppress_thinking",
    "amp.model_mappings[0].when", "amp.model_mappings[0].to.thinking",
}  # fmt: skip


class Words(ConfigCase):
    def test_every_word_of_the_contract_is_understood(self) -> None:
        config = self.read(EVERYTHING)
        default = Config()
        for name in keys_of(Config):
            self.assertNotEqual(getattr(config, name), getattr(default, name), name)
        self.assertEqual(config.retry, Retry(
            max_attempts=4, base_delay_ms=200, max_delay_ms=20000, backoff_multiplier=3, budget=0.5))  # fmt: skip
        self.assertEqual(config.providers[0].retry, attrs.evolve(config.retry, max_attempts=1))
        self.assertEqual(config.endpoints[0].retry, attrs.evolve(config.retry, max_attempts=2))
        self.assertEqual((config.limits.body, config.limits.per_key.tpm), (2**20, 1_000_000))
        self.assertTrue(config.translation.strict)

    def test_kebab_case_means_the_same(self) -> None:
        words = [word for cls in _sections() for key in keys_of(cls).values() for word in key.words if "_" in word]
        text = EVERYTHING
        for word in sorted(set(words), key=len, reverse=True):
            text = text.replace(f"{word}:", f"{word.replace('_', '-')}:")
        self.assertNotEqual(text, EVERYTHING)
        first, second = (attrs.evolve(self.read(words), notices=(), digest="") for words in (text, EVERYTHING))
        self.assertEqual(first, second)

    def test_what_has_no_effect_yet_says_so(self) -> None:
        noted = {notice.path for notice in self.read(EVERYTHING).notices if notice.message == NO_EFFECT}
        self.assertEqual(noted, LATER)

    def test_what_has_an_effect_says_nothing(self) -> None:
        text = LOCAL + "listen: 'tcp:1:interface=127.0.0.1'\ndrain: 1\nlimits: {body: 1MiB}\ntimeouts: {idle: 1}\n"
        text += "log: {level: debug, format: json}\nmetrics: {public: true}\nglobal-retry:\namp: {user: {}}\n"
        self.assertEqual(self.notices(text), [])


def _sections() -> list[type]:
    from llmux.config import amp, endpoints, limits, providers, schema, targets

    modules = (amp, endpoints, limits, providers, schema, targets)
    return [value for module in modules for value in vars(module).values() if isinstance(value, type) and attrs.has(value)]


class Mistakes(ConfigCase):
    def test_each_number_has_its_limits(self) -> None:
        self.assert_problems(
            LOCAL + "retry: {max_attempts: 11, base_delay_ms: 0, max_delay_ms: 600001, backoff_multiplier: 0.5, budget: 2}\n"
            "limits: {body: 0, in_flight: 0}\n"
            "breaker: {failures: 0}\n"
            "timeouts: {connect: 0}\n"
            "log: {level: loud, format: xml, keep: -1, rotate: dayly}\n"
            "affinity: {enabled: 'yes'}\n",
            "2:23: retry.max_attempts: must be between 1 and 10, got 11",
            "2:42: retry.base_delay_ms: must be between 1 and 60000, got 0",
            "2:59: retry.max_delay_ms: must be between 1 and 600000, got 600001",
            "2:87: retry.backoff_multiplier: must be between 1 and 10, got 0.5",
            "2:100: retry.budget: must be between 0 and 1, got 2",
            "3:16: limits.body: must be more than 0",
            "3:30: limits.in_flight: must be at least 1, got 0",
            "4:21: breaker.failures: must be at least 1, got 0",
            "5:21: timeouts.connect: must be more than 0",
            "6:14: log.level: must be debug, info, warn, warning, error or critical, not 'loud'",
            "6:28: log.format: must be text or json, not 'xml'",
            "6:39: log.keep: must be at least 0, got -1",
            "6:51: log.rotate: must be never, hourly, daily or weekly, not 'dayly', did you mean 'daily'?",
            "7:21: affinity.enabled: must be true or false, not 'yes'",
        )

    def test_delays_in_order(self) -> None:
        said = "retry: max_delay_ms (100) must not be below base_delay_ms (200)"
        self.assert_problems(LOCAL + "retry: {base_delay_ms: 200, max_delay_ms: 100}\n", f"2:8: {said}")

    def test_listeners(self) -> None:
        self.assert_problems(LOCAL + "listen: []\n", "2:9: listen: must not be empty")
        self.assert_problems(
            LOCAL + "listen: ['tpc:1', 8743]\n",
            "2:10: listen[0]: 'tpc' is no kind of listener, did you mean 'tcp'?; write for example tcp:8743:interface=127.0.0.1",
            "2:19: listen[1]: must be text, not a number; put it in quotes",
        )

    def test_ten_at_once(self) -> None:
        problems = self.problems(
            "listen: [tcp]\n"
            "lisen: 1\n"
            "drain: soon\n"
            "api_keys: [changeme]\n"
            "limits: {body: huge}\n"
            "log: {level: lout}\n"
            "log: {}\n"
            "providers:\n"
            "  a: {base_url: a.test, dialect: opanai, models: [1]}\n"
            "amp: {control_plane: upstrem}\n"
        )
        self.assertEqual(len(problems), 11)
        self.assertEqual(
            [problem.split(" ")[0] for problem in problems],
            ["1:10:", "2:1:", "3:8:", "4:12:", "5:16:", "6:14:", "7:1:", "9:17:", "9:34:", "9:51:", "10:22:"],
        )


class Endpoints(ConfigCase):
    ONE = "{path: /a, target_url: 'https://a.test', method: GET, response_type: json}"

    def test_the_shape(self) -> None:
        (endpoint,) = self.read(LOCAL + f"endpoints: [{self.ONE}]\n").endpoints
        expected = Endpoint(path="/a", target_url="https://a.test", method="GET", response_type="json", where=endpoint.where)
        self.assertEqual(endpoint, expected)

    def test_every_mistake(self) -> None:
        self.assert_problems(
            LOCAL + f"endpoints:\n  - {self.ONE}\n  - {self.ONE}\n"
            "  - {path: a, target_url: a.test, method: get, response_type: xml, timeout: 0, forward_request_headers: ['a b']}\n"
            "  - {}\n",
            "3:3: endpoints: GET /a is given twice, in lines 3 and 4",
            "5:12: endpoints[2].path: must begin with '/'",
            "5:27: endpoints[2].target_url: must begin with http:// or https://",
            "5:43: endpoints[2].method: must be GET, POST, PUT, DELETE, PATCH, HEAD or OPTIONS, not 'get'",
            "5:63: endpoints[2].response_type: must be json, sse, stream or html, not 'xml'",
            "5:77: endpoints[2].timeout: must be between 1 and 3600, got 0",
            "5:106: endpoints[2].forward_request_headers[0]: 'a b' cannot be the name of a header",
            *(f"6:5: endpoints[3]: needs the key '{key}'" for key in ("path", "target_url", "method", "response_type")),
        )


class Parse(ConfigCase):
    def test_it_needs_no_directory(self) -> None:
        self.assertEqual(parse(LOCAL, "f.yaml", {}).path, "f.yaml")
