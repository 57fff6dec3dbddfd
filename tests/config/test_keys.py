import builtins
import errno
import os
from typing import Any

from llmux.config import Config, ConfigError, load, parse
from llmux.config.keys import PLACEHOLDERS, placeholder
from tests.config.case import LOCAL, ConfigCase

OPENAI = 'providers: {openai: {base_url: "https://api.openai.com/v1", dialect: openai, models: [m], api_keys: [%s]}}\n'


class ClientKeys(ConfigCase):
    def keys(self, text: str, **environ: str) -> list[tuple[str, str]]:
        return [(key.name, key.key) for key in self.read(LOCAL + text, **environ).api_keys]

    def test_they_have_names(self) -> None:
        text = 'api_keys: ["${A}", literal, {key: "${B}", name: laptop}, {env: A2}]\n'
        expected = [("key-1", "1"), ("key-2", "literal"), ("laptop", "2"), ("key-4", "3")]
        self.assertEqual(self.keys(text, A="1", B="2", A2="3"), expected)

    def test_models_are_kept(self) -> None:
        config = self.read(LOCAL + "api_keys: [{key: k, models: ['gpt-*']}]\n")
        self.assertEqual(config.api_keys[0].models, ("gpt-*",))
        self.assertEqual(config.notices, ())

    def test_one_that_is_absent_is_noted_and_the_others_keep_their_names(self) -> None:
        text = LOCAL + 'api_keys: ["${A}", "${B}"]\n'
        self.assertEqual([key.name for key in self.read(text, B="b").api_keys], ["key-2"])
        self.assertEqual(self.notices(text, B="b"), ["2:12: api_keys[0]: absent: environment variable A is not set"])

    def test_a_list_of_which_nothing_is_left_would_open_the_door(self) -> None:
        self.assert_problems(
            LOCAL + 'api_keys: ["${A}", {env: B}, {file: none}, ""]\n',
            "2:11: api_keys: no key is left (environment variable A is not set; environment variable B is not set; "
            "there is no file ./none; the key is empty), and without keys everybody may call",
        )
        self.assert_problems(
            LOCAL + "api-keys: '${A}'\n",
            "2:11: api-keys: no key is left (environment variable A is not set), and without keys everybody may call",
        )

    def test_an_empty_list_is_no_list(self) -> None:
        for text in ("api_keys: []\n", "api_keys:\n", ""):
            self.assertEqual(self.keys(text), [])

    def test_additional_keys_come_from_the_environment(self) -> None:
        added = {"ADDITIONAL_API_KEYS": " a, b ,,k, a"}
        self.assertEqual(self.keys("", **added), [("additional-1", "a"), ("additional-2", "b"), ("additional-3", "k")])
        self.assertEqual(self.keys("api_keys: [k]\n", **added), [("key-1", "k"), ("additional-1", "a"), ("additional-2", "b")])
        self.assertEqual(len(self.keys('api_keys: ["${UNSET}"]\n', **added)), 3)
        self.assert_problems(
            LOCAL,
            "environment: ADDITIONAL_API_KEYS: holds a placeholder, and no key: it is cut short",
            ADDITIONAL_API_KEYS="a,sk-...",
        )

    def test_twins_are_mistakes_and_no_key_is_repeated(self) -> None:
        self.assert_problems(
            LOCAL + "api_keys: [s3cr3t, {key: s3cr3t, name: a}, {key: other, name: key-1}]\n",
            "2:20: api_keys[1]: the same key as 'key-1'",
            "2:44: api_keys[2]: a second key with the name 'key-1'",
        )

    def test_what_no_header_can_carry_is_no_key(self) -> None:
        said = "no key: it holds a space, a line break, or a character that no header can carry"
        self.assert_problems(
            LOCAL + 'api_keys: ["s3 cr3t", "${K}", "schlüssel", {file: k, name: x}, 8]\n',
            f"2:12: api_keys[0]: {said}",
            f"2:23: api_keys[1]: {said}",
            f"2:31: api_keys[2]: {said}",
            "2:64: api_keys[4]: must be text, not a number; put it in quotes",
            K="a\nb",
        )

    def test_exactly_one_source(self) -> None:
        self.assert_problems(
            LOCAL + "api_keys: [{name: a}, {key: k, env: K}, {kye: k}, k]\n",
            "2:12: api_keys[0]: needs one of 'key', 'file', 'env' and 'credential'",
            "2:23: api_keys[1]: needs one of 'key', 'file', 'env' and 'credential'",
            "2:41: api_keys[2]: needs one of 'key', 'file', 'env' and 'credential'",
            "2:42: api_keys[2].kye: unknown key, did you mean 'key'?",
            K="x",
        )

    def test_keys_are_not_printed(self) -> None:
        text = OPENAI % "s3cr3t" + "api_keys: [s3cr3t]\namp: {upstream_url: 'https://a.test', upstream_api_key: s3cr3t}\n"
        text += "management: {secret: s3cr3t}\n"
        self.assertNotIn("s3cr3t", repr(self.read(text)))


