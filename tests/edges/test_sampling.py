"""Edge cases 31 to 60: sampling, limits, thinking, and the seals that thinking leaves behind."""

from __future__ import annotations

import re
from typing import Any

from llmux.dialects.capabilities import Capabilities
from llmux.dialects.vault import Vault
from tests.edges import wire
from tests.edges.bodies import (
    AN,
    CH,
    GE,
    OSLO,
    RE,
    Body,
    answered,
    called,
    chat,
    chat_call,
    completion,
    contents,
    conversation,
    function_call,
    generated,
    message,
    messages,
    output_text,
    question,
    response,
    responses,
    said_back,
    spoken,
    text_of,
    tool_use,
    tools,
)
from tests.edges.case import (
    BUDGET_CLAUDE,
    BUDGET_GEMINI,
    LEVEL_GEMINI,
    NEW_CLAUDE,
    OLD_CLAUDE,
    PRO_GEMINI,
    SEVEN,
    EdgeCase,
    others,
)

OLDER, NEWER = "2023-06-01", "2026-10-21"
ASK = {"role": "user", "content": "Hello"}
SIGNATURE = "c2lnbmF0dXJlIG9mIGEgdGhvdWdodA=="
OTHER_SIGNATURE = "YW5vdGhlciBzaWduYXR1cmU="
BYPASS = "skip_thought_signature_validator"
EFFORT: dict[str, Body] = {CH: {"reasoning_effort": "high"}, RE: {"reasoning": {"effort": "high"}}}


def sampled(client: str, **values: Any) -> tuple[Body, dict[str, str]]:
    """A question with some sampling, named as in CH, and the pointers of what was set."""
    names = {"top_p": "topP", "top_k": "topK"}
    if client != GE:
        return conversation(client, [spoken(client, "user", "Hello")], **values), {name: f"/{name}" for name in values}
    config = {names.get(name, name): value for name, value in values.items()}
    pointers = {name: f"/generationConfig/{names.get(name, name)}" for name in values}
    return contents(spoken(GE, "user", "Hello"), config=config), pointers


def effort(client: str, level: str, **more: Any) -> Body:
    """A question to be thought about at a level, by CH or RE."""
    asked: Body = {"reasoning_effort": level} if client == CH else {"reasoning": {"effort": level}}
    return conversation(client, [ASK], **asked, **more)


EFFORT_AT = {CH: "/reasoning_effort", RE: "/reasoning/effort"}


def budget(tokens: int, limit: int = 8192, **config: Any) -> Body:
    """A question to Gemini, to be thought about with a budget, of which all is shown."""
    thinking = {"thinkingBudget": tokens, "includeThoughts": True}
    return contents(spoken(GE, "user", "Hello"), config={"maxOutputTokens": limit, "thinkingConfig": thinking, **config})


BUDGET_AT = "/generationConfig/thinkingConfig/thinkingBudget"


