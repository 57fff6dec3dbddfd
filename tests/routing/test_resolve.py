"""Who answers, and why."""

from __future__ import annotations

import attrs
from twisted.trial.unittest import SynchronousTestCase

from llmux.routing.decision import Candidate, Decision, Facts
from llmux.routing.mapping import Mapping, Target
from llmux.routing.resolve import resolve, spoken
from llmux.routing.table import RouteTable, compile_entry, compile_table
from llmux.thinking import split_suffix

_OPENAI = compile_entry("openai", ["openai-chat", "openai-responses"], ["gpt-*", "o3"], 1)
_CLAUDE = compile_entry("claude", ["anthropic"], ["claude-opus-4-5", "shared"], 2)
_OTHER = compile_entry("other", ["anthropic"], ["claude-*", "gpt-5", "shared"], 1)
_KEYLESS = compile_entry("keyless", ["openai-chat"], ["local"], 0)


def facts(model: str, dialect: str = "anthropic", alias: str | None = None, amp: bool = False) -> Facts:
    """Facts of a request."""
    base, suffix = split_suffix(model)
    return Facts(dialect=dialect, operation="generate", model=model, base=base, suffix=suffix, alias=alias, amp=amp)


def table(*rules: Mapping, upstream: bool = False, first: bool = False) -> RouteTable:
    """The table of these tests."""
    return compile_table((_OPENAI, _CLAUDE, _OTHER, _KEYLESS), rules, upstream, first)


def summary(decision: Decision) -> tuple[str, str, str]:
    """Outcome, provider, model."""
    return decision.outcome, decision.provider, decision.model


class LocalTests(SynchronousTestCase):
    """Local providers."""

    def test_names_and_patterns(self) -> None:
        """An exact name beats a pattern, file order decides the rest."""
        self.assertEqual(summary(resolve(table(), facts("claude-opus-4-5"))), ("local", "claude", "claude-opus-4-5"))
        self.assertEqual(summary(resolve(table(), facts("claude-sonnet"))), ("local", "other", "claude-sonnet"))
        self.assertEqual(summary(resolve(table(), facts("shared"))), ("local", "claude", "shared"))
        self.assertEqual(summary(resolve(table(), facts("gpt-9", "openai-chat"))), ("local", "openai", "gpt-9"))

    def test_dialect_before_everything(self) -> None:
        """Who speaks the client's dialect comes first: an answer beats a refusal."""
        self.assertEqual(resolve(table(), facts("gpt-5", "openai-chat")).provider, "openai")
        self.assertEqual(resolve(table(), facts("gpt-5", "anthropic")).provider, "other")
        decision = resolve(table(), facts("o3", "anthropic"))
        self.assertEqual((decision.outcome, decision.provider), ("local", "openai"))
        self.assertEqual(decision.candidates[0].dialect, "openai-chat")

    def test_the_dialect_to_speak(self) -> None:
        """The client's own where the provider speaks it; else the one that has words for what is asked."""
        both = frozenset({"openai-chat", "openai-responses"})
        self.assertEqual(spoken(both, facts("m", "openai-responses")), "openai-responses")
        self.assertEqual(spoken(both, facts("m", "anthropic")), "openai-chat")
        self.assertEqual(spoken(both, attrs.evolve(facts("m", "gemini"), operation="count_tokens")), "openai-responses")
        embedding = attrs.evolve(facts("m", "openai-chat"), operation="embeddings")
        self.assertEqual(spoken(frozenset({"openai-responses"}), embedding), "openai-chat", "one API, two ways to generate")
        self.assertEqual(spoken(frozenset({"gemini"}), embedding), "gemini")

    def test_candidates(self) -> None:
        """Every credential of every provider that speaks the dialect, in order; none where none is needed."""
        decision = resolve(table(), facts("shared"))
        self.assertEqual(
            decision.candidates,
            (
                Candidate("claude", 0, "shared", "anthropic"),
                Candidate("claude", 1, "shared", "anthropic"),
                Candidate("other", 0, "shared", "anthropic"),
            ),
        )
        keyless = Candidate("keyless", None, "local", "openai-chat")
        self.assertEqual(resolve(table(), facts("local", "openai-chat")).candidates, (keyless,))

    def test_alias_narrows(self) -> None:
        """A configured provider in the path is the only one; any other word is a family's name, and narrows nothing."""
        self.assertEqual(resolve(table(), facts("shared", alias="other")).provider, "other")
        self.assertEqual(resolve(table(), facts("shared", alias="groq")).provider, "claude")
        self.assertEqual(resolve(table(), facts("o3", "openai-chat", alias="claude")).outcome, "refused")

    def test_suffix(self) -> None:
        """It is split off, unless somebody has a model of that very name."""
        decision = resolve(table(), facts("claude-opus-4-5(high)"))
        self.assertEqual((decision.model, decision.candidates[0].model), ("claude-opus-4-5", "claude-opus-4-5"))
        literal = compile_table((compile_entry("p", ["anthropic"], ["m(x)", "m"], 0),))
        self.assertEqual(resolve(literal, facts("m(x)")).candidates[0].model, "m(x)")

    def test_names_see_the_case(self) -> None:
        """Model names are the provider's words."""
        self.assertEqual(resolve(table(), facts("Shared")).outcome, "refused")