class Placeholders(ConfigCase):
    def test_keys_from_examples_are_refused(self) -> None:
        for word in (
            "your-api-key-1", "YOUR_API_KEY", "sk-...", "sk-ant-...", "sk-your-key", "insert-key-here", "<key>", "xxxx",
            "sk-xxx1", "***", "changeme", "change-me", "CHANGE_ME_1", "replace-me", "placeholder", "example-key",
            "sk-example", "dummy",
            "todo",
        ):  # fmt: skip
            self.assertIsNotNone(placeholder(word), word)

    def test_every_pattern_has_an_example(self) -> None:
        self.assertTrue(all(placeholder(pattern.replace("[*]", "*")) for pattern in PLACEHOLDERS))

    def test_real_keys_pass(self) -> None:
        for word in ("sk-proj-8aQ2f", "test-key", "llmux-3f9c", "hunter2", "k", "sgamp_user_01", "AIzaSyXXXX"):
            self.assertIsNone(placeholder(word), word)

    def test_the_place_is_told(self) -> None:
        self.assert_problems(
            LOCAL + "api_keys: [good, changeme]\n",
            "2:18: api_keys[1]: a placeholder, and no key: it asks to be changed; make one up that nobody can guess",
        )


class FileCase(ConfigCase):
    """A folder to put key files into."""

    def setUp(self) -> None:
        self.folder = self.mktemp()
        os.makedirs(self.folder)

    def write(self, name: str, data: bytes) -> None:
        with open(os.path.join(self.folder, name), "wb") as file:
            file.write(data)

    def parsed(self, text: str, **environ: str) -> Config:
        return parse(text, os.path.join(self.folder, "f.yaml"), environ)

    def values(self, config: Config) -> list[tuple[str, str]]:
        return [(credential.name, credential.value) for credential in config.providers[0].credentials]


class Files(FileCase):
    def test_a_file_beside_the_configuration(self) -> None:
        self.write("key", b"  sk-1\r\n")
        self.assertEqual(self.values(self.parsed(OPENAI % "{file: key}")), [("openai-1", "sk-1")])
        path = os.path.abspath(os.path.join(self.folder, "key"))
        self.assertEqual(self.values(self.parsed(OPENAI % f"{{file: '{path}', name: mine}}")), [("mine", "sk-1")])
        self.assertEqual(self.parsed(LOCAL + "api_keys: {file: key}\n").api_keys[0].key, "sk-1")

    def test_one_that_is_not_there_or_empty_is_absent(self) -> None:
        self.write("empty", b"\n")
        config = self.parsed(OPENAI % "{file: none}, {file: empty}, sk-3")
        self.assertEqual(self.values(config), [("openai-3", "sk-3")])
        self.assertEqual(
            [notice.message for notice in config.notices],
            [f"absent: there is no file {self.folder}/none", f"absent: {self.folder}/empty is empty"],
        )

    def test_a_file_that_is_no_text_or_more_than_a_line_is_a_mistake(self) -> None:
        self.write("binary", b"\xff\xfe\x00")
        self.write("lines", b"s3cr3t\ns3cr3t\n")
        error = self.assertRaises(ConfigError, self.parsed, OPENAI % "{file: binary}, {file: lines}")
        self.assertEqual(
            [problem.message for problem in error.problems],
            ["no key: the file is not text", "no key: it holds a space, a line break, or a character that no header can carry"],
        )