class SamplingTests(EdgeCase):
    """How tokens are chosen."""

    def test_31_temperature_for_models_that_take_none(self) -> None:
        """`temperature: 0` for Claude Opus 4.7 and later -> dropped and noted, not refused; refused where that is wanted."""
        for client in (CH, RE, GE):
            asked, at = sampled(client, temperature=0)
            for model in (SEVEN, NEW_CLAUDE, "claude-sonnet-5"):
                made = self.exchange(client, AN, asked, model=model)
                self.assertNotIn("temperature", made.body)
                self.assertEqual(made.notes, [f"dropped {at['temperature']}"])
                self.assertEqual(made.version, NEWER)
            fault = self.refused(client, AN, asked, model=SEVEN, options={"strict": True})
            self.assertEqual(fault.param, at["temperature"])

    def test_32_temperature_above_the_scale(self) -> None:
        """Temperature 1.7 for an older Claude -> 1, noted, under the older version."""
        for client in (CH, RE, GE):
            asked, at = sampled(client, temperature=1.7)
            for model in (OLD_CLAUDE, BUDGET_CLAUDE):
                made = self.exchange(client, AN, asked, model=model)
                self.assertEqual(made.body["temperature"], 1)
                self.assertEqual((made.notes, made.version), ([f"approximated {at['temperature']}"], OLDER))

    def test_33_temperature_and_top_p(self) -> None:
        """Both for Claude 4.x -> temperature stays, `top_p` is dropped and noted; Claude 3.5 takes both."""
        for client in (CH, RE, GE):
            asked, at = sampled(client, temperature=0.5, top_p=0.25)
            body, notes = self.ask(client, AN, asked, model=BUDGET_CLAUDE)
            self.assertEqual((body.get("temperature"), body.get("top_p"), notes), (0.5, None, [f"dropped {at['top_p']}"]))
            body, notes = self.ask(client, AN, asked, model=OLD_CLAUDE)
            self.assertEqual((body.get("temperature"), body.get("top_p"), notes), (0.5, 0.25, []))
            asked, _ = sampled(client, top_p=0.25)
            body, notes = self.ask(client, AN, asked, model=BUDGET_CLAUDE)
            self.assertEqual((body["top_p"], notes), (0.25, []))

    def test_34_temperature_beside_thinking(self) -> None:
        """Thinking by budget and a temperature other than 1 -> the temperature is dropped and noted."""
        body, notes = self.ask(GE, AN, budget(2048, temperature=0.25), model=BUDGET_CLAUDE)
        self.assertEqual(body["thinking"], {"type": "enabled", "budget_tokens": 2048})
        self.assertNotIn("temperature", body)
        self.assertEqual(notes, ["dropped /generationConfig/temperature"])
        for client in (CH, RE):
            body, notes = self.ask(client, AN, effort(client, "low", temperature=0.25), model=BUDGET_CLAUDE)
            self.assertEqual(body["thinking"]["type"], "enabled")
            self.assertNotIn("temperature", body)
            self.assertIn("dropped /temperature", notes)
            body, notes = self.ask(client, AN, effort(client, "low", temperature=1), model=BUDGET_CLAUDE)
            self.assertIn(body.get("temperature"), (None, 1))
            self.assertNotIn("dropped /temperature", notes)

    def test_35_top_k(self) -> None:
        """`top_k` for CH and RE -> dropped and noted; AN and GE have it."""
        for client in (AN, GE):
            asked, at = sampled(client, top_k=5)
            for provider in (CH, RE):
                body, notes = self.ask(client, provider, asked)
                self.assertNotIn("top_k", text_of(body))
                self.assertEqual(notes, [f"dropped {at['top_k']}"])
        body, notes = self.ask(GE, AN, sampled(GE, top_k=5)[0], model=BUDGET_CLAUDE)
        self.assertEqual((body["top_k"], notes), (5, []))
        body, notes = self.ask(AN, GE, sampled(AN, top_k=5)[0])
        self.assertEqual((body["generationConfig"]["topK"], notes), (5, []))

    def test_57_several_answers(self) -> None:
        """`n: 2` for AN and RE -> 400 that names it; CH and GE answer twice."""
        for provider in (AN, RE):
            self.assertEqual(self.refused(CH, provider, chat(ASK, n=2)).param, "/n")
        asked = contents(spoken(GE, "user", "Hello"), config={"candidateCount": 2})
        for provider in (AN, RE):
            self.assertEqual(self.refused(GE, provider, asked).param, "/generationConfig/candidateCount")
        body, notes = self.ask(CH, GE, chat(ASK, n=2))
        self.assertEqual((body["generationConfig"]["candidateCount"], notes), (2, []))
        body, notes = self.ask(GE, CH, asked)
        self.assertEqual((body["n"], notes), (2, []))
        body, notes = self.ask(CH, AN, chat(ASK, n=1))
        self.assertEqual(notes, [])

    def test_58_one_stop(self) -> None:
        """CH `stop: "x"` -> a list of one at AN and GE; RE has none, which is noted."""
        asked = chat(ASK, stop="x")
        body, notes = self.ask(CH, AN, asked)
        self.assertEqual((body["stop_sequences"], notes), (["x"], []))
        body, notes = self.ask(CH, GE, asked)
        self.assertEqual((body["generationConfig"]["stopSequences"], notes), (["x"], []))
        body, notes = self.ask(CH, RE, asked)
        self.assertNotIn("stop", body)
        self.assertEqual(notes, ["dropped /stop"])
        for client, given in ((AN, {"stop_sequences": ["x"]}), (GE, {})):
            config = {"config": {"stopSequences": ["x"]}} if client == GE else {}
            body, notes = self.ask(client, CH, conversation(client, [spoken(client, "user", "Hello")], **given, **config))
            self.assertEqual((body["stop"], notes), (["x"], []))

    def test_59_logprobs(self) -> None:
        """`logprobs: true` for AN -> noted; on a strict route 400."""
        asked = chat(ASK, logprobs=True, top_logprobs=3)
        body, notes = self.ask(CH, AN, asked)
        self.assertNotIn("logprobs", text_of(body))
        self.assertEqual(sorted(notes), ["dropped /logprobs", "dropped /top_logprobs"])
        self.assertIn(self.refused(CH, AN, asked, options={"strict": True}).param, ("/logprobs", "/top_logprobs"))
        body, notes = self.ask(CH, AN, chat(ASK, logprobs=False))
        self.assertEqual(notes, [])
        asked = contents(spoken(GE, "user", "Hello"), config={"responseLogprobs": True})
        _, notes = self.ask(GE, AN, asked)
        self.assertEqual(notes, ["dropped /generationConfig/responseLogprobs"])
        self.assertEqual(self.refused(GE, AN, asked, options={"strict": True}).param, "/generationConfig/responseLogprobs")

    def test_60_what_anthropic_does_not_know(self) -> None:
        """CH `seed`, penalties and `logit_bias` for AN -> each noted once; GE knows all but the bias."""
        given = {"seed": 7, "frequency_penalty": 0.5, "presence_penalty": 0.25, "logit_bias": {"50256": -100, "11": 3}}
        for provider in (AN, RE):
            body, notes = self.ask(CH, provider, chat(ASK, **given))
            self.assertEqual(sorted(notes), [f"dropped /{name}" for name in sorted(given)])
            for name in given:
                self.assertNotIn(name, body)
        body, notes = self.ask(CH, GE, chat(ASK, **given))
        self.assertEqual(notes, ["dropped /logit_bias"])
        config = body["generationConfig"]
        self.assertEqual((config["seed"], config["frequencyPenalty"], config["presencePenalty"]), (7, 0.5, 0.25))


