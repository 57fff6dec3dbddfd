from llmux.config import ConfigError, Mark, open_door, override
from tests.config.case import LOCAL, ConfigCase

KEY = LOCAL + "api_keys: [k]\n"


class Environment(ConfigCase):
    def test_host_and_port_move_the_first_listener(self) -> None:
        text = KEY + 'listen: ["tcp:8743:interface=127.0.0.1", "tcp:8744:interface=127.0.0.1"]\n'
        for environ, first in (
            ({"PORT": "80"}, "tcp:80:interface=127.0.0.1"),
            ({"HOST": "0.0.0.0"}, "tcp:8743:interface=0.0.0.0"),
            ({"HOST": "::", "PORT": "1"}, r"tcp:1:interface=\:\:"),
            ({"HOST": "", "PORT": ""}, "tcp:8743:interface=127.0.0.1"),
        ):
            self.assertEqual(self.read(text, **environ).listen, (first, "tcp:8744:interface=127.0.0.1"))

    def test_they_open_no_door(self) -> None:
        self.assert_problems(
            LOCAL,
            "environment: listen: 'tcp:8743:interface=0.0.0.0' can be reached from other hosts, and no client keys are set: "
            "set 'api_keys', or listen on 127.0.0.1",
            HOST="0.0.0.0",
        )

    def test_a_port_that_is_none(self) -> None:
        self.assert_problems(KEY, "environment: PORT: 'http' is no port: a number from 0 to 65535", PORT="http")

    def test_where_all_listeners_are_wrong_none_moves(self) -> None:
        (problem,) = self.problems(KEY + "listen: [tcp]\n", PORT="1")
        self.assertEqual(problem, "3:10: listen[0]: 'tcp' needs its port; write for example tcp:8743:interface=127.0.0.1")

    def test_a_socket_file_cannot_move(self) -> None:
        text = LOCAL + "listen: 'unix:/run/llmux.sock'\n"
        said = "environment: HOST and PORT: without effect on the listener 'unix:/run/llmux.sock'"
        self.assertEqual(self.notices(text, HOST="a", PORT="1"), [said])

    def test_the_level_of_the_log(self) -> None:
        self.assertEqual(self.read(LOCAL + "log: {level: warn}\n", LLMUX_LOG="DEBUG").log.level, "debug")
        self.assertEqual(self.read(LOCAL, LLMUX_LOG="").log.level, "info")
        self.assert_problems(
            LOCAL,
            "environment: LLMUX_LOG: must be debug, info, warn, warning, error or critical, not 'debg', did you mean 'debug'?",
            LLMUX_LOG="debg",
        )


class CommandLine(ConfigCase):
    def test_what_is_not_said_stays(self) -> None:
        config = self.read(LOCAL)
        self.assertEqual(override(config), config)

    def test_listeners_and_log(self) -> None:
        config = override(self.read(LOCAL), listen=("tcp:1:interface=127.0.0.1",), log_level="error", log_format="json")
        self.assertEqual(config.listen, ("tcp:1:interface=127.0.0.1",))
        self.assertEqual((config.log.level, config.log.format), ("error", "json"))

    def test_mistakes(self) -> None:
        error = self.assertRaises(
            ConfigError, override, self.read(LOCAL), listen=("tpc:1", "tcp:1"), log_level="loud", log_format="jsn"
        )
        self.assertEqual(
            str(error).split("\n"),
            [
                "command line: --listen: 'tpc' is no kind of listener, did you mean 'tcp'?; "
                "write for example tcp:8743:interface=127.0.0.1",
                "command line: --log-level: must be debug, info, warn, warning, error or critical, not 'loud'",
                "command line: --log-format: must be text or json, not 'jsn', did you mean 'json'?",
            ],
        )

    def test_no_door_is_opened(self) -> None:
        error = self.assertRaises(ConfigError, override, self.read(LOCAL), listen=("tcp:1",))
        self.assertEqual(
            str(error),
            "command line: listen: 'tcp:1' can be reached from other hosts, and no client keys are set: set 'api_keys', "
            "or listen on 127.0.0.1",
        )
        self.assertEqual(override(self.read(KEY), listen=("tcp:1",)).listen, ("tcp:1",))


