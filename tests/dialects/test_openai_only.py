"""What OpenAI's two APIs have in common crosses from one to the other as it is; others are told that it is lost."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.context import Context, Target
from llmux.dialects.notes import Notes
from llmux.dialects.registry import DIALECTS
from llmux.dialects.seals import Seals
from llmux.dialects.translation import Translation
from llmux.errors import Fault

SAID: dict[str, dict[str, Any]] = {
    "openai-chat": {"model": "m", "messages": [{"role": "user", "content": "x"}]},
    "openai-responses": {"model": "m", "input": "x"},
}
OTHER = {"openai-chat": "openai-responses", "openai-responses": "openai-chat"}
MODELS = {"anthropic": "claude-sonnet-4-5", "gemini": "gemini-3-pro-preview"}


def told(client: str, provider: str, **more: Any) -> tuple[dict[str, Any], list[str]]:
    """What a provider gets of a request, and the notes on what it says more than most."""
    notes = Notes()
    target = Target.of(MODELS.get(provider, "gpt-5.1"))
    context = Context(notes=notes, seals=Seals((b"k",)), target=target, asked={**SAID[client], **more})
    body = Translation(DIALECTS[client].rooms, DIALECTS[provider], context).body
    return body, [f"{note.action} {note.pointer}" for note in notes if note.pointer.strip("/").split("/")[0] in more]


class BetweenTests(SynchronousTestCase):
    def test_as_it_is(self) -> None:
        """Every such member, alone and beside its older name."""
        for members in (
            {"prompt_cache_key": "k", "prompt_cache_retention": "24h"},
            {"prompt_cache_options": {"mode": "explicit", "ttl": "30m"}},
            {"prompt_cache_options": {"mode": "explicit"}},
            {"prompt_cache_options": {"mode": "implicit", "ttl": "30m"}},
            {"moderation": {"model": "omni", "policy": {"input": {"mode": "block"}, "output": {"mode": "score"}}}},
            {"user": "u"},
            {"store": True, "metadata": {"a": "b"}, "service_tier": "flex"},
            {"safety_identifier": "s"},
            {"user": "u", "safety_identifier": "s"},
        ):
            for client, provider in OTHER.items():
                body, notes = told(client, provider, **members)
                self.assertEqual({name: body.get(name) for name in members}, members, client)
                self.assertEqual({name for name in body if name in ("user", "safety_identifier")} - members.keys(), set())
                self.assertEqual(notes, [], client)

    def test_padding(self) -> None:
        """How a stream is padded is not for the provider to know; what else is said of it is noted."""
        for client, provider in OTHER.items():
            _, notes = told(client, provider, stream=True, stream_options={"include_obfuscation": False, "x": 1})
            self.assertEqual(notes, ["dropped /stream_options/x"])

    def test_nothing_kept(self) -> None:
        """Chat Completions keep nothing unless they are told to, and compatible servers refuse the member."""
        self.assertNotIn("store", told("openai-responses", "openai-chat", store=False)[0])
        self.assertEqual(told("openai-chat", "openai-responses", store=False)[0]["store"], False)

    def test_lifetimes(self) -> None:
        """Only Responses keeps a whole request for half a day."""
        options = {"mode": "explicit", "ttl": "12h"}
        body, notes = told("openai-responses", "openai-chat", prompt_cache_options=options)
        self.assertEqual((body["prompt_cache_options"], notes), ({"mode": "explicit"}, ["dropped /prompt_cache_options/ttl"]))
        pointer = self.refused("openai-responses", "openai-chat", prompt_cache_options={"mode": "x"})
        self.assertEqual(pointer, "/prompt_cache_options/mode")

    def test_to_others(self) -> None:
        """What they have no word for is noted, leaf by leaf; a filter that would be lost is refused."""
        for client in OTHER:
            for provider in MODELS:
                body, notes = told(
                    client,
                    provider,
                    prompt_cache_key="k",
                    prompt_cache_retention="24h",
                    prompt_cache_options={"mode": "explicit", "ttl": "30m"},
                    moderation={"model": "omni", "policy": {"input": {"mode": "score"}}},
                    user="u",
                    safety_identifier="s",
                )
                expected = [
                    "dropped /moderation/model",
                    "dropped /moderation/policy/input/mode",
                    "dropped /prompt_cache_key",
                    "dropped /prompt_cache_options/ttl",
                    "dropped /prompt_cache_retention",
                    "dropped /user",
                ]
                if provider == "gemini":
                    expected += ["dropped /prompt_cache_options", "dropped /safety_identifier"]
                else:
                    self.assertEqual(body["metadata"], {"user_id": "s"})
                self.assertEqual(sorted(notes), sorted(expected), (client, provider))
                blocking = {"model": "omni", "policy": {"output": {"mode": "block"}}}
                self.assertEqual(self.refused(client, provider, moderation=blocking), "/moderation/policy/output/mode")

    def refused(self, client: str, provider: str, **more: Any) -> str | None:
        """The field for which a request is refused."""
        fault = self.assertRaises(Fault, told, client, provider, **more)
        param: str | None = fault.param
        return param
