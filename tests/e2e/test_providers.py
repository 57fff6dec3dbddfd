"""The official SDKs over a provider of their dialect: what reaches it, and what they make of its every ending."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import openai
from google.genai import errors

from tests.e2e.daemon import Daemon, Shared
from tests.e2e.providers import Script, ScriptedProvider, Wire
from tests.e2e.sdks import KEY, SDKCase
from tests.e2e.speakers import MESSAGES, RESPONSES, SPEAKERS, TEXT, Speaker

SECRET = "provider-secret-0001"

# What each SDK raises when a status, or an error in the stream, tells it to.
_API_ERRORS = (openai.APIError, anthropic.APIError, errors.APIError)

_CONFIG = """\
api_keys: ["{key}"]
timeouts: {{connect: 2, first_event: 2, idle: 0.5}}
providers:
  openai: {{base_url: "{url}/openai/v1", dialect: openai, api_keys: ["{secret}"], models: ["gpt-*"], headers: {{x-extra: kept}}}}
  anthropic: {{base_url: "{url}/anthropic", dialect: anthropic, api_keys: ["{secret}"], models: ["claude-*"]}}
  google: {{base_url: "{url}/google", dialect: gemini, api_keys: ["{secret}"], models: ["gemini-*"]}}
"""


class _Scripted(Shared):
    """A daemon, and the provider that it asks."""

    def __init__(self) -> None:
        super().__init__(self._configure)
        self._provider: ScriptedProvider | None = None

    @property
    def provider(self) -> ScriptedProvider:
        """The provider, from its first use on."""
        if self._provider is None:
            self._provider = ScriptedProvider()
        return self._provider

    def _configure(self, folder: Path) -> tuple[str, ...]:
        (folder / "llmux.yaml").write_text(_CONFIG.format(key=KEY, secret=SECRET, url=self.provider.url))
        return ("--config", "llmux.yaml")


_SCRIPTED = _Scripted()


class ProviderTests(SDKCase):
    """Each with all four dialects."""

    @property
    def daemon(self) -> Daemon:
        """The daemon that asks the scripted provider."""
        return _SCRIPTED.daemon

    @property
    def provider(self) -> ScriptedProvider:
        """The scripted provider."""
        return _SCRIPTED.provider

    def raised(self, speaker: Speaker, script: Script, ask: Callable[[SDKCase], str]) -> Any:
        """What the SDK raises. It must raise: an answer cut short is not to be taken for whole."""
        self.provider.play(script)
        try:
            told = ask(self)
        except Exception as error:
            return error
        raise self.failureException(f"{speaker.name}: took {told!r} for a whole answer")

    def assert_reached(self, speaker: Speaker, target: str) -> None:
        """The request came once, where it should, with the provider's credential and nothing of the client's."""
        (seen,) = self.provider.seen
        self.assertEqual((seen.method, seen.target), ("POST", target), speaker.name)
        bearer = "Bearer " if speaker.credential == "authorization" else ""
        self.assertEqual(seen.headers[speaker.credential], bearer + SECRET)
        self.assertFalse(seen.says(KEY), speaker.name)
        self.assertEqual(seen.headers["host"], self.provider.url.removeprefix("http://"))
        self.assertEqual(seen.headers["accept-encoding"], "identity")
        self.assertTrue(seen.headers["user-agent"].lower().startswith(("openai", "anthropic", "google-genai-sdk")))
        self.assertTrue(seen.says(TEXT), speaker.name)
        if bearer:
            self.assertEqual(seen.headers["x-extra"], "kept")

    def test_whole(self) -> None:
        """Both ways unchanged, what nobody knows included."""
        for speaker in SPEAKERS:
            self.provider.play(lambda wire, speaker=speaker: wire.whole(200, speaker.whole))  # type: ignore[misc]
            self.assertEqual(speaker.ask(self), TEXT, speaker.name)
            self.assert_reached(speaker, speaker.target)
            (seen,) = self.provider.seen
            self.assertIn({"kept": [1, 2.5]}, seen.document.values(), speaker.name)
            if speaker is MESSAGES:
                self.assertEqual(seen.headers["anthropic-beta"], "context-management-2025-06-27,made-up-2031-01-01")
                self.assertIn("anthropic-version", seen.headers)

    def test_stream(self) -> None:
        for speaker in SPEAKERS:
            self.provider.play(lambda wire, speaker=speaker: wire.stream(*speaker.events))  # type: ignore[misc]
            self.assertEqual(speaker.ask_stream(self), TEXT, speaker.name)
            self.assert_reached(speaker, speaker.stream_target)

    def test_stream_in_small_pieces(self) -> None:
        """Cut between any two bytes, inside characters too."""

        def script(wire: Wire) -> None:
            wire.stream(*(bytes([byte]) for byte in b"".join(speaker.events)))

        for speaker in SPEAKERS:
            self.provider.play(script)
            self.assertEqual(speaker.ask_stream(self), TEXT, speaker.name)

    def test_error_status(self) -> None:
        """The status, the body and Retry-After are the provider's; our key is not in them, though it put it there."""
        for speaker in SPEAKERS:
            for ask in (speaker.ask, speaker.ask_stream):

                def script(wire: Wire, speaker: Speaker = speaker) -> None:
                    wire.whole(429, {**speaker.error, "leak": f"key {SECRET} is slow"}, "retry-after: 7")

                error = self.raised(speaker, script, ask)
                self.assertIsInstance(error, _API_ERRORS, speaker.name)
                self.assertEqual(error.code if isinstance(error, errors.APIError) else error.status_code, 429)
                self.assertIn("slow down", str(error))
                response = error.response
                if not isinstance(error, errors.APIError):
                    self.assertEqual(response.headers["retry-after"], "7")
                    self.assertNotIn(SECRET, response.text)
                    self.assertIn("…0001", response.text)
                self.assertEqual(len(self.provider.seen), 1)

    def test_error_event(self) -> None:
        """The provider breaks off with its dialect's own error event."""
        for speaker in SPEAKERS:

            def script(wire: Wire, speaker: Speaker = speaker) -> None:
                wire.stream(*speaker.events[:-2], speaker.broken)

            if speaker is RESPONSES:
                # This SDK raises for no event: it hands the failure over, whole, as the response's state.
                self.provider.play(script)
                events: list[Any] = list(self.openai().responses.create(model="gpt-5", input=TEXT, stream=True))
                self.assertEqual((events[-1].type, events[-1].response.status), ("response.failed", "failed"))
                self.assertEqual(events[-1].response.error.message, "slow down")
                continue
            error = self.raised(speaker, script, speaker.ask_stream)
            self.assertIsInstance(error, _API_ERRORS, speaker.name)
            self.assertIn("slow down", str(error))

    def test_cut_stream(self) -> None:
        """The connection ends in the middle: in order, by reset, in order but without the dialect's own end, or never."""
        for speaker in SPEAKERS:
            some = speaker.events[:-2]

            def cut(wire: Wire, some: tuple[bytes, ...] = some) -> None:
                wire.stream(*some, end=False)

            def reset(wire: Wire, some: tuple[bytes, ...] = some) -> None:
                wire.stream(*some, end=False)
                wire.reset()

            def short(wire: Wire, some: tuple[bytes, ...] = some) -> None:
                wire.stream(*some)

            def stall(wire: Wire, some: tuple[bytes, ...] = some) -> None:
                wire.stream(*some, end=False)
                wire.until_closed()

            for script in (cut, reset, short, stall):
                self.raised(speaker, script, speaker.ask_stream)

    def test_no_stream(self) -> None:
        """Cut before the first event, the client gets an honest error status."""
        for speaker in SPEAKERS:
            error = self.raised(speaker, lambda wire: wire.stream(end=False), speaker.ask_stream)
            self.assertIsInstance(error, _API_ERRORS, speaker.name)
            self.assertEqual(error.code if isinstance(error, errors.APIError) else error.status_code, 502, speaker.name)

    def test_cut_body(self) -> None:
        """A whole answer that is not whole."""

        def script(wire: Wire) -> None:
            wire.send(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{"id": "x"')

        for speaker in SPEAKERS:
            self.raised(speaker, script, speaker.ask)

    def test_no_answer(self) -> None:
        """The connection ends without an answer."""
        for speaker in SPEAKERS:
            error = self.raised(speaker, lambda wire: None, speaker.ask)
            self.assertIsInstance(error, _API_ERRORS, speaker.name)
            self.assertEqual(error.code if isinstance(error, errors.APIError) else error.status_code, 502, speaker.name)