class OpenDoor(ConfigCase):
    def test_a_listener_beyond_this_host_needs_keys(self) -> None:
        text = LOCAL + "listen:\n  - 'tcp:1:interface=127.0.0.1'\n  - 'tcp:2'\n  - 'tcp:3:interface=10.0.0.1'\n"
        said = "can be reached from other hosts, and no client keys are set: set 'api_keys', or listen on 127.0.0.1"
        self.assert_problems(text, f"4:5: listen: 'tcp:2' {said}", f"5:5: listen: 'tcp:3:interface=10.0.0.1' {said}")
        self.assertEqual(open_door(self.read(text + "api_keys: [k]\n")), [])
        self.assertEqual(open_door(self.read(text, ADDITIONAL_API_KEYS="k")), [])

    def test_keys_of_the_environment_are_judged_as_those_of_the_file(self) -> None:
        (problem,) = self.problems(LOCAL, ADDITIONAL_API_KEYS="good1,bad key")
        self.assertIn("ADDITIONAL_API_KEYS: no key: it holds a space", problem)
        self.assertNotIn("bad key", problem)

    def test_keys_of_which_none_is_left_are_told_once(self) -> None:
        for word in ("api_keys", "api-keys"):
            (problem,) = self.problems(LOCAL + f'listen: "tcp:1"\n{word}: ["${{A}}"]\n')
            self.assertTrue(problem.startswith(f"3:11: {word}: no key is left"), problem)

    def test_what_only_the_system_knows_is_left_to_it(self) -> None:
        self.assertEqual(open_door(self.read(LOCAL + "listen: 'systemd:domain=INET:name=llmux.socket'\n")), [])

    def test_a_listener_for_metrics_alone_is_open_to_whom_it_is_opened(self) -> None:
        self.assertEqual(open_door(self.read(LOCAL + "metrics: {listen: 'tcp:9100'}\n")), [])


class Collisions(ConfigCase):
    """Two listeners in one place."""

    SAME = "tcp:1:interface=127.0.0.1"

    def test_both_places_are_named(self) -> None:
        self.assert_problems(
            KEY + f"listen:\n  - 'tcp:2'\n  - '{self.SAME}'\n  - 'tcp:1'\n  - 'tcp:2'\nmetrics: {{listen: '{self.SAME}'}}\n",
            f"6:5: listen: 'tcp:1' cannot be opened beside '{self.SAME}' (f.yaml:5:5): both listen in one place",
            "7:5: listen: 'tcp:2' cannot be opened beside 'tcp:2' (f.yaml:4:5): both listen in one place",
            f"8:19: metrics.listen: '{self.SAME}' cannot be opened beside '{self.SAME}' (f.yaml:5:5): both listen in one place",
        )

    def test_the_listener_that_is_built_in_counts(self) -> None:
        default = "tcp:8743:interface=127.0.0.1"
        self.assert_problems(
            LOCAL + "metrics: {listen: 'tcp:8743'}\n",
            f"2:19: metrics.listen: 'tcp:8743' cannot be opened beside '{default}' (built-in): both listen in one place",
        )
        self.assertEqual(self.read(LOCAL + "metrics: {listen: 'tcp:8743'}\n", PORT="1").listen, (self.SAME,))

    def test_one_that_the_environment_moved(self) -> None:
        self.assert_problems(
            LOCAL + f"listen: ['tcp:2:interface=127.0.0.1', '{self.SAME}']\n",
            f"2:39: listen: '{self.SAME}' cannot be opened beside '{self.SAME}' (environment): both listen in one place",
            PORT="1",
        )

    def test_those_of_the_command_line(self) -> None:
        config = self.read(LOCAL + f"metrics: {{listen: '{self.SAME}'}}\n")
        error = self.assertRaises(ConfigError, override, config, listen=(self.SAME, self.SAME))
        self.assertEqual(
            str(error).split("\n"),
            [
                f"command line: listen: '{self.SAME}' cannot be opened beside '{self.SAME}' (command line): "
                "both listen in one place",
                f"f.yaml:2:19: metrics.listen: '{self.SAME}' cannot be opened beside '{self.SAME}' (command line): "
                "both listen in one place",
            ],
        )

    def test_where_each_listener_was_written(self) -> None:
        text = LOCAL + f"metrics: {{listen: 'tcp:9'}}\nlisten: ['{self.SAME}', 'unix:a']\n"
        config = self.read(text)
        self.assertEqual(config.listen_marks, (Mark("f.yaml", 3, 10), Mark("f.yaml", 3, 39)))
        self.assertEqual(config.metrics_mark, Mark("f.yaml", 2, 19))
        self.assertEqual(self.read(text, PORT="2").listen_marks, (Mark("environment"), Mark("f.yaml", 3, 39)))
        self.assertEqual(override(config, listen=("unix:b",)).listen_marks, (Mark("command line"),))
        self.assertEqual(self.read(LOCAL).listen_marks, (Mark("built-in"),))
