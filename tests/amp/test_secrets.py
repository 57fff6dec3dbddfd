from twisted.trial.unittest import SynchronousTestCase

from llmux.amp.secrets import parse_secrets


class SecretsFile(SynchronousTestCase):
    def test_the_key_of_ampcode_is_found_and_trimmed(self) -> None:
        text = '{"apiKey@http://localhost:1/": "other", "apiKey@https://ampcode.com/": "  sgamp_1\\n"}'
        self.assertEqual(parse_secrets(text), "sgamp_1")

    def test_without_a_key_there_is_none(self) -> None:
        for text in ("{}", '{"apiKey@https://ampcode.com": "no slash"}', '{"apiKey@https://ampcode.com/": "  "}'):
            self.assertIsNone(parse_secrets(text))

    def test_what_is_no_flat_object_of_strings_is_refused(self) -> None:
        for text in ("", "{", "[]", "null", '"x"', '{"other": 1}', '{"apiKey@https://ampcode.com/": null}', "[" * 100_000):
            with self.assertRaises(ValueError):
                parse_secrets(text)

    def test_no_complaint_repeats_a_secret(self) -> None:
        for text in ('{"apiKey@https://ampcode.com/": "s3cr3t"', '{"apiKey@https://ampcode.com/": "s3cr3t", "b": ["s3cr3t"]}'):
            with self.assertRaises(ValueError) as caught:
                parse_secrets(text)
            told = repr(vars(caught.exception)) + repr(caught.exception) + repr(caught.exception.__cause__)
            self.assertNotIn("s3cr3t", told)
