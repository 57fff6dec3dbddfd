"""Tests for the writer of a request's settings and tools."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.trial.unittest import SynchronousTestCase

from llmux.dialects.anthropic import ANTHROPIC
from llmux.dialects.context import Context
from llmux.dialects.neutral import (
    Caching,
    Output,
    Reasoning,
    ReasoningPolicy,
    Request,
    Sampling,
    Seal,
    Tool,
    ToolCall,
    ToolPolicy,
    ToolResult,
)
from tests.dialects.anthropic.exchanges import (
    ASK,
    BOTH,
    BUDGET,
    LIMIT,
    NEW,
    OLD,
    SCHEMA,
    WEATHER,
    context,
    noted,
    refusal,
    written,
)

SCHEMA_OUTPUT = Output("schema", SCHEMA)


def ask(*tools: Tool, **more: Any) -> Request:
    """A request, every setting of which stands at a pointer of its own name."""
    slots = ("max_out", "temperature", "top_p", "top_k", "seed", "stop", "n", "logprobs", "level", "budget", "enabled", "policy")
    others = ("show", "format", "format_name", "format_description", "format_strict", "verbosity", "modalities", "tier", "user")
    where = {slot: f"/{slot}" for slot in (*slots, *others, "store", "metadata", "key", "frequency_penalty", "logit_bias")}
    return Request((ASK,), tools, **{"sampling": LIMIT, "where": where, **more})


class LimitTests(SynchronousTestCase):
    """How long, and how chosen."""

    def test_max_tokens(self) -> None:
        """There must be a number: the configured one, the model's most, or a usual one. It is never raised."""
        for model, configured, most in ((NEW, None, 128_000), ("some-model", None, 32_000), (NEW, 500, 500)):
            exchange = context(model, max_tokens=configured)
            self.assertEqual(written(ask(sampling=Sampling()), exchange)["max_tokens"], most)
            self.assertEqual(noted(exchange), [("/max_tokens", "invented")])
        exchange = context(OLD)
        self.assertEqual(written(ask(sampling=Sampling(max_out=100_000)), exchange)["max_tokens"], 8192)
        self.assertEqual(noted(exchange), [("/max_out", "approximated")])

    def test_sampling_of_new_models(self) -> None:
        """New models, and unknown ones, choose by themselves; the newer version goes with that."""
        for model in (NEW, "some-model"):
            exchange = context(model)
            body = written(ask(sampling=Sampling(max_out=9, temperature=0, top_p=0.5, top_k=3)), exchange)
            self.assertEqual(set(body), {"model", "max_tokens", "messages"})
            self.assertEqual(noted(exchange), [("/temperature", "dropped"), ("/top_p", "dropped"), ("/top_k", "dropped")])
            self.assertEqual(ANTHROPIC.fields(exchange), [(b"anthropic-version", b"2026-10-21")])

    def test_sampling_of_old_models(self) -> None:
        """Older ones take it, under the older version: one of temperature and top_p, and nothing above 1."""
        exchange = context(BUDGET)
        body = written(ask(sampling=Sampling(max_out=9, temperature=1.7, top_p=0.5, top_k=3)), exchange)
        self.assertEqual((body["temperature"], body["top_k"], "top_p" in body), (1.0, 3, False))
        self.assertEqual(noted(exchange), [("/temperature", "approximated"), ("/top_p", "dropped")])
        self.assertEqual(ANTHROPIC.fields(exchange), [(b"anthropic-version", b"2023-06-01")])

    def test_sampling_beside_thinking(self) -> None:
        """A model that thinks chooses by itself, by whatever it thinks."""
        for model, policy in ((BUDGET, ReasoningPolicy("yes", budget=2000)), (BOTH, ReasoningPolicy(level="high"))):
            exchange = context(model)
            body = written(ask(sampling=Sampling(max_out=9000, temperature=0.3), reasoning=policy), exchange)
            self.assertNotIn("temperature", body)
            self.assertEqual(noted(exchange), [("/temperature", "dropped")])
            body = written(ask(sampling=Sampling(max_out=9000, temperature=1), reasoning=policy), context(model))
            self.assertEqual(body["temperature"], 1)

    def test_sampling_as_usual(self) -> None:
        """1 is what every model does: it is said where it may be, and left out without a note where it may not. Of two, the
        temperature counts.
        """
        for model, sampling, said, notes in (
            (BUDGET, Sampling(9, temperature=1), {"temperature": 1}, []),
            (BUDGET, Sampling(9, temperature=1, top_p=0.9), {"temperature": 1}, [("/top_p", "dropped")]),
            (BUDGET, Sampling(9, temperature=0.9, top_p=1), {"temperature": 0.9}, []),
            (BUDGET, Sampling(9, temperature=1, top_p=1), {"temperature": 1}, []),
            (NEW, Sampling(9, temperature=1, top_p=1), {}, []),
        ):
            exchange = context(model)
            body = written(ask(sampling=sampling), exchange)
            self.assertEqual({name: body[name] for name in ("temperature", "top_p") if name in body}, said)
            self.assertEqual(noted(exchange), notes)

    def test_no_place(self) -> None:
        """What the API does not know is noted once each; values that say nothing are not; several answers are refused."""
        exchange = context()
        sampling = Sampling(9, frequency_penalty=0.5, presence_penalty=0, seed=0, logit_bias={"1": 2}, n=1, logprobs=True)
        written(ask(sampling=sampling), exchange)
        self.assertEqual(
            noted(exchange),
            [("/frequency_penalty", "dropped"), ("/seed", "dropped"), ("/logit_bias", "dropped"), ("/logprobs", "dropped")],
        )
        self.assertEqual(refusal(ask(sampling=Sampling(9, n=2))).param, "/n")
        self.assertEqual(refusal(ask(sampling=Sampling(9, seed=1)), context(strict=True)).param, "/seed")

    def test_stop(self) -> None:
        """A list without white space."""
        exchange = context()
        self.assertEqual(written(ask(sampling=Sampling(9, stop=("a", "\n"))), exchange)["stop_sequences"], ["a"])
        self.assertEqual(noted(exchange), [("/stop", "dropped")])

    def test_others(self) -> None:
        """Who asks, how urgently, and what has no place."""
        exchange = context()
        request = ask(user="u", tier="fast", store=True, metadata={"a": "b"}, caching=Caching("k"))
        body = written(request, exchange)
        self.assertEqual((body["metadata"], body["speed"]), ({"user_id": "u"}, "fast"))
        self.assertEqual(noted(exchange), [("/key", "dropped"), ("/metadata", "dropped"), ("/store", "dropped")])
        self.assertEqual(written(ask(tier="standard"))["service_tier"], "standard_only")
        exchange = context()
        self.assertEqual(written(ask(tier="priority"), exchange)["service_tier"], "auto")
        self.assertEqual(noted(exchange), [])
        exchange = context()
        self.assertNotIn("service_tier", written(ask(tier="flex"), exchange))
        self.assertEqual(noted(exchange), [("/tier", "dropped")])

    def test_stream(self) -> None:
        """Asked for where the client wants one, whatever its dialect."""
        exchange = context()
        exchange.stream = True
        self.assertIs(written(ask(), exchange)["stream"], True)
        self.assertNotIn("stream", written(ask()))

    def test_same_again(self) -> None:
        """The same request makes the same body."""
        request = ask(WEATHER, reasoning=ReasoningPolicy(level="high"), policy=ToolPolicy("auto", parallel=False))
        self.assertEqual(list(written(request)), list(written(request)))
        self.assertEqual(written(request), written(request))