class MappingTests(SynchronousTestCase):
    """Mappings."""

    def test_order(self) -> None:
        """A local provider comes before a mapping, unless mappings are put first."""
        rule = Mapping("shared", (Target("claude-x"),))
        self.assertEqual(resolve(table(rule), facts("shared")).outcome, "local")
        decision = resolve(table(rule, first=True), facts("shared"))
        self.assertEqual((summary(decision), decision.mapping), (("mapped", "other", "claude-x"), "shared -> claude-x"))

    def test_case_and_blanks(self) -> None:
        """Exact, ignoring case."""
        rule = Mapping(" Old-Model ", (Target("claude-x"),))
        for name in ("old-model", "OLD-MODEL"):
            self.assertEqual(summary(resolve(table(rule), facts(name))), ("mapped", "other", "claude-x"))
        self.assertEqual(resolve(table(rule), facts("old-model-2")).outcome, "refused")

    def test_unavailable_target_counts_for_nothing(self) -> None:
        """A mapping to nowhere is no mapping; the next target is taken."""
        self.assertEqual(resolve(table(Mapping("old", (Target("nobody"),))), facts("old")).outcome, "refused")
        rule = Mapping("old", (Target("nobody"), Target("claude-x")))
        self.assertEqual(resolve(table(rule), facts("old")).model, "claude-x")

    def test_suffix_travels(self) -> None:
        """The request's, unless the target has its own."""
        self.assertEqual(resolve(table(Mapping("old", (Target("claude-x"),))), facts("old(high)")).model, "claude-x(high)")
        self.assertEqual(resolve(table(Mapping("old", (Target("claude-x(low)"),))), facts("old(high)")).model, "claude-x(low)")
        self.assertEqual(resolve(table(Mapping("old", (Target("claude-x"),))), facts("old()")).model, "claude-x")
        decision = resolve(table(Mapping("old(high)", (Target("claude-x"),))), facts("old(high)"))
        self.assertEqual(decision.outcome, "mapped")

    def test_provider_of_a_target(self) -> None:
        """Only that one is asked."""
        rule = Mapping("old", (Target("shared", "other"),))
        self.assertEqual(resolve(table(rule), facts("old")).candidates, (Candidate("other", 0, "shared", "anthropic"),))
        self.assertEqual(resolve(table(Mapping("old", (Target("shared", "nobody"),))), facts("old")).outcome, "refused")

    def test_alias_does_not_hold_a_mapping_back(self) -> None:
        """Amp asks for its models below a vendor's name; a mapping may lead to another vendor."""
        rule = Mapping("claude-unknown", (Target("gpt-5"),))
        self.assertEqual(resolve(table(rule, first=True), facts("claude-unknown", alias="claude")).provider, "other")

    def test_patterns(self) -> None:
        """After exact names, in file order, anywhere in the name, ignoring case."""
        rules = (
            Mapping("opus", (Target("claude-a"),), regex=True),
            Mapping("^o.*4$", (Target("claude-b"),), regex=True),
            Mapping("opus-4", (Target("claude-c"),)),
        )
        self.assertEqual(resolve(table(*rules), facts("opus-4")).model, "claude-c")
        self.assertEqual(resolve(table(*rules), facts("my-OPUS-5")).model, "claude-a")
        self.assertEqual(resolve(table(*rules), facts("old-4")).model, "claude-b")
        self.assertEqual(resolve(table(*rules), facts("x" * 300 + "opus")).outcome, "refused")

    def test_not_recursive(self) -> None:
        """The target of a mapping is not mapped again."""
        rules = (Mapping("a", (Target("b"),)), Mapping("b", (Target("claude-x"),)))
        self.assertEqual(resolve(table(*rules), facts("a")).outcome, "refused")


class LastResortTests(SynchronousTestCase):
    """When nobody local serves a model."""

    def test_upstream_only_on_amps_routes(self) -> None:
        """Native routes are refused, also with an upstream."""
        self.assertEqual(summary(resolve(table(upstream=True), facts("new", amp=True))), ("upstream", "amp", "new"))
        self.assertEqual(summary(resolve(table(upstream=True), facts("new"))), ("refused", "-", "new"))
        self.assertEqual(resolve(table(), facts("new", amp=True)).outcome, "refused")

    def test_upstream_gets_the_full_name(self) -> None:
        """Suffix and all."""
        self.assertEqual(resolve(table(upstream=True), facts("new(high)", amp=True)).model, "new(high)")

    def test_reasons(self) -> None:
        """Every decision says why."""
        for decision in (
            resolve(table(), facts("shared")),
            resolve(table(Mapping("old", (Target("claude-x"),))), facts("old")),
            resolve(table(upstream=True), facts("new", amp=True)),
            resolve(table(upstream=True), facts("new")),
        ):
            self.assertTrue(decision.reason)
            self.assertEqual(attrs.evolve(decision), decision)