class LimitTests(EdgeCase):
    """How long an answer may be."""

    def test_36_no_limit(self) -> None:
        """No limit, which AN insists on -> the model's most, or the configured one, noted as invented."""
        for client, member in ((CH, "max_completion_tokens"), (RE, "max_output_tokens"), (GE, "generationConfig")):
            asked = question(client)
            del asked[member]
            for model, most in ((NEW_CLAUDE, 128_000), (BUDGET_CLAUDE, 64_000), (OLD_CLAUDE, 8192), ("compatible", 32_000)):
                body, notes = self.ask(client, AN, asked, model=model)
                self.assertEqual((body["max_tokens"], notes), (most, ["invented /max_tokens"]))
            body, notes = self.ask(client, AN, asked, capabilities=Capabilities(max_out=1234))
            self.assertEqual((body["max_tokens"], notes), (1234, ["invented /max_tokens"]))
            body, notes = self.ask(client, AN, asked, options={"max_tokens": 500})
            self.assertEqual((body["max_tokens"], notes), (500, ["invented /max_tokens"]))
            for provider in others(client):
                if provider != AN:
                    body, notes = self.ask(client, provider, asked)
                    self.assertNotIn("max", text_of(list(body)))
                    self.assertEqual(notes, [])

    def test_37_two_limits(self) -> None:
        """CH `max_tokens` and `max_completion_tokens` -> the latter; the other is noted unless both are the same."""
        for provider, read in (
            (AN, lambda body: body["max_tokens"]),
            (RE, lambda body: body["max_output_tokens"]),
            (GE, lambda body: body["generationConfig"]["maxOutputTokens"]),
        ):
            body, notes = self.ask(CH, provider, chat(ASK, max_tokens=100, max_completion_tokens=200))
            self.assertEqual((read(body), [note.split()[1] for note in notes]), (200, ["/max_tokens"]))
            body, notes = self.ask(CH, provider, chat(ASK, max_tokens=200, max_completion_tokens=200))
            self.assertEqual((read(body), notes), (200, []))
            body, notes = self.ask(CH, provider, chat(ASK, max_tokens=100, max_completion_tokens=None))
            self.assertEqual((read(body), notes), (100, []))

    def test_38_a_limit_below_the_budget(self) -> None:
        """`max_tokens` below the thinking budget -> a smaller budget, or no thinking; noted, and the limit is never raised."""
        body, notes = self.ask(GE, AN, budget(8000, 4000), model=BUDGET_CLAUDE)
        self.assertEqual((body["max_tokens"], body["thinking"]), (4000, {"type": "enabled", "budget_tokens": 3999}))
        self.assertEqual(notes, [f"approximated {BUDGET_AT}"])
        body, notes = self.ask(GE, AN, budget(8000, 512), model=BUDGET_CLAUDE)
        self.assertEqual((body["max_tokens"], body.get("thinking", {"type": "disabled"})), (512, {"type": "disabled"}))
        self.assertEqual(notes, [f"approximated {BUDGET_AT}"])
        body, notes = self.ask(GE, AN, budget(600), model=BUDGET_CLAUDE)
        self.assertEqual((body["thinking"]["budget_tokens"], notes), (1024, [f"approximated {BUDGET_AT}"]))
        for client, member in ((CH, "max_completion_tokens"), (RE, "max_output_tokens")):
            body, notes = self.ask(client, AN, effort(client, "high", **{member: 4000}), model=BUDGET_CLAUDE)
            self.assertEqual((body["max_tokens"], body["thinking"]["budget_tokens"]), (4000, 3999))
            self.assertEqual(notes, [f"approximated {EFFORT_AT[client]}"])
            body, notes = self.ask(client, AN, effort(client, "high", **{member: 800}), model=BUDGET_CLAUDE)
            self.assertEqual((body["max_tokens"], body.get("thinking", {"type": "disabled"})), (800, {"type": "disabled"}))
            self.assertEqual(notes, [f"approximated {EFFORT_AT[client]}"])