class ThinkingTests(SynchronousTestCase):
    """How much to think."""

    def thinking(self, model: str, policy: ReasoningPolicy, max_out: int = 60_000) -> tuple[Any, Any, list[tuple[str, str]]]:
        exchange = context(model)
        body = written(ask(reasoning=policy, sampling=Sampling(max_out=max_out)), exchange)
        return body.get("thinking"), body.get("output_config", {}).get("effort"), noted(exchange)

    def test_levels(self) -> None:
        """New models take an effort, those before a budget."""
        adaptive = {"type": "adaptive"}
        for model in (NEW, BOTH, "some-model"):
            self.assertEqual(self.thinking(model, ReasoningPolicy(level="high")), (adaptive, "high", []))
        self.assertEqual(self.thinking(NEW, ReasoningPolicy(level="minimal")), (adaptive, "low", [("/level", "approximated")]))
        self.assertEqual(
            self.thinking(BUDGET, ReasoningPolicy(level="medium")),
            ({"type": "enabled", "budget_tokens": 8192}, None, [("/level", "approximated")]),
        )

    def test_budgets(self) -> None:
        """A budget stays one where the model takes it, and becomes an effort where it does not."""
        policy = ReasoningPolicy("yes", budget=16_000)
        for model in (BOTH, BUDGET, "some-model"):
            self.assertEqual(self.thinking(model, policy), ({"type": "enabled", "budget_tokens": 16_000}, None, []))
        self.assertEqual(self.thinking(NEW, policy), ({"type": "adaptive"}, "high", [("/budget", "approximated")]))

    def test_room(self) -> None:
        """A budget is at least 1024, and smaller than the limit, which is not raised for it."""
        for budget, room, expected in ((100, 9000, 1024), (9000, 4000, 3999)):
            thinking, _, notes = self.thinking(BUDGET, ReasoningPolicy("yes", budget=budget), room)
            self.assertEqual((thinking["budget_tokens"], notes), (expected, [("/budget", "approximated")]))
        self.assertEqual(
            self.thinking(BUDGET, ReasoningPolicy("yes", budget=2000), 1000),
            ({"type": "disabled"}, None, [("/budget", "approximated")]),
        )

    def test_off(self) -> None:
        """Not thinking is said where it has to be."""
        for policy in (ReasoningPolicy("no"), ReasoningPolicy(level="none"), ReasoningPolicy(budget=0)):
            for model in (NEW, BUDGET):
                self.assertEqual(self.thinking(model, policy), ({"type": "disabled"}, None, []))
            self.assertEqual(self.thinking(OLD, policy, 100), (None, None, []))
        self.assertEqual(self.thinking(NEW, ReasoningPolicy()), (None, None, []))

    def test_unable(self) -> None:
        """Models that cannot are not asked to."""
        self.assertEqual(self.thinking(OLD, ReasoningPolicy(level="high"), 100)[2][0], ("/level", "dropped"))

    def test_hidden(self) -> None:
        """Thinking is told unless the client does not want it."""
        thinking, _, _ = self.thinking(NEW, ReasoningPolicy(level="high", show="none"))
        self.assertEqual(thinking, {"type": "adaptive", "display": "omitted"})
        self.assertEqual(self.thinking(BUDGET, ReasoningPolicy("yes", budget=2000, show="none"))[2], [("/show", "approximated")])
        brief = ReasoningPolicy(level="high", show="summary", detail="concise")
        self.assertEqual(self.thinking(NEW, brief)[2], [("/show", "approximated")])

    def test_lost(self) -> None:
        """In the middle of calls, a model does not think on without what it thought; with it, or by effort, it does."""
        call = ToolCall("c", "weather", "{}", 1)
        done = ToolResult("c", None, (), turn=2)
        thought = Reasoning((), (Seal("anthropic", "signature", "s"),), 1)
        policy = ReasoningPolicy("yes", budget=2000)
        for model, items, thinks in (
            (BUDGET, (ASK, call, done), False),
            (BUDGET, (ASK, thought, call, done), True),
            (BUDGET, (ASK, call, done, msgspec.structs.replace(call, call_id="d", turn=3), ASK), False),
            (NEW, (ASK, call, done), True),
        ):
            exchange = context(model, repair="textify")
            request = msgspec.structs.replace(ask(WEATHER, reasoning=policy), items=items)
            self.assertEqual(written(request, exchange)["thinking"]["type"] != "disabled", thinks, (model, items))
            self.assertEqual(("/budget", "approximated") in noted(exchange), model == NEW or not thinks)

    def test_over(self) -> None:
        """A turn that is over does not need its thinking."""
        items = (ASK, ToolCall("c", "weather", "{}", 1), ToolResult("c", None, (), turn=2))
        said = msgspec.structs.replace(ASK, role="assistant", turn=3)
        request = ask(WEATHER, reasoning=ReasoningPolicy("yes", budget=2000))
        request = msgspec.structs.replace(request, items=(*items, said, msgspec.structs.replace(ASK, turn=4)))
        self.assertEqual(written(request, context(BUDGET))["thinking"]["type"], "enabled")

    def test_forced(self) -> None:
        """A forced call excludes thinking by a budget: refused, or as configured. Thinking by effort bears it."""
        request = ask(WEATHER, reasoning=ReasoningPolicy("yes", budget=2000), policy=ToolPolicy("required"))
        self.assertEqual(refusal(request, context(BUDGET)).param, "/policy")
        body = written(request, context(BUDGET, forced_vs_thinking="drop_thinking"))
        self.assertEqual((body["thinking"], body["tool_choice"]), ({"type": "disabled"}, {"type": "any"}))
        body = written(request, context(BUDGET, forced_vs_thinking="soften_to_auto"))
        self.assertEqual((body["thinking"]["type"], body["tool_choice"]), ("enabled", {"type": "auto"}))
        self.assertEqual(written(request, context(NEW))["thinking"], {"type": "adaptive"})


