"""The official SDKs, pointed at a daemon: strict where they can be, and never trying twice."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from anthropic import Anthropic
from google import genai
from openai import OpenAI
from twisted.trial.unittest import SynchronousTestCase

from tests.e2e.daemon import Daemon, Shared, direct

KEY = "llmux-e2e-key-0001"

# Quick, but still spread over time, so that streams are streams.
_PLAYBACK = f"""\
api_keys: ["{KEY}"]
providers:
  demo:
    scenario: "builtin:hello"
    models: [gpt-5, claude-opus-4-5, gemini-2.5-pro, text-embedding-3-small, gemini-embedding-001]
    speed: 0.1
"""


def _write(folder: Path) -> tuple[str, ...]:
    (folder / "llmux.yaml").write_text(_PLAYBACK)
    return ("--config", "llmux.yaml")


PLAYBACK = Shared(_write)


class SDKCase(SynchronousTestCase):
    """Blocking clients of a daemon that is another process. `base` is where the dialect's root is on it."""

    base = ""

    @property
    def daemon(self) -> Daemon:
        """The daemon to talk to."""
        return PLAYBACK.daemon

    def openai(self, key: str = KEY, strict: bool = True) -> OpenAI:
        """OpenAI's client. `strict` is too strict for what OpenAI itself answers in two places: packed embeddings, and
        chunks of the legacy completions before their finish reason."""
        with direct():
            client = OpenAI(
                base_url=f"{self.daemon.url}{self.base}/v1",
                api_key=key,
                max_retries=0,
                timeout=20,
                _strict_response_validation=strict,
            )
        self.addCleanup(client.close)
        return client

    def anthropic(self, key: str = KEY, **more: Any) -> Anthropic:
        """Anthropic's client."""
        credential = more or {"api_key": key}
        with direct():
            client = Anthropic(
                base_url=f"{self.daemon.url}{self.base}",
                max_retries=0,
                timeout=20,
                _strict_response_validation=True,
                **credential,
            )
        self.addCleanup(client.close)
        return client

    def gemini(self, key: str = KEY, version: str | None = None) -> genai.Client:
        """Google's client, with the API version of its own choice unless one is named."""
        options = genai.types.HttpOptions(base_url=f"{self.daemon.url}{self.base}", api_version=version, timeout=20_000)
        with direct(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            client = genai.Client(api_key=key, vertexai=False, http_options=options)
        self.addCleanup(client.close)
        return client