class ThinkingTests(EdgeCase):
    """How much to think."""

    def test_39_minimal(self) -> None:
        """Effort `minimal` -> AN `low`, noted; GE `MINIMAL`, or 512 tokens."""
        for client in (CH, RE):
            body, notes = self.ask(client, AN, effort(client, "minimal"), model=NEW_CLAUDE)
            self.assertEqual((body["output_config"], body["thinking"]), ({"effort": "low"}, {"type": "adaptive"}))
            self.assertEqual(notes, [f"approximated {EFFORT_AT[client]}"])
            body, notes = self.ask(client, GE, effort(client, "minimal"), model=LEVEL_GEMINI)
            self.assertEqual((body["generationConfig"]["thinkingConfig"]["thinkingLevel"], notes), ("MINIMAL", []))
            body, _ = self.ask(client, GE, effort(client, "minimal"), model=BUDGET_GEMINI)
            self.assertEqual(body["generationConfig"]["thinkingConfig"]["thinkingBudget"], 512)
        body, notes = self.ask(CH, RE, effort(CH, "minimal"))
        self.assertEqual((body["reasoning"]["effort"], notes), ("minimal", []))
        body, notes = self.ask(RE, CH, effort(RE, "minimal"))
        self.assertEqual((body["reasoning_effort"], notes), ("minimal", []))

    def test_40_none(self) -> None:
        """Effort `none` -> AN thinking disabled, GE budget 0; models that cannot are noted."""
        for client in (CH, RE):
            at = EFFORT_AT[client]
            for model in (NEW_CLAUDE, SEVEN, BUDGET_CLAUDE, OLD_CLAUDE):
                body, notes = self.ask(client, AN, effort(client, "none"), model=model)
                self.assertEqual(body.get("thinking", {"type": "disabled"}), {"type": "disabled"})
                self.assertNotIn("output_config", body)
                self.assertEqual(notes, [])
            self.assertEqual(self.ask(client, AN, effort(client, "none"))[0]["thinking"], {"type": "disabled"})
            cannot = Capabilities(thinking="adaptive", thinking_off=False)
            body, notes = self.ask(client, AN, effort(client, "none"), capabilities=cannot)
            self.assertNotIn("thinking", body)
            self.assertEqual(notes, [f"approximated {at}"])
            body, notes = self.ask(client, GE, effort(client, "none"), model=BUDGET_GEMINI)
            self.assertEqual((body["generationConfig"]["thinkingConfig"]["thinkingBudget"], notes), (0, []))
            body, notes = self.ask(client, GE, effort(client, "none"), model=PRO_GEMINI)
            self.assertEqual((body["generationConfig"]["thinkingConfig"]["thinkingBudget"], notes), (128, [f"approximated {at}"]))
            body, notes = self.ask(client, GE, effort(client, "none"), model=LEVEL_GEMINI)
            level = body["generationConfig"]["thinkingConfig"]["thinkingLevel"]
            self.assertEqual((level, notes), ("MINIMAL", [f"approximated {at}"]))

    def test_41_a_budget_for_a_model_of_efforts(self) -> None:
        """A budget of 16000 for a Claude that only adapts -> adaptive with effort high, noted."""
        manual = {"type": "enabled", "budget_tokens": 16_000}
        for client, asked, at in (
            (GE, budget(16_000, 32_000), BUDGET_AT),
            (AN, question(AN, max_tokens=32_000, thinking=manual), "/thinking/budget_tokens"),
        ):
            body, notes = self.ask(client, AN, asked, model=NEW_CLAUDE)
            self.assertEqual((body["thinking"]["type"], body["output_config"]), ("adaptive", {"effort": "high"}))
            self.assertNotIn("budget_tokens", text_of(body))
            self.assertEqual(notes, [f"approximated {at}"])

    def test_42_a_budget_for_openai(self) -> None:
        """AN budget of 4096 -> effort medium at CH and RE, which also sums up unless thinking is not to be shown."""
        thinking = {"type": "enabled", "budget_tokens": 4096}
        body, notes = self.ask(AN, CH, question(AN, thinking=thinking))
        self.assertEqual((body["reasoning_effort"], notes), ("medium", ["approximated /thinking/budget_tokens"]))
        for shown in ({}, {"display": "summarized"}):
            body, notes = self.ask(AN, RE, question(AN, thinking={**thinking, **shown}))
            self.assertEqual(body["reasoning"], {"effort": "medium", "summary": "auto"})
            self.assertEqual(notes, ["approximated /thinking/budget_tokens"])
        body, notes = self.ask(AN, RE, question(AN, thinking={**thinking, "display": "omitted"}))
        self.assertEqual(body["reasoning"], {"effort": "medium"})
        self.assertEqual(notes, ["approximated /thinking/budget_tokens"])

    def test_43_a_forced_call_and_thinking(self) -> None:
        """CH `required` and an effort for a Claude of budgets -> 400 in Anthropic's words; the route may decide otherwise."""
        for client in (CH, RE):
            at = EFFORT_AT[client]
            asked = effort(client, "high", tool_choice="required", **tools(client, "weather"))
            fault = self.refused(client, AN, asked, model=BUDGET_CLAUDE)
            self.assertIn("Thinking may not be enabled when tool_choice forces tool use", fault.message)
            self.assertEqual((fault.param, fault.code), ("/tool_choice", "llmux_untranslatable"))

            dropped = {"forced_vs_thinking": "drop_thinking"}
            body, notes = self.ask(client, AN, asked, model=BUDGET_CLAUDE, options=dropped)
            self.assertEqual(body["tool_choice"], {"type": "any"})
            self.assertEqual(body.get("thinking", {"type": "disabled"}), {"type": "disabled"})
            self.assertEqual(notes, [f"approximated {at}"])

            softened = {"forced_vs_thinking": "soften_to_auto"}
            body, notes = self.ask(client, AN, asked, model=BUDGET_CLAUDE, options=softened)
            self.assertEqual((body["tool_choice"], body["thinking"]["type"]), ({"type": "auto"}, "enabled"))
            self.assertIn("approximated /tool_choice", notes)

            body, notes = self.ask(client, AN, asked, model=NEW_CLAUDE)
            self.assertEqual((body["tool_choice"], body["thinking"]["type"], notes), ({"type": "any"}, "adaptive", []))

            named: Body = {"name": "weather"}
            one = {"type": "function", **({"function": named} if client == CH else named)}
            asked = effort(client, "high", tool_choice=one, **tools(client, "weather"))
            self.assertEqual(self.refused(client, AN, asked, model=BUDGET_CLAUDE).param, "/tool_choice")

    def test_44_thinking_whose_seals_are_lost(self) -> None:
        """A history that ends in a result, without its thinking, for a Claude of budgets -> no thinking this time, noted."""
        for client in (CH, RE):
            turns = [ASK, *called(client, "call_1"), *answered(client, "call_1")]
            asked = conversation(client, turns, **tools(client, "weather"), **EFFORT[client])
            body, notes = self.ask(client, AN, asked, model=BUDGET_CLAUDE)
            self.assertEqual(body.get("thinking", {"type": "disabled"}), {"type": "disabled"})
            self.assertEqual(body["messages"][1]["content"], [tool_use("call_1")])
            self.assertEqual(notes, [f"approximated {EFFORT_AT[client]}"])
            body, notes = self.ask(client, AN, asked, model=NEW_CLAUDE)
            self.assertEqual((body["thinking"]["type"], notes), ("adaptive", []))
            # A new question begins a turn of its own, which may think.
            turns = [*turns, spoken(client, "assistant", "Cold."), ASK]
            asked = conversation(client, turns, **tools(client, "weather"), **EFFORT[client], **self.room(client))
            body, _ = self.ask(client, AN, asked, model=BUDGET_CLAUDE)
            self.assertEqual(body["thinking"]["type"], "enabled")

    def room(self, client: str) -> Body:
        return {"max_completion_tokens" if client == CH else "max_output_tokens": 32_000}