class ToolTests(SynchronousTestCase):
    """Tools and their choice."""

    def tools(self, *tools: Tool, exchange: Context | None = None) -> Any:
        return written(ask(*tools), exchange)["tools"]

    def test_function(self) -> None:
        """What a function has; one without arguments has an empty object of them."""
        full = msgspec.structs.replace(WEATHER, strict=True, examples=({"city": "B"},))
        self.assertEqual(
            self.tools(full, Tool("now")),
            [
                {
                    "name": "weather",
                    "description": "Tells it.",
                    "input_schema": SCHEMA,
                    "strict": True,
                    "input_examples": [{"city": "B"}],
                },
                {"name": "now", "input_schema": {"type": "object", "properties": {}}},
            ],
        )

    def test_custom(self) -> None:
        """Free text is one parameter; its grammar is told in words."""
        grammar = {"type": "grammar", "syntax": "lark", "definition": "start: /a/"}
        (tool,) = self.tools(Tool("patch", "custom", description="Patches.", grammar=grammar))
        parameter = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
        self.assertEqual(tool["input_schema"], parameter)
        self.assertEqual(tool["description"], "Patches.\n\nThe input must match this lark grammar:\nstart: /a/")

    def test_names(self) -> None:
        """Names that the API does not take get others, everywhere the same."""
        exchange = context()
        tool = Tool("a.b", namespace="ns", at="/tools/0")
        request = msgspec.structs.replace(
            ask(tool, policy=ToolPolicy("one", ("a.b",), ("function",))),
            items=(ASK, ToolCall("c", "a.b", "{}", 1, namespace="ns"), ToolResult("c", None, (), turn=2)),
        )
        body = written(request, exchange)
        name = body["tools"][0]["name"]
        self.assertRegex(name, "^ns__a_b_[0-9a-f]{8}$")
        self.assertEqual((body["tool_choice"]["name"], body["messages"][1]["content"][0]["name"]), (name, name))
        self.assertEqual(noted(exchange), [("/tools/0", "approximated")])

    def test_schemas(self) -> None:
        """A choice at the top goes inside; what is required is named once; a property of any name is left alone."""
        exchange = context()
        choice = {"anyOf": [{"type": "object"}], "$defs": {"a": {}}}
        twice = {"type": "object", "properties": {"required": {"type": "array"}}, "required": ["required", "required"]}
        deep = {"type": "object", "properties": {"x": {"type": "object", "required": ["y", "y"]}}}
        offered = (Tool(name, schema=schema, at=f"/{name}") for name, schema in (("a", choice), ("b", twice), ("c", deep)))
        schemas = [tool["input_schema"] for tool in self.tools(*offered, exchange=exchange)]
        inside = {"value": {"anyOf": [{"type": "object"}]}}
        self.assertEqual(schemas[0], {"type": "object", "properties": inside, "required": ["value"], "$defs": {"a": {}}})
        self.assertEqual(schemas[1], {**twice, "required": ["required"]})
        self.assertEqual(schemas[2]["properties"]["x"]["required"], ["y"])
        self.assertEqual(exchange.nested, {"a"})
        self.assertEqual(noted(exchange), [("/a", "approximated"), ("/b", "approximated"), ("/c", "approximated")])

    def test_nested_history(self) -> None:
        """Calls of such a tool go back as the model must have made them."""
        tool = Tool("a", schema={"anyOf": []})
        items = (ASK, ToolCall("c", "a", '{"x":1}', 1), ToolResult("c", None, (), turn=2))
        body = written(msgspec.structs.replace(ask(tool), items=items))
        self.assertEqual(body["messages"][1]["content"][0]["input"], {"value": {"x": 1}})

    def test_same_name(self) -> None:
        """The same tool twice is one; two tools of one name are refused."""
        exchange = context()
        self.assertEqual(len(self.tools(WEATHER, msgspec.structs.replace(WEATHER, at="/tools/1"), exchange=exchange)), 1)
        self.assertEqual(noted(exchange), [("/tools/1", "dropped")])
        self.assertEqual(refusal(ask(WEATHER, Tool("weather", at="/tools/1"))).param, "/tools/1")

    def test_hosted(self) -> None:
        """Another provider's own tools are refused, unless web searches are to be mapped."""
        raw = {
            "type": "web_search",
            "filters": {"allowed_domains": ["a.org"]},
            "user_location": {"type": "approximate", "city": "Bern"},
            "search_context_size": "low",
        }
        tool = Tool("web_search", "hosted", family="web_search", dialect="openai-responses", raw=raw, at="/tools/0")
        self.assertEqual(refusal(ask(tool)).param, "/tools/0")
        exchange = context(hosted_tools="map")
        self.assertEqual(
            self.tools(tool, exchange=exchange),
            [
                {
                    "type": "web_search_20250305",
                    "name": "web_search",
                    "allowed_domains": ["a.org"],
                    "user_location": {"type": "approximate", "city": "Bern"},
                }
            ],
        )
        self.assertEqual(noted(exchange), [("/tools/0", "approximated"), ("/tools/0/search_context_size", "dropped")])
        google = {"googleSearch": {"excludeDomains": ["b.org"]}}
        tool = Tool("googleSearch", "hosted", family="web_search", dialect="gemini", raw=google, at="/tools/0")
        (found,) = self.tools(tool, exchange=context(hosted_tools="map"))
        self.assertEqual(found["blocked_domains"], ["b.org"])
        maps = Tool("googleMaps", "hosted", family="maps", dialect="gemini", raw={}, at="/tools/0")
        self.assertEqual(refusal(ask(maps), context(hosted_tools="map")).param, "/tools/0")

    def test_choices(self) -> None:
        """Each choice in this API's words; that calls come one at a time is said there."""
        cases: list[tuple[ToolPolicy, Any]] = [
            (ToolPolicy(), None),
            (ToolPolicy("auto"), {"type": "auto"}),
            (ToolPolicy("none", parallel=False), {"type": "none"}),
            (ToolPolicy("required"), {"type": "any"}),
            (ToolPolicy("one", ("weather",), ("function",), False), {"type": "tool", "name": "weather"}),
            (ToolPolicy(parallel=False), {"type": "auto"}),
            (ToolPolicy(parallel=True), None),
            (ToolPolicy("validated"), {"type": "auto"}),
        ]
        for policy, expected in cases:
            choice = written(ask(WEATHER, policy=policy)).get("tool_choice")
            if policy.parallel is False and policy.mode != "none":
                expected = {**expected, "disable_parallel_tool_use": True}
            self.assertEqual(choice, expected)
        self.assertNotIn("tool_choice", written(ask(policy=ToolPolicy("auto", parallel=False))))

    def test_subset(self) -> None:
        """A subset is all that is offered."""
        for mode, choice in (("subset_auto", "auto"), ("subset_required", "any")):
            policy = ToolPolicy(mode, ("weather",), ("function",))  # type: ignore[arg-type]
            body = written(ask(WEATHER, Tool("now"), policy=policy))
            self.assertEqual([tool["name"] for tool in body["tools"]], ["weather"])
            self.assertEqual(body["tool_choice"], {"type": choice})