class Credentials(FileCase):
    """`{credential: NAME}`, from systemd's folder or from the one beside the main file."""

    RESTART = "and systemd puts new ones there only when the service starts again"

    def setUp(self) -> None:
        super().setUp()
        self.given = os.path.join(self.folder, "given")
        self.own = os.path.join(self.folder, "credentials")
        os.makedirs(self.given)
        os.makedirs(self.own)

    def value(self, name: str, **environ: str) -> str:
        ((_, value),) = self.values(self.parsed(OPENAI % f"{{credential: {name}}}", **environ))
        return value

    def given_value(self, name: str) -> str:
        return self.value(name, CREDENTIALS_DIRECTORY=self.given)

    def reason(self, name: str, **environ: str) -> str:
        ((provider, reason),) = self.parsed(OPENAI % f"{{credential: {name}}}", **environ).skipped
        self.assertEqual(provider, "openai")
        return reason.replace(f"{self.folder}/", "")

    def forbid(self, path: str) -> None:
        """Have nobody read this file, not even root."""

        def guarded(file: str, *args: Any, **kwargs: Any) -> Any:
            if file == path:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), file)
            return opened(file, *args, **kwargs)

        opened = open
        self.patch(builtins, "open", guarded)

    def test_a_folder_that_the_unit_loads_as_keys(self) -> None:
        self.write("given/keys_openai", b"sk-1\n")
        self.assertEqual(self.given_value("openai"), "sk-1")

    def test_a_credential_that_the_unit_loads_by_its_name(self) -> None:
        self.write("given/openai", b"sk-2")
        self.assertEqual(self.given_value("openai"), "sk-2")
        self.write("given/keys_openai", b"sk-1")
        self.assertEqual(self.given_value("openai"), "sk-1")

    def test_the_name_that_systemd_gives_it_works_everywhere(self) -> None:
        self.write("given/keys_openai", b"sk-1")
        self.assertEqual(self.given_value("keys_openai"), "sk-1")
        self.write("credentials/openai", b"sk-2")
        self.assertEqual(self.value("keys_openai"), "sk-2")
        self.write("credentials/keys_openai", b"sk-3")
        self.assertEqual(self.value("keys_openai"), "sk-3")

    def test_without_systemd_it_stands_beside_the_main_file(self) -> None:
        self.write("credentials/openai", b"sk-1")
        self.assertEqual(self.value("openai"), "sk-1")
        self.assertEqual(self.value("openai", CREDENTIALS_DIRECTORY=""), "sk-1")

    def test_with_systemd_nothing_else_is_looked_at(self) -> None:
        self.write("credentials/openai", b"sk-1")
        self.assertEqual(
            self.reason("openai", CREDENTIALS_DIRECTORY=self.given),
            f"there is no file given/keys_openai or given/openai, {self.RESTART}",
        )

    def test_a_file_of_conf_d_means_the_same_folder(self) -> None:
        os.makedirs(os.path.join(self.folder, "conf.d"))
        self.write("credentials/openai", b"sk-1")
        self.write("llmux.yaml", b"")
        self.write("conf.d/10.yaml", (OPENAI % "{credential: openai}").encode())
        self.assertEqual(self.values(load(os.path.join(self.folder, "llmux.yaml"), {})), [("openai-1", "sk-1")])

    def test_what_is_missing_is_named(self) -> None:
        unset = "and CREDENTIALS_DIRECTORY is not set"
        self.assertEqual(self.reason("openai"), f"there is no file credentials/openai, {unset}")
        self.assertEqual(self.reason("keys_x"), f"there is no file credentials/keys_x or credentials/x, {unset}")

    def test_what_is_empty_is_named_and_nothing_takes_its_place(self) -> None:
        self.write("given/keys_openai", b"\n")
        self.write("given/openai", b"sk-2")
        self.write("credentials/openai", b"")
        self.assertEqual(self.reason("openai", CREDENTIALS_DIRECTORY=self.given), "given/keys_openai is empty")
        self.assertEqual(self.reason("openai"), "credentials/openai is empty")

    def test_what_may_not_be_read_is_a_matter_of_rights(self) -> None:
        self.forbid(os.path.join(self.own, "openai"))
        rights = "run as root to see it, the service has it from systemd"
        self.assertEqual(self.reason("openai"), f"credentials/openai: Permission denied; {rights}")
        error = self.assertRaises(ConfigError, self.parsed, LOCAL + "api_keys: [{credential: openai}]\n")
        self.assertEqual(
            str(error).replace(f"{self.folder}/", ""),
            f"f.yaml:2:11: api_keys: no key is left (credentials/openai: Permission denied; {rights}), "
            "and without keys everybody may call",
        )

    def test_where_systemd_gave_it_root_is_no_help(self) -> None:
        self.forbid(os.path.join(self.given, "keys_openai"))
        self.assertEqual(self.reason("openai", CREDENTIALS_DIRECTORY=self.given), "given/keys_openai: Permission denied")

    def test_a_folder_is_no_key(self) -> None:
        os.makedirs(os.path.join(self.own, "openai"))
        self.assertEqual(self.reason("openai"), "credentials/openai: Is a directory")

    def test_names(self) -> None:
        said = "providers.openai.api_keys[0].credential: must be the name of a credential: ASCII, and neither '/' nor ':' in it"
        for name in ("../x", "/etc/passwd", ".", "..", "a:b", "schlüssel"):
            error = self.assertRaises(ConfigError, self.parsed, OPENAI % f"{{credential: '{name}'}}")
            self.assertEqual(str(error), f"{self.folder}/f.yaml:1:115: {said}")
        error = self.assertRaises(ConfigError, self.parsed, OPENAI % "{credential: ' '}")
        self.assertEqual(str(error), f"{self.folder}/f.yaml:1:115: providers.openai.api_keys[0].credential: must not be empty")