class SealTests(EdgeCase):
    """Opaque proofs that travel through clients of other dialects, and back."""

    TEXT = {"type": "text", "text": "Hello"}

    def thinking_on(self, client: str) -> Body:
        if client == GE:
            return {"config": {"thinkingConfig": {"includeThoughts": True, "thinkingLevel": "HIGH"}}}
        return {"thinking": {"type": "adaptive"}} if client == AN else dict(EFFORT[client])

    def returned(self, client: str, provider: str, answer: Body, **more: Any) -> list[Body]:
        """What a provider is sent of its own answer, which came whole or as a stream and which the client sends back."""
        found = []
        settings = {**self.thinking_on(client), **tools(client, "weather")}
        for heard in self.heard(client, provider, answer, conversation(client, [spoken(client, "user", "Hello")], **settings)):
            found.append(self.ask(client, provider, self.turned(client, heard, **settings), **more)[0])
        self.assertEqual(len(found), 2)
        return found

    def test_45_signed_thinking_without_text(self) -> None:
        """AN thinking of no text with a signature -> kept through every client and back, byte for byte."""
        blocks = [{"type": "thinking", "thinking": "", "signature": SIGNATURE}, self.TEXT]
        for client in (CH, RE, GE):
            for body in self.returned(client, AN, message(*blocks)):
                self.assertEqual(body["messages"][1], {"role": "assistant", "content": blocks})
        blocks[0] = {"type": "thinking", "thinking": "Somebody greets.\n\nI greet.", "signature": SIGNATURE}
        for client in (CH, RE, GE):
            for body in self.returned(client, AN, message(*blocks)):
                self.assertEqual(body["messages"][1], {"role": "assistant", "content": blocks})

    def test_46_redacted_thinking(self) -> None:
        """AN `redacted_thinking` -> hidden reasoning for every client and back; to AN it comes complete in its start."""
        hidden = {"type": "redacted_thinking", "data": SIGNATURE}
        for heard in self.heard(RE, AN, message(hidden, self.TEXT)):
            reasoning, said = heard["output"]
            self.assertEqual((reasoning["type"], reasoning["summary"]), ("reasoning", []))
            self.assertTrue(reasoning["encrypted_content"])
            self.assertEqual(said["content"][0]["text"], "Hello")
        for client in (CH, RE, GE):
            for body in self.returned(client, AN, message(hidden, self.TEXT)):
                self.assertEqual(body["messages"][1]["content"], [hidden, self.TEXT])
        sealed = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": SIGNATURE}
        answer = response(sealed, output_text("Hello"))
        events = self.stream(AN, RE, wire.streamed(RE, answer))
        start, stop = (event for event in events if event.get("index") == 0)
        self.assertEqual((start["content_block"]["type"], stop["type"]), ("redacted_thinking", "content_block_stop"))
        self.assertTrue(start["content_block"]["data"])
        for body in self.returned(AN, RE, answer):
            (item,) = (item for item in body["input"] if item.get("type") == "reasoning")
            self.assertEqual((item["summary"], item["encrypted_content"]), ([], SIGNATURE))

    def test_47_geminis_signature_is_not_for_anthropic(self) -> None:
        """GE signatures in a conversation that goes on at AN -> dropped, the text stays."""
        parts: list[Body] = [{"text": "I greet.", "thought": True}, {"text": "Hello", "thoughtSignature": SIGNATURE}]
        asked = contents(spoken(GE, "user", "Hello"), {"role": "model", "parts": parts}, spoken(GE, "user", "Go on."))
        body, notes = self.ask(GE, AN, asked)
        self.assertEqual(body["messages"][1], {"role": "assistant", "content": "Hello"})
        self.assertNotIn(SIGNATURE, text_of(body))
        self.assertEqual(notes, ["dropped /contents/1/parts/0", "dropped /contents/1/parts/1"])
        for client in (CH, RE):
            for heard in self.heard(client, GE, generated(*parts)):
                body, notes = self.ask(client, AN, self.turned(client, heard))
                self.assertEqual([turn["role"] for turn in body["messages"]], ["user", "assistant", "user"])
                self.assertIn('"Hello"', text_of(body["messages"][1]))
                self.assertNotIn("redacted_thinking", text_of(body))
                self.assertNotIn("llmux1.", text_of(body))
                self.assertTrue(any(note.startswith("dropped ") for note in notes), notes)

    def test_48_anthropics_signature_is_not_for_gemini(self) -> None:
        """AN signatures in a conversation that goes on at GE -> never a `thoughtSignature`."""
        thought = {"type": "thinking", "thinking": "Look it up.", "signature": SIGNATURE}
        said = {"role": "assistant", "content": [thought, tool_use("call_1")]}
        asked = messages(ASK, said, *answered(AN, "call_1"), **tools(AN, "weather"))
        body, notes = self.ask(AN, GE, asked)
        self.assertNotIn(SIGNATURE, text_of(body))
        self.assertEqual(self.signatures(body), [BYPASS])
        self.assertIn("dropped /messages/1/content/0", notes)
        for client in (CH, RE):
            settings = tools(client, "weather")
            for heard in self.heard(client, AN, message(thought, tool_use("call_1"), stop="tool_use")):
                body, _ = self.ask(client, GE, self.turned(client, heard, **settings))
                self.assertEqual(self.signatures(body), [BYPASS])
                self.assertNotIn("llmux1.", text_of(body))

    def signatures(self, body: Body) -> list[str]:
        """The thought signatures of a request, in their order."""
        parts = (part for content in body["contents"] for part in content["parts"])
        return [part["thoughtSignature"] for part in parts if "thoughtSignature" in part]

    def test_49_fail_over_from_gemini_to_openai(self) -> None:
        """GE call with a long signature, the next turn at OpenAI -> ids of at most 64 clean characters, no seal in them."""
        for given in ({"id": "call_1"}, {}):
            call = {"functionCall": {**given, "name": "weather", "args": OSLO}, "thoughtSignature": SIGNATURE * 100}
            for client in (CH, RE, AN):
                for heard in self.heard(client, GE, generated(call), question(client, **tools(client, "weather"))):
                    for provider in (CH, RE):
                        body, _ = self.ask(client, provider, self.turned(client, heard, **tools(client, "weather")))
                        called_as, given_as = self.ids(provider, body)
                        self.assertEqual(called_as, given_as)
                        self.assertTrue(re.fullmatch("[A-Za-z0-9_-]{1,64}", called_as), called_as)
                        self.assertNotIn(SIGNATURE, text_of(body))
                        self.assertNotIn("llmux1.", text_of(body))

    def ids(self, provider: str, body: Body) -> tuple[str, str]:
        """The id of the call in a request, and that of its result."""
        if provider == CH:
            return body["messages"][1]["tool_calls"][0]["id"], body["messages"][2]["tool_call_id"]
        call, given = (item for item in body["input"] if "call_id" in item)
        return call["call_id"], given["call_id"]

    def test_50_a_client_that_changes_ids_and_strips_the_rest(self) -> None:
        """A call's id is changed and the extensions are gone -> the signature is found by what was said; not for others."""
        vault = Vault(lambda: 0.0)
        call = {"functionCall": {"id": "call_1", "name": "weather", "args": OSLO}, "thoughtSignature": SIGNATURE}
        settings = tools(CH, "weather")
        for heard in self.heard(CH, GE, generated(call), question(CH, **settings), shelf=vault.shelf(b"laptop")):
            self.assertEqual(heard["choices"][0]["finish_reason"], "tool_calls")
            again = chat_call("other-id", arguments='{ "city": "Oslo" }')
            stripped = {"role": "assistant", "content": None, "tool_calls": [again]}
            asked = chat(ASK, stripped, *answered(CH, "other-id"), **settings)
            body, _ = self.ask(CH, GE, asked, shelf=vault.shelf(b"laptop"))
            self.assertEqual(self.signatures(body), [SIGNATURE])
            given, back = body["contents"][1]["parts"][0]["functionCall"], body["contents"][2]["parts"][0]["functionResponse"]
            self.assertEqual((given.get("id"), given["name"]), (back.get("id"), back["name"]))
            body, _ = self.ask(CH, GE, asked, shelf=vault.shelf(b"somebody else"))
            self.assertEqual(self.signatures(body), [BYPASS])
        for client in (RE, AN):
            offer = tools(client, "weather")
            for _ in self.heard(client, GE, generated(call), question(client, **offer), shelf=vault.shelf(b"laptop")):
                bare = [spoken(client, "user", "Hello"), *called(client, "other-id"), *answered(client, "other-id")]
                body, _ = self.ask(client, GE, conversation(client, bare, **offer), shelf=vault.shelf(b"laptop"))
                self.assertEqual(self.signatures(body), [SIGNATURE])
        thought = {"type": "thinking", "thinking": "Look it up.", "signature": OTHER_SIGNATURE}
        answer = message(thought, tool_use("toolu_1"), stop="tool_use")
        for _ in self.heard(CH, AN, answer, question(CH, **settings), shelf=vault.shelf(b"desktop")):
            body, _ = self.ask(CH, AN, asked, shelf=vault.shelf(b"desktop"))
            self.assertEqual(body["messages"][1]["content"], [thought, tool_use("other-id")])

    PARALLEL = ("Oslo", "Rome")

    def parallel(self, signature: str | None = SIGNATURE) -> list[Body]:
        calls: list[Body] = [
            {"functionCall": {"id": f"call_{city}", "name": "weather", "args": {"city": city}}} for city in self.PARALLEL
        ]
        return calls if signature is None else [{**calls[0], "thoughtSignature": signature}, *calls[1:]]

    def test_51_parallel_calls(self) -> None:
        """GE parallel calls, the first of them signed -> after any client's round trip still the first, and no other."""
        for client in (CH, RE, AN):
            for body in self.returned(client, GE, generated(*self.parallel())):
                parts = body["contents"][1]["parts"]
                self.assertEqual([part.get("thoughtSignature") for part in parts], [SIGNATURE, None])
                self.assertEqual([part["functionCall"]["args"]["city"] for part in parts], list(self.PARALLEL))

    def test_52_sequential_steps(self) -> None:
        """GE calls in two steps -> each step's first call keeps its own seal; the documented bypass only where there is none."""
        for client in (CH, RE, AN):
            settings = tools(client, "weather")
            for first, second in ((SIGNATURE, OTHER_SIGNATURE), (None, None), (SIGNATURE, None)):
                steps: list[Body] = [spoken(client, "user", "Hello")]
                for signature, name in ((first, "a"), (second, "b")):
                    parts = self.parallel(signature)
                    for number, part in enumerate(parts):
                        part["functionCall"]["id"] = f"{name}{number}"
                    (told, _) = self.heard(client, GE, generated(*parts), conversation(client, steps, **settings))
                    steps += [*said_back(client, told), *answered(client, f"{name}0", f"{name}1")]
                body, _ = self.ask(client, GE, conversation(client, steps, **settings), model=LEVEL_GEMINI)
                calls = [part for content in body["contents"] for part in content["parts"] if "functionCall" in part]
                expected = [first or BYPASS, None, second or BYPASS, None]
                self.assertEqual([part.get("thoughtSignature") for part in calls], expected, client)

    def test_53_a_signature_on_a_text(self) -> None:
        """GE text with a signature and no call -> the last text part has it again after any client's round trip."""
        parts = [{"text": "Hello, "}, {"text": "whoever you are.", "thoughtSignature": SIGNATURE}]
        late = [{"text": "Hello, whoever you are."}, {"text": "", "thoughtSignature": SIGNATURE}]
        for client in (CH, RE, AN):
            for sent in (parts, late):
                for body in self.returned(client, GE, generated(*sent)):
                    told = body["contents"][1]["parts"]
                    self.assertEqual("".join(part["text"] for part in told), "Hello, whoever you are.")
                    self.assertEqual([part.get("thoughtSignature") for part in told][-1:], [SIGNATURE])
                    self.assertEqual(self.signatures(body), [SIGNATURE])

    def test_54_encrypted_reasoning(self) -> None:
        """RE `encrypted_content` through an AN client, or another -> the same bytes back, before what it belongs to."""
        for texts in ((), ("Somebody greets.",), ("Somebody greets.", "I greet.")):
            summary = [{"type": "summary_text", "text": text} for text in texts]
            sealed = {"type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": SIGNATURE}
            for client in (AN, CH, GE):
                for body in self.returned(client, RE, response(sealed, output_text("Hello"))):
                    kinds = [item.get("type", "message") for item in body["input"]]
                    self.assertEqual(kinds, ["message", "reasoning", "message", "message"])
                    item = body["input"][1]
                    self.assertEqual(item["encrypted_content"], SIGNATURE)
                    self.assertEqual("\n\n".join(part["text"] for part in item["summary"]), "\n\n".join(texts))
                for body in self.returned(client, RE, response(sealed, function_call("call_1"))):
                    kinds = [item.get("type", "message") for item in body["input"]]
                    self.assertEqual(kinds, ["message", "reasoning", "function_call", "function_call_output"])
                    self.assertEqual(body["input"][1]["encrypted_content"], SIGNATURE)

    def test_55_reasoning_for_those_who_want_it_back(self) -> None:
        """RE reasoning in a history for DeepSeek's CH -> `reasoning_content` on the assistant's message; OpenAI's gets none."""
        thought = {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Look it up."}]}
        turns: list[Body] = [ASK, {**thought, "encrypted_content": SIGNATURE}, *called(RE, "call_1"), *answered(RE, "call_1")]
        asked = responses(*turns, **tools(RE, "weather"))
        body, notes = self.ask(RE, CH, asked, model="deepseek-reasoner")
        said = body["messages"][1]
        self.assertEqual((said["role"], said["reasoning_content"]), ("assistant", "Look it up."))
        self.assertEqual(said["tool_calls"], [chat_call("call_1")])
        self.assertNotIn(SIGNATURE, text_of(body))
        self.assertEqual(notes, ["dropped /input/1"])
        body, notes = self.ask(RE, CH, asked, model="gpt-5")
        self.assertNotIn("reasoning_content", text_of(body))
        self.assertTrue(notes and all(note.startswith("dropped /input/1") for note in notes), notes)
        block = {"type": "thinking", "thinking": "Look it up.", "signature": SIGNATURE}
        said = {"role": "assistant", "content": [block, tool_use("call_1")]}
        asked = messages(ASK, said, *answered(AN, "call_1"), **tools(AN, "weather"))
        body, notes = self.ask(AN, CH, asked, model="deepseek-reasoner")
        self.assertEqual(body["messages"][1]["reasoning_content"], "Look it up.")
        self.assertEqual(notes, ["dropped /messages/1/content/0"])
        said = {"content": None, "reasoning_content": "Look it up.", "tool_calls": [chat_call("call_1")]}
        heard = completion(said, "tool_calls")
        for client in (RE, AN, GE):
            settings = tools(client, "weather")
            for told in self.heard(client, CH, heard, question(client, **settings)):
                body, _ = self.ask(client, CH, self.turned(client, told, **settings), model="deepseek-reasoner")
                self.assertEqual(body["messages"][1]["reasoning_content"], "Look it up.")

    def test_56_encrypted_reasoning_is_asked_for_only_where_it_exists(self) -> None:
        """RE `include: [reasoning.encrypted_content]` -> only for models that think, and only when they shall."""
        for client in (CH, AN, GE):
            settings = self.thinking_on(client)
            asked = conversation(client, [spoken(client, "user", "Hello")], **settings)
            body, _ = self.ask(client, RE, asked, model="gpt-5")
            self.assertEqual(body["include"], ["reasoning.encrypted_content"])
            for model in ("gpt-4.1", "compatible"):
                body, _ = self.ask(client, RE, asked, model=model)
                self.assertNotIn("include", body)
            body, _ = self.ask(client, RE, question(client), model="gpt-5")
            self.assertNotIn("include", body)