class FormTests(SynchronousTestCase):
    """What the answer shall look like."""

    def test_schema(self) -> None:
        """Native where the model has it; what a schema is called and what it is for have other places."""
        exchange = context()
        output = Output("schema", SCHEMA, "city", "Where.", False)
        body = written(ask(output=output), exchange)
        expected = {"type": "json_schema", "schema": {**SCHEMA, "description": "Where."}}
        self.assertEqual(body["output_config"], {"format": expected})
        self.assertEqual(
            noted(exchange),
            [("/format_name", "carried"), ("/format_strict", "approximated"), ("/format_description", "approximated")],
        )

    def test_emulated(self) -> None:
        """An old model answers by calling a tool, if not by one of the client's."""
        exchange = context(OLD)
        body = written(ask(output=SCHEMA_OUTPUT), exchange)
        self.assertEqual(body["tool_choice"], {"type": "tool", "name": "llmux_json"})
        self.assertEqual(body["tools"][0]["input_schema"], SCHEMA)
        self.assertEqual(noted(exchange), [("/format", "approximated")])
        body = written(ask(WEATHER, output=SCHEMA_OUTPUT), context(OLD))
        self.assertEqual(body["tool_choice"], {"type": "any"})
        self.assertEqual([tool["name"] for tool in body["tools"]], ["weather", "llmux_json"])
        self.assertEqual(refusal(ask(output=Output("schema", {"type": "array"})), context(OLD)).param, "/format")

    def test_emulated_beside_thinking(self) -> None:
        """That tool is forced, which excludes thinking."""
        request = ask(output=SCHEMA_OUTPUT, reasoning=ReasoningPolicy("yes", budget=2000))
        self.assertEqual(refusal(request, context("claude-sonnet-4")).param, "/format")
        body = written(request, context("claude-sonnet-4", forced_vs_thinking="drop_thinking"))
        self.assertEqual(body["thinking"], {"type": "disabled"})

    def test_json(self) -> None:
        """JSON of any form is asked for in words, and not at all where nothing may be approximated."""
        exchange = context()
        self.assertEqual(written(ask(output=Output("json")), exchange)["system"], "Answer with one JSON object and nothing else.")
        self.assertEqual(noted(exchange), [("/format", "approximated")])
        self.assertEqual(refusal(ask(output=Output("json")), context(strict=True)).param, "/format")

    def test_others(self) -> None:
        """The API answers in text."""
        exchange = context()
        written(ask(output=Output("text", verbosity="low", modalities=("TEXT",))), exchange)
        self.assertEqual(noted(exchange), [("/verbosity", "dropped")])
        self.assertEqual(refusal(ask(output=Output(modalities=("text", "audio")))).param, "/modalities")
