from twisted.trial.unittest import SynchronousTestCase

from llmux.config import parse
from llmux.config.document import compose
from llmux.config.nodes import Book, Node
from llmux.config.reader import Key, keys_of
from llmux.config.reference import Entry, reference
from llmux.config.schema import Config

ENTRIES = [entry for top in reference() for entry in top.walk()]


PROVIDERS = parse("providers: {openai: {base_url: 'http://a.test', dialect: openai, models: [gpt-5]}}", "f.yaml", {}).providers


class Set(dict[str, str]):
    """An environment in which every variable is set."""

    def get(self, name: str, default: object = None) -> str:
        return f"of-{name}"


def node(text: str) -> Node:
    found = compose(text, "f.yaml", Book("f.yaml", Set(), providers=PROVIDERS))
    assert found is not None
    return found


class Keys(SynchronousTestCase):
    def entry(self, path: str) -> Entry:
        (entry,) = (entry for entry in ENTRIES if entry.path == path)
        return entry

    def test_every_key_of_every_class_is_there_once(self) -> None:
        """Those of a class are told where it is met first."""
        declared = [key for cls in _classes(Config, set()) for key in keys_of(cls).values()]
        self.assertEqual(sorted(map(_name, declared)), sorted(_name(entry.key) for entry in ENTRIES))
        self.assertEqual(len({entry.path for entry in ENTRIES}), len(ENTRIES))

    def test_every_key_is_described(self) -> None:
        for entry in ENTRIES:
            self.assertRegex(entry.key.doc, r"^[A-Z`].*\.$", entry.path)
            self.assertNotRegex(entry.key.doc, r"  |\n|  |[^ -~]", entry.path)
            self.assertTrue(entry.key.read.wants, entry.path)

    def test_a_default_is_what_its_reader_reads(self) -> None:
        checked = 0
        for entry in ENTRIES:
            default = node(f"x: {entry.default}").entries()["x"][1]
            if entry.default and not default.null:
                self.assertEqual(entry.key.read(default), entry.key.default, entry.path)
                checked += 1
            elif entry.default:
                self.assertFalse(entry.key.default, entry.path)
        self.assertGreater(checked, 40)

    def test_an_example_is_something_that_its_reader_reads(self) -> None:
        shown = [entry for entry in ENTRIES if entry.key.example]
        self.assertGreater(len(shown), 40)
        for entry in shown:
            entry.key.read(node(f"x: {entry.key.example}").entries()["x"][1])  # raises Mistake otherwise

    def test_what_must_be_there_and_what_is_a_secret_have_one(self) -> None:
        for entry in ENTRIES:
            if entry.key.required or entry.key.secret:
                self.assertTrue(entry.key.example, entry.path)

    def test_no_default_is_a_secret(self) -> None:
        secret = [entry for entry in ENTRIES if entry.key.secret]
        self.assertGreater(len(secret), 5)
        for entry in secret:
            self.assertIn(entry.default, ("", "null", "[]", "{}"), entry.path)

    def test_paths_and_types(self) -> None:
        for path, wants, default in (
            ("drain", "seconds, or a time such as 500ms, 30s or 2m", "30"),
            ("limits.body", "bytes, or a size such as 512k, 10MB or 32MiB", "32MiB"),
            ("listen", "a list of at least one item, each a Twisted endpoint string", '["tcp:8743:interface=127.0.0.1"]'),
            ("log.format", "text or json", "text"),
            ("retry.max_attempts", "a whole number, between 1 and 10", "3"),
            ("providers.NAME.models", "a list of at least one item, each text", "null"),
            ("providers.NAME.headers", "a mapping from header names, each to its text", "{}"),
            ("api_keys[].env", "the name of an environment variable", "null"),
        ):
            entry = self.entry(path)
            self.assertEqual((entry.key.read.wants, entry.default), (wants, default))

    def test_what_has_been_told_is_referred_to(self) -> None:
        for path, like, without in (
            ("providers.NAME.timeouts", "timeouts", set()),
            ("providers.NAME.api_keys", "api_keys[]", {"models"}),
            ("amp.model_mappings[].to", "routes[].to[]", set()),
            ("amp.model_mappings[].when", "routes[].when", set()),
        ):
            entry = self.entry(path)
            self.assertEqual((entry.like, entry.without, entry.children), (like, without, ()))

    def test_what_is_in_a_section_without_effect_has_none(self) -> None:
        self.assertTrue(self.entry("breaker.failures").later)
        self.assertFalse(self.entry("breaker.failures").key.later)
        self.assertFalse(self.entry("timeouts.idle").later)

    def test_other_spellings_and_needs(self) -> None:
        self.assertEqual(self.entry("amp").key.words, ("amp", "ampcode"))
        self.assertEqual((self.entry("amp").word, self.entry("amp.model_mappings[].from").word), ("amp", "from"))
        self.assertTrue(self.entry("amp.model_mappings[].from").key.required)


def _classes(cls: type, found: set[type]) -> set[type]:
    """A class and those in it; of one and its subclass only the subclass, which has all keys of both."""
    found.add(cls)
    for key in keys_of(cls).values():
        if key.read.cls is not None and not any(issubclass(other, key.read.cls) for other in found):
            _classes(key.read.cls, found)
    return found


def _name(key: Key) -> tuple[str, str]:
    return key.words[0], key.doc
