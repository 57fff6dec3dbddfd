"""What is ordinary is read and written directly; here it goes the general way too, and both must come to the same."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from llmux import jsonio
from llmux.dialects.context import Context, Target
from llmux.dialects.neutral import (
    Annotation,
    Caching,
    Choice,
    Finish,
    Item,
    Link,
    Mark,
    Media,
    Message,
    Output,
    Part,
    Reason,
    Reasoning,
    ReasoningPolicy,
    Refusal,
    Request,
    Response,
    Role,
    Sampling,
    Seal,
    Segment,
    Text,
    TokenProbability,
    Tool,
    ToolCall,
    ToolPolicy,
    ToolResult,
    Usage,
)
from llmux.dialects.openai_chat import requests, responses, usage
from llmux.dialects.openai_chat.requests import parsing as request_parsing
from llmux.dialects.openai_chat.requests import writing as request_writing
from llmux.dialects.openai_chat.responses import parsing as response_parsing
from llmux.dialects.openai_chat.responses import writing as response_writing
from llmux.dialects.seals import Seals
from llmux.errors import Fault

SEAL = Seal("gemini", "thought_signature", "p")
TEXTS: list[Part] = [
    Text("a", at="/t"),
    Text("", at="/t"),
    Text("b", annotations=(Annotation("url", "https://a.example", "A"),), at="/t"),
    Text("b", logprobs=(TokenProbability("b", -0.5),), at="/t"),
    Text("b", seals=(SEAL,), at="/t"),
    Text("b", mark=Mark("1h", "/m"), at="/t"),
]
PARTS: list[tuple[Part, ...]] = [
    *((part,) for part in TEXTS),
    (),
    (Text("a"), Text("b")),
    (Refusal("no", "/r"),),
    (Media("image", Link("https://a.example/a.png"), at="/i"),),
]
ROLES: list[Role] = ["system", "developer", "user", "assistant", "tool"]
ITEMS: list[Item] = [
    *(Message(role, parts, 1, at=f"/{role}") for role in ROLES for parts in PARTS),
    *(Message(role, (Text("a"),), turn, at=f"/{role}") for role in ROLES for turn in (2, 3)),
    Message("user", (Text("a"),), 1, author="bo", at="/user"),
    Message("assistant", (Text("a"),), 1, phase="commentary", at="/assistant"),
    Message("assistant", (Text("a"),), 1, cut=True, at="/assistant"),
    Reasoning((Segment("full", "hm"),), turn=1, at="/reasoning"),
    ToolCall("c1", "look", "{}", 1, at="/call"),
]
RESULT = ToolResult("c1", None, (Text("grey"),), turn=2, at="/result")
ENDS: list[dict[str, Any]] = [{}, {"stop_sequence": "END", "sequence_at": "/s"}, {"message": "why", "category": "kind"}]
USER = Message("user", (Text("Hi"),), at="/messages/0")


def outcome(
    step: Callable[[Any, Context], Any], given: Any, asked: dict[str, Any] | None = None, *, relaxed: bool = False
) -> Any:
    """What a step makes of what it is given, or the fault that it raises; with its notes."""
    context = Context(seals=Seals((b"k",)), target=Target.of("gpt-5.1"), asked=asked or {}, now=5)
    if relaxed:
        context.notes.relax()
    try:
        made = step(given, context)
    except Fault as fault:
        made = (fault.kind, fault.message, fault.param)
    return jsonio.dumps(made) if isinstance(made, dict) else made, [str(note) for note in context.notes]


class DirectTests(SynchronousTestCase):
    """The direct way beside the general one."""

    def same(self, module: Any, direct: str, step: Callable[[Any, Context], Any], given: Iterable[Any], **more: Any) -> None:
        """A step gives the same without its direct way. Some of what is given goes it, and some does not."""
        given = list(given)
        plain, went = getattr(module, direct), []

        def watched(*args: Any) -> Any:
            found = plain(*args)
            went.append(found is not None)
            return found

        self.patch(module, direct, watched)
        first = [outcome(step, each, **more) for each in given]
        self.assertEqual({True, False}, set(went))
        general = self.patch(module, direct, lambda *args: None)
        for each, got in zip(given, first, strict=True):
            self.assertEqual(outcome(step, each, **more), got, each)
        general.restore()

    def test_conversations(self) -> None:
        """Any two items, and one that follows."""
        asked = [
            Request((*first, *(RESULT for item in first if isinstance(item, ToolCall)), *last))
            for size in (0, 1, 2)
            for first in itertools.product(ITEMS, repeat=size)
            for last in ((), (USER,))
        ]
        self.same(request_writing, "plain", requests.write, asked)

    def test_settings(self) -> None:
        """Requests that say more than their messages."""
        more: list[dict[str, Any]] = [
            {},
            {"model": "m", "stream": True},
            {"tools": (Tool("look", at="/tools/0"), Tool("look", mark=Mark(at="/m")))},
            {"policy": ToolPolicy("auto", max_calls=1)},
            {"sampling": Sampling(5, top_k=3)},
            {"reasoning": ReasoningPolicy(level="low")},
            {"output": Output("json", verbosity="low")},
            {"caching": Caching("k", Mark("1h", "/caching"))},
            {"tier": "standard", "user": "u" * 70, "metadata": {"a": "b"}, "store": True},
        ]
        marked = Message("user", (Text("a", mark=Mark("1h", "/m")),))
        self.same(
            request_writing,
            "plain",
            requests.write,
            [
                Request((item,), **one, **two)
                for item in (USER, marked)
                for one in more
                for two in more
                if not one.keys() & two.keys()
            ],
        )

    def test_answers_read(self) -> None:
        """Whole answers: an ordinary one, and whatever may be otherwise, two things at a time."""
        usages = [{"prompt_tokens": 1, "completion_tokens": 2}, {}, None, "x"]
        others: list[tuple[str, str, list[Any]]] = [
            ("message", "content", ["", None, 1, [{"type": "text", "text": "a"}], "é"]),
            ("message", "refusal", [None, "", "no"]),
            ("message", "annotations", [None, [], [{"type": "url_citation", "url_citation": {"url": "u"}}]]),
            (
                "message",
                "tool_calls",
                [None, [], [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]],
            ),
            ("message", "reasoning_content", [None, "", "hm"]),
            ("message", "unknown", [None, 1]),
            ("choice", "index", [None, 1, -1, False, True, "0"]),
            ("choice", "finish_reason", ["length", "tool_calls", "content_filter", "", None, 1, [], "other"]),
            ("choice", "logprobs", [None, {}, {"content": [{"token": "a", "logprob": -1}]}]),
            ("choice", "matched_stop", [None, "END"]),
            ("choice", "message", [None, {}]),
            ("doc", "id", ["1", "chatcmpl-", "", None, 1]),
            ("doc", "object", ["error", None]),
            ("doc", "created", [0, -1, True, 1.5, None]),
            ("doc", "model", ["", None, 1]),
            ("doc", "usage", usages),
            ("doc", "service_tier", ["default", "", None, 1]),
            ("doc", "system_fingerprint", ["fp", "", None, 1]),
            ("doc", "error", [None, {"message": "no"}]),
            ("doc", "x_groq", [{"usage": usages[0]}]),
            ("doc", "choices", [None, [], {}, [1], "x"]),
        ]

        def answer(*changes: tuple[str, str, Any]) -> dict[str, Any]:
            message: dict[str, Any] = {"role": "assistant", "content": "a"}
            choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
            doc: dict[str, Any] = {"id": "chatcmpl-1", "created": 1, "model": "m", "choices": [choice]}
            for where, name, value in changes:
                {"message": message, "choice": choice, "doc": doc}[where][name] = value
            return doc

        changes = [(where, name, value) for where, name, values in others for value in values]
        docs = [answer(), *(answer(one, two) for one in changes for two in changes)]
        two = answer()
        two["choices"].append({"index": 1, "message": {"content": "b"}, "finish_reason": "stop"})
        self.same(response_parsing, "_plain", responses.parse, [*docs, two], relaxed=True)

    def test_answers_written(self) -> None:
        """An answer of any one or two items, for any reason."""
        reasons: list[Reason] = ["stop", "length", "stop_sequence", "tool_calls", "refusal", "filter", "unknown", "unsealed"]
        finishes = [Finish(reason, **more, at="/f") for reason in reasons for more in ENDS]
        counted = [None, Usage(3, 1, 1, 5, 2), Usage(3, modalities=(("in_image", 1), ("out_audio", 2)))]
        said = [
            item
            for item in ITEMS
            if isinstance(item, ToolCall | Reasoning) or (isinstance(item, Message) and item.role == "assistant")
        ]
        answers = [
            Response("1", "m", 1, (Choice(items, finish),), tokens, "standard", "fp")
            for items in [(), *((item,) for item in said), (said[0], said[0])]
            for finish in finishes
            for tokens in counted
        ]
        answers.append(Response("1", "m", 1, (answers[-1].choices[0], Choice((said[0],), Finish("stop"))), None))
        for asked in ({}, {"functions": [{"name": "look"}]}):
            self.same(response_writing, "_plain", responses.write, answers, asked=asked, relaxed=True)

    def test_a_stop_with_a_sequence(self) -> None:
        """What stopped it is told, and noted, though it is called a mere stop."""
        said = Message("assistant", (Text("a"),))
        answer = Response("1", "m", 1, (Choice((said,), Finish("stop", "END", sequence_at="/s")),), None)
        body, notes = outcome(responses.write, answer, relaxed=True)
        self.assertEqual(jsonio.loads(body)["choices"][0]["matched_stop"], "END")
        self.assertEqual([note.split(":")[0] for note in notes], ["/s carried"])

    def test_requests_read(self) -> None:
        """What is not there, and what is null, is the same: all that can be said is looked for then."""
        said: dict[str, list[Any]] = {
            "model": ["m"],
            "stream": [True],
            "stream_options": [{"include_usage": True}, {"other": 1}],
            "tools": [[], [{"type": "function", "function": {"name": "look"}}]],
            "functions": [[{"name": "look"}]],
            "tool_choice": ["auto", 1],
            "function_call": ["none"],
            "parallel_tool_calls": [False],
            "web_search_options": [{}],
            "max_tokens": [1],
            "max_completion_tokens": [2, "x"],
            "temperature": [0, "x"],
            "top_p": [0.5],
            "top_k": [3.0],
            "frequency_penalty": [1],
            "presence_penalty": [1],
            "seed": [0],
            "logit_bias": [{"1": 1}],
            "n": [2, 1.5],
            "stop": ["", "a", ["a", "b"], [], [1]],
            "logprobs": [True],
            "top_logprobs": [2],
            "reasoning_effort": ["none", "low", "x"],
            "response_format": [{"type": "text"}, {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}],
            "verbosity": ["low"],
            "modalities": [["text"]],
            "prompt_cache_key": ["k"],
            "prompt_cache_options": [{"mode": "explicit", "ttl": "30m"}, {"ttl": "30m"}],
            "prompt_cache_retention": ["24h"],
            "service_tier": ["default", "other"],
            "user": ["u"],
            "safety_identifier": ["v"],
            "metadata": [{"a": "b"}],
            "store": [False],
            "audio": [{"voice": "alloy"}],
            "moderation": [{"policy": {"input": {"mode": "block"}}}],
            "prediction": [{"type": "content"}],
        }
        known = vars(request_parsing)["_ABOUT"]
        self.assertEqual(said.keys() | {"messages"}, known.keys())
        members = [(name, value) for name, values in said.items() for value in values] + [("other", {"a": 1})]
        messages = [{"role": "user", "content": "Hi"}]
        null = dict.fromkeys(known)
        for one, two in itertools.product(members, repeat=2):
            doc = {"messages": messages, **dict((one, two))}
            got = outcome(requests.parse, doc)
            self.assertEqual(outcome(requests.parse, {**doc, **{name: None for name in null if name not in doc}}), got, doc)

    def test_messages_read(self) -> None:
        """A message of a role and a text is the same as one that says nothing of who speaks besides."""
        roles: list[Any] = ["system", "developer", "user", "assistant", "other", None, 1, []]
        for role in roles:
            for content in ("", "a", None, 1, [], [{"type": "text", "text": "a"}]):
                message = {"role": role, "content": content}
                got = outcome(requests.parse, {"messages": [message]})
                self.assertEqual(outcome(requests.parse, {"messages": [{**message, "name": ""}]}), got, message)

    def test_usage(self) -> None:
        """Details that are not there say as much as empty ones."""
        counts = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "prompt_cache_hit_tokens": 3}
        for size in range(len(counts) + 1):
            for names in itertools.combinations(counts, size):
                raw: dict[str, Any] = {name: counts[name] for name in names}
                got = usage.read(raw)
                for nothing in (None, {}, "x", {"cached_tokens": None}, {"audio_tokens": 0, "reasoning_tokens": True}):
                    details = {"prompt_tokens_details": nothing, "completion_tokens_details": nothing}
                    self.assertEqual(usage.read({**raw, **details}), got)
