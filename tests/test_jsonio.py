"""JSON that changes nothing."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from llmux import jsonio


class LoadsTests(SynchronousTestCase):
    """Both engines, one result."""

    def test_exact(self) -> None:
        """Long integers keep their digits, lone surrogates their code points."""
        for text in ("12345678901234567890123", '"\\ud83d"', '{"a":[1,2.5,null,true]}', '"\u00e9\U0001f600"'):
            value = jsonio.loads(text.encode())
            self.assertEqual(value, json.loads(text))
            self.assertEqual(jsonio.loads(jsonio.dumps(value)), value)

    def test_repeated(self) -> None:
        """Objects that name a member twice are written with both, wherever they are, unless nobody looked for them."""
        for text in (
            '{"a":1,"a":{"b":[{"c":1.50,"c":12345678901234567890123}]}}',
            '[{"a":{"b":"\\ud83d","b":"\u00e9"}}]',
            '{"a":1,"b":"\u00e9"}',
            '{"a": 1}',
        ):
            document = jsonio.loads(text.encode())
            whole = jsonio.whole(document, text.encode())
            self.assertEqual(whole, document)
            self.assertEqual(jsonio.dumps(whole).decode().replace("\\u00e9", "\u00e9"), text.replace(": ", ":"))
        for separators in ((",", ":"), (", ", ": ")):  # large bodies too
            text = json.dumps({"a": {"b": ["x" * 20_000, 1]}, "c": [{}, []]}, separators=separators)
            self.assertIs(type(jsonio.whole(json.loads(text), text.encode())["a"]), dict)
            text = text.replace('"c"', '"a"')
            self.assertEqual(jsonio.dumps(jsonio.whole(json.loads(text), text.encode())).count(b'"a"'), 2)
        deep = b"[" * 2000 + b"]" * 2000
        self.assertEqual(jsonio.whole([], deep), [])

    def test_refusals(self) -> None:
        """ValueError, also for nesting past the interpreter's depth."""
        for text in (b"", b"{", b"[1,]", b'{"a":}', b"[" * 100_000):
            self.assertRaises(ValueError, jsonio.loads, text)


class SkimTests(SynchronousTestCase):
    """Model and stream flag."""

    def test_read(self) -> None:
        """Members in any order and spelling, nested ones aside."""
        rows: list[tuple[bytes, str | None, bool]] = [
            (b'{"model":"a"}', "a", False),
            (b'{"metadata":{"model":"b"},"stream":true,"model":"a"}', "a", True),
            (b'{"mod\\u0065l":"a","stream":false}', "a", False),
            (b'{"model":"a\\u00e9\\ud83d"}', "a\u00e9\ud83d", False),
            (b'{"stream":1}', None, False),
            (b'{"model":null}', None, False),
            (b'{"text":"say \\"model\\": \\"x\\"","model":"a"}', "a", False),
            (b'{"messages":[{"content":"\\ud83d"}],"model":"a","stream":true}', "a", True),
        ]
        for body, model, stream in rows:
            self.assertEqual(jsonio.skim(body), jsonio.Skim(model, stream), body)

    def test_refusals(self) -> None:
        """What is no object, no JSON, or no name."""
        for body in (b"", b"[]", b'"x"', b'{"model":1}', b'{"model":["a"]}', b'{"model":"a"', b"{" * 50_000, b'{"model":"a"}x'):
            self.assertRaises(ValueError, jsonio.skim, body)

    def test_two_models(self) -> None:
        """Judged by one name and served by another: never."""
        for body in (
            b'{"model":"a","model":"b"}',
            b'{"model":"a","x":{"model":"c"},"model":"a"}',
            b'{"mod\\u0065l":"a","model":"b"}',
            b'{"model":"a","\\u006dodel":"b"}',
        ):
            self.assertRaisesRegex(ValueError, "more than once", jsonio.skim, body)

    def test_model_elsewhere_is_no_second_one(self) -> None:
        """Nested members and text do not count."""
        for body in (
            b'{"x":{"model":"b"},"model":"a","y":[{"model":"a"}]}',
            b'{"model":"a","t":"\\"model\\":\\"b\\""}',
            b'{"model":"a","t":"\\u0061\\u0062"}',
        ):
            self.assertEqual(jsonio.skim(body).model, "a")

    def test_many_nested_ones(self) -> None:
        """A body full of them is read a few times, not once for each; it is right all the same."""
        nested = b",".join([b'{"model":"x"}'] * 20_000)
        self.assertEqual(jsonio.skim(b'{"a":[%b],"model":"m"}' % nested).model, "m")
        self.assertRaisesRegex(ValueError, "more than once", jsonio.skim, b'{"model":"n","a":[%b],"model":"m"}' % nested)
        patched = jsonio.patch_model(b'{"a":[%b],"model":"x"}' % nested, "x", "y")
        self.assertEqual(json.loads(patched)["model"], "y")


class DepthTests(SynchronousTestCase):
    """Nesting."""

    def test_deeper_than(self) -> None:
        """Counted through objects and lists."""
        self.assertFalse(jsonio.deeper_than({"a": [1, {"b": 2}]}, 3))
        self.assertTrue(jsonio.deeper_than({"a": [1, {"b": []}]}, 3))
        self.assertFalse(jsonio.deeper_than(1, 1))

    def test_dumps(self) -> None:
        """ValueError, not the end of the stack."""
        value: object = 1
        for _ in range(5000):
            value = [value]
        self.assertRaises(ValueError, jsonio.dumps, value)


class PatchTests(SynchronousTestCase):
    """Renaming the model in place."""

    def test_only_the_name_moves(self) -> None:
        """Every other byte stays."""
        rows = [
            (b'{"model":"a"}', b'{"model":"b/\xc3\xa9"}'),
            (b'{ "x":{"model":"a"}, "model" :\n"a" , "n":1.0}', b'{ "x":{"model":"a"}, "model" :\n"b/\xc3\xa9" , "n":1.0}'),
            (b'{"t":"\\"model\\":\\"a\\"","model":"a"}', b'{"t":"\\"model\\":\\"a\\"","model":"b/\xc3\xa9"}'),
            (b'{"model":"\\u0061"}', b'{"model":"b/\xc3\xa9"}'),
        ]
        for body, expected in rows:
            self.assertEqual(jsonio.patch_model(body, "a", "b/\u00e9"), expected)

    def test_escaped_key(self) -> None:
        """A key in escapes is found too, at the price of writing the body anew."""
        patched = jsonio.patch_model(b'{"mod\\u0065l":"a","n":[1]}', "a", "b")
        self.assertEqual(json.loads(patched), {"model": "b", "n": [1]})
